package manifest

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// spot is a value in the tree of nodes and what holds it.
type spot struct {
	parent *yaml.Node // nil for the root
	index  int        // of the value in parent.Content; past the end where it is to be inserted
	node   *yaml.Node // nil where it is to be inserted
	inFlow bool       // somewhere inside brackets
}

// key is the node before the value in a mapping.
func (s spot) key() *yaml.Node { return s.parent.Content[s.index-1] }

func (s spot) inMapping() bool { return s.parent != nil && s.parent.Kind == yaml.MappingNode }

// find walks to the value at the path. A last token that is missing is no error.
func (p *page) find(path []string) (spot, error) {
	at := spot{node: p.root}
	for i, token := range path {
		holder := at.node
		if holder.Kind == yaml.AliasNode {
			return spot{}, fmt.Errorf("line %d: the value stands behind the alias *%s: %w", holder.Line, holder.Value, ErrNotEditable)
		}
		at = spot{parent: holder, index: len(holder.Content), inFlow: at.inFlow || holder.Style&yaml.FlowStyle != 0}
		if holder.Kind == yaml.MappingNode {
			for j := 0; j+1 < len(holder.Content); j += 2 {
				if holder.Content[j].Value == token && holder.Content[j].Tag != "!!merge" {
					at.index = j + 1
				}
			}
		} else if index, err := strconv.Atoi(token); err == nil {
			at.index = min(index, len(holder.Content))
		}
		if at.index < len(holder.Content) {
			at.node = holder.Content[at.index]
		} else if i < len(path)-1 {
			return spot{}, fmt.Errorf("line %d: %q comes in through << or an alias: %w", holder.Line, token, ErrNotEditable)
		}
	}
	return at, nil
}

// apply makes one step and returns the new text.
func (p *page) apply(s step) ([]byte, error) {
	at, err := p.find(s.path)
	if err != nil {
		return nil, err
	}
	switch {
	case s.kind == removeStep && at.node == nil:
		return nil, fmt.Errorf("%q comes in through << or an alias: %w", s.path[len(s.path)-1], ErrNotEditable)
	case s.kind == removeStep:
		return p.remove(at)
	case s.kind == setStep && at.node != nil:
		return p.set(at, s.value)
	case at.parent.Kind == yaml.MappingNode:
		return p.insertMember(at, s.path[len(s.path)-1], s.value)
	default:
		index, _ := strconv.Atoi(s.path[len(s.path)-1])
		return p.insertItem(at, index, s.value)
	}
}

// splice replaces the bytes from start to end; text has \n for line breaks.
func (p *page) splice(start, end int, text string) []byte {
	return slices.Concat(p.content[:start], []byte(strings.ReplaceAll(text, "\n", p.newline)), p.content[end:])
}

// set replaces the value of an existing node.
func (p *page) set(at spot, value any) ([]byte, error) {
	start := p.start(at.node)
	end, err := p.end(at.node)
	if err != nil {
		return nil, err
	}
	isBlockText := at.node.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0
	isCollection := at.node.Kind == yaml.MappingNode || at.node.Kind == yaml.SequenceNode
	isFlow := at.node.Style&yaml.FlowStyle != 0
	if at.parent == nil {
		if text := p.style.block(value, 0); text != "" {
			return p.splice(start, end, text), nil
		}
		return p.splice(start, end, "{}"), nil
	}
	if !isBlockText && (!isCollection || isFlow) {
		if inline, ok := inlineLike(at, value, start-p.lineStart(start)); ok {
			if end == start && start > 0 && !isBlank(p.content[start-1]) {
				inline = " " + inline // an empty value begins right behind its colon or dash
			}
			return p.splice(start, end, inline), nil
		}
	}
	if at.inMapping() {
		return p.setMember(at, start, end, value)
	}
	indent := max(at.parent.Content[0].Column-1-len("- "), 0)
	return p.splice(start, end, strings.TrimPrefix(p.style.item(value, indent), "- ")), nil
}

// inlineLike writes the value for the place of an inline one, in its quotes.
func inlineLike(at spot, value any, column int) (string, bool) {
	text, isText := value.(string)
	isFlow := at.node.Style&yaml.FlowStyle != 0
	switch {
	case isText && at.node.Style&yaml.DoubleQuotedStyle != 0 && (at.inFlow || !isLiteral(text)):
		return doubleQuoted(text), true
	case isText && at.node.Style&yaml.SingleQuotedStyle != 0:
		if quoted, possible := singleQuoted(text); possible {
			return quoted, true
		}
	}
	if at.inFlow || isFlow {
		return flow(value), true
	}
	return inlineText(value, column)
}

// setMember replaces a member's value in a block mapping where one of the two
// takes lines of its own. A comment behind the colon stays there.
func (p *page) setMember(at spot, start, end int, value any) ([]byte, error) {
	keyEnd, err := p.end(at.key())
	if err != nil {
		return nil, err
	}
	colon := p.skipBlank(keyEnd)
	if colon >= len(p.content) || p.content[colon] != ':' {
		return nil, fmt.Errorf("line %d: the key is written with a question mark: %w", at.key().Line, ErrNotEditable)
	}
	colon++
	indent := at.parent.Content[0].Column - 1
	after := p.style.after(value, indent, colon-p.lineStart(colon))
	comment := p.content[colon:p.lineEnd(colon)]
	if start <= p.lineEnd(colon) {
		comment = p.content[end:p.lineEnd(end)]
	}
	end = p.lineEnd(end)
	comment = bytes.TrimRight(comment, " \t")
	inline, below, _ := strings.Cut(after, "\n")
	if below != "" {
		below = "\n" + below
	}
	return p.splice(colon, end, inline+string(comment)+below), nil
}

// insertMember adds a key behind the last one that comes before it in the house's
// order, or before all where none does.
func (p *page) insertMember(at spot, name string, value any) ([]byte, error) {
	mapping := at.parent
	if at.inFlow {
		return p.insertFlow(mapping, len(mapping.Content), plainOrQuoted(name, true)+": "+flow(value))
	}
	indent := mapping.Content[0].Column - 1
	before := -1
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Tag == "!!merge" || rank(mapping.Content[i].Value) <= rank(name) {
			before = i + 1
		}
	}
	text := strings.Repeat(" ", indent) + p.style.member(name, value, indent)
	if first := p.start(mapping.Content[0]); before < 0 && p.startsLine(first) {
		return p.splice(p.lineStart(first), p.lineStart(first), text+"\n"), nil
	} else if before < 0 {
		before = len(mapping.Content) - 1
	}
	margin := indent + 1
	if before == len(mapping.Content)-1 && indent > 0 {
		margin = indent
	}
	return p.insertLine(mapping.Content[before], margin, text)
}

// insertItem adds an item before the one that has the index now.
func (p *page) insertItem(at spot, index int, value any) ([]byte, error) {
	list := at.parent
	if at.inFlow {
		return p.insertFlow(list, index, flow(value))
	}
	neighbour := list.Content[max(index-1, 0)]
	dash, err := p.dash(neighbour)
	if err != nil {
		return nil, err
	}
	indent := dash - p.lineStart(dash)
	item := p.style.item(value, indent)
	if neighbour.Style&yaml.FlowStyle != 0 {
		item = "- " + flow(value)
	}
	text := strings.Repeat(" ", indent) + item
	switch {
	case index > 0:
		return p.insertLine(neighbour, indent+1, text)
	case p.startsLine(dash):
		return p.splice(p.lineStart(dash), p.lineStart(dash), text+"\n"), nil
	default:
		return p.splice(dash, dash, item+"\n"+strings.Repeat(" ", indent)), nil
	}
}

// insertLine adds lines behind a node, its trailing comment, and the comments
// below it that are indented by margin at least: those are still about the node.
func (p *page) insertLine(node *yaml.Node, margin int, text string) ([]byte, error) {
	end, err := p.end(node)
	if err != nil {
		return nil, err
	}
	next := p.nextLine(end)
	for next < len(p.content) {
		width := p.indentation(next)
		if width < margin || p.content[min(next+width, len(p.content)-1)] != '#' {
			break
		}
		next = p.nextLine(next)
	}
	if next == p.lineEnd(next) && next == len(p.content) && p.lineStart(next) != next {
		return p.splice(next, next, "\n"+text), nil // the last line has no break
	}
	return p.splice(next, next, text+"\n"), nil
}

// insertFlow adds text to a collection in brackets, before the child at index.
func (p *page) insertFlow(collection *yaml.Node, index int, text string) ([]byte, error) {
	if len(collection.Content) == 0 {
		at := p.text(collection) + 1
		return p.splice(at, at, text), nil
	}
	if index == 0 {
		at := p.start(collection.Content[0])
		return p.splice(at, at, text+", "), nil
	}
	at, err := p.end(collection.Content[index-1])
	if err != nil {
		return nil, err
	}
	return p.splice(at, at, ", "+text), nil
}

// dash is the offset of the - of an item in a block list.
func (p *page) dash(item *yaml.Node) (int, error) {
	for at := p.start(item) - 1; at >= 0; at-- {
		switch {
		case p.content[at] == '-':
			return at, nil
		case !isBlank(p.content[at]):
			return 0, fmt.Errorf("line %d: the beginning of the item cannot be told: %w", item.Line, ErrNotEditable)
		}
	}
	return 0, fmt.Errorf("line %d: the item has no dash: %w", item.Line, ErrNotEditable)
}

// remove takes a member or an item away, with the comment behind it in its line.
// Its collection holds at least one more.
func (p *page) remove(at spot) ([]byte, error) {
	first, width := at.index, 1
	if at.inMapping() {
		first, width = at.index-1, 2
	}
	end, err := p.end(at.node)
	if err != nil {
		return nil, err
	}
	start := p.start(at.parent.Content[first])
	if !at.inFlow && !at.inMapping() {
		if start, err = p.dash(at.node); err != nil {
			return nil, err
		}
	}
	if p.startsLine(start) && p.ownsLine(end, at.inFlow) {
		return p.splice(p.lineStart(start), p.nextLine(end), ""), nil
	}
	if next := first + width; next < len(at.parent.Content) {
		following := p.start(at.parent.Content[next])
		if !at.inFlow && !at.inMapping() {
			if following, err = p.dash(at.parent.Content[next]); err != nil {
				return nil, err
			}
		}
		return p.splice(start, following, ""), nil
	}
	if !at.inFlow {
		return p.splice(start, end, ""), nil
	}
	before, err := p.end(at.parent.Content[first-1])
	if err != nil {
		return nil, err
	}
	return p.splice(before, end, ""), nil
}

// ownsLine reports whether nothing but a comment, and in brackets a comma, is
// left of the line behind end.
func (p *page) ownsLine(end int, inFlow bool) bool {
	rest := strings.TrimLeft(string(p.content[end:p.lineEnd(end)]), " \t")
	if inFlow {
		rest = strings.TrimLeft(strings.TrimPrefix(rest, ","), " \t")
	}
	return rest == "" || rest[0] == '#'
}
