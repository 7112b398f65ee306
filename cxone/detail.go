package cxone

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode"
)

const maxDetail = 300 // bytes

// detail extracts what a JSON error body says, in one bounded line: OAuth's
// error and error_description (RFC 6749), title and detail (RFC 9457), and the
// code and message that most APIs use, also within "error" or "errors". Any
// other body says nothing. Secrets go before the text is cut, lest half of one
// stays.
func detail(body []byte, redact func(string) string) string {
	var value any
	if json.Unmarshal(body, &value) != nil {
		return ""
	}
	var parts []string
	collectDetail(value, &parts)
	return oneLine(redact(strings.Join(parts, ": ")))
}

func collectDetail(value any, parts *[]string) {
	const enough = 8
	switch value := value.(type) {
	case string:
		if value != "" && !slices.Contains(*parts, value) {
			*parts = append(*parts, value)
		}
	case []any:
		for _, element := range value {
			if len(*parts) >= enough {
				return
			}
			collectDetail(element, parts)
		}
	case map[string]any:
		for _, name := range []string{"code", "title", "field", "error", "errors", "message", "detail", "error_description"} {
			if member, found := value[name]; found && len(*parts) < enough {
				collectDetail(member, parts)
			}
		}
	}
}

// oneLine keeps a text from breaking a log line or filling it.
func oneLine(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, text)
	text = strings.ToValidUTF8(strings.Join(strings.Fields(text), " "), "")
	if len(text) > maxDetail {
		text = strings.ToValidUTF8(text[:maxDetail], "") + "…"
	}
	return text
}
