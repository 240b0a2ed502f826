package rule

import (
	"fmt"
	"slices"

	"github.com/panelgate/panelgate/e2e/grafana"
)

// upgradeDatasourceLost proves that every uid which led to a datasource still does:
// dashboards and alert rules that people have saved in Grafana are in no file, and
// refer to it.
func upgradeDatasourceLost() Rule {
	return Rule{
		ID:       "upgrade/datasource-lost",
		Severity: Warning,
		Summary:  "a datasource of the older revision is not there any more under its uid",
		Live: func(in *Live) []Finding {
			if !in.upgraded() || !in.keepsGrafana() {
				return nil
			}
			var out []Finding
			for _, was := range in.Instance.Before.Datasources {
				if slices.ContainsFunc(in.Served.Datasources, func(d grafana.Datasource) bool { return d.UID == was.UID }) {
					continue
				}
				f := Finding{
					Pos:     grafanaPos(in.Stack),
					Message: fmt.Sprintf("datasource %q with uid %q is not there any more: what was saved in Grafana and refers to it fails", was.Name, was.UID),
					Fix:     fmt.Sprintf("keep a datasource with uid: %s until nothing refers to it", was.UID),
				}
				for _, now := range in.Stack.Datasources {
					if now.Name.Value == was.Name {
						f.Pos = now.Pos
						if !now.UID.Pos.IsZero() {
							f.Pos = now.UID.Pos
						}
						f.Message = fmt.Sprintf("datasource %q has had uid %q and has %q now: what was saved in Grafana and refers to the old one fails",
							was.Name, was.UID, now.EffectiveUID)
					}
				}
				out = append(out, f)
			}
			return out
		},
	}
}
