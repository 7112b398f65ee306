package cxone_test

import (
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/deskhand/deskhand"
	"github.com/deskhand/deskhand/cxone/simulator"
)

func TestDegradedAndRecovered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newTenant(t)
		began := time.Now()
		s.Inject(simulator.Fault{Kind: simulator.FaultStatus, Status: 503})
		for time.Since(began) < 4*time.Minute {
			s.client.Get(t.Context(), "", voice, "") //nolint:errcheck // it fails
			time.Sleep(time.Second)
		}
		equal(t, "notices before 5 minutes", len(s.told()), 0)
		for time.Since(began) < 20*time.Minute {
			s.client.Get(t.Context(), "", voice, "") //nolint:errcheck // it fails
			time.Sleep(time.Second)
		}
		told := s.told()
		if len(told) != 1 || told[0].event != deskhand.EventDegraded {
			t.Fatalf("got notices %v, want one %s", told, deskhand.EventDegraded)
		}
		if ids := told[0].trouble.RequestIDs; len(ids) == 0 || len(ids) > 10 {
			t.Errorf("got %d request ids, want 1 to 10", len(ids))
		}
		s.ClearFaults()
		time.Sleep(10 * time.Second)
		for range 3 {
			if _, _, err := s.client.Get(t.Context(), "", voice, ""); err != nil {
				t.Fatal(err)
			}
		}
		told = s.told()
		if len(told) != 2 || told[1].event != deskhand.EventRecovered {
			t.Fatalf("got notices %v, want one %s at the end", told, deskhand.EventRecovered)
		}
	})
}

// While CXone is dead, a client asks now and then, not for each desktop.
func TestBreaker(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newTenant(t)
		s.Inject(simulator.Fault{Kind: simulator.FaultDropped})
		began := time.Now()
		for time.Since(began) < 10*time.Minute {
			_, _, err := s.client.Get(t.Context(), "", voice, "")
			if !errors.Is(err, deskhand.ErrUnavailable) {
				t.Fatalf("got error %v, want %v", err, deskhand.ErrUnavailable)
			}
		}
		if sent := s.Counts().Method(http.MethodGet); sent > 150 {
			t.Errorf("%d requests in 10 minutes, want at most one in 5 seconds", sent)
		}
		s.ClearFaults()
		if _, _, err := s.client.Get(t.Context(), "", voice, ""); err != nil {
			t.Errorf("after the recovery: %v", err)
		}
	})
}
