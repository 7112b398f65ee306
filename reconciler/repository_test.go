package reconciler_test

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"

	"github.com/deskhand/deskhand"
)

// repository is a git repository as deskhand sees one: what each commit asks for.
// It is the policy too, which refuses the desktops of the forbidden tier.
type repository struct {
	mutex   sync.Mutex
	commits map[string]revision // by SHA
	head    revision
}

// revision is the content of a commit.
type revision struct {
	commit     deskhand.Commit
	desktops   map[string]deskhand.Document // by configId
	copies     map[string]deskhand.Document // the same configIds again, in other files
	unreadable []deskhand.Unreadable
}

func newRepository() *repository { return &repository{commits: map[string]revision{}} }

// merge makes a commit on the last one.
func (r *repository) merge(change func(next *revision)) deskhand.Commit {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	number := len(r.commits) + 1
	next := revision{desktops: maps.Clone(r.head.desktops), copies: maps.Clone(r.head.copies)}
	if next.desktops == nil {
		next.desktops, next.copies = map[string]deskhand.Document{}, map[string]deskhand.Document{}
	}
	change(&next)
	next.commit = deskhand.Commit{
		SHA: fmt.Sprintf("%040x", number), Ref: "main", Subject: fmt.Sprintf("Commit %d", number),
		Author: deskhand.Person{Name: "Ada", Email: "ada@example.com"},
	}
	r.commits[next.commit.SHA], r.head = next, next
	return next.commit
}

// set is a commit that changes one desktop.
func (r *repository) set(configID string, document deskhand.Document) deskhand.Commit {
	return r.merge(func(next *revision) { next.desktops[configID] = document })
}

func fileOf(configID string) string { return "desktops/standard/" + configID + ".yaml" }

// Snapshot implements reconciler.Source.
func (r *repository) Snapshot(_ context.Context, commit deskhand.Commit) (deskhand.Snapshot, error) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	content, isKnown := r.commits[commit.SHA]
	if !isKnown {
		return deskhand.Snapshot{}, fmt.Errorf("%s: %w", commit.SHA, deskhand.ErrNoCommit)
	}
	snapshot := deskhand.Snapshot{Tenant: acme, Commit: commit, Unreadable: content.unreadable}
	add := func(configID, file string, document deskhand.Document) {
		snapshot.Desktops = append(snapshot.Desktops, deskhand.Desktop{
			ConfigID: configID, Tier: deskhand.TierStandard, File: file,
			Definition: document, Document: document, Fingerprint: file + document.String(),
		})
	}
	for configID, document := range content.desktops {
		add(configID, fileOf(configID), document)
	}
	for configID, document := range content.copies {
		add(configID, fileOf("copy-of-"+configID), document)
	}
	slices.SortFunc(snapshot.Desktops, func(a, b deskhand.Desktop) int { return cmp.Compare(a.File, b.File) })
	return snapshot, nil
}

// forbidden is the tier that the policy refuses.
const forbidden = "forbidden"

// Review implements reconciler.Reviewer. Nothing is optimised.
func (r *repository) Review(_ context.Context, snapshot deskhand.Snapshot) (deskhand.Review, error) {
	review := deskhand.Review{Desktops: make([]deskhand.Reviewed, 0, len(snapshot.Desktops))}
	defined := map[string]int{}
	for _, desktop := range snapshot.Desktops {
		defined[desktop.ConfigID]++
	}
	for _, desktop := range snapshot.Desktops {
		reviewed := deskhand.Reviewed{Desktop: desktop, Optimised: desktop.Document, Score: 100}
		refuse := func(rule string) {
			reviewed.Refused, reviewed.Score = true, 0
			reviewed.Findings = append(reviewed.Findings, deskhand.Finding{
				Rule: rule, Severity: deskhand.SeverityError, File: desktop.File, ConfigID: desktop.ConfigID,
			})
		}
		if desktop.Document.Fields()["licenseTier"] == forbidden {
			refuse("tier/mismatch")
		}
		if defined[desktop.ConfigID] > 1 {
			refuse("identity/duplicate")
		}
		review.Desktops = append(review.Desktops, reviewed)
	}
	return review, nil
}

// Head implements reconciler.Branch.
func (r *repository) Head(context.Context) (deskhand.Commit, error) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.head.commit.IsZero() {
		return deskhand.Commit{}, deskhand.ErrNoCommit
	}
	return r.head.commit, nil
}

// voice is a desktop with a grid of so many columns; more members may be given.
func voice(t testing.TB, columns int, members ...string) deskhand.Document {
	t.Helper()
	fields := map[string]any{
		"licenseTier": "standard",
		"layout":      map[string]any{"gridColumns": columns, "primaryWorkspace": "voice"},
		"shortcuts": []any{
			map[string]any{"label": "Hold", "action": "hold", "target": "a"},
			map[string]any{"label": "Transfer", "action": "transfer", "target": "b"},
		},
	}
	for _, text := range members {
		document, err := deskhand.ParseDocument([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		maps.Copy(fields, document.Fields())
	}
	document, err := deskhand.NewDocument(fields)
	if err != nil {
		t.Fatal(err)
	}
	return document
}

// setColumns is the hand that widens the grid.
func setColumns(columns int) func(map[string]any) {
	return func(fields map[string]any) {
		fields["layout"].(map[string]any)["gridColumns"] = columns
	}
}

// addShortcut is the hand that adds an entry.
func addShortcut(label string) func(map[string]any) {
	return func(fields map[string]any) {
		fields["shortcuts"] = append(fields["shortcuts"].([]any), map[string]any{"label": label, "action": "note", "target": "byhand"})
	}
}
