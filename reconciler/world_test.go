package reconciler_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/rs/zerolog"

	"github.com/deskhand/deskhand"
	"github.com/deskhand/deskhand/cxone"
	"github.com/deskhand/deskhand/cxone/simulator"
	"github.com/deskhand/deskhand/reconciler"
	"github.com/deskhand/deskhand/reconciler/ledger"
)

const (
	acme     = deskhand.Tenant("acme")
	clientID = "deskhand-client"
)

// world is a tenant with everything around it: a git repository, a simulated
// CXone, an audit branch, and one life of deskhand after another between them.
// All but git and the branch is the real thing.
type world struct {
	t      testing.TB
	sim    *simulator.Simulator
	git    *repository
	branch *branch
	wire   *wire
	rules  reconciler.Rules
	dir    string

	*life
}

// life is one run of the process, from its start to its end or sudden death.
type life struct {
	reconciler *reconciler.Reconciler
	journal    *ledger.Ledger
	auditor    *ledger.Auditor
	client     *cxone.Client
	recorded   []deskhand.Record // as far as read

	mutex  sync.Mutex
	isDead bool
}

var errDead = errors.New("the process is dead")

// newWorld opens a world in which no write may ever be a blind one.
func newWorld(t *testing.T, rules reconciler.Rules) *world {
	t.Helper()
	w := openWorld(t, rules)
	t.Cleanup(func() {
		for _, violation := range w.sim.Violations() {
			t.Errorf("blind write: %s", violation)
		}
	})
	return w
}

func openWorld(t testing.TB, rules reconciler.Rules) *world {
	t.Helper()
	sim, err := simulator.New(simulator.Options{ClientID: clientID, ClientSecret: "s3cret"})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, sim: sim, rules: rules, dir: t.TempDir(), git: newRepository(), branch: &branch{sim: sim}}
	w.wire = &wire{next: sim.RoundTripper()}
	w.start()
	t.Cleanup(w.end)
	return w
}

// start begins a life on what the last one left on disk.
func (w *world) start() {
	w.t.Helper()
	journal, err := ledger.Open(w.dir, ledger.Options{Logger: zerolog.Nop()})
	if err != nil {
		w.t.Fatal(err)
	}
	born := &life{journal: journal}
	born.auditor = ledger.NewAuditor(journal, acme, w.branch, zerolog.Nop())
	born.client, err = cxone.New(cxone.Options{
		Tenant: acme, Subdomain: "acme", UserAgent: "deskhand/test", Transport: mortalWire{born, w.wire},
		Credentials: func(context.Context) (cxone.Credentials, error) {
			return cxone.Credentials{ClientID: clientID, ClientSecret: "s3cret"}, nil
		},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	born.reconciler = reconciler.New(acme, w.rules, reconciler.Parts{
		Source: w.git, Reviewer: w.git, Platform: born.client, Memory: journal,
		Journal: mortalJournal{born, journal}, Archive: born.auditor, Meter: silence{}, Logger: zerolog.Nop(),
	})
	w.life = born
}

func (w *world) end() {
	w.client.Close()
	if err := w.journal.Close(); err != nil {
		w.t.Error(err)
	}
}

// restart ends this life and begins the next.
func (w *world) restart() {
	w.t.Helper()
	w.end()
	w.start()
}

// die is kill -9: from here on this life neither writes its journal nor reaches
// CXone.
func (l *life) die() {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.isDead = true
}

func (l *life) dead() error {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.isDead {
		return errDead
	}
	return nil
}

type mortalJournal struct {
	life *life
	reconciler.Journal
}

func (j mortalJournal) Intend(ctx context.Context, intents []deskhand.Intent) error {
	if err := j.life.dead(); err != nil {
		return err
	}
	return j.Journal.Intend(ctx, intents)
}

func (j mortalJournal) Settle(ctx context.Context, tenant deskhand.Tenant, settlements []deskhand.Settlement) error {
	if err := j.life.dead(); err != nil {
		return err
	}
	return j.Journal.Settle(ctx, tenant, settlements)
}

type mortalWire struct {
	life *life
	next http.RoundTripper
}

func (m mortalWire) RoundTrip(request *http.Request) (*http.Response, error) {
	if err := m.life.dead(); err != nil {
		return nil, err
	}
	response, err := m.next.RoundTrip(request)
	if dead := m.life.dead(); dead != nil {
		if err == nil {
			response.Body.Close()
		}
		return nil, dead
	}
	return response, err
}

// wire is the network. A test may look at each request to a configuration before
// it arrives and after it was answered.
type wire struct {
	next          http.RoundTripper
	before, after func(method, configID string, body []byte)
	page          func() // before each page of a list
}

func (w *wire) RoundTrip(request *http.Request) (*http.Response, error) {
	if w.page != nil && request.URL.Query().Has("skip") {
		w.page()
	}
	_, configID, isConfiguration := strings.Cut(request.URL.Path, "/configurations/")
	if !isConfiguration || w.before == nil && w.after == nil {
		return w.next.RoundTrip(request)
	}
	var body []byte
	if request.Body != nil {
		read, err := io.ReadAll(request.Body)
		if err != nil {
			return nil, err
		}
		request = request.Clone(request.Context())
		body, request.Body = read, io.NopCloser(strings.NewReader(string(read)))
	}
	if w.before != nil {
		w.before(request.Method, configID, body)
	}
	response, err := w.next.RoundTrip(request)
	if w.after != nil {
		w.after(request.Method, configID, body)
	}
	return response, err
}

// branch is an audit branch that remembers every commit, and how many requests
// CXone had seen by then.
type branch struct {
	sim *simulator.Simulator

	mutex   sync.Mutex
	commits []auditCommit
	broken  error
}

type auditCommit struct {
	files    map[string][]byte
	message  string
	requests int
}

func (b *branch) Commit(_ context.Context, files map[string][]byte, message string, _ time.Time) (string, error) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if b.broken != nil {
		return "", b.broken
	}
	b.commits = append(b.commits, auditCommit{files, message, len(b.sim.Requests())})
	return fmt.Sprintf("%040x", len(b.commits)), nil
}

func (b *branch) Read(_ context.Context, folder string, visit func(path string, content []byte) error) error {
	tree := map[string][]byte{}
	b.mutex.Lock()
	for _, commit := range b.commits {
		maps.Copy(tree, commit.files)
	}
	b.mutex.Unlock()
	for _, path := range slices.Sorted(maps.Keys(tree)) {
		if tree[path] == nil || !strings.HasPrefix(path, folder+"/") {
			continue
		}
		if err := visit(path, tree[path]); err != nil {
			return err
		}
	}
	return nil
}

func (b *branch) Sync(context.Context) error { return nil }

// holding is the first commit in which the desktop's live document was that one.
func (b *branch) holding(configID string, live deskhand.Document) (auditCommit, bool) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	for _, commit := range b.commits {
		content := commit.files["live/"+configID+".json"]
		if content == nil {
			continue
		}
		if kept, err := deskhand.ParseDocument(content); err == nil && kept == live {
			return commit, true
		}
	}
	return auditCommit{}, false
}

type silence struct{}

func (silence) Reconciled(deskhand.Tenant, deskhand.Trigger, time.Duration, error) {}
func (silence) Applied(deskhand.Tenant, deskhand.EventType)                        {}
func (silence) States(deskhand.Tenant, map[deskhand.State]int)                     {}

// sync is a pass as a push makes it, sweep one that looks at everything.
func (w *world) sync(commit deskhand.Commit) reconciler.Result {
	w.t.Helper()
	return w.pass(reconciler.Pass{Commit: commit, Trigger: deskhand.TriggerPush})
}

func (w *world) sweep(commit deskhand.Commit) reconciler.Result {
	w.t.Helper()
	return w.pass(reconciler.Pass{Commit: commit, Trigger: deskhand.TriggerDrift, Full: true})
}

func (w *world) pass(pass reconciler.Pass) reconciler.Result {
	w.t.Helper()
	result, err := w.reconciler.Once(w.t.Context(), pass)
	if err != nil {
		w.t.Fatalf("pass over %s: %v", pass.Commit.Subject, err)
	}
	return result
}

func (w *world) records() []deskhand.Record {
	w.t.Helper()
	entries, err := w.journal.Entries(context.Background(), uint64(len(w.recorded)), 1<<20)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, entry := range entries {
		w.recorded = append(w.recorded, entry.Record)
	}
	return slices.Clone(w.recorded)
}

// story is what was recorded of a desktop, in short: each event, and the outcome
// where the event does not say it already.
func (w *world) story(configID string) []string {
	w.t.Helper()
	var events []string
	for _, record := range w.records() {
		if record.ConfigID == configID {
			events = append(events, record.Event.Short()+" "+string(record.Outcome))
		}
	}
	return events
}

func (w *world) managed(configID string) deskhand.Managed {
	w.t.Helper()
	all, err := w.journal.Managed(context.Background(), acme)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, one := range all {
		if one.ConfigID == configID {
			return one
		}
	}
	return deskhand.Managed{}
}

func (w *world) live(configID string) deskhand.Document {
	observed, _ := w.sim.Configuration(configID)
	return observed.Document
}

func (w *world) intents() []deskhand.Intent {
	w.t.Helper()
	open, err := w.journal.Intents(context.Background(), acme)
	if err != nil {
		w.t.Fatal(err)
	}
	return open
}

// edit is somebody at work in CXone's own user interface.
func (w *world) edit(configID string, change func(fields map[string]any)) {
	w.t.Helper()
	if err := w.sim.Edit(configID, change); err != nil {
		w.t.Fatal(err)
	}
}

// requests are those with the method since the last ResetCounts, by status.
func (w *world) requests(method string) map[int]int { return w.sim.Counts().Requests[method] }

// writes are the positions of the PUTs to a desktop in the order of all requests.
func (w *world) writes(configID string) []int {
	var positions []int
	for i, request := range w.sim.Requests() {
		if request.ID == configID && request.Method == http.MethodPut {
			positions = append(positions, i)
		}
	}
	return positions
}

// inBubble runs a test where time is fake and waiting costs nothing.
func inBubble(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, test)
}

func equal[T any](t testing.TB, what string, got, want T) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmp.AllowUnexported(deskhand.Document{})); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func rulesWith(change func(*reconciler.Rules)) reconciler.Rules {
	rules := reconciler.DefaultRules()
	change(&rules)
	return rules
}
