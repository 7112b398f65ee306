package policy

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/deskhand/deskhand"
)

// reflowWidth is the width in CSS px at which content has to do without
// scrolling sideways (WCAG 2.1 Success Criterion 1.4.10).
const reflowWidth = 320

// layoutRules are about what agents see on the screens they have.
func layoutRules() []Rule {
	return []Rule{
		{
			ID:       ruleColumns,
			Severity: deskhand.SeverityWarning,
			Weight:   10,
			What: "On each target resolution the grid's columns are at least minColumnWidth (140 CSS px) wide, and each widget gets the width that it needs. " +
				"The grid has the screen's width over deviceScale, less browserChrome; a widget gets as many columns as the settings say.",
			Why:  "Narrower columns make agents scroll sideways in the middle of a call. On 1366x768 that begins with the ninth column.",
			Mend: "Use fewer columns. deskhand sends the most that fit, and `deskhand fix` writes them into the file.",
			Good: `# desktops/standard/voice.yaml
targetResolutions: [1366x768]
layout: {gridColumns: 8}
`,
			Bad: `# desktops/standard/voice.yaml
targetResolutions: [1366x768]
layout: {gridColumns: 12}
`,
			check: layoutColumns,
		},
		{
			ID:       "layout/compliance",
			Severity: deskhand.SeverityWarning,
			Weight:   20,
			What:     "widgetOrder has compliance or notes.",
			Why:      "Without either of them an agent has no place to see a duty or to write down that it was met.",
			Mend:     "Add compliance or notes to widgetOrder.",
			Good: `# desktops/standard/voice.yaml
layout: {widgetOrder: [contact-summary, call-controls, notes]}
`,
			Bad: `# desktops/standard/voice.yaml
layout: {widgetOrder: [contact-summary, call-controls]}
`,
			check: layoutCompliance,
		},
		{
			ID:       "layout/duplicate",
			Severity: deskhand.SeverityWarning,
			Weight:   10,
			What:     "widgetOrder names no widget twice.",
			Why:      "The second one takes the room of another widget and shows nothing new.",
			Mend:     "Remove the repetition.",
			Good: `# desktops/standard/voice.yaml
layout: {widgetOrder: [call-controls, notes]}
`,
			Bad: `# desktops/standard/voice.yaml
layout: {widgetOrder: [call-controls, notes, call-controls]}
`,
			check: layoutDuplicate,
		},
		{
			ID:       "layout/reflow",
			Severity: deskhand.SeverityWarning,
			Weight:   10,
			What:     "Nothing needs more than 320 CSS px of width: no widget's minWidth in the settings, and no minWidth or fixedWidth in extra.",
			Why:      "At 400 % zoom a 1280 px screen is 320 CSS px wide, and people who need that zoom must not have to scroll sideways: WCAG 2.1 Success Criterion 1.4.10, Reflow.",
			Mend:     "Lower the width to 320 px, or leave it out.",
			Good: `# desktops/standard/voice.yaml
extra: {agentAssist: {minWidth: 320}}
`,
			Bad: `# desktops/standard/voice.yaml
extra: {agentAssist: {minWidth: 1024}}
`,
			check: layoutReflow,
		},
	}
}

func layoutColumns(on subject) []fault {
	if on.Layout.GridColumns < 1 {
		return nil // the schema tells
	}
	with := on.settings.Layout
	hint := "no number of columns fits; look at targetResolutions and at the policy's settings"
	if fitting := mostColumns(on.view, with); fitting > 0 {
		hint = fmt.Sprintf("use at most %d columns", fitting)
	}
	var faults []fault
	var narrow []string
	for _, grid := range grids(on.view, with) {
		if grid.columnWidth() < with.MinColumnWidth {
			narrow = append(narrow, fmt.Sprintf("%s each at %s", pixels(grid.columnWidth()), grid.screen))
		}
	}
	if len(narrow) > 0 {
		faults = append(faults, fault{
			at: "/layout/gridColumns",
			message: fmt.Sprintf("%d columns are %s; below %s agents scroll sideways",
				on.Layout.GridColumns, strings.Join(narrow, ", "), pixels(with.MinColumnWidth)),
			hint: hint,
		})
	}
	if tight := tightWidgets(on, with); len(tight) > 0 {
		// The widths follow from the number of columns, so that is the place.
		faults = append(faults, fault{at: "/layout/gridColumns", message: strings.Join(tight, "; "), hint: hint})
	}
	return faults
}

// tightWidgets tells of each widget that is too narrow on some screen, once.
func tightWidgets(on subject, with layoutSettings) []string {
	var all []string
	for _, name := range on.Layout.WidgetOrder {
		needs := with.Widgets[name]
		var tight []string
		for _, grid := range grids(on.view, with) {
			if width := grid.widgetWidth(needs); width < needs.MinWidth {
				tight = append(tight, fmt.Sprintf("%s at %s", pixels(width), grid.screen))
			}
		}
		if len(tight) > 0 {
			all = appendNew(all, fmt.Sprintf("%s needs %s, gets %s", shorten(name), pixels(needs.MinWidth), strings.Join(tight, ", ")))
		}
	}
	return all
}

func layoutCompliance(on subject) []fault {
	order := on.Layout.WidgetOrder
	if len(order) == 0 || slices.Contains(order, "compliance") || slices.Contains(order, "notes") {
		return nil
	}
	return []fault{{
		at:      "/layout/widgetOrder",
		message: "the desktop shows neither compliance nor notes",
		hint:    "add one of them to widgetOrder",
	}}
}

func layoutDuplicate(on subject) []fault {
	var faults []fault
	for i, name := range on.Layout.WidgetOrder {
		if first := slices.Index(on.Layout.WidgetOrder, name); first < i {
			faults = append(faults, fault{
				at:      deskhand.Pointer("/layout/widgetOrder").Index(i),
				message: fmt.Sprintf("the widget %s is in widgetOrder twice, first at place %d", shorten(name), first+1),
				hint:    "remove one of them",
			})
		}
	}
	return faults
}

func layoutReflow(on subject) []fault {
	var faults []fault
	for i, name := range on.Layout.WidgetOrder {
		if width := on.settings.Layout.Widgets[name].MinWidth; width > reflowWidth {
			faults = append(faults, fault{
				at:      deskhand.Pointer("/layout/widgetOrder").Index(i),
				message: fmt.Sprintf("%s needs %s: at 400 %% zoom, %d px, agents scroll sideways", shorten(name), pixels(width), reflowWidth),
				hint:    fmt.Sprintf("lower its minWidth in the policy's settings to %d, or leave the widget out", reflowWidth),
			})
		}
	}
	return append(faults, fixedWidths("/extra", on.Extra)...)
}

// fixedWidths finds the fields, at any depth, that keep a width above the one
// that reflows.
func fixedWidths(at deskhand.Pointer, value any) []fault {
	var faults []fault
	switch value := value.(type) {
	case map[string]any:
		for _, key := range sortedKeys(value) {
			if width, fixed := fixedWidth(key, value[key]); fixed {
				faults = append(faults, fault{
					at:      at.Child(key),
					message: fmt.Sprintf("%s is %s: at 400 %% zoom, %d px, agents scroll sideways", shorten(key), width, reflowWidth),
					hint:    fmt.Sprintf("lower it to %d, or leave it out", reflowWidth),
				})
				continue
			}
			faults = append(faults, fixedWidths(at.Child(key), value[key])...)
		}
	case []any:
		for i, entry := range value {
			faults = append(faults, fixedWidths(at.Index(i), entry)...)
		}
	}
	return faults
}

func fixedWidth(key string, value any) (width string, fixed bool) {
	name := strings.ToLower(strings.NewReplacer("-", "", "_", "").Replace(key))
	if name != "minwidth" && name != "minimumwidth" && name != "fixedwidth" {
		return "", false
	}
	switch value := value.(type) {
	case float64:
		return pixels(value), value > reflowWidth
	case string:
		number, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(value), "px"), 64)
		return pixels(number), err == nil && number > reflowWidth
	case bool:
		return "true", value && name == "fixedwidth"
	}
	return "", false
}
