package policy

import (
	"fmt"
	"path"
	"regexp"
	"strings"
)

// glob matches slash-separated paths: * and ? within a folder, ** across any
// number of them.
type glob struct {
	pattern *regexp.Regexp
}

func parseGlob(text string) (glob, error) {
	if strings.HasPrefix(text, "/") || path.Clean(text) != text || strings.HasPrefix(text, "..") {
		return glob{}, fmt.Errorf("%q is no path below the folder of policy.yaml", text)
	}
	var expression strings.Builder
	expression.WriteString("^")
	for rest := text; rest != ""; {
		switch {
		case strings.HasPrefix(rest, "**/"):
			expression.WriteString("(?:.*/)?")
			rest = rest[3:]
		case strings.HasPrefix(rest, "**"):
			expression.WriteString(".*")
			rest = rest[2:]
		case rest[0] == '*':
			expression.WriteString("[^/]*")
			rest = rest[1:]
		case rest[0] == '?':
			expression.WriteString("[^/]")
			rest = rest[1:]
		default:
			literal := rest[:max(strings.IndexAny(rest, "*?"), 0)]
			if literal == "" {
				literal = rest
			}
			expression.WriteString(regexp.QuoteMeta(literal))
			rest = rest[len(literal):]
		}
	}
	expression.WriteString("$")
	pattern, err := regexp.Compile(expression.String())
	if err != nil { // the parts are all quoted, so only invalid UTF-8 gets here
		return glob{}, fmt.Errorf("%q is no glob: %w", text, err)
	}
	return glob{pattern: pattern}, nil
}

func (g glob) matches(file string) bool { return g.pattern.MatchString(file) }
