package policy

import (
	"regexp"
	"testing"

	"pgregory.net/rapid"
)

// TestNothingIsOverlookedForSpeed compares the cheap tests with the patterns
// whose work they save.
func TestNothingIsOverlookedForSpeed(t *testing.T) {
	t.Parallel()
	part := rapid.OneOf(
		rapid.SampledFrom([]string{
			"password", "PASSWD", "paſſword", "pwd", "api_key", "api \u212aey", "client-token", "Secret", "ſecret", "Bearer ", "bearer",
			":", "=", ": ", "\"", "hunter2", "-----BEGIN RSA PRIVATE KEY-----", "AKIA0123456789ABCDEF", " ", "-", "4111 1111 1111 1111",
			"ghs_abcdefghijklmnopqrstuvwxyz0123456789", "eyJhbGciOiJI.eyJzdWIiOiIx.c2ln", "5500", "0000-0000-0004", "abcdefghijklmnopqrstuvwxyz",
		}),
		rapid.StringN(0, 6, -1),
	)
	rapid.Check(t, func(t *rapid.T) {
		text := ""
		for _, piece := range rapid.SliceOfN(part, 0, 8).Draw(t, "parts") {
			text += piece
		}
		for _, test := range []struct {
			name    string
			pattern *regexp.Regexp
			mayHold func(string) bool
		}{
			{"card", cardPattern, mayHoldCard},
			{"token", tokenPattern, mayHoldToken},
			{"credential", credentialPattern, mayHoldCredential},
		} {
			if test.pattern.MatchString(text) && !test.mayHold(text) {
				t.Errorf("%s: %q is overlooked", test.name, text)
			}
		}
	})
}
