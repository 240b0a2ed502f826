package rule

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/panelgate/panelgate/stack/dashboard"
)

// dashboardUIDMissing finds dashboards whose address changes with each database.
func dashboardUIDMissing() Rule {
	return Rule{
		ID:       "dashboard/uid-missing",
		Severity: Warning,
		Summary:  "a dashboard has no uid, so that links to it break at the next import",
		Static: func(in *Static) []Finding {
			var out []Finding
			for _, b := range distinct(in.Boards) {
				if !served(b.Dashboard) || b.UID.Value != "" {
					continue
				}
				f := onBoard(b.Dashboard, b.Root.Pos())
				if !b.UID.Pos.IsZero() {
					f.Pos = b.UID.Pos
				}
				f.Message = fmt.Sprintf("dashboard %q has no uid: Grafana makes one up for each new database, and links to it break", b.Title.Value)
				key := "uid"
				if b.Format == dashboard.ResourceV1 {
					key = "metadata.name"
				}
				f.Fix = fmt.Sprintf("set %s to %q", key, slug(b.Title.Value))
				out = append(out, f)
			}
			return out
		},
	}
}

var refusedInUID = regexp.MustCompile(`[^a-zA-Z0-9_-]+`)

// slug makes a uid of a text: what Grafana refuses becomes a hyphen, and what is
// too long is cut off.
func slug(text string) string {
	s := strings.Trim(refusedInUID.ReplaceAllString(strings.ToLower(text), "-"), "-")
	s = strings.TrimRight(s[:min(len(s), maxUIDLen)], "-")
	if s == "" {
		return "dashboard"
	}
	return s
}
