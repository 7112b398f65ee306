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
	if testing.Short() {
		t.Skip("it builds this package three times")
	}
	for _, mutant := range []string{"mutant_blindwrite", "mutant_retrywithoutget", "mutant_dropentry"} {
		t.Run(mutant, func(t *testing.T) { // one after the other: each uses all processors to build
			command := exec.CommandContext(t.Context(), "go", "test", "-tags", mutant, "-vet=off", "-count=1",
				"-run", "^TestModel$", ".", "-rapid.nofailfile", "-rapid.shrinktime=0s", "-rapid.checks=300")
			command.Env = append(command.Environ(), "GOPROXY=off")
			output, err := command.CombinedOutput()
			switch {
			case err == nil:
				t.Errorf("the model lets it pass:\n%s", output)
			case !strings.Contains(string(output), promiseBroken):
				t.Errorf("it fails (%v), but not in the model's words:\n%s", err, output)
			}
		})
	}
}
