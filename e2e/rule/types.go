package rule

import (
	"strings"

	"github.com/panelgate/panelgate/fakes/catalogue"
)

// toldType is a metric's type as a running Prometheus has it from the target; "" where
// there is none, or it does not know.
func (in *Static) toldType(name string) catalogue.Type {
	if t, ok := in.Types[name]; ok {
		return t
	}
	base, total := strings.CutSuffix(name, "_total") // OpenMetrics types the family
	if total && in.Types[base] == catalogue.Counter {
		return catalogue.Counter
	}
	return ""
}

// withTypes is what a static check finds once the types of metrics are known that it
// could not know of before.
func (in *Live) withTypes(check func(*Static) []Finding) []Finding {
	if len(in.Types) == 0 {
		return nil
	}
	untold := *in.Static
	untold.Types = nil
	said := map[string]bool{}
	for _, f := range check(&untold) {
		said[f.Pos.String()+f.RefID] = true
	}
	var out []Finding
	for _, f := range check(in.Static) {
		if !said[f.Pos.String()+f.RefID] {
			out = append(out, f)
		}
	}
	return out
}
