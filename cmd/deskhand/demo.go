package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/deskhand/deskhand/reconciler"
)

func newDemoCommand(env environment) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "See all of it in a minute, on this machine alone",
		Long: `See all of it in a minute, on this machine alone: a simulated CXone, a sample repository,
a webhook sink and the daemon, and a story that they tell. Each step is checked
against the simulator's own state.

The demo then stays up, so that you can edit a definition, commit, and watch. With
--once it ends instead, with an error if a step was not true.`,
		Example: `  deskhand demo
  deskhand demo --once
  deskhand demo --dir ~/deskhand-demo --listen 127.0.0.1:8080`,
		Args: cobra.NoArgs,
	}
	once := cmd.Flags().Bool("once", false, "tell the story and end")
	listen := cmd.Flags().String("listen", "127.0.0.1:0", "address of the daemon's status page")
	dir := cmd.Flags().String("dir", "", "an empty folder for repository and data; default a temporary one")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		home, cleanUp, err := demoFolder(*dir)
		if err != nil {
			return err
		}
		defer cleanUp()
		return runDemo(cmd.Context(), env, home, *listen, *once)
	}
	return cmd
}

// demoFolder is where the demo lives. A temporary one goes away at the end.
func demoFolder(dir string) (home string, cleanUp func(), err error) {
	if dir == "" {
		home, err = os.MkdirTemp("", "deskhand-demo-")
		return home, func() { _ = os.RemoveAll(home) }, err
	}
	home, err = filepath.Abs(dir)
	if err != nil {
		return "", nil, err
	}
	if err := os.MkdirAll(home, 0o750); err != nil {
		return "", nil, err
	}
	entries, err := os.ReadDir(home)
	if err != nil {
		return "", nil, err
	}
	if len(entries) > 0 {
		return "", nil, withHint(fmt.Errorf("%s is not empty", home), "name an empty folder, or one that does not exist yet")
	}
	return home, func() {}, nil
}

func runDemo(ctx context.Context, env environment, home, listen string, once bool) (err error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	world, err := buildDemoWorld(ctx, home, listen)
	if err != nil {
		return fmt.Errorf("build the demo: %w", err)
	}
	defer func() { err = errors.Join(err, world.close()) }()

	daemonEnv := env
	log, err := os.Create(filepath.Join(home, "deskhand.log"))
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	daemonEnv.stderr = log

	type start struct {
		daemon  *reconciler.Daemon
		address string
	}
	started := make(chan start, 1)
	ended := make(chan error, 1)
	go func() {
		ended <- runDaemon(ctx, world.config, daemonEnv, func(daemon *reconciler.Daemon, address string) {
			started <- start{daemon, address}
		})
	}()
	var running start
	select {
	case running = <-started:
	case err := <-ended:
		return err
	}
	defer func() {
		stop()
		err = errors.Join(err, <-ended)
	}()

	story := &story{out: env.stdout, color: env.hasColor(env.stdout), world: world, daemon: running.daemon}
	if err := story.tell(ctx); err != nil {
		return withHint(err, "the daemon's log is "+log.Name()+" (use --dir to keep it)")
	}
	if once {
		return nil
	}
	invite(env.stdout, world, running.address)
	<-ctx.Done()
	return nil
}

func invite(out io.Writer, world *demoWorld, address string) {
	_, _ = fmt.Fprintf(out, `
It stays up. Now you:

    status page   http://%s/
    repository    %s
    configuration %s

    cd %s
    $EDITOR desktops/standard/voice-emea.yaml && git commit -am "My change"
    git log -p deskhand/audit/acme        # what agents had on their screens, and when

Ctrl-C ends it.
`, address, world.repository, world.configFile, world.repository)
}
