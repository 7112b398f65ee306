package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/deskhand/deskhand"
	"github.com/deskhand/deskhand/cxone/simulator"
)

// TestKilledDaemon kills the daemon around a write, as a power cut would, and
// starts it again: whatever the moment, the change is in CXone, has one record
// and one event, and was written once.
func TestKilledDaemon(t *testing.T) {
	t.Parallel()
	needGit(t)
	const edited = "dsk-001"
	put := func(kind simulator.FaultKind) *simulator.Fault {
		return &simulator.Fault{Kind: kind, Method: http.MethodPut, ID: edited, Latency: patience, Next: 1}
	}
	isCommitted := func(*world) bool { return true }
	isLive := func(w *world) bool {
		text, _ := w.sim.Raw(edited)
		return strings.Contains(string(text), editedTarget)
	}
	isTold := func(w *world) bool { return len(w.sink.of("updated", edited)) > 0 }
	tests := []struct {
		name    string
		fault   *simulator.Fault
		latency time.Duration     // of CXone, before it applies anything
		isTime  func(*world) bool // to die, or
		within  time.Duration     // so long after it at most, as chance has it
	}{
		{name: "before the commit is seen", isTime: isCommitted},
		{name: "before the write, or on its way", latency: 200 * time.Millisecond, isTime: isCommitted, within: 400 * time.Millisecond},
		{name: "on the way, or while it is answered", latency: 100 * time.Millisecond, isTime: isCommitted, within: 400 * time.Millisecond},
		{name: "applied and not answered", fault: put(simulator.FaultSlow), isTime: isLive},
		{name: "after the answer was lost", fault: put(simulator.FaultLostAnswer), isTime: isLive, within: 50 * time.Millisecond},
		{name: "as soon as it is live", isTime: isLive},
		{name: "while it is recorded", isTime: isLive, within: 20 * time.Millisecond},
		{name: "while the branch is written", isTime: isLive, within: 80 * time.Millisecond},
		{name: "while it is announced", isTime: isTold},
		{name: "after all is told", isTime: isTold, within: 80 * time.Millisecond},
	}
	for seed, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w, err := newWorld(t.TempDir(), os.Environ())
			must(t, err)
			defer w.close(t)
			must(t, w.writeDesktops(3))
			must(t, w.commit("Define three desktops"))
			must(t, w.startDaemon(true))
			must(t, poll(func() error { return eventsAre(w, nil, []string{"created", "3"}) }))

			if test.fault != nil {
				w.sim.Inject(*test.fault)
			}
			must(t, w.sim.SetPace(test.latency, 0))
			must(t, w.editTarget(edited))
			must(t, poll(func() error {
				if !test.isTime(w) {
					return errors.New("the moment has not come")
				}
				return nil
			}))
			if test.within > 0 {
				chance := rand.New(rand.NewPCG(uint64(seed), 1))
				<-time.After(time.Duration(chance.Int64N(int64(test.within))))
			}
			w.daemon.kill()
			w.daemon = nil
			w.sim.ClearFaults()
			must(t, w.sim.SetPace(0, 0))

			must(t, w.startDaemon(true))
			must(t, poll(func() error { return liveIs(w, nil, []string{edited, "/shortcuts/0/target", editedTarget}) }))
			must(t, poll(func() error { return recordsAre(w, nil, []string{"updated", "1", edited}) }))
			must(t, poll(func() error { return eventsAre(w, nil, []string{"updated", "1", edited}) }))
			must(t, poll(func() error { return stateIs(w, nil, []string{edited, string(deskhand.StateInSync)}) }))
			must(t, w.stopDaemon())

			must(t, recordsAre(w, nil, []string{"*", "4"}))
			must(t, eventsAre(w, nil, []string{"*", "4"}))
			must(t, liveIs(w, nil, []string{edited, "/version", "2"})) // created and updated, each by one write
			_, err = w.deskhand("audit", "verify")
			must(t, err)
		})
	}
}

const editedTarget = "queue:first-line"

// editTarget commits a new target for the transfers of one desktop.
func (w *world) editTarget(configID string) error {
	path := filepath.Join(w.dir, "repository", "desktops", "standard", configID+".yaml")
	edited := strings.ReplaceAll(fmt.Sprintf(definition, configID), "queue:general", editedTarget)
	return errors.Join(writeFile(path, edited), w.commit("Send transfers to the first line"))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
