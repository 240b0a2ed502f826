package rule

import (
	"fmt"

	"github.com/panelgate/panelgate/e2e/nearest"
	"github.com/panelgate/panelgate/e2e/why"
	"github.com/panelgate/panelgate/stack/source"
)

// panelPartEmpty finds parts of queries that never have data though the query has: a
// set operator passes over them, and what they were to add is missing.
func panelPartEmpty() Rule {
	return Rule{
		ID:       "panel/part-empty",
		Severity: Error,
		Summary:  "a query has data, and a part of it can have none: a name in it is mistyped",
		Live: func(in *Live) []Finding {
			var out []Finding
			said := map[source.Pos]bool{}
			for _, a := range in.Asked {
				for _, d := range a.Idle {
					if !mistyped(d) {
						continue
					}
					f := onAsked(a)
					f.Pos = a.Target.Expr.PosAt(a.Request.Mapping.Source(d.Start))
					if said[f.Pos] {
						continue
					}
					said[f.Pos] = true
					f.Message = fmt.Sprintf("a part of the query has no data, and the rest hides it: %s", d.Part)
					f.Reason, f.Fix, f.Asked = string(d.Reason), d.Fix, d.Asked
					f.Evidence = append([]string{d.Message}, d.Evidence...)
					f.Empty = Span{Start: d.Start, End: d.End}
					out = append(out, f)
				}
			}
			return out
		},
	}
}

// mistyped says whether a part is empty for a slip. Many are so on purpose: an older
// name beside a newer one, a value that only bad times bring.
func mistyped(d *why.Diagnosis) bool {
	switch d.Reason {
	case why.MetricMissing, why.LabelMissing:
		return nearest.Typo(d.Absent, d.Near)
	case why.ValueMissing:
		return d.Absent != "" && (d.Label == "job" || d.Label == "instance") // which every target has
	}
	return false
}
