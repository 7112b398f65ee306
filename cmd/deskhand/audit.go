package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"github.com/deskhand/deskhand"
	"github.com/deskhand/deskhand/configs"
	"github.com/deskhand/deskhand/gitsource"
	"github.com/deskhand/deskhand/reconciler/ledger"
)

func newAuditCommand(env environment) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "Read and verify the audit branch",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newAuditLogCommand(env), newAuditVerifyCommand(env))
	return cmd
}

func newAuditLogCommand(env environment) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "log",
		Short: "Say who changed what, when, and by which commit",
		Example: `  deskhand audit log
  deskhand audit log --desktop dsk-voice-emea -n 5
  deskhand audit log --since 2026-11-01 -o json`,
		Args: cobra.NoArgs,
	}
	configPath := addConfigFlag(cmd)
	output := addOutputFlag(cmd, "text", "json")
	tenants := cmd.Flags().StringSlice("tenant", nil, "only these tenants")
	var filter ledger.Filter
	cmd.Flags().StringVar(&filter.ConfigID, "desktop", "", "only this configId")
	cmd.Flags().StringVar(&filter.Commit, "commit", "", "only what this commit brought; a SHA or how it begins")
	cmd.Flags().IntVarP(&filter.Limit, "max-count", "n", 0, "the newest so many; 0 for all")
	since := cmd.Flags().String("since", "", "not before this day, YYYY-MM-DD")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if *since != "" {
			day, err := time.Parse(time.DateOnly, *since)
			if err != nil {
				return withHint(fmt.Errorf("--since %q is no day", *since), "write it as 2026-11-22")
			}
			filter.Since = day
		}
		config, err := loadConfig(*configPath, *tenants, env)
		if err != nil {
			return err
		}
		records := []deskhand.Record{}
		err = eachAuditBranch(cmd.Context(), config, func(_ deskhand.Tenant, branch *gitsource.AuditBranch) error {
			found, err := ledger.Records(cmd.Context(), branch, filter)
			records = append(records, found...)
			return err
		})
		if err != nil {
			return err
		}
		if output.value == "json" {
			return writeJSON(env.stdout, struct {
				Records []deskhand.Record `json:"records"`
			}{records})
		}
		for _, record := range records {
			if _, err := fmt.Fprintln(env.stdout, recordLine(record)); err != nil {
				return err
			}
		}
		return nil
	}
	return cmd
}

// recordLine is a record for people.
func recordLine(record deskhand.Record) string {
	line := fmt.Sprintf("%s %s %s %s", record.Time.Format(time.RFC3339), record.Tenant, record.Event.Short(), record.ConfigID)
	if record.Commit.SHA != "" {
		line += fmt.Sprintf(" by %s (%s, %s)", record.Commit.Author, deskhand.Commit{SHA: record.Commit.SHA}.Short(), record.Commit.Subject)
	}
	for _, edit := range record.Changes {
		line += fmt.Sprintf("\n    %s: %s → %s", edit.Path, valueText(edit.Before), valueText(edit.After))
	}
	for _, edit := range record.Drift {
		line += fmt.Sprintf("\n    by hand %s: %s → %s", edit.Path, valueText(edit.Before), valueText(edit.After))
	}
	if record.Error != "" {
		line += "\n    error: " + record.Error
	}
	return line
}

func newAuditVerifyCommand(env environment) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Prove that no record of the audit branch was lost or altered",
		Long: `Prove that no record of the audit branch was lost or altered: each record names the
hash of the one before it, and each commit the hash of its last record.`,
		Example: "  deskhand audit verify",
		Args:    cobra.NoArgs,
	}
	configPath := addConfigFlag(cmd)
	output := addOutputFlag(cmd, "text", "json")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		config, err := loadConfig(*configPath, nil, env)
		if err != nil {
			return err
		}
		verified := map[deskhand.Tenant]ledger.Verification{}
		err = eachAuditBranch(cmd.Context(), config, func(tenant deskhand.Tenant, branch *gitsource.AuditBranch) error {
			verification, err := ledger.Verify(cmd.Context(), branch)
			verified[tenant] = verification
			return err
		})
		if err != nil {
			return err
		}
		if output.value == "json" {
			err = writeJSON(env.stdout, struct {
				Tenants map[deskhand.Tenant]ledger.Verification `json:"tenants"`
			}{verified})
			if err != nil {
				return err
			}
		}
		return auditVerdict(env, output.value, config.Tenants, verified)
	}
	return cmd
}

func auditVerdict(env environment, format string, tenants []configs.Tenant, verified map[deskhand.Tenant]ledger.Verification) error {
	problems := 0
	for _, tenant := range tenants {
		verification := verified[tenant.Name]
		problems += len(verification.Problems)
		if format == "json" {
			continue
		}
		for _, problem := range verification.Problems {
			_, _ = fmt.Fprintf(env.stdout, "%s: %s\n", tenant.Name, problem)
		}
		_, _ = fmt.Fprintf(env.stdout, "%s: records: %d, problems: %d\n", tenant.Name, verification.Records, len(verification.Problems))
	}
	if problems > 0 {
		return withHint(fmt.Errorf("the audit branch does not verify (problems: %d)", problems),
			"compare with another clone of the repository; git's own history shows when the files changed")
	}
	return nil
}

// eachAuditBranch visits the audit branches of the tenants, beside a running
// daemon's.
func eachAuditBranch(ctx context.Context, config configs.Config, visit func(deskhand.Tenant, *gitsource.AuditBranch) error) error {
	for _, tenant := range config.Tenants {
		branch, err := openAuditBranch(ctx, config, tenant.Name, filepath.Join(config.DataDir, "plan"), zerolog.Nop())
		if err != nil {
			return fmt.Errorf("tenant %s: %w", tenant.Name, err)
		}
		err = visit(tenant.Name, branch)
		_ = branch.Close()
		if err != nil {
			return fmt.Errorf("tenant %s: %w", tenant.Name, err)
		}
	}
	return nil
}
