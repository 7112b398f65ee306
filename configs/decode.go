package configs

import (
	"fmt"
	"maps"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/agnivade/levenshtein"
	"gopkg.in/yaml.v3"

	"github.com/deskhand/deskhand"
)

// decoder fills a Config from YAML. Unlike yaml.v3's own, it goes on after an
// error, knows the place of every setting, and never repeats a value, which may
// be a secret at the wrong place.
type decoder struct {
	places   places
	env      func(string) string
	problems []Problem
}

func (d *decoder) decode(path string, node *yaml.Node, target reflect.Value) {
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	if node.Tag == "!!null" {
		d.report(path, node, "it has no value", "write one, or remove the line")
		return
	}
	switch field := target.Addr().Interface().(type) {
	case *Secret:
		d.secret(path, node, field)
		return
	case *time.Duration:
		d.scalar(path, node, "a duration", "write a number and a unit, such as 30s, 5m or 1h", func(text string) (err error) {
			*field, err = time.ParseDuration(text)
			return err
		})
		return
	case *Limit:
		d.scalar(path, node, "a share or a number", "write a share such as 10%, or a number such as 5", func(text string) (err error) {
			*field, err = ParseLimit(text)
			return err
		})
		return
	}
	switch target.Kind() {
	case reflect.Struct:
		d.mapping(path, node, target)
	case reflect.Slice:
		d.sequence(path, node, target)
	case reflect.Map:
		d.strings(path, node, target)
	case reflect.String:
		d.scalar(path, node, "a text", "write it on this line", func(text string) error {
			target.SetString(text)
			return nil
		})
	case reflect.Bool:
		d.scalar(path, node, "true or false", "write true or false", func(string) error {
			return node.Decode(target.Addr().Interface())
		})
	case reflect.Int:
		d.scalar(path, node, "a whole number", "write digits only", func(text string) error {
			number, err := strconv.Atoi(text)
			target.SetInt(int64(number))
			return err
		})
	case reflect.Float64:
		d.scalar(path, node, "a number", "write digits, such as 20 or 0.5", func(text string) error {
			number, err := strconv.ParseFloat(text, 64)
			if err != nil || math.IsNaN(number) || math.IsInf(number, 0) {
				return strconv.ErrSyntax
			}
			target.SetFloat(number)
			return nil
		})
	default:
		panic("configs: Config holds a " + target.Type().String()) // a mistake in config.go
	}
}

func (d *decoder) scalar(path string, node *yaml.Node, what, hint string, set func(text string) error) {
	if node.Kind != yaml.ScalarNode || set(node.Value) != nil {
		d.report(path, node, "it must be "+what, hint)
	}
}

func (d *decoder) mapping(path string, node *yaml.Node, target reflect.Value) {
	fields := map[string]reflect.Value{}
	for i := range target.NumField() {
		if name, isSetting := target.Type().Field(i).Tag.Lookup("yaml"); isSetting {
			fields[name] = target.Field(i)
		}
	}
	d.pairs(path, node, func(path string, key, value *yaml.Node) {
		field, known := fields[key.Value]
		if !known {
			d.unknown(path, key, slices.Sorted(maps.Keys(fields)))
			return
		}
		d.decode(path, value, field)
	})
}

func (d *decoder) sequence(path string, node *yaml.Node, target reflect.Value) {
	if node.Kind != yaml.SequenceNode {
		d.report(path, node, "it must be a list", "begin each entry with a dash, or write [a, b]")
		return
	}
	list := reflect.MakeSlice(target.Type(), len(node.Content), len(node.Content))
	for i, element := range node.Content {
		switch element := list.Index(i).Addr().Interface().(type) {
		case *Tenant:
			*element = DefaultTenant()
		case *Sink:
			*element = DefaultSink()
		}
		at := fmt.Sprintf("%s[%d]", path, i)
		d.places.at[at] = d.position(element)
		d.decode(at, element, list.Index(i))
	}
	target.Set(list)
}

func (d *decoder) strings(path string, node *yaml.Node, target reflect.Value) {
	values := map[string]string{}
	d.pairs(path, node, func(path string, key, value *yaml.Node) {
		var text string
		d.decode(path, value, reflect.ValueOf(&text).Elem())
		values[key.Value] = text
	})
	target.Set(reflect.ValueOf(values))
}

func (d *decoder) secret(path string, node *yaml.Node, secret *Secret) {
	const hint = "write {env: NAME} or {file: PATH}, and keep the secret out of this file"
	if node.Kind != yaml.MappingNode {
		d.report(path, node, "a secret is not written here", hint)
		return
	}
	known := true
	d.pairs(path, node, func(path string, key, value *yaml.Node) {
		switch key.Value {
		case "env":
			d.decode(path, value, reflect.ValueOf(&secret.Env).Elem())
		case "file":
			d.decode(path, value, reflect.ValueOf(&secret.File).Elem())
		default:
			known = false
			d.unknown(path, key, []string{"env", "file"})
		}
	})
	if known && (secret.Env == "") == (secret.File == "") {
		d.report(path, node, "it must name one place, an environment variable or a file", hint)
	}
	if secret.Env != "" && !variableName.MatchString(secret.Env) {
		d.report(path+".env", node, "it is not the name of an environment variable",
			"write the name of the variable, not its value")
		secret.Env = ""
	}
	secret.setting, secret.lookup = path, d.env
}

var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// pairs visits the keys of a mapping and notes where they are.
func (d *decoder) pairs(path string, node *yaml.Node, visit func(path string, key, value *yaml.Node)) {
	if node.Kind != yaml.MappingNode {
		d.report(path, node, "it must hold settings", "write each as `key: value` on a line of its own, indented")
		return
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		at := key.Value
		if path != "" {
			at = path + "." + key.Value
		}
		switch line, again := seen[key.Value]; {
		case key.Kind != yaml.ScalarNode:
			d.report(path, key, "a key must be a text", "write a name before the colon")
		case key.Tag == "!!merge":
			d.report(path, key, "merge keys (<<) are not understood", "repeat the settings")
		case again:
			d.report(at, key, fmt.Sprintf("it is set twice, first on line %d", line), "remove one of them")
		default:
			seen[key.Value] = key.Line
			d.places.at[at] = d.position(key)
			visit(at, key, value)
		}
	}
}

func (d *decoder) unknown(path string, key *yaml.Node, known []string) {
	if unavailable(path) {
		d.report(path, key, "it is not available in this version", "remove it")
		return
	}
	d.report(path, key, fmt.Sprintf("unknown key %q", key.Value), hintFor(key.Value, known))
}

// hintFor names the known key that was probably meant, else all of them.
func hintFor(key string, known []string) string {
	if meant, found := nearest(key, known); found {
		return fmt.Sprintf("did you mean %q?", meant)
	}
	return "known here: " + strings.Join(known, ", ")
}

// nearest is the known word that a slip of the fingers would make of word.
func nearest(word string, known []string) (string, bool) {
	distance := func(candidate string) int {
		return levenshtein.ComputeDistance(strings.ToLower(word), strings.ToLower(candidate))
	}
	best := slices.MinFunc(known, func(a, b string) int { return distance(a) - distance(b) })
	return best, distance(best) <= max(1, len(best)/3)
}

func (d *decoder) report(path string, node *yaml.Node, message, hint string) {
	d.problems = append(d.problems, Problem{Position: d.position(node), Path: path, Message: message, Hint: hint})
}

func (d *decoder) position(node *yaml.Node) deskhand.Position {
	return deskhand.Position{File: d.places.file, Line: node.Line, Column: node.Column}
}

// failed reports whether the setting at path, one around it or one inside it
// could not be read.
func (d *decoder) failed(path string) bool {
	return slices.ContainsFunc(d.problems, func(p Problem) bool {
		return p.Path == "" || within(path, p.Path) || within(p.Path, path)
	})
}

// within reports whether path is outer or inside it.
func within(path, outer string) bool {
	for ; path != ""; path = parent(path) {
		if path == outer {
			return true
		}
	}
	return false
}
