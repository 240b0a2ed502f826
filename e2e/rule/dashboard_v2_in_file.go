package rule

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/panelgate/panelgate/stack/dashboard"
)

// dashboardV2InFile finds exports that the file provider cannot read. It writes
// through the API of the classic model, whatever else the Grafana can serve.
func dashboardV2InFile() Rule {
	return Rule{
		ID:       "dashboard/v2-in-file",
		Severity: Error,
		Summary:  "a dashboard is kept in a format that Grafana's file provider does not read",
		Static: func(in *Static) []Finding {
			var out []Finding
			for _, b := range distinct(in.Boards) {
				f := onBoard(b.Dashboard, b.Root.Pos())
				f.Fix = "export the dashboard once more as JSON of the classic model (panels and templating) and keep that"
				switch {
				case b.Format == dashboard.V2:
					f.Message = "this is a dashboard of the v2 model (elements and layout), which file provisioning refuses: none of its panels is shown"
					f.Evidence = []string{`Grafana's log says "dashboard appears to be in v2 format"`}
				case b.Format == dashboard.ResourceV1 && grafanaBefore(in, 12):
					f.Message = fmt.Sprintf("this is a Kubernetes-style resource, which Grafana %s does not know: it finds no title and refuses the file",
						in.Stack.Grafana.Version)
					f.Fix = "keep the object under \"spec\" alone, with its uid"
				default:
					continue
				}
				out = append(out, f)
			}
			return out
		},
	}
}

// grafanaBefore says whether the stack's Grafana is known to be older than a
// major version; one that does not tell is taken for the newest.
func grafanaBefore(in *Static, major int) bool {
	g := in.Stack.Grafana
	if g == nil {
		return false
	}
	first, _, _ := strings.Cut(g.Version, ".")
	n, err := strconv.Atoi(first)
	return err == nil && n < major
}
