package cxone_test

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/deskhand/deskhand"
	"github.com/deskhand/deskhand/cxone"
	"github.com/deskhand/deskhand/cxone/simulator"
)

func TestGet(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		fault    simulator.Fault
		statuses []int
		want     error
	}{
		"nothing wrong":   {statuses: []int{200}},
		"dropped":         {fault: simulator.Fault{Kind: simulator.FaultDropped, Next: 1}, statuses: []int{0, 200}},
		"503":             {fault: simulator.Fault{Kind: simulator.FaultStatus, Status: 503, Next: 2}, statuses: []int{503, 503, 200}},
		"429":             {fault: simulator.Fault{Kind: simulator.FaultStatus, Status: 429, Next: 1}, statuses: []int{429, 200}},
		"408":             {fault: simulator.Fault{Kind: simulator.FaultStatus, Status: 408, Next: 1}, statuses: []int{408, 200}},
		"truncated":       {fault: simulator.Fault{Kind: simulator.FaultTruncatedBody, Next: 1}, statuses: []int{0, 200}},
		"HTML":            {fault: simulator.Fault{Kind: simulator.FaultHTML, Next: 1}, statuses: []int{200, 200}},
		"HTML for ever":   {fault: simulator.Fault{Kind: simulator.FaultHTML}, statuses: []int{200, 200, 200, 200, 200}, want: deskhand.ErrUnavailable},
		"oversized":       {fault: simulator.Fault{Kind: simulator.FaultOversizedBody}, statuses: []int{0}, want: deskhand.ErrUnavailable},
		"endless":         {fault: simulator.Fault{Kind: simulator.FaultEndlessBody}, statuses: []int{0}, want: deskhand.ErrUnavailable},
		"gzip bomb":       {fault: simulator.Fault{Kind: simulator.FaultGzipBomb}, statuses: []int{0}, want: deskhand.ErrUnavailable},
		"403":             {fault: simulator.Fault{Kind: simulator.FaultStatus, Status: 403}, statuses: []int{403}, want: deskhand.ErrForbidden},
		"401 twice":       {fault: simulator.Fault{Kind: simulator.FaultStatus, Status: 401}, statuses: []int{401, 401}, want: deskhand.ErrUnauthorized},
		"token expired":   {fault: simulator.Fault{Kind: simulator.FaultTokenExpired, Next: 1}, statuses: []int{401, 200}},
		"foreign host":    {fault: simulator.Fault{Kind: simulator.FaultRedirect, Location: "https://evil.example/"}, statuses: []int{307}, want: deskhand.ErrUnavailable},
		"without TLS":     {fault: simulator.Fault{Kind: simulator.FaultRedirect, Location: "http://acme.api.nicecxone.com/"}, statuses: []int{307}, want: deskhand.ErrUnavailable},
		"unknown refusal": {fault: simulator.Fault{Kind: simulator.FaultStatus, Status: 418}, statuses: []int{418}, want: deskhand.ErrUnavailable},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newTenant(t)
				s.holds(t, voice, fieldsBefore())
				if test.fault.Kind != "" {
					s.Inject(test.fault)
				}
				live, request, err := s.client.Get(t.Context(), requestID, voice, "")
				if !errors.Is(err, test.want) {
					t.Fatalf("got error %v, want %v", err, test.want)
				}
				equal(t, "statuses", request.Statuses, test.statuses)
				if test.want == nil {
					truth, _ := s.Configuration(voice)
					equal(t, "the answer", live, truth)
				}
				for _, logged := range s.Requests() {
					if logged.Host != "acme.api.nicecxone.com" {
						t.Errorf("a request went to %s", logged.Host)
					}
				}
			})
		})
	}
}

func TestGetConditionally(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newTenant(t)
		etag := s.holds(t, voice, fieldsBefore())
		live, request, err := s.client.Get(t.Context(), requestID, voice, etag)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "unchanged", live, deskhand.Observed{Exists: true, ETag: etag, NotModified: true})
		equal(t, "statuses", request.Statuses, []int{304})

		live, _, err = s.client.Get(t.Context(), requestID, "dsk-none", "")
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "absent", live, deskhand.Observed{})
	})
}

func TestConfigIDsInURLs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newTenant(t)
		s.holds(t, "a/b c?d", fieldsBefore())
		live, _, err := s.client.Get(t.Context(), requestID, "a/b c?d", "")
		if err != nil || !live.Exists {
			t.Errorf("got %v, %v", live, err)
		}
		for _, id := range []string{"", ".", ".."} {
			if _, _, err := s.client.Get(t.Context(), requestID, id, ""); !errors.Is(err, deskhand.ErrRejected) {
				t.Errorf("the configId %q: got error %v, want %v", id, err, deskhand.ErrRejected)
			}
		}
	})
}

func TestList(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newTenant(t)
		for i := range 250 {
			s.holds(t, fmt.Sprintf("dsk-%03d", i), map[string]any{"n": i})
		}
		all, err := s.client.List(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "length", len(all), 250)
		for _, listed := range all {
			truth, _ := s.Configuration(listed.ConfigID)
			equal(t, listed.ConfigID, listed, cxone.Listed{ConfigID: listed.ConfigID, Observed: truth})
		}
		equal(t, "requests", s.Counts().Get(http.MethodGet, 200), 3)

		s.Inject(simulator.Fault{Kind: simulator.FaultListWithoutETags, Next: 1})
		all, err = s.client.List(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "an ETag that the list does not show", all[0].ETag, "")
	})
}

// A server may send fewer than it was asked for, and spell ETags its own way.
func TestListInShortPages(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newTenant(t)
		s.wire.intercept = func(request *http.Request, next http.RoundTripper) (*http.Response, error) {
			if request.Method != http.MethodGet {
				return next.RoundTrip(request)
			}
			items := map[string]string{"0": `{"id":"a","etag":"1"},{"id":"b","etag":"W/\"2\""}`, "2": `{"id":"c"}`}
			return response(request, 200, `{"total":3,"items":[`+items[request.URL.Query().Get("skip")]+`]}`), nil
		}
		all, err := s.client.List(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var tags []deskhand.ETag
		for _, listed := range all {
			tags = append(tags, listed.ETag)
		}
		equal(t, "ETags", tags, []deskhand.ETag{`"1"`, `W/"2"`, ""})
	})
}

func TestListUnsupported(t *testing.T) {
	t.Parallel()
	for _, status := range []int{404, 405, 501} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newTenant(t)
				s.Inject(simulator.Fault{Kind: simulator.FaultListUnsupported, Status: status})
				_, err := s.client.List(t.Context())
				if !errors.Is(err, errors.ErrUnsupported) {
					t.Errorf("got error %v, want %v", err, errors.ErrUnsupported)
				}
				equal(t, "requests", s.Counts().Method(http.MethodGet), 1)
			})
		})
	}
}
