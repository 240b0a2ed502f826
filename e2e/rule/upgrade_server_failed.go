package rule

import (
	"fmt"

	"github.com/panelgate/panelgate/e2e/env"
)

// upgradeServerFailed proves that the servers come up on what the older revision
// has kept. A server that does not come up on nothing either is another rule's.
func upgradeServerFailed() Rule {
	return Rule{
		ID:       "upgrade/server-failed",
		Severity: Error,
		Summary:  "a server does not come up on the data that an older revision has kept, though it does on nothing",
		Live: func(in *Live) []Finding {
			var out []Finding
			for _, f := range in.Instance.Faults {
				if !f.OnOldData || len(refusedAtStart(in)) > 0 && f.Role == env.RoleGrafana {
					continue
				}
				found := Finding{
					Pos: f.Service.Pos,
					Message: fmt.Sprintf("%s ends with exit code %d on the data that the older revision has kept; on an empty volume it comes up",
						f.Service.Name, f.ExitCode),
					Evidence: complaints(f.Log),
					Fix:      "undo the change that its log names, or move the data on by hand before this revision is deployed",
				}
				if !f.Service.Image.Pos.IsZero() {
					found.Pos = f.Service.Image.Pos
				}
				out = append(out, found)
			}
			return out
		},
	}
}
