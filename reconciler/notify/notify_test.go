package notify_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/deskhand/deskhand"
	"github.com/deskhand/deskhand/reconciler/notify"
	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

var update = flag.Bool("update", false, "write the golden files")

func TestEventShapes(t *testing.T) {
	t.Parallel()
	for _, format := range []string{notify.FormatCloudEvents, notify.FormatPlain} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				l, sink, webhook := openLedger(t), itsm(), &receiver{}
				sink.Format = format
				defer run(t, notifier(t, sink, l, webhook))()
				journal(t, l, record("dsk-a", deskhand.EventUpdated))
				synctest.Wait()
				entries, err := l.Entries(t.Context(), 0, 1)
				if err != nil || len(webhook.all()) != 1 {
					t.Fatalf("got %d events, %v, want 1", len(webhook.all()), err)
				}
				got := webhook.all()[0]
				var text bytes.Buffer
				fmt.Fprintf(&text, "Content-Type: %s\nUser-Agent: %s\n\n", got.header.Get("Content-Type"), got.header.Get("User-Agent"))
				if err := json.Indent(&text, got.body, "", "  "); err != nil {
					t.Fatal(err)
				}
				text.WriteByte('\n')
				stable := strings.NewReplacer(entries[0].Record.ID, "<id>", entries[0].Hash, "<hash>").Replace(text.String())
				golden(t, format+".txt", stable)
			})
		})
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

func TestSignatures(t *testing.T) {
	t.Parallel()
	const encoded = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	for secret, newVerifier := range map[string]func() (*standardwebhooks.Webhook, error){
		encoded: func() (*standardwebhooks.Webhook, error) { return standardwebhooks.NewWebhook(encoded) },
		"a raw key, no base64": func() (*standardwebhooks.Webhook, error) {
			return standardwebhooks.NewWebhookRaw([]byte("a raw key, no base64"))
		},
		"": nil,
	} {
		t.Run(secret, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				l, sink, webhook := openLedger(t), itsm(), &receiver{}
				sink.Secret = func(context.Context) (string, error) { return secret, nil }
				defer run(t, notifier(t, sink, l, webhook))()
				journal(t, l, record("dsk-a", deskhand.EventUpdated))
				synctest.Wait()
				got := webhook.all()[0]
				if newVerifier == nil {
					if got.header.Get("webhook-signature") != "" {
						t.Error("it is signed without a secret")
					}
					return
				}
				verifier, err := newVerifier()
				if err != nil {
					t.Fatal(err)
				}
				if err := verifier.Verify(got.body, got.header); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

func TestNoSecretLeaves(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		l, sink := openLedger(t), itsm()
		sink.URL += "?key=canary-token"
		sink.Secret = func(context.Context) (string, error) { return "whsec_canary secret", nil }
		counted := &count{}
		n, err := notify.New(sink, l, l, notify.Options{Transport: &receiver{}, Logger: zerolog.New(&log), Meter: counted})
		if err != nil {
			t.Fatal(err)
		}
		stop := run(t, n)
		journal(t, l, record("dsk-a", deskhand.EventUpdated))
		time.Sleep(5 * 24 * time.Hour)
		stop()
		letters, err := n.List(t.Context())
		if err != nil || len(letters) != 1 || !strings.Contains(letters[0].Error, "base64") {
			t.Fatalf("got %+v, %v, want one letter that says what is wrong with the secret", letters, err)
		}
		if counted.failed != letters[0].Attempts || counted.dead != 1 {
			t.Errorf("counted %+v, want %d attempts and a letter", counted, letters[0].Attempts)
		}
		for _, text := range []string{log.String(), letters[0].Error} {
			if strings.Contains(text, "canary") || strings.Contains(text, "token-in-path") {
				t.Errorf("a secret is in %q", text)
			}
		}
	})
}

// count is a Meter. The notifier calls it from one goroutine at a time.
type count struct{ failed, dead int }

func (c *count) Delivered(_ string, err error) {
	if err != nil {
		c.failed++
	}
}

func (c *count) DeadLettered(string) { c.dead++ }

func TestAFailingEventHoldsBackOnlyItsDesktop(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := openLedger(t)
		webhook := &receiver{answer: func(configID string, attempt int) reply {
			if configID == "dsk-bad" && attempt < 4 {
				return reply{status: http.StatusInternalServerError}
			}
			return reply{status: http.StatusOK}
		}}
		defer run(t, notifier(t, itsm(), l, webhook))()
		journal(t, l,
			record("dsk-bad", deskhand.EventCreated), record("dsk-bad", deskhand.EventUpdated),
			record("dsk-good", deskhand.EventCreated), record("dsk-good", deskhand.EventUpdated))
		synctest.Wait()
		if got := webhook.desktops(); slices.Contains(got[1:], "dsk-bad") && got[0] == "dsk-bad" || len(got) != 3 {
			t.Errorf("at once: got %v, want one attempt for dsk-bad and both events of dsk-good", got)
		}
		time.Sleep(time.Hour)
		entries, err := l.Entries(t.Context(), 0, 10)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, one := range webhook.all() {
			if one.configID == "dsk-bad" {
				got = append(got, one.id)
			}
		}
		first, second := entries[0].Record.ID, entries[1].Record.ID
		if diff := cmp.Diff([]string{first, first, first, first, second, second, second, second}, got); diff != "" {
			t.Errorf("later: %s", diff)
		}
	})
}

func TestDeadLetters(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, dead := openLedger(t), true
		webhook := &receiver{}
		webhook.answer = func(string, int) reply {
			if dead {
				return reply{status: http.StatusBadGateway}
			}
			return reply{status: http.StatusOK}
		}
		n := notifier(t, itsm(), l, webhook)
		stop := run(t, n)
		began := time.Now()
		journal(t, l, record("dsk-a", deskhand.EventUpdated))
		time.Sleep(71 * time.Hour)
		if letters, err := n.List(t.Context()); err != nil || len(letters) != 0 {
			t.Errorf("after 71 hours: got %v, %v, want no letter", letters, err)
		}
		time.Sleep(3 * time.Hour)
		stop()

		n = notifier(t, itsm(), l, webhook)
		letters, err := n.List(t.Context())
		if err != nil || len(letters) != 1 || !strings.Contains(letters[0].Error, "502") {
			t.Fatalf("got %v, %v, want one letter with the last answer", letters, err)
		}
		attempts := webhook.all()
		if last := attempts[len(attempts)-1].at.Sub(began); last.Round(time.Minute) != 72*time.Hour {
			t.Errorf("the last attempt was after %s, want 72h", last)
		}
		for i := 1; i < len(attempts); i++ {
			if gap := attempts[i].at.Sub(attempts[i-1].at); gap > 90*time.Minute {
				t.Errorf("there are %s between two attempts", gap)
			}
		}
		if len(attempts) > 200 {
			t.Errorf("%d attempts in 3 days are a storm", len(attempts))
		}

		webhook.mu.Lock()
		dead = false
		webhook.mu.Unlock()
		stop = run(t, n)
		if err := n.Replay(t.Context(), letters[0].ID); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		stop()
		if got := webhook.all(); len(got) != len(attempts)+1 || got[len(got)-1].id != letters[0].ID {
			t.Errorf("it was not sent again")
		}
		if letters, err := n.List(t.Context()); err != nil || len(letters) != 0 {
			t.Errorf("got %v, %v, want no letter any more", letters, err)
		}
		if err := n.Replay(t.Context(), letters[0].ID); !errors.Is(err, notify.ErrNoLetter) {
			t.Errorf("got %v, want ErrNoLetter", err)
		}
	})
}

func TestGoneStopsTheSink(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := openLedger(t)
		webhook := &receiver{answer: func(string, int) reply { return reply{status: http.StatusGone} }}
		n := notifier(t, itsm(), l, webhook)
		stop := run(t, n)
		journal(t, l, record("dsk-a", deskhand.EventUpdated))
		time.Sleep(time.Minute)
		journal(t, l, record("dsk-b", deskhand.EventUpdated))
		time.Sleep(4 * 24 * time.Hour)
		stop()

		n = notifier(t, itsm(), l, webhook)
		stop = run(t, n)
		time.Sleep(time.Hour)
		status := n.Status()
		if len(webhook.all()) != 1 || status.Stop == nil || !strings.Contains(status.Stop.Reason, "410") {
			t.Errorf("got %d requests and %+v, want one request and a stop that lasts", len(webhook.all()), status)
		}
		if _, ok := n.Cursor(); ok {
			t.Error("a stopped sink keeps the journal from being trimmed")
		}
		if err := n.Replay(t.Context(), "x"); !errors.Is(err, notify.ErrStopped) {
			t.Errorf("got %v, want ErrStopped", err)
		}
		stop()

		elsewhere := itsm()
		elsewhere.URL = "https://itsm.example.com/hooks/new"
		healthy := &receiver{}
		stop = run(t, notifier(t, elsewhere, l, healthy))
		time.Sleep(time.Hour)
		stop()
		got := healthy.desktops()
		slices.Sort(got) // different desktops have no order
		if diff := cmp.Diff([]string{"dsk-a", "dsk-b"}, got); diff != "" {
			t.Errorf("the new URL: %s", diff)
		}
	})
}

func TestRetryAfterSilencesTheSink(t *testing.T) {
	t.Parallel()
	for name, value := range map[string]func() string{
		"seconds": func() string { return "1800" },
		"date":    func() string { return time.Now().Add(30 * time.Minute).UTC().Format(http.TimeFormat) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				l := openLedger(t)
				webhook := &receiver{answer: func(_ string, attempt int) reply {
					if attempt > 1 {
						return reply{status: http.StatusOK}
					}
					return reply{status: http.StatusTooManyRequests, header: http.Header{"Retry-After": {value()}}}
				}}
				defer run(t, notifier(t, itsm(), l, webhook))()
				began := time.Now()
				journal(t, l, record("dsk-a", deskhand.EventUpdated))
				time.Sleep(time.Minute)
				journal(t, l, record("dsk-b", deskhand.EventUpdated))
				time.Sleep(3 * time.Hour)
				got := webhook.all()
				if len(got) != 4 {
					t.Fatalf("got %d requests, want 4", len(got))
				}
				if quiet := got[1].at.Sub(began); quiet < 29*time.Minute {
					t.Errorf("it was silent for %s, want 30m", quiet)
				}
			})
		})
	}
}

func TestAHangingSinkGivesUpAfter15Seconds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := openLedger(t)
		webhook := &receiver{answer: func(_ string, attempt int) reply { return reply{status: http.StatusOK, hang: attempt == 1} }}
		n := notifier(t, itsm(), l, webhook)
		defer run(t, n)()
		journal(t, l, record("dsk-a", deskhand.EventUpdated))
		time.Sleep(14 * time.Second)
		if n.Status().Failing != 0 {
			t.Error("it gave up before 15 seconds")
		}
		time.Sleep(2 * time.Second)
		if n.Status().Failing != 1 {
			t.Error("it did not give up after 15 seconds")
		}
		time.Sleep(time.Minute)
		if got := len(webhook.all()); got != 2 || n.Status().Waiting != 0 {
			t.Errorf("got %d requests and %+v, want 2 and nothing waiting", got, n.Status())
		}
	})
}

func TestADeadSinkHoldsLittleAndLosesNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const events = 2000
		l, dead := openLedger(t), true
		webhook := &receiver{}
		webhook.answer = func(string, int) reply { return reply{status: http.StatusNoContent, hang: dead} }
		n := notifier(t, itsm(), l, webhook)
		stop := run(t, n)
		var records []deskhand.Record
		for i := range events {
			records = append(records, record(fmt.Sprintf("dsk-%d", i), deskhand.EventUpdated))
		}
		journal(t, l, records...)
		time.Sleep(time.Hour)
		if waiting := n.Status().Waiting; waiting > 600 {
			t.Errorf("%d events are held outside the journal", waiting)
		}
		stop()
		webhook.mu.Lock()
		dead, webhook.got = false, nil
		webhook.mu.Unlock()
		stop = run(t, notifier(t, itsm(), l, webhook))
		time.Sleep(3 * time.Hour)
		stop()
		ids := make(map[string]bool)
		for _, one := range webhook.all() {
			ids[one.id] = true
		}
		if len(ids) != events {
			t.Errorf("got %d events, want %d", len(ids), events)
		}
	})
}
