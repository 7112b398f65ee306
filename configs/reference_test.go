package configs

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// field is a setting as the types know it.
type field struct {
	path, kind, initial string
}

// fields lists every setting that a struct holds, with its default.
func fields(prefix string, value reflect.Value) []field {
	var all []field
	for i := range value.NumField() {
		name, isSetting := value.Type().Field(i).Tag.Lookup("yaml")
		if !isSetting {
			continue
		}
		path := prefix + name
		switch held := value.Field(i).Interface().(type) {
		case []Tenant:
			all = append(all, fields(path+"[].", reflect.ValueOf(DefaultTenant()))...)
		case []Sink:
			all = append(all, fields(path+"[].", reflect.ValueOf(DefaultSink()))...)
		case Secret:
			all = append(all, field{path, "secret", ""})
		case Limit:
			all = append(all, field{path, "share or number", held.String()})
		case time.Duration:
			all = append(all, field{path, "duration", shortDuration(held)})
		case []string:
			all = append(all, field{path, "list of texts", strings.ReplaceAll(fmt.Sprintf("[%s]", strings.Join(held, ", ")), "[*]", `["*"]`)})
		case []int:
			all = append(all, field{path, "list of numbers", strings.ReplaceAll(fmt.Sprint(held), " ", ", ")})
		case map[string]string:
			all = append(all, field{path, "texts by name", ""})
		default:
			all = append(all, fieldOfKind(path, value.Field(i))...)
		}
	}
	return all
}

func fieldOfKind(path string, value reflect.Value) []field {
	switch value.Kind() {
	case reflect.Struct:
		return fields(path+".", value)
	case reflect.String:
		return []field{{path, "text", value.String()}}
	case reflect.Bool:
		return []field{{path, "true or false", strconv.FormatBool(value.Bool())}}
	default:
		return []field{{path, "number", fmt.Sprint(value.Interface())}}
	}
}

// shortDuration prints 5m for 5m0s.
func shortDuration(duration time.Duration) string {
	return strings.NewReplacer("h0m0s", "h", "m0s", "m").Replace(duration.String())
}

func TestEverySettingIsDescribed(t *testing.T) {
	t.Parallel()
	var typed, described []string
	for _, field := range fields("", reflect.ValueOf(Default())) {
		typed = append(typed, field.path)
	}
	for _, row := range settings() {
		if row.meaning == "" || row.example == "" && !row.notYet {
			t.Errorf("%s has no meaning or no example", row.path)
		}
		if !row.notYet {
			described = append(described, row.path)
		}
	}
	if diff := cmp.Diff(typed, described); diff != "" {
		t.Errorf("config.go (-) and setting.go (+) differ:\n%s", diff)
	}
}

// TestExamplesOfSettingsParse reads each example at its place in a file.
func TestExamplesOfSettingsParse(t *testing.T) {
	t.Parallel()
	for _, row := range settings() {
		if row.notYet {
			continue
		}
		text := row.example
		keys := strings.Split(row.path, ".")
		for i := len(keys) - 1; i >= 0; i-- {
			key, list := strings.CutSuffix(keys[i], "[]")
			if list {
				text = "[" + text + "]"
			}
			text = "{" + key + ": " + text + "}"
		}
		_, err := parse("example.yaml", []byte(text), nil)
		if err != nil && strings.Contains(err.Error(), indexed(row.path)+": ") && !strings.Contains(err.Error(), "beside a") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func indexed(path string) string { return strings.ReplaceAll(path, "[]", "[0]") }

const referenceHead = `# The configuration

` + "`deskhand run --config deskhand.yaml`" + ` reads one YAML file. This page lists every setting. It is made from
the code: ` + "`make docs`" + ` writes it anew. A commented example is in
[configs/deskhand.yaml](../configs/deskhand.yaml).

- The file is strict. An unknown key, a key that is set twice, or a value of the wrong type is an error. All
  errors are reported at once, each with file, line, column and setting.
- A duration is a number and a unit: ` + "`30s`, `5m`, `1h`" + `.
- A secret is ` + "`{env: NAME}` or `{file: PATH}`" + `, never the secret itself. A file is read anew each time, less one
  trailing newline, so a rotated secret is seen without a restart.
- A relative path on this machine counts from the folder of the file.
- A URL without TLS is refused, except on loopback.
- YAML anchors and aliases work. Merge keys (` + "`<<`" + `) do not.
`

func TestReferenceIsUpToDate(t *testing.T) {
	t.Parallel()
	golden(t, "../docs/configuration.md", reference())
}

func reference() string {
	types := map[string]field{}
	for _, field := range fields("", reflect.ValueOf(Default())) {
		types[field.path] = field
	}
	titles := []struct{ prefix, title string }{
		{"dataDir", "The data folder"},
		{"source", "The source"},
		{"tenants", "Tenants"},
		{"audit", "The audit branch"},
		{"notify", "Webhooks"},
		{"http", "The HTTP face"},
		{"log", "The log"},
	}
	var page, refused strings.Builder
	page.WriteString(referenceHead)
	for _, section := range titles {
		fmt.Fprintf(&page, "\n## %s\n\n| setting | type | default | meaning | example |\n|---|---|---|---|---|\n", section.title)
		for _, row := range settings() {
			top, _, _ := strings.Cut(strings.ReplaceAll(row.path, "[]", ""), ".")
			if top != section.prefix {
				continue
			}
			if row.notYet {
				fmt.Fprintf(&refused, "| `%s` | %s |\n", row.path, row.meaning)
				continue
			}
			field := types[row.path]
			if row.values != nil {
				field.kind = "`" + strings.Join(row.values, "`, `") + "`"
			}
			fmt.Fprintf(&page, "| `%s` | %s | %s | %s | `%s` |\n", row.path, field.kind, code(field.initial), row.meaning, row.example)
		}
	}
	page.WriteString("\n## Not available in this version\n\nThese settings are known and refused, so that nobody relies on them by mistake. " +
		"So are ssh URLs.\n\n| setting | meaning |\n|---|---|\n" + refused.String())
	return page.String()
}

func code(text string) string {
	if text == "" || text == "[]" {
		return "–"
	}
	return "`" + text + "`"
}
