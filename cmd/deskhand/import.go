package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/sync/errgroup"

	"github.com/deskhand/deskhand"
	"github.com/deskhand/deskhand/configs"
	"github.com/deskhand/deskhand/cxone"
	"github.com/deskhand/deskhand/reconciler/metrics"
)

func newImportCommand(env environment) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "import [ID...]",
		Short: "Write definitions of the desktops that CXone has",
		Long: `Write definitions of the desktops that CXone has: those that are named, or all of the
tenant. Each goes to the folder of its tier; what all desktops of a new folder have in
common goes to its _tier.yaml. Nothing is written to CXone.

A plan right after the import is committed adopts the desktops and writes nothing,
unless deskhand optimises one of them, which import tells. Existing files stay
unless --force is given; an existing _tier.yaml stays in any case.`,
		Example: `  deskhand import --dir desktops
  deskhand import dsk-voice-emea dsk-chat --dir desktops
  deskhand import dsk-old --tier-of dsk-old=premium --dir desktops`,
	}
	configPath := addConfigFlag(cmd)
	output := addOutputFlag(cmd, "text", "json")
	tenant := cmd.Flags().String("tenant", "", "the tenant to read; needed where the configuration has several")
	dir := cmd.Flags().String("dir", "desktops", "the folder that holds the tiers' folders")
	tiers := cmd.Flags().StringToString("tier-of", nil, "ID=TIER for a desktop whose licenseTier is missing or unknown")
	force := cmd.Flags().Bool("force", false, "overwrite existing definitions")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		config, err := loadOneTenant(*configPath, *tenant, env)
		if err != nil {
			return err
		}
		live, err := readLive(cmd.Context(), env, config.Tenants[0], args)
		if err != nil {
			return err
		}
		reviewer, err := newReviewer()
		if err != nil {
			return err
		}
		made, err := importInto(cmd.Context(), reviewer, *dir, live, *tiers, *force)
		if err != nil {
			return err
		}
		if err := made.print(env, output.value); err != nil {
			return err
		}
		if deskhand.HasErrors(made.Findings) {
			return errRefused
		}
		return nil
	}
	return cmd
}

// loadOneTenant reads the configuration less all tenants but one.
func loadOneTenant(path, name string, env environment) (configs.Config, error) {
	var only []string
	if name != "" {
		only = []string{name}
	}
	config, err := loadConfig(path, only, env)
	if err == nil && len(config.Tenants) > 1 {
		err = withHint(fmt.Errorf("%s has %d tenants", path, len(config.Tenants)), "say which one with --tenant")
	}
	return config, err
}

// readLive reads the named desktops of a tenant, or all of them, by configId.
func readLive(ctx context.Context, env environment, tenant configs.Tenant, ids []string) (map[string]deskhand.Document, error) {
	client, err := newClient(tenant, zerolog.Nop(), metrics.New(buildVersion()), func(deskhand.EventType, cxone.Trouble) {})
	if err != nil {
		return nil, fmt.Errorf("tenant %s: %w", tenant.Name, err)
	}
	defer client.Close()
	if len(ids) == 0 {
		tags, err := client.ETags(ctx)
		if errors.Is(err, errors.ErrUnsupported) {
			return nil, withHint(fmt.Errorf("tenant %s cannot list its desktops", tenant.Name), "name them: deskhand import ID...")
		}
		if err != nil {
			return nil, fmt.Errorf("tenant %s: %w", tenant.Name, err)
		}
		ids = slices.Collect(maps.Keys(tags))
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)

	progress := showProgress(env, "reading", len(ids))
	defer progress.end()
	found := make([]deskhand.Observed, len(ids))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(max(1, tenant.Concurrency))
	for i, id := range ids {
		group.Go(func() (err error) {
			defer progress.step()
			found[i], _, err = client.Get(ctx, "", id, "")
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, fmt.Errorf("tenant %s: %w", tenant.Name, err)
	}
	live := make(map[string]deskhand.Document, len(ids))
	for i, id := range ids {
		if !found[i].Exists {
			return nil, withHint(fmt.Errorf("tenant %s has no desktop %s", tenant.Name, id), "ids are told apart by upper and lower case")
		}
		live[id] = found[i].Document
	}
	return live, nil
}

// progress is a bar on a terminal, and nothing elsewhere.
type progress struct {
	container *mpb.Progress
	bar       *mpb.Bar
}

func showProgress(env environment, what string, steps int) progress {
	if !env.isTerminal(env.stderr) {
		return progress{}
	}
	container := mpb.New(mpb.WithOutput(env.stderr), mpb.WithAutoRefresh())
	return progress{container, container.AddBar(int64(steps),
		mpb.PrependDecorators(decor.Name(what+" "), decor.CountersNoUnit("%d of %d")),
		mpb.BarRemoveOnComplete(),
	)}
}

func (p progress) step() {
	if p.bar != nil {
		p.bar.Increment()
	}
}

func (p progress) end() {
	if p.bar != nil {
		p.bar.Abort(true)
		p.container.Wait()
	}
}

// print says what was written, and what of it needs attention.
func (i imported) print(env environment, format string) error {
	if format == "json" {
		return writeJSON(env.stdout, i)
	}
	for _, file := range i.Files {
		if _, err := fmt.Fprintln(env.stdout, file); err != nil {
			return err
		}
	}
	for _, note := range i.Notes {
		if _, err := fmt.Fprintln(env.stderr, "note: "+note); err != nil {
			return err
		}
	}
	for _, finding := range i.Findings {
		if finding.Severity == deskhand.SeverityError {
			if _, err := fmt.Fprintln(env.stderr, finding); err != nil {
				return err
			}
		}
	}
	_, err := io.WriteString(env.stderr, fmt.Sprintf("imported %d desktops; look at the files, and commit\n", i.desktops))
	return err
}
