package rule

import (
	"fmt"

	"github.com/panelgate/panelgate/e2e/query"
	"github.com/panelgate/panelgate/stack"
)

// datasourceTypeMismatch proves that a query goes to a datasource of the type it
// was written for. Grafana goes by the uid, whatever type stands beside it.
func datasourceTypeMismatch() Rule {
	return Rule{
		ID:       "datasource/type-mismatch",
		Severity: Error,
		Summary:  "a reference names one type, and its datasource is of another",
		Static: func(in *Static) []Finding {
			var out []Finding
			for _, b := range readable(in.Boards) {
				seen := map[string]bool{}
				for _, r := range datasourceRefs(b) {
					f := typeMismatch(in.Stack, r)
					key := r.owner() + r.ref.Key().Value
					if f == nil || seen[key] {
						continue
					}
					seen[key] = true // once for a panel and its targets
					out = append(out, *f)
				}
			}
			return out
		},
		Live: func(in *Live) []Finding {
			if in.Served == nil {
				return nil
			}
			var out []Finding
			for _, b := range readable(in.Boards) {
				seen := map[string]bool{}
				for _, r := range datasourceRefs(b) {
					f := servedMismatch(in, r)
					key := r.owner() + r.ref.Key().Value
					if f == nil || seen[key] {
						continue
					}
					seen[key] = true
					out = append(out, *f)
				}
			}
			return out
		},
	}
}

// servedMismatch is a reference whose datasource is of another type in the running
// Grafana, which answers all the same, nil where the files alone have told it.
func servedMismatch(in *Live, r datasourceRef) *Finding {
	if r.ref == nil || r.ref.Type.Value == "" || r.ref.Key().Value == "" || typeMismatch(in.Stack, r) != nil {
		return nil
	}
	uid := r.ref.Key().Value
	ds, err := r.resolve(in.Stack)
	switch {
	case err == nil && ds != nil:
		uid = ds.EffectiveUID
	case err == nil || len(query.References(uid)) > 0:
		return nil // one of Grafana's own, or of a variable that the files do not fill
	}
	has := in.Served.datasource(uid)
	if has == nil || samePlugin(r.ref.Type.Value, has.Type) {
		return nil
	}
	f := r.finding()
	f.Pos = r.ref.Type.Pos
	f.Message = fmt.Sprintf("%s says type %q, and %q is datasource %q of type %q in Grafana: the query goes there and is not understood",
		r.owner(), r.ref.Type.Value, uid, has.Name, has.Type)
	f.Evidence = []string{servedDatasources(in.Served)}
	f.Fix = fmt.Sprintf("set type %q, or name a datasource of type %q", has.Type, r.ref.Type.Value)
	return &f
}

func typeMismatch(s *stack.Stack, r datasourceRef) *Finding {
	if r.ref == nil || r.ref.Type.Value == "" || r.ref.Key().Value == "" {
		return nil
	}
	ds, err := r.resolve(s)
	if err != nil || ds == nil || samePlugin(r.ref.Type.Value, ds.Type.Value) {
		return nil // datasource/uid-unknown, or one of Grafana's own
	}
	known, _ := r.variables()
	for _, name := range known {
		if r.board.Guessed[name] {
			return nil
		}
	}
	f := r.finding()
	f.Pos = r.ref.Type.Pos
	f.Message = fmt.Sprintf("%s says type %q, and %q is datasource %q of type %q: the query goes there and is not understood",
		r.owner(), r.ref.Type.Value, r.ref.Key().Value, ds.Name.Value, ds.Type.Value)
	f.Evidence = []string{provisionedDatasources(s.Datasources)}
	f.Fix = fmt.Sprintf("set type %q, or name a datasource of type %q", ds.Type.Value, r.ref.Type.Value)
	if right := suggestedDatasource(r.ref.Key().Value, r.ref.Type.Value, s.Datasources); right != nil {
		f.Fix = fmt.Sprintf("set uid %q (datasource %q) if the type is right, else type %q", right.EffectiveUID, right.Name.Value, ds.Type.Value)
	}
	return &f
}

// samePlugin says whether two types speak one query language: a plugin under an
// older or a vendor's name.
func samePlugin(a, b string) bool { return pluginFamily(a) == pluginFamily(b) }

func pluginFamily(typ string) string {
	switch typ {
	case "grafana-amazonprometheus-datasource", "grafana-azureprometheus-datasource":
		return "prometheus"
	case "grafana-postgresql-datasource":
		return "postgres"
	case "grafana-testdata-datasource":
		return "testdata"
	case "grafana-pyroscope-datasource":
		return "phlare"
	}
	return typ
}
