package rule

import (
	"fmt"
	"slices"

	"github.com/panelgate/panelgate/e2e/truth"
	"github.com/panelgate/panelgate/stack/dashboard"
)

// valueDiffersFromTruth holds what panels show against what the fakes act out.
func valueDiffersFromTruth() Rule {
	return Rule{
		ID:       "value/differs-from-truth",
		Severity: Error,
		Summary:  "the panel shows another value than what it claims to show truly has",
		Live: func(in *Live) []Finding {
			if in.Truth == nil {
				return nil
			}
			var out []Finding
			said := map[*dashboard.Target]bool{}
			for _, a := range in.Asked {
				if said[a.Target] || !in.comparable(a) {
					continue
				}
				f := in.untrue(a)
				if f != nil {
					said[a.Target] = true
					out = append(out, *f)
				}
			}
			return out
		},
	}
}

// comparable says whether what a viewer sees of an answer is its values as they are.
func (in *Live) comparable(a *Asked) bool {
	if a.Status != StatusOK || a.Target == nil || a.Target.Hide {
		return false
	}
	return !slices.ContainsFunc(in.Siblings(a.Question), func(q *Question) bool { return q.Expression })
}

// untrue is a finding for an answer that is not true.
func (in *Live) untrue(a *Asked) *Finding {
	root, err := in.reading.parse(a.Request.Expr)
	if err != nil {
		return nil // panel/syntax
	}
	unit, ok := unitOf(a.Panel, a.Target)
	if !ok {
		return nil
	}
	d, _ := in.Truth.Judge(truth.Panel{
		Title: a.Panel.Title.Value, Legend: a.Target.LegendFormat.Value, Unit: unit.Value, Expr: root,
	}, a.Answer)
	if d == nil {
		return nil
	}
	f := onQuestion(a.Question)
	f.ExprRun = a.Request.Expr
	f.Message = d.String()
	f.Evidence = append(f.Evidence, "the truth is worked out from the scenario, not by PromQL; "+tolerated())
	if d.True != 0 && d.Shown != 0 && len(d.Lacking) == 0 {
		f.Evidence = append(f.Evidence, fmt.Sprintf("what is shown is %s times the truth", truth.Number(d.Shown/d.True)))
	}
	f.Fix = d.Fix
	return &f
}

func tolerated() string {
	return fmt.Sprintf("%g %% and what sampling explains are tolerated", 100*truth.Tolerance)
}
