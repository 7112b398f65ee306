package policy

import (
	"fmt"
	"slices"

	"github.com/deskhand/deskhand"
)

// grid is the desktop's grid on one screen.
type grid struct {
	screen  deskhand.Resolution
	width   float64 // CSS px that the grid has
	columns int
}

// grids are the desktop's grid on each of its target resolutions, the narrowest
// first.
func grids(seen view, with layoutSettings) []grid {
	targets := seen.TargetResolutions
	if len(targets) == 0 {
		targets = with.TargetResolutions
	}
	var all []grid
	for _, target := range targets {
		screen, err := deskhand.ParseResolution(target)
		if err != nil {
			continue // the schema tells
		}
		width := float64(screen.Width)/with.DeviceScale - with.BrowserChrome
		all = append(all, grid{screen: screen, width: max(width, 0), columns: seen.Layout.GridColumns})
	}
	slices.SortStableFunc(all, func(a, b grid) int { return a.screen.Width - b.screen.Width })
	return all
}

// columnWidth is in CSS px.
func (g grid) columnWidth() float64 { return g.width / float64(g.columns) }

// span is the number of columns that a widget takes.
func (g grid) span(widget widgetSetting) int { return min(max(widget.Columns, 1), g.columns) }

// widgetWidth is the width in CSS px that a widget gets.
func (g grid) widgetWidth(widget widgetSetting) float64 {
	return g.columnWidth() * float64(g.span(widget))
}

// fits reports whether the columns, and each of the widgets, are wide enough.
func (g grid) fits(order []string, with layoutSettings) bool {
	if g.columnWidth() < with.MinColumnWidth {
		return false
	}
	return !slices.ContainsFunc(order, func(name string) bool {
		return g.widgetWidth(with.Widgets[name]) < with.Widgets[name].MinWidth
	})
}

// rows is the number of rows that the widgets wrap to.
func (g grid) rows(order []string, with layoutSettings) int { return len(g.place(order, with)) }

// place puts the widgets into rows as CXone does: in order, with a new row where
// the last has no room left.
func (g grid) place(order []string, with layoutSettings) [][]Cell {
	var rows [][]Cell
	left := 0
	for _, name := range order {
		span := g.span(with.Widgets[name])
		if span > left {
			rows, left = append(rows, nil), g.columns
		}
		last := len(rows) - 1
		rows[last] = append(rows[last], Cell{Widget: name, Columns: span})
		left -= span
	}
	return rows
}

// mostColumns is the largest number of columns, up to the desktop's own, that
// fits every screen; 0 where none does, or the desktop names none.
func mostColumns(seen view, with layoutSettings) int {
	for columns := seen.Layout.GridColumns; columns > 0; columns-- {
		candidate := seen
		candidate.Layout.GridColumns = columns
		if !slices.ContainsFunc(grids(candidate, with), func(g grid) bool {
			return !g.fits(seen.Layout.WidgetOrder, with)
		}) {
			return columns
		}
	}
	return 0
}

// pixels prints a width, cut rather than rounded so that a width that does not
// suffice never looks as if it did.
func pixels(width float64) string { return fmt.Sprintf("%d px", int(width)) }
