package policy

import "github.com/deskhand/deskhand"

// Screen is how a desktop's widgets lie on one screen, row by row.
type Screen struct {
	Resolution  deskhand.Resolution
	Columns     int
	ColumnWidth int // CSS px, cut rather than rounded
	Rows        [][]Cell
}

// Cell is the place of a widget in its row.
type Cell struct {
	Widget  string
	Columns int // that it takes
}

// mostGridColumns is what CXone allows; what is live may hold any number.
const mostGridColumns = 12

// Screen lays a payload of the desktop out on the narrowest of its screens, under
// the policy of the tenant's last review. It returns false before the first
// review, and for a payload without a grid.
func (r *Reviewer) Screen(tenant deskhand.Tenant, desktop deskhand.Desktop, payload deskhand.Document) (Screen, bool) {
	kept := r.memoryOf(tenant)
	kept.mutex.Lock()
	defer kept.mutex.Unlock()
	if !kept.read {
		return Screen{}, false
	}
	with, err := kept.book.settingsFor(desktop)
	if err != nil {
		return Screen{}, false
	}
	seen := newView(desktop, payload)
	all := grids(seen, with.Layout)
	if len(all) == 0 || seen.Layout.GridColumns < 1 || seen.Layout.GridColumns > mostGridColumns {
		return Screen{}, false
	}
	narrowest := all[0]
	return Screen{
		Resolution:  narrowest.screen,
		Columns:     narrowest.columns,
		ColumnWidth: int(narrowest.columnWidth()),
		Rows:        narrowest.place(seen.Layout.WidgetOrder, with.Layout),
	}, true
}
