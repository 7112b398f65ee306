package report

import (
	"strings"
	"unicode"
)

// A character that has no shape of its own could move the cursor, recolour the
// terminal or reverse the order of what is read; it is shown as this one.
const shapeless = unicode.ReplacementChar

// clean makes text of a file safe to print, character by character.
func clean(text string) string {
	return strings.Map(func(character rune) rune {
		if !unicode.IsGraphic(character) {
			return shapeless
		}
		return character
	}, text)
}

// cleanLine is clean for a message: white space, line breaks included, becomes
// single spaces.
func cleanLine(text string) string {
	return clean(strings.Join(strings.Fields(text), " "))
}
