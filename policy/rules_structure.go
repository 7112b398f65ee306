package policy

import "github.com/deskhand/deskhand"

// structureRules are about whether there is a desktop to judge at all.
func structureRules() []Rule {
	return []Rule{
		{
			ID:       ruleSchema,
			Severity: deskhand.SeverityError,
			What:     "The definition has the keys, types and values that the JSON Schema of definitions allows.",
			Why:      "A misspelt key would be a setting that its author believes in and no agent has.",
			Mend:     "Follow the hint; `deskhand schema` prints the schema, and an editor that knows it completes the keys.",
			Good: `# desktops/standard/voice.yaml
shortcuts:
  - {label: Hold, action: hold, keys: Control+Shift+1}
`,
			Bad: `# desktops/standard/voice.yaml
shortcutz:
  - {label: Hold, action: hold}
`,
			fixed: true,
		},
		{
			ID:       ruleDuplicate,
			Severity: deskhand.SeverityError,
			What:     "No two files of a tenant have the same configId.",
			Why:      "Each file would overwrite the other, and nobody could tell which one agents see.",
			Mend:     "Give each desktop an id of its own, or remove one of the files.",
			Good: `# desktops/standard/voice.yaml
configId: dsk-voice
---
# desktops/standard/voice-emea.yaml
configId: dsk-voice-emea
`,
			Bad: `# desktops/standard/voice.yaml
configId: dsk-voice
---
# desktops/standard/voice-emea.yaml
configId: dsk-voice
`,
			fixed: true,
		},
	}
}
