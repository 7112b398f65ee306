package ledger_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/deskhand/deskhand"
	"github.com/deskhand/deskhand/reconciler/ledger"
	"github.com/oklog/ulid/v2"
)

const acme deskhand.Tenant = "acme"

func open(t *testing.T, dir string) *ledger.Ledger {
	t.Helper()
	l, err := ledger.Open(dir, ledger.Options{Actor: deskhand.Actor{Version: "1.2.3", Host: "desk-1"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

func document(t testing.TB, text string) deskhand.Document {
	t.Helper()
	parsed, err := deskhand.ParseDocument([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

func intent(id, configID string) deskhand.Intent {
	return deskhand.Intent{ID: id, Tenant: acme, Change: deskhand.Change{Op: deskhand.OpUpdate, ConfigID: configID}}
}

func newID() string { return ulid.Make().String() }

// settled is an update of the desktop to the given live document.
func settled(configID string, live deskhand.Document) deskhand.Settlement {
	commit := deskhand.RecordCommit{
		SHA: strings.Repeat("abc1", 10), Ref: "main", Author: "Ada <ada@example.com>", Subject: "Widen the grid",
	}
	return deskhand.Settlement{
		Record: &deskhand.Record{
			ConfigID: configID,
			File:     "desktops/standard/" + configID + ".yaml",
			Tier:     deskhand.TierStandard,
			Event:    deskhand.EventUpdated,
			State:    deskhand.StateInSync,
			Commit:   commit,
			Trigger:  deskhand.TriggerPush,
			Outcome:  deskhand.OutcomeApplied,
			Changes:  []deskhand.Edit{{Path: "/layout/gridColumns", Before: json.Number("12"), After: json.Number("8")}},
		},
		Managed: &deskhand.Managed{
			ConfigID: configID,
			File:     "desktops/standard/" + configID + ".yaml",
			Tier:     deskhand.TierStandard,
			Base:     live,
			Live:     live,
			ETag:     `"1"`,
			State:    deskhand.StateInSync,
			Since:    time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC),
			Commit:   commit.SHA,
		},
	}
}

func settle(t *testing.T, l *ledger.Ledger, settlements ...deskhand.Settlement) {
	t.Helper()
	if err := l.Settle(t.Context(), acme, settlements); err != nil {
		t.Fatal(err)
	}
}

// memoryBranch is an audit branch that keeps every commit.
type memoryBranch struct {
	mu      sync.Mutex
	commits []memoryCommit
	remote  int // commits that were pushed
	// commitErr, where set, is asked before a commit is made, and lost after it.
	commitErr, lostErr, syncErr func() error
	// theirs is what another writer pushed and Reset takes over.
	theirs []memoryCommit
	resets int
}

type memoryCommit struct {
	files   map[string][]byte
	message string
	at      time.Time
}

func (b *memoryBranch) Commit(_ context.Context, files map[string][]byte, message string, at time.Time) (string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.commitErr != nil {
		if err := b.commitErr(); err != nil {
			return "", err
		}
	}
	b.commits = append(b.commits, memoryCommit{files: maps.Clone(files), message: message, at: at})
	if b.lostErr != nil {
		if err := b.lostErr(); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%040x", len(b.commits)), nil
}

func (b *memoryBranch) tree() map[string][]byte {
	files := make(map[string][]byte)
	for _, commit := range b.commits {
		for path, content := range commit.files {
			if content == nil {
				delete(files, path)
				continue
			}
			files[path] = content
		}
	}
	return files
}

func (b *memoryBranch) Read(_ context.Context, folder string, visit func(string, []byte) error) error {
	b.mu.Lock()
	files := b.tree()
	b.mu.Unlock()
	for _, path := range slices.Sorted(maps.Keys(files)) {
		if strings.HasPrefix(path, folder+"/") {
			if err := visit(path, files[path]); err != nil {
				return err
			}
		}
	}
	return nil
}

func (b *memoryBranch) Sync(context.Context) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.syncErr != nil {
		if err := b.syncErr(); err != nil {
			return err
		}
	}
	b.remote = len(b.commits)
	return nil
}

func (b *memoryBranch) Reset(context.Context) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.resets++
	b.commits = append(slices.Clone(b.commits[:b.remote]), b.theirs...)
	b.remote = len(b.commits)
	b.theirs = nil
	return nil
}

func (b *memoryBranch) messages() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var messages []string
	for _, commit := range b.commits {
		messages = append(messages, commit.message)
	}
	return messages
}

func (b *memoryBranch) pushed() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.remote
}

// once returns err the first time and nil ever after.
func once(err error) func() error {
	return func() error {
		returned := err
		err = nil
		return returned
	}
}

// folderBranch is an audit branch on disk, whose commits are there whole or not at
// all, for processes that get killed.
type folderBranch struct{ dir string }

func (b folderBranch) Commit(_ context.Context, files map[string][]byte, message string, _ time.Time) (string, error) {
	commits, err := b.commits()
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(folderCommit{Files: files, Message: message})
	if err != nil {
		return "", err
	}
	name := fmt.Sprintf("%08d.json", len(commits))
	staged := filepath.Join(b.dir, "staged")
	if err := os.WriteFile(staged, text, 0o600); err != nil {
		return "", err
	}
	return name, os.Rename(staged, filepath.Join(b.dir, name))
}

type folderCommit struct {
	Files   map[string][]byte
	Message string
}

func (b folderBranch) commits() ([]folderCommit, error) {
	names, err := filepath.Glob(filepath.Join(b.dir, "*.json"))
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	var commits []folderCommit
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		var commit folderCommit
		if err := json.Unmarshal(text, &commit); err != nil {
			return nil, err
		}
		commits = append(commits, commit)
	}
	return commits, nil
}

func (b folderBranch) Read(ctx context.Context, folder string, visit func(string, []byte) error) error {
	commits, err := b.commits()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	memory := memoryBranch{}
	for _, commit := range commits {
		memory.commits = append(memory.commits, memoryCommit{files: commit.Files})
	}
	return memory.Read(ctx, folder, visit)
}

func (b folderBranch) Sync(context.Context) error { return nil }
