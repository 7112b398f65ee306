package main

import (
	"github.com/spf13/cobra"

	"github.com/deskhand/deskhand/configs"
)

func newSchemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema [desktop|policy]",
		Short: "Print the JSON Schema of definitions or of policy.yaml",
		Long: `Print the JSON Schema (draft 2020-12) of desktop definitions, or of policy.yaml.

Editors use it for completion. Write it to a file and name that file in the first
line of a definition:

  # yaml-language-server: $schema=../desktop.schema.json`,
		Example: `  deskhand schema > desktops/desktop.schema.json
  deskhand schema policy > desktops/policy.schema.json`,
		Args:      cobra.MatchAll(cobra.MaximumNArgs(1), cobra.OnlyValidArgs),
		ValidArgs: []string{"desktop", "policy"},
		RunE: func(cmd *cobra.Command, args []string) error {
			schema := configs.DesktopSchema
			if len(args) == 1 && args[0] == "policy" {
				schema = configs.PolicySchema
			}
			_, err := cmd.OutOrStdout().Write(schema)
			return err
		},
	}
}
