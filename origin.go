package deskhand

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// Position is a place in a file of the configuration repository.
type Position struct {
	File   string // slash-separated, from the root of the repository
	Line   int    // from 1; 0 where only the file is known
	Column int    // from 1, in characters
}

// String prints file:line:col, or as much of it as is known.
func (p Position) String() string {
	if p.Line == 0 {
		return p.File
	}
	return p.File + ":" + strconv.Itoa(p.Line) + ":" + strconv.Itoa(p.Column)
}

// IsZero reports whether the position is unknown.
func (p Position) IsZero() bool { return p == Position{} }

// MarshalText prints the position as String does.
func (p Position) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (p *Position) UnmarshalText(text []byte) error {
	rest, columnText, found := cutLast(string(text), ":")
	column, columnErr := strconv.Atoi(columnText)
	file, lineText, foundLine := cutLast(rest, ":")
	line, lineErr := strconv.Atoi(lineText)
	if !found || !foundLine || columnErr != nil || lineErr != nil {
		*p = Position{File: string(text)}
		return nil
	}
	*p = Position{File: file, Line: line, Column: column}
	return nil
}

func cutLast(text, separator string) (before, after string, found bool) {
	i := strings.LastIndex(text, separator)
	if i < 0 {
		return text, "", false
	}
	return text[:i], text[i+len(separator):], true
}

// Origin says which place in the repository set the value at Path.
type Origin struct {
	Path     Pointer
	Position Position
}

// Origins are the origins of a definition's values, sorted by path. They are a
// slice and no map because a daemon holds those of ten thousand desktops.
type Origins []Origin

// NewOrigins sorts the given origins, in place, for lookup.
func NewOrigins(origins []Origin) Origins {
	slices.SortFunc(origins, func(a, b Origin) int { return cmp.Compare(a.Path, b.Path) })
	return origins
}

// At is the place that set the value at path; for a value that no place set by
// itself, that of the nearest value around it.
func (o Origins) At(path Pointer) (Position, bool) {
	for {
		i, found := slices.BinarySearchFunc(o, path, func(origin Origin, path Pointer) int {
			return cmp.Compare(origin.Path, path)
		})
		if found {
			return o[i].Position, true
		}
		if path == "" {
			return Position{}, false
		}
		path = path.Parent()
	}
}
