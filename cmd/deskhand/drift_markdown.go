package main

import (
	"fmt"
	"html"
	"strings"
)

// driftMarkdown is drift for a job's summary or a ticket: a table for each
// desktop.
func driftMarkdown(found driftSet) string {
	var page strings.Builder
	for _, tenant := range found.Tenants {
		fmt.Fprintf(&page, "## Drift of %s at %s\n\n%s.\n", cell(string(tenant.Tenant)), cell(tenant.Commit.Revision()), driftSummary(tenant.Desktops))
		for _, desktop := range tenant.Desktops {
			fmt.Fprintf(&page, "\n### %s (%s)\n\n%s, in %s\n", cell(desktop.ConfigID), cell(string(desktop.State)), cell(desktop.Why), cell(desktop.File))
			if len(desktop.Edits) == 0 {
				continue
			}
			page.WriteString("\n| value | agreed | in CXone | set by |\n|---|---|---|---|\n")
			for _, edit := range desktop.Edits {
				path := string(edit.Path)
				if path == "" {
					path = "/"
				}
				fmt.Fprintf(&page, "| %s | %s | %s | %s |\n", cell(path), cell(valueText(edit.Before)), cell(valueText(edit.After)), cell(edit.Origin.String()))
			}
		}
		page.WriteString("\n")
	}
	return page.String()
}

// cell is a text that cannot break out of its place in a table, nor become a
// mention, a link or markup. HTML's code takes it as it is, but for the pipes
// and line ends that markdown would read first.
func cell(text string) string {
	if text == "" {
		return ""
	}
	text = html.EscapeString(text)
	return "<code>" + markdownSigns().Replace(text) + "</code>"
}

// markdownSigns spells what markdown would read within HTML.
func markdownSigns() *strings.Replacer {
	return strings.NewReplacer(
		"\n", " ", "\r", " ", "|", "&#124;", "`", "&#96;", "*", "&#42;", "_", "&#95;", "[", "&#91;", "]", "&#93;",
		"~", "&#126;", "\\", "&#92;", "@", "&#64;", "#", "&#35;", "://", "&#58;//", "www.", "www&#46;",
	)
}
