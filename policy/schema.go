package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v5"

	"github.com/deskhand/deskhand"
)

// shape is a JSON Schema that tells people what is wrong with a value.
type shape struct {
	compiled *jsonschema.Schema
	members  *memberShapes // nil where members hang together
	document any           // the schema itself, for its enums, limits and titles
}

// newShape compiles the schema; fragment names the part that judges, "" the
// root.
func newShape(text []byte, fragment string) (*shape, error) {
	const resource = "schema.json"
	compiler := jsonschema.NewCompiler()
	compiler.LoadURL = nil // a schema is whole; nothing is fetched
	if err := compiler.AddResource(resource, bytes.NewReader(text)); err != nil {
		return nil, fmt.Errorf("read schema: %w", err)
	}
	compiled, err := compiler.Compile(resource + "#" + fragment)
	if err != nil {
		return nil, fmt.Errorf("compile schema: %w", err)
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var document any
	if err := decoder.Decode(&document); err != nil {
		return nil, fmt.Errorf("read schema: %w", err)
	}
	members, err := newMemberShapes(document, decodePath(fragment), func(path []string) (*jsonschema.Schema, error) {
		return compiler.Compile(resource + "#" + string(encodePath(path)))
	})
	if err != nil {
		return nil, fmt.Errorf("compile schema: %w", err)
	}
	return &shape{compiled: compiled, members: members, document: document}, nil
}

// checkDocument is check of a document's fields. A document is mostly as it has
// to be, which takes no decoding to see.
func (s *shape) checkDocument(document deskhand.Document, seen *memo) []fault {
	if s.members.accepts(document, seen) {
		return nil
	}
	return s.check(document.Fields())
}

// check returns every place where value, decoded with json.Number, is not as the
// schema has it; each once.
func (s *shape) check(value any) []fault {
	err := s.compiled.Validate(value)
	if err == nil {
		return nil
	}
	var invalid *jsonschema.ValidationError
	if !errors.As(err, &invalid) {
		return []fault{{message: "cannot be judged by its schema: " + err.Error()}}
	}
	var faults []fault
	for _, leaf := range leaves(invalid) {
		for _, found := range s.explain(leaf, value) {
			if !slices.Contains(faults, found) {
				faults = append(faults, found)
			}
		}
	}
	return faults
}

// leaves are the errors that have no cause of their own. The branches of an
// anyOf contradict each other, so it is told as one error.
func leaves(invalid *jsonschema.ValidationError) []*jsonschema.ValidationError {
	if len(invalid.Causes) == 0 || strings.HasSuffix(invalid.KeywordLocation, "/anyOf") {
		return []*jsonschema.ValidationError{invalid}
	}
	var all []*jsonschema.ValidationError
	for _, cause := range invalid.Causes {
		all = append(all, leaves(cause)...)
	}
	return all
}

// explain puts one of the library's errors into words.
func (s *shape) explain(leaf *jsonschema.ValidationError, root any) []fault {
	_, fragment, _ := strings.Cut(leaf.AbsoluteKeywordLocation, "#")
	keywordPath := decodePath(fragment)
	at := encodePath(decodePath(leaf.InstanceLocation))
	if len(keywordPath) == 0 {
		return []fault{{at: at, message: leaf.Message}}
	}
	keyword := keywordPath[len(keywordPath)-1]
	limit := lookUp(s.document, keywordPath)
	around, _ := lookUp(s.document, keywordPath[:len(keywordPath)-1]).(map[string]any)
	if slices.Contains(keywordPath, "propertyNames") {
		return []fault{explainName(at, keyword, around)}
	}
	value := lookUp(root, at.Tokens())
	words := words{at: at, name: nameOf(at), value: value, around: around}
	switch keyword {
	case "required":
		return words.missing(limit)
	case "additionalProperties":
		return words.unknown()
	case "type":
		return []fault{words.wrongType(limit)}
	case "enum":
		return []fault{words.notListed(limit)}
	case "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum":
		return []fault{words.outOfRange()}
	case "minLength", "minItems", "minProperties":
		return []fault{words.fault("%s is empty", words.name)}
	case "maxLength":
		return []fault{words.fault("%s is longer than %v characters", words.name, limit)}
	case "pattern":
		return []fault{words.fault("%s is %s, which is not of the right form", words.name, quote(value))}
	case "uniqueItems":
		return []fault{words.fault("%s has an entry twice", words.name)}
	case "anyOf":
		return []fault{words.fault("%s is not of the right form", words.name)}
	}
	return []fault{words.fault("%s: %s", words.name, leaf.Message)}
}

// explainName is about a key rather than about a value.
func explainName(at deskhand.Pointer, keyword string, around map[string]any) fault {
	tokens := at.Tokens()
	key := tokens[len(tokens)-1]
	if keyword == "not" {
		return fault{
			at:      at,
			message: fmt.Sprintf("%s can't hold %q", nameOf(at.Parent()), key),
			hint:    fmt.Sprintf("write %s at the top level of the definition, where it is checked", key),
		}
	}
	return fault{
		at:      at,
		message: fmt.Sprintf("the name %q is not of the right form", key),
		hint:    fmt.Sprintf("it has to match %v", around["pattern"]),
	}
}

// words are what the messages about one value are made of.
type words struct {
	at     deskhand.Pointer
	name   string
	value  any
	around map[string]any // the schema of the value
}

func (w words) fault(format string, values ...any) fault {
	return fault{at: w.at, message: fmt.Sprintf(format, values...), hint: w.example()}
}

// example tells what the schema says of the value.
func (w words) example() string {
	description, _ := w.around["description"].(string)
	examples, _ := w.around["examples"].([]any)
	if len(examples) == 0 {
		return description
	}
	return strings.TrimSpace(description + " For example: " + plain(examples[0]) + ".")
}

func (w words) missing(limit any) []fault {
	required, _ := limit.([]any)
	fields, _ := w.value.(map[string]any)
	var faults []fault
	for _, key := range required {
		key, _ := key.(string)
		if _, present := fields[key]; present {
			continue
		}
		hint := fmt.Sprintf("add %s to %s", key, w.name)
		if w.at == "" || strings.Count(string(w.at), "/") == 1 {
			hint += ", here, in _tier.yaml, or in a file that it extends"
		}
		faults = append(faults, fault{at: w.at, message: fmt.Sprintf("%s has no %s", w.name, key), hint: hint})
	}
	return faults
}

func (w words) unknown() []fault {
	fields, _ := w.value.(map[string]any)
	properties, _ := w.around["properties"].(map[string]any)
	known := sortedKeys(properties)
	var faults []fault
	for _, key := range sortedKeys(fields) {
		if _, isKnown := properties[key]; isKnown {
			continue
		}
		hint := "known keys: " + strings.Join(known, ", ")
		if near, found := nearest(key, known); found {
			hint = fmt.Sprintf("did you mean %q?", near)
		}
		faults = append(faults, fault{at: w.at.Child(key), message: fmt.Sprintf("unknown key %q", key), hint: hint})
	}
	return faults
}

func (w words) wrongType(limit any) fault {
	wanted, _ := limit.(string)
	found := fault{
		at:      w.at,
		message: fmt.Sprintf("%s must be %s, is %s", w.name, typeName(wanted), typeName(typeOf(w.value))),
		hint:    w.example(),
	}
	text, isText := w.value.(string)
	number, isNumber := w.value.(json.Number)
	switch {
	case wanted == "string" && isNumber:
		found.hint = fmt.Sprintf("put it in quotes: %q", number)
	case (wanted == "integer" || wanted == "number") && isText:
		if _, err := strconv.ParseFloat(text, 64); err == nil {
			found.hint = "write it without quotes: " + text
		}
	case wanted == "boolean" && isText:
		found.hint = "write true or false, without quotes"
	case wanted == "array" && w.value != nil:
		found.hint = "write a list: [a, b], or one entry a line, each behind a hyphen"
	}
	return found
}

func (w words) notListed(limit any) fault {
	values, _ := limit.([]any)
	var allowed []string
	for _, value := range values {
		allowed = append(allowed, plain(value))
	}
	found := w.fault("%s is %s, must be one of %s", w.name, quote(w.value), strings.Join(allowed, ", "))
	if text, isText := w.value.(string); isText {
		if near, isNear := nearest(text, allowed); isNear {
			found.hint = fmt.Sprintf("did you mean %q?", near)
		}
	}
	return found
}

func (w words) outOfRange() fault {
	var limits []string
	for _, limit := range []struct{ keyword, words string }{
		{"minimum", "at least"}, {"exclusiveMinimum", "more than"}, {"maximum", "at most"}, {"exclusiveMaximum", "less than"},
	} {
		if value, set := w.around[limit.keyword]; set {
			limits = append(limits, fmt.Sprintf("%s %v", limit.words, value))
		}
	}
	return w.fault("%s is %s, must be %s", w.name, plain(w.value), strings.Join(limits, " and "))
}

// typeName is what people call a JSON type.
func typeName(jsonType string) string {
	switch jsonType {
	case "object":
		return "a map of keys"
	case "array":
		return "a list"
	case "string":
		return "text"
	case "integer":
		return "a whole number"
	case "number":
		return "a number"
	case "boolean":
		return "true or false"
	}
	return "empty"
}

// typeOf is the JSON type of a decoded value.
func typeOf(value any) string {
	switch value.(type) {
	case map[string]any:
		return "object"
	case []any:
		return "array"
	case string:
		return "string"
	case bool:
		return "boolean"
	case nil:
		return "null"
	}
	return "number"
}

// nameOf is how a message calls the value at a pointer: layout.widgetOrder[2].
func nameOf(at deskhand.Pointer) string {
	var name strings.Builder
	for i, token := range at.Tokens() {
		if _, err := strconv.Atoi(token); err == nil && i > 0 {
			name.WriteString("[" + token + "]")
			continue
		}
		if i > 0 {
			name.WriteByte('.')
		}
		name.WriteString(token)
	}
	if name.Len() == 0 {
		return "the file"
	}
	return name.String()
}

// decodePath and encodePath turn the library's pointers, which are escaped twice
// (RFC 6901 and RFC 3986), into tokens and those into plain pointers.
func decodePath(escaped string) []string {
	tokens := deskhand.Pointer(escaped).Tokens()
	for i, token := range tokens {
		if plain, err := url.PathUnescape(token); err == nil {
			tokens[i] = plain
		}
	}
	return tokens
}

func encodePath(tokens []string) deskhand.Pointer {
	var at deskhand.Pointer
	for _, token := range tokens {
		at = at.Child(token)
	}
	return at
}

// lookUp is the value at a path of decoded JSON, nil where there is none.
func lookUp(value any, path []string) any {
	for _, token := range path {
		switch holder := value.(type) {
		case map[string]any:
			value = holder[token]
		case []any:
			i, err := strconv.Atoi(token)
			if err != nil || i < 0 || i >= len(holder) {
				return nil
			}
			value = holder[i]
		default:
			return nil
		}
	}
	return value
}
