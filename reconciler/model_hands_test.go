package reconciler_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"

	"pgregory.net/rapid"

	"github.com/deskhand/deskhand"
)

// model is a world, and what must be true of it whatever happens. It stands on
// the wire and sees what each write does.
type model struct {
	*world

	rapid  *rapid.T
	isCalm bool // no request runs into trouble

	mutex  sync.Mutex
	values int // that hands have set so far, each a different one
	// byHand are the values set by hand that are live, and the entries removed by
	// hand that are not, by configId.
	byHand, removed map[string]map[string]bool
	wanted          map[string]deskhand.Document // by the newest commit
	before          map[string]deskhand.Observed // what a write on its way will meet
	writes          map[string]int               // that CXone applied, by configId
	gone            map[string]bool              // removed by hand, by configId
	conceded        map[string]bool              // intents, by id
	deathIn         int                          // so many writes from now, 0 for none
	broken          []breach
}

// promise is something that must hold whatever happens.
type promise string

const (
	noBlindWrite     promise = "no write without an exact precondition"
	noLostUpdate     promise = "what a hand did is on record before it goes"
	oneRecord        promise = "one record for each write"
	refusedNeverSent promise = "what is refused is never sent"
	planThenApply    promise = "a plan is what is applied, and then nothing is left"
	priceOfChange    promise = "the price is what changed"
)

// breach is a promise found broken on the wire.
type breach struct {
	promise promise
	what    string
}

func (m *model) found(promise promise, what string) {
	m.broken = append(m.broken, breach{promise, what})
}

func newModel(rt *rapid.T, w *world) *model {
	m := &model{
		world: w, rapid: rt, isCalm: true,
		byHand: map[string]map[string]bool{}, removed: map[string]map[string]bool{},
		wanted: map[string]deskhand.Document{}, before: map[string]deskhand.Observed{}, writes: map[string]int{},
		gone: map[string]bool{}, conceded: map[string]bool{},
	}
	w.wire.before, w.wire.after = m.arrives, m.answered
	return m
}

// check holds the world to what must be true after every step.
func (m *model) check() {
	for _, violation := range m.sim.Violations() {
		m.breaks(noBlindWrite, "%s", violation)
	}
	m.mutex.Lock()
	broken := slices.Clone(m.broken)
	m.mutex.Unlock()
	for _, breach := range broken {
		m.breaks(breach.promise, "%s", breach.what)
	}
	written := m.written()
	for id, count := range m.applied() {
		if count > written[id] {
			m.breaks(oneRecord, "%s was written %d times, and there are %d records of it", id, written[id], count)
		}
	}
}

// concede counts a delete as made whose outcome is open while the desktop is gone
// by hand: from outside, nobody can tell the two apart.
func (m *model) concede() {
	open := m.intents()
	m.mutex.Lock()
	defer m.mutex.Unlock()
	for _, intent := range open {
		id := intent.Change.ConfigID
		if intent.Change.Op == deskhand.OpDelete && m.gone[id] && !m.conceded[intent.ID] {
			m.conceded[intent.ID] = true
			m.writes[id]++
		}
	}
}

// applied is how many writes are on record, by configId.
func (m *model) applied() map[string]int {
	counts := map[string]int{}
	for _, record := range m.records() {
		if record.Outcome == deskhand.OutcomeApplied {
			counts[record.ConfigID]++
		}
	}
	return counts
}

func (m *model) written() map[string]int {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	return maps.Clone(m.writes)
}

func (m *model) dieAfter(writes int) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.deathIn = writes
}

// arrives sees a request before CXone does.
func (m *model) arrives(method, id string, body []byte) {
	if method == http.MethodGet {
		return
	}
	live, _ := m.sim.Configuration(id)
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.before[id] = live
	if strings.Contains(string(body), `"`+forbidden+`"`) {
		m.found(refusedNeverSent, fmt.Sprintf("%s was sent although it is refused", id))
	}
}

// answered sees what a request did.
func (m *model) answered(method, id string, _ []byte) {
	if method == http.MethodGet {
		return
	}
	live, _ := m.sim.Configuration(id)
	m.mutex.Lock()
	defer m.mutex.Unlock()
	before := m.before[id]
	if live.ETag == before.ETag || live.Exists && !m.wroteLast(id) {
		return // not applied, but for a hand that came first
	}
	m.writes[id]++
	delete(m.gone, id)
	if m.deathIn > 0 {
		if m.deathIn--; m.deathIn == 0 {
			m.die()
		}
	}
	m.holdToRecord(id, before.Document, live.Document)
}

// wroteLast reports whether the configuration is as deskhand wrote it.
func (m *model) wroteLast(id string) bool {
	text, _ := m.sim.Raw(id)
	var raw struct {
		UpdatedBy string `json:"updatedBy"`
	}
	return json.Unmarshal(text, &raw) == nil && raw.UpdatedBy == clientID
}

// holdToRecord demands that what a hand did and a write undid is in the audit
// branch by now.
func (m *model) holdToRecord(id string, before, live deskhand.Document) {
	_, isKept := m.branch.holding(id, before)
	for value := range m.byHand[id] {
		if has(live, value) {
			continue
		}
		delete(m.byHand[id], value)
		if !isKept && !m.branch.mentions(id, value) {
			m.found(noLostUpdate, fmt.Sprintf("%s in %s was overwritten and is in no audit commit\nwas: %s\nnow: %s", value, id, before, live))
		}
	}
	for label := range m.removed[id] {
		if !has(live, label) {
			continue
		}
		delete(m.removed[id], label)
		if !isKept && !before.IsZero() {
			m.found(noLostUpdate, fmt.Sprintf("%s was removed from %s by hand, is back, and no audit commit tells\nwas: %s\nnow: %s", label, id, before, live))
		}
	}
}

// mentions reports whether the value was in the desktop's live document in some
// commit.
func (b *branch) mentions(id, value string) bool {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return slices.ContainsFunc(b.commits, func(commit auditCommit) bool {
		return strings.Contains(string(commit.files["live/"+id+".json"]), `"`+value+`"`)
	})
}

func has(document deskhand.Document, value string) bool {
	return strings.Contains(document.String(), `"`+value+`"`)
}

// wants notes what a commit asks for: an entry that git removes, too, is no longer
// one that only a hand removed.
func (m *model) wants(id string, document deskhand.Document) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.wanted[id] = document
	maps.DeleteFunc(m.removed[id], func(label string, _ bool) bool { return !has(document, label) })
}

// createByHand makes a configuration that shares no value with what git may want:
// while a write is open, nobody could tell the two apart by it.
func (m *model) createByHand(id string) {
	fields := map[string]any{"licenseTier": "by hand"}
	m.withHand(id, fields, func(value string) { fields["layout"] = map[string]any{"primaryWorkspace": value} })
	m.sim.Put(id, fields)
}

func (m *model) removeByHand(id string) {
	m.mutex.Lock()
	delete(m.byHand, id)
	delete(m.removed, id)
	m.gone[id] = true
	m.mutex.Unlock()
	m.sim.Remove(id)
}

// anyEdit draws an edit by hand. A careful one only adds.
func (m *model) anyEdit(rt *rapid.T, id string, isCareful bool) func(fields map[string]any) {
	kinds := []string{"note", "entry", "workspace", "accent", "target", "memo", "remove", "no theme", "swap"}
	if isCareful {
		kinds = kinds[:2]
	}
	kind := rapid.SampledFrom(kinds).Draw(rt, "edit")
	label := rapid.SampledFrom([]string{"A", "B", "C"}).Draw(rt, "label")
	return func(fields map[string]any) {
		m.withHand(id, fields, func(value string) {
			entries, _ := fields["shortcuts"].([]any)
			at := slices.IndexFunc(entries, func(entry any) bool { return entry.(map[string]any)["label"] == label })
			switch kind {
			case "note": // a field that git never names
				fields["note"] = value
			case "entry":
				fields["shortcuts"] = append([]any{map[string]any{"label": value, "target": "byhand"}}, entries...)
			case "workspace":
				member(fields, "layout")["primaryWorkspace"] = value
			case "accent":
				member(fields, "theme")["accent"] = value
			case "no theme":
				delete(fields, "theme")
			case "swap":
				slices.Reverse(entries)
			case "remove":
				if at >= 0 {
					fields["shortcuts"] = slices.Delete(entries, at, at+1)
				}
			case "target", "memo": // of an entry, if it is there
				if at >= 0 {
					entries[at].(map[string]any)[kind] = value
				}
			}
		})
	}
}

func member(fields map[string]any, name string) map[string]any {
	if object, isObject := fields[name].(map[string]any); isObject {
		return object
	}
	object := map[string]any{}
	fields[name] = object
	return object
}

// withHand runs an edit with a value that nobody else sets, and notes what is by
// hand after it.
func (m *model) withHand(id string, fields map[string]any, edit func(value string)) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	before := labelsOf(fields)
	delete(m.gone, id)
	m.values++
	value := fmt.Sprintf("hand-%d", m.values)
	edit(value)

	for _, marks := range []map[string]map[string]bool{m.byHand, m.removed} {
		if marks[id] == nil {
			marks[id] = map[string]bool{}
		}
	}
	m.byHand[id][value] = true
	after := labelsOf(fields)
	for _, label := range before {
		m.removed[id][label] = !slices.Contains(after, label) && has(m.wanted[id], label)
	}
	maps.DeleteFunc(m.removed[id], func(label string, isRemoved bool) bool { return !isRemoved || slices.Contains(after, label) })
	document, err := deskhand.NewDocument(fields)
	if err != nil {
		panic(fmt.Sprintf("a hand made what is no JSON: %v", err)) // the model's own mistake
	}
	maps.DeleteFunc(m.byHand[id], func(value string, _ bool) bool { return !has(document, value) })
}

func labelsOf(fields map[string]any) []string {
	var labels []string
	entries, _ := fields["shortcuts"].([]any)
	for _, entry := range entries {
		if label, isText := entry.(map[string]any)["label"].(string); isText {
			labels = append(labels, label)
		}
	}
	return labels
}
