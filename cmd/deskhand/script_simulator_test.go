package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"

	jsonpatch "github.com/evanphx/json-patch/v5"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/deskhand/deskhand/cxone/simulator"
)

// counts METHOD N, counts METHOD STATUS N: the requests for configurations since
// the last counts reset. Method full is a GET without If-None-Match, all is any
// request, token is a token that was issued.
func countsAre(w *world, _ *testscript.TestScript, args []string) error {
	requests := w.sim.Requests()
	switch {
	case len(args) == 1 && args[0] == "reset":
		w.seen = len(requests)
		w.sim.ResetCounts()
		return nil
	case len(args) == 2 && args[0] == "all":
		return numberIs("requests", w.sim.Counts().Total(), args[1])
	case len(args) == 2 && args[0] == "token":
		return numberIs("tokens", w.sim.Counts().Tokens, args[1])
	case len(args) == 2 && args[0] == "full":
		full := 0
		for _, request := range requests[w.seen:] {
			if request.Method == http.MethodGet && request.IfNoneMatch == "" {
				full++
			}
		}
		return numberIs("GET without If-None-Match", full, args[1])
	case len(args) == 2:
		return numberIs(args[0], w.sim.Counts().Method(args[0]), args[1])
	case len(args) == 3:
		var status int
		if err := json.Unmarshal([]byte(args[1]), &status); err != nil {
			return err
		}
		return numberIs(args[0]+" with status "+args[1], w.sim.Counts().Get(args[0], status), args[2])
	default:
		return errors.New("usage: counts reset | counts METHOD [STATUS] N")
	}
}

// live ID POINTER VALUE expects a value of what CXone holds; live ID absent that
// it holds nothing under the id.
func liveIs(w *world, _ *testscript.TestScript, args []string) error {
	if len(args) != 2 && len(args) != 3 {
		return errors.New("usage: live ID POINTER VALUE | live ID absent | live ID any")
	}
	text, exists := w.sim.Raw(args[0])
	if len(args) == 2 {
		if exists != (args[1] == "any") {
			return fmt.Errorf("CXone holds %s: %t", args[0], exists)
		}
		return nil
	}
	if !exists {
		return fmt.Errorf("CXone holds no %s", args[0])
	}
	var document any
	if err := json.Unmarshal(text, &document); err != nil {
		return err
	}
	return valueIs(document, args[1], args[2])
}

// edit ID PATCH changes a configuration by hand, by a JSON merge patch.
func editByHand(w *world, _ *testscript.TestScript, args []string) error {
	if len(args) != 2 {
		return errors.New("usage: edit ID PATCH")
	}
	var failed error
	err := w.sim.Edit(args[0], func(fields map[string]any) { failed = mergeInto(fields, args[1]) })
	return errors.Join(err, failed)
}

func mergeInto(fields map[string]any, patch string) error {
	before, err := json.Marshal(fields)
	if err != nil {
		return err
	}
	after, err := jsonpatch.MergePatch(before, []byte(patch))
	if err != nil {
		return err
	}
	merged := map[string]any{}
	if err := json.Unmarshal(after, &merged); err != nil {
		return err
	}
	clear(fields)
	maps.Copy(fields, merged)
	return nil
}

// put ID FILE puts a configuration into CXone by hand.
func putByHand(w *world, ts *testscript.TestScript, args []string) error {
	if len(args) != 2 {
		return errors.New("usage: put ID FILE")
	}
	var fields map[string]any
	if err := json.Unmarshal([]byte(ts.ReadFile(args[1])), &fields); err != nil {
		return err
	}
	w.sim.Put(args[0], fields)
	return nil
}

// remove ID deletes a configuration by hand.
func removeByHand(w *world, _ *testscript.TestScript, args []string) error {
	if len(args) != 1 {
		return errors.New("usage: remove ID")
	}
	w.sim.Remove(args[0])
	return nil
}

// fault JSON makes CXone misbehave; fault clear makes it well again.
func injectFault(w *world, _ *testscript.TestScript, args []string) error {
	if len(args) != 1 {
		return errors.New("usage: fault JSON | fault clear")
	}
	if args[0] == "clear" {
		w.sim.ClearFaults()
		return nil
	}
	fault, err := simulator.ParseFault([]byte(args[0]))
	if err != nil {
		return err
	}
	w.sim.Inject(fault)
	return nil
}
