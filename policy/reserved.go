package policy

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// reservation says that something other than the page has a use for keys.
type reservation struct {
	Keys    string // what is kept, such as Control+T or Meta+<any>
	By      string // such as "Chrome and Edge on Windows", "Windows", "screen readers"
	Blocked bool   // the page never sees the keys
	Source  string // where that is known from
}

// reservedTable is what browsers, operating systems and assistive technology
// keep, by system. It is safe for concurrent use.
type reservedTable struct {
	groups []reservedGroup
}

type reservedGroup struct {
	Browsers []string `yaml:"browsers"` // none: whatever the browser
	Systems  []string `yaml:"systems"`
	By       string   `yaml:"by"`
	When     string   `yaml:"when"`
	Source   string   `yaml:"source"`
	Blocked  []string `yaml:"blocked"`
	Avoid    []string `yaml:"avoid"`

	patterns []keyPattern // of Blocked and Avoid
}

//go:embed reserved-keys.yaml
var reservedKeys []byte

// loadReserved reads the table that is part of the program.
func loadReserved() (*reservedTable, error) { return parseReserved(reservedKeys) }

func parseReserved(text []byte) (*reservedTable, error) {
	var file struct {
		Groups []reservedGroup `yaml:"groups"`
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&file); err != nil {
		return nil, fmt.Errorf("read reserved keys: %w", err)
	}
	for i := range file.Groups {
		if err := file.Groups[i].compile(); err != nil {
			return nil, fmt.Errorf("read reserved keys: group %d: %w", i+1, err)
		}
	}
	return &reservedTable{groups: file.Groups}, nil
}

func (g *reservedGroup) compile() error {
	switch {
	case len(g.Systems) == 0:
		return errors.New("it names no systems")
	case len(g.Browsers) == 0 && g.By == "":
		return errors.New("it names neither browsers nor what else keeps the keys")
	case g.Source == "":
		return errors.New("it names no source")
	}
	for _, browser := range g.Browsers {
		if len(systemsOf(browser)) == 0 {
			return fmt.Errorf("unknown browser %q", browser)
		}
	}
	for _, system := range g.Systems {
		if systemTitle(system) == "" {
			return fmt.Errorf("unknown system %q", system)
		}
	}
	for i, text := range slices.Concat(g.Blocked, g.Avoid) {
		pattern, err := parseKeyPattern(text)
		if err != nil {
			return err
		}
		pattern.blocked = i < len(g.Blocked)
		g.patterns = append(g.patterns, pattern)
	}
	return nil
}

// reservedFor lists what keeps the keys where any of the browsers runs, each on
// all systems that it runs on, blocked ones first. Unknown browsers count for
// nothing; names are those of browserCompatibility.
func (t *reservedTable) reservedFor(k keys, browsers []string) []reservation {
	var found []reservation
	for _, group := range t.groups {
		for _, pattern := range group.patterns {
			if !pattern.matchesKey(k.key) {
				continue
			}
			platforms := group.platforms(browsers, func(system string) bool {
				return pattern.matchesModifiers(k.modifiers, system)
			})
			if len(platforms) == 0 {
				continue
			}
			found = append(found, reservation{
				Keys:    pattern.on(platforms[0].system),
				By:      group.describe(platforms),
				Blocked: pattern.blocked,
				Source:  group.Source,
			})
		}
	}
	slices.SortStableFunc(found, func(a, b reservation) int {
		switch {
		case a.Blocked == b.Blocked:
			return 0
		case a.Blocked:
			return -1
		default:
			return 1
		}
	})
	return dropWeaker(found)
}

// dropWeaker keeps, of several reservations by the same, the first.
func dropWeaker(sorted []reservation) []reservation {
	var kept []reservation
	for _, candidate := range sorted {
		same := func(r reservation) bool { return r.By == candidate.By }
		if !slices.ContainsFunc(kept, same) {
			kept = append(kept, candidate)
		}
	}
	return kept
}

// platform is a browser on an operating system.
type platform struct {
	browser, system string
}

// platforms are those among the given browsers, on their systems, that the
// group is about and that pass.
func (g *reservedGroup) platforms(browsers []string, pass func(system string) bool) []platform {
	var passed []platform
	for _, browser := range browsers {
		if len(g.Browsers) > 0 && !slices.Contains(g.Browsers, browser) {
			continue
		}
		for _, system := range systemsOf(browser) {
			if slices.Contains(g.Systems, system) && pass(system) {
				passed = append(passed, platform{browser: browser, system: system})
			}
		}
	}
	return passed
}

// describe names what keeps the keys on these platforms.
func (g *reservedGroup) describe(platforms []platform) string {
	by := g.By
	if by == "" {
		var browsers, systems []string
		for _, p := range platforms {
			browsers = appendNew(browsers, browserTitle(p.browser))
			systems = appendNew(systems, systemTitle(p.system))
		}
		by = joinWords(browsers) + " on " + joinWords(systems)
	}
	if g.When != "" {
		by += ", " + g.When
	}
	return by
}

func appendNew(words []string, word string) []string {
	if slices.Contains(words, word) {
		return words
	}
	return append(words, word)
}

func joinWords(words []string) string {
	last := len(words) - 1
	if last < 1 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:last], ", ") + " and " + words[last]
}

const (
	systemWindows  = "windows"
	systemMacOS    = "macos"
	systemLinux    = "linux"
	systemChromeOS = "chromeos"
)

// systemsOf are the desktop systems that a browser runs on, none for an unknown
// browser.
func systemsOf(browser string) []string {
	switch browser {
	case "chrome":
		return []string{systemWindows, systemMacOS, systemLinux, systemChromeOS}
	case "edge", "firefox":
		return []string{systemWindows, systemMacOS, systemLinux}
	case "safari":
		return []string{systemMacOS}
	default:
		return nil
	}
}

func browserTitle(browser string) string { return strings.ToUpper(browser[:1]) + browser[1:] }

func systemTitle(system string) string {
	switch system {
	case systemWindows:
		return "Windows"
	case systemMacOS:
		return "macOS"
	case systemLinux:
		return "Linux"
	case systemChromeOS:
		return "ChromeOS"
	default:
		return ""
	}
}

// keyPattern stands for one or more key combinations.
type keyPattern struct {
	modifiers modifiers
	accel     bool   // and the system's own modifier
	more      bool   // further modifiers may be held
	key       string // a key, or a kind of key in angle brackets
	blocked   bool
}

func parseKeyPattern(text string) (keyPattern, error) {
	rest, more := strings.CutPrefix(text, "*+")
	rest, accel := strings.CutPrefix(rest, "Accel+")
	pattern := keyPattern{accel: accel, more: more}

	concrete := rest
	if start := strings.IndexByte(rest, '<'); start >= 0 {
		pattern.key, concrete = rest[start:], rest[:start]+"A"
		if !slices.Contains([]string{"<any>", "<letter>", "<digit>", "<function>", "<printable>"}, pattern.key) {
			return keyPattern{}, fmt.Errorf("%q has an unknown kind of key", text)
		}
	}
	parsed, err := parseKeys(concrete)
	if err != nil {
		return keyPattern{}, err
	}
	if hint := parsed.hint(concrete); hint != "" {
		return keyPattern{}, fmt.Errorf("%q is not in normal form; %s", concrete, hint)
	}
	pattern.modifiers = parsed.modifiers
	if pattern.key == "" {
		pattern.key = parsed.key
	}
	return pattern, nil
}

func (p keyPattern) matchesKey(key string) bool {
	character, size := utf8.DecodeRuneInString(key)
	single := size == len(key)
	switch p.key {
	case "<any>":
		return true
	case "<letter>":
		return single && unicode.IsLetter(character)
	case "<digit>":
		return single && unicode.IsDigit(character)
	case "<function>":
		return !single && character == 'F' && strings.Trim(key[1:], "0123456789") == ""
	case "<printable>":
		return printable(key)
	default:
		return key == p.key
	}
}

func (p keyPattern) matchesModifiers(held modifiers, system string) bool {
	wanted := p.modifiersOn(system)
	return held == wanted || p.more && held&wanted == wanted
}

func (p keyPattern) modifiersOn(system string) modifiers {
	switch {
	case !p.accel:
		return p.modifiers
	case system == systemMacOS:
		return p.modifiers | modMeta
	default:
		return p.modifiers | modControl
	}
}

// on prints the pattern as it is on a system.
func (p keyPattern) on(system string) string {
	return keys{modifiers: p.modifiersOn(system), key: p.key}.String()
}
