package rule

import "fmt"

// upgradeDashboardUIDChanged proves that a dashboard keeps the address under which
// it was served.
func upgradeDashboardUIDChanged() Rule {
	return Rule{
		ID:       "upgrade/dashboard-uid-changed",
		Severity: Warning,
		Summary:  "a dashboard has another uid than in the older revision",
		Live: func(in *Live) []Finding {
			if !in.upgraded() || !in.keepsGrafana() {
				return nil
			}
			var out []Finding
			for _, was := range in.Instance.Before.Dashboards {
				b := heir(in, was)
				if b == nil || filedAs(in.Stack, was) {
					continue
				}
				f := onBoard(b.Dashboard, b.UID.Pos)
				f.Fix = fmt.Sprintf(`keep "uid": %q`, was.UID)
				switch old, now := hit(in.Served.Hits, was.UID), hit(in.Served.Hits, b.UID.Value); {
				case old && now:
					continue // upgrade/dashboard-left-over
				case old:
					f.Severity = Error
					f.Message = fmt.Sprintf("the dashboard had uid %q, and Grafana goes on serving it as that: there is none at /d/%s", was.UID, b.UID.Value)
				case now:
					f.Message = fmt.Sprintf("the dashboard had uid %q: links, bookmarks and playlists that lead to /d/%s find nothing", was.UID, was.UID)
				default:
					continue // dashboard/not-provisioned
				}
				out = append(out, f)
			}
			return out
		},
	}
}

// servedAsBefore says whether Grafana goes on serving a dashboard under the uid that
// it had in the older revision, and only under that.
func servedAsBefore(in *Live, b *Board) bool {
	if !in.upgraded() {
		return false
	}
	for _, was := range in.Instance.Before.Dashboards {
		if heir(in, was) == b.Board && hit(in.Served.Hits, was.UID) && !hit(in.Served.Hits, b.UID.Value) {
			return true
		}
	}
	return false
}
