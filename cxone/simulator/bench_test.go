package simulator_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/deskhand/deskhand/cxone/simulator"
)

// BenchmarkSimulator is what the simulator itself costs with 10,000 configurations,
// since the measurements of a client against it include that.
func BenchmarkSimulator(b *testing.B) {
	s, err := simulator.New(simulator.Options{ClientID: clientID, ClientSecret: clientSecret})
	if err != nil {
		b.Fatal(err)
	}
	widgets := make([]any, 40)
	for i := range widgets {
		widgets[i] = fmt.Sprintf("widget-%02d", i)
	}
	for i := range 10_000 {
		s.Put(fmt.Sprintf("dsk-%05d", i), map[string]any{"layout": map[string]any{"widgetOrder": widgets}})
	}
	c := client(b, s, false)
	current := func() http.Header {
		truth, _ := s.Configuration("dsk-05000")
		return http.Header{"If-None-Match": {string(truth.ETag)}, "If-Match": {string(truth.ETag)}}
	}
	document := `{"layout":{"gridColumns":12}}`

	b.Run("GET 304", func(b *testing.B) {
		header := http.Header{"If-None-Match": current()["If-None-Match"]}
		for b.Loop() {
			c.call(b, http.MethodGet, "/dsk-05000", header, "")
		}
	})
	b.Run("GET 200", func(b *testing.B) {
		for b.Loop() {
			c.call(b, http.MethodGet, "/dsk-05000", nil, "")
		}
	})
	b.Run("PUT", func(b *testing.B) {
		for b.Loop() {
			c.call(b, http.MethodPut, "/dsk-05000", http.Header{"If-Match": current()["If-Match"]}, document)
		}
	})
	b.Run("list of 100", func(b *testing.B) {
		for b.Loop() {
			c.call(b, http.MethodGet, "?skip=5000", nil, "")
		}
	})
}
