package rule

import (
	"fmt"

	"github.com/panelgate/panelgate/stack"
	"github.com/panelgate/panelgate/stack/source"
)

// datasourceDuplicate proves that each datasource is its own. Of two with one
// name the later replaces the other; with one uid, or with two defaults, Grafana
// does not start.
func datasourceDuplicate() Rule {
	return Rule{
		ID:       "datasource/duplicate",
		Severity: Error,
		Summary:  "two datasources share a uid or a name, or two are the default of one organisation",
		Static: func(in *Static) []Finding {
			var out []Finding
			for i, ds := range in.Stack.Datasources {
				for _, first := range in.Stack.Datasources[:i] {
					if first.OrgID == ds.OrgID {
						out = append(out, clash(first, ds)...)
					}
				}
			}
			return out
		},
	}
}

// clash says what the later of two datasources has in common with the first
// that it must not have.
func clash(first, ds *stack.Datasource) []Finding {
	at := func(pos source.Pos, fix, format string, args ...any) Finding {
		if pos.IsZero() {
			pos = ds.Pos
		}
		return Finding{Pos: pos, Message: fmt.Sprintf(format, args...), Fix: fix,
			Evidence: []string{fmt.Sprintf("the first is at %s", first.Pos)}}
	}
	var out []Finding
	switch {
	case ds.Name.Value == "": // datasource/invalid
	case first.Name.Value == ds.Name.Value:
		out = append(out, at(ds.Name.Pos, "give each datasource a name of its own, or remove one",
			"two datasources are named %q: the second replaces the first", ds.Name.Value))
	case first.EffectiveUID == ds.EffectiveUID:
		out = append(out, at(ds.UID.Pos, "give each datasource a uid of its own",
			"datasources %q and %q share the uid %q: Grafana refuses the second", first.Name.Value, ds.Name.Value, ds.EffectiveUID))
	}
	if first.IsDefault && ds.IsDefault {
		pos := ds.Node.Get("isDefault").Pos()
		out = append(out, at(pos, "leave isDefault: true on one of them",
			"datasources %q and %q are both the default of organisation %d: Grafana refuses to start", first.Name.Value, ds.Name.Value, ds.OrgID))
	}
	return out
}
