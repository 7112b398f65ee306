package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/deskhand/deskhand"
	"github.com/deskhand/deskhand/policy"
)

// fieldNames are what people who lead agents call the values of a desktop. A *
// stands for one name or index.
func fieldNames() map[string]string {
	return map[string]string{
		"/licenseTier":             "Licence tier",
		"/layout":                  "Layout",
		"/layout/gridColumns":      "Columns of the layout",
		"/layout/widgetOrder":      "Widgets, from the top left",
		"/layout/primaryWorkspace": "Workspace that opens first",

		"/shortcuts":          "Shortcuts",
		"/shortcuts/*/label":  "label",
		"/shortcuts/*/action": "action",
		"/shortcuts/*/target": "goes to",
		"/shortcuts/*/keys":   "keys",

		"/complianceBanners":                           "Banners",
		"/complianceBanners/*/title":                   "title",
		"/complianceBanners/*/message":                 "text",
		"/complianceBanners/*/acknowledgementRequired": "acknowledgement",
		"/complianceBanners/*/displayRegion":           "region",
		"/complianceBanners/*/foreground":              "text colour",
		"/complianceBanners/*/background":              "background colour",

		"/browserCompatibility":                   "Browsers",
		"/browserCompatibility/supportedBrowsers": "Supported browsers",
		"/browserCompatibility/minimumVersions":   "Oldest browser versions",
		"/browserCompatibility/minimumVersions/*": "Oldest version of",

		"/theme":                      "Colours",
		"/theme/foreground":           "Text colour",
		"/theme/background":           "Background colour",
		"/theme/accent":               "Accent colour",
		"/theme/widgets/*":            "Colours of the widget",
		"/theme/widgets/*/foreground": "Text colour of the widget",
		"/theme/widgets/*/background": "Background colour of the widget",
		"/theme/widgets/*/accent":     "Accent colour of the widget",
	}
}

// fieldWords is what the value at the pointer is called, in Markdown. The entry
// of a list is called by its label or title, which the documents know.
func fieldWords(at deskhand.Pointer, value any, documents ...deskhand.Document) string {
	tokens := at.Tokens()
	if len(tokens) == 0 {
		return "The whole desktop"
	}
	kind, isKeyed := map[string]string{"shortcuts": "Shortcut ", "complianceBanners": "Banner "}[tokens[0]]
	if isKeyed {
		name, isEntry := entryName(value)
		if !isEntry && len(tokens) > 1 {
			name, isEntry = nameIn(tokens, documents)
		}
		switch {
		case isEntry && len(tokens) <= 2:
			return kind + codeSpan(name)
		case isEntry:
			if member, known := fieldNames()["/"+tokens[0]+"/*/"+tokens[2]]; known && len(tokens) == 3 {
				return kind + codeSpan(name) + ", " + member
			}
		}
	}
	if words, known := fieldNames()[string(at)]; known {
		return words
	}
	for i := 1; i < len(tokens); i++ {
		pattern := "/" + strings.Join(slices.Concat(tokens[:i], []string{"*"}, tokens[i+1:]), "/")
		if words, known := fieldNames()[pattern]; known && !isKeyed {
			return words + " " + codeSpan(tokens[i])
		}
	}
	return "Field " + codeSpan(string(at))
}

// nameIn is the label or title of the entry that the tokens lead to, in the first
// document that has one there.
func nameIn(tokens []string, documents []deskhand.Document) (string, bool) {
	index, err := strconv.Atoi(tokens[1])
	if err != nil {
		return "", false
	}
	for _, document := range documents {
		entries, _ := document.Fields()[tokens[0]].([]any)
		if index < 0 || index >= len(entries) {
			continue
		}
		if name, found := entryName(entries[index]); found {
			return name, true
		}
	}
	return "", false
}

func entryName(entry any) (string, bool) {
	fields, _ := entry.(map[string]any)
	for _, key := range []string{"label", "title"} {
		if name, isText := fields[key].(string); isText {
			return name, true
		}
	}
	return "", false
}

// valueWords is a value in Markdown, secrets masked.
func valueWords(at deskhand.Pointer, value any) string {
	value = policy.Mask(at, value)
	switch value := value.(type) {
	case nil:
		return "none"
	case bool:
		if strings.HasSuffix(string(at), "/acknowledgementRequired") {
			return acknowledgement(value)
		}
	case string:
		return codeSpan(value)
	case []any:
		if texts, isTexts := textsOf(value); isTexts {
			return codeSpan(strings.Join(texts, ", "))
		}
		return entriesWords(value)
	case map[string]any:
		if words, isEntry := entryWords(value); isEntry {
			return words
		}
	}
	text, err := json.Marshal(value)
	if err != nil {
		return codeSpan(fmt.Sprint(value))
	}
	return codeSpan(string(text))
}

func textsOf(list []any) (texts []string, isTexts bool) {
	for _, element := range list {
		text, isText := element.(string)
		if !isText {
			return nil, false
		}
		texts = append(texts, text)
	}
	return texts, true
}

// entriesWords names the entries of a list of shortcuts or banners.
func entriesWords(list []any) string {
	var names []string
	for _, element := range list {
		name, isNamed := entryName(element)
		if !isNamed {
			text, _ := json.Marshal(element)
			name = string(text)
		}
		names = append(names, codeSpan(name))
	}
	const most = 20
	if len(names) > most {
		names = append(names[:most], fmt.Sprintf("and %d more", len(names)-most))
	}
	return strings.Join(names, ", ")
}

// entryWords is a shortcut or a banner in words.
func entryWords(entry map[string]any) (words string, isEntry bool) {
	text := func(key string) string {
		value, _ := entry[key].(string)
		return value
	}
	switch {
	case text("action") != "":
		words = codeSpan(text("action"))
		if text("target") != "" {
			words += " to " + codeSpan(text("target"))
		}
		if text("keys") != "" {
			words += " with " + codeSpan(text("keys"))
		}
		return words, true
	case text("message") != "":
		isRequired, _ := entry["acknowledgementRequired"].(bool)
		words = codeSpan(text("message")) + ", " + acknowledgement(isRequired)
		if text("displayRegion") != "" {
			words += ", in " + codeSpan(text("displayRegion"))
		}
		return words, true
	default:
		return "", false
	}
}

func acknowledgement(isRequired bool) string {
	if isRequired {
		return "must be acknowledged"
	}
	return "need not be acknowledged"
}

// apart takes an edit of an object apart where both sides have one, so that only
// the members that differ are told.
func apart(edit deskhand.Edit) []deskhand.Edit {
	before, wasObject := edit.Before.(map[string]any)
	after, isObject := edit.After.(map[string]any)
	if !wasObject || !isObject || edit.Path == "" {
		return []deskhand.Edit{edit}
	}
	names := map[string]bool{}
	for name := range before {
		names[name] = true
	}
	for name := range after {
		names[name] = true
	}
	var edits []deskhand.Edit
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if reflect.DeepEqual(before[name], after[name]) {
			continue
		}
		member := edit
		member.Path, member.Before, member.After = edit.Path.Child(name), before[name], after[name]
		edits = append(edits, apart(member)...)
	}
	return edits
}
