package notify_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// childEnv makes the test binary run as the process that a kill test kills.
const childEnv = "DESKHAND_NOTIFY_CHILD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childEnv); dir != "" {
		os.Exit(runChild(dir))
	}
	goleak.VerifyTestMain(m)
}
