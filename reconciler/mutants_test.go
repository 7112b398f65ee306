package reconciler_test

import (
	"os/exec"
	"strings"
	"testing"
)

// TestModelCatchesMutants runs the model over three classic mistakes, each behind
// a build tag of its own. A model that lets one pass proves nothing.
func TestModelCatchesMutants(t *testing.T) {
	t.Parallel()
	// One after the other: each uses all processors to build.
	for _, mutant := range []string{"mutant_blindwrite", "mutant_retrywithoutget", "mutant_dropentry"} {
		command := exec.CommandContext(t.Context(), "go", "test", "-tags", mutant, "-vet=off", "-count=1",
			"-run", "^TestModel$", ".", "-rapid.nofailfile", "-rapid.shrinktime=0s", "-rapid.checks=300")
		command.Env = append(command.Environ(), "GOPROXY=off")
		output, err := command.CombinedOutput()
		switch {
		case err == nil:
			t.Errorf("the model lets %s pass:\n%s", mutant, output)
		case !strings.Contains(string(output), promiseBroken):
			t.Errorf("%s fails (%v), but not in the model's words:\n%s", mutant, err, output)
		}
	}
}
