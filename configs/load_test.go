package configs

import (
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

const minimal = `source: {url: /srv/git/desktops.git}
tenants:
  - name: acme
    subdomain: acme
    clientID: {env: ID}
    clientSecret: {env: SECRET}
`

func TestMinimalFileGetsTheDefaults(t *testing.T) {
	t.Parallel()
	config, err := parse("deskhand.yaml", []byte(minimal), nil)
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.Source.URL = "/srv/git/desktops.git"
	tenant := DefaultTenant()
	tenant.Name, tenant.Subdomain = "acme", "acme"
	tenant.ClientID, tenant.ClientSecret = Secret{Env: "ID"}, Secret{Env: "SECRET"}
	want.Tenants = []Tenant{tenant}
	if diff := cmp.Diff(want, config, compare()); diff != "" {
		t.Errorf("configuration (-want +got):\n%s", diff)
	}
}

// compare leaves out where a setting was said.
func compare() cmp.Options {
	return cmp.Options{
		cmp.Comparer(func(a, b Secret) bool { return a.Env == b.Env && a.File == b.File }),
		cmp.Comparer(func(places, places) bool { return true }),
		cmp.AllowUnexported(Config{}),
	}
}

func TestExampleIsValid(t *testing.T) {
	t.Parallel()
	config, err := parse("deskhand.yaml", []byte(Example()), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := config.Tenants[0].Prune.Max; got != (Limit{Percent: 10}) {
		t.Errorf("prune.max = %v, want 10%%", got)
	}
	if got := config.Notify[0].Secret.String(); got != "{env: ITSM_SECRET}" {
		t.Errorf("secret = %s", got)
	}
}

func TestLoadAnchorsRelativePaths(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	file := filepath.Join(folder, "deskhand.yaml")
	text := strings.ReplaceAll(minimal, "{env: SECRET}", "{file: secrets/cxone}")
	text = strings.ReplaceAll(text, "/srv/git/desktops.git", "desktops.git")
	write(t, file, text)
	write(t, filepath.Join(folder, "secrets", "cxone"), "s3cret\n")

	config, err := Load(file, func(string) string { return "from the environment" })
	if err != nil {
		t.Fatal(err)
	}
	if want := filepath.Join(folder, ".deskhand"); config.DataDir != want {
		t.Errorf("dataDir = %s, want %s", config.DataDir, want)
	}
	if want := filepath.Join(folder, "desktops.git"); config.Source.URL != want {
		t.Errorf("source.url = %s, want %s", config.Source.URL, want)
	}
	if got, err := config.Tenants[0].ClientSecret.Resolve(t.Context()); err != nil || got != "s3cret" {
		t.Errorf("clientSecret = %q, %v", got, err)
	}
	if got, err := config.Tenants[0].ClientID.Resolve(t.Context()); err != nil || got != "from the environment" {
		t.Errorf("clientID = %q, %v", got, err)
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestLoadOfAFileThatIsNotThere(t *testing.T) {
	t.Parallel()
	_, err := Load(filepath.Join(t.TempDir(), "deskhand.yaml"), os.Getenv)
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "--config") {
		t.Errorf("error = %v", err)
	}
}

func TestLoadBoundsTheFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "deskhand.yaml")
	write(t, file, strings.Repeat("#", maxFile+1))
	if _, err := Load(file, os.Getenv); err == nil || !strings.Contains(err.Error(), "larger than 1 MiB") {
		t.Errorf("error = %v", err)
	}
}

// TestProblems compares what is said about each wrong file of testdata/wrong.
func TestProblems(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/wrong/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no wrong files: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			_, err = parse(filepath.Base(file), content, nil)
			var wrong *InvalidError
			if !errors.As(err, &wrong) {
				t.Fatalf("error = %v, want an InvalidError", err)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Error("a secret is in the error")
			}
			golden(t, strings.TrimSuffix(file, ".yaml")+".txt", err.Error()+"\n")
		})
	}
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s is out of date; go test with -update writes it anew (-want +got):\n%s", file, diff)
	}
}

func TestValidateOfAConfigurationMadeInCode(t *testing.T) {
	t.Parallel()
	config := Default()
	config.Source.URL = "/srv/git/desktops.git"
	tenant := DefaultTenant()
	tenant.Name, tenant.BaseURL = "acme", "http://127.0.0.1:9000"
	tenant.ClientID, tenant.ClientSecret = Secret{Env: "ID"}, Secret{Env: "SECRET"}
	config.Tenants = []Tenant{tenant}
	if err := config.Validate(); err != nil {
		t.Errorf("valid configuration refused: %v", err)
	}
	config.Tenants[0].Drift.Interval = time.Nanosecond
	if err := config.Validate(); err == nil || !strings.Contains(err.Error(), "\n  tenants[0].drift.interval: 1ns is too short") {
		t.Errorf("error = %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(minimal))
	f.Add([]byte(Example()))
	f.Add([]byte("a: &a [*a]\nsource: *a"))
	f.Add([]byte("tenants: [{prune: {max: 1e309%}, <<: {}}, null]"))
	f.Fuzz(func(t *testing.T, content []byte) {
		config, err := parse("fuzz.yaml", content, nil)
		if err == nil && config.Validate() != nil {
			t.Error("parse accepts what Validate refuses")
		}
	})
}
