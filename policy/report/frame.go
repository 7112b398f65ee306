package report

import (
	"strings"
	"unicode/utf8"

	"github.com/rivo/uniseg"

	"github.com/deskhand/deskhand"
)

const (
	defaultWidth = 100
	leastWidth   = 20
	// longestLine bounds how far into a line a frame looks, in characters, so
	// that a file of one huge line costs no more than any other.
	longestLine = 4096
	tab         = "    "
	ellipsis    = "…"
)

// frame is the piece of a file that a finding points at.
type frame struct {
	before string // the line before, "" where it says nothing
	line   string
	caret  string // spaces and a caret; "" where only the line is known
}

// sources reads the files that findings point at, one at a time: findings come
// sorted by file.
type sources struct {
	read  func(file string) ([]byte, error)
	file  string
	lines []string
}

// frame returns the piece around a place, as wide as that many characters.
func (s *sources) frame(at deskhand.Position, width int) (frame, bool) {
	lines := s.load(at.File)
	if at.Line < 1 || at.Line > len(lines) || at.Column > longestLine {
		return frame{}, false
	}
	width = max(width, leastWidth)
	column := max(at.Column-1, 0)
	first := 0
	if column > width*2/3 {
		first = column - width/2
	}
	line, cut := excerpt(lines[at.Line-1], first, width)
	if cut {
		line += ellipsis
	}
	piece := frame{line: line}
	if at.Line > 1 {
		before, cut := excerpt(lines[at.Line-2], first, width)
		if cut {
			before += ellipsis
		}
		piece.before = strings.TrimRight(before, " ")
	}
	if at.Column > 0 {
		lead, _ := excerpt(lines[at.Line-1], first, column-first)
		piece.caret = strings.Repeat(" ", uniseg.StringWidth(lead)) + "^"
	}
	return piece, true
}

func (s *sources) load(file string) []string {
	if s.read == nil || file == "" {
		return nil
	}
	if s.file != file {
		s.file, s.lines = file, nil
		if content, err := s.read(file); err == nil {
			s.lines = splitLines(strings.TrimPrefix(string(content), "\ufeff"))
		}
	}
	return s.lines
}

// splitLines cuts where YAML 1.1 counts a new line, so that line numbers mean
// the same here as in the parser.
func splitLines(content string) []string {
	var lines []string
	for {
		end := strings.IndexAny(content, "\n\r\u0085\u2028\u2029")
		if end < 0 {
			return append(lines, content)
		}
		lines = append(lines, content[:end])
		_, size := utf8.DecodeRuneInString(content[end:])
		if strings.HasPrefix(content[end:], "\r\n") {
			size = 2
		}
		content = content[end+size:]
	}
}

// excerpt is at most length characters of a line from the one at first, after an
// ellipsis where that is not the line's beginning; cut where the line goes on.
func excerpt(line string, first, length int) (text string, cut bool) {
	var shown strings.Builder
	position := 0
	for _, character := range line {
		if position >= first+length {
			return shown.String(), true
		}
		if position == first && first > 0 {
			shown.WriteString(ellipsis)
		}
		if position >= first && character == '\t' {
			shown.WriteString(tab)
		} else if position >= first {
			shown.WriteString(clean(string(character)))
		}
		position++
	}
	return shown.String(), false
}
