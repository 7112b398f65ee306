package policy

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"unicode/utf8"

	"github.com/agnivade/levenshtein"
)

// nearest is the known name that a misspelt one most likely means.
func nearest(name string, known []string) (string, bool) {
	best, bestDistance := "", max(2, utf8.RuneCountInString(name)/3)+1
	for _, candidate := range known {
		if distance := levenshtein.ComputeDistance(name, candidate); distance < bestDistance {
			best, bestDistance = candidate, distance
		}
	}
	return best, best != ""
}

// quote prints a value of a file for a message, text in quotes.
func quote(value any) string {
	if text, isText := value.(string); isText {
		return fmt.Sprintf("%q", shorten(text))
	}
	return plain(value)
}

// plain prints a value of a file for a message, text as it is.
func plain(value any) string {
	if text, isText := value.(string); isText {
		return shorten(text)
	}
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprintf("a %T", value)
	}
	return shorten(string(text))
}

func sortedKeys[V any](values map[string]V) []string {
	return slices.Sorted(maps.Keys(values))
}
