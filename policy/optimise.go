package policy

import (
	"fmt"

	"github.com/deskhand/deskhand"
)

// optimiser is one row of what deskhand mends by itself before it sends a
// desktop: a pure function, idempotent, that does what the rule of the same id
// asks for. Where the rule is off or waived, so is the optimiser.
type optimiser struct {
	rule string
	mend func(subject) []replacement
}

// replacement is a new value for one that the payload has.
type replacement struct {
	at    deskhand.Pointer
	value any // decoded JSON
	why   string
	sees  string // what agents see then, "" where there is nothing to say
}

// mended is an edit and the rule that it is for.
type mended struct {
	rule string
	sees string
	deskhand.Edit
}

func optimisers() []optimiser {
	return []optimiser{
		{rule: ruleColumns, mend: fitColumns},
		{rule: ruleKeys, mend: normaliseKeys},
	}
}

// fitColumns picks the most columns that fit the smallest target resolution.
func fitColumns(on subject) []replacement {
	columns := mostColumns(on.view, on.settings.Layout)
	if columns == 0 || columns == on.Layout.GridColumns {
		return nil
	}
	smallest := grids(on.view, on.settings.Layout)[0]
	fitting := grid{screen: smallest.screen, width: smallest.width, columns: columns}
	return []replacement{{
		at:    "/layout/gridColumns",
		value: columns,
		why:   fmt.Sprintf("optimised: %d → %d columns (%s)", on.Layout.GridColumns, columns, smallest.screen),
		sees: fmt.Sprintf("at %s the columns are then %s wide and the widgets take %s; ",
			fitting.screen, pixels(fitting.columnWidth()), rowWords(fitting.rows(on.Layout.WidgetOrder, on.settings.Layout))),
	}}
}

func rowWords(rows int) string {
	if rows == 1 {
		return "1 row"
	}
	return fmt.Sprintf("%d rows", rows)
}

// normaliseKeys writes key combinations as aria-keyshortcuts has them.
func normaliseKeys(on subject) []replacement {
	var all []replacement
	for i, entry := range on.Shortcuts {
		parsed, err := parseKeys(entry.Keys)
		if err != nil || parsed.String() == entry.Keys {
			continue
		}
		all = append(all, replacement{
			at:    deskhand.Pointer("/shortcuts").Index(i).Child("keys"),
			value: parsed.String(),
			why:   fmt.Sprintf("optimised: %s → %s (aria-keyshortcuts)", shorten(entry.Keys), parsed),
		})
	}
	return all
}

// optimise returns the document with what the rows mend, and the edits that lead
// there. A row sees what those before it did.
func optimise(desktop deskhand.Desktop, on subject, rows []optimiser) (deskhand.Document, []mended, error) {
	document := on.document
	var all []mended
	for _, row := range rows {
		replacements := row.mend(on)
		if len(replacements) == 0 {
			continue
		}
		fields := document.Fields()
		for _, with := range replacements {
			before, replaced := replace(fields, with.at.Tokens(), with.value)
			if !replaced {
				return on.document, nil, fmt.Errorf("optimise %s: there is no such value", with.at)
			}
			all = append(all, mended{rule: row.rule, sees: with.sees, Edit: deskhand.Edit{
				Path: with.at, Before: before, Origin: place(desktop, with.at), Why: with.why,
			}})
		}
		optimised, err := deskhand.NewDocument(fields)
		if err != nil {
			return on.document, nil, fmt.Errorf("optimise: %w", err)
		}
		document = optimised
		on.document, on.view = document, readView(desktop, document, on.seen)
	}
	if len(all) == 0 {
		return document, nil, nil
	}
	// Edits hold decoded JSON, which only the finished document has.
	fields := document.Fields()
	for i := range all {
		all[i].After = lookUp(fields, all[i].Path.Tokens())
	}
	return document, all, nil
}

// replace sets a value that is there, and returns the one it replaced.
func replace(holder map[string]any, path []string, value any) (before any, replaced bool) {
	parent := lookUp(holder, path[:len(path)-1])
	last := path[len(path)-1]
	if fields, isMap := parent.(map[string]any); isMap {
		before, replaced = fields[last]
		if replaced {
			fields[last] = value
		}
	}
	return before, replaced
}
