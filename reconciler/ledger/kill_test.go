package ledger_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/deskhand/deskhand"
	"github.com/deskhand/deskhand/reconciler/ledger"
	"github.com/rs/zerolog"
)

// runChild settles intents for ever, and says on stdout what the ledger has
// promised, until it is killed.
func runChild(dir string) int {
	if err := promise(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func promise(dir string) error {
	l, err := ledger.Open(dir, ledger.Options{})
	if err != nil {
		return err
	}
	ctx := context.Background()
	branch := folderBranch{dir: filepath.Join(dir, "branch")}
	a := ledger.NewAuditor(l, acme, branch, zerolog.Nop())
	go func() { _ = a.Run(ctx) }()
	for worker := range 3 {
		go func() {
			for i := 0; ; i++ {
				if err := promiseOne(ctx, l, fmt.Sprintf("dsk-%d-%d", worker, i%5)); err != nil {
					fmt.Fprintln(os.Stderr, err)
					return
				}
			}
		}()
	}
	for {
		tail := l.Tail()
		if err := a.Flush(ctx); err != nil {
			return err
		}
		fmt.Println("flushed", tail)
	}
}

func promiseOne(ctx context.Context, l *ledger.Ledger, configID string) error {
	id := newID()
	if err := l.Intend(ctx, []deskhand.Intent{intent(id, configID)}); err != nil {
		return err
	}
	fmt.Println("intended", id)
	settlement := deskhand.Settlement{
		IntentID: id,
		Record:   &deskhand.Record{ConfigID: configID, Event: deskhand.EventUpdated, Why: id},
		Managed:  &deskhand.Managed{ConfigID: configID},
	}
	if err := l.Settle(ctx, acme, []deskhand.Settlement{settlement}); err != nil {
		return err
	}
	fmt.Println("settled", id)
	return nil
}

func TestKilledProcessesKeepTheirPromises(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	branch := folderBranch{dir: filepath.Join(dir, "branch")}
	if err := os.Mkdir(branch.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	promised := make(map[string]map[string]bool)
	for range 8 {
		for _, line := range killedChild(t, dir) {
			verb, what, _ := strings.Cut(line, " ")
			if promised[verb] == nil {
				promised[verb] = make(map[string]bool)
			}
			promised[verb][what] = true
		}
		checkPromises(t, dir, branch, promised)
	}
	if len(promised["settled"]) == 0 || len(promised["flushed"]) == 0 {
		t.Errorf("only %d settled and %d flushed: the children did nothing", len(promised["settled"]), len(promised["flushed"]))
	}
}

// killedChild runs a child, kills it at a random moment of its work, and returns
// the lines that it wrote.
func killedChild(t *testing.T, dir string) []string {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^$")
	child.Env = append(os.Environ(), childEnv+"="+dir)
	child.Stderr = os.Stderr
	output, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	var lines []string
	scanner := bufio.NewScanner(output)
	for scanner.Scan() {
		if len(lines) == 0 {
			time.AfterFunc(rand.N(300*time.Millisecond), func() { _ = child.Process.Kill() })
		}
		lines = append(lines, scanner.Text())
	}
	_ = child.Wait() // it was killed
	return lines
}

// checkPromises opens what the killed process left, and then has an auditor write
// what is missing on the branch.
func checkPromises(t *testing.T, dir string, branch folderBranch, promised map[string]map[string]bool) {
	t.Helper()
	l, err := ledger.Open(dir, ledger.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}()
	entries, err := l.Entries(t.Context(), 0, 1_000_000)
	if err != nil {
		t.Fatal(err)
	}
	records := make(map[string]int)
	for _, entry := range entries {
		records[entry.Record.Why]++
	}
	intents, err := l.Intents(t.Context(), acme)
	if err != nil {
		t.Fatal(err)
	}
	open := make(map[string]bool)
	for _, intent := range intents {
		open[intent.ID] = true
	}
	for id := range promised["settled"] {
		if records[id] != 1 || open[id] {
			t.Errorf("the settled intent %s has %d records, open: %t", id, records[id], open[id])
		}
	}
	for id := range promised["intended"] {
		if settled := records[id] == 1; settled == open[id] || records[id] > 1 {
			t.Errorf("the intent %s has %d records, open: %t", id, records[id], open[id])
		}
	}

	before := recordsOn(t, branch)
	cursor, err := l.Cursor("audit/acme")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		flushed := entry.Seq <= cursor || promised["flushed"][fmt.Sprint(entry.Seq)]
		if flushed && before[entry.Record.ID] != 1 {
			t.Errorf("entry %d is %d times on the branch, though it is flushed", entry.Seq, before[entry.Record.ID])
		}
	}
	a := auditor(l, branch)
	flush(t, a)
	verify(t, branch, len(entries))
	after := recordsOn(t, branch)
	for id, times := range after {
		if times != 1 {
			t.Errorf("record %s is %d times on the branch", id, times)
		}
	}
	if len(after) != len(entries) {
		t.Errorf("got %d records on the branch, want %d", len(after), len(entries))
	}
}

func recordsOn(t *testing.T, branch ledger.Branch) map[string]int {
	t.Helper()
	records, err := ledger.Records(t.Context(), branch, ledger.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	count := make(map[string]int)
	for _, record := range records {
		count[record.ID]++
	}
	return count
}
