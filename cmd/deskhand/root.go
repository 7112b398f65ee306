package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// run is the whole program but for the process around it.
func run(ctx context.Context, args []string, env environment) int {
	root := newRootCommand(env)
	root.SetArgs(args)
	return exitCode(ctx, env.stderr, root.ExecuteContext(ctx))
}

func newRootCommand(env environment) *cobra.Command {
	root := &cobra.Command{
		Use:   "deskhand",
		Short: "Keep the agent desktops of NICE CXone equal to a git repository",
		Long: `deskhand keeps the agent desktops of NICE CXone tenants equal to a git repository.

Administrators merge pull requests on YAML definitions; deskhand validates and
optimises what changed, writes it to CXone under an optimistic lock, keeps a
record of it on a branch of git, and tells the service desk. What people change
in CXone by hand is reported, not lost.

Every flag is also an environment variable: --config is DESKHAND_CONFIG.
Exit codes: 0 done, 1 error, 2 changes or drift found, 3 refused by findings,
130 interrupted.`,
		Example: `  deskhand demo                         # see all of it in a minute
  deskhand validate desktops            # check definitions, offline
  deskhand plan --config deskhand.yaml  # what would change
  deskhand run --config deskhand.yaml   # the daemon`,
		Args:              cobra.NoArgs,
		SilenceErrors:     true,
		SilenceUsage:      true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error { return setFromEnvironment(cmd.Flags(), env) },
		RunE:              func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetIn(env.stdin)
	root.SetOut(env.stdout)
	root.SetErr(env.stderr)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return withHint(err, "see "+cmd.CommandPath()+" --help")
	})
	root.AddCommand(
		newRunCommand(env),

		newDemoCommand(env),
		newValidateCommand(env),
		newFixCommand(env),
		newNewCommand(env),
		newPlanCommand(env),
		newApplyCommand(env),
		newDriftCommand(env),
		newImportCommand(env),
		newStatusCommand(env),
		newEventsCommand(env),
		newAuditCommand(env),
		newSimCommand(env),
		newSchemaCommand(),
		newExplainCommand(env),
		newVersionCommand(env),
	)
	hintAtUsage(root)
	return root
}

// setFromEnvironment gives each flag that was not set the value of its
// environment variable: --max-warnings is DESKHAND_MAX_WARNINGS.
func setFromEnvironment(flags *pflag.FlagSet, env environment) error {
	var failed error
	flags.VisitAll(func(flag *pflag.Flag) {
		name := "DESKHAND_" + strings.ToUpper(strings.ReplaceAll(flag.Name, "-", "_"))
		value := env.getenv(name)
		if flag.Changed || value == "" || flag.Name == "help" {
			return
		}
		if err := flags.Set(flag.Name, value); err != nil && failed == nil {
			failed = fmt.Errorf("environment variable %s: %w", name, err)
		}
	})
	return failed
}

// choice is a flag whose value is one of a few.
type choice struct {
	value   string
	allowed []string
}

func (c *choice) String() string { return c.value }
func (c *choice) Type() string   { return strings.Join(c.allowed, "|") }

func (c *choice) Set(value string) error {
	for _, allowed := range c.allowed {
		if value == allowed {
			c.value = value
			return nil
		}
	}
	return fmt.Errorf("%q is none of %s", value, strings.Join(c.allowed, ", "))
}

// addOutputFlag adds -o with the formats that the command knows; the first is
// the default.
func addOutputFlag(cmd *cobra.Command, formats ...string) *choice {
	output := &choice{value: formats[0], allowed: formats}
	cmd.Flags().VarP(output, "output", "o", "format of the output")
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(formats, cobra.ShellCompDirectiveNoFileComp))
	return output
}

// addConfigFlag adds --config.
func addConfigFlag(cmd *cobra.Command) *string {
	path := cmd.Flags().StringP("config", "c", "deskhand.yaml", "the daemon's configuration file")
	_ = cmd.MarkFlagFilename("config", "yaml", "yml")
	return path
}
