package policy

import (
	"context"
	"encoding/json"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	jsonpatch "github.com/evanphx/json-patch/v5"
	"go.uber.org/goleak"

	"github.com/deskhand/deskhand"
	"github.com/deskhand/deskhand/configs"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// faultless is a definition in which no rule finds anything.
const faultless = `
configId: dsk-example
layout:
  gridColumns: 8
  widgetOrder: [contact-summary, call-controls, notes]
  primaryWorkspace: voice
shortcuts:
  - {label: Note, action: note}
complianceBanners:
  - {title: Recording, message: Calls are recorded., acknowledgementRequired: false, displayRegion: EMEA}
browserCompatibility:
  supportedBrowsers: [chrome]
  minimumVersions: {chrome: "114"}
`

// today is when the tests happen.
func today() time.Time { return time.Date(2026, time.November, 22, 12, 0, 0, 0, time.UTC) }

func newReviewer(t testing.TB) *Reviewer {
	t.Helper()
	return newReviewerAt(t, today)
}

// sharedReviewer is for the tests that need nothing but a verdict: to compile the
// schemas takes longer than most reviews.
var sharedReviewer = sync.OnceValues(func() (*Reviewer, error) { return New(testOptions(today)) })

// reviewAlone reviews the snapshot as that of a tenant of the test's own.
func reviewAlone(t testing.TB, snapshot deskhand.Snapshot) deskhand.Review {
	t.Helper()
	reviewer, err := sharedReviewer()
	if err != nil {
		t.Fatal(err)
	}
	snapshot.Tenant = deskhand.Tenant(t.Name())
	return review(t, reviewer, snapshot)
}

func testOptions(now func() time.Time) Options {
	return Options{
		DesktopSchema: configs.DesktopSchema, PolicySchema: configs.PolicySchema, Defaults: configs.PolicyDefaults, Now: now,
	}
}

func newReviewerAt(t testing.TB, now func() time.Time) *Reviewer {
	t.Helper()
	reviewer, err := New(testOptions(now))
	if err != nil {
		t.Fatal(err)
	}
	return reviewer
}

// desktopOf lays a definition over one that other text gives, and resolves it as
// far as the policy can tell.
func desktopOf(t testing.TB, file, below, above string) deskhand.Desktop {
	t.Helper()
	base, _, broken := parseYAML(file, []byte(below))
	if broken != nil {
		t.Fatal(broken)
	}
	own, origins, broken := parseYAML(file, []byte(above))
	if broken != nil {
		t.Fatalf("%s: %v", file, broken)
	}
	merged, err := jsonpatch.MergePatch(mustJSON(t, base), mustJSON(t, own))
	if err != nil {
		t.Fatal(err)
	}
	definition, err := deskhand.ParseDocument(merged)
	if err != nil {
		t.Fatal(err)
	}
	fields := definition.Fields()
	tier, err := deskhand.ParseTier(folderName(file))
	if err == nil && fields["licenseTier"] == nil {
		fields["licenseTier"] = string(tier)
	}
	return newDesktop(t, file, tier, fields, origins)
}

func newDesktop(t testing.TB, file string, tier deskhand.Tier, fields map[string]any, origins deskhand.Origins) deskhand.Desktop {
	t.Helper()
	definition, err := deskhand.NewDocument(fields)
	if err != nil {
		t.Fatal(err)
	}
	payload := definition.Without("configId", "extends", "region", "labels", "targetResolutions", "extra").Fields()
	extra, _ := fields["extra"].(map[string]any)
	maps.Copy(payload, extra)
	document, err := deskhand.NewDocument(payload)
	if err != nil {
		t.Fatal(err)
	}
	id, _ := fields["configId"].(string)
	labels := map[string]string{}
	for name, value := range mapAt(fields, "labels") {
		labels[name], _ = value.(string)
	}
	return deskhand.Desktop{
		ConfigID: id, Tier: tier, File: file, Labels: labels, Definition: definition, Document: document,
		Origins: origins, Fingerprint: file + "\n" + definition.String(),
	}
}

func folderName(file string) string {
	parts := strings.Split(file, "/")
	if len(parts) < 2 {
		return ""
	}
	return parts[len(parts)-2]
}

func mustJSON(t testing.TB, value any) []byte {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// example makes a snapshot of a rule's example: files that begin with a comment
// that names them, parted by ---.
func example(t testing.TB, text string) deskhand.Snapshot {
	t.Helper()
	snapshot := deskhand.Snapshot{Tenant: "acme"}
	for _, document := range strings.Split(text, "\n---\n") {
		line, _, _ := strings.Cut(document, "\n")
		file, named := strings.CutPrefix(line, "# ")
		if !named {
			t.Fatalf("the example names no file:\n%s", document)
		}
		if file == "policy.yaml" {
			snapshot.Policy = &deskhand.File{Path: "desktops/policy.yaml", Content: []byte(document)}
			continue
		}
		snapshot.Desktops = append(snapshot.Desktops, desktopOf(t, file, faultless, document))
	}
	if len(snapshot.Desktops) == 0 {
		snapshot.Desktops = append(snapshot.Desktops, desktopOf(t, "desktops/standard/example.yaml", faultless, ""))
	}
	return snapshot
}

func review(t testing.TB, reviewer *Reviewer, snapshot deskhand.Snapshot) deskhand.Review {
	t.Helper()
	reviewed, err := reviewer.Review(context.Background(), snapshot)
	if err != nil {
		t.Fatal(err)
	}
	return reviewed
}

// allFindings are those of the review and of its desktops.
func allFindings(review deskhand.Review) []deskhand.Finding {
	findings := review.Findings
	for _, desktop := range review.Desktops {
		findings = append(findings, desktop.Findings...)
	}
	return findings
}

func withRule(findings []deskhand.Finding, rule string) []deskhand.Finding {
	var found []deskhand.Finding
	for _, finding := range findings {
		if finding.Rule == rule {
			found = append(found, finding)
		}
	}
	return found
}
