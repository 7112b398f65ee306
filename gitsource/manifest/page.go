package manifest

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// page is the text of a file beside its nodes. The YAML library tells where a
// node begins; where it ends is found here.
type page struct {
	content []byte
	lines   []int // the offset at which each line begins
	root    *yaml.Node
	newline string
	style   style
}

const byteOrderMark = "\ufeff"

func newPage(content []byte) (*page, error) {
	documents, err := decodeNodes(content)
	if err != nil {
		return nil, err
	}
	p := &page{content: content, root: documents[0].Content[0], newline: "\n", style: houseStyle()}
	start := 0
	if bytes.HasPrefix(content, []byte(byteOrderMark)) {
		start = len(byteOrderMark)
	}
	p.lines = []int{start}
	for at := start; at < len(content); {
		width := breakWidth(content[at:])
		if width > 0 {
			p.lines = append(p.lines, at+width)
		}
		at += max(width, 1)
	}
	if bytes.Contains(content, []byte("\r\n")) {
		p.newline = "\r\n"
	}
	p.learnStyle(p.root, new(bool), new(bool))
	return p, nil
}

// breakWidth is the length of the line break that the text begins with, 0 for
// none. YAML 1.1 and with it the library count more breaks than \n and \r.
func breakWidth(text []byte) int {
	for _, lineBreak := range [...]string{"\r\n", "\n", "\r", "\u0085", "\u2028", "\u2029"} {
		if bytes.HasPrefix(text, []byte(lineBreak)) {
			return len(lineBreak)
		}
	}
	return 0
}

// learnStyle takes the indentation of the first nested mapping and of the first
// nested list for that of the file.
func (p *page) learnStyle(node *yaml.Node, knowStep, knowDash *bool) {
	if node.Kind != yaml.MappingNode || node.Style&yaml.FlowStyle != 0 {
		return
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		indent := value.Column - key.Column
		if value.Style&yaml.FlowStyle != 0 || value.Line == key.Line || value.Anchor != "" {
			continue
		}
		switch {
		case value.Kind == yaml.MappingNode && !*knowStep && indent > 0:
			p.style.step, *knowStep = indent, true
		case value.Kind == yaml.SequenceNode && !*knowDash && indent >= 0:
			p.style.dash, *knowDash = indent, true
		}
		p.learnStyle(value, knowStep, knowDash)
	}
}

// start is the offset of the node, its anchor and tag included.
func (p *page) start(node *yaml.Node) int {
	at := p.lines[min(node.Line, len(p.lines))-1]
	for range node.Column - 1 {
		_, size := utf8.DecodeRune(p.content[at:])
		at += size
	}
	return at
}

// text is the offset behind the node's anchor and tag.
func (p *page) text(node *yaml.Node) int {
	at := p.start(node)
	for at < len(p.content) && (p.content[at] == '&' || p.content[at] == '!') && node.Kind != yaml.AliasNode {
		for at < len(p.content) && !isBlank(p.content[at]) {
			at++
		}
		at = p.skipBlank(at)
	}
	return at
}

// end is the offset behind the node.
func (p *page) end(node *yaml.Node) (int, error) {
	isFlow := node.Style&yaml.FlowStyle != 0
	switch {
	case node.Kind == yaml.AliasNode:
		return p.start(node) + len("*") + len(node.Value), nil
	case node.Kind == yaml.ScalarNode:
		return p.scalarEnd(node)
	case !isFlow:
		return p.end(node.Content[len(node.Content)-1])
	}
	at := p.text(node) + 1
	if len(node.Content) > 0 {
		var err error
		if at, err = p.end(node.Content[len(node.Content)-1]); err != nil {
			return 0, err
		}
	}
	for at < len(p.content) && p.content[at] != ']' && p.content[at] != '}' {
		if next := p.skipBlank(at); next > at {
			at = next
			continue
		}
		at++ // a comma, or the colon of a key without a value
	}
	return min(at+1, len(p.content)), nil
}

func (p *page) scalarEnd(node *yaml.Node) (int, error) {
	at := p.text(node)
	switch {
	case node.Style&yaml.DoubleQuotedStyle != 0:
		for at++; at < len(p.content) && p.content[at] != '"'; at++ {
			if p.content[at] == '\\' {
				at++
			}
		}
		return min(at+1, len(p.content)), nil
	case node.Style&yaml.SingleQuotedStyle != 0:
		for at++; at < len(p.content); at++ {
			if p.content[at] != '\'' {
				continue
			}
			if at+1 == len(p.content) || p.content[at+1] != '\'' {
				break
			}
			at++
		}
		return min(at+1, len(p.content)), nil
	case node.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		return p.blockScalarEnd(at, node.Value), nil
	case node.Value == "":
		return p.start(node), nil
	}
	// The words of a plain scalar stand in the text as they are; only the space
	// between them is folded.
	for word := range strings.FieldsSeq(node.Value) {
		for at < len(p.content) {
			r, size := utf8.DecodeRune(p.content[at:])
			if !unicode.IsSpace(r) {
				break
			}
			at += size
		}
		if !bytes.HasPrefix(p.content[at:], []byte(word)) {
			return 0, fmt.Errorf("line %d: the end of the value cannot be told: %w", node.Line, ErrNotEditable)
		}
		at += len(word)
	}
	return at, nil
}

// blockScalarEnd is the end of the last line of a | or > block that has text.
func (p *page) blockScalarEnd(header int, value string) int {
	end := p.lineEnd(header)
	if strings.Trim(value, "\n") == "" {
		return end
	}
	indent := -1
	for at := p.nextLine(end); at < len(p.content); at = p.nextLine(at) {
		width := p.indentation(at)
		if at+width == p.lineEnd(at) {
			continue // an empty line
		}
		if indent < 0 {
			indent = width
		}
		if width < indent {
			break
		}
		end = p.lineEnd(at)
	}
	return end
}

// indentation is the number of spaces from at on.
func (p *page) indentation(at int) int {
	return len(p.content[at:]) - len(bytes.TrimLeft(p.content[at:], " "))
}

// lineStart is the offset at which the line of at begins.
func (p *page) lineStart(at int) int {
	for i := len(p.lines) - 1; i > 0; i-- {
		if p.lines[i] <= at {
			return p.lines[i]
		}
	}
	return p.lines[0]
}

// lineEnd is the offset of the line's break, or the end of the text.
func (p *page) lineEnd(at int) int {
	for at < len(p.content) && breakWidth(p.content[at:]) == 0 {
		at++
	}
	return at
}

// nextLine is the offset behind the line's break, or the end of the text.
func (p *page) nextLine(at int) int {
	at = p.lineEnd(at)
	return at + breakWidth(p.content[at:])
}

// startsLine reports whether nothing but spaces stands before at in its line.
func (p *page) startsLine(at int) bool {
	start := p.lineStart(at)
	return start+p.indentation(start) >= at
}

// skipBlank skips white space, line breaks and comments.
func (p *page) skipBlank(at int) int {
	for at < len(p.content) {
		switch {
		case isBlank(p.content[at]):
			at++
		case p.content[at] == '#' && (at == 0 || isBlank(p.content[at-1])):
			at = p.lineEnd(at)
		default:
			return at
		}
	}
	return at
}

func isBlank(b byte) bool { return b == ' ' || b == '\t' || b == '\n' || b == '\r' }
