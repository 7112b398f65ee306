package main

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/deskhand/deskhand/cxone/simulator"
)

// The secrets of the tests. They are looked for in all that deskhand leaves behind.
const (
	canaryClientID     = "canary-client"
	canaryClientSecret = "canary-client-secret-5b1f"
	canaryGitUser      = "bot"
	canaryGitPassword  = "canary-git-password-77aa"
	canaryHookKey      = "canary-hook-secret-0c9e"
)

func canaryHookSecret() string {
	return "whsec_" + base64.StdEncoding.EncodeToString([]byte(canaryHookKey))
}

// canaries are the secrets as they would show: plain, and as HTTP sends them.
func canaries() []string {
	basic := func(user, password string) string {
		return base64.StdEncoding.EncodeToString([]byte(user + ":" + password))
	}
	return []string{
		canaryClientSecret, canaryGitPassword, canaryHookKey, strings.TrimPrefix(canaryHookSecret(), "whsec_"),
		basic(canaryClientID, canaryClientSecret), basic(canaryGitUser, canaryGitPassword),
	}
}

// patience is how long a condition may take to come true on a busy machine.
const patience = 30 * time.Second

// world is what surrounds the program in one test: a folder with a configuration
// and a repository, a simulated tenant, a service desk and, once started, the
// daemon.
type world struct {
	dir     string
	env     []string
	sim     *simulator.Simulator
	sink    *sink
	daemon  *daemon // nil while none runs
	seen    int     // requests before the last "counts reset"
	closers []func()
}

// configuration is deskhand.yaml where a script brings none. Only the watch and
// signals move this daemon: the timers are too slow to matter.
const configuration = `dataDir: data
source: {url: repository, branch: main, path: desktops, interval: 1h}
tenants:
  - name: acme
    baseURL: ${CXONE_URL}
    clientID: {file: secrets/client-id}
    clientSecret: {file: secrets/client-secret}
    requestsPerSecond: 0
    drift: {policy: report, interval: 1h}
notify:
  - {name: itsm, url: "${SINK_URL}", secret: {file: secrets/hook-secret}, allowPrivate: true}
http: {listen: "127.0.0.1:0"}
log: {level: info, format: json}
`

// newWorld makes a world in a folder. YAML files at its top may name the
// addresses of the world as ${CXONE_URL}, ${CXONE_TOKEN_URL} and ${SINK_URL}.
func newWorld(dir string, env []string) (*world, error) {
	w := &world{dir: dir, sink: &sink{file: filepath.Join(dir, "events.jsonl")}}
	var err error
	w.sim, err = simulator.New(simulator.Options{ClientID: canaryClientID, ClientSecret: canaryClientSecret})
	if err != nil {
		return nil, err
	}
	cxone := httptest.NewServer(simHandler(w.sim))
	desk := httptest.NewServer(w.sink)
	w.closers = append(w.closers, desk.Close, cxone.Close, func() { _ = w.sim.Close() })

	addresses := map[string]string{
		"CXONE_URL": cxone.URL, "CXONE_TOKEN_URL": cxone.URL + "/oauth2/token", "SINK_URL": desk.URL + "/hooks/cxone",
	}
	w.env = append(env,
		"HOME="+filepath.Join(dir, "home"), "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0",
		"GIT_AUTHOR_NAME=Ada Admin", "GIT_AUTHOR_EMAIL=ada@example.com",
		"GIT_COMMITTER_NAME=Ada Admin", "GIT_COMMITTER_EMAIL=ada@example.com",
	)
	// A program that watches for races waits a second before it ends, in case
	// another thread still has one to report. Scripts run hundreds of programs.
	w.env = append(w.env, "GORACE=atexit_sleep_ms=0")
	w.env = append(w.env, "CXONE_ADDRESS="+strings.TrimPrefix(cxone.URL, "http://"))
	for name, address := range addresses {
		w.env = append(w.env, name+"="+address)
	}
	return w, w.writeFiles(addresses)
}

func (w *world) writeFiles(addresses map[string]string) error {
	for name, secret := range map[string]string{
		"client-id": canaryClientID, "client-secret": canaryClientSecret,
		"hook-secret": canaryHookSecret(), "git-password": canaryGitPassword,
	} {
		if err := writeFile(filepath.Join(w.dir, "secrets", name), secret+"\n"); err != nil {
			return err
		}
	}
	path := filepath.Join(w.dir, "deskhand.yaml")
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		if err := writeFile(path, configuration); err != nil {
			return err
		}
	}
	return w.fillIn(addresses)
}

// fillIn puts addresses into the YAML files at the top of the folder.
func (w *world) fillIn(addresses map[string]string) error {
	configurations, err := filepath.Glob(filepath.Join(w.dir, "*.yaml"))
	if err != nil {
		return err
	}
	for _, path := range configurations {
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for name, address := range addresses {
			text = []byte(strings.ReplaceAll(string(text), "${"+name+"}", address))
		}
		if err := writeFile(path, string(text)); err != nil {
			return err
		}
	}
	return nil
}

// close ends the world and says what must hold in each: no write was blind, no
// event forged, no secret left anywhere.
func (w *world) close(t *testing.T) {
	t.Helper()
	if w.daemon != nil {
		w.daemon.kill()
	}
	for _, violation := range w.sim.Violations() {
		t.Errorf("CXone saw a request that no client may make: %s", violation)
	}
	if forged := w.sink.forgeries(); forged > 0 {
		t.Errorf("%d events had no valid signature", forged)
	}
	for _, closeOne := range w.closers {
		closeOne()
	}
	if err := searchForSecrets(w.dir); err != nil {
		t.Error(err)
	}
}

func writeFile(path, text string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(text), 0o600)
}

// poll asks until the answer is no error, or patience ends.
func poll(ask func() error) error {
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		err := ask()
		if err == nil {
			return nil
		}
		select {
		case <-deadline.C:
			return fmt.Errorf("not within %s: %w", patience, err)
		case <-tick.C:
		}
	}
}
