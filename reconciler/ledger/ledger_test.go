package ledger_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/deskhand/deskhand"
	"github.com/deskhand/deskhand/reconciler/ledger"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestOpenNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	t.Run("held by another", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		open(t, dir)
		_, err := ledger.Open(dir, ledger.Options{})
		if !errors.Is(err, deskhand.ErrLocked) || !strings.Contains(err.Error(), dir) {
			t.Errorf("got %v, want ErrLocked and the directory", err)
		}
	})
	t.Run("no directory", func(t *testing.T) {
		t.Parallel()
		file := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := ledger.Open(file, ledger.Options{})
		if err == nil || !strings.Contains(err.Error(), file) || !strings.Contains(err.Error(), "dataDir") {
			t.Errorf("got %v, want the directory and what to do", err)
		}
	})
	t.Run("no ledger", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "ledger.db"), []byte(strings.Repeat("not a ledger", 1000)), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := ledger.Open(dir, ledger.Options{})
		if err == nil || !strings.Contains(err.Error(), dir) {
			t.Errorf("got %v, want an error that names the file", err)
		}
	})
}

func TestSettleClosesTheIntentAndKeepsTheDesktop(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l := open(t, dir)
	first, second := newID(), newID()
	if err := l.Intend(t.Context(), []deskhand.Intent{intent(first, "dsk-a"), intent(second, "dsk-b")}); err != nil {
		t.Fatal(err)
	}
	settlement := settled("dsk-a", document(t, `{"layout":{"gridColumns":8}}`))
	settlement.IntentID = first
	settle(t, l, settlement)
	if settlement.Record.ID != "" {
		t.Error("the caller's record was changed")
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}

	l = open(t, dir)
	intents, err := l.Intents(t.Context(), acme)
	if err != nil || len(intents) != 1 || intents[0].ID != second {
		t.Errorf("got intents %v, %v, want the one that was not settled", intents, err)
	}
	managed, err := l.Managed(t.Context(), acme)
	if diff := cmp.Diff([]deskhand.Managed{*settlement.Managed}, managed, documentsByText); err != nil || diff != "" {
		t.Errorf("managed: %v\n%s", err, diff)
	}
	err = l.Settle(t.Context(), acme, []deskhand.Settlement{settlement})
	if !errors.Is(err, ledger.ErrNoIntent) || l.Tail() != 1 {
		t.Errorf("settled twice: got %v and %d entries, want ErrNoIntent and 1", err, l.Tail())
	}
}

var documentsByText = cmp.Transformer("text", deskhand.Document.String)

func TestSettleIsAllOrNothing(t *testing.T) {
	t.Parallel()
	l := open(t, t.TempDir())
	good, bad := settled("dsk-a", document(t, `{}`)), settled("dsk-b", document(t, `{}`))
	bad.IntentID = newID()
	if err := l.Settle(t.Context(), acme, []deskhand.Settlement{good, bad}); !errors.Is(err, ledger.ErrNoIntent) {
		t.Errorf("got %v, want ErrNoIntent", err)
	}
	if managed, err := l.Managed(t.Context(), acme); err != nil || len(managed) != 0 || l.Tail() != 0 {
		t.Errorf("got %v, %v and %d entries, want nothing", managed, err, l.Tail())
	}
}

func TestForget(t *testing.T) {
	t.Parallel()
	l := open(t, t.TempDir())
	settle(t, l, settled("dsk-a", document(t, `{}`)), settled("dsk-b", document(t, `{}`)))
	id := newID()
	if err := l.Intend(t.Context(), []deskhand.Intent{intent(id, "dsk-a")}); err != nil {
		t.Fatal(err)
	}
	settle(t, l,
		deskhand.Settlement{IntentID: id, Managed: &deskhand.Managed{ConfigID: "dsk-a"}, Forget: true},
		deskhand.Settlement{Record: &deskhand.Record{ConfigID: "dsk-b", Event: deskhand.EventDeleted}, Forget: true})
	if err := l.Settle(t.Context(), acme, []deskhand.Settlement{{Forget: true}}); err == nil {
		t.Error("a settlement that forgets nobody knows what is accepted")
	}
	managed, err := l.Managed(t.Context(), acme)
	if err != nil || len(managed) != 0 {
		t.Errorf("got %v, %v, want none", managed, err)
	}
	entries, err := l.Entries(t.Context(), 2, 10)
	if err != nil || len(entries) != 1 || !entries[0].Removed || entries[0].Managed != nil {
		t.Errorf("got %+v, %v, want one entry that removes", entries, err)
	}
}

func TestManyWorkersMakeOneChainForEachTenant(t *testing.T) {
	t.Parallel()
	const workers, each = 16, 20
	l := open(t, t.TempDir())
	tenants := []deskhand.Tenant{acme, "globex"}
	var group sync.WaitGroup
	for worker := range workers {
		group.Go(func() {
			for i := range each {
				live := document(t, fmt.Sprintf(`{"n":%d}`, i))
				one := settled(fmt.Sprintf("dsk-%d-%d", worker, i), live)
				if err := l.Settle(t.Context(), tenants[worker%2], []deskhand.Settlement{one}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	entries, err := l.Entries(t.Context(), 0, 1000)
	if err != nil || len(entries) != workers*each {
		t.Fatalf("got %d entries, %v, want %d", len(entries), err, workers*each)
	}
	heads := make(map[deskhand.Tenant]string)
	for i, entry := range entries {
		hash, err := ledger.HashRecord(entry.Record)
		if err != nil || hash != entry.Hash {
			t.Fatalf("entry %d: its hash is %s, but %s of what was read, %v", entry.Seq, entry.Hash, hash, err)
		}
		if entry.Seq != uint64(i+1) || entry.Record.Prev != heads[entry.Record.Tenant] {
			t.Fatalf("entry %d: it breaks the chain", entry.Seq)
		}
		if i > 0 && entry.Record.ID <= entries[i-1].Record.ID {
			t.Fatalf("entry %d: its id is not after the one before", entry.Seq)
		}
		heads[entry.Record.Tenant] = entry.Hash
	}
}

func TestIDsGrowThoughTheClockIsSetBack(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	last := ""
	for hours := range 3 {
		clock := time.Date(2026, 3, 1, 12-hours, 0, 0, 0, time.UTC)
		l, err := ledger.Open(dir, ledger.Options{Now: func() time.Time { return clock }})
		if err != nil {
			t.Fatal(err)
		}
		settle(t, l, settled("dsk-a", document(t, `{}`)))
		entries, err := l.Entries(t.Context(), l.Tail()-1, 1)
		if err != nil || entries[0].Record.ID <= last || !entries[0].Record.Time.Equal(clock) {
			t.Errorf("got %+v, %v, want an id after %s at %s", entries, err, last, clock)
		}
		last = entries[0].Record.ID
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestRecordsKeepEveryDigit(t *testing.T) {
	t.Parallel()
	l := open(t, t.TempDir())
	rapid.Check(t, func(t *rapid.T) {
		number := json.Number(rapid.StringMatching(`-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,20})?(e[+-]?[0-9]{1,3})?`).Draw(t, "number"))
		record := deskhand.Record{Changes: []deskhand.Edit{{Before: map[string]any{"deep": []any{number}}}}}
		if err := l.Settle(t.Context(), acme, []deskhand.Settlement{{Record: &record}}); err != nil {
			t.Fatal(err)
		}
		entries, err := l.Entries(t.Context(), l.Tail()-1, 1)
		if err != nil {
			t.Fatal(err)
		}
		if hash, err := ledger.HashRecord(entries[0].Record); err != nil || hash != entries[0].Hash {
			t.Fatalf("the record does not hash to %s: %s, %v", entries[0].Hash, hash, err)
		}
		// A number that no float64 holds is kept as a string.
		kept := fmt.Sprint(entries[0].Record.Changes[0].Before.(map[string]any)["deep"].([]any)[0])
		got, err := deskhand.NewDocument(map[string]any{"": json.Number(kept)})
		want, wantErr := deskhand.NewDocument(map[string]any{"": number})
		if err != nil || wantErr != nil || got != want {
			t.Fatalf("got %v, want %s", kept, number)
		}
	})
}

func TestWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := open(t, t.TempDir())
		got := make(chan error)
		go func() { got <- l.Wait(t.Context(), 1) }()
		settle(t, l, settled("dsk-a", document(t, `{}`)))
		synctest.Wait()
		select {
		case err := <-got:
			t.Fatalf("it returned %v too early", err)
		default:
		}
		settle(t, l, settled("dsk-a", document(t, `{}`)))
		if err := <-got; err != nil {
			t.Error(err)
		}
		go func() { got <- l.Wait(t.Context(), 2) }()
		synctest.Wait()
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		if err := <-got; !errors.Is(err, ledger.ErrClosed) {
			t.Errorf("got %v, want ErrClosed", err)
		}
		if err := l.SetCursor("x", 1); !errors.Is(err, ledger.ErrClosed) {
			t.Errorf("got %v, want ErrClosed", err)
		}
	})
}

func TestCursorsNeverGoBack(t *testing.T) {
	t.Parallel()
	l := open(t, t.TempDir())
	for _, seq := range []uint64{3, 7, 5} {
		if err := l.SetCursor("audit/acme", seq); err != nil {
			t.Fatal(err)
		}
	}
	if seq, err := l.Cursor("audit/acme"); err != nil || seq != 7 {
		t.Errorf("got %d, %v, want 7", seq, err)
	}
	if seq, err := l.Cursor("unknown"); err != nil || seq != 0 {
		t.Errorf("got %d, %v, want 0", seq, err)
	}
}

func TestReaders(t *testing.T) {
	t.Parallel()
	l := open(t, t.TempDir())
	load := func() (map[string]string, uint64, bool) {
		values := make(map[string]string)
		cursor, known, err := l.LoadReader(t.Context(), "notify/itsm", func(key string, value []byte) error {
			values[key] = string(value)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return values, cursor, known
	}
	if values, cursor, known := load(); known || cursor != 0 || len(values) != 0 {
		t.Errorf("got %v, %d, %t of a reader that never saved", values, cursor, known)
	}
	for _, values := range []map[string][]byte{{"a": []byte("1"), "b": []byte("2")}, {"a": nil, "c": []byte("3")}} {
		if err := l.SaveReader(t.Context(), "notify/itsm", 4, values); err != nil {
			t.Fatal(err)
		}
	}
	values, cursor, known := load()
	if diff := cmp.Diff(map[string]string{"b": "2", "c": "3"}, values); diff != "" || cursor != 4 || !known {
		t.Errorf("cursor %d, known %t\n%s", cursor, known, diff)
	}
}

func TestRestore(t *testing.T) {
	t.Parallel()
	l := open(t, t.TempDir())
	want := []deskhand.Managed{*settled("dsk-a", document(t, `{"n":1}`)).Managed, *settled("dsk-b", document(t, `{"n":2}`)).Managed}
	if err := l.Restore(t.Context(), acme, want, "cafe"); err != nil {
		t.Fatal(err)
	}
	got, err := l.Managed(t.Context(), acme)
	if diff := cmp.Diff(want, got, documentsByText); err != nil || diff != "" {
		t.Errorf("managed: %v\n%s", err, diff)
	}
	settle(t, l, settled("dsk-a", document(t, `{}`)))
	entries, err := l.Entries(t.Context(), 0, 1)
	if err != nil || entries[0].Record.Prev != "cafe" {
		t.Errorf("got %+v, %v, want a record that continues the branch's", entries, err)
	}
	if err := l.Restore(t.Context(), acme, nil, ""); !errors.Is(err, ledger.ErrNotEmpty) {
		t.Errorf("got %v, want ErrNotEmpty", err)
	}
}

func TestTrimKeepsWhatAReaderStillNeeds(t *testing.T) {
	t.Parallel()
	clock := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	l, err := ledger.Open(t.TempDir(), ledger.Options{Now: func() time.Time { return clock }})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	for range 6 {
		settle(t, l, settled("dsk-a", document(t, `{}`)))
		clock = clock.Add(24 * time.Hour)
	}
	first := func() uint64 {
		entries, err := l.Entries(t.Context(), 0, 1)
		if err != nil || len(entries) == 0 {
			t.Fatalf("got %v, %v, want an entry", entries, err)
		}
		return entries[0].Seq
	}
	for _, step := range []struct {
		cursor uint64
		keep   time.Duration
		want   uint64
	}{
		{cursor: 0, keep: 0, want: 1},
		{cursor: 2, keep: 0, want: 3},
		{cursor: 6, keep: 3*24*time.Hour + time.Minute, want: 4},
		{cursor: 6, keep: 2*24*time.Hour + time.Minute, want: 5},
		{cursor: 6, keep: 0, want: 6},
	} {
		if err := l.SetCursor("slow", step.cursor); err != nil {
			t.Fatal(err)
		}
		if err := l.SetCursor("fast", 6); err != nil {
			t.Fatal(err)
		}
		if err := l.Trim(t.Context(), step.keep, []string{"fast", "slow"}); err != nil {
			t.Fatal(err)
		}
		if got := first(); got != step.want {
			t.Errorf("cursor %d, keep %s: the first entry is %d, want %d", step.cursor, step.keep, got, step.want)
		}
	}
}
