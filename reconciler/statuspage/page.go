package statuspage

import (
	"bytes"
	"cmp"
	_ "embed"
	"html/template"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/deskhand/deskhand"
)

//go:embed page.html
var pageHTML string

//go:embed style.css
var styleCSS []byte

// maxListed bounds the desktops that the page lists for a tenant; the JSON has
// them all.
const maxListed = 100

type site struct {
	Options
	page *template.Template
}

// parsePage panics only on a page.html that no test would let pass.
func parsePage() *template.Template {
	return template.Must(template.New("page").Parse(pageHTML))
}

func serveStyle(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	write(w, styleCSS)
}

// view is what page.html shows.
type view struct {
	Version string
	Waiting string // why the daemon is not ready
	Tenants []tenantView
}

type tenantView struct {
	deskhand.TenantStatus
	Total  int
	States []stateCount
	// Listed are the desktops that are not in sync, More how many of them the
	// page has no room for.
	Listed []desktopView
	More   int
}

type stateCount struct {
	State deskhand.State
	Count int
}

type desktopView struct {
	deskhand.DesktopStatus
	SinceText, SinceMachine string
}

func (s site) servePage(w http.ResponseWriter, r *http.Request) {
	shown := view{Version: s.Version}
	if err := s.Daemon.Ready(); err != nil {
		shown.Waiting = err.Error()
	}
	for _, tenant := range s.Daemon.Status(r.Context()).Tenants {
		shown.Tenants = append(shown.Tenants, viewOf(tenant))
	}
	var page bytes.Buffer
	if err := s.page.Execute(&page, shown); err != nil {
		http.Error(w, "the page cannot be shown; /api/v1/status has the same as JSON", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	write(w, page.Bytes())
}

func viewOf(tenant deskhand.TenantStatus) tenantView {
	shown := tenantView{TenantStatus: tenant, Total: len(tenant.Desktops)}
	counts := map[deskhand.State]int{}
	for _, desktop := range tenant.Desktops {
		counts[desktop.State]++
		switch {
		case desktop.State == deskhand.StateInSync:
		case len(shown.Listed) == maxListed:
			shown.More++
		default:
			shown.Listed = append(shown.Listed, desktopView{
				DesktopStatus: desktop,
				SinceText:     desktop.Since.UTC().Format("2 January 2006, 15:04 UTC"),
				SinceMachine:  desktop.Since.UTC().Format(time.RFC3339),
			})
		}
	}
	for _, state := range slices.Sorted(maps.Keys(counts)) {
		shown.States = append(shown.States, stateCount{State: state, Count: counts[state]})
	}
	slices.SortStableFunc(shown.States, func(a, b stateCount) int { return cmp.Compare(b.Count, a.Count) })
	return shown
}
