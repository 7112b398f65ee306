package notify_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/deskhand/deskhand"
	"github.com/deskhand/deskhand/reconciler/ledger"
	"github.com/deskhand/deskhand/reconciler/notify"
	"github.com/google/go-cmp/cmp"
)

func TestFilters(t *testing.T) {
	t.Parallel()
	for glob, want := range map[string][]string{
		"*":                           {"updated", "failed", "degraded"},
		"failed":                      {"failed"},
		"cxone.desktop.config.*":      {"updated", "failed"},
		"cxone.desktop.config.failed": {"failed"},
		"cxone.platform.*":            {"degraded"},
	} {
		t.Run(glob, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				l, sink, webhook := openLedger(t), itsm(), &receiver{}
				sink.Events, sink.Format = []string{glob}, notify.FormatPlain
				n := notifier(t, sink, l, webhook)
				defer run(t, n)()
				journal(t, l, record("dsk-a", deskhand.EventUpdated), record("dsk-a", deskhand.EventFailed), record("", deskhand.EventDegraded))
				time.Sleep(time.Minute)
				var got []string
				for _, one := range webhook.all() {
					var event struct{ Event string }
					if err := json.Unmarshal(one.body, &event); err != nil {
						t.Fatal(err)
					}
					got = append(got, event.Event)
				}
				slices.Sort(got)
				slices.Sort(want)
				if diff := cmp.Diff(want, got); diff != "" {
					t.Error(diff)
				}
				name, _ := n.Cursor()
				if cursor, err := l.Cursor(name); err != nil || cursor != 3 {
					t.Errorf("the cursor is at %d, %v, want 3", cursor, err)
				}
			})
		})
	}
}

func TestANewSinkBeginsAtThePresent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, webhook := openLedger(t), &receiver{}
		journal(t, l, record("dsk-old", deskhand.EventUpdated))
		first := notifier(t, itsm(), l, webhook)
		journal(t, l, record("dsk-new", deskhand.EventUpdated))
		stop := run(t, first)
		time.Sleep(time.Minute)
		stop()
		journal(t, l, record("dsk-newer", deskhand.EventUpdated))
		defer run(t, notifier(t, itsm(), l, webhook))()
		time.Sleep(time.Minute)
		if diff := cmp.Diff([]string{"dsk-new", "dsk-newer"}, webhook.desktops()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestNewSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	l, err := ledger.Open(t.TempDir(), ledger.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	for want, sink := range map[string]notify.Sink{
		"no name":     {URL: "https://example.com"},
		"format":      {Name: "x", URL: "https://example.com", Format: "xml"},
		"no glob":     {Name: "x", URL: "https://example.com", Events: []string{"[a"}},
		"no event":    {Name: "x", URL: "https://example.com", Events: []string{"creatd"}},
		"absolute":    {Name: "x", URL: "canary"},
		"use https":   {Name: "x", URL: "http://canary.example.com", AllowPrivate: true},
		"credentials": {Name: "x", URL: "https://user:canary@example.com"},
		"loopback":    {Name: "x", URL: "http://127.0.0.1:1/canary"},
		"scheme":      {Name: "x", URL: "ftp://example.com/canary"},
	} {
		_, err := notify.New(sink, l, l, notify.Options{})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "canary") {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
