package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/goleak"
)

// TestMain makes the test binary the command deskhand as well, so that scripts
// run the real program in processes of its own.
func TestMain(m *testing.M) {
	testscript.Main(leakChecked{m}, map[string]func(){"deskhand": main})
}

// leakChecked is a run of the tests that ends with no goroutine left.
type leakChecked struct{ *testing.M }

func (m leakChecked) Run() int {
	code := m.M.Run()
	if code != 0 {
		return code
	}
	if err := goleak.Find(); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// TestScripts runs testdata/script. Each script has a simulated tenant, a service
// desk, a folder of its own with a deskhand.yaml for them, and the commands of
// scriptVerbs.
func TestScripts(t *testing.T) {
	t.Parallel()
	needGit(t)
	testscript.RunT(scriptT{t}, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup:               setUpScript,
		Cmds:                scriptCommands(),
	})
}

// needGit lets a machine without git pass, but not the one that guards the branch.
func needGit(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("git"); err == nil {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("the scripts need git in the PATH")
	}
	t.Skip("the scripts need git in the PATH")
}

func setUpScript(env *testscript.Env) error {
	t, isTest := env.T().(scriptT)
	if !isTest {
		return fmt.Errorf("scripts run below %T, not %T", scriptT{}, env.T())
	}
	w, err := newWorld(env.WorkDir, env.Vars)
	if err != nil {
		return err
	}
	env.Vars = w.env
	env.Values[worldKey{}] = w
	env.Defer(func() { w.close(t.T) })
	return nil
}

// scriptT has all that a script prints searched for secrets.
type scriptT struct{ *testing.T }

func (t scriptT) Run(name string, run func(testscript.T)) {
	t.T.Run(name, func(t *testing.T) { run(scriptT{t}) })
}

// Verbose keeps the whole log of a script, which go test shows where one fails.
func (t scriptT) Verbose() bool { return true }

func (t scriptT) Log(args ...any) {
	t.Helper()
	text := fmt.Sprint(args...)
	for _, canary := range canaries() {
		if strings.Contains(text, canary) {
			t.Errorf("a command printed a secret, %s", canary)
		}
	}
	t.T.Log(text)
}

// verb is a command of the scripts. Its error makes the script fail.
type verb func(w *world, ts *testscript.TestScript, args []string) error

// scriptVerbs are the commands that scripts have beside testscript's own.
func scriptVerbs() map[string]verb {
	return map[string]verb{
		"exits":     exits,
		"interrupt": interrupt,
		"json":      jsonEquals,
		"await":     await,
		"file":      fileExists,
		"commit":    commitAll,
		"desktops":  writeDesktops,
		"replace":   replaceText,
		"rewrite":   rewriteBelow,
		"gitserver": startGitServer,
		"daemon":    controlDaemon,
		"listen":    setListen,
		"metric":    metricIs,
		"ready":     isReady,
		"log":       logHas,
		"state":     stateIs,
		"applied":   appliedIs,
		"counts":    countsAre,
		"live":      liveIs,
		"edit":      editByHand,
		"put":       putByHand,
		"remove":    removeByHand,
		"fault":     injectFault,
		"events":    eventsAre,
		"records":   recordsAre,
	}
}

func scriptCommands() map[string]func(*testscript.TestScript, bool, []string) {
	commands := map[string]func(*testscript.TestScript, bool, []string){}
	for name, verb := range scriptVerbs() {
		commands[name] = func(ts *testscript.TestScript, isNegated bool, args []string) {
			err := verb(worldOf(ts), ts, args)
			if isNegated && err == nil {
				ts.Fatalf("%s succeeded, which it should not", name)
			}
			if !isNegated && err != nil {
				ts.Fatalf("%s: %v", name, err)
			}
		}
	}
	return commands
}

type worldKey struct{}

func worldOf(ts *testscript.TestScript) *world {
	w, isWorld := ts.Value(worldKey{}).(*world)
	if !isWorld {
		ts.Fatalf("the script has no world")
	}
	return w
}
