package rule

import (
	"fmt"
	"slices"

	"github.com/panelgate/panelgate/stack/source"
)

// gateNothingChecked keeps an empty run from passing for a clean one.
func gateNothingChecked() Rule {
	return Rule{
		ID:       "gate/nothing-checked",
		Severity: Error,
		Summary:  "no dashboard, no panel or no target was checked",
		Static: func(in *Static) []Finding {
			if len(in.Boards) > 0 {
				return nil
			}
			f := Finding{Pos: whereNothing(in), Message: "no dashboard was checked"}
			if n := len(in.Stack.Dashboards); n > 0 {
				f.Message = fmt.Sprintf("no dashboard was checked: none of the %d is chosen", n)
				f.Fix = "mend the pattern of --dashboard: it matches a uid, a title or a file"
			} else {
				f.Fix = "put dashboards where a provider of Grafana's provisioning reads them"
			}
			return []Finding{f}
		},
		Live: func(in *Live) []Finding {
			if len(in.Boards) == 0 {
				return nil // said above
			}
			asked := 0
			for _, a := range in.Asked {
				if a.Sent {
					asked++
				}
			}
			if asked > 0 {
				return nil
			}
			f := Finding{
				Pos:     source.Pos{File: in.Boards[0].File},
				Message: fmt.Sprintf("no query was checked, of %d dashboard(s)", len(in.Boards)),
				Fix:     "give at least one panel a query to a Prometheus datasource of the stack",
			}
			if slices.ContainsFunc(in.Asked, func(a *Asked) bool { return a.Status == StatusFailed }) {
				f.Message += ": none could be asked"
				f.Fix = "mend what the other findings name, so that Prometheus can be asked"
			}
			return []Finding{f}
		},
	}
}

// whereNothing is the file that should have led to dashboards.
func whereNothing(in *Static) source.Pos {
	switch {
	case len(in.Stack.Providers) > 0:
		return in.Stack.Providers[0].Pos
	case in.Stack.Compose != nil:
		return source.Pos{File: in.Stack.Compose.File}
	default:
		return source.Pos{File: "."}
	}
}
