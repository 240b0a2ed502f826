package rule

import (
	"fmt"
	"strings"

	"github.com/panelgate/panelgate/stack"
)

// datasourceUIDImplicit warns of dashboards that hang on a uid which is written
// nowhere: rename the datasource, and they all break.
func datasourceUIDImplicit() Rule {
	return Rule{
		ID:       "datasource/uid-implicit",
		Severity: Warning,
		Summary:  "dashboards rely on the uid that Grafana derives from the datasource's name",
		Static: func(in *Static) []Finding {
			var out []Finding
			for _, ds := range in.Stack.Datasources {
				if ds.UID.Value != "" {
					continue
				}
				var evidence []string
				for _, b := range readable(in.Boards) {
					for _, r := range datasourceRefs(b) {
						switch key := r.ref.Key().Value; {
						case key == ds.EffectiveUID:
							evidence = append(evidence, "named at "+r.pos().String())
						case strings.ContainsAny(key, "$[") && r.leadsTo(in.Stack, ds):
							evidence = append(evidence, "through a variable at "+r.pos().String())
						}
					}
				}
				if len(evidence) == 0 {
					continue
				}
				out = append(out, Finding{
					Repair: writtenDown(ds),
					Pos:    ds.Name.Pos,
					Message: fmt.Sprintf("datasource %q has no uid: %s of the dashboards rely on %s, which Grafana derives from the name and changes with it",
						ds.Name.Value, places(len(evidence)), ds.EffectiveUID),
					Evidence: firstFew(evidence),
					Fix:      fmt.Sprintf("write it down as uid: %s", ds.EffectiveUID),
				})
			}
			return out
		},
	}
}

// writtenDown gives a datasource the uid that it has already; nil where its name,
// and with it the uid, depends on a variable.
func writtenDown(ds *stack.Datasource) *Repair {
	if ds.Node.Get("name").Scalar() != ds.Name.Value {
		return nil
	}
	return &Repair{
		What: fmt.Sprintf("uid: %s is written down", ds.EffectiveUID),
		Set:  &Setting{Datasource: ds, Key: "uid", Value: ds.EffectiveUID},
	}
}

// leadsTo says whether the reference resolves to a datasource.
func (r datasourceRef) leadsTo(s *stack.Stack, ds *stack.Datasource) bool {
	found, err := r.resolve(s)
	return err == nil && found == ds
}

// firstFew keeps long evidence short.
func firstFew(lines []string) []string {
	const most = 5
	if len(lines) <= most {
		return lines
	}
	return append(lines[:most:most], fmt.Sprintf("and %d more", len(lines)-most))
}
