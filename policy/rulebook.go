package policy

import (
	"encoding/json"
	"fmt"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"

	jsonpatch "github.com/evanphx/json-patch/v5"

	"github.com/deskhand/deskhand"
)

// rulebook is a whole policy in force: the defaults and the repository's
// policy.yaml over them.
type rulebook struct {
	folder    string // globs are relative to it
	base      rulings
	overrides []override
	waivers   []waiver
	own       []ownRule

	mutex    sync.Mutex
	settings map[string]*settings // by the overrides that match
}

// rulings are the JSON of settings, or of part of them: RFC 7396 merge patches
// on each other.
type rulings json.RawMessage

func (r rulings) over(below rulings) (rulings, error) {
	merged, err := jsonpatch.MergePatch(below, r)
	if err != nil {
		return nil, fmt.Errorf("lay rulings over each other: %w", err)
	}
	return merged, nil
}

func (r rulings) decode() (*settings, error) {
	var decoded settings
	if err := json.Unmarshal(r, &decoded); err != nil {
		return nil, fmt.Errorf("read rulings: %w", err)
	}
	return &decoded, nil
}

// override is rulings for some of the desktops.
type override struct {
	path    *glob // nil for any
	labels  map[string]string
	rulings rulings
}

func (o override) matches(file string, labels map[string]string) bool {
	if o.path != nil && !o.path.matches(file) {
		return false
	}
	for name, value := range o.labels {
		if has, set := labels[name]; !set || has != value {
			return false
		}
	}
	return true
}

// waiver accepts the findings of a rule until the end of a day.
type waiver struct {
	Rule    string `json:"rule"`
	Path    string `json:"path"`
	Reason  string `json:"reason"`
	Expires string `json:"expires"` // YYYY-MM-DD, the last day in UTC

	glob  glob
	until time.Time // the first moment after it
	place deskhand.Position
}

func (w waiver) text() string { return fmt.Sprintf("waived until %s: %s", w.Expires, w.Reason) }

// fileBelow is the desktop's file from the policy's folder.
func (b *rulebook) fileBelow(desktop deskhand.Desktop) string {
	if b.folder == "." || b.folder == "" {
		return desktop.File
	}
	return strings.TrimPrefix(desktop.File, b.folder+"/")
}

// settingsFor are the rulings for one desktop. Desktops that the same overrides
// match share them.
func (b *rulebook) settingsFor(desktop deskhand.Desktop) (*settings, error) {
	file := b.fileBelow(desktop)
	var key strings.Builder
	var matching []override
	for i, candidate := range b.overrides {
		if candidate.matches(file, desktop.Labels) {
			key.WriteString(strconv.Itoa(i) + ",")
			matching = append(matching, candidate)
		}
	}
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if known, found := b.settings[key.String()]; found {
		return known, nil
	}
	merged := b.base
	for _, match := range matching {
		next, err := match.rulings.over(merged)
		if err != nil {
			return nil, err
		}
		merged = next
	}
	decoded, err := merged.decode()
	if err != nil {
		return nil, err
	}
	b.settings[key.String()] = decoded
	return decoded, nil
}

// waiversFor are the waivers for one desktop that have not expired.
func (b *rulebook) waiversFor(desktop deskhand.Desktop, now time.Time) []waiver {
	file := b.fileBelow(desktop)
	var inForce []waiver
	for _, candidate := range b.waivers {
		if now.Before(candidate.until) && candidate.glob.matches(file) {
			inForce = append(inForce, candidate)
		}
	}
	return inForce
}

// expired are the findings about the waivers that no longer hold, and text that
// changes whenever that set does.
func (b *rulebook) expired(now time.Time) (findings []deskhand.Finding, key string) {
	for i, candidate := range b.waivers {
		if now.Before(candidate.until) {
			continue
		}
		key += strconv.Itoa(i) + ","
		findings = append(findings, deskhand.Finding{
			Rule: ruleExpired, Severity: deskhand.SeverityWarning,
			File: candidate.place.File, Line: candidate.place.Line, Column: candidate.place.Column,
			Message: fmt.Sprintf("the waiver of %s for %s expired on %s", candidate.Rule, candidate.Path, candidate.Expires),
			Hint:    "mend the desktops and remove the waiver, or agree on a later day",
		})
	}
	return findings, key
}

// folderOf is the folder that the globs of a policy file are relative to.
func folderOf(file string) string { return path.Dir(file) }
