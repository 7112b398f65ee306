package reconciler

import (
	"testing"

	"github.com/deskhand/deskhand"
)

// TestWasApplied tells from what CXone holds whether a write without an answer
// happened.
func TestWasApplied(t *testing.T) {
	t.Parallel()
	change := deskhand.Change{
		Op: deskhand.OpUpdate, IfMatch: `"1"`,
		Before: parse(t, `{"columns": 7, "theme": {"accent": "a"}, "tier": "x"}`),
		After:  parse(t, `{"columns": 8, "tier": "y"}`),
	}
	tests := []struct {
		name, live string
		etag       deskhand.ETag
		want       bool
	}{
		{"as it was", change.Before.String(), `"1"`, false},
		{"as it was, under a new tag", change.Before.String(), `"2"`, false},
		{"as it was sent", change.After.String(), `"2"`, true},
		{"sent, and a hand changed one value since", `{"columns": 8, "tier": "z"}`, `"2"`, true},
		{"made anew by a hand, which set no value of it", `{"columns": 3, "tier": "z"}`, `"2"`, false},
	}
	for _, test := range tests {
		live := deskhand.Observed{Exists: true, ETag: test.etag, Document: parse(t, test.live)}
		if got := wasApplied(change, live); got != test.want {
			t.Errorf("%s: got %v, want %v", test.name, got, test.want)
		}
	}
}
