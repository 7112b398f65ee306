package cxone

import (
	"net/http"
	"testing"
	"time"
)

func FuzzRetryAfter(f *testing.F) {
	for _, seed := range []string{"", "0", "120", "-5", "1e400", "NaN", "1.5", "Wed, 21 Oct 2026 07:28:00 GMT", "soon"} {
		f.Add(seed)
	}
	now := time.Date(2026, 10, 21, 7, 27, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, value string) {
		header := http.Header{}
		for _, name := range []string{"Retry-After", "X-RateLimit-Reset", "RateLimit"} {
			header.Set(name, value)
		}
		header.Set("X-RateLimit-Remaining", "0")
		for _, read := range []func(http.Header, time.Time) (time.Duration, bool){retryAfter, exhaustedUntil} {
			if wait, said := read(header, now); wait < 0 || wait > longestPause || !said && wait != 0 {
				t.Errorf("%q: wait %v, said %v", value, wait, said)
			}
		}
	})
}
