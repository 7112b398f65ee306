package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/deskhand/deskhand"
	"github.com/deskhand/deskhand/configs"
	"github.com/deskhand/deskhand/reconciler/ledger"
)

// TestEventsResumesAStoppedSink has a sink ask for no more, and a person who
// knows better.
func TestEventsResumesAStoppedSink(t *testing.T) {
	t.Parallel()
	gone := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusGone) }))
	defer gone.Close()
	dir := t.TempDir()
	file := filepath.Join(dir, "deskhand.yaml")
	if err := writeFile(file, fmt.Sprintf(`dataDir: data
source: {url: repository, branch: main, path: desktops}
tenants:
  - {name: acme, subdomain: acme, clientID: {file: id}, clientSecret: {file: secret}}
notify:
  - {name: itsm, url: %q, allowPrivate: true}
http: {listen: "127.0.0.1:1"}
`, gone.URL)); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"id", "secret"} {
		if err := writeFile(filepath.Join(dir, name), canaryClientSecret); err != nil {
			t.Fatal(err)
		}
	}
	config, err := configs.Load(file, func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	stopSink(t, config)

	if got := events(t, file, exitDone); !strings.Contains(got, "sink itsm: 1 waiting, 1 failing, 0 dead letters\n  stopped: ") {
		t.Errorf("a stopped sink is shown as:\n%s", got)
	}
	if got := events(t, file, exitDone, "resume", "itsm"); got != "itsm: will be resumed once the daemon runs\n" {
		t.Errorf("resume says %s", got)
	}
	if got := events(t, file, exitDone); strings.Contains(got, "stopped") {
		t.Errorf("a resumed sink is shown as:\n%s", got)
	}
	events(t, file, exitError, "resend", "01KARJ9ZJ5X8N3Q2V7T6WBYC4D")
}

// events runs the command and returns what it prints.
func events(t *testing.T, config string, code int, args ...string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	got := run(t.Context(), append([]string{"events", "--config", config}, args...), environment{
		stdin: strings.NewReader(""), stdout: &stdout, stderr: &stderr,
		getenv: func(string) string { return "" }, isTerminal: func(any) bool { return false },
	})
	if got != code {
		t.Errorf("events %v: exit code %d, want %d: %s", args, got, code, &stderr)
	}
	return stdout.String()
}

// stopSink delivers one event to a sink that answers 410.
func stopSink(t *testing.T, config configs.Config) {
	t.Helper()
	room, closeAll, err := openMailroom(config)
	if err != nil {
		t.Fatal(err)
	}
	if err := closeAll(); err != nil {
		t.Fatal(err)
	}
	journal, err := ledger.Open(config.DataDir, ledger.Options{Logger: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	record := deskhand.Record{Time: time.Now(), Tenant: "acme", ConfigID: "dsk-a", Event: deskhand.EventCreated}
	if err := journal.Settle(t.Context(), "acme", []deskhand.Settlement{{Record: &record}}); err != nil {
		t.Fatal(err)
	}
	if err := journal.Close(); err != nil {
		t.Fatal(err)
	}
	if room, closeAll, err = openMailroom(config); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- room[0].Run(ctx) }()
	if err := poll(func() error {
		if room[0].Status().Stop == nil {
			return fmt.Errorf("the sink goes on: %+v", room[0].Status())
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
	cancel()
	<-ended
	if err := closeAll(); err != nil {
		t.Fatal(err)
	}
}
