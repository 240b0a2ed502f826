package rule

import (
	"fmt"

	"github.com/panelgate/panelgate/stack"
	"github.com/panelgate/panelgate/stack/source"
)

// upgradeDashboardLeftOver proves that Grafana serves no dashboard that only the
// older revision had.
func upgradeDashboardLeftOver() Rule {
	return Rule{
		ID:       "upgrade/dashboard-left-over",
		Severity: Warning,
		Summary:  "Grafana still serves a dashboard of the older revision that is in no file now",
		Live: func(in *Live) []Finding {
			if !in.upgraded() || !in.keepsGrafana() {
				return nil
			}
			var out []Finding
			for _, was := range in.Instance.Before.Dashboards {
				if !hit(in.Served.Hits, was.UID) || filedAs(in.Stack, was) {
					continue
				}
				f := Finding{
					Pos: keptBy(in.Stack), Dashboard: was.UID, DashboardTitle: was.Title,
					Message: fmt.Sprintf("dashboard %q (uid %q) is in no file any more, and Grafana goes on serving it as it was", was.Title, was.UID),
					Fix:     "delete it in Grafana once, or let a provider with disableDeletion: false remove it when its file goes",
				}
				if b := heir(in, was); b != nil {
					if !hit(in.Served.Hits, b.UID.Value) {
						continue // upgrade/dashboard-uid-changed
					}
					f = onBoard(b.Dashboard, b.UID.Pos)
					f.Message = fmt.Sprintf("Grafana serves %q twice: as uid %q, and as %q, which is in no file any more", was.Title, b.UID.Value, was.UID)
					f.Fix = fmt.Sprintf(`keep "uid": %q, or delete the old one in Grafana once`, was.UID)
				}
				out = append(out, f)
			}
			return out
		},
	}
}

// keptBy is where a provider says that dashboards outlive their files, else where
// the first one is, else Grafana's service.
func keptBy(s *stack.Stack) source.Pos {
	for _, p := range s.Providers {
		if keep := p.Node.At("disableDeletion"); keep.Bool() {
			return keep.Pos()
		}
	}
	if len(s.Providers) > 0 {
		return s.Providers[0].Pos
	}
	return grafanaPos(s)
}
