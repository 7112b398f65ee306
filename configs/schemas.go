package configs

import _ "embed"

// The JSON Schemas (draft 2020-12) of the two kinds of YAML file that
// administrators write, and the policy that holds where they write none.
var (
	// DesktopSchema judges a desktop's definition. Its root is for editors, where
	// a file may be one part of a definition; $defs/complete is for the whole.
	//
	//go:embed schema/desktop.schema.json
	DesktopSchema []byte

	// PolicySchema judges policy.yaml.
	//
	//go:embed schema/policy.schema.json
	PolicySchema []byte

	// PolicyDefaults is a policy.yaml with every default spelled out.
	//
	//go:embed schema/policy-defaults.yaml
	PolicyDefaults []byte
)
