package reconciler_test

import (
	"net/http"
	"testing"

	"github.com/rs/zerolog"

	"github.com/deskhand/deskhand"
	"github.com/deskhand/deskhand/cxone/simulator"
	"github.com/deskhand/deskhand/reconciler"
	"github.com/deskhand/deskhand/reconciler/ledger"
)

// browsers are desktops' minimum versions, as git and CXone spell them.
const (
	browsers114 = `{"browserCompatibility":{"minimumVersions":{"chrome":"114","edge":"114"}}}`
	browsers115 = `{"browserCompatibility":{"minimumVersions":{"chrome":"115","edge":"114"}}}`
)

// inItsOwnWay is a CXone that spells versions with a dot and a target in full, drops
// what it does not know, and adds what it likes.
func inItsOwnWay(fields map[string]any) {
	versions := fields["browserCompatibility"].(map[string]any)["minimumVersions"].(map[string]any)
	for name, version := range versions {
		if text := version.(string); len(text) == 3 {
			versions[name] = text + ".0"
		}
	}
	layout := fields["layout"].(map[string]any)
	delete(layout, "primaryWorkspace")
	layout["zoom"] = 1
	shortcuts := fields["shortcuts"].([]any)
	for i, entry := range shortcuts {
		entry.(map[string]any)["rank"] = i
	}
	transfer := shortcuts[1].(map[string]any)
	if transfer["target"] == "b" {
		transfer["target"] = "queue:b"
	}
}

// managingItsOwnWay is a world with one desktop, in a CXone that has a way of its
// own with what it is sent.
func managingItsOwnWay(t *testing.T) (*world, deskhand.Commit) {
	t.Helper()
	w := newWorld(t, reconciler.DefaultRules())
	w.sim.Inject(simulator.Fault{Kind: simulator.FaultNormalise, Method: http.MethodPut, Edit: inItsOwnWay})
	commit := w.git.set(voiceID, voice(t, 8, browsers114))
	w.sync(commit)
	return w, commit
}

func setVersion(version string) func(map[string]any) {
	return func(fields map[string]any) {
		fields["browserCompatibility"].(map[string]any)["minimumVersions"].(map[string]any)["edge"] = version
	}
}

func TestNormalisedValuesAreNoDrift(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w, commit := managingItsOwnWay(t)
		w.sweep(commit)
		w.edit(voiceID, func(map[string]any) {}) // a new ETag of the same
		w.sweep(commit)
		w.edit(voiceID, func(fields map[string]any) { fields["note"] = "by hand" }) // nothing of git's
		w.sweep(commit)
		w.restart()
		w.sweep(commit)
		equal(t, "story", w.story(voiceID), []string{"created applied"})
		drift, err := w.reconciler.Drift(t.Context(), reconciler.Pass{Commit: commit})
		equal(t, "drift", drift, nil)
		equal(t, "error", err, nil)
	})
}

func TestDriftAtNormalisedValuesIsFound(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w, commit := managingItsOwnWay(t)
		w.edit(voiceID, setVersion("99"))
		w.sweep(commit)
		equal(t, "story", w.story(voiceID), []string{"created applied", "drifted reported"})
		drift := w.records()[1].Drift
		equal(t, "values", len(drift), 1)
		equal(t, "path", drift[0].Path, "/browserCompatibility/minimumVersions/edge")

		w.edit(voiceID, setVersion("114.0"))
		w.sweep(commit)
		equal(t, "story", w.story(voiceID), []string{"created applied", "drifted reported", "resolved reported"})
	})
}

func TestGitChangesNormalisedValues(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w, _ := managingItsOwnWay(t)
		w.edit(voiceID, addShortcut("Local"))
		commit := w.git.set(voiceID, voice(t, 6, browsers115))
		w.sync(commit)
		live := w.live(voiceID).Fields()
		equal(t, "versions", live["browserCompatibility"], any(map[string]any{
			"minimumVersions": map[string]any{"chrome": "115.0", "edge": "114.0"},
		}))
		equal(t, "entries", len(live["shortcuts"].([]any)), 3)
		equal(t, "CXone's own member", live["layout"].(map[string]any)["zoom"] != nil, true)
		written := w.records()[1].Changes
		equal(t, "what git changed", len(written), 2)
		w.sweep(commit)
		equal(t, "story", w.story(voiceID), []string{"created applied", "updated applied"})
	})
}

// TestEchoIsOnTheAuditBranch takes an empty disk, and what the branch has of it.
func TestEchoIsOnTheAuditBranch(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w, _ := managingItsOwnWay(t)
		if err := w.auditor.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		loaded, _, err := ledger.NewAuditor(nil, acme, w.branch, zerolog.Nop()).Load(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "managed", len(loaded), 1)
		equal(t, "echo", loaded[0].Echo, w.managed(voiceID).Echo)
		equal(t, "sent", loaded[0].Echo.Sent.Fields()["layout"], any(map[string]any{"primaryWorkspace": "voice"}))
	})
}
