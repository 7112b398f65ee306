package cxone

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// longestPause caps what a server may ask for: after it, one request asks again.
const longestPause = 5 * time.Minute

// retryAfter reads Retry-After (RFC 9110 section 10.2.3): seconds or a date. A
// time in the past is none to wait; said is false where nothing legible is
// there.
func retryAfter(header http.Header, now time.Time) (wait time.Duration, said bool) {
	value := strings.TrimSpace(header.Get("Retry-After"))
	if seconds, err := strconv.ParseFloat(value, 64); err == nil && seconds == seconds {
		return pauseOf(seconds), true
	}
	if date, err := http.ParseTime(value); err == nil {
		return pauseOf(date.Sub(now).Seconds()), true
	}
	return 0, false
}

func pauseOf(seconds float64) time.Duration {
	return time.Duration(min(max(seconds, 0), longestPause.Seconds()) * float64(time.Second))
}

// exhaustedUntil reads the rate limit headers in their three usual spellings:
// RateLimit-Remaining with RateLimit-Reset, the same with X-, and the field
// RateLimit with parameters (draft-ietf-httpapi-ratelimit-headers). It reports
// how long nothing is left; what is left is nobody's business to slow down for.
func exhaustedUntil(header http.Header, now time.Time) (wait time.Duration, exhausted bool) {
	for _, prefix := range []string{"RateLimit-", "X-RateLimit-"} {
		if header.Get(prefix+"Remaining") == "0" {
			return untilReset(header.Get(prefix+"Reset"), now)
		}
	}
	parameters := map[string]string{}
	for _, parameter := range strings.FieldsFunc(header.Get("RateLimit"), func(r rune) bool { return r == ';' || r == ',' }) {
		name, value, _ := strings.Cut(strings.TrimSpace(parameter), "=")
		parameters[strings.ToLower(name)] = value
	}
	switch {
	case parameters["r"] == "0":
		return untilReset(parameters["t"], now)
	case parameters["remaining"] == "0":
		return untilReset(parameters["reset"], now)
	}
	return 0, false
}

// untilReset reads seconds from now, or, as many servers send, a Unix time.
func untilReset(value string, now time.Time) (time.Duration, bool) {
	seconds, err := strconv.ParseFloat(value, 64)
	if err != nil || seconds != seconds {
		return 0, false
	}
	const firstUnixTime = 500_000_000 // no window is 15 years long
	if seconds >= firstUnixTime {
		seconds -= float64(now.Unix())
	}
	return pauseOf(seconds), true
}
