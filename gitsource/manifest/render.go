package manifest

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"gopkg.in/yaml.v3"
)

// lineWidth is the longest line that a collection may take when it is written in
// brackets; a longer one gets a line for each member.
const lineWidth = 100

// Marshal writes a new definition: the house's order of keys, two spaces of
// indentation, small collections in brackets. The comments, without their #, go
// above it, one a line.
func Marshal(fields map[string]any, comments ...string) ([]byte, error) {
	value, err := normalised(fields)
	if err != nil {
		return nil, fmt.Errorf("write definition: %w", err)
	}
	var text strings.Builder
	for _, comment := range comments {
		text.WriteString(strings.TrimRight("# "+strings.ReplaceAll(comment, "\n", "\n# "), " ") + "\n")
	}
	if object, _ := value.(map[string]any); len(object) > 0 {
		text.WriteString(houseStyle().block(value, 0) + "\n")
	} else {
		text.WriteString("{}\n")
	}
	content := []byte(text.String())
	if got, err := decodeFile("definition", content); err != nil {
		return nil, fmt.Errorf("write definition: %w", err)
	} else if !reflect.DeepEqual(got, value) {
		return nil, fmt.Errorf("write definition: the values cannot be written as YAML")
	}
	return content, nil
}

// style is how a file is indented, in spaces.
type style struct {
	step int // of a mapping inside a mapping
	dash int // of a list inside a mapping
}

func houseStyle() style { return style{step: 2, dash: 2} }

// block writes a collection that is not empty, a line for each member, the first
// indented like the others and no line end after the last.
func (s style) block(value any, indent int) string {
	var lines []string
	margin := strings.Repeat(" ", indent)
	switch value := value.(type) {
	case map[string]any:
		for _, name := range slices.SortedFunc(maps.Keys(value), byRank) {
			lines = append(lines, margin+s.member(name, value[name], indent))
		}
	case []any:
		for _, item := range value {
			lines = append(lines, margin+s.item(item, indent))
		}
	}
	return strings.Join(lines, "\n")
}

// member writes name: value for a mapping with that indentation.
func (s style) member(name string, value any, indent int) string {
	key := plainOrQuoted(name, true)
	return key + ":" + s.after(value, indent, indent+len(key)+1)
}

// after writes what follows the colon of a key; column is where it begins.
func (s style) after(value any, indent, column int) string {
	if inline, fits := inlineText(value, column); fits {
		return " " + inline
	}
	switch value := value.(type) {
	case string:
		return " " + literal(value, indent+s.step)
	case []any:
		return "\n" + s.block(value, indent+s.dash)
	default:
		return "\n" + s.block(value, indent+s.step)
	}
}

// item writes - value for a list with that indentation.
func (s style) item(value any, indent int) string {
	if inline, fits := inlineText(value, indent+1); fits {
		return "- " + inline
	}
	if text, isText := value.(string); isText {
		return "- " + literal(text, indent+s.step)
	}
	return "- " + strings.TrimLeft(s.block(value, indent+len("- ")), " ")
}

// inlineText writes a scalar, an empty collection, or a small one of scalars.
func inlineText(value any, column int) (text string, fits bool) {
	switch value := value.(type) {
	case string:
		if isLiteral(value) {
			return "", false
		}
		return plainOrQuoted(value, false), true
	case map[string]any:
		for _, member := range value {
			if !isInlineMember(member) {
				return "", false
			}
		}
	case []any:
		for _, item := range value {
			if !isInlineMember(item) {
				return "", false
			}
		}
	default:
		return scalarText(value, false), true
	}
	text = flow(value)
	return text, text == "{}" || text == "[]" || column+1+len(text) <= lineWidth
}

func isInlineMember(value any) bool {
	switch value := value.(type) {
	case map[string]any, []any:
		return false
	case string:
		return !strings.Contains(value, "\n")
	default:
		return true
	}
}

// flow writes any value in brackets.
func flow(value any) string {
	var parts []string
	switch value := value.(type) {
	case map[string]any:
		for _, name := range slices.SortedFunc(maps.Keys(value), byRank) {
			parts = append(parts, plainOrQuoted(name, true)+": "+flow(value[name]))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case []any:
		for _, item := range value {
			parts = append(parts, flow(item))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	default:
		return scalarText(value, true)
	}
}

func scalarText(value any, inFlow bool) string {
	switch value := value.(type) {
	case nil:
		return "null"
	case bool:
		if value {
			return "true"
		}
		return "false"
	case json.Number:
		return value.String()
	case string:
		return plainOrQuoted(value, inFlow)
	default:
		return fmt.Sprint(value)
	}
}

var (
	// plainText is what needs no quotes as far as its characters go. It is
	// narrower than YAML: what other readers take for something else is quoted.
	plainText   = regexp.MustCompile(`^[\pL_/.$(<][\pL\pN _/.$()<>+=,;!?*&%'"\[\]{}@~|#:-]*$|^[0-9]+[\pL_/][\pL\pN_/.-]*$`)
	oldBooleans = regexp.MustCompile(`^(?i:y|n|yes|no|on|off|true|false|null)$`)
)

// plainOrQuoted writes a text without quotes where every reader of YAML, the
// older versions included, takes it for that text.
func plainOrQuoted(text string, inFlow bool) string {
	switch {
	case !plainText.MatchString(text), oldBooleans.MatchString(text),
		strings.HasSuffix(text, " "), strings.HasSuffix(text, ":"),
		strings.Contains(text, ": "), strings.Contains(text, " #"),
		text == "<<", strings.HasPrefix(text, "..."),
		inFlow && strings.ContainsAny(text, ",[]{}:?"):
		return doubleQuoted(text)
	}
	// What looks like a number or a date is left to the reader's own judgement.
	var node yaml.Node
	node.Kind, node.Value = yaml.ScalarNode, text
	if node.ShortTag() != "!!str" {
		return doubleQuoted(text)
	}
	return text
}

// doubleQuoted escapes what YAML does not take as it is.
func doubleQuoted(text string) string {
	var quoted strings.Builder
	quoted.WriteByte('"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			quoted.WriteString(`\` + string(r))
		case r == '\n':
			quoted.WriteString(`\n`)
		case r == '\t':
			quoted.WriteString(`\t`)
		case r > 0xffff && !unicode.IsPrint(r):
			fmt.Fprintf(&quoted, `\U%08X`, r)
		case r != ' ' && !unicode.IsPrint(r):
			fmt.Fprintf(&quoted, `\u%04X`, r)
		default:
			quoted.WriteRune(r)
		}
	}
	quoted.WriteByte('"')
	return quoted.String()
}

// singleQuoted is possible for a text on one line without control characters.
func singleQuoted(text string) (quoted string, possible bool) {
	for _, r := range text {
		if r != ' ' && !unicode.IsPrint(r) {
			return "", false
		}
	}
	return "'" + strings.ReplaceAll(text, "'", "''") + "'", true
}

// isLiteral reports whether a text reads best as a | block and survives it.
func isLiteral(text string) bool {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if len(lines) < 2 || strings.HasPrefix(text, "\n") || strings.HasPrefix(text, " ") || strings.HasSuffix(text, "\n\n") {
		return false
	}
	for _, line := range lines {
		if strings.TrimRight(line, " ") != line {
			return false
		}
		if _, printable := singleQuoted(line); !printable {
			return false
		}
	}
	return true
}

// literal writes the text as a | block.
func literal(text string, indent int) string {
	header := "|"
	if !strings.HasSuffix(text, "\n") {
		header = "|-"
	}
	var block strings.Builder
	block.WriteString(header)
	for line := range strings.SplitSeq(strings.TrimSuffix(text, "\n"), "\n") {
		block.WriteByte('\n')
		if line != "" {
			block.WriteString(strings.Repeat(" ", indent) + line)
		}
	}
	return block.String()
}
