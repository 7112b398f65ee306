package manifest

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/deskhand/deskhand"
)

// syntaxFinding points at the line that broke the syntax. The library's errors
// often name the line where the surrounding mapping began, or the one before.
func syntaxFinding(file string, content []byte, err error) deskhand.Finding {
	message := strings.TrimPrefix(err.Error(), "yaml: ")
	reported := 1
	if match := reportedLine.FindStringSubmatch(message); match != nil {
		reported, _ = strconv.Atoi(match[1])
		message = message[len(match[0]):]
	}
	lines := bytes.SplitAfter(content, []byte("\n"))
	at := deskhand.Position{File: file, Line: max(1, brokenLine(lines, reported)), Column: 1}
	if at.Line <= len(lines) {
		line := lines[at.Line-1]
		indentation := len(line) - len(bytes.TrimLeft(line, " "))
		at.Column = utf8.RuneCount(line[:indentation]) + 1
	}
	if strings.Contains(message, "unknown anchor") {
		return finding("yaml/alias", at, message, "define the anchor (&name) above its first use, in the same file")
	}
	return finding("yaml/syntax", at, message, syntaxHint(message))
}

var reportedLine = regexp.MustCompile(`^line (\d+): `)

// maxSyntaxWork bounds, in bytes, what is parsed to find the broken line.
const maxSyntaxWork = 1 << 20

// brokenLine is the line after the longest beginning of the file that parses,
// or the reported line where that is later or the file is too long to tell.
func brokenLine(lines [][]byte, reported int) int {
	content := bytes.Join(lines, nil)
	work := 0
	for count := len(lines) - 1; count >= reported; count-- {
		content = content[:len(content)-len(lines[count])]
		if work += len(content); work > maxSyntaxWork {
			break
		}
		if _, err := decodeNodes(content); err == nil {
			return min(count+1, len(lines))
		}
	}
	return min(reported, len(lines))
}

func syntaxHint(message string) string {
	switch {
	case strings.Contains(message, "mapping values are not allowed"):
		return "put a text that contains a colon in quotes, or mend the indentation"
	case strings.Contains(message, "cannot start any token"), strings.Contains(message, "tab character"):
		return "indent with spaces, not tabs, and put a text that begins with a special character in quotes"
	case strings.Contains(message, "did not find expected"):
		return "compare the indentation with the lines above, and look for a missing bracket, comma or quote"
	case strings.Contains(message, "unexpected end of stream"):
		return "close the quote or bracket that is still open"
	default:
		return "mend the YAML of this line or of the one above"
	}
}

// invalidPlace is the first byte that is not UTF-8.
func invalidPlace(file string, content []byte) deskhand.Position {
	at := deskhand.Position{File: file, Line: 1, Column: 1}
	for len(content) > 0 {
		r, size := utf8.DecodeRune(content)
		if r == utf8.RuneError && size == 1 {
			break
		}
		at.Column++
		if r == '\n' {
			at.Line++
			at.Column = 1
		}
		content = content[size:]
	}
	return at
}

var topLevelConfigID = regexp.MustCompile(`(?m)^(?:"configId"|'configId'|configId)[ \t]*:[ \t]*["']?([^"'#\s]+)`)

// scanConfigID finds the configId of a file that cannot be parsed, so that its
// desktop is not taken for deleted.
func scanConfigID(content []byte) string {
	match := topLevelConfigID.FindSubmatch(content)
	if match == nil {
		return ""
	}
	return string(match[1])
}
