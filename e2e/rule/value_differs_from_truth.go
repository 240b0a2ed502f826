package rule

import (
	"fmt"
	"slices"

	"github.com/panelgate/panelgate/e2e/truth"
	"github.com/panelgate/panelgate/stack/dashboard"
	"github.com/panelgate/panelgate/stack/source"
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
	if a.Status != StatusOK || a.Target == nil || a.Target.Hide || !drawsValues(a.Panel) || computes(a.Panel) {
		return false
	}
	return !slices.ContainsFunc(in.Siblings(a.Question), func(q *Question) bool { return q.Expression })
}

// untrue is a finding for an answer that is not true.
func (in *Live) untrue(a *Asked) *Finding {
	root, err := Parse(a.Request.Expr)
	if err != nil {
		return nil // panel/syntax
	}
	unit, ok := unitShown(a.Panel, a.Target)
	if !ok {
		return nil
	}
	d, _ := in.Truth.Judge(truth.Panel{
		Title: a.Panel.Title.Value, Legend: a.Target.LegendFormat.Value, Unit: unit.Value, Expr: root, Step: a.Request.Step,
	}, a.Answer)
	if d == nil {
		return nil
	}
	f := onQuestion(a.Question)
	f.ExprRun = a.Request.Expr
	f.Message = d.String()
	f.Evidence = append(f.Evidence, "the truth is worked out from the scenario, not by PromQL; "+tolerated())
	if d.True != 0 && d.Shown != 0 {
		f.Evidence = append(f.Evidence, fmt.Sprintf("what is shown is %s times the truth", truth.Number(d.Shown/d.True)))
	}
	f.Fix = d.Fix
	return &f
}

func tolerated() string {
	return fmt.Sprintf("%g %% and what sampling explains are tolerated", 100*truth.Tolerance)
}

// drawsValues says whether a panel of the type shows the values of its queries.
func drawsValues(p *dashboard.Panel) bool {
	return slices.Contains([]string{"timeseries", "graph", "stat", "singlestat", "gauge", "bargauge", "barchart", "trend"}, p.Type.Value)
}

// computes says whether a panel makes other values of those of its queries: by a
// transformation, or by a reduction that is no value of theirs.
func computes(p *dashboard.Panel) bool {
	keeping := []string{"organize", "sortBy", "renameByRegex", "filterByName", "filterFieldsByName", "filterByRefId", "labelsToFields", "merge", "convertFieldType"}
	if slices.ContainsFunc(p.Node.Get("transformations").Items(), func(t *source.Node) bool {
		return !t.Get("disabled").Bool() && !slices.Contains(keeping, t.Get("id").Str())
	}) {
		return true
	}
	ofValues := []string{"", "lastNotNull", "last", "first", "firstNotNull", "mean", "min", "max", "median", "avg", "current"}
	return slices.ContainsFunc(p.Node.At("options", "reduceOptions", "calcs").Items(), func(c *source.Node) bool {
		return !slices.Contains(ofValues, c.Str())
	}) || !slices.Contains(ofValues, p.Node.Get("valueName").Str())
}

// unitShown is the unit that a target's values are shown in; false where overrides
// give one to some of them.
func unitShown(p *dashboard.Panel, t *dashboard.Target) (source.Text, bool) {
	unit := p.Unit
	for _, o := range p.Node.At("fieldConfig", "overrides").Items() {
		for _, property := range o.Get("properties").Items() {
			if property.Get("id").Str() != "unit" {
				continue
			}
			if o.At("matcher", "id").Str() != "byFrameRefID" {
				return unit, false
			}
			if o.At("matcher", "options").Str() == t.RefID.Value {
				unit = property.Get("value").Text()
			}
		}
	}
	return unit, len(p.Node.Get("seriesOverrides").Items()) == 0 || !twoAxes(p)
}

// twoAxes says whether some lines of an old graph have an axis, and so a unit, of their own.
func twoAxes(p *dashboard.Panel) bool {
	return slices.ContainsFunc(p.Node.Get("seriesOverrides").Items(), func(o *source.Node) bool { return o.Get("yaxis").Scalar() == "2" })
}
