package ledger

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/deskhand/deskhand"
)

// What one commit may hold at most.
const (
	maxBatch      = 1000
	maxBatchBytes = 4 << 20 // of records; a commit costs its trees anew, which many desktops make large
)

// batch is what goes into one commit: entries of one configuration commit and one
// day, with never two of the same desktop, so that each live document that was
// there gets a commit of its own.
type batch struct {
	entries []deskhand.Entry
	lines   [][]byte // the records in RFC 8785 form
}

// cut takes the next batch off the front of the entries and says how many it used,
// those included that are of other tenants or on the branch already.
func cut(entries []deskhand.Entry, tenant deskhand.Tenant, present map[string]bool) (next batch, used int, err error) {
	desktops := make(map[string]bool)
	size := 0
	for _, entry := range entries {
		record := entry.Record
		if record.Tenant != tenant || present[record.ID] {
			delete(present, record.ID)
			used++
			continue
		}
		line, err := canonicalRecord(record)
		if err != nil {
			return batch{}, 0, err
		}
		if len(next.entries) > 0 {
			first := next.entries[0].Record
			if desktops[record.ConfigID] || len(next.entries) == maxBatch || size+len(line) > maxBatchBytes ||
				first.Commit.SHA != record.Commit.SHA || dayFolder(first) != dayFolder(record) {
				return next, used, nil
			}
		}
		desktops[record.ConfigID] = true
		size += len(line)
		next.entries = append(next.entries, entry)
		next.lines = append(next.lines, line)
		used++
	}
	return next, used, nil
}

// time is that of the newest record, so that the commit is the same whenever it
// is made.
func (b batch) time() time.Time { return b.entries[len(b.entries)-1].Record.Time }

// message says in one line what happened, and in trailers where it came from.
func (b batch) message() string {
	commit := b.entries[0].Record.Commit
	subject := b.summary()
	if commit.SHA != "" {
		subject += fmt.Sprintf(" (%s@%s)", oneLine(commit.Ref), shortSHA(commit.SHA))
	}
	var trailers strings.Builder
	trailer := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&trailers, "%s: %s\n", name, oneLine(value))
		}
	}
	trailer("Config-Commit", commit.SHA)
	trailer("Config-Author", commit.Author)
	trailer("Tenant", string(b.entries[0].Record.Tenant))
	for _, outcome := range b.outcomes() {
		trailer("Outcome", string(outcome))
	}
	trailer("Record-Head", b.entries[len(b.entries)-1].Hash)
	return subject + "\n\n" + trailers.String()
}

// summary is such as "created dsk-a, dsk-b and 8 more; failed dsk-c".
func (b batch) summary() string {
	var verbs []string
	names := make(map[string][]string)
	for _, entry := range b.entries {
		event := string(entry.Record.Event)
		verb := event[strings.LastIndexByte(event, '.')+1:]
		if entry.Record.ConfigID == "" {
			verb = "platform " + verb
		}
		verb = oneLine(verb)
		if _, known := names[verb]; !known {
			verbs = append(verbs, verb)
			names[verb] = nil
		}
		if entry.Record.ConfigID != "" {
			names[verb] = append(names[verb], oneLine(entry.Record.ConfigID))
		}
	}
	parts := make([]string, len(verbs))
	for i, verb := range verbs {
		parts[i] = strings.TrimSpace(verb + " " + enumerate(names[verb]))
	}
	return strings.Join(parts, "; ")
}

func (b batch) outcomes() []deskhand.OutcomeKind {
	var kinds []deskhand.OutcomeKind
	for _, entry := range b.entries {
		if !slices.Contains(kinds, entry.Record.Outcome) {
			kinds = append(kinds, entry.Record.Outcome)
		}
	}
	slices.Sort(kinds)
	return kinds
}

func enumerate(names []string) string {
	switch n := len(names); {
	case n <= 1:
		return strings.Join(names, "")
	case n <= 3:
		return strings.Join(names[:n-1], ", ") + " and " + names[n-1]
	default:
		return fmt.Sprintf("%s, %s and %d more", names[0], names[1], n-2)
	}
}

func shortSHA(sha string) string {
	return deskhand.Commit{SHA: oneLine(sha)}.Short()
}

// maxPhrase bounds what one name may take of a commit message, in characters.
const maxPhrase = 200

// oneLine keeps a text from somewhere else from adding lines, and so trailers, to
// a commit message.
func oneLine(text string) string {
	words := strings.FieldsFunc(text, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || r == unicode.ReplacementChar
	})
	phrase := []rune(strings.Join(words, " "))
	if len(phrase) > maxPhrase {
		return string(phrase[:maxPhrase-1]) + "…"
	}
	return string(phrase)
}
