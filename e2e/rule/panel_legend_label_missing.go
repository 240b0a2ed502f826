package rule

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/prometheus/common/model"
	promparser "github.com/prometheus/prometheus/promql/parser"

	"github.com/panelgate/panelgate/e2e/nearest"
	"github.com/panelgate/panelgate/e2e/query"
	"github.com/panelgate/panelgate/stack/dashboard"
)

// panelLegendLabelMissing proves that each label which a legend shows is one that
// the series have: Grafana shows nothing in its place, and series look alike.
func panelLegendLabelMissing() Rule {
	return Rule{
		ID:       "panel/legend-label-missing",
		Severity: Warning,
		Summary:  "a legend shows a label that no returned series carries",
		Live: func(in *Live) []Finding {
			var out []Finding
			for _, t := range in.answeredTargets() {
				if showsLegend(t.first()) {
					out = append(out, missingLabels(in, t)...)
				}
			}
			return out
		},
	}
}

// answeredTarget is a target with all that it was asked, once for each copy of its
// panel and each kind of request.
type answeredTarget []*Asked

func (t answeredTarget) first() *Asked { return t[0] }

// answeredTargets are those whose every request was answered, some of them with data.
func (in *Live) answeredTargets() []answeredTarget {
	at := map[*dashboard.Target]int{}
	var all []answeredTarget
	for _, a := range in.Asked {
		if a.Target == nil {
			continue
		}
		i, there := at[a.Target]
		if !there {
			i = len(all)
			at[a.Target] = i
			all = append(all, nil)
		}
		all[i] = append(all[i], a)
	}
	return slices.DeleteFunc(all, func(t answeredTarget) bool {
		return slices.ContainsFunc(t, func(a *Asked) bool { return !a.Sent || a.Err != nil }) ||
			!slices.ContainsFunc(t, func(a *Asked) bool { return a.Finite > 0 })
	})
}

// metricsOf are the label sets of the series of an answer.
func metricsOf(v model.Value) []model.Metric {
	var out []model.Metric
	switch v := v.(type) {
	case model.Matrix:
		for _, s := range v {
			out = append(out, s.Metric)
		}
	case model.Vector:
		for _, s := range v {
			out = append(out, s.Metric)
		}
	}
	return out
}

// labels are the names of the labels that any series has.
func (t answeredTarget) labels() []string {
	var out []string
	for _, a := range t {
		for _, m := range metricsOf(a.Answer) {
			for name := range m {
				out = append(out, string(name))
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// showsLegend says whether the legend that a target writes is what a viewer reads: a
// table has columns in its place, and some settings give the series other names.
func showsLegend(a *Asked) bool {
	if a.Target.Hide || a.Target.Format == "table" || a.Panel.Type.Value == "table" || a.Panel.Type.Value == "table-old" ||
		a.Panel.Node.At("fieldConfig", "defaults", "displayName").Scalar() != "" {
		return false
	}
	renaming := []string{"renameByRegex", "labelsToFields", "timeSeriesTable", "merge", "reduce", "rowsToFields", "groupBy", "seriesToRows", "joinByLabels"}
	for _, t := range a.Panel.Node.Get("transformations").Items() {
		if slices.Contains(renaming, t.Get("id").Str()) && !t.Get("disabled").Bool() {
			return false
		}
	}
	return true
}

// legendLabel is how Grafana finds the labels of a legend.
var legendLabel = regexp.MustCompile(`\{\{\s*(.+?)\s*\}\}`)

// missingLabels tells of each label of a legend that no series has.
func missingLabels(in *Live, t answeredTarget) []Finding {
	a := t.first()
	legend, there := a.Target.LegendFormat, t.labels()
	if len(there) == 0 && standsIn(a.Request.Expr) {
		return nil
	}
	var out []Finding
	said := map[string]bool{}
	for _, m := range legendLabel.FindAllStringSubmatchIndex(legend.Value, -1) {
		name := legend.Value[m[2]:m[3]]
		if said[name] || slices.Contains(there, name) || len(query.References(name)) > 0 {
			continue
		}
		said[name] = true
		f := onAsked(a)
		f.Pos = legend.PosAt(m[2])
		f.Message = fmt.Sprintf("the legend %q shows the label %s, which no series of the answer carries", oneLine(legend.Value), name)
		f.Evidence = []string{labelsThere(there)}
		legendFix(in, &f, a, name, there)
		out = append(out, f)
	}
	return out
}

// standsIn says whether an expression gives something of its own, without labels,
// where it finds nothing, as with or vector(0): what it finds may well have labels.
func standsIn(expr string) bool {
	root, err := Parse(expr)
	return err != nil || orAt(root)
}

// orAt says whether an answer may be what an or stands in with. The labels of an
// operation on two sides are those that both have, whatever one of them stands for.
func orAt(n promparser.Expr) bool {
	switch n := n.(type) {
	case *promparser.ParenExpr:
		return orAt(n.Expr)
	case *promparser.UnaryExpr:
		return orAt(n.Expr)
	case *promparser.AggregateExpr:
		return orAt(n.Expr)
	case *promparser.SubqueryExpr:
		return orAt(n.Expr)
	case *promparser.Call:
		return slices.ContainsFunc(n.Args, orAt)
	case *promparser.BinaryExpr:
		if n.Op == promparser.LOR {
			return true
		}
		both := n.LHS.Type() == promparser.ValueTypeVector && n.RHS.Type() == promparser.ValueTypeVector
		return (!both || n.Op.IsSetOperator()) && (orAt(n.LHS) || orAt(n.RHS))
	}
	return false
}

func labelsThere(names []string) string {
	if len(names) == 0 {
		return "the series carry no labels at all"
	}
	return "labels of the series: " + strings.Join(names, ", ")
}

// legendFix proposes the clause that loses the label, else the label that may be
// meant.
func legendFix(in *Live, f *Finding, a *Asked, name string, there []string) {
	if kept := in.keeping(a, name); kept != nil {
		f.Fix, f.Mended = kept.words, kept.mended
		return
	}
	if groupsBy(a.Request.Expr, name) {
		f.Fix = fmt.Sprintf("the query groups by %s, and nothing that it reads has that label: group by one that is there, or have scraping add it", name)
		return
	}
	if near := nearest.Names(name, there, 1); len(near) > 0 {
		f.Fix = fmt.Sprintf("write {{%s}}, if that is what is meant", near[0])
		return
	}
	f.Fix = "show a label that the series have, or have the query keep this one"
}

// groupsBy says whether an expression names a label in a by clause.
func groupsBy(expr, label string) bool {
	root, err := Parse(expr)
	if err != nil {
		return false
	}
	found := false
	promparser.Inspect(root, func(n promparser.Node, _ []promparser.Node) error {
		if a, ok := n.(*promparser.AggregateExpr); ok && !a.Without && slices.Contains(a.Grouping, label) {
			found = true
		}
		return nil
	})
	return found
}
