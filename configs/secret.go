package configs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// maxSecret bounds a secret, in bytes: larger than any key, smaller than what
// a wrong path could name.
const maxSecret = 64 << 10

// Secret says where a secret is: in an environment variable or in a file. The
// secret itself is never part of a configuration, so printing one is safe.
// The zero Secret is none.
type Secret struct {
	Env  string
	File string

	setting string              // the path in deskhand.yaml, for errors
	lookup  func(string) string // os.Getenv where nil
}

// IsZero reports whether no secret is set.
func (s Secret) IsZero() bool { return s.Env == "" && s.File == "" }

// String names the place, never the secret.
func (s Secret) String() string {
	switch {
	case s.Env != "":
		return "{env: " + s.Env + "}"
	case s.File != "":
		return "{file: " + s.File + "}"
	default:
		return "{}"
	}
}

// GoString is String, so that %#v shows no more.
func (s Secret) GoString() string { return s.String() }

// Resolve reads the secret, less one trailing newline. It reads anew at each
// call, so a rotated file is seen at once. The zero Secret resolves to "".
func (s Secret) Resolve(ctx context.Context) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	var (
		value string
		err   error
	)
	switch {
	case s.IsZero():
		return "", nil
	case s.Env != "":
		value, err = s.fromEnv()
	default:
		value, err = s.fromFile()
	}
	if err != nil && s.setting != "" {
		return "", fmt.Errorf("read secret %s: %w", s.setting, err)
	}
	if err != nil {
		return "", fmt.Errorf("read secret: %w", err)
	}
	return value, nil
}

func (s Secret) fromEnv() (string, error) {
	lookup := s.lookup
	if lookup == nil {
		lookup = os.Getenv
	}
	value := trimNewline(lookup(s.Env))
	if value == "" {
		return "", fmt.Errorf("environment variable %s is not set; export it before deskhand starts", s.Env)
	}
	return value, nil
}

func (s Secret) fromFile() (string, error) {
	info, err := os.Stat(s.File)
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() { // opening a pipe would wait for its writer
		return "", fmt.Errorf("%s is not a regular file", s.File)
	}
	file, err := os.Open(s.File)
	if err != nil {
		return "", err
	}
	content, readErr := io.ReadAll(io.LimitReader(file, maxSecret+1))
	if err := errors.Join(readErr, file.Close()); err != nil {
		return "", err
	}
	if len(content) > maxSecret {
		return "", fmt.Errorf("%s is larger than %d KiB; is it the right file?", s.File, maxSecret>>10)
	}
	value := trimNewline(string(content))
	if value == "" {
		return "", fmt.Errorf("%s is empty; write the secret into it", s.File)
	}
	return value, nil
}

func trimNewline(text string) string {
	return strings.TrimSuffix(strings.TrimSuffix(text, "\n"), "\r")
}
