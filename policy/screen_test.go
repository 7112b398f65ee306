package policy

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/deskhand/deskhand"
)

func TestScreen(t *testing.T) {
	t.Parallel()
	reviewer := newReviewer(t)
	desktop := desktopOf(t, "desktops/standard/voice.yaml", faultless, "targetResolutions: [1920x1080, 1366x768]")
	if _, found := reviewer.Screen("acme", desktop, desktop.Document); found {
		t.Error("there is a screen before the first review")
	}
	review(t, reviewer, deskhand.Snapshot{Tenant: "acme", Desktops: []deskhand.Desktop{desktop}})

	got, found := reviewer.Screen("acme", desktop, desktop.Document)
	want := Screen{
		Resolution: deskhand.Resolution{Width: 1366, Height: 768}, Columns: 8, ColumnWidth: 155,
		Rows: [][]Cell{{{"contact-summary", 2}, {"call-controls", 2}, {"notes", 3}}},
	}
	if diff := cmp.Diff(want, got); diff != "" || !found {
		t.Errorf("found %t: %s", found, diff)
	}

	huge, err := deskhand.ParseDocument([]byte(`{"layout": {"gridColumns": 1000000000, "widgetOrder": ["notes"]}}`))
	if err != nil {
		t.Fatal(err)
	}
	if _, found := reviewer.Screen("acme", desktop, huge); found {
		t.Error("a grid of a billion columns is laid out")
	}
}

func TestMask(t *testing.T) {
	t.Parallel()
	value := map[string]any{
		"title":   "Cards",
		"message": "Test with 4111 1111 1111 1111.",
		"nested":  []any{"password=hunter2", "password: never ask for it", true, nil},
		"apiKey":  "abcd1234",
		"keys":    "Control+Shift+1",
	}
	want := map[string]any{
		"title":   "Cards",
		"message": "[masked: a card number]",
		"nested":  []any{"[masked: a credential]", "password: never ask for it", true, nil},
		"apiKey":  "[masked: a credential]",
		"keys":    "Control+Shift+1",
	}
	if diff := cmp.Diff(want, Mask("/extra", value)); diff != "" {
		t.Error(diff)
	}
	if value["apiKey"] != "abcd1234" {
		t.Error("the value itself was changed")
	}
}
