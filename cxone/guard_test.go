package cxone_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/deskhand/deskhand"
	"github.com/deskhand/deskhand/cxone"
	"github.com/deskhand/deskhand/cxone/simulator"
)

func readCompareWrite(o *cxone.Options) { o.Concurrency = cxone.ConcurrencyReadCompareWrite }

// Where the API has no strong ETags, each write is guarded by a GET.
func TestWithoutStrongETags(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		fault  simulator.FaultKind
		adjust []func(*cxone.Options)
		warns  bool
	}{
		"weak":               {fault: simulator.FaultWeakETag, warns: true},
		"missing":            {fault: simulator.FaultNoETag, warns: true},
		"missing, and known": {fault: simulator.FaultNoETag, adjust: []func(*cxone.Options){readCompareWrite}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newTenant(t, test.adjust...)
				s.holds(t, voice, fieldsBefore())
				s.Inject(simulator.Fault{Kind: test.fault})
				live := get(t, s, "")
				live = put(t, s, after, live.ETag)
				equal(t, "the answer", live.Document, document(t, after))
				live = put(t, s, before, live.ETag)

				unchanged := get(t, s, live.ETag)
				equal(t, "unchanged", unchanged, deskhand.Observed{Exists: true, ETag: live.ETag, NotModified: true})

				s.holds(t, voice, map[string]any{"theirs": true})
				if _, _, err := s.client.Put(t.Context(), "", voice, document(t, after), deskhand.IfMatch(live.ETag)); !errors.Is(err, deskhand.ErrPrecondition) {
					t.Errorf("over an edit by hand: got error %v", err)
				}
				if _, err := s.client.Delete(t.Context(), "", voice, live.ETag); !errors.Is(err, deskhand.ErrPrecondition) {
					t.Errorf("delete over an edit by hand: got error %v", err)
				}
				if _, _, err := s.client.Put(t.Context(), "", voice, document(t, after), deskhand.IfAbsent()); !errors.Is(err, deskhand.ErrPrecondition) {
					t.Errorf("create over an edit by hand: got error %v", err)
				}
				if _, err := s.client.Delete(t.Context(), "", voice, get(t, s, "").ETag); err != nil {
					t.Errorf("delete: %v", err)
				}
				if _, _, err := s.client.Put(t.Context(), "", voice, document(t, after), deskhand.IfAbsent()); err != nil {
					t.Errorf("create: %v", err)
				}

				var previous simulator.LoggedRequest
				for _, logged := range s.Requests() {
					if strings.HasPrefix(logged.IfMatch, "W/") || strings.Contains(logged.IfMatch, "sha256") {
						t.Errorf("If-Match: %s was sent", logged.IfMatch)
					}
					if logged.Method == http.MethodPut && logged.IfNoneMatch == "" && previous.Method != http.MethodGet {
						t.Errorf("a PUT came right behind a %s", previous.Method)
					}
					previous = logged
				}
				warned := 0
				for _, told := range s.told() {
					if told.event == "" {
						warned++
					}
				}
				equal(t, "warned once", warned == 1, test.warns)
			})
		})
	}
}

// A tag made of content yields to a strong ETag as soon as there is one.
func TestStrongETagAfterAll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newTenant(t)
		strong := s.holds(t, voice, fieldsBefore())
		s.Inject(simulator.Fault{Kind: simulator.FaultNoETag, Next: 1})
		made := get(t, s, "").ETag
		if made == strong {
			t.Fatal("the fault did not take the ETag away")
		}
		put(t, s, after, made)
		log := s.Requests()
		equal(t, "If-Match", log[len(log)-1].IfMatch, string(strong))
		equal(t, "blind writes", s.Violations(), nil)
	})
}

func TestLostAnswerWithoutETags(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newTenant(t, readCompareWrite)
		s.holds(t, voice, fieldsBefore())
		s.Inject(simulator.Fault{Kind: simulator.FaultNoETag})
		etag := get(t, s, "").ETag
		s.Inject(simulator.Fault{Kind: simulator.FaultLostAnswer, Method: http.MethodPut, Next: 1})
		put(t, s, after, etag)
		equal(t, "writes", s.Counts().Method(http.MethodPut), 1)
	})
}

func get(t *testing.T, s *tenant, known deskhand.ETag) deskhand.Observed {
	t.Helper()
	live, _, err := s.client.Get(t.Context(), "", voice, known)
	if err != nil {
		t.Fatal(err)
	}
	return live
}

func put(t *testing.T, s *tenant, text string, etag deskhand.ETag) deskhand.Observed {
	t.Helper()
	live, _, err := s.client.Put(t.Context(), "", voice, document(t, text), deskhand.IfMatch(etag))
	if err != nil {
		t.Fatal(err)
	}
	return live
}
