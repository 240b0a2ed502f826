package dashboard

import "github.com/panelgate/panelgate/stack/source"

// Reserved references, which name no provisioned datasource.
const (
	RefMixed      = "-- Mixed --"     // each target names its own
	RefGrafana    = "-- Grafana --"   // Grafana's own annotations and test data
	RefDashboard  = "-- Dashboard --" // the answer of another panel
	RefExpression = "__expr__"        // computed by Grafana from other targets
)

// IsDefault says whether the reference leads to the default datasource. An
// absent reference (nil) does not: it is its panel's.
func (r *Ref) IsDefault() bool {
	return r != nil && (r.Null || r.Key().Value == "default")
}

// ref reads a reference to a datasource in any shape Grafana ever wrote; nil
// where there is none.
func (r *reader) ref(n *source.Node, what string) *Ref {
	if !n.Exists() {
		return nil
	}
	ref := &Ref{Pos: n.Pos()}
	switch n.Kind() {
	case source.Null:
	case source.String:
		ref.Name = n.Text()
	case source.Object:
		ref.UID = r.text(n.Get("uid"), what+"'s uid")
		ref.Type = r.text(n.Get("type"), what+"'s type")
		if ref.UID.Value == "" {
			ref.Name = r.text(n.Get("name"), what+"'s name")
		}
	default:
		r.wrong(n, what, "a name or an object with a uid")
		return nil
	}
	ref.Null = ref.Key().Value == ""
	return ref
}
