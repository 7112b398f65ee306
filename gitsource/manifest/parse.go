package manifest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"github.com/deskhand/deskhand"
)

const (
	// maxDepth keeps a definition well inside what JSON decoders accept.
	maxDepth = 100
	// maxExpansion bounds, in bytes, what the aliases of one file may add to it.
	maxExpansion = 4 << 20
	// expansionOfNode is what a value costs beside its text.
	expansionOfNode = 64
	// maxFindings keeps a file that is wrong throughout from flooding a report.
	maxFindings = 100
)

// parse reads the one YAML document of a file. A nil value comes with at least
// one finding.
func parse(file string, content []byte) (*value, []deskhand.Finding) {
	p := &parser{file: file, open: map[*yaml.Node]bool{}}
	root := p.document(content)
	if root == nil {
		return nil, p.findings
	}
	parsed := p.value(root, p.place(root), 0)
	if len(p.findings) > 0 {
		return nil, p.findings
	}
	return parsed, nil
}

// parser turns the nodes of one file into values.
type parser struct {
	file     string
	findings []deskhand.Finding
	open     map[*yaml.Node]bool // the anchors whose aliases are being expanded
	// outermost is the place of the first of the aliases being expanded.
	outermost deskhand.Position
	expanded  int // bytes that aliases added
	overfull  bool
}

func (p *parser) report(rule string, at deskhand.Position, message, hint string) {
	if len(p.findings) < maxFindings {
		p.findings = append(p.findings, finding(rule, at, message, hint))
	}
}

func (p *parser) place(node *yaml.Node) deskhand.Position {
	return deskhand.Position{File: p.file, Line: node.Line, Column: node.Column}
}

// document returns the root of the file's only document, a mapping.
func (p *parser) document(content []byte) *yaml.Node {
	if !utf8.Valid(content) {
		p.report("file/encoding", invalidPlace(p.file, content), "this is not UTF-8", "save the file as UTF-8")
		return nil
	}
	documents, err := decodeNodes(content)
	if err != nil {
		p.findings = append(p.findings, syntaxFinding(p.file, content, err))
		return nil
	}
	if len(documents) == 0 {
		p.reportEmpty(deskhand.Position{File: p.file})
		return nil
	}
	root := documents[0].Content[0]
	if len(documents) > 1 {
		p.report("yaml/documents", p.place(documents[1]), "a second document begins here",
			"write one definition a file, without --- between")
		return nil
	}
	if root.Kind == yaml.ScalarNode && root.Tag == "!!null" {
		p.reportEmpty(p.place(root))
		return nil
	}
	if root.Kind != yaml.MappingNode {
		p.report("yaml/type", p.place(root), "the file holds "+describe(root)+" where a mapping is wanted",
			"write keys and values, such as configId: dsk-voice-emea")
		return nil
	}
	return root
}

func (p *parser) reportEmpty(at deskhand.Position) {
	p.report("yaml/empty", at, "the file holds nothing",
		"write a definition, or {} where nothing is meant, or delete the file")
}

// decodeNodes returns at most two documents: one more than is allowed.
func decodeNodes(content []byte) (documents []*yaml.Node, err error) {
	defer func() {
		// The YAML library panics on a few malformed inputs that its scanner lets through.
		if trouble := recover(); trouble != nil {
			documents, err = nil, fmt.Errorf("yaml: %v", trouble)
		}
	}()
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	for len(documents) < 2 {
		var node yaml.Node
		err := decoder.Decode(&node)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		documents = append(documents, &node)
	}
	return documents, nil
}

// value converts a node; at is the place that introduces it. It returns nil
// where it reported a finding.
func (p *parser) value(node *yaml.Node, at deskhand.Position, depth int) *value {
	if depth > maxDepth {
		p.report("yaml/depth", p.place(node), fmt.Sprintf("values are nested more than %d levels deep", maxDepth),
			"make the definition flatter")
		return nil
	}
	if len(p.open) > 0 {
		p.expanded += expansionOfNode + len(node.Value)
	}
	if p.expanded > maxExpansion {
		if !p.overfull {
			p.overfull = true
			p.report("yaml/alias", p.outermost, "aliases (*name) make the file grow beyond all measure",
				"write the values out, or share them through extends")
		}
		return nil
	}
	switch node.Kind {
	case yaml.AliasNode:
		return p.alias(node, at, depth)
	case yaml.MappingNode:
		return p.mapping(node, at, depth)
	case yaml.SequenceNode:
		return p.sequence(node, at, depth)
	default:
		return p.scalar(node)
	}
}

// alias expands *name. A scalar's place is the alias, for that is what sets it
// here; what is inside an object or a list keeps the place where it is written.
func (p *parser) alias(node *yaml.Node, at deskhand.Position, depth int) *value {
	if p.open[node.Alias] {
		p.report("yaml/alias", p.place(node), fmt.Sprintf("the alias *%s is inside of what it stands for", node.Value),
			"write the values out")
		return nil
	}
	if len(p.open) == 0 {
		p.outermost = p.place(node)
	}
	p.open[node.Alias] = true
	defer delete(p.open, node.Alias)
	expanded := p.value(node.Alias, at, depth)
	if expanded != nil && expanded.kind == scalarKind {
		return &value{scalar: expanded.scalar, at: p.place(node)}
	}
	return expanded
}

func (p *parser) sequence(node *yaml.Node, at deskhand.Position, depth int) *value {
	if !p.knownTag(node, "!!seq") {
		return nil
	}
	list := &value{kind: listKind, at: at, items: make([]*value, 0, len(node.Content))}
	for _, child := range node.Content {
		if item := p.value(child, p.place(child), depth+1); item != nil {
			list.items = append(list.items, item)
		}
	}
	return list
}

func (p *parser) mapping(node *yaml.Node, at deskhand.Position, depth int) *value {
	if !p.knownTag(node, "!!map") {
		return nil
	}
	object := &value{kind: objectKind, at: at, fields: make(map[string]*value, len(node.Content)/2)}
	lines := make(map[string]int, len(node.Content)/2)
	var merged *yaml.Node
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, child := node.Content[i], node.Content[i+1]
		name, isName := p.key(key)
		if !isName {
			continue
		}
		if line, known := lines[name]; known {
			p.report("yaml/duplicate-key", p.place(key), fmt.Sprintf("the key %q is already given in line %d", name, line),
				"keep one of the two")
			continue
		}
		lines[name] = key.Line
		if key.Tag == "!!merge" {
			merged = child
			continue
		}
		introduced := p.place(key)
		if child.Kind == yaml.ScalarNode {
			introduced = p.place(child)
		}
		if member := p.value(child, introduced, depth+1); member != nil {
			object.fields[name] = member
		}
	}
	if merged != nil {
		p.merge(object, merged, depth)
	}
	return object
}

// key is the name that a key gives.
func (p *parser) key(node *yaml.Node) (name string, ok bool) {
	target := node
	if node.Kind == yaml.AliasNode {
		target = node.Alias
	}
	if target.Kind == yaml.ScalarNode {
		switch target.Tag {
		case "!!str", "!!merge", "!!timestamp", "!!binary":
			return target.Value, true
		}
	}
	p.report("yaml/type", p.place(node), "a key must be text, and this is "+describe(target), "put the key in quotes")
	return "", false
}

// merge adds what << names: members that the mapping does not give itself, the
// first of several mappings before the later ones.
func (p *parser) merge(object *value, node *yaml.Node, depth int) {
	source := p.value(node, p.place(node), depth+1)
	if source == nil {
		return
	}
	sources := []*value{source}
	if source.kind == listKind {
		sources = source.items
	}
	for _, source := range sources {
		if source.kind != objectKind {
			p.report("yaml/type", p.place(node), "<< takes a mapping or a list of mappings", "write <<: *name, where &name marks a mapping")
			return
		}
		for name, member := range source.fields {
			if _, given := object.fields[name]; !given {
				object.fields[name] = member
			}
		}
	}
}

func (p *parser) scalar(node *yaml.Node) *value {
	read := &value{at: p.place(node)}
	switch node.Tag {
	case "!!str", "!!timestamp", "!!binary", "!!merge":
		read.scalar = node.Value
	case "!!null":
		read.scalar = nil
	case "!!bool":
		var truth bool
		if err := node.Decode(&truth); err != nil {
			p.report("yaml/type", read.at, fmt.Sprintf("%q is neither true nor false", node.Value), "write true or false")
			return nil
		}
		read.scalar = truth
	case "!!int", "!!float":
		number, err := decodeNumber(node)
		if err != nil {
			p.report("yaml/type", read.at, fmt.Sprintf("%q is %s", node.Value, err), "write a finite number, or text in quotes")
			return nil
		}
		read.scalar = number
	default:
		p.report("yaml/type", read.at, fmt.Sprintf("the tag %s means nothing here", node.Tag), "remove the tag")
		return nil
	}
	return read
}

// knownTag reports a collection with a tag of its own, such as !!set.
func (p *parser) knownTag(node *yaml.Node, want string) bool {
	if node.Tag == want {
		return true
	}
	p.report("yaml/type", p.place(node), fmt.Sprintf("the tag %s means nothing here", node.Tag), "remove the tag")
	return false
}

// decodeNumber keeps every digit of a number that JSON would write the same;
// the other notations of YAML (0o14, 0x1f, 1_000, .5) become decimal.
func decodeNumber(node *yaml.Node) (json.Number, error) {
	if isJSONNumber(node.Value) {
		return json.Number(node.Value), nil
	}
	var number any
	if err := node.Decode(&number); err != nil {
		return "", errors.New("not a number")
	}
	switch number := number.(type) {
	case int, int64, uint64:
		return json.Number(fmt.Sprint(number)), nil
	case float64:
		if math.IsNaN(number) || math.IsInf(number, 0) {
			return "", errors.New("no number that JSON can hold")
		}
		text, err := json.Marshal(number)
		return json.Number(text), err
	default:
		return "", errors.New("not a number")
	}
}

func isJSONNumber(text string) bool {
	return text != "" && (text[0] == '-' || text[0] >= '0' && text[0] <= '9') && json.Valid([]byte(text))
}

// describe names the kind of a node for a person.
func describe(node *yaml.Node) string {
	switch node.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	switch node.Tag {
	case "!!int", "!!float":
		return "the number " + node.Value
	case "!!bool":
		return "the truth value " + node.Value
	case "!!null":
		return "nothing"
	default:
		return "text"
	}
}
