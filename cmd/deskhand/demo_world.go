package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
	webhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/deskhand/deskhand/configs"
	"github.com/deskhand/deskhand/cxone/simulator"
	"github.com/deskhand/deskhand/gitsource/manifest"
)

// The demo's secrets are no secrets: everything listens on loopback alone.
const (
	demoTenant       = "acme"
	demoClientID     = "demo-client"
	demoClientSecret = "demo-secret"
	demoHookSecret   = "whsec_ZGVza2hhbmQtZGVtby1ob29rLXNlY3JldA==" //nolint:gosec // of the sink
	demoLatency      = 5 * time.Millisecond
)

// demoWorld is what surrounds the daemon in the demo.
type demoWorld struct {
	repository string // a git repository with a work tree
	configFile string
	config     configs.Config
	sim        *simulator.Simulator
	sink       *demoSink
	servers    sync.WaitGroup
	closers    []func() error
}

func buildDemoWorld(ctx context.Context, home, listen string) (_ *demoWorld, err error) {
	world := &demoWorld{
		repository: filepath.Join(home, "repository"),
		configFile: filepath.Join(home, "deskhand.yaml"),
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, world.close())
		}
	}()
	if err := world.makeRepository(); err != nil {
		return nil, err
	}
	world.sim, err = simulator.New(simulator.Options{ClientID: demoClientID, ClientSecret: demoClientSecret, Latency: demoLatency})
	if err != nil {
		return nil, err
	}
	world.closers = append(world.closers, world.sim.Close)
	if err := world.seed(ctx, storyAdopted); err != nil {
		return nil, err
	}
	simAddress, err := world.serve(ctx, simHandler(world.sim))
	if err != nil {
		return nil, err
	}
	world.sink = &demoSink{}
	sinkAddress, err := world.serve(ctx, world.sink)
	if err != nil {
		return nil, err
	}
	return world, world.configure(home, listen, simAddress, sinkAddress)
}

func (w *demoWorld) serve(ctx context.Context, handler http.Handler) (address string, err error) {
	listener, err := listenOn(ctx, "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	w.servers.Go(func() { _ = serve(ctx, listener, handler) })
	w.closers = append(w.closers, func() error { stop(); return nil })
	return listener.Addr().String(), nil
}

func (w *demoWorld) close() error {
	var failed error
	for i := len(w.closers) - 1; i >= 0; i-- {
		failed = errors.Join(failed, w.closers[i]())
	}
	w.servers.Wait()
	return failed
}

func (w *demoWorld) configure(home, listen, simAddress, sinkAddress string) error {
	secrets := map[string]string{"client-id": demoClientID, "client-secret": demoClientSecret, "hook-secret": demoHookSecret}
	if err := os.MkdirAll(filepath.Join(home, "secrets"), 0o700); err != nil {
		return err
	}
	for name, secret := range secrets {
		if err := os.WriteFile(filepath.Join(home, "secrets", name), []byte(secret+"\n"), 0o600); err != nil {
			return err
		}
	}
	text := fmt.Sprintf(`# The demo's configuration. It works with every command while the demo is up:
# deskhand plan --config %s
dataDir: data
source: {url: repository, branch: main, path: desktops, interval: 10s}
tenants:
  - name: %s
    baseURL: http://%s
    clientID: {file: secrets/client-id}
    clientSecret: {file: secrets/client-secret}
    drift: {policy: report, interval: 2s}
notify:
  - {name: itsm, url: "http://%s/hooks/cxone", secret: {file: secrets/hook-secret}, allowPrivate: true}
http: {listen: "%s"}
log: {level: info, format: console}
`, w.configFile, demoTenant, simAddress, sinkAddress, listen)
	if err := os.WriteFile(w.configFile, []byte(text), 0o600); err != nil {
		return err
	}
	config, err := configs.Load(w.configFile, func(string) string { return "" })
	w.config = config
	return err
}

// makeRepository puts the sample under version control, as an administrator
// would have it.
func (w *demoWorld) makeRepository() error {
	if err := os.CopyFS(w.repository, configs.Sample()); err != nil {
		return err
	}
	_, err := git.PlainInitWithOptions(w.repository, &git.PlainInitOptions{
		InitOptions: git.InitOptions{DefaultBranch: plumbing.NewBranchReferenceName("main")},
	})
	if err != nil {
		return err
	}
	return w.commit("Start with the sample desktops")
}

// seed puts a desktop into CXone as the repository defines it, as if the script
// that deskhand replaces had made it.
func (w *demoWorld) seed(ctx context.Context, configID string) error {
	root := filepath.ToSlash(filepath.Join(w.repository, "desktops"))
	review, err := tree{root: root}.review(ctx)
	if err != nil {
		return err
	}
	for _, desktop := range review.Desktops {
		if desktop.ConfigID == configID {
			w.sim.Put(configID, desktop.Optimised.Fields())
			return nil
		}
	}
	return fmt.Errorf("the sample has no desktop %s", configID)
}

// edit changes values of one definition on disk, as an editor would.
func (w *demoWorld) edit(file string, edits ...manifest.Edit) error {
	path := filepath.Join(w.repository, filepath.FromSlash(file))
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	for i := range edits {
		edits[i].File = file
	}
	edited, err := manifest.Apply(content, edits)
	if err != nil {
		return err
	}
	return os.WriteFile(path, edited, fs.FileMode(0o600))
}

// commit commits everything in the work tree.
func (w *demoWorld) commit(subject string) error {
	repository, err := git.PlainOpen(w.repository)
	if err != nil {
		return err
	}
	work, err := repository.Worktree()
	if err != nil {
		return err
	}
	if err := work.AddWithOptions(&git.AddOptions{All: true}); err != nil {
		return err
	}
	_, err = work.Commit(subject, &git.CommitOptions{
		Author: &object.Signature{Name: "Ada Admin", Email: "ada@example.com", When: time.Now()},
	})
	return err
}

// demoSink is the service desk: it takes events whose signature is right.
type demoSink struct {
	mutex  sync.Mutex
	events []demoEvent
	forged int
}

// demoEvent is the part of an event that the story tells.
type demoEvent struct {
	ID      string `json:"id"`
	Type    string `json:"type"`
	Subject string `json:"subject"`
	Data    struct {
		Why    string `json:"why"`
		Commit struct {
			SHA string `json:"sha"`
		} `json:"commit"`
	} `json:"data"`
}

func (s *demoSink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, event, err := readEvent(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	verifier, err := webhooks.NewWebhook(demoHookSecret)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if err := verifier.Verify(body, r.Header); err != nil {
		s.forged++
		http.Error(w, "the signature is wrong", http.StatusUnauthorized)
		return
	}
	s.events = append(s.events, event)
	w.WriteHeader(http.StatusNoContent)
}

// of lists the events of one type about one desktop.
func (s *demoSink) of(event, configID string) []demoEvent {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	var found []demoEvent
	for _, candidate := range s.events {
		if candidate.Type == event && (configID == "" || candidate.Subject == configID) {
			found = append(found, candidate)
		}
	}
	return found
}

func (s *demoSink) forgeries() int {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.forged
}
