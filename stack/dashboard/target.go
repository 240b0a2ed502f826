package dashboard

import "github.com/panelgate/panelgate/stack/source"

// IsExpression says whether Grafana computes the target from others instead of
// asking a datasource.
func (t *Target) IsExpression() bool {
	return t.Datasource != nil && (t.Datasource.Key().Value == RefExpression || t.Datasource.Type.Value == RefExpression)
}

func (r *reader) target(n *source.Node) *Target {
	t := &Target{
		RefID:          r.text(n.Get("refId"), "a target's refId"),
		Expr:           r.text(n.Get("expr"), "a target's expr"),
		Datasource:     r.ref(n.Get("datasource"), "a target's datasource"),
		Hide:           r.bool(n.Get("hide"), "a target's hide"),
		Instant:        r.bool(n.Get("instant"), "a target's instant"),
		Range:          r.bool(n.Get("range"), "a target's range"),
		Exemplar:       r.bool(n.Get("exemplar"), "a target's exemplar"),
		Interval:       r.label(n.Get("interval"), "a target's interval"),
		IntervalFactor: r.int(n.Get("intervalFactor"), "a target's intervalFactor"),
		LegendFormat:   r.text(n.Get("legendFormat"), "a target's legendFormat"),
		PanelID:        scalarText(n.Get("panelId")),
		Format:         "time_series",
		Pos:            n.Pos(),
		Node:           n,
	}
	// Other datasources write numbers or objects here; they mean nothing to us.
	if f := n.Get("format").Str(); f != "" {
		t.Format = f
	}
	r.expression(t, n)
	return t
}

// expression reads what only a target that Grafana computes has.
func (r *reader) expression(t *Target, n *source.Node) {
	if t.IsExpression() {
		t.ExpressionType = n.Get("type").Str()
		t.Expression = r.text(n.Get("expression"), "a target's expression")
	}
}

// nameTargets gives targets without a refId the first free one of A, B, C …,
// as Grafana does when it loads the panel.
func nameTargets(targets []*Target) {
	used := map[string]bool{}
	for _, t := range targets {
		used[t.RefID.Value] = true
	}
	next := 0
	for _, t := range targets {
		if t.RefID.Value != "" {
			continue
		}
		for used[letters(next)] {
			next++
		}
		t.RefID = source.Text{Value: letters(next), Pos: t.Pos}
		next++
	}
}

// letters counts A … Z, AA, AB …
func letters(i int) string {
	s := string(rune('A' + i%26))
	if i >= 26 {
		return letters(i/26-1) + s
	}
	return s
}
