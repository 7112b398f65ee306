package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"text/tabwriter"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"github.com/deskhand/deskhand"
	"github.com/deskhand/deskhand/configs"
	"github.com/deskhand/deskhand/reconciler/ledger"
)

// largestStatus bounds the daemon's answer, in bytes.
const largestStatus = 64 << 20

func newStatusCommand(env environment) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Say what is live, since when, and by whose commit",
		Long: `Say what is live, since when, and by whose commit. The running daemon is asked; where
none runs, its journal is read.`,
		Example: `  deskhand status
  deskhand status -o json | jq '.tenants[].desktops[] | select(.state != "in-sync")'`,
		Args: cobra.NoArgs,
	}
	configPath := addConfigFlag(cmd)
	output := addOutputFlag(cmd, "text", "json")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		config, err := loadConfig(*configPath, nil, env)
		if err != nil {
			return err
		}
		status, err := askDaemon(cmd.Context(), config.HTTP.Listen)
		if err != nil {
			_, _ = fmt.Fprintln(env.stderr, "no daemon answers on "+config.HTTP.Listen+"; this is what its journal says")
			if status, err = readStatus(cmd.Context(), config); err != nil {
				return err
			}
		}
		if output.value == "json" {
			return writeJSON(env.stdout, status)
		}
		return printStatus(env.stdout, status)
	}
	return cmd
}

func askDaemon(ctx context.Context, listen string) (deskhand.Status, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+listen+"/api/v1/status", http.NoBody)
	if err != nil {
		return deskhand.Status{}, err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return deskhand.Status{}, err
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return deskhand.Status{}, fmt.Errorf("the daemon answered %s", answer.Status)
	}
	var status deskhand.Status
	err = json.NewDecoder(io.LimitReader(answer.Body, largestStatus)).Decode(&status)
	return status, err
}

// readStatus is the status as the journal of a daemon that does not run has it.
func readStatus(ctx context.Context, config configs.Config) (deskhand.Status, error) {
	journal, err := ledger.Open(config.DataDir, ledger.Options{Actor: actor(), Logger: zerolog.Nop()})
	if err != nil {
		return deskhand.Status{}, err
	}
	defer func() { _ = journal.Close() }()
	status := deskhand.Status{Tenants: []deskhand.TenantStatus{}}
	for _, tenant := range config.Tenants {
		managed, err := journal.Managed(ctx, tenant.Name)
		if err != nil {
			return deskhand.Status{}, err
		}
		part := deskhand.TenantStatus{Name: tenant.Name, Desktops: []deskhand.DesktopStatus{}}
		for _, desktop := range managed {
			part.Desktops = append(part.Desktops, desktop.Status())
		}
		status.Tenants = append(status.Tenants, part)
	}
	return status, nil
}

func printStatus(out io.Writer, status deskhand.Status) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, tenant := range status.Tenants {
		_, _ = fmt.Fprintf(table, "tenant %s\tapplied %s\tattempted %s\n", tenant.Name, orDash(tenant.LastApplied), orDash(tenant.LastAttempted))
		if tenant.Error != "" {
			_, _ = fmt.Fprintf(table, "  error: %s\n", tenant.Error)
		}
		for _, desktop := range tenant.Desktops {
			_, _ = fmt.Fprintf(table, "  %s\t%s\tsince %s\t%s\t%s\n",
				desktop.ConfigID, desktop.State, desktop.Since.Format(time.RFC3339), desktop.File, desktop.Error)
		}
	}
	return table.Flush()
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}
