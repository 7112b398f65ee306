package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/deskhand/deskhand/configs"
)

var recipes = filepath.Join("..", "..", "configs", "ci")

func readText(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// deskhandLines are the command lines of a script that run deskhand, in words, up to
// where the shell goes on with something else.
func deskhandLines(script string) [][]string {
	shell := regexp.MustCompile(`\s(?:>>?|\|\|?|&&|;|#).*`)
	var lines [][]string
	for _, found := range regexp.MustCompile(`(?m)(?:^|[\s:])deskhand ((?:validate|plan|fix|new|apply|schema|explain)\b.*)$`).FindAllStringSubmatch(script, -1) {
		words := strings.Fields(shell.ReplaceAllString(found[1], ""))
		for i, word := range words {
			words[i] = strings.Trim(word, "\"'`")
		}
		lines = append(lines, words)
	}
	return lines
}

// TestRecipesUseFlagsThatExist parses the command lines of the recipes and of the
// pages about them as the program would.
func TestRecipesUseFlagsThatExist(t *testing.T) {
	t.Parallel()
	for _, path := range []string{
		filepath.Join(recipes, "github-actions.yml"), filepath.Join(recipes, "gitlab-ci.yml"), filepath.Join(recipes, "pre-commit"),
		filepath.Join("..", "..", "docs", "ci.md"), filepath.Join("..", "..", "docs", "validate.md"),
	} {
		lines := deskhandLines(readText(t, path))
		if len(lines) == 0 {
			t.Errorf("%s runs no deskhand", path)
		}
		for _, words := range lines {
			command, rest, err := newRootCommand(environment{}).Find(words)
			if err == nil {
				err = command.ParseFlags(rest)
			}
			if err != nil {
				t.Errorf("%s: deskhand %s: %v", path, strings.Join(words, " "), err)
			}
		}
	}
}

func TestRecipesAreYAML(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ file, job, key string }{
		{"github-actions.yml", "jobs", "steps"},
		{"gitlab-ci.yml", "plan-desktops", "script"},
	} {
		decoder := yaml.NewDecoder(bytes.NewReader([]byte(readText(t, filepath.Join(recipes, test.file)))))
		decoder.KnownFields(true)
		var recipe map[string]any
		if err := decoder.Decode(&recipe); err != nil {
			t.Errorf("%s: %v", test.file, err)
		}
		if text, err := yaml.Marshal(recipe[test.job]); err != nil || !strings.Contains(string(text), test.key+":") {
			t.Errorf("%s: %s has no %s, %v", test.file, test.job, test.key, err)
		}
	}
	environment := func(name string) string { return "for " + name }
	if _, err := configs.Load(filepath.Join(recipes, "plan.yaml"), environment); err != nil {
		t.Error(err)
	}
}

func TestEachRecipeIsExplained(t *testing.T) {
	t.Parallel()
	entries, err := os.ReadDir(recipes)
	if err != nil {
		t.Fatal(err)
	}
	page := readText(t, filepath.Join("..", "..", "docs", "ci.md"))
	for _, entry := range entries {
		if !strings.Contains(page, "(../configs/ci/"+entry.Name()+")") {
			t.Errorf("docs/ci.md does not link %s", entry.Name())
		}
	}
	hook, err := os.Stat(filepath.Join(recipes, "pre-commit"))
	if err != nil || hook.Mode().Perm()&0o100 == 0 {
		t.Errorf("the hook is not executable: %v", err)
	}
	if !slices.ContainsFunc(deskhandLines(page), func(words []string) bool { return words[0] == "plan" }) {
		t.Error("docs/ci.md plans nothing")
	}
}
