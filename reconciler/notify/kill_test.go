package notify_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/deskhand/deskhand"
	"github.com/deskhand/deskhand/reconciler/ledger"
	"github.com/deskhand/deskhand/reconciler/notify"
)

// sinkEnv is the URL that the child posts to.
const sinkEnv = "DESKHAND_NOTIFY_SINK"

// runChild journals records and delivers them, until it is killed.
func runChild(dir string) int {
	if err := deliver(dir, os.Getenv(sinkEnv)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func local(url string) notify.Sink {
	return notify.Sink{Name: "itsm", URL: url, AllowPrivate: true}
}

func deliver(dir, url string) error {
	l, err := ledger.Open(dir, ledger.Options{})
	if err != nil {
		return err
	}
	n, err := notify.New(local(url), l, l, notify.Options{})
	if err != nil {
		return err
	}
	ctx := context.Background()
	go func() { _ = n.Run(ctx) }()
	fmt.Println("running")
	for i := 0; ; i++ {
		one := record(fmt.Sprintf("dsk-%d", i%5), deskhand.EventUpdated)
		if err := l.Settle(ctx, acme, []deskhand.Settlement{{Record: &one}}); err != nil {
			return err
		}
	}
}

// flakySink is a webhook that fails now and then.
type flakySink struct {
	mu  sync.Mutex
	got map[string]int // deliveries by event
	all []string       // events in the order of their first delivery
}

func (s *flakySink) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	if rand.N(50) == 0 {
		http.Error(w, "try again", http.StatusInternalServerError)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	id := request.Header.Get("webhook-id")
	if s.got[id] == 0 {
		s.all = append(s.all, id)
	}
	s.got[id]++
	w.WriteHeader(http.StatusNoContent)
}

func (s *flakySink) distinct() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.all)
}

func TestKilledProcessesDeliverEveryEvent(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	sink := &flakySink{got: make(map[string]int)}
	server := httptest.NewServer(sink)
	defer server.Close()
	for range 5 {
		runAndKill(t, dir, server.URL)
	}

	l, err := ledger.Open(dir, ledger.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	entries, err := l.Entries(t.Context(), 0, 1_000_000)
	if err != nil || len(entries) == 0 {
		t.Fatalf("got %d entries, %v: the children did nothing", len(entries), err)
	}
	n, err := notify.New(local(server.URL), l, l, notify.Options{})
	if err != nil {
		t.Fatal(err)
	}
	stop := run(t, n)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for tick := time.NewTicker(20 * time.Millisecond); sink.distinct() < len(entries); {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("got %d of %d events; %+v", sink.distinct(), len(entries), n.Status())
		}
	}
	stop()

	desktopOf := make(map[string]string)
	for _, entry := range entries {
		desktopOf[entry.Record.ID] = entry.Record.ConfigID
	}
	last := make(map[string]string)
	for _, id := range sink.all {
		desktop, known := desktopOf[id]
		if !known || id <= last[desktop] {
			t.Errorf("%s of %q came after %s, or out of nowhere", id, desktop, last[desktop])
		}
		last[desktop] = id
	}
}

// runAndKill runs a child and kills it at a random moment of its work.
func runAndKill(t *testing.T, dir, url string) {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^$")
	child.Env = append(os.Environ(), childEnv+"="+dir, sinkEnv+"="+url)
	child.Stderr = os.Stderr
	output, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	for scanner := bufio.NewScanner(output); scanner.Scan(); {
		time.AfterFunc(rand.N(300*time.Millisecond), func() { _ = child.Process.Kill() })
	}
	_ = child.Wait() // it was killed
}
