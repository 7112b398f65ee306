package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/deskhand/deskhand"
	"github.com/deskhand/deskhand/configs"
	"github.com/deskhand/deskhand/reconciler"
	"github.com/deskhand/deskhand/reconciler/statuspage"
)

func newRunCommand(env environment) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Run the daemon",
		Long: `Run the daemon: follow the branch, keep every tenant equal to it, look for drift, keep
the audit branch and tell the webhooks.

SIGHUP asks CXone about every desktop now. SIGTERM and SIGINT finish the writes that
are on the wire, record them, and stop.`,
		Example: "  deskhand run --config /etc/deskhand/deskhand.yaml",
		Args:    cobra.NoArgs,
	}
	configPath := addConfigFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		config, err := loadConfig(*configPath, nil, env)
		if err != nil {
			return err
		}
		err = runDaemon(cmd.Context(), config, env, nil)
		if errors.Is(err, context.Canceled) {
			return nil // it was asked to stop, and did
		}
		return err
	}
	return cmd
}

// runDaemon runs until ctx ends. started, where given, gets the daemon and its
// address once it listens.
func runDaemon(ctx context.Context, config configs.Config, env environment, started func(daemon *reconciler.Daemon, address string)) (err error) {
	log := newLogger(config.Log, env)
	s, err := openStation(ctx, config, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	moved, err := s.source.Watch(ctx)
	if err != nil {
		return err
	}
	kicked := make(chan struct{}, 1)
	defer notifyHangup(kicked)()

	daemon := &reconciler.Daemon{
		Branch: meteredBranch{s}, Interval: config.Source.Interval, Moved: moved, Kicked: kicked, Logger: log,
	}
	for _, tenant := range s.tenants {
		daemon.Loops = append(daemon.Loops, reconciler.NewLoop(tenant.reconciler, tenant.config.Drift.Interval))
	}
	stop := s.follow(ctx)
	defer stop()

	listener, err := statuspage.Listen(ctx, config.HTTP.Listen)
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		return statuspage.ServeListener(ctx, listener, statuspage.Handler(statuspage.Options{
			Daemon: daemonFace{daemon}, Metrics: s.metrics.Handler(), Events: mailroom(s.notifiers), Version: buildVersion(),
		}))
	})
	group.Go(func() error { return daemon.Run(ctx) })
	group.Go(func() error { return s.keepHouse(ctx) })
	group.Go(func() error { return keepLean(ctx) })
	log.Info().Str("version", buildVersion()).Str("listen", listener.Addr().String()).
		Str("source", config.Source.URL).Int("tenants", len(s.tenants)).Msg("deskhand runs")
	if started != nil {
		started(daemon, listener.Addr().String())
	}
	err = group.Wait()
	log.Info().Msg("deskhand stops: what was on the wire is finished and recorded")
	return err
}

// notifyHangup puts a token into kicked at each SIGHUP.
func notifyHangup(kicked chan<- struct{}) (stop func()) {
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	done := make(chan struct{})
	go func() {
		for {
			select {
			case <-hangups:
				select {
				case kicked <- struct{}{}:
				default:
				}
			case <-done:
				return
			}
		}
	}()
	return func() {
		signal.Stop(hangups)
		close(done)
	}
}

// daemonFace is the daemon as the status page wants it.
type daemonFace struct{ daemon *reconciler.Daemon }

func (f daemonFace) Status(context.Context) deskhand.Status { return f.daemon.Status() }
func (f daemonFace) Ready() error                           { return f.daemon.Ready() }
