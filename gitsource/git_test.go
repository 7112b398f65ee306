package gitsource_test

import (
	"crypto/subtle"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// patience is how long a test waits for what must come.
const patience = 20 * time.Second

// repo is a repository that the git binary works on.
type repo struct {
	t   *testing.T
	dir string
}

func needGit(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("git")
	if err == nil {
		return path
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("git is not installed")
	}
	t.Skip("git is not installed")
	return ""
}

// newRepo makes an empty work tree on branch main.
func newRepo(t *testing.T) *repo {
	t.Helper()
	r := &repo{t: t, dir: t.TempDir()}
	r.git("init", "--quiet", "--initial-branch=main")
	return r
}

func newBareRepo(t *testing.T, dir string) *repo {
	t.Helper()
	r := &repo{t: t, dir: dir}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	r.git("init", "--quiet", "--bare", "--initial-branch=main")
	r.git("config", "http.receivepack", "true")
	return r
}

func (r *repo) git(args ...string) string {
	r.t.Helper()
	command := exec.Command(needGit(r.t), args...)
	command.Dir = r.dir
	command.Env = gitEnv()
	output, err := command.CombinedOutput()
	if err != nil {
		r.t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, output)
	}
	return strings.TrimSpace(string(output))
}

func gitEnv() []string {
	return append(os.Environ(),
		"GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=Ada", "GIT_AUTHOR_EMAIL=ada@example.com",
		"GIT_COMMITTER_NAME=Grace", "GIT_COMMITTER_EMAIL=grace@example.com",
	)
}

func (r *repo) write(path, content string) {
	r.t.Helper()
	path = filepath.Join(r.dir, filepath.FromSlash(path))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		r.t.Fatal(err)
	}
}

// commit commits all files, those given written first, and returns the SHA.
func (r *repo) commit(message string, files ...string) string {
	r.t.Helper()
	for i := 0; i+1 < len(files); i += 2 {
		r.write(files[i], files[i+1])
	}
	r.git("add", "--all")
	r.git("commit", "--quiet", "--allow-empty", "--message", message)
	return r.git("rev-parse", "HEAD")
}

func definition(id string) string {
	return "configId: " + id + "\nlayout:\n  gridColumns: 8\n"
}

// forge serves the bare repositories below a folder over http, as git http-backend does.
type forge struct {
	*httptest.Server
	root     string
	listings atomic.Int64
	fetches  atomic.Int64
	pushes   atomic.Int64
	dead     atomic.Bool
	mu       sync.Mutex
	password string              // "" asks for none
	meddle   func(*http.Request) // runs before a request is served
}

func newForge(t *testing.T) *forge {
	t.Helper()
	needGit(t)
	f := &forge{root: t.TempDir()}
	execPath := (&repo{t: t, dir: f.root}).git("--exec-path")
	backend := &cgi.Handler{
		Path: filepath.Join(execPath, "git-http-backend"),
		Env: []string{
			"GIT_PROJECT_ROOT=" + f.root, "GIT_HTTP_EXPORT_ALL=1", "REMOTE_USER=deskhand",
			"GIT_CONFIG_GLOBAL=" + os.DevNull, "GIT_CONFIG_NOSYSTEM=1",
		},
	}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		f.serve(w, request, backend)
	}))
	t.Cleanup(f.Close)
	return f
}

func (f *forge) serve(w http.ResponseWriter, request *http.Request, backend http.Handler) {
	f.mu.Lock()
	password, meddle := f.password, f.meddle
	f.mu.Unlock()
	if f.dead.Load() {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	if _, given, _ := request.BasicAuth(); password != "" && subtle.ConstantTimeCompare([]byte(given), []byte(password)) != 1 {
		w.Header().Set("WWW-Authenticate", `Basic realm="git"`)
		http.Error(w, "no entry for "+given, http.StatusUnauthorized)
		return
	}
	switch {
	case strings.HasSuffix(request.URL.Path, "/info/refs"):
		f.listings.Add(1)
	case strings.HasSuffix(request.URL.Path, "/git-upload-pack"):
		f.fetches.Add(1)
	case strings.HasSuffix(request.URL.Path, "/git-receive-pack"):
		f.pushes.Add(1)
	}
	if meddle != nil {
		meddle(request)
	}
	backend.ServeHTTP(w, request)
}

func (f *forge) setPassword(password string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.password = password
}

func (f *forge) setMeddle(meddle func(*http.Request)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.meddle = meddle
}

// bare makes a repository on the forge; the URL ends in its name.
func (f *forge) bare(t *testing.T, name string) (*repo, string) {
	t.Helper()
	return newBareRepo(t, filepath.Join(f.root, name)), f.URL + "/" + name
}

// pushTo publishes what is committed here.
func (r *repo) pushTo(bare *repo, refspec ...string) {
	r.t.Helper()
	r.git(append([]string{"push", "--quiet", bare.dir}, refspec...)...)
}
