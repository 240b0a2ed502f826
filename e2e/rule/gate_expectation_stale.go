package rule

import (
	"fmt"
	"slices"
	"strings"
)

// gateExpectationStale proves that what is declared empty is: a panel that has come
// to have data is to be held to it from then on.
func gateExpectationStale() Rule {
	return Rule{
		ID:       "gate/expectation-stale",
		Severity: Warning,
		Summary:  "a panel that panelgate.yml declares empty has data",
		Live: func(in *Live) []Finding {
			var out []Finding
			for i := range in.Expectations {
				e := &in.Expectations[i]
				if e.Is != ExpectsEmpty || !e.HoldsAt(in.Instance.Now) {
					continue
				}
				if f := stale(in, e); f != nil {
					out = append(out, *f)
				}
			}
			return out
		},
	}
}

// stale compares an expectation with what each query that it speaks of came to. Of a
// repeated panel, one copy that is empty keeps the expectation needed. What a panel
// with a filter by value shows is not known from its queries.
func stale(in *Live, e *Expectation) *Finding {
	has := map[string]bool{} // by refId
	var refs []string
	var first *Asked
	for _, a := range in.Asked {
		if !e.About(a.Question) || a.Target == nil || emptying(a.Panel) != nil || a.Status == StatusSkipped || a.Status == StatusUnchecked || in.overruled(e, a.Question) {
			continue
		}
		ref := a.Target.RefID.Value
		if before, there := has[ref]; there {
			has[ref] = before && a.Finite > 0
			continue
		}
		has[ref] = a.Finite > 0
		refs = append(refs, ref)
		if has[ref] && first == nil {
			first = a
		}
	}
	empty := slices.DeleteFunc(slices.Clone(refs), func(ref string) bool { return has[ref] })
	if first == nil || len(empty) == len(refs) {
		return nil
	}
	return staleFinding(e, first, slices.DeleteFunc(refs, func(ref string) bool { return !has[ref] }), empty)
}

// overruled says whether an expectation about the query itself goes before this one
// about its whole panel.
func (in *Live) overruled(e *Expectation, q *Question) bool {
	return e.RefID.Value == "" && slices.ContainsFunc(in.Expectations, func(o Expectation) bool {
		return o.RefID.Value != "" && o.Is != ExpectsBetween && o.HoldsAt(in.Instance.Now) && o.About(q)
	})
}

func staleFinding(e *Expectation, first *Asked, full, empty []string) *Finding {
	f := onEntry(e.Pos, e.Dashboard, e.Panel, e.RefID)
	f.Dashboard, f.DashboardTitle, f.PanelID = first.Board.UID.Value, first.Board.Title.Value, PanelID(first.Panel)
	f.Message = fmt.Sprintf("the panel is declared empty, and has data in %s", first.window())
	f.Evidence = []string{fmt.Sprintf("query %s: %d series", first.Target.RefID.Value, first.Series)} // not how many samples: a lean run has asked for some of the steps
	f.Fix = "remove the expectation"
	if len(empty) > 0 {
		f.Message = fmt.Sprintf("the panel is declared empty, and its query %s has data in %s", strings.Join(full, ", "), first.window())
		f.Evidence = append(f.Evidence, "empty is only "+strings.Join(empty, ", "))
		f.Fix = fmt.Sprintf("say which query is meant: ref_id: %s", empty[0])
	}
	if e.Why != "" {
		f.Evidence = append(f.Evidence, "why it was declared: "+oneLine(e.Why))
	}
	return &f
}
