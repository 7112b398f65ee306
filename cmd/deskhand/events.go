package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/deskhand/deskhand"
	"github.com/deskhand/deskhand/configs"
	"github.com/deskhand/deskhand/reconciler/statuspage"
)

func newEventsCommand(env environment) *cobra.Command {
	list := newEventsListCommand(env)
	cmd := &cobra.Command{
		Use:   "events",
		Short: "Show the delivery of events to webhooks, and send dead letters again",
		Long: `Show how many events wait for each webhook, which were given up after three days of
attempts, and which sinks asked for no more (410 Gone).

The running daemon is asked; where none runs, its journal is read and written.`,
		Example: `  deskhand events
  deskhand events resend 01KARJ9ZJ5X8N3Q2V7T6WBYC4D
  deskhand events resume itsm`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return list.RunE(cmd, nil) },
	}
	cmd.Flags().AddFlagSet(list.Flags())
	cmd.AddCommand(list,
		newEventsActionCommand(env, "resend ID...", "Send dead letters again", "sent again",
			func(id string) string { return "/api/v1/events/" + url.PathEscape(id) + "/resend" }, statuspage.Events.Resend),
		newEventsActionCommand(env, "resume SINK...", "Let stopped sinks have events again", "resumed",
			func(sink string) string { return "/api/v1/sinks/" + url.PathEscape(sink) + "/resume" }, statuspage.Events.Resume),
	)
	return cmd
}

func newEventsListCommand(env environment) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List dead letters, and what waits for each sink",
		Example: "  deskhand events list -o json | jq '.sinks[].deadLetters[].id'",
		Args:    cobra.NoArgs,
	}
	configPath := addConfigFlag(cmd)
	output := addOutputFlag(cmd, "text", "json")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		config, err := loadConfig(*configPath, nil, env)
		if err != nil {
			return err
		}
		var deliveries statuspage.Deliveries
		err = callDaemon(cmd.Context(), config.HTTP.Listen, http.MethodGet, "/api/v1/events", &deliveries)
		if errors.Is(err, errNoDaemon) {
			err = withMailroom(config, func(room statuspage.Events) (err error) {
				deliveries.Sinks, err = room.Sinks(cmd.Context())
				return err
			})
		}
		if err != nil {
			return err
		}
		if output.value == "json" {
			return writeJSON(env.stdout, deliveries)
		}
		return printDeliveries(env.stdout, deliveries)
	}
	return cmd
}

// newEventsActionCommand is a command that asks the daemon, or else the journal,
// to do something with each thing that is named.
func newEventsActionCommand(env environment, use, short, done string,
	path func(name string) string, do func(room statuspage.Events, ctx context.Context, name string) error,
) *cobra.Command {
	cmd := &cobra.Command{Use: use, Short: short, Args: cobra.MinimumNArgs(1)}
	configPath := addConfigFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, names []string) error {
		config, err := loadConfig(*configPath, nil, env)
		if err != nil {
			return err
		}
		for _, name := range names {
			note := done
			err := callDaemon(cmd.Context(), config.HTTP.Listen, http.MethodPost, path(name), nil)
			if errors.Is(err, errNoDaemon) {
				note = "will be " + done + " once the daemon runs"
				err = withMailroom(config, func(room statuspage.Events) error { return do(room, cmd.Context(), name) })
			}
			if err != nil {
				return withHint(err, "deskhand events lists the sinks and their dead letters")
			}
			if _, err := fmt.Fprintf(env.stdout, "%s: %s\n", name, note); err != nil {
				return err
			}
		}
		return nil
	}
	return cmd
}

// withMailroom works on the journal of a daemon that does not run.
func withMailroom(config configs.Config, do func(statuspage.Events) error) error {
	room, closeAll, err := openMailroom(config)
	if errors.Is(err, deskhand.ErrLocked) {
		return withHint(fmt.Errorf("a daemon runs on %s and does not answer on %s", config.DataDir, config.HTTP.Listen),
			"give the configuration file that it was started with, or stop it")
	}
	if err != nil {
		return err
	}
	return errors.Join(do(room), closeAll())
}

// errNoDaemon means that nothing listens where the daemon should.
var errNoDaemon = errors.New("no daemon answers")

// callDaemon makes one request to the daemon's HTTP face and decodes its answer
// into body, unless that is nil.
func callDaemon(ctx context.Context, listen, method, path string, body *statuspage.Deliveries) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, "http://"+dialled(listen)+path, strings.NewReader("{}"))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set(statuspage.CommandHeader, "1")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("%w: %w", errNoDaemon, err)
	}
	defer func() { _ = response.Body.Close() }()
	decoder := json.NewDecoder(io.LimitReader(response.Body, largestStatus))
	if response.StatusCode != http.StatusOK {
		var refused struct {
			Reason string `json:"reason"`
		}
		if err := decoder.Decode(&refused); err != nil || refused.Reason == "" {
			return fmt.Errorf("the daemon on %s answered %s", listen, response.Status)
		}
		return errors.New(refused.Reason)
	}
	if body == nil {
		return nil
	}
	if err := decoder.Decode(body); err != nil {
		return fmt.Errorf("read the answer of the daemon on %s: %w", listen, err)
	}
	return nil
}

// dialled is where a daemon that listens on every address can be reached.
func dialled(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if ip := net.ParseIP(host); err == nil && (host == "" || ip.IsUnspecified()) {
		return net.JoinHostPort("127.0.0.1", port)
	}
	return listen
}

func printDeliveries(out io.Writer, deliveries statuspage.Deliveries) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, sink := range deliveries.Sinks {
		_, _ = fmt.Fprintf(table, "sink %s: %d waiting, %d failing, %d dead letters\n", sink.Name, sink.Waiting, sink.Failing, len(sink.DeadLetters))
		if sink.Stopped != "" {
			_, _ = fmt.Fprintf(table, "  stopped: %s\n", sink.Stopped)
		}
		for _, letter := range sink.DeadLetters {
			_, _ = fmt.Fprintf(table, "  %s\t%s\t%s\t%s\t%d attempts\t%s\n",
				letter.ID, letter.Event.Short(), letter.Tenant, letter.ConfigID, letter.Attempts, letter.Error)
		}
	}
	if len(deliveries.Sinks) == 0 {
		_, _ = fmt.Fprintln(table, "no sinks; add one under notify")
	}
	return table.Flush()
}
