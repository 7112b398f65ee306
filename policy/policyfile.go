package policy

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/deskhand/deskhand"
)

// policyFile is policy.yaml as its schema has it.
type policyFile struct {
	Profile   string                     `json:"profile"`
	Profiles  map[string]json.RawMessage `json:"profiles"`
	Waivers   []waiver                   `json:"waivers"`
	Overrides []struct {
		Path    string            `json:"path"`
		Labels  map[string]string `json:"labels"`
		Profile string            `json:"profile"`
	} `json:"overrides"`
	Rules []ownRuleText `json:"rules"`
}

// policyReader turns policy files into rulebooks.
type policyReader struct {
	schema   *shape
	compiler *expressionCompiler
	rules    map[string]Rule // the built-in ones
	defaults map[string]any
}

// read makes the rulebook of a repository's policy.yaml; nil stands for none. A
// file with any finding makes no rulebook: a policy holds as a whole or not.
func (r policyReader) read(file *deskhand.File) (*rulebook, []deskhand.Finding) {
	if file == nil {
		file = &deskhand.File{Path: "policy.yaml"}
	}
	fields, origins, broken := parseYAML(file.Path, file.Content)
	if broken != nil {
		return nil, []deskhand.Finding{{
			Rule: ruleInvalid, Severity: deskhand.SeverityError, File: file.Path, Line: broken.line, Column: broken.column,
			Message: broken.message, Hint: broken.hint,
		}}
	}
	faults := r.schema.check(fields)
	if len(faults) > 0 {
		return nil, policyFindings(file.Path, origins, faults)
	}
	book, faults := r.build(file.Path, fields, origins)
	if len(faults) > 0 {
		return nil, policyFindings(file.Path, origins, faults)
	}
	return book, nil
}

// policyFindings places the faults of a policy file.
func policyFindings(file string, origins deskhand.Origins, faults []fault) []deskhand.Finding {
	findings := make([]deskhand.Finding, 0, len(faults))
	for _, found := range faults {
		position, known := origins.At(found.at)
		if !known || found.at == "" {
			position = deskhand.Position{File: file, Line: 1, Column: 1}
		}
		findings = append(findings, deskhand.Finding{
			Rule: ruleInvalid, Severity: deskhand.SeverityError,
			File: position.File, Line: position.Line, Column: position.Column,
			Message: found.message, Hint: found.hint,
		})
	}
	deskhand.SortFindings(findings)
	return findings
}

// build reads fields that are as the schema has them.
func (r policyReader) build(file string, fields map[string]any, origins deskhand.Origins) (*rulebook, []fault) {
	var parsed policyFile
	if err := convert(fields, &parsed); err != nil {
		return nil, []fault{{message: err.Error(), hint: "compare the file with its schema: deskhand schema policy"}}
	}
	own, faults := r.ownRules(parsed.Rules)
	names := r.ruleNames(own)
	profiles := r.profiles(fields)

	faults = append(faults, checkRulings("", fields, names)...)
	for name, profile := range mapAt(fields, "profiles") {
		profile, _ := profile.(map[string]any)
		faults = append(faults, checkRulings(deskhand.Pointer("/profiles").Child(name), profile, names)...)
	}
	chosen := parsed.Profile
	if chosen == "" {
		chosen, _ = r.defaults["profile"].(string)
	}
	faults = append(faults, checkProfile("/profile", chosen, profiles)...)
	book := &rulebook{folder: folderOf(file), own: own, settings: map[string]*settings{}}
	base, err := layered(r.defaults, profiles[chosen], fields)
	if err != nil {
		faults = append(faults, fault{message: err.Error(), hint: "compare the file with its schema"})
	}
	book.base = base

	for i, text := range parsed.Overrides {
		at := deskhand.Pointer("/overrides").Index(i)
		entry, _ := lookUp(fields, at.Tokens()).(map[string]any)
		made, found := r.override(at, text.Path, text.Labels, entry, profiles)
		faults = append(append(faults, found...), checkRulings(at, entry, names)...)
		book.overrides = append(book.overrides, made)
	}
	for i, waived := range parsed.Waivers {
		at := deskhand.Pointer("/waivers").Index(i)
		waived.place, _ = origins.At(at)
		faults = append(faults, waived.complete(at, names)...)
		book.waivers = append(book.waivers, waived)
	}
	if len(faults) > 0 {
		return nil, faults
	}
	return book, nil
}

// ruleNames are the rules that a policy can weigh and waive.
func (r policyReader) ruleNames(own []ownRule) []string {
	var names []string
	for id, rule := range r.rules {
		if !rule.fixed {
			names = append(names, id)
		}
	}
	for _, rule := range own {
		names = append(names, rule.ID)
	}
	slices.Sort(names)
	return names
}

// profiles are those of the defaults and of the file over them.
func (r policyReader) profiles(fields map[string]any) map[string]map[string]any {
	all := map[string]map[string]any{}
	for _, source := range []map[string]any{r.defaults, fields} {
		for name, profile := range mapAt(source, "profiles") {
			all[name], _ = profile.(map[string]any)
		}
	}
	return all
}

func (r policyReader) override(at deskhand.Pointer, path string, labels map[string]string, entry map[string]any, profiles map[string]map[string]any) (override, []fault) {
	made := override{labels: labels}
	var faults []fault
	if path != "" {
		parsed, err := parseGlob(path)
		if err != nil {
			faults = append(faults, fault{at: at.Child("path"), message: err.Error(), hint: "write one such as standard/*.yaml"})
		}
		made.path = &parsed
	}
	profile, _ := entry["profile"].(string)
	if profile != "" {
		faults = append(faults, checkProfile(at.Child("profile"), profile, profiles)...)
	}
	merged, err := layered(profiles[profile], entry)
	if err != nil {
		faults = append(faults, fault{at: at, message: err.Error(), hint: "compare the override with its schema"})
	}
	made.rulings = merged
	return made, faults
}

// complete reads the glob and the day of a waiver.
func (w *waiver) complete(at deskhand.Pointer, rules []string) []fault {
	var faults []fault
	if !slices.Contains(rules, w.Rule) {
		faults = append(faults, unknownRule(at.Child("rule"), w.Rule, rules))
	}
	parsed, err := parseGlob(w.Path)
	if err != nil {
		faults = append(faults, fault{at: at.Child("path"), message: err.Error(), hint: "write one such as standard/*.yaml"})
	}
	w.glob = parsed
	last, err := time.Parse(time.DateOnly, w.Expires)
	if err != nil {
		faults = append(faults, fault{at: at.Child("expires"), message: fmt.Sprintf("%q is no day of the calendar", w.Expires), hint: "write one such as 2026-12-31"})
	}
	w.until = last.AddDate(0, 0, 1)
	return faults
}

// checkRulings finds rules that do not exist, or do not bend.
func checkRulings(at deskhand.Pointer, rulings map[string]any, rules []string) []fault {
	var faults []fault
	for _, kind := range []string{"severities", "weights"} {
		for _, id := range sortedKeys(mapAt(rulings, kind)) {
			if !slices.Contains(rules, id) {
				faults = append(faults, unknownRule(at.Child(kind).Child(id), id, rules))
			}
		}
	}
	return faults
}

func unknownRule(at deskhand.Pointer, id string, rules []string) fault {
	found := fault{at: at, message: fmt.Sprintf("there is no rule %q that a policy can weigh or waive", shorten(id)), hint: "docs/rules.md lists the rules"}
	if near, isNear := nearest(id, rules); isNear {
		found.hint = fmt.Sprintf("did you mean %q?", near)
	}
	return found
}

func checkProfile(at deskhand.Pointer, name string, profiles map[string]map[string]any) []fault {
	if _, known := profiles[name]; known {
		return nil
	}
	found := fault{at: at, message: fmt.Sprintf("there is no profile %q", shorten(name)), hint: "add it to profiles"}
	if near, isNear := nearest(name, sortedKeys(profiles)); isNear {
		found.hint = fmt.Sprintf("did you mean %q?", near)
	}
	return []fault{found}
}

// layered lays rulings over each other, the last on top.
func layered(sources ...map[string]any) (rulings, error) {
	merged := rulings("{}")
	for _, source := range sources {
		only := map[string]any{}
		for _, key := range []string{"threshold", "severities", "weights", "tiers", "requiredBanners", "settings"} {
			if value, set := source[key]; set {
				only[key] = value
			}
		}
		text, err := json.Marshal(only)
		if err != nil {
			return nil, fmt.Errorf("write rulings: %w", err)
		}
		if merged, err = rulings(text).over(merged); err != nil {
			return nil, err
		}
	}
	return merged, nil
}

func mapAt(fields map[string]any, key string) map[string]any {
	value, _ := fields[key].(map[string]any)
	return value
}

// convert reads decoded JSON into a typed value.
func convert(fields map[string]any, into any) error {
	text, err := json.Marshal(maps.Clone(fields))
	if err != nil {
		return fmt.Errorf("read policy: %w", err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("read policy: %w", err)
	}
	return nil
}
