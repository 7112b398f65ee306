package policy

import (
	"fmt"
	"strings"

	"github.com/deskhand/deskhand"
)

// shortcutRules are about keys that work, and work for everybody.
func shortcutRules() []Rule {
	return []Rule{
		{
			ID:       ruleKeys,
			Severity: deskhand.SeverityError,
			What:     "keys is one key combination in the grammar of aria-keyshortcuts. Aliases such as ctrl and cmd are understood, and sent in their normal form.",
			Why:      "Keys that cannot be read cannot be checked either, and assistive technology announces them by this grammar: WAI-ARIA 1.2, aria-keyshortcuts.",
			Mend:     "Write modifiers first, then one key: Control+Shift+1. `deskhand fix` writes aliases in the normal form.",
			Good: `# desktops/standard/voice.yaml
shortcuts: [{label: Hold, action: hold, keys: Control+Shift+1}]
`,
			Bad: `# desktops/standard/voice.yaml
shortcuts: [{label: Hold, action: hold, keys: Hyper+1}]
`,
			check: shortcutKeys,
		},
		{
			ID:       "shortcut/reserved",
			Severity: deskhand.SeverityWarning,
			Weight:   10,
			What:     "The keys are not kept by a browser that the desktop supports, by an operating system that it runs on, or by a screen reader. Keys that the page never sees are an error.",
			Why:      "Reserved keys close a tab in the middle of a call, or take a command away from people who depend on it. Sources: the browsers' own tables, W3C ARIA Authoring Practices, Keyboard Interface.",
			Mend:     "Choose other keys; the hint names free ones.",
			Good: `# desktops/standard/voice.yaml
shortcuts: [{label: Hold, action: hold, keys: Control+Shift+1}]
`,
			Bad: `# desktops/standard/voice.yaml
shortcuts: [{label: Hold, action: hold, keys: Control+W}]
`,
			check: shortcutReserved,
		},
		{
			ID:       "shortcut/duplicate",
			Severity: deskhand.SeverityError,
			What:     "No two shortcuts have the same keys, however they are written, or the same label.",
			Why:      "One of the two keys would never be reached, and the label is what tells two shortcuts apart when edits are merged.",
			Mend:     "Give each shortcut keys and a label of its own.",
			Good: `# desktops/standard/voice.yaml
shortcuts:
  - {label: Hold, action: hold, keys: Control+Shift+1}
  - {label: End, action: end, keys: Control+Shift+2}
`,
			Bad: `# desktops/standard/voice.yaml
shortcuts:
  - {label: Hold, action: hold, keys: Control+Shift+1}
  - {label: End, action: end, keys: shift+ctrl+1}
`,
			check: shortcutDuplicate,
		},
		{
			ID:       "shortcut/single-key",
			Severity: deskhand.SeverityWarning,
			Weight:   10,
			What:     "No shortcut is a bare character: a letter, digit or sign without a modifier other than Shift.",
			Why:      "People who dictate trigger bare characters by speaking, and people with a tremor by touching a key: WCAG 2.1 Success Criterion 2.1.4, Character Key Shortcuts.",
			Mend:     "Add a modifier.",
			Good: `# desktops/standard/voice.yaml
shortcuts: [{label: Hold, action: hold, keys: Control+Shift+1}]
`,
			Bad: `# desktops/standard/voice.yaml
shortcuts: [{label: Hold, action: hold, keys: h}]
`,
			check: shortcutSingleKey,
		},
		{
			ID:       "shortcut/system-route",
			Severity: deskhand.SeverityWarning,
			What:     "No shortcut routes to a target that begins with system.",
			Why:      "Only the enterprise tier has system targets, and a route to one is rarely what was meant.",
			Mend:     "Route to a queue. Where the system target is meant, check the tier and waive the rule for this file.",
			Good: `# desktops/enterprise/voice.yaml
shortcuts: [{label: Escalate, action: route, target: "queue:escalations"}]
`,
			Bad: `# desktops/enterprise/voice.yaml
shortcuts: [{label: Escalate, action: route, target: "system:supervisor"}]
`,
			check: shortcutSystemRoute,
		},
	}
}

// routesToSystem reports whether the shortcut leaves the queues.
func (s shortcut) routesToSystem() bool {
	return s.Action == "route" && strings.HasPrefix(strings.ToLower(s.Target), "system")
}

func keysAt(i int) deskhand.Pointer {
	return deskhand.Pointer("/shortcuts").Index(i).Child("keys")
}

func shortcutKeys(on subject) []fault {
	var faults []fault
	for i, entry := range on.Shortcuts {
		if entry.Keys == "" {
			continue
		}
		if _, err := parseKeys(entry.Keys); err != nil {
			faults = append(faults, fault{at: keysAt(i), message: err.Error(), hint: "write modifiers first, then one key: Control+Shift+1"})
		}
	}
	return faults
}

// eachKeys calls visit for every combination that can be read.
func eachKeys(on subject, visit func(i int, pressed keys)) {
	for i, entry := range on.Shortcuts {
		if pressed, err := parseKeys(entry.Keys); err == nil {
			visit(i, pressed)
		}
	}
}

func shortcutReserved(on subject) []fault {
	var faults []fault
	eachKeys(on, func(i int, pressed keys) {
		kept := on.seen.reservedFor(on.reserved, pressed, on.Browsers.Supported)
		if len(kept) == 0 {
			return
		}
		found := fault{
			at:      keysAt(i),
			message: fmt.Sprintf("%s is already in use by %s", pressed, keepers(kept)),
			hint:    "choose other keys",
		}
		if kept[0].Blocked { // blocked ones come first
			found.severity = deskhand.SeverityError
			found.message = fmt.Sprintf("%s never reaches the desktop: it is kept by %s", pressed, kept[0].By)
		}
		if free := freeKeys(on); free != "" {
			found.hint += ", such as " + free
		}
		faults = append(faults, found)
	})
	return faults
}

// keepers names who keeps the keys, each once.
func keepers(kept []reservation) string {
	var names []string
	for _, reservation := range kept {
		names = appendNew(names, reservation.By)
	}
	return strings.Join(names, "; ")
}

// freeKeys is a combination that nothing keeps and no shortcut of the desktop
// has, "" where none of the usual ones is free.
func freeKeys(on subject) string {
	taken := map[keys]bool{}
	eachKeys(on, func(_ int, pressed keys) { taken[pressed] = true })
	for _, modifiers := range []string{"Control+Shift", "Alt+Shift", "Control+Alt", "Control+Alt+Shift"} {
		for _, key := range []string{"1", "2", "3", "4", "5", "6", "7", "8", "9", "F2", "F4", "F8", "F9"} {
			candidate, err := parseKeys(modifiers + "+" + key)
			if err == nil && !taken[candidate] && len(on.seen.reservedFor(on.reserved, candidate, on.Browsers.Supported)) == 0 {
				return candidate.String()
			}
		}
	}
	return ""
}

func shortcutDuplicate(on subject) []fault {
	var faults []fault
	labels := map[string]int{}
	for i, entry := range on.Shortcuts {
		if first, taken := labels[entry.Label]; taken && entry.Label != "" {
			faults = append(faults, fault{
				at:      deskhand.Pointer("/shortcuts").Index(i).Child("label"),
				message: fmt.Sprintf("the label %q is also that of shortcut %d", shorten(entry.Label), first+1),
				hint:    "give each shortcut a label of its own",
			})
			continue
		}
		labels[entry.Label] = i
	}
	pressedBy := map[keys]int{}
	eachKeys(on, func(i int, pressed keys) {
		if first, taken := pressedBy[pressed]; taken {
			faults = append(faults, fault{
				at:      keysAt(i),
				message: fmt.Sprintf("%s also starts shortcut %d, %q", pressed, first+1, shorten(on.Shortcuts[first].Label)),
				hint:    "give each shortcut keys of its own",
			})
			return
		}
		pressedBy[pressed] = i
	})
	return faults
}

func shortcutSingleKey(on subject) []fault {
	var faults []fault
	eachKeys(on, func(i int, pressed keys) {
		if pressed.bareCharacter() {
			faults = append(faults, fault{
				at:      keysAt(i),
				message: fmt.Sprintf("%s has no modifier, so dictation and stray touches start it", pressed),
				hint:    fmt.Sprintf("add one, such as Control+Shift+%s", pressed.key),
			})
		}
	})
	return faults
}

func shortcutSystemRoute(on subject) []fault {
	var faults []fault
	for i, entry := range on.Shortcuts {
		if entry.routesToSystem() {
			faults = append(faults, fault{
				at:      deskhand.Pointer("/shortcuts").Index(i).Child("target"),
				message: fmt.Sprintf("%q routes to the system target %s", shorten(entry.Label), shorten(entry.Target)),
				hint:    "check that the tier has it, or route to a queue",
			})
		}
	}
	return faults
}
