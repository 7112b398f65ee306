package cxone

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/deskhand/deskhand"
)

func TestCovers(t *testing.T) {
	t.Parallel()
	tests := []struct {
		live, sent string
		want       bool
	}{
		{`{"a":1}`, `{"a":1.0}`, true},
		{`{"a":1,"b":2}`, `{"a":1}`, true},
		{`{"a":1}`, `{"a":1,"b":2}`, false},
		{`{"a":{"x":1,"y":2}}`, `{"a":{"x":1}}`, true},
		{`{"a":[{"x":1,"id":7}]}`, `{"a":[{"x":1}]}`, true},
		{`{"a":[1,2]}`, `{"a":[1]}`, false},
		{`{"a":[2,1]}`, `{"a":[1,2]}`, false},
		{`{}`, `{"a":null}`, true},
		{`{"a":1}`, `{"a":null}`, false},
		{`{"a":"1"}`, `{"a":1}`, false},
	}
	for _, test := range tests {
		if got := covers(parsed(t, test.live), parsed(t, test.sent)); got != test.want {
			t.Errorf("%s covers %s: got %v, want %v", test.live, test.sent, got, test.want)
		}
	}
}

// What a server adds never makes a write look lost, and what it leaves out
// never makes one look done.
func TestCoversWhatIsAdded(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		sent := rapid.MapOf(rapid.StringMatching(`[a-d]`), rapid.Int()).Draw(t, "sent")
		added := rapid.MapOf(rapid.StringMatching(`[e-h]`), rapid.Int()).Draw(t, "added")
		fields, all := map[string]any{}, map[string]any{}
		for name, value := range sent {
			fields[name], all[name] = value, value
		}
		for name, value := range added {
			all[name] = value
		}
		small, err := deskhand.NewDocument(fields)
		if err != nil {
			t.Fatal(err)
		}
		large, err := deskhand.NewDocument(all)
		if err != nil {
			t.Fatal(err)
		}
		if !covers(large, small) {
			t.Errorf("%v does not cover %v", large, small)
		}
		if len(added) > 0 && covers(small, large) {
			t.Errorf("%v covers %v", small, large)
		}
	})
}

func parsed(t *testing.T, text string) deskhand.Document {
	t.Helper()
	document, err := deskhand.ParseDocument([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return document
}
