package policy

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/deskhand/deskhand"
	"github.com/deskhand/deskhand/configs"
)

// TestSchemasExplainEveryKey holds the schemas to what editors show: each key
// has a title and a description.
func TestSchemasExplainEveryKey(t *testing.T) {
	t.Parallel()
	for name, text := range map[string][]byte{"desktop": configs.DesktopSchema, "policy": configs.PolicySchema} {
		document, err := deskhand.ParseDocument(text)
		if err != nil {
			t.Fatal(err)
		}
		described := 0
		eachPath("", document.Fields(), func(at deskhand.Pointer) {
			tokens := at.Tokens()
			inComplete := len(tokens) > 1 && tokens[1] == "complete" // which only adds to the definition
			if len(tokens) < 2 || tokens[len(tokens)-2] != "properties" || inComplete {
				return
			}
			schema, _ := lookUp(document.Fields(), tokens).(map[string]any)
			_, conditional := schema["enum"]
			_, refers := schema["$ref"]
			if refers || conditional && len(schema) == 1 { // explained elsewhere
				return
			}
			if schema["title"] == nil || schema["description"] == nil {
				t.Errorf("%s schema: %s has no title or no description", name, at)
			}
			described++
		})
		if described == 0 {
			t.Errorf("%s schema: no keys found", name)
		}
	}
}

// TestSchemaTellsTheDefaults compares the defaults that editors show with those
// that hold.
func TestSchemaTellsTheDefaults(t *testing.T) {
	t.Parallel()
	schema, err := deskhand.ParseDocument(configs.PolicySchema)
	if err != nil {
		t.Fatal(err)
	}
	defaults, _, broken := parseYAML("policy-defaults.yaml", configs.PolicyDefaults)
	if broken != nil {
		t.Fatal(broken)
	}
	settings := mapAt(defaults, "settings")
	for name, value := range map[string]any{
		"threshold": defaults["threshold"], "settings/properties/minColumnWidth": settings["minColumnWidth"],
		"settings/properties/deviceScale": settings["deviceScale"], "settings/properties/browserChrome": settings["browserChrome"],
		"settings/properties/targetResolutions": settings["targetResolutions"],
	} {
		told := lookUp(schema.Fields(), deskhand.Pointer("/$defs/"+name+"/default").Tokens())
		if diff := cmp.Diff(value, told); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	var profile struct {
		Properties struct {
			Profile struct{ Default string } `json:"profile"`
		} `json:"properties"`
	}
	if err := json.Unmarshal(configs.PolicySchema, &profile); err != nil {
		t.Fatal(err)
	}
	if profile.Properties.Profile.Default != defaults["profile"] {
		t.Errorf("the schema tells of the profile %q", profile.Properties.Profile.Default)
	}
}
