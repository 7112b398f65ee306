package policy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/deskhand/deskhand"
)

// refuseDuplicates refuses every desktop whose id another file has, too: nobody
// can tell which of them is meant. A file that could not be read counts where
// its id could.
func refuseDuplicates(desktops []deskhand.Reviewed, unreadable []deskhand.Unreadable) {
	files := make(map[string][]string, len(desktops))
	for _, desktop := range desktops {
		files[desktop.ConfigID] = append(files[desktop.ConfigID], desktop.File)
	}
	for _, broken := range unreadable {
		files[broken.ConfigID] = append(files[broken.ConfigID], broken.File)
	}
	for i, desktop := range desktops {
		others := slices.DeleteFunc(slices.Clone(files[desktop.ConfigID]), func(file string) bool { return file == desktop.File })
		if desktop.ConfigID == "" || len(others) == 0 {
			desktops[i].ChecksPassed = insertSorted(desktop.ChecksPassed, ruleDuplicate)
			continue
		}
		position := place(desktop.Desktop, "/configId")
		// The findings may be shared with an earlier review, so they are copied.
		findings := append(slices.Clone(desktop.Findings), deskhand.Finding{
			Rule: ruleDuplicate, Severity: deskhand.SeverityError,
			File: position.File, Line: position.Line, Column: position.Column, ConfigID: desktop.ConfigID,
			Message: fmt.Sprintf("configId %q is also that of %s", shorten(desktop.ConfigID), strings.Join(others, ", ")),
			Hint:    "give each desktop an id of its own, or remove one of the files",
		})
		deskhand.SortFindings(findings)
		desktops[i].Findings, desktops[i].Refused = findings, true
	}
}

func insertSorted(names []string, name string) []string {
	at, _ := slices.BinarySearch(names, name)
	return slices.Insert(slices.Clone(names), at, name)
}
