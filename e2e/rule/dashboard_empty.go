package rule

import (
	"fmt"
	"slices"

	"github.com/panelgate/panelgate/stack/dashboard"
)

// dashboardEmpty finds dashboards that show no data because they ask for none.
func dashboardEmpty() Rule {
	return Rule{
		ID:       "dashboard/empty",
		Severity: Warning,
		Summary:  "no panel of a dashboard asks anything",
		Static: func(in *Static) []Finding {
			var out []Finding
			for _, b := range readable(in.Boards) {
				if slices.ContainsFunc(b.Panels, showsSomething) {
					continue
				}
				f := onBoard(b.Dashboard, b.Root.Pos())
				f.Message = fmt.Sprintf("dashboard %q has no panel", b.Title.Value)
				if n := panelCount(b.Dashboard); n > 0 {
					f.Message = fmt.Sprintf("none of the %d panels of dashboard %q asks a query", n, b.Title.Value)
				}
				f.Fix = "give it a panel with a query, or remove the file"
				out = append(out, f)
			}
			return out
		},
	}
}

// showsSomething says whether a panel brings content that is not written in the
// dashboard itself: by a query, from the library, or as a list that Grafana fills.
func showsSomething(p *dashboard.Panel) bool {
	switch p.Type.Value {
	case "row":
		return false
	case "dashlist", "alertlist", "annolist", "alertGroups", "news":
		return true
	}
	if p.Library != nil && !p.Library.Resolved {
		return true
	}
	return slices.ContainsFunc(p.Targets, visible)
}

func panelCount(d *dashboard.Dashboard) int {
	n := 0
	for _, p := range d.Panels {
		if !p.IsRow() {
			n++
		}
	}
	return n
}
