package rule

import "github.com/panelgate/panelgate/stack/dashboard"

// dashboardAPIWrapper finds files in the shape of the HTTP API, whose title the
// file provider looks for in vain.
func dashboardAPIWrapper() Rule {
	return Rule{
		ID:       "dashboard/api-wrapper",
		Severity: Error,
		Summary:  `a provisioned file wraps its dashboard in {"dashboard": …}, as the HTTP API does`,
		Static: func(in *Static) []Finding {
			var out []Finding
			for _, b := range distinct(in.Boards) {
				if b.Format != dashboard.APIWrapper {
					continue
				}
				f := onBoard(b.Dashboard, b.Root.Pos())
				f.Message = `the dashboard stands inside of "dashboard", the shape of the HTTP API: the file provider finds no title and refuses the file`
				f.Evidence = []string{`Grafana's log says "Dashboard title cannot be empty"`}
				f.Fix = `keep only the object under "dashboard"`
				f.Repair = &Repair{What: `what stands inside of "dashboard" is all that is kept`, Unwrap: b.Root.Pos()}
				out = append(out, f)
			}
			return out
		},
	}
}
