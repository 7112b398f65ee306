package report

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/deskhand/deskhand"
)

// renderGitHub writes a workflow command for each finding. GitHub itself shows
// ten annotations of each kind for a step and drops the rest.
//
// https://docs.github.com/actions/reference/workflow-commands-for-github-actions
func renderGitHub(r Report, opts Options) []byte {
	// What the toolkit of GitHub Actions escapes: a percent sign first, by the
	// one pass of a Replacer.
	data := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	property := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")

	var text bytes.Buffer
	groups, rest := atMost(groupFindings(r.Findings), opts.MaxFindings)
	for _, g := range groups {
		var properties []string
		if g.File != "" {
			properties = append(properties, "file="+property.Replace(clean(g.File)))
		}
		if g.Line > 0 {
			properties = append(properties, fmt.Sprintf("line=%d", g.Line))
		}
		if g.Line > 0 && g.Column > 0 {
			properties = append(properties, fmt.Sprintf("col=%d", g.Column))
		}
		properties = append(properties, "title="+property.Replace(cleanLine(g.Rule)))
		message := strings.Join(append([]string{cleanLine(g.Message)}, g.details()...), "\n")
		fmt.Fprintf(&text, "::%s %s::%s\n", gitHubCommand(g.Severity), strings.Join(properties, ","), data.Replace(message))
	}
	if rest > 0 {
		fmt.Fprintf(&text, "::notice title=deskhand::and %s\n", count(rest, "more finding"))
	}
	return text.Bytes()
}

func gitHubCommand(severity deskhand.Severity) string {
	switch severity {
	case deskhand.SeverityError:
		return "error"
	case deskhand.SeverityWarning:
		return "warning"
	default:
		return "notice"
	}
}
