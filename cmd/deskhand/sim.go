package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/deskhand/deskhand/cxone/simulator"
)

func newSimCommand(env environment) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "sim",
		Short: "Run a simulated CXone tenant",
		Long: `Run a simulated CXone tenant, to try deskhand or any other client against: tokens,
configurations with ETags and preconditions, the list, and the faults of a real
platform on request. /_sim/ is its control API; see docs/simulator.md.`,
		Example: `  deskhand sim --client-id ID --client-secret SECRET
  deskhand sim --client-id ID --client-secret SECRET --state sim.json --latency 20ms --rate 200
  deskhand sim --client-id ID --client-secret SECRET --fault '{"kind": "status", "status": 503, "next": 3}'`,
		Args: cobra.NoArgs,
	}
	var options simulator.Options
	flags := cmd.Flags()
	listen := flags.String("listen", "127.0.0.1:9000", "address to listen on")
	flags.StringVar(&options.ClientID, "client-id", "", "the client id that gets a token")
	flags.StringVar(&options.ClientSecret, "client-secret", "", "and its secret; better given as DESKHAND_CLIENT_SECRET")
	flags.StringVar(&options.StateFile, "state", "", "keep the configurations in this file")
	flags.DurationVar(&options.Latency, "latency", 0, "wait so long before each answer")
	flags.IntVar(&options.RateLimit, "rate", 0, "serve so many requests a second, others get 429; 0 for all")
	faults := flags.StringArray("fault", nil, "misbehave; JSON as in docs/simulator.md, may be repeated")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if options.ClientID == "" || options.ClientSecret == "" {
			return withHint(errors.New("sim needs a client id and a secret"), "give --client-id and --client-secret, any you like")
		}
		sim, err := simulator.New(options)
		if err != nil {
			return err
		}
		defer func() { _ = sim.Close() }()
		for _, text := range *faults {
			fault, err := simulator.ParseFault([]byte(text))
			if err != nil {
				return withHint(fmt.Errorf("--fault: %w", err), "the faults are listed in docs/simulator.md")
			}
			sim.Inject(fault)
		}
		listener, err := listenOn(cmd.Context(), *listen)
		if err != nil {
			return err
		}
		_, _ = fmt.Fprintf(env.stderr, "simulated CXone on http://%s (token URL /oauth2/token, control API /_sim/)\n", listener.Addr())
		if err := serve(cmd.Context(), listener, simHandler(sim)); err != nil {
			return err
		}
		return sim.Close()
	}
	return cmd
}

// simHandler is the tenant with its control API.
func simHandler(sim *simulator.Simulator) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", sim)
	mux.Handle("/_sim/", sim.Control())
	return mux
}

func listenOn(ctx context.Context, address string) (net.Listener, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, withHint(err, "choose another address with --listen; port 0 takes a free one")
	}
	return listener, nil
}

// serve answers requests until ctx ends.
func serve(ctx context.Context, listener net.Listener, handler http.Handler) error {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute}
	stopped := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(stopped)
		farewell, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		if server.Shutdown(farewell) != nil {
			_ = server.Close()
		}
	})
	err := server.Serve(listener)
	if !stop() {
		<-stopped
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}
