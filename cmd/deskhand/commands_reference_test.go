package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
)

// TestCommandReferenceUpToDate keeps docs/commands.md equal to what the commands
// say of themselves.
func TestCommandReferenceUpToDate(t *testing.T) {
	t.Parallel()
	root := newRootCommand(environment{getenv: func(string) string { return "" }, isTerminal: func(any) bool { return false }})
	var page strings.Builder
	page.WriteString("# Commands\n\nWritten by `make docs` from what `deskhand help` says.\n")
	describe(&page, root)
	file := filepath.Join("..", "..", "docs", "commands.md")
	if *update {
		if err := os.WriteFile(file, []byte(page.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(page.String(), string(have)); diff != "" {
		t.Errorf("docs/commands.md is not what the commands say; run make docs (-want +got):\n%s", diff)
	}
}

func describe(page *strings.Builder, cmd *cobra.Command) {
	cmd.InitDefaultHelpFlag()
	page.WriteString("\n## " + cmd.CommandPath() + "\n\n")
	text := cmd.Long
	if text == "" {
		text = cmd.Short + "."
	}
	page.WriteString("```\n" + cmd.UseLine() + "\n```\n\n" + indented(text) + "\n")
	if cmd.Example != "" {
		page.WriteString("\n```\n" + strings.ReplaceAll(cmd.Example, "  deskhand", "deskhand") + "\n```\n")
	}
	if flags := cmd.NonInheritedFlags().FlagUsages(); flags != "" {
		page.WriteString("\n```\n" + flags + "```\n")
	}
	for _, child := range cmd.Commands() {
		if child.IsAvailableCommand() && child.Name() != "help" {
			describe(page, child)
		}
	}
}

// indented keeps the indented lines of a help text as code.
func indented(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, "  ") {
			lines[i] = "  " + line
		}
	}
	return strings.Join(lines, "\n")
}
