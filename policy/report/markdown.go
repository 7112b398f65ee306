package report

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/deskhand/deskhand"
)

// renderMarkdown writes a table in GitHub Flavored Markdown, which GitLab and
// Gitea read also.
func renderMarkdown(r Report, opts Options) []byte {
	var text bytes.Buffer
	fmt.Fprintf(&text, "**%s** in %s\n", r.Summary.verdict(), r.Summary.scope())
	groups, rest := atMost(groupFindings(r.Findings), opts.MaxFindings)
	if len(groups) > 0 {
		text.WriteString("\n| Severity | Place | Finding | Rule |\n|---|---|---|---|\n")
	}
	for _, g := range groups {
		finding := escapeMarkdown(cleanLine(g.Message))
		for _, line := range g.details() {
			finding += "<br>" + escapeMarkdown(line)
		}
		fmt.Fprintf(&text, "| %s | %s | %s | %s |\n",
			markdownSeverity(g.Severity), markdownCode(g.Position().String()), finding, markdownCode(g.Rule))
	}
	if rest > 0 {
		fmt.Fprintf(&text, "\nand %s\n", count(rest, "more finding"))
	}
	return text.Bytes()
}

func markdownSeverity(severity deskhand.Severity) string {
	switch severity {
	case deskhand.SeverityError:
		return "🔴 error"
	case deskhand.SeverityWarning:
		return "🟡 warning"
	default:
		return "🔵 " + escapeMarkdown(cleanLine(string(severity)))
	}
}

// markdownCode uses HTML: a code span of Markdown cannot hold every text.
func markdownCode(text string) string {
	if text = cleanLine(text); text == "" {
		return ""
	}
	return "<code>" + escapeMarkdown(text) + "</code>"
}

// escapeMarkdown keeps text from being read as Markdown or HTML, in a table too.
func escapeMarkdown(text string) string {
	return strings.NewReplacer(
		"&", "&amp;", "<", "&lt;", ">", "&gt;",
		`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "|", `\|`, "~", `\~`, "!", `\!`,
	).Replace(text)
}
