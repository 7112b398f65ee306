package ledger

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/deskhand/deskhand"
)

// Load reads from the branch what Restore needs to fill an empty ledger: the
// desktops, sorted by configId, and the hash of the newest record.
func (a *Auditor) Load(ctx context.Context) (managed []deskhand.Managed, recordHead string, err error) {
	states := make(map[string]desktopState) // by the path of the live document
	err = a.branch.Read(ctx, folderState, func(path string, content []byte) error {
		var state desktopState
		if err := decode(content, &state); err != nil {
			return fmt.Errorf("decode %s: %w", path, err)
		}
		if state.ConfigID == "" || statePath(state.ConfigID) != path {
			return fmt.Errorf("decode %s: it is the state of %q", path, state.ConfigID)
		}
		states[livePath(state.ConfigID)] = state
		return nil
	})
	if err != nil {
		return nil, "", fmt.Errorf("load the audit branch of %s: %w", a.tenant, err)
	}
	live := make(map[string]deskhand.Document, len(states))
	err = a.branch.Read(ctx, folderLive, func(path string, content []byte) error {
		document, err := deskhand.ParseDocument(content)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		live[path] = document
		return nil
	})
	if err != nil {
		return nil, "", fmt.Errorf("load the audit branch of %s: %w", a.tenant, err)
	}
	for path, state := range states {
		managed = append(managed, state.managed(live[path]))
	}
	slices.SortFunc(managed, func(a, b deskhand.Managed) int { return cmp.Compare(a.ConfigID, b.ConfigID) })

	ends := newChainEnds()
	if err := visitReadable(ctx, a.branch, folderRecords, ends.add); err != nil {
		return nil, "", fmt.Errorf("load the audit branch of %s: %w", a.tenant, err)
	}
	if heads := ends.heads(); len(heads) > 0 {
		recordHead = heads[len(heads)-1]
	}
	return managed, recordHead, nil
}

// Filter selects records; the zero value of a field selects all.
type Filter struct {
	ConfigID string
	Commit   string // a SHA of the configuration repository, or how one begins
	Event    deskhand.EventType
	Since    time.Time // not before
	Until    time.Time // before
	Limit    int       // the newest so many
}

func (f Filter) selects(record deskhand.Record) bool {
	return (f.ConfigID == "" || f.ConfigID == record.ConfigID) &&
		strings.HasPrefix(record.Commit.SHA, f.Commit) &&
		(f.Event == "" || f.Event == record.Event) &&
		(f.Since.IsZero() || !record.Time.Before(f.Since)) &&
		(f.Until.IsZero() || record.Time.Before(f.Until))
}

// Records lists the records on the branch that the filter selects, oldest first.
func Records(ctx context.Context, branch Branch, filter Filter) ([]deskhand.Record, error) {
	var records []deskhand.Record
	err := visitRecords(ctx, branch, folderRecords, func(line recordLine) error {
		if filter.selects(line.record) {
			records = append(records, line.record)
		}
		if filter.Limit > 0 && len(records) >= 2*filter.Limit {
			records = slices.Clone(records[len(records)-filter.Limit:])
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the audit records: %w", err)
	}
	if filter.Limit > 0 && len(records) > filter.Limit {
		records = records[len(records)-filter.Limit:]
	}
	return records, nil
}

// recordLine is one record as it stands on the branch.
type recordLine struct {
	path   string
	number int    // from 1
	text   []byte // without the line's end
	record deskhand.Record
}

func (l recordLine) String() string { return fmt.Sprintf("%s:%d", l.path, l.number) }

// visitRecords visits the records under the folder by day and batch.
func visitRecords(ctx context.Context, branch Branch, folder string, visit func(recordLine) error) error {
	return visitLines(ctx, branch, folder, func(line recordLine) error {
		if err := decode(line.text, &line.record); err != nil {
			return fmt.Errorf("decode %s: %w (deskhand audit verify says what else is wrong)", line, err)
		}
		return visit(line)
	})
}

// visitReadable is visitRecords without the lines that are no records: nobody's
// scribble on the branch may keep deskhand from writing there.
func visitReadable(ctx context.Context, branch Branch, folder string, visit func(recordLine) error) error {
	return visitLines(ctx, branch, folder, func(line recordLine) error {
		if decode(line.text, &line.record) != nil {
			return nil
		}
		return visit(line)
	})
}

// visitLines visits the lines under the folder, undecoded.
func visitLines(ctx context.Context, branch Branch, folder string, visit func(recordLine) error) error {
	return branch.Read(ctx, folder, func(path string, content []byte) error {
		number := 0
		for text := range bytes.Lines(content) {
			number++
			text = bytes.TrimSuffix(text, []byte("\n"))
			if err := visit(recordLine{path: path, number: number, text: text}); err != nil {
				return err
			}
		}
		return nil
	})
}

// chainEnds finds the records that no other one continues.
type chainEnds struct {
	order     map[string]int // when a hash was first seen
	continued map[string]bool
}

func newChainEnds() *chainEnds {
	return &chainEnds{order: make(map[string]int), continued: make(map[string]bool)}
}

func (c *chainEnds) add(line recordLine) error {
	c.order[hashText(line.text)] = len(c.order)
	c.continued[line.record.Prev] = true
	return nil
}

// heads are the hashes of the ends, in the order of the branch.
func (c *chainEnds) heads() []string {
	ends := slices.Collect(maps.Keys(c.order))
	ends = slices.DeleteFunc(ends, func(hash string) bool { return c.continued[hash] })
	slices.SortFunc(ends, func(a, b string) int { return cmp.Compare(c.order[a], c.order[b]) })
	return ends
}
