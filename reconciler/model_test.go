package reconciler_test

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/deskhand/deskhand"
	"github.com/deskhand/deskhand/cxone/simulator"
	"github.com/deskhand/deskhand/reconciler"
)

// TestModel lets commits, hands in CXone, trouble on the network, passes,
// restarts and deaths follow each other at random, under every policy, and holds
// each step to what deskhand promises. A failure names the promise.
func TestModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		rules := anyRules().Draw(rt, "rules")
		var failure any
		synctest.Test(t, func(t *testing.T) {
			defer func() { failure = recover() }() // for rapid, which waits outside of the bubble
			m := newModel(rt, openWorld(t, rules))
			rt.Repeat(map[string]func(*rapid.T){
				"commit":  m.commit,
				"hand":    m.hand,
				"trouble": m.trouble,
				"pass":    m.passes,
				"death":   m.death,
				"restart": func(*rapid.T) { m.restart() },
				"calm":    func(*rapid.T) { m.calm() },
				"price":   m.price,
				"":        func(*rapid.T) { m.check() },
			})
			m.calm()
		})
		// rapid tells failures apart by the lines that they come from.
		switch {
		case failure == nil:
		case rt.Failed():
			panic(failure)
		default:
			panic(failure) // rapid's own: it has no more random data
		}
	})
}

// anyRules are the policies that a tenant can choose from.
func anyRules() *rapid.Generator[reconciler.Rules] {
	return rapid.Custom(func(rt *rapid.T) reconciler.Rules {
		return reconciler.Rules{
			Drift:    rapid.SampledFrom([]reconciler.DriftPolicy{reconciler.DriftReport, reconciler.DriftRevert}).Draw(rt, "drift"),
			Conflict: rapid.SampledFrom([]reconciler.ConflictPolicy{reconciler.ConflictGit, reconciler.ConflictHold}).Draw(rt, "conflict"),
			Prune: reconciler.Prune{
				Policy: rapid.SampledFrom([]reconciler.PrunePolicy{reconciler.PruneReport, reconciler.PruneDelete}).Draw(rt, "prune"),
				Count:  rapid.IntRange(1, 2).Draw(rt, "most deletions"),
			},
			Adopt:       rapid.Bool().Draw(rt, "adopt"),
			OnInvalid:   rapid.SampledFrom([]reconciler.InvalidPolicy{reconciler.InvalidSkip, reconciler.InvalidSkip, reconciler.InvalidHold}).Draw(rt, "on invalid"),
			Concurrency: rapid.SampledFrom([]int{1, 4}).Draw(rt, "concurrency"),
			MaxAttempts: 5,
		}
	})
}

func anyID(rt *rapid.T) string {
	return rapid.SampledFrom([]string{"dsk-a", "dsk-b", "dsk-c", "dsk-d"}).Draw(rt, "desktop")
}

// commit adds, changes and removes desktops.
func (m *model) commit(rt *rapid.T) {
	m.git.merge(func(next *revision) { m.change(rt, next) })
}

func (m *model) change(rt *rapid.T, next *revision) {
	for range rapid.IntRange(1, 3).Draw(rt, "changes") {
		id := anyID(rt)
		if rapid.IntRange(0, 5).Draw(rt, "kind") == 0 {
			delete(next.desktops, id)
		} else {
			next.desktops[id] = anyDefinition(rt)
		}
		m.wants(id, next.desktops[id])
	}
}

// anyDefinition draws from few values, so that git and hands meet.
func anyDefinition(rt *rapid.T) deskhand.Document {
	fields := map[string]any{
		"licenseTier": rapid.SampledFrom([]string{"standard", "standard", "premium", "standard", forbidden}).Draw(rt, "tier"),
		"layout": map[string]any{
			"gridColumns":      rapid.IntRange(6, 8).Draw(rt, "columns"),
			"primaryWorkspace": rapid.SampledFrom([]string{"voice", "omni"}).Draw(rt, "workspace"),
		},
	}
	if rapid.Bool().Draw(rt, "has a theme") {
		fields["theme"] = map[string]any{"accent": rapid.SampledFrom([]string{"#111111", "#222222"}).Draw(rt, "accent")}
	}
	labels := rapid.Permutation([]string{"A", "B", "C"}).Draw(rt, "labels")
	shortcuts := []any{}
	for _, label := range labels[:rapid.IntRange(0, len(labels)).Draw(rt, "shortcuts")] {
		shortcuts = append(shortcuts, map[string]any{
			"label": label, "target": rapid.SampledFrom([]string{"x", "y"}).Draw(rt, "target"),
		})
	}
	fields["shortcuts"] = shortcuts
	document, err := deskhand.NewDocument(fields)
	if err != nil {
		rt.Fatal(err)
	}
	return document
}

// hand is somebody at work in CXone's own user interface.
func (m *model) hand(rt *rapid.T) {
	id := anyID(rt)
	_, exists := m.sim.Configuration(id)
	isOpen := m.isOpen(id)
	switch kind := rapid.IntRange(0, 9).Draw(rt, "kind"); {
	case !exists && !isOpen:
		m.createByHand(id)
	case !exists:
	case kind == 0 && !isOpen:
		m.removeByHand(id)
	case kind == 1:
		m.edit(id, func(map[string]any) {})
	default:
		m.edit(id, m.anyEdit(rt, id, isOpen))
	}
}

// trouble arms a fault that some request runs into later.
func (m *model) trouble(rt *rapid.T) {
	id := anyID(rt)
	fault := simulator.Fault{
		Method: rapid.SampledFrom([]string{http.MethodPut, http.MethodPut, http.MethodGet, http.MethodDelete}).Draw(rt, "method"),
		Next:   rapid.IntRange(1, 3).Draw(rt, "times"),
	}
	switch rapid.IntRange(0, 6).Draw(rt, "kind") {
	case 0, 1:
		fault.Kind = simulator.FaultStatus
		fault.Status = rapid.SampledFrom([]int{500, 503, 429, 403, 422, 409}).Draw(rt, "status")
		if fault.Status == http.StatusTooManyRequests {
			fault.RetryAfter = "2"
		}
	case 2:
		fault.Kind = simulator.FaultDropped
	case 3:
		fault.Kind = simulator.FaultTokenExpired
	case 4, 5:
		fault.Kind, fault.ID, fault.Next = simulator.FaultEditBefore, id, 1
		if isPruning := m.rules.Prune.Policy == reconciler.PruneDelete; isPruning == (fault.Method == http.MethodGet) {
			// A hand that makes a desktop again, before deskhand looks what became of
			// its delete, hides that delete for ever.
			fault.Method = http.MethodPut
		}
		// What is saved behind a write whose answer was lost must not hide it.
		fault.Edit = m.anyEdit(rt, id, fault.Method == http.MethodGet)
	default:
		fault.Kind = simulator.FaultLostAnswer
		if fault.Method == http.MethodDelete { // nobody could tell it from a hand that makes the desktop again
			fault.Method = http.MethodPut
		}
	}
	m.isCalm = false
	m.sim.Inject(fault)
}

// passes reconciles the newest commit, or now and then the one before.
func (m *model) passes(rt *rapid.T) {
	if m.git.head.commit.IsZero() {
		return
	}
	pass := reconciler.Pass{
		Commit:  m.git.head.commit,
		Trigger: rapid.SampledFrom([]deskhand.Trigger{deskhand.TriggerPush, deskhand.TriggerManual}).Draw(rt, "trigger"),
		Full:    rapid.Bool().Draw(rt, "full"),
	}
	_, err := m.once(pass)
	if err != nil && m.isCalm {
		m.Fatalf("a pass in calm weather failed: %v", err)
	}
}

// death ends the process when one of its next writes has reached CXone.
func (m *model) death(rt *rapid.T) {
	m.dieAfter(rapid.IntRange(1, 2).Draw(rt, "writes"))
	m.isCalm = false
	m.passes(rt)
	m.dieAfter(0)
	m.restart()
}

// calm lets the trouble end and deskhand do all that is left to do. Then nothing
// may be left, nothing be told twice, and nothing be missing on record.
func (m *model) calm() {
	m.sim.ClearFaults()
	m.isCalm = true
	time.Sleep(3 * time.Hour)
	if m.git.head.commit.IsZero() {
		return
	}
	full := reconciler.Pass{Commit: m.git.head.commit, Trigger: deskhand.TriggerManual, Full: true}
	result, err := m.once(full)
	if err != nil {
		m.Fatalf("a pass in calm weather failed: %v", err)
	}
	if left := result.Count(deskhand.OutcomeFailed, deskhand.OutcomeSkipped, deskhand.OutcomePending); left > 0 {
		m.Fatalf("a pass in calm weather left %d desktops: %+v", left, result.Outcomes)
	}
	m.settled("a pass in calm weather", full)

	m.sim.ResetCounts()
	told := len(m.records())
	if _, err := m.once(full); err != nil {
		m.Fatalf("the same pass again: %v", err)
	}
	if again := m.records()[told:]; len(again) > 0 {
		m.Fatalf("told twice: %+v", again[0])
	}
	counts := m.sim.Counts()
	if writes := counts.Method(http.MethodPut) + counts.Method(http.MethodDelete); writes > 0 {
		m.breaks(planThenApply, "the same pass again wrote %d times", writes)
	}
}

// once is a pass, after which all must be true that always is.
func (m *model) once(pass reconciler.Pass) (reconciler.Result, error) {
	result, err := m.reconciler.Once(m.t.Context(), pass)
	m.concede()
	m.check()
	return result, err
}

// settled holds the world to what must be true once nothing is left to do.
func (m *model) settled(after string, pass reconciler.Pass) {
	plan, err := m.reconciler.Plan(m.t.Context(), pass)
	if err != nil {
		m.Fatalf("plan after %s: %v", after, err)
	}
	if !plan.Empty() {
		m.breaks(planThenApply, "after %s there still is a plan: %+v", after, plan.Changes[0])
	}
	if open := m.intents(); len(open) > 0 {
		m.breaks(oneRecord, "after %s there still are open intents: %+v", after, open[0])
	}
	applied, written := m.applied(), m.written()
	if !maps.Equal(applied, written) {
		m.breaks(oneRecord, "writes by desktop %v, records of them %v", written, applied)
	}
}

// price makes a commit in calm weather, plans it, applies exactly that, and looks
// at the bill.
func (m *model) price(rt *rapid.T) {
	m.calm()
	before, waiting := maps.Clone(m.git.head.desktops), m.waiting()
	if m.rules.OnInvalid == reconciler.InvalidHold && len(waiting) > 0 {
		return // what was seen of desktops that are held back is not known yet
	}
	commit := m.git.merge(func(next *revision) { m.change(rt, next) })
	pass := reconciler.Pass{Commit: commit, Trigger: deskhand.TriggerManual}
	plan, err := m.reconciler.Plan(m.t.Context(), pass)
	if err != nil {
		m.Fatalf("plan: %v", err)
	}
	m.sim.ResetCounts()
	questions := m.uncertain()
	pass.Exactly = &plan
	result, err := m.once(pass)
	if err != nil {
		m.breaks(planThenApply, "a plan does not apply: %v", err)
	}
	if diff := cmp.Diff(plan, result.Plan, cmp.AllowUnexported(deskhand.Document{})); diff != "" {
		m.breaks(planThenApply, "what was planned (-) and what was applied (+) differ:\n%s", diff)
	}

	counts := m.sim.Counts()
	writes := 0
	for _, change := range plan.Changes {
		if !change.Op.Writes() {
			continue
		}
		writes++
		if before[change.ConfigID] == m.git.head.desktops[change.ConfigID] && !waiting[change.ConfigID] {
			m.breaks(priceOfChange, "%s did not change and is written: %s", change.ConfigID, change.Why)
		}
	}
	if puts := counts.Method(http.MethodPut) + counts.Method(http.MethodDelete); puts != writes || counts.Method(http.MethodGet) != questions {
		m.breaks(priceOfChange, "%d changes and %d unknown desktops cost %v", writes, questions, counts.Requests)
	}
	pass.Exactly = nil
	m.settled("a plan was applied", pass)
}

// waiting are the desktops that no pass will change before another commit: held
// back, or one deletion too many.
func (m *model) waiting() map[string]bool {
	waiting := map[string]bool{}
	if m.git.head.commit.IsZero() {
		return waiting
	}
	plan, err := m.reconciler.Plan(m.t.Context(), reconciler.Pass{Commit: m.git.head.commit, Full: true})
	if err != nil {
		m.Fatalf("plan: %v", err)
	}
	for _, change := range plan.Reports {
		waiting[change.ConfigID] = true
	}
	return waiting
}

// uncertain is how many desktops have to be asked about before they are written.
func (m *model) uncertain() int {
	count := 0
	for id, document := range m.git.head.desktops {
		known := m.managed(id)
		if document.Fields()["licenseTier"] != forbidden && (known.Base.IsZero() || known.ETag == "") {
			count++
		}
	}
	return count
}

// isOpen reports whether nobody can know yet what became of a write to the
// desktop.
func (m *model) isOpen(id string) bool {
	return slices.ContainsFunc(m.intents(), func(open deskhand.Intent) bool { return open.Change.ConfigID == id })
}

// promiseBroken begins every failure that is about a promise.
const promiseBroken = "broken promise"

func (m *model) breaks(promise promise, format string, args ...any) {
	m.rapid.Helper()
	m.Fatalf("%s %q: %s", promiseBroken, promise, fmt.Sprintf(format, args...))
}

func (m *model) Fatalf(format string, args ...any) {
	m.rapid.Helper()
	m.rapid.Fatalf("%s", fmt.Sprintf(format, args...))
}
