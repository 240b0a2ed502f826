package rule

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/panelgate/panelgate/stack/dashboard"
)

// gateExclusionUnused proves that every exclusion is needed: one that excludes
// nothing hides what it was written for when that comes back.
func gateExclusionUnused() Rule {
	return Rule{
		ID:       "gate/exclusion-unused",
		Severity: Warning,
		Summary:  "an exclusion fits no finding, or is past its until",
		Review: func(r *Review) []Finding {
			var out []Finding
			for i := range r.Exclusions {
				if f := r.unused(i); f != nil {
					out = append(out, *f)
				}
			}
			return append(out, r.unusedInline()...)
		},
	}
}

// unused is nil for an exclusion that is needed, and for one that could not be in
// this run.
func (r *Review) unused(i int) *Finding {
	e := &r.Exclusions[i]
	if e.Foreign || r.used[i] || !slices.ContainsFunc(e.Rules, r.ran) {
		return nil
	}
	f := onEntry(e.Pos, e.Dashboard, e.Panel, e.RefID)
	f.Fix = "remove the exclusion"
	if !e.HoldsAt(r.Now) {
		f.Message = fmt.Sprintf("the exclusion of %s held until %s, and no longer excludes anything", strings.Join(e.Rules, ", "), e.Until.AddDate(0, 0, -1).Format(time.DateOnly))
		f.Evidence = []string{"why it was there: " + oneLine(e.Why)}
		f.Fix = "remove the exclusion, or give it a later until if its reason still holds"
		return &f
	}
	if e.Dashboard.Value != "" {
		if m := nowhere(r.Stack, e.Dashboard, e.Panel, e.RefID); m != nil {
			if m.what == "dashboard" && unread(r.Stack) {
				return nil
			}
			f.Pos = m.name.Pos
			f.Message = fmt.Sprintf("the exclusion of %s speaks of %s, which is not there", strings.Join(e.Rules, ", "), m)
			f.Evidence, f.Fix = m.evidence(), m.fix("exclusion")
			return &f
		}
		if !r.chosen(e.Dashboard.Value) {
			return nil
		}
	}
	f.Message = fmt.Sprintf("the exclusion fits no finding: %s has found nothing there", strings.Join(e.Rules, ", "))
	f.Evidence = []string{"why it was there: " + oneLine(e.Why)}
	return &f
}

// unusedInline looks at the comments in expressions.
func (r *Review) unusedInline() []Finding {
	var out []Finding
	eachDirective(r.Static, func(b *Board, p *dashboard.Panel, t *dashboard.Target, d directive) {
		if d.fault() != nil || !slices.ContainsFunc(d.rules, r.ran) {
			return
		}
		if slices.ContainsFunc(r.Excluded, func(x Excluded) bool {
			return x.By.inline != nil && x.By.inline.offset == d.offset && x.Expr == t.Expr.Value &&
				x.RefID == t.RefID.Value && x.PanelID == PanelID(p) && x.Dashboard == b.UID.Value
		}) {
			return
		}
		f := onPanel(b.Dashboard, p, t.Expr.PosAt(d.offset))
		f.RefID, f.Expr = t.RefID.Value, t.Expr.Value
		f.Message = fmt.Sprintf("the comment fits no finding: %s has found nothing in this query", strings.Join(d.rules, ", "))
		f.Evidence = []string{"why it was there: " + oneLine(d.why)}
		f.Fix = "remove the comment"
		out = append(out, f)
	})
	return out
}

// chosen says whether a dashboard is one that this run checks.
func (r *Review) chosen(name string) bool {
	return slices.ContainsFunc(r.Boards, func(b *Board) bool { return meant(name, b.Dashboard) })
}

// ran says whether all of a rule was run, so that its silence says something.
func (r *Review) ran(id string) bool {
	rule, ok := Lookup(id)
	if over, set := r.Over[id]; !ok || set && over == Off {
		return false
	}
	switch {
	case rule.Live == nil:
		return rule.Static != nil
	case needsGrafana(id):
		return r.Live && r.Served
	}
	return r.Live
}

// needsGrafana lists the rules that find something only where servers run as
// themselves, and not in every such run.
func needsGrafana(id string) bool {
	return area(id) == "upgrade" || slices.Contains([]string{
		"panel/answers-differ", "panel/plugin-missing", "dashboard/not-provisioned", "stack/server-failed", "stack/port-conflict",
	}, id)
}
