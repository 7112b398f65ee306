package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/deskhand/deskhand"
)

// exits CODE COMMAND [ARG...] runs a command and expects that exit code.
func exits(_ *world, ts *testscript.TestScript, args []string) error {
	if len(args) < 2 {
		return errors.New("usage: exits CODE COMMAND [ARG...]")
	}
	return exitCodeIs(ts.Exec(args[1], args[2:]...), args[0])
}

// interrupt CODE COMMAND [ARG...] runs a command, interrupts it once all faults
// that were injected have been met, and expects that exit code.
func interrupt(w *world, ts *testscript.TestScript, args []string) error {
	if len(args) < 2 {
		return errors.New("usage: interrupt CODE COMMAND [ARG...]")
	}
	program, err := exec.LookPath(args[1])
	if err != nil {
		return err
	}
	command := exec.Command(program, args[2:]...)
	command.Dir, command.Env = w.dir, w.env
	command.Stdout, command.Stderr = ts.Stdout(), ts.Stderr()
	if err := command.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	err = poll(func() error {
		if faults := len(w.sim.Faults()); faults > 0 {
			return fmt.Errorf("%d faults have not been met", faults)
		}
		return nil
	})
	if err != nil {
		return errors.Join(err, command.Process.Kill(), <-ended)
	}
	if err := command.Process.Signal(os.Interrupt); err != nil {
		return errors.Join(err, <-ended)
	}
	return exitCodeIs(<-ended, args[0])
}

// exitCodeIs expects how a command ended.
func exitCodeIs(err error, want string) error {
	code := 0
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		code = exit.ExitCode()
	case err != nil:
		return err
	}
	if strconv.Itoa(code) != want {
		return fmt.Errorf("exit code %d, want %s", code, want)
	}
	return nil
}

// await VERB [ARG...] repeats another verb until it succeeds.
func await(w *world, ts *testscript.TestScript, args []string) error {
	if len(args) == 0 {
		return errors.New("usage: await VERB [ARG...]")
	}
	ask, isVerb := scriptVerbs()[args[0]]
	if !isVerb {
		return fmt.Errorf("%s is no verb of the scripts", args[0])
	}
	return poll(func() error { return ask(w, ts, args[1:]) })
}

// file PATH expects that a file exists.
func fileExists(_ *world, ts *testscript.TestScript, args []string) error {
	if len(args) != 1 {
		return errors.New("usage: file PATH")
	}
	_, err := os.Stat(ts.MkAbs(args[0]))
	return err
}

// json FILE POINTER VALUE expects a value in a JSON file, or in stdout. A pointer
// that ends in /length is the number of elements. VALUE is JSON, or a string that is
// no JSON; absent expects that there is nothing, any that there is something.
func jsonEquals(_ *world, ts *testscript.TestScript, args []string) error {
	if len(args) != 3 {
		return errors.New("usage: json FILE POINTER VALUE")
	}
	var document any
	if err := json.Unmarshal([]byte(ts.ReadFile(args[0])), &document); err != nil {
		return fmt.Errorf("%s is no JSON: %w", args[0], err)
	}
	return valueIs(document, args[1], args[2])
}

func valueIs(document any, pointer, want string) error {
	got, exists := valueAt(document, deskhand.Pointer(pointer).Tokens())
	switch {
	case want == "absent" && exists:
		return fmt.Errorf("%s is %s, want nothing", pointer, jsonText(got))
	case want == "absent":
		return nil
	case !exists:
		return fmt.Errorf("there is no %s in %s", pointer, jsonText(document))
	case want == "any":
		return nil
	}
	var wanted any
	if err := json.Unmarshal([]byte(want), &wanted); err != nil {
		wanted = want
	}
	if diff := cmp.Diff(wanted, got); diff != "" {
		return fmt.Errorf("%s (-want +got):\n%s", pointer, diff)
	}
	return nil
}

func valueAt(value any, tokens []string) (any, bool) {
	if len(tokens) == 0 {
		return value, true
	}
	switch container := value.(type) {
	case map[string]any:
		member, exists := container[tokens[0]]
		if !exists {
			return nil, false
		}
		return valueAt(member, tokens[1:])
	case []any:
		if tokens[0] == "length" {
			return float64(len(container)), true
		}
		i, err := strconv.Atoi(tokens[0])
		if err != nil || i < 0 || i >= len(container) {
			return nil, false
		}
		return valueAt(container[i], tokens[1:])
	default:
		return nil, false
	}
}

func jsonText(value any) string {
	var text strings.Builder
	if err := writeJSON(&text, value); err != nil {
		return err.Error()
	}
	return strings.TrimSpace(text.String())
}

// numberIs expects a number that a script names.
func numberIs(what string, got int, want string) error {
	number, err := strconv.Atoi(want)
	if err != nil {
		return err
	}
	if got != number {
		return fmt.Errorf("%d %s, want %d", got, what, number)
	}
	return nil
}
