package rule

import "strings"

// dashboardNotProvisioned proves that Grafana serves every dashboard. Where none
// runs, it is modelled from the files; what other rules say is left to them.
func dashboardNotProvisioned() Rule {
	return Rule{
		ID:       "dashboard/not-provisioned",
		Severity: Error,
		Summary:  "Grafana does not serve a dashboard that a provider finds",
		Live: func(in *Live) []Finding {
			var out []Finding
			for _, b := range distinct(in.Boards) {
				if !served(b.Dashboard) || strings.TrimSpace(b.Title.Value) != "" {
					continue
				}
				f := onBoard(b.Dashboard, b.Root.Pos())
				if !b.Title.Pos.IsZero() {
					f.Pos = b.Title.Pos
				}
				f.Message = "the dashboard has no title, without which Grafana does not load the file"
				f.Evidence = []string{`Grafana's log says "Dashboard title cannot be empty"`}
				f.Fix = "give it a title"
				out = append(out, f)
			}
			return out
		},
	}
}
