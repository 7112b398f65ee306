package policy

import (
	"bytes"
	"flag"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestRulesReferenceUpToDate(t *testing.T) {
	t.Parallel()
	const golden = "../docs/rules.md"
	got := RulesMarkdown()
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, got) {
		t.Errorf("%s is not what the rules say; write it anew with go test ./policy -run Markdown -update\n%s",
			golden, cmp.Diff(string(want), string(got)))
	}
}
