package reconciler

import (
	"flag"
	"testing"

	"go.uber.org/goleak"
)

// TestMain draws the same histories each time, so that main stays green by what is
// in it and not by luck. make fuzz draws new ones; -rapid.seed names others.
func TestMain(m *testing.M) {
	if err := flag.Set("rapid.seed", "20261122"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}
