package configs

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"

	"gopkg.in/yaml.v3"

	"github.com/deskhand/deskhand"
)

// maxFile bounds deskhand.yaml, in bytes.
const maxFile = 1 << 20

// Load reads and validates the configuration file at path. Secrets that name an
// environment variable look it up in env. Relative paths in the file count
// from the folder of the file.
//
// A wrong file gives an *InvalidError with all that is wrong in it; a missing
// one an error that wraps fs.ErrNotExist.
func Load(path string, env func(string) string) (Config, error) {
	content, err := readFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Config{}, fmt.Errorf("read the configuration: %w; write that file, or name another with --config", err)
	}
	if err != nil {
		return Config{}, fmt.Errorf("read the configuration: %w", err)
	}
	config, err := parse(path, content, env)
	if err != nil {
		return Config{}, err
	}
	config.anchor(filepath.Dir(path))
	return config, nil
}

func readFile(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	content, readErr := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err := errors.Join(readErr, file.Close()); err != nil {
		return nil, err
	}
	if len(content) > maxFile {
		return nil, fmt.Errorf("%s is larger than %d MiB", path, maxFile>>20)
	}
	return content, nil
}

// parse reads and validates a configuration, all problems at once.
func parse(name string, content []byte, env func(string) string) (Config, error) {
	config := Default()
	config.places = places{file: name, at: map[string]deskhand.Position{}}

	root, problem := parseYAML(name, content)
	if problem != nil {
		return Config{}, invalid([]Problem{*problem})
	}
	decoder := decoder{places: config.places, env: env}
	if root != nil {
		decoder.decode("", root, reflect.ValueOf(&config).Elem())
	}
	problems := decoder.problems

	var wrong *InvalidError
	if errors.As(config.Validate(), &wrong) {
		for _, problem := range wrong.Problems {
			// A setting that could not be read holds a default, about which
			// there is nothing to say.
			if !decoder.failed(problem.Path) {
				problems = append(problems, problem)
			}
		}
	}
	if err := invalid(problems); err != nil {
		return Config{}, err
	}
	return config, nil
}

// parseYAML returns the one document of the file, nil where there is none.
func parseYAML(name string, content []byte) (*yaml.Node, *Problem) {
	reader := yaml.NewDecoder(bytes.NewReader(content))
	var document, next yaml.Node
	if err := reader.Decode(&document); errors.Is(err, io.EOF) {
		return nil, nil
	} else if err != nil {
		return nil, syntaxProblem(name, err)
	}
	if err := reader.Decode(&next); err == nil {
		return nil, &Problem{
			Position: deskhand.Position{File: name, Line: next.Line, Column: max(1, next.Column)},
			Message:  "a second YAML document begins here",
			Hint:     "remove the line ---: a configuration is one document",
		}
	} else if !errors.Is(err, io.EOF) {
		return nil, syntaxProblem(name, err)
	}
	root := document.Content[0]
	if root.Tag == "!!null" {
		return nil, nil
	}
	return root, nil
}

var yamlError = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)`)

func syntaxProblem(name string, err error) *Problem {
	problem := Problem{
		Position: deskhand.Position{File: name},
		Message:  "not valid YAML",
		Hint:     "look at the indentation, quotes and colons of this line and the one before",
	}
	if match := yamlError.FindStringSubmatch(err.Error()); match != nil {
		problem.Message += ": " + match[2]
		if line, err := strconv.Atoi(match[1]); err == nil {
			problem.Position.Line, problem.Position.Column = line, 1
		}
	}
	return &problem
}

// anchor makes the file's relative paths count from its own folder.
func (c *Config) anchor(folder string) {
	paths := []*string{&c.DataDir, &c.Source.CAFile, &c.Source.Auth.Password.File, &c.Audit.Auth.Password.File}
	if c.Source.Local() {
		paths = append(paths, &c.Source.URL)
	}
	if c.Audit.Local() {
		paths = append(paths, &c.Audit.URL)
	}
	for i := range c.Tenants {
		tenant := &c.Tenants[i]
		paths = append(paths, &tenant.CAFile, &tenant.ClientID.File, &tenant.ClientSecret.File,
			&tenant.AccessKey.ID.File, &tenant.AccessKey.Secret.File)
	}
	for i := range c.Notify {
		paths = append(paths, &c.Notify[i].Secret.File)
	}
	for _, path := range paths {
		if *path != "" && !filepath.IsAbs(*path) {
			*path = filepath.Join(folder, *path)
		}
	}
}
