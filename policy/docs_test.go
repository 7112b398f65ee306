package policy

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/deskhand/deskhand"
)

// TestPolicyPageHolds reads every YAML block of the page as a policy.yaml.
func TestPolicyPageHolds(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../docs/policy.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(page), -1)
	if len(blocks) == 0 {
		t.Fatal("the page has no examples")
	}
	reviewer := newReviewer(t)
	for _, block := range blocks {
		book, findings := reviewer.files.read(&deskhand.File{Path: "policy.yaml", Content: []byte(block[1])})
		if book == nil {
			t.Errorf("an example is refused: %v\n%s", findings, block[1])
		}
	}
	for _, rule := range Rules() {
		if rule.fixed && !strings.HasPrefix(rule.ID, "policy/") && !strings.Contains(string(page), "`"+rule.ID+"`") {
			t.Errorf("the page does not say that %s is fixed", rule.ID)
		}
	}
}
