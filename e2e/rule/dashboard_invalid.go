package rule

import (
	"github.com/panelgate/panelgate/stack"
	"github.com/panelgate/panelgate/stack/dashboard"
)

// dashboardInvalid proves that every file a provider finds is a dashboard, whole
// and readable.
func dashboardInvalid() Rule {
	return Rule{
		ID:       "dashboard/invalid",
		Severity: Error,
		Summary:  "a dashboard file is not JSON, is no dashboard, or has parts that cannot be read",
		Static: func(in *Static) []Finding {
			out := problems(in.Stack, stack.AreaDashboard)
			for _, b := range distinct(in.Boards) {
				if b.Format == dashboard.NotADashboard {
					f := onBoard(b.Dashboard, b.Root.Pos())
					f.Message = "this is JSON, but no dashboard: it has neither a title nor panels, and Grafana refuses it"
					f.Fix = "move the file out of the provider's path, or put a dashboard's JSON model there"
					out = append(out, f)
				}
				for _, p := range b.Problems {
					f := onBoard(b.Dashboard, p.Pos)
					f.Message = p.Message
					out = append(out, f)
				}
			}
			return out
		},
	}
}
