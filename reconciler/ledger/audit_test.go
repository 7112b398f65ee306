package ledger_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/deskhand/deskhand"
	"github.com/deskhand/deskhand/reconciler/ledger"
	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"
)

var update = flag.Bool("update", false, "write the golden files")

func auditor(l *ledger.Ledger, branch ledger.Branch) *ledger.Auditor {
	return ledger.NewAuditor(l, acme, branch, zerolog.Nop())
}

func flush(t *testing.T, a *ledger.Auditor) {
	t.Helper()
	if err := a.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// verify fails the test unless the branch holds exactly so many records in one
// unbroken chain.
func verify(t *testing.T, branch ledger.Branch, records int) ledger.Verification {
	t.Helper()
	got, err := ledger.Verify(t.Context(), branch)
	if err != nil || !got.OK() || got.Records != records {
		t.Fatalf("got %+v, %v, want %d records without a problem", got, err, records)
	}
	return got
}

func TestBatches(t *testing.T) {
	t.Parallel()
	l, branch := open(t, t.TempDir()), &memoryBranch{}
	a := auditor(l, branch)

	var created []deskhand.Settlement
	for i := range 10 {
		one := settled(fmt.Sprintf("dsk-%d", i), document(t, fmt.Sprintf(`{"n":%d}`, i)))
		one.Record.Event = deskhand.EventCreated
		created = append(created, one)
	}
	again := settled("dsk-3", document(t, `{"n":33}`))
	other := settled("dsk-4", document(t, `{"n":44}`))
	other.Record.Commit.SHA = strings.Repeat("f", 40)
	failed := settled("dsk-5", document(t, `{"n":5}`))
	failed.Record.Commit = other.Record.Commit
	failed.Record.Event, failed.Record.Outcome = deskhand.EventFailed, deskhand.OutcomeFailed
	platform := deskhand.Settlement{Record: &deskhand.Record{Event: deskhand.EventDegraded, Outcome: deskhand.OutcomeReported}}
	settle(t, l, append(created, again, other, failed, platform)...)
	if err := l.Settle(t.Context(), "globex", []deskhand.Settlement{settled("dsk-x", document(t, `{}`))}); err != nil {
		t.Fatal(err)
	}
	flush(t, a)

	var subjects []string
	for _, message := range branch.messages() {
		subjects = append(subjects, strings.SplitN(message, "\n", 2)[0])
	}
	want := []string{
		"created dsk-0, dsk-1 and 8 more (main@abc1abc)",
		"updated dsk-3 (main@abc1abc)",
		"updated dsk-4; failed dsk-5 (main@fffffff)",
		"platform degraded",
	}
	if diff := cmp.Diff(want, subjects); diff != "" {
		t.Error(diff)
	}
	got := verify(t, branch, 14)
	last := branch.messages()[len(branch.messages())-1]
	if len(got.Heads) != 1 || !strings.Contains(last, "Record-Head: "+got.Heads[0]+"\n") {
		t.Errorf("the head %v is not in %q", got.Heads, last)
	}
	flush(t, a)
	if n := len(branch.messages()); n != 4 {
		t.Errorf("a second flush made %d commits", n-4)
	}
}

func TestTree(t *testing.T) {
	t.Parallel()
	clock := time.Date(2026, 11, 22, 10, 30, 0, 0, time.UTC)
	l, err := ledger.Open(t.TempDir(), ledger.Options{
		Actor: deskhand.Actor{Version: "1.2.3", Host: "desk-1"},
		Now:   func() time.Time { return clock },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	kept := settled("dsk-a", document(t, `{"licenseTier":"standard","layout":{"gridColumns":8}}`))
	drifted := settled("../Ünsafe id", document(t, `{"layout":{"gridColumns":9}}`))
	drifted.Managed.Base = document(t, `{"layout":{"gridColumns":8}}`)
	drifted.Managed.State = deskhand.StateDrifted
	drifted.Managed.Reported = "key"
	absent := settled("dsk-absent", deskhand.Document{})
	removed := settled("dsk-removed", document(t, `{}`))
	settle(t, l, kept, drifted, absent, removed)
	settle(t, l, deskhand.Settlement{Record: &deskhand.Record{ConfigID: "dsk-removed", Event: deskhand.EventDeleted}, Forget: true})
	branch := &memoryBranch{}
	a := auditor(l, branch)
	flush(t, a)

	entries, err := l.Entries(t.Context(), 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	names := []string{}
	for _, entry := range entries {
		names = append(names, entry.Record.ID, fmt.Sprintf("<id %d>", entry.Seq), entry.Hash, fmt.Sprintf("<hash %d>", entry.Seq))
	}
	stable := strings.NewReplacer(names...)
	var text strings.Builder
	for _, commit := range branch.commits {
		fmt.Fprintf(&text, "=== commit at %s\n%s", commit.at.Format(time.RFC3339), stable.Replace(commit.message))
	}
	for _, folder := range []string{"live", "records", "state"} {
		err := branch.Read(t.Context(), folder, func(path string, content []byte) error {
			fmt.Fprintf(&text, "=== %s\n%s", stable.Replace(path), stable.Replace(string(content)))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	golden(t, "tree.txt", text.String())

	managed, head, err := a.Load(t.Context())
	want := []deskhand.Managed{*drifted.Managed, *kept.Managed, *absent.Managed}
	if diff := cmp.Diff(want, managed, documentsByText); err != nil || diff != "" {
		t.Errorf("load: %v\n%s", err, diff)
	}
	if last := entries[len(entries)-1]; head != last.Hash {
		t.Errorf("the head is %s, want %s", head, last.Hash)
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Error(diff)
	}
}

func TestMessagesTakeNoLinesFromElsewhere(t *testing.T) {
	t.Parallel()
	l, branch := open(t, t.TempDir()), &memoryBranch{}
	one := settled("dsk\n\nOutcome: applied", document(t, `{}`))
	one.Record.Commit.Author = "Eve\nRecord-Head: 0000\u2028x <eve@example.com>\r\x00"
	one.Record.Commit.Ref = "main\nTenant: other"
	one.Record.Outcome = deskhand.OutcomeFailed
	settle(t, l, one)
	flush(t, auditor(l, branch))
	message := branch.messages()[0]
	if got := strings.Count(message, "\n"); got != 7 {
		t.Errorf("got %d lines in %q", got, message)
	}
	for _, forged := range []string{"\nOutcome: applied", "\nRecord-Head: 0000", "\nTenant: other"} {
		if strings.Contains(message, forged) {
			t.Errorf("%q holds %q", message, forged)
		}
	}
}

func TestACommitWhoseAnswerWasLostIsNotMadeTwice(t *testing.T) {
	t.Parallel()
	l := open(t, t.TempDir())
	branch := &memoryBranch{lostErr: once(errors.New("the disk is full"))}
	settle(t, l, settled("dsk-a", document(t, `{}`)))
	a := auditor(l, branch)
	if err := a.Flush(t.Context()); err == nil {
		t.Error("the error was lost")
	}
	flush(t, a)
	settle(t, l, settled("dsk-a", document(t, `{"n":1}`)))
	flush(t, auditor(l, branch)) // as after a crash before the cursor was set
	verify(t, branch, 2)
}

func TestRunPushesAndMovesTheCursor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := open(t, t.TempDir())
		offline := errors.New("the network is down")
		down := true
		branch := &memoryBranch{syncErr: func() error {
			if down {
				return offline
			}
			return nil
		}}
		a := auditor(l, branch)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- a.Run(ctx) }()

		settle(t, l, settled("dsk-a", document(t, `{}`)), settled("dsk-b", document(t, `{}`)))
		time.Sleep(time.Minute)
		if cursor, err := l.Cursor(a.Cursor()); err != nil || cursor != 0 || len(branch.messages()) != 1 {
			t.Errorf("offline: the cursor is at %d, %v, with %d commits, want 0 and 1", cursor, err, len(branch.messages()))
		}
		branch.mu.Lock()
		down = false
		branch.mu.Unlock()
		time.Sleep(10 * time.Minute)
		if cursor, err := l.Cursor(a.Cursor()); err != nil || cursor != 2 || branch.pushed() != 1 {
			t.Errorf("online: the cursor is at %d, %v, with %d pushed, want 2 and 1", cursor, err, branch.pushed())
		}
		settle(t, l, settled("dsk-a", document(t, `{"n":1}`)))
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if cursor, err := l.Cursor(a.Cursor()); err != nil || cursor != 3 || branch.pushed() != 2 {
			t.Errorf("drained: the cursor is at %d, %v, with %d pushed, want 3 and 2", cursor, err, branch.pushed())
		}
	})
}

func TestAnotherWriter(t *testing.T) {
	t.Parallel()
	elsewhere, theirs := open(t, t.TempDir()), &memoryBranch{}
	settle(t, elsewhere, settled("dsk-theirs", document(t, `{}`)))
	flush(t, auditor(elsewhere, theirs))

	for name, race := range map[string]func(*memoryBranch){
		"found on commit": func(b *memoryBranch) { b.commitErr = once(fmt.Errorf("commit: %w", deskhand.ErrMoved)) },
		"found on push":   func(b *memoryBranch) { b.syncErr = once(fmt.Errorf("push: %w", deskhand.ErrMoved)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				l, branch := open(t, t.TempDir()), &memoryBranch{theirs: theirs.commits}
				race(branch)
				a := auditor(l, branch)
				var moved []error
				a.Moved = func(err error) { moved = append(moved, err) }
				ctx, cancel := context.WithCancel(t.Context())
				ended := make(chan error)
				go func() { ended <- a.Run(ctx) }()
				settle(t, l, settled("dsk-a", document(t, `{}`)), settled("dsk-b", document(t, `{}`)))
				time.Sleep(time.Hour)
				cancel()
				if err := <-ended; err != nil {
					t.Error(err)
				}
				if len(moved) != 1 || !errors.Is(moved[0], deskhand.ErrMoved) || branch.resets != 1 {
					t.Errorf("told %v with %d resets, want ErrMoved once", moved, branch.resets)
				}
				got := verify(t, branch, 3)
				if len(got.Forks) != 1 || branch.pushed() != 2 {
					t.Errorf("got forks %v and %d pushed, want one fork and both commits", got.Forks, branch.pushed())
				}
			})
		})
	}
}

func TestVerifyFindsTampering(t *testing.T) {
	t.Parallel()
	l, branch := open(t, t.TempDir()), &memoryBranch{}
	a := auditor(l, branch)
	for i := range 4 {
		settle(t, l, settled("dsk-a", document(t, fmt.Sprintf(`{"n":%d}`, i))))
		flush(t, a)
	}
	verify(t, branch, 4)
	var paths []string
	for path := range branch.tree() {
		if strings.HasPrefix(path, "records/") {
			paths = append(paths, path)
		}
	}
	for name, tamper := range map[string]func(path string, content []byte) []byte{
		"altered": func(_ string, content []byte) []byte {
			return []byte(strings.Replace(string(content), "Ada", "Eve", 1))
		},
		"removed":  func(string, []byte) []byte { return nil },
		"repeated": func(_ string, content []byte) []byte { return append(content[:len(content):len(content)], content...) },
		"no JSON":  func(string, []byte) []byte { return []byte("{\n") },
		"spaced":   func(_ string, content []byte) []byte { return append([]byte(" "), content...) },
	} {
		for _, path := range paths {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				tampered := &memoryBranch{commits: []memoryCommit{{files: branch.tree()}}}
				tampered.commits = append(tampered.commits, memoryCommit{files: map[string][]byte{
					path: tamper(path, branch.tree()[path]),
				}})
				got, err := ledger.Verify(t.Context(), tampered)
				if err != nil || got.OK() {
					t.Errorf("got %+v, %v, want a problem", got, err)
				}
			})
		}
	}
}

func TestRecordsFilter(t *testing.T) {
	t.Parallel()
	clock := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	start := clock
	l, err := ledger.Open(t.TempDir(), ledger.Options{Now: func() time.Time { return clock }})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	for i := range 10 {
		settle(t, l, settled(fmt.Sprintf("dsk-%d", i%2), document(t, fmt.Sprintf(`{"n":%d}`, i))))
		clock = clock.Add(time.Hour)
	}
	branch := &memoryBranch{}
	flush(t, auditor(l, branch))
	for _, test := range []struct {
		filter ledger.Filter
		want   int
	}{
		{want: 10},
		{filter: ledger.Filter{ConfigID: "dsk-1"}, want: 5},
		{filter: ledger.Filter{Commit: "abc1abc"}, want: 10},
		{filter: ledger.Filter{Commit: "def"}},
		{filter: ledger.Filter{Event: deskhand.EventUpdated, Limit: 3}, want: 3},
		{filter: ledger.Filter{Since: start.Add(2 * time.Hour), Until: start.Add(4 * time.Hour)}, want: 2},
	} {
		records, err := ledger.Records(t.Context(), branch, test.filter)
		if err != nil || len(records) != test.want {
			t.Errorf("%+v: got %d records, %v, want %d", test.filter, len(records), err, test.want)
		}
		if test.filter.Limit > 0 && !records[len(records)-1].Time.Equal(start.Add(9*time.Hour)) {
			t.Errorf("%+v: the newest is missing", test.filter)
		}
	}
}
