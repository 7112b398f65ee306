package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"strconv"

	"gopkg.in/yaml.v3"

	"github.com/deskhand/deskhand"
)

// The bounds of a policy.yaml.
const (
	maxPolicySize  = 1 << 20 // bytes
	maxPolicyNodes = 100_000 // values, aliases expanded
	maxPolicyDepth = 64
)

// yamlError is what is wrong with a YAML file, and where.
type yamlError struct {
	line, column  int
	message, hint string
}

func (e *yamlError) Error() string { return e.message }

var yamlErrorLine = regexp.MustCompile(`^yaml: line (\d+): `)

// parseYAML reads one YAML mapping as JSON values, numbers as json.Number, with
// the place of each: of the value, or for maps and lists of the key before it.
func parseYAML(file string, text []byte) (map[string]any, deskhand.Origins, *yamlError) {
	if len(text) > maxPolicySize {
		return nil, nil, &yamlError{message: fmt.Sprintf("the file is larger than %d bytes", maxPolicySize), hint: "split or shorten it"}
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var document, second yaml.Node
	if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
		return map[string]any{}, nil, nil
	} else if err != nil {
		return nil, nil, syntaxError(err)
	}
	if err := decoder.Decode(&second); !errors.Is(err, io.EOF) {
		return nil, nil, &yamlError{line: second.Line, column: second.Column, message: "the file holds more than one document", hint: "remove what follows the second ---"}
	}
	reader := yamlReader{file: file}
	value, failure := reader.read(document.Content[0], "", document.Content[0])
	if failure != nil {
		return nil, nil, failure
	}
	if value == nil { // only comments
		return map[string]any{}, nil, nil
	}
	fields, isMap := value.(map[string]any)
	if !isMap {
		return nil, nil, reader.fail(document.Content[0], "the file is no map of keys", "begin with a key such as threshold:")
	}
	return fields, deskhand.NewOrigins(reader.origins), nil
}

func syntaxError(err error) *yamlError {
	message, line := err.Error(), 0
	if found := yamlErrorLine.FindStringSubmatch(message); found != nil {
		line, _ = strconv.Atoi(found[1])
		message = message[len(found[0]):]
	}
	return &yamlError{line: line, column: 1, message: "this is not YAML: " + message, hint: "check the indentation and the quotes of this line and the one above it"}
}

type yamlReader struct {
	file    string
	origins []deskhand.Origin
	nodes   int
	depth   int
}

func (r *yamlReader) fail(node *yaml.Node, message, hint string) *yamlError {
	return &yamlError{line: node.Line, column: node.Column, message: message, hint: hint}
}

// read converts node; introducer is the key or entry that stands for it.
func (r *yamlReader) read(node *yaml.Node, at deskhand.Pointer, introducer *yaml.Node) (any, *yamlError) {
	r.nodes++
	r.depth++
	defer func() { r.depth-- }()
	if r.nodes > maxPolicyNodes || r.depth > maxPolicyDepth {
		return nil, r.fail(introducer, "the file holds too many or too deeply nested values", "use fewer aliases")
	}
	if node.Kind == yaml.AliasNode {
		return r.read(node.Alias, at, introducer)
	}
	place := introducer
	if node.Kind == yaml.ScalarNode {
		place = node
	}
	r.origins = append(r.origins, deskhand.Origin{
		Path: at, Position: deskhand.Position{File: r.file, Line: place.Line, Column: place.Column},
	})
	switch node.Kind {
	case yaml.MappingNode:
		return r.readMap(node, at)
	case yaml.SequenceNode:
		list := make([]any, 0, len(node.Content))
		for i, entry := range node.Content {
			value, failure := r.read(entry, at.Index(i), entry)
			if failure != nil {
				return nil, failure
			}
			list = append(list, value)
		}
		return list, nil
	}
	return r.readScalar(node)
}

func (r *yamlReader) readMap(node *yaml.Node, at deskhand.Pointer) (any, *yamlError) {
	fields := make(map[string]any, len(node.Content)/2)
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, content := node.Content[i], node.Content[i+1]
		if key.Kind != yaml.ScalarNode || key.ShortTag() == "!!merge" {
			return nil, r.fail(key, "a key must be plain text", "write the keys out; << and maps as keys are not read here")
		}
		if _, twice := fields[key.Value]; twice {
			return nil, r.fail(key, fmt.Sprintf("the key %q is here twice", shorten(key.Value)), "keep one of them")
		}
		value, failure := r.read(content, at.Child(key.Value), key)
		if failure != nil {
			return nil, failure
		}
		fields[key.Value] = value
	}
	return fields, nil
}

func (r *yamlReader) readScalar(node *yaml.Node) (any, *yamlError) {
	switch node.ShortTag() {
	case "!!null":
		return nil, nil
	case "!!bool":
		var value bool
		if err := node.Decode(&value); err == nil {
			return value, nil
		}
	case "!!int":
		var value int64
		if err := node.Decode(&value); err == nil {
			return json.Number(strconv.FormatInt(value, 10)), nil
		}
	case "!!float":
		var value float64
		if err := node.Decode(&value); err == nil && !math.IsNaN(value) && !math.IsInf(value, 0) {
			return json.Number(strconv.FormatFloat(value, 'g', -1, 64)), nil
		}
	default: // dates, too, are text
		return node.Value, nil
	}
	return nil, r.fail(node, fmt.Sprintf("%q is no value that JSON has", shorten(node.Value)), "write a plain number, or put it in quotes")
}
