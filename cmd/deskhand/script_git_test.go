package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// commit SUBJECT commits all that is in repository/, which becomes a repository
// by the first one.
func commitAll(w *world, _ *testscript.TestScript, args []string) error {
	if len(args) != 1 {
		return errors.New("usage: commit SUBJECT")
	}
	return w.commit(args[0])
}

func (w *world) commit(subject string) error {
	repository := filepath.Join(w.dir, "repository")
	if _, err := os.Stat(filepath.Join(repository, ".git")); errors.Is(err, fs.ErrNotExist) {
		if err := w.git(repository, "init", "--quiet", "--initial-branch=main"); err != nil {
			return err
		}
	}
	if err := w.git(repository, "add", "--all"); err != nil {
		return err
	}
	return w.git(repository, "commit", "--quiet", "--message", subject)
}

func (w *world) git(dir string, args ...string) error {
	command := exec.Command("git", args...)
	command.Dir, command.Env = dir, w.env
	output, err := command.CombinedOutput()
	if err != nil {
		return fmt.Errorf("git %s: %w\n%s", args[0], err, output)
	}
	return nil
}

// definition is a desktop that no rule has anything to say about.
const definition = `configId: %s
region: EMEA
layout:
  gridColumns: 8
  widgetOrder: [contact-summary, call-controls, screen-pop, notes, compliance]
  primaryWorkspace: voice
shortcuts:
  - {label: Transfer, action: transfer, target: "queue:general", keys: Control+Shift+1}
complianceBanners:
  - {title: Recording, message: This contact is recorded., acknowledgementRequired: true}
browserCompatibility:
  supportedBrowsers: [chrome, edge]
  minimumVersions: {chrome: "114", edge: "114"}
`

// desktops N writes as many definitions, dsk-000 and up, into repository/.
func writeDesktops(w *world, _ *testscript.TestScript, args []string) error {
	if len(args) != 1 {
		return errors.New("usage: desktops N")
	}
	count, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	return w.writeDesktops(count)
}

func (w *world) writeDesktops(count int) error {
	for i := range count {
		id := fmt.Sprintf("dsk-%03d", i)
		path := filepath.Join(w.dir, "repository", "desktops", "standard", id+".yaml")
		if err := writeFile(path, fmt.Sprintf(definition, id)); err != nil {
			return err
		}
	}
	return nil
}

// replace FILE OLD NEW replaces a text that must be there.
func replaceText(_ *world, ts *testscript.TestScript, args []string) error {
	if len(args) != 3 {
		return errors.New("usage: replace FILE OLD NEW")
	}
	path := ts.MkAbs(args[0])
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if !strings.Contains(string(text), args[1]) {
		return fmt.Errorf("%s has no %s", args[0], args[1])
	}
	return os.WriteFile(path, []byte(strings.ReplaceAll(string(text), args[1], args[2])), 0o600)
}

// rewrite DIR OLD NEW replaces a text in all files below a folder.
func rewriteBelow(_ *world, ts *testscript.TestScript, args []string) error {
	if len(args) != 3 {
		return errors.New("usage: rewrite DIR OLD NEW")
	}
	return filepath.WalkDir(ts.MkAbs(args[0]), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(path, []byte(strings.ReplaceAll(string(text), args[1], args[2])), 0o600)
	})
}

// gitserver DIR serves the bare repositories of a folder over HTTP by git's own
// server, to those who sign in, and exports GIT_URL.
func startGitServer(w *world, ts *testscript.TestScript, args []string) error {
	if len(args) != 1 {
		return errors.New("usage: gitserver DIR")
	}
	git, err := exec.LookPath("git")
	if err != nil {
		return err
	}
	backend := &cgi.Handler{
		Path: git, Args: []string{"http-backend"}, Dir: w.dir,
		Env: append([]string{"GIT_PROJECT_ROOT=" + ts.MkAbs(args[0]), "GIT_HTTP_EXPORT_ALL=1", "REMOTE_USER=" + canaryGitUser}, w.env...),
	}
	server := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		if user != canaryGitUser || password != canaryGitPassword {
			out.Header().Set("WWW-Authenticate", `Basic realm="git"`)
			http.Error(out, "who are you?", http.StatusUnauthorized)
			return
		}
		backend.ServeHTTP(out, r)
	}))
	w.closers = append(w.closers, server.Close)
	ts.Setenv("GIT_URL", server.URL)
	return w.fillIn(map[string]string{"GIT_URL": server.URL})
}
