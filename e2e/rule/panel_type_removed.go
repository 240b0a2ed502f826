package rule

import (
	"fmt"
	"strings"
)

// panelTypeRemoved finds panels drawn by AngularJS, which Grafana switched off in
// version 11 and removed in 12.
func panelTypeRemoved() Rule {
	return Rule{
		ID:       "panel/type-removed",
		Severity: Error,
		Summary:  "a panel's type is gone from the stack's Grafana version",
		Static: func(in *Static) []Finding {
			var out []Finding
			for _, b := range readable(in.Boards) {
				for _, p := range b.Panels {
					gone, ok := removedType(p.Type.Value)
					if !ok || p.Clone || grafanaBefore(in, gone.since) || angularKept(in) {
						continue
					}
					f := onPanel(b.Dashboard, p, p.Type.Pos)
					if gone.migrated {
						f.Severity = Warning
						f.Message = fmt.Sprintf("type %q is gone since Grafana %d: each time it opens, Grafana turns the panel into %q, and some of its settings are lost",
							p.Type.Value, gone.since, gone.successor)
						f.Fix = fmt.Sprintf("open the dashboard in Grafana, save it and keep the result, in which the type is %q", gone.successor)
					} else {
						f.Message = fmt.Sprintf("type %q is a plugin for AngularJS, which Grafana has not run since version %d: the panel shows an error",
							p.Type.Value, gone.since)
						f.Fix = fmt.Sprintf("build the panel anew as %q", gone.successor)
					}
					out = append(out, f)
				}
			}
			return out
		},
	}
}

// removal is what became of a panel type.
type removal struct {
	successor string
	since     int  // major version of Grafana
	migrated  bool // by Grafana itself, when it opens the dashboard
}

// removedType knows the types that are gone: Grafana's own, and the plugins for
// AngularJS that never got a version without it.
func removedType(name string) (removal, bool) {
	const angularOff = 11
	switch name {
	case "graph":
		return removal{"timeseries", angularOff, true}, true
	case "table-old":
		return removal{"table", angularOff, true}, true
	case "singlestat":
		return removal{"stat", 8, true}, true
	case "grafana-singlestat-panel":
		return removal{"stat", angularOff, true}, true
	case "grafana-piechart-panel":
		return removal{"piechart", angularOff, true}, true
	case "grafana-worldmap-panel":
		return removal{"geomap", angularOff, true}, true
	case "natel-discrete-panel":
		return removal{"state-timeline", angularOff, false}, true
	case "agenty-flowcharting-panel", "marcuscalidus-svg-panel":
		return removal{"canvas", angularOff, false}, true
	case "neocat-cal-heatmap-panel", "savantly-heatmap-panel", "petrslavotinek-carpetplot-panel":
		return removal{"heatmap", angularOff, false}, true
	case "mtanda-histogram-panel":
		return removal{"histogram", angularOff, false}, true
	case "farski-blendstat-panel", "blackmirror1-singlestat-math-panel", "michaeldmoore-annunciator-panel", "michaeldmoore-multistat-panel":
		return removal{"stat", angularOff, false}, true
	case "yesoreyeram-boomtable-panel":
		return removal{"table", angularOff, false}, true
	case "natel-plotly-panel":
		return removal{"nline-plotlyjs-panel", angularOff, false}, true
	}
	return removal{}, false
}

// angularKept says whether a Grafana 11 is told to run AngularJS all the same.
func angularKept(in *Static) bool {
	g := in.Stack.Grafana
	return grafanaBefore(in, 12) && strings.EqualFold(g.Env["GF_SECURITY_ANGULAR_SUPPORT_ENABLED"], "true")
}
