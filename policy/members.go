package policy

import (
	"fmt"
	"maps"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v5"

	"github.com/deskhand/deskhand"
)

// memberShapes judge an object member by member, where its schema says nothing
// of how the members go together. What one member is worth then can be kept
// for all objects that have it. They only tell right from wrong: the schema as a
// whole tells what is wrong.
type memberShapes struct {
	required map[string]bool
	schemas  map[string][]*jsonschema.Schema // by the member's name; all have to hold
}

// newMemberShapes takes the schema at the path apart. It returns nil where the
// schema has a keyword that ties members together, or one that is not known here.
func newMemberShapes(document any, path []string, compile func(path []string) (*jsonschema.Schema, error)) (*memberShapes, error) {
	shapes := &memberShapes{required: map[string]bool{}, schemas: map[string][]*jsonschema.Schema{}}
	apart := memberParts{document: document}
	if !apart.add(path) {
		return nil, nil
	}
	for _, at := range apart.properties {
		compiled, err := compile(at)
		if err != nil {
			return nil, err
		}
		name := at[len(at)-1]
		shapes.schemas[name] = append(shapes.schemas[name], compiled)
	}
	for _, name := range apart.required {
		shapes.required[name] = true
	}
	for _, known := range apart.closed {
		maps.DeleteFunc(shapes.schemas, func(name string, _ []*jsonschema.Schema) bool {
			_, isKnown := known[name]
			return !isKnown
		})
	}
	return shapes, nil
}

// memberParts are the parts of a schema that are about single members.
type memberParts struct {
	document   any
	properties [][]string       // paths of the schemas of members
	required   []string         // names
	closed     []map[string]any // properties beside which no other may be
}

// add takes the schema at the path, and reports whether all of it is about
// single members.
func (p *memberParts) add(path []string) bool {
	schema, isObject := lookUp(p.document, path).(map[string]any)
	if !isObject {
		return false
	}
	properties, _ := schema["properties"].(map[string]any)
	for _, keyword := range sortedKeys(schema) {
		ok := true
		switch value := schema[keyword]; keyword {
		case "title", "description", "examples", "default", "$comment":
		case "type":
			ok = value == "object"
		case "required":
			names, _ := value.([]any)
			for _, name := range names {
				p.required = append(p.required, fmt.Sprint(name))
			}
		case "properties":
			for _, name := range sortedKeys(properties) {
				p.properties = append(p.properties, child(path, keyword, name))
			}
		case "additionalProperties":
			ok = value == false
			p.closed = append(p.closed, properties)
		case "allOf":
			schemas, _ := value.([]any)
			for i := range schemas {
				ok = ok && p.add(child(path, keyword, fmt.Sprint(i)))
			}
		case "$ref":
			local, isLocal := strings.CutPrefix(fmt.Sprint(value), "#/")
			ok = isLocal && p.add(decodePath("/"+local))
		default:
			ok = false
		}
		if !ok {
			return false
		}
	}
	return true
}

func child(path []string, names ...string) []string {
	return append(path[:len(path):len(path)], names...)
}

// accepts reports whether the document surely is as the schema has it; false
// leaves the judgement to the schema as a whole.
func (m *memberShapes) accepts(document deskhand.Document, seen *memo) bool {
	if m == nil {
		return false
	}
	missing := len(m.required)
	for name, value := range document.Members() {
		if m.required[name] {
			missing--
		}
		if len(m.schemas[name]) == 0 || !recall(seen, askShape, name, value, m.acceptsMember) {
			return false
		}
	}
	return missing == 0
}

func (m *memberShapes) acceptsMember(name string, value deskhand.Value) bool {
	decoded := value.Decode()
	for _, schema := range m.schemas[name] {
		if schema.Validate(decoded) != nil {
			return false
		}
	}
	return true
}
