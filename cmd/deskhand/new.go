package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/deskhand/deskhand"
	"github.com/deskhand/deskhand/gitsource/manifest"
	"github.com/deskhand/deskhand/policy/report"
)

// newDefinition is what a definition begins as, with a comment for each key.
//
//go:embed new.yaml
var newDefinition string

func newNewCommand(env environment) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "new --tier TIER --region REGION --id ID",
		Short: "Write a commented definition to start from",
		Long: `Write a commented definition to start from, DIR/TIER/ID.yaml. It passes validate as it
is, unless the policy of the folder asks for more; what it asks for is then shown.

A file that exists is never overwritten. Editors complete and explain the keys once
the schema is there: deskhand schema > desktops/desktop.schema.json`,
		Example: `  deskhand new --tier standard --region EMEA --id dsk-voice-emea
  deskhand new --tier premium --region AMER --id dsk-chat-amer --out -`,
		Args: cobra.NoArgs,
	}
	tier := &choice{allowed: tierNames()}
	cmd.Flags().Var(tier, "tier", "licence tier, and the folder of the file")
	_ = cmd.RegisterFlagCompletionFunc("tier", cobra.FixedCompletions(tierNames(), cobra.ShellCompDirectiveNoFileComp))
	region := cmd.Flags().String("region", "", "region of the agents, such as EMEA")
	id := cmd.Flags().String("id", "", "id of the CXone configuration")
	dir := cmd.Flags().String("dir", "desktops", "the folder of definitions")
	_ = cmd.MarkFlagDirname("dir")
	out := cmd.Flags().StringP("out", "o", "", "the file to write, - for standard output; default DIR/TIER/ID.yaml")
	for _, name := range []string{"tier", "region", "id"} {
		_ = cmd.MarkFlagRequired(name)
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		content, err := startDefinition(deskhand.Tier(tier.value), *region, *id)
		if err != nil {
			return err
		}
		if *out == "-" {
			_, err := env.stdout.Write(content)
			return err
		}
		name := *out
		if name == "" {
			name = filepath.Join(*dir, tier.value, *id+".yaml")
		}
		if err := createFile(name, content); err != nil {
			return err
		}
		if _, err := fmt.Fprintln(env.stdout, name); err != nil {
			return err
		}
		return tellFindings(cmd.Context(), env, name)
	}
	return cmd
}

// startDefinition is the commented definition for a tier, a region and an id.
func startDefinition(tier deskhand.Tier, region, id string) ([]byte, error) {
	if id == "" || id != filepath.Base(id) || region == "" {
		return nil, withHint(errors.New("a desktop needs an id and a region"), "such as --id dsk-voice-emea --region EMEA")
	}
	workspace := map[deskhand.Tier]string{
		deskhand.TierStandard: "voice", deskhand.TierPremium: "blended",
		deskhand.TierOmnichannel: "omni", deskhand.TierEnterprise: "omni",
	}[tier]
	content, err := manifest.Apply([]byte(newDefinition), []manifest.Edit{
		{Path: "/configId", Value: id},
		{Path: "/region", Value: region},
		{Path: "/layout/primaryWorkspace", Value: workspace},
	})
	if err != nil {
		return nil, fmt.Errorf("write the definition: %w", err)
	}
	return content, nil
}

// createFile writes a file that is not there yet.
func createFile(name string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	file, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return withHint(fmt.Errorf("%s exists and is not overwritten", name), "choose another --id, or another file with --out")
	}
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	return errors.Join(err, file.Close())
}

// tellFindings says what the policy of the folder asks for beyond what a new
// definition has.
func tellFindings(ctx context.Context, env environment, name string) error {
	trees, err := findTrees([]string{name})
	if err != nil {
		return err
	}
	result, err := validate(ctx, trees, "")
	if err != nil || result.Summary.Errors+result.Summary.Warnings == 0 {
		return err
	}
	if err := report.Write(env.stderr, report.Text, result.Report, report.Options{
		Color: env.hasColor(env.stderr), Source: source(trees),
	}); err != nil {
		return err
	}
	if result.Summary.Errors > 0 {
		return errRefused
	}
	return nil
}
