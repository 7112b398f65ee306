package configs

import (
	"cmp"
	"slices"
	"strings"

	"github.com/deskhand/deskhand"
)

// Problem is one thing that is wrong with a configuration.
type Problem struct {
	Position deskhand.Position // zero where the configuration came from no file
	Path     string            // of the setting, such as tenants[0].drift.interval
	Message  string            // what is wrong
	Hint     string            // what to do about it
}

// String prints file:line:col: path: message; hint.
func (p Problem) String() string {
	var parts []string
	if !p.Position.IsZero() {
		parts = append(parts, p.Position.String())
	}
	if p.Path != "" {
		parts = append(parts, p.Path)
	}
	text := strings.Join(append(parts, p.Message), ": ")
	if p.Hint != "" {
		text += "; " + p.Hint
	}
	return text
}

// InvalidError is every problem of a configuration, in the order of its lines.
type InvalidError struct {
	Problems []Problem
}

// Error prints one problem a line.
func (e *InvalidError) Error() string {
	lines := make([]string, 0, len(e.Problems))
	for _, problem := range e.Problems {
		lines = append(lines, problem.String())
	}
	return "the configuration is not valid:\n  " + strings.Join(lines, "\n  ")
}

func invalid(problems []Problem) error {
	if len(problems) == 0 {
		return nil
	}
	slices.SortStableFunc(problems, func(a, b Problem) int {
		return cmp.Or(
			cmp.Compare(a.Position.Line, b.Position.Line),
			cmp.Compare(a.Position.Column, b.Position.Column),
		)
	})
	return &InvalidError{Problems: problems}
}

// places tells for the path of a setting where the file says it.
type places struct {
	file string
	at   map[string]deskhand.Position
}

// find is the place of a setting or, where the file does not say it, of the
// nearest one around it.
func (p places) find(path string) deskhand.Position {
	for path != "" {
		if position, found := p.at[path]; found {
			return position
		}
		path = parent(path)
	}
	return deskhand.Position{File: p.file}
}

// parent cuts the last key or index off a path.
func parent(path string) string {
	return path[:max(0, strings.LastIndexAny(path, ".["))]
}
