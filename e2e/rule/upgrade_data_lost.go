package rule

import (
	"fmt"

	"github.com/panelgate/panelgate/e2e/env"
)

// upgradeDataLost proves that each server finds the data that the older revision
// has kept for it.
func upgradeDataLost() Rule {
	return Rule{
		ID:       "upgrade/data-lost",
		Severity: Error,
		Summary:  "a server looks for its data in another place than the older revision has kept it in",
		Live: func(in *Live) []Finding {
			if in.Instance.Before == nil {
				return nil
			}
			var out []Finding
			for _, l := range in.Instance.Before.Left {
				lost := "what was recorded so far"
				if l.Role == env.RoleGrafana {
					lost = "users, what was saved in the browser, and alert states"
				}
				out = append(out, Finding{
					Pos: l.Pos,
					Message: fmt.Sprintf("service %q begins with nothing: the older revision kept its data in %s, this one looks in %s, so %s stay behind",
						l.Service.Name, l.Was, l.Is, lost),
					Fix: "keep the data where it was, or copy it over before this revision is deployed",
				})
			}
			return out
		},
	}
}
