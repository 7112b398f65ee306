package configs

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

func TestSecretFileIsReadAnew(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "secret")
	secret := Secret{File: file}
	for _, content := range []string{"first\n", "second\r\n", "no newline", "two\n\n"} {
		write(t, file, content)
		want := trimNewline(content)
		if got, err := secret.Resolve(t.Context()); err != nil || got != want {
			t.Errorf("Resolve = %q, %v, want %q", got, err, want)
		}
	}
}

func TestSecretErrors(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	empty, large := filepath.Join(folder, "empty"), filepath.Join(folder, "large")
	write(t, empty, "\n")
	write(t, large, strings.Repeat("x", maxSecret+1))
	unset := func(string) string { return "" }
	for name, test := range map[string]struct {
		secret Secret
		want   string
	}{
		"unset variable": {Secret{Env: "TOKEN", lookup: unset, setting: "source.auth.password"}, "read secret source.auth.password: environment variable TOKEN is not set"},
		"missing file":   {Secret{File: filepath.Join(folder, "missing")}, "no such file"},
		"folder":         {Secret{File: folder}, "not a regular file"},
		"empty file":     {Secret{File: empty}, "is empty"},
		"large file":     {Secret{File: large}, "larger than 64 KiB"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := test.secret.Resolve(t.Context())
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error = %v, want it to say %q", err, test.want)
			}
		})
	}
}

func TestSecretHonoursTheContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := (Secret{Env: "TOKEN"}).Resolve(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v", err)
	}
}

func TestSecretPrintsItsPlaceOnly(t *testing.T) {
	t.Parallel()
	secret := Secret{Env: "TOKEN", lookup: func(string) string { return "hunter2" }}
	if value, err := secret.Resolve(t.Context()); err != nil || value != "hunter2" {
		t.Fatalf("Resolve = %q, %v", value, err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if got := fmt.Sprintf(verb, secret); got != "{env: TOKEN}" {
			t.Errorf("%s prints %s", verb, got)
		}
	}
}
