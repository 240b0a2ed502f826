package rule

import "fmt"

// maxUIDLen is how long a uid may be, in bytes.
const maxUIDLen = 40

// dashboardUIDTooLong finds uids that Grafana refuses, and the dashboard with them.
func dashboardUIDTooLong() Rule {
	return Rule{
		ID:       "dashboard/uid-too-long",
		Severity: Error,
		Summary:  "a dashboard's uid is longer than 40 characters, or has characters that Grafana refuses",
		Static: func(in *Static) []Finding {
			var out []Finding
			for _, b := range distinct(in.Boards) {
				uid := b.UID.Value
				if !served(b.Dashboard) {
					continue
				}
				f := onBoard(b.Dashboard, b.UID.Pos)
				f.Fix = fmt.Sprintf("shorten it, for instance to %q", slug(uid))
				refused := refusedInUID.FindStringIndex(uid)
				switch {
				case refused != nil:
					f.Pos = b.UID.PosAt(refused[0])
					f.Message = fmt.Sprintf("uid %q holds %q, and Grafana takes letters, digits, - and _ only: it refuses the dashboard",
						uid, uid[refused[0]:refused[1]])
					f.Fix = fmt.Sprintf("write %q", slug(uid))
				case len(uid) > maxUIDLen:
					f.Message = fmt.Sprintf("uid %q has %d characters, and Grafana takes %d at most: it refuses the dashboard", uid, len(uid), maxUIDLen)
				default:
					continue
				}
				out = append(out, f)
			}
			return out
		},
	}
}
