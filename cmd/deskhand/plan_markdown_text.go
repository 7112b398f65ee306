package main

import (
	"strings"
	"unicode"

	"github.com/deskhand/deskhand"
	"github.com/deskhand/deskhand/policy"
)

// Where a comment cuts a value, and a message, in characters.
const (
	longestShown   = 240
	longestMessage = 1000
)

// codeSpan shows a text of a repository or of CXone as it is. Within a code span
// neither Markdown nor HTML, mentions, references nor addresses are read; its
// fence is longer than any that the text holds.
func codeSpan(text string) string {
	text = shown(text, longestShown)
	if text == "" {
		return "(empty)"
	}
	fence, run := 0, 0
	for _, character := range text {
		if character == '`' {
			run++
		} else {
			run = 0
		}
		fence = max(fence, run)
	}
	ticks := strings.Repeat("`", fence+1)
	if fence > 0 || text[0] == ' ' || text[len(text)-1] == ' ' {
		text = " " + text + " " // which Markdown takes off again
	}
	return ticks + text + ticks
}

// prose shows a message within a sentence: nothing in it is read as Markdown or
// HTML, and an invisible space keeps a forge from taking names, numbers and
// addresses in it for mentions, references and links.
func prose(text string) string {
	const apart = "\u200b"
	return strings.NewReplacer(
		"&", "&amp;", "<", "&lt;", ">", "&gt;",
		`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "|", `\|`,
		"@", "@"+apart, "#", `\#`+apart, "!", `\!`+apart, "~", `\~`+apart, "$", `\$`+apart,
		"%", "%"+apart, "^", "^"+apart, "://", ":"+apart+"//", "www.", "www"+apart+".", "GH-", "GH"+apart+"-",
	).Replace(shown(text, longestMessage))
}

// shown is a text with what may not be repeated masked, and each character that
// has no shape of its own replaced, on one line of at most so many characters.
func shown(text string, longest int) string {
	if masked, isText := policy.Mask(deskhand.Pointer(""), text).(string); isText {
		text = masked
	}
	characters := []rune(text)
	if len(characters) > longest {
		characters = append(characters[:longest], '…')
	}
	for i, character := range characters {
		switch {
		case character == '\n':
			characters[i] = '⏎'
		case unicode.IsSpace(character):
			characters[i] = ' '
		case !unicode.IsGraphic(character):
			characters[i] = unicode.ReplacementChar
		}
	}
	return string(characters)
}
