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
	files := sharedIDs(desktops, unreadable)
	// Desktops share their lists, so each list is copied once.
	extended := map[*string][]string{}
	for i, desktop := range desktops {
		others := slices.DeleteFunc(slices.Clone(files[desktop.ConfigID]), func(file string) bool { return file == desktop.File })
		if desktop.ConfigID == "" || len(others) == 0 {
			desktops[i].ChecksPassed = withUnique(extended, desktop.ChecksPassed)
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

// sharedIDs are the files of each id that more than one file gives.
func sharedIDs(desktops []deskhand.Reviewed, unreadable []deskhand.Unreadable) map[string][]string {
	owners := make(map[string]int, len(desktops))
	for _, desktop := range desktops {
		owners[desktop.ConfigID]++
	}
	for _, broken := range unreadable {
		owners[broken.ConfigID]++
	}
	files := map[string][]string{}
	add := func(id, file string) {
		if owners[id] > 1 {
			files[id] = append(files[id], file)
		}
	}
	for _, desktop := range desktops {
		add(desktop.ConfigID, desktop.File)
	}
	for _, broken := range unreadable {
		add(broken.ConfigID, broken.File)
	}
	return files
}

// withUnique is the list of the rules that passed with ruleDuplicate among them.
func withUnique(extended map[*string][]string, passed []string) []string {
	if len(passed) == 0 {
		return []string{ruleDuplicate}
	}
	known := extended[&passed[0]]
	if len(known) == 0 {
		at, _ := slices.BinarySearch(passed, ruleDuplicate)
		known = slices.Insert(slices.Clone(passed), at, ruleDuplicate)
		extended[&passed[0]] = known
	}
	return known
}
