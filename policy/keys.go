package policy

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// keys is one key combination, such as Control+Alt+1. Equal combinations are
// equal values, however they were written.
type keys struct {
	modifiers modifiers
	key       string // a character, letters in upper case, or a name of UI Events
}

// modifiers is a set of keys that are held while another is pressed.
type modifiers uint8

// The modifiers, in the order in which the normal form prints them. The last
// three are what screen readers listen to; they are modifiers only in front of
// another key.
const (
	modControl modifiers = 1 << iota
	modMeta
	modAlt
	modShift
	modCapsLock
	modInsert
	modScrollLock

	modNone modifiers = 0
)

// errKeys means that a text is no key combination.
var errKeys = errors.New("not a key combination")

// parseKeys reads one combination by the grammar of aria-keyshortcuts (WAI-ARIA
// 1.2): modifiers first, then one key, joined by plus signs, by the names of UI
// Events. It also understands what people write instead: other case, white
// space, and aliases such as ctrl, cmd, option, esc, up. The error wraps errKeys
// and says how to write it.
func parseKeys(text string) (keys, error) {
	parsed, err := parseKeysText(text)
	if err != nil {
		return keys{}, fmt.Errorf("%q is %w: %w", shorten(text), errKeys, err)
	}
	return parsed, nil
}

func parseKeysText(text string) (keys, error) {
	if strings.TrimSpace(text) == "" {
		return keys{}, errors.New("it is empty; write one such as Control+Alt+1")
	}
	names := splitKeys(text)
	var parsed keys
	for i, name := range names {
		last := i == len(names)-1
		held, isModifier := modifierNamed(name, last)
		switch {
		case isModifier && last:
			return keys{}, errors.New("modifiers alone do nothing; add a key, such as Control+Alt+1")
		case isModifier && parsed.modifiers&held != 0:
			return keys{}, fmt.Errorf("%s is there twice", held)
		case isModifier:
			parsed.modifiers |= held
		default:
			key, err := keyNamed(name)
			if err != nil {
				return keys{}, err
			}
			if !last {
				return keys{}, fmt.Errorf("%s is no modifier; modifiers come first, then one key", key)
			}
			parsed.key = key
		}
	}
	return parsed, nil
}

// splitKeys cuts at plus signs; a plus sign that is itself the key, as in
// Control++, is kept.
func splitKeys(text string) []string {
	text = strings.TrimSpace(text)
	plus := false
	if text == "+" {
		return []string{"Plus"}
	}
	if before, found := strings.CutSuffix(text, "+"); found {
		if modifiers, joined := strings.CutSuffix(strings.TrimSpace(before), "+"); joined {
			text, plus = modifiers, true
		}
	}
	names := strings.Split(text, "+")
	for i, name := range names {
		names[i] = strings.TrimSpace(name)
	}
	if plus {
		names = append(names, "Plus")
	}
	return names
}

// modifierNamed returns the modifier of that name or alias. CapsLock, Insert
// and ScrollLock are keys like any other where they come last.
func modifierNamed(name string, last bool) (modifiers, bool) {
	switch strings.ToLower(name) {
	case "control", "ctrl":
		return modControl, true
	case "meta", "cmd", "command", "win", "windows", "super", "⌘":
		return modMeta, true
	case "alt", "option", "opt", "⌥":
		return modAlt, true
	case "shift", "⇧":
		return modShift, true
	case "capslock":
		return modCapsLock, !last
	case "insert", "ins":
		return modInsert, !last
	case "scrolllock":
		return modScrollLock, !last
	default:
		return modNone, false
	}
}

// keyNamed returns the name in UI Events of the key of that name or alias.
func keyNamed(name string) (string, error) {
	if character, size := utf8.DecodeRuneInString(name); size > 0 && size == len(name) {
		if character == utf8.RuneError || !unicode.IsGraphic(character) || unicode.IsSpace(character) {
			return "", errors.New("it holds a character that no key types")
		}
		return upperCase(character), nil
	}
	lower := strings.ToLower(name)
	switch lower {
	case "":
		return "", errors.New("a key is missing beside a plus sign; the key + itself is written Plus")
	case "esc":
		return "Escape", nil
	case "del":
		return "Delete", nil
	case "ins":
		return "Insert", nil
	case "return":
		return "Enter", nil
	case "spacebar":
		return "Space", nil
	case "up", "down", "left", "right":
		return "Arrow" + strings.ToUpper(lower[:1]) + lower[1:], nil
	case "pgup":
		return "PageUp", nil
	case "pgdn", "pgdown":
		return "PageDown", nil
	case "minus":
		return "-", nil
	case "print", "prtsc", "prtscn":
		return "PrintScreen", nil
	}
	for _, known := range keyNames() {
		if strings.EqualFold(known, name) {
			return known, nil
		}
	}
	if number, isFunction := strings.CutPrefix(lower, "f"); isFunction {
		if n, err := strconv.Atoi(number); err == nil && n >= 1 && n <= 24 {
			return "F" + strconv.Itoa(n), nil
		}
	}
	switch {
	case strings.ContainsAny(name, " \t"):
		return "", errors.New("it takes one combination; join its keys by plus signs")
	case strings.Contains(name, "-"):
		return "", errors.New("keys are joined by plus signs, as in Control+Alt+1")
	default:
		return "", fmt.Errorf("no key is named %q; write one character or a name such as Enter, ArrowUp, F2", shorten(name))
	}
}

// keyNames are the keys of UI Events that have a name, less F1 to F24.
func keyNames() []string {
	return []string{
		"Enter", "Tab", "Space", "Escape", "Backspace", "Delete", "Insert", "Plus",
		"ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight", "Home", "End", "PageUp", "PageDown",
		"CapsLock", "NumLock", "ScrollLock", "PrintScreen", "Pause", "ContextMenu", "Help", "Power",
		"BrowserBack", "BrowserForward", "BrowserRefresh", "BrowserHome",
	}
}

// upperCase maps a letter to upper case where that loses nothing: ſ would
// become a different letter's capital.
func upperCase(character rune) string {
	if upper := unicode.ToUpper(character); unicode.ToLower(upper) == character {
		return string(upper)
	}
	return string(character)
}

// String prints the normal form: Control, Meta, Alt, Shift, then the key.
func (k keys) String() string {
	if k.modifiers == modNone {
		return k.key
	}
	return k.modifiers.String() + "+" + k.key
}

// String joins the names of the modifiers by plus signs.
func (m modifiers) String() string {
	var names []string
	for i, name := range []string{"Control", "Meta", "Alt", "Shift", "CapsLock", "Insert", "ScrollLock"} {
		if m&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, "+")
}

// hint says how to write the combination that was read from text in its normal
// form, "" where it is.
func (k keys) hint(text string) string {
	if text == k.String() {
		return ""
	}
	return fmt.Sprintf("write %q", k)
}

// bareCharacter reports whether the combination is a letter, digit, punctuation
// mark or symbol without a modifier other than Shift, which people who dictate
// trigger by speaking (WCAG 2.1 Success Criterion 2.1.4).
func (k keys) bareCharacter() bool { return k.modifiers&^modShift == 0 && printable(k.key) }

// printable reports whether the key by itself types a visible character.
func printable(key string) bool {
	return key == "Plus" || utf8.RuneCountInString(key) == 1
}

// shorten bounds what an error repeats of its input.
func shorten(text string) string {
	const longest = 60
	characters := []rune(text)
	if len(characters) <= longest {
		return text
	}
	return string(characters[:longest]) + "…"
}
