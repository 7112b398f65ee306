// Command deskhand keeps the agent desktops of NICE CXone tenants equal to a git
// repository.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/mattn/go-isatty"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], environment{
		stdin:      os.Stdin,
		stdout:     os.Stdout,
		stderr:     os.Stderr,
		getenv:     os.Getenv,
		isTerminal: isTerminal,
	})
	stop()
	os.Exit(code)
}

func isTerminal(stream any) bool {
	file, isFile := stream.(*os.File)
	return isFile && isatty.IsTerminal(file.Fd())
}

// environment is what a command gets from the process around it.
type environment struct {
	stdin      io.Reader
	stdout     io.Writer // data
	stderr     io.Writer // talk
	getenv     func(string) string
	isTerminal func(stream any) bool
}

// hasColor reports whether text on the stream may be coloured (https://no-color.org).
func (e environment) hasColor(stream io.Writer) bool {
	return e.getenv("NO_COLOR") == "" && e.getenv("TERM") != "dumb" && e.isTerminal(stream)
}
