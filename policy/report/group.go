package report

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/deskhand/deskhand"
)

// group is a finding and the desktops that have it: what stands in a file on
// which many desktops rest is found once for each of them.
type group struct {
	deskhand.Finding          // its ConfigID is empty
	configIDs        []string // sorted
}

// groupFindings joins findings that differ in nothing but the desktop. It keeps the
// order of the first of each.
func groupFindings(findings []deskhand.Finding) []group {
	groups := make([]group, 0, len(findings))
	index := make(map[deskhand.Finding]int, len(findings))
	for _, finding := range findings {
		configID := finding.ConfigID
		finding.ConfigID = ""
		i, known := index[finding]
		if !known {
			i = len(groups)
			index[finding] = i
			groups = append(groups, group{Finding: finding})
		}
		if configID != "" {
			groups[i].configIDs = append(groups[i].configIDs, configID)
		}
	}
	for i := range groups {
		slices.Sort(groups[i].configIDs)
		groups[i].configIDs = slices.Compact(groups[i].configIDs)
	}
	return groups
}

// atMost keeps the first limit groups, and counts the rest; 0 keeps all.
func atMost(groups []group, limit int) (kept []group, rest int) {
	if limit <= 0 || len(groups) <= limit {
		return groups, 0
	}
	return groups[:limit], len(groups) - limit
}

// desktops says which desktops have the finding, "" for one, which its file
// tells.
func (g group) desktops() string {
	const named = 3
	count := len(g.configIDs)
	switch {
	case count < 2:
		return ""
	case count <= named:
		return fmt.Sprintf("in %d desktops: %s", count, strings.Join(g.configIDs, ", "))
	default:
		return fmt.Sprintf("in %d desktops: %s and %d more", count, strings.Join(g.configIDs[:named], ", "), count-named)
	}
}

// details are the lines that follow a message.
func (g group) details() []string {
	var lines []string
	if g.Hint != "" {
		lines = append(lines, "hint: "+cleanLine(g.Hint))
	}
	if desktops := g.desktops(); desktops != "" {
		lines = append(lines, cleanLine(desktops))
	}
	return lines
}

// verdict says in a few words what the validation came to.
func (s Summary) verdict() string {
	return count(s.Errors, "error") + ", " + count(s.Warnings, "warning")
}

// scope says what was judged.
func (s Summary) scope() string {
	return count(s.Files, "file") + ", " + count(s.Desktops, "desktop")
}

func count(n int, noun string) string {
	switch n {
	case 0:
		return "no " + noun + "s"
	case 1:
		return "1 " + noun
	default:
		return strconv.Itoa(n) + " " + noun + "s"
	}
}
