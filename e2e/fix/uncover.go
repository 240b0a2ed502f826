package fix

import (
	"slices"
	"strings"

	"github.com/panelgate/panelgate/e2e/rule"
)

// uncovers says whether a fix may bring a finding that was there before and could
// not be seen: what a panel asks is judged only once its datasource is known, and
// much of a dashboard only once Grafana would read it.
func uncovers(f Fix, found rule.Finding) bool {
	switch f.Rule {
	case "datasource/uid-unknown", "datasource/input-unresolved":
		return nowUsed(found) || found.Pos.File == f.Pos.File && aboutQueries(found.Rule)
	case "dashboard/api-wrapper":
		return nowUsed(found) || found.Pos.File == f.Pos.File && found.Rule != "dashboard/invalid" && found.Rule != "dashboard/uid-duplicate"
	default:
		return false
	}
}

// nowUsed says whether a finding is about a datasource that nothing used before.
func nowUsed(f rule.Finding) bool {
	return f.Rule == "datasource/time-interval" || f.Rule == "datasource/uid-implicit"
}

// aboutQueries says whether a rule judges what a datasource is asked.
func aboutQueries(id string) bool {
	area, name, _ := strings.Cut(id, "/")
	if area == "panel" {
		return name != "id-duplicate"
	}
	return slices.Contains([]string{"variable", "promql", "triton", "prometheus"}, area)
}
