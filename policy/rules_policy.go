package policy

import "github.com/deskhand/deskhand"

// policyRules are about policy.yaml itself, and the sum of all rules.
func policyRules() []Rule {
	return []Rule{
		{
			ID:       ruleScore,
			Severity: deskhand.SeverityError,
			What:     "The score is at least the threshold, 80 unless policy.yaml says otherwise. It starts at 100; each rule that finds something takes its weight once.",
			Why:      "A few small flaws are a warning each; all of them on one screen are a desktop that agents should not get.",
			Mend:     "Mend the warnings; the heaviest count most.",
			Good: `# desktops/standard/voice.yaml
layout: {widgetOrder: [call-controls, call-controls, notes]}
`,
			Bad: `# desktops/standard/voice.yaml
layout: {widgetOrder: [call-controls, call-controls]}
`,
			fixed: true,
		},
		{
			ID:       ruleInvalid,
			Severity: deskhand.SeverityError,
			What:     "policy.yaml is as its schema has it, names rules and profiles that exist, and its expressions compile.",
			Why:      "A policy that is half understood would let through what it was written to stop. So it is refused as a whole, and the last good one stays in force.",
			Mend:     "Follow the hint; `deskhand schema policy` prints the schema.",
			Good: `# policy.yaml
severities: {layout/columns: error}
`,
			Bad: `# policy.yaml
severities: {layout/colums: error}
`,
			fixed: true,
		},
		{
			ID:       ruleExpression,
			Severity: deskhand.SeverityError,
			What:     "The repository's own rules can be evaluated for the desktop, within the cost limit.",
			Why:      "What a rule guards against cannot be ruled out where the rule fails, so the desktop is refused.",
			Mend:     "Mend the expression in policy.yaml: test with has() or in before you read a map, and keep loops within loops short.",
			Good: `# policy.yaml
rules:
  - {id: acme/wave, message: the wave is no known one, expression: '!("wave" in desktop.labels) || desktop.labels["wave"] == "canary"'}
`,
			Bad: `# policy.yaml
rules:
  - {id: acme/wave, message: the wave is no known one, expression: 'desktop.labels["wave"] == "canary"'}
`,
			fixed: true,
		},
		{
			ID:       ruleExpired,
			Severity: deskhand.SeverityWarning,
			What:     "No waiver of policy.yaml is past its last day.",
			Why:      "A waiver buys time. When the time is over, the rule holds again, and whoever agreed to the waiver should know.",
			Mend:     "Mend the desktops and remove the waiver, or agree on a later day.",
			Good: `# policy.yaml
waivers:
  - {rule: layout/compliance, path: "standard/*.yaml", reason: The notes widget is on its way., expires: 2199-12-31}
`,
			Bad: `# policy.yaml
waivers:
  - {rule: layout/compliance, path: "standard/*.yaml", reason: The notes widget is on its way., expires: 2020-01-31}
`,
			fixed: true,
		},
	}
}
