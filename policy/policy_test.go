package policy

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/deskhand/deskhand"
)

// fleet is n faultless desktops.
func fleet(t testing.TB, n int) []deskhand.Desktop {
	t.Helper()
	desktops := make([]deskhand.Desktop, n)
	for i := range desktops {
		desktops[i] = desktopOf(t, fmt.Sprintf("desktops/standard/d%03d.yaml", i), faultless, fmt.Sprintf("configId: dsk-%03d", i))
	}
	return desktops
}

func TestReviewCostsWhatChanged(t *testing.T) {
	t.Parallel()
	reviewer := newReviewer(t)
	snapshot := deskhand.Snapshot{Tenant: "acme", Desktops: fleet(t, 200)}
	other := deskhand.Snapshot{Tenant: "globex", Desktops: fleet(t, 3)}
	steps := []struct {
		name   string
		change func()
		tenant *deskhand.Snapshot
		want   Stats
	}{
		{"the first review", func() {}, &snapshot, Stats{Reviewed: 200}},
		{"nothing changed", func() {}, &snapshot, Stats{Reused: 200}},
		{"another tenant", func() {}, &other, Stats{Reviewed: 3}},
		{"one desktop changed", func() {
			snapshot.Desktops[7] = desktopOf(t, snapshot.Desktops[7].File, faultless, "configId: dsk-007\nlayout: {gridColumns: 12}")
		}, &snapshot, Stats{Reviewed: 1, Reused: 199}},
		{"one desktop went", func() { snapshot.Desktops = snapshot.Desktops[1:] }, &snapshot, Stats{Reused: 199}},
		{"the policy changed", func() {
			snapshot.Policy = &deskhand.File{Path: "desktops/policy.yaml", Content: []byte("threshold: 70")}
		}, &snapshot, Stats{Reviewed: 199}},
		{"the policy broke", func() {
			snapshot.Policy = &deskhand.File{Path: "desktops/policy.yaml", Content: []byte("threshold: x")}
		}, &snapshot, Stats{Reused: 199}},
	}
	for _, step := range steps {
		step.change()
		got := review(t, reviewer, *step.tenant)
		if diff := cmp.Diff(step.want, reviewer.Stats()); diff != "" {
			t.Errorf("%s: %s", step.name, diff)
		}
		for i, desktop := range got.Desktops {
			if desktop.File != step.tenant.Desktops[i].File {
				t.Fatalf("%s: desktop %d is %s", step.name, i, desktop.File)
			}
		}
	}
}

func TestDuplicateIDs(t *testing.T) {
	t.Parallel()
	reviewer := newReviewer(t)
	desktops := fleet(t, 3)
	snapshot := deskhand.Snapshot{Desktops: desktops, Unreadable: []deskhand.Unreadable{{File: "desktops/premium/broken.yaml", ConfigID: "dsk-002"}, {File: "desktops/premium/lost.yaml"}}}
	snapshot.Desktops[1] = desktopOf(t, desktops[1].File, faultless, "configId: dsk-000")
	for range 2 { // the second time from what the first found
		got := review(t, reviewer, snapshot)
		for i, other := range []string{desktops[1].File, desktops[0].File, "desktops/premium/broken.yaml"} {
			found := withRule(got.Desktops[i].Findings, ruleDuplicate)
			if len(found) != 1 || !strings.Contains(found[0].Message, other) || !got.Desktops[i].Refused {
				t.Errorf("%s: refused %t, findings %v", got.Desktops[i].File, got.Desktops[i].Refused, found)
			}
		}
	}
	snapshot.Desktops[1] = desktopOf(t, desktops[1].File, faultless, "configId: dsk-001")
	snapshot.Unreadable = nil
	for _, desktop := range review(t, reviewer, snapshot).Desktops {
		if desktop.Refused {
			t.Errorf("%s is still refused: %v", desktop.File, desktop.Findings)
		}
	}
}

func TestReviewKeepsTheFindingsOfTheSnapshot(t *testing.T) {
	t.Parallel()
	broken := deskhand.Finding{Rule: "yaml/syntax", Severity: deskhand.SeverityError, File: "desktops/a.yaml", Line: 1, Message: "no"}
	got := review(t, newReviewer(t), deskhand.Snapshot{Findings: []deskhand.Finding{broken}})
	if diff := cmp.Diff([]deskhand.Finding{broken}, got.Findings); diff != "" {
		t.Error(diff)
	}
}

func TestReviewStops(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	reviewer := newReviewer(t)
	snapshot := deskhand.Snapshot{Desktops: fleet(t, 10)}
	if _, err := reviewer.Review(ctx, snapshot); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if got := review(t, reviewer, snapshot); len(got.Desktops) != 10 || got.Desktops[0].Score != fullScore {
		t.Error("a review that was stopped left something behind")
	}
}

func TestReviewsAtOnce(t *testing.T) {
	t.Parallel()
	reviewer := newReviewer(t)
	desktops := fleet(t, 20)
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			snapshot := deskhand.Snapshot{Tenant: deskhand.Tenant(fmt.Sprint(i % 2)), Desktops: desktops}
			if got, err := reviewer.Review(t.Context(), snapshot); err != nil || len(got.Desktops) != len(desktops) {
				t.Errorf("%d desktops, %v", len(got.Desktops), err)
			}
		})
	}
	group.Wait()
}

func TestNewTellsWhatIsWrong(t *testing.T) {
	t.Parallel()
	for name, options := range map[string]Options{
		"no schema":       {},
		"a broken schema": {DesktopSchema: []byte("{"), PolicySchema: []byte("{}")},
	} {
		if _, err := New(options); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestSecretIn(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"4111 1111 1111 1111":                            "a card number",
		"card 5500-0000-0000-0004 is for tests":          "a card number",
		"378282246310005":                                "a card number",
		"4111 1111 1111 1112":                            "",
		"call +44 20 7946 0958":                          "",
		"ticket 20261122120000123":                       "",
		"password=hunter":                                "a credential",
		"Password: hunter2":                              "a credential",
		"the password: secret":                           "a credential",
		"API key: sk_live_abcdef":                        "a credential",
		"password: never ask the customer for it":        "",
		"Use tokenized values only.":                     "",
		"token AKIAABCDEFGHIJKLMNOP":                     "a key or token",
		"-----BEGIN RSA PRIVATE KEY-----":                "a key or token",
		"Authorization: Bearer abcdefghijklmnopqrstuvwx": "a key or token",
	}
	for text, want := range tests {
		if got := secretIn(text); got != want {
			t.Errorf("%q holds %q, want %q", text, got, want)
		}
	}
}

func TestSecretsAreNotRepeated(t *testing.T) {
	t.Parallel()
	got, _ := reviewWith(t, "", `extra: {support: {note: "password=hunter2"}}
complianceBanners: [{title: "4111111111111111", message: "key: s3cretvalue", acknowledgementRequired: true}]
layout: {primaryWorkspace: "pwd=hunter2"}`)
	found := withRule(got.Findings, "banner/secret")
	if len(found) != 4 || len(withRule(got.Findings, "banner/region")) != 1 {
		t.Fatalf("findings: %v", got.Findings)
	}
	for _, finding := range got.Findings {
		for _, secret := range []string{"4111", "hunter2", "s3cret"} {
			if strings.Contains(finding.String(), secret) {
				t.Errorf("a finding repeats a secret: %s", finding)
			}
		}
		if finding.Line == 0 {
			t.Errorf("no line: %s", finding)
		}
	}
}
