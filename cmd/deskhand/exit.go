package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

// The exit codes, which scripts may rely on.
const (
	exitDone        = 0
	exitError       = 1
	exitChanges     = 2   // plan --detailed-exitcode, drift: something differs
	exitRefused     = 3   // findings refuse a desktop
	exitInterrupted = 130 // 128 + SIGINT, as shells have it
)

// errChanges and errRefused end a command that did its work with a code of its
// own. They say nothing: the command has said it.
var (
	errChanges = errors.New("something differs")
	errRefused = errors.New("findings refuse a desktop")
)

// exitCode maps what a command returned to what the process returns, and tells
// the person what went wrong.
func exitCode(ctx context.Context, stderr io.Writer, err error) int {
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, errChanges):
		return exitChanges
	case errors.Is(err, errRefused):
		return exitRefused
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		_, _ = fmt.Fprintln(stderr, "deskhand: interrupted")
		return exitInterrupted
	default:
		_, _ = fmt.Fprintln(stderr, "deskhand: "+strings.TrimSpace(err.Error()))
		var hinted hintedError
		if errors.As(err, &hinted) {
			_, _ = fmt.Fprintln(stderr, "hint: "+hinted.hint)
		}
		return exitError
	}
}

// hintedError is an error that knows what to do next.
type hintedError struct {
	error

	hint string
}

func (e hintedError) Unwrap() error { return e.error }

func withHint(err error, hint string) error { return hintedError{error: err, hint: hint} }

// hintAtUsage lets each command say where its arguments are explained, and what
// was probably meant.
func hintAtUsage(command *cobra.Command) {
	if check := command.Args; check != nil {
		command.Args = func(cmd *cobra.Command, args []string) error {
			err := check(cmd, args)
			if err == nil {
				return nil
			}
			if meant := suggestions(cmd, args); len(meant) > 0 {
				return withHint(err, "did you mean "+strings.Join(meant, " or ")+"? See "+cmd.CommandPath()+" --help")
			}
			return withHint(err, "see "+cmd.CommandPath()+" --help")
		}
	}
	for _, child := range command.Commands() {
		hintAtUsage(child)
	}
}

func suggestions(cmd *cobra.Command, args []string) []string {
	if len(args) == 0 || !cmd.HasSubCommands() {
		return nil
	}
	cmd.SuggestionsMinimumDistance = 2 // as cobra has it elsewhere
	return cmd.SuggestionsFor(args[0])
}
