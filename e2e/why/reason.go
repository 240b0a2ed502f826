package why

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	promparser "github.com/prometheus/prometheus/promql/parser"
)

// reason says why n, which is empty though no part of it is, is so.
func (d *diagnosing) reason(n promparser.Expr, out *Diagnosis) error {
	switch n := n.(type) {
	case *promparser.VectorSelector:
		return d.selector(n, 0, out)
	case *promparser.MatrixSelector:
		if vs, ok := n.VectorSelector.(*promparser.VectorSelector); ok {
			return d.selector(vs, n.Range, out)
		}
	case *promparser.BinaryExpr:
		return d.binary(n, out)
	case *promparser.Call:
		return d.call(n, out)
	}
	out.Reason = FilteredOut
	out.Message = "its parts have data, but nothing of it is left"
	out.Fix = "check what the outermost operation removes"
	return nil
}

func (d *diagnosing) call(n *promparser.Call, out *Diagnosis) error {
	switch n.Func.Name {
	case "absent", "absent_over_time":
		out.Reason = FilteredOut
		out.Message = n.Func.Name + " gives a value only while its argument has none, and it has"
		out.Fix = "declare the panel as expected to be empty, or show something that is there in good times"
		return nil
	case "histogram_quantile":
		return d.noLe(n, out)
	}
	for _, arg := range n.Args {
		switch arg := arg.(type) {
		case *promparser.MatrixSelector:
			return d.shortWindow(n, arg, arg.Range, out)
		case *promparser.SubqueryExpr:
			return d.shortWindow(n, arg, arg.Range, out)
		}
	}
	out.Reason = FilteredOut
	out.Message = n.Func.Name + " leaves nothing of its argument"
	out.Fix = "check what " + n.Func.Name + " needs of its argument"
	return nil
}

// shortWindow explains a range function that finds too few samples in its windows.
func (d *diagnosing) shortWindow(n *promparser.Call, arg promparser.Expr, window time.Duration, out *Diagnosis) error {
	most, err := d.query("max(count_over_time(" + arg.String() + "))")
	if err != nil {
		return err
	}
	out.Reason = WindowTooShort
	out.Message = fmt.Sprintf("%s needs two samples in its window of %s", n.Func.Name, model.Duration(window))
	out.Evidence = append(out.Evidence, fmt.Sprintf("a window holds at most %g", highest(most)))
	out.Fix = "write [$__rate_interval] for the window: Grafana makes it at least four scrapes long"
	if job, interval := d.scraped(arg); interval > 0 {
		out.Evidence = append(out.Evidence, fmt.Sprintf("job %q is scraped every %s", job, model.Duration(interval)))
		out.Fix = fmt.Sprintf("take a window of at least %s, or [$__rate_interval] with the datasource's timeInterval at %s",
			model.Duration(4*interval), model.Duration(interval))
	}
	return nil
}

// scraped is the job that the selectors of an expression go to, with its scrape
// interval; the slowest where several do, none where it cannot be told.
func (d *diagnosing) scraped(e promparser.Expr) (job string, interval time.Duration) {
	consider := func(name string) {
		if d.Intervals[name] > interval {
			job, interval = name, d.Intervals[name]
		}
	}
	promparser.Inspect(e, func(n promparser.Node, _ []promparser.Node) error {
		vs, ok := n.(*promparser.VectorSelector)
		if !ok {
			return nil
		}
		exporter := d.exporterOf(vs.Name)
		for _, t := range d.Targets {
			if t.Up && (exporter != "" && t.AnsweredBy == exporter || chosen(t, vs.LabelMatchers)) {
				consider(t.Job)
			}
		}
		return nil
	})
	return job, interval
}

func (d *diagnosing) noLe(n *promparser.Call, out *Diagnosis) error {
	arg := n.Args[len(n.Args)-1]
	m, err := d.query("count by (le) (" + arg.String() + ")")
	if err != nil {
		return err
	}
	out.Reason = FilteredOut
	out.Message = "histogram_quantile leaves nothing of its argument"
	if !slices.ContainsFunc(m, func(s *model.SampleStream) bool { return s.Metric["le"] != "" }) {
		out.Reason = HistogramNoLe
		out.Message = "histogram_quantile needs the label le, which its argument has lost"
		out.Fix = "keep le in the aggregation: sum by (le, …)"
	}
	return nil
}

func (d *diagnosing) binary(n *promparser.BinaryExpr, out *Diagnosis) error {
	if n.Op.IsComparisonOperator() {
		return d.filtered(n, out)
	}
	if n.Op == promparser.LUNLESS {
		out.Reason = FilteredOut
		out.Message = "unless removes every series of its left side"
		out.Fix = "check that the right side is meant to match all of the left"
		return nil
	}
	return d.join(n, out)
}

// filtered explains a comparison that removes everything: because nothing
// happens at all, or because no value passes.
func (d *diagnosing) filtered(n *promparser.BinaryExpr, out *Diagnosis) error {
	side := n.LHS
	if side.Type() == promparser.ValueTypeScalar {
		side = n.RHS
	}
	answers, err := d.together("min("+side.String()+")", "max("+side.String()+")", "count("+side.String()+")")
	if err != nil {
		return err
	}
	low, high := answers[0], answers[1]
	out.Evidence = append(out.Evidence, fmt.Sprintf("%s is between %g and %g, in %g series", side, lowest(low), highest(high), highest(answers[2])))
	if lowest(low) == 0 && highest(high) == 0 && countsEvents(side) {
		out.Reason = NoTraffic
		out.Message = "nothing is counted: the counter has not moved in the whole range"
		out.Fix = "have the scenario cause what the panel counts, or declare the panel as expected to be empty"
		return nil
	}
	out.Reason = FilteredOut
	out.Message = fmt.Sprintf("no value passes the comparison %s", n.Op)
	out.Fix = "check the threshold against the values that occur, or declare the panel as expected to be empty"
	return nil
}

// countsEvents says whether an expression takes the rate of a counter.
func countsEvents(e promparser.Expr) bool {
	found := false
	promparser.Inspect(e, func(n promparser.Node, _ []promparser.Node) error {
		if c, ok := n.(*promparser.Call); ok {
			found = found || slices.Contains([]string{"rate", "irate", "increase", "delta", "idelta", "changes"}, c.Func.Name)
		}
		return nil
	})
	return found
}

// join explains a binary operation whose sides have data but share no labels.
func (d *diagnosing) join(n *promparser.BinaryExpr, out *Diagnosis) error {
	sides, err := d.sides(n)
	if err != nil {
		return err
	}
	left, right := labelNames(sides[0]), labelNames(sides[1])
	out.Reason = JoinMismatch
	out.Message = fmt.Sprintf("no series of the left side of %s has a partner on the right", n.Op)
	out.Evidence = append(out.Evidence, "labels on the left: "+listed(left), "labels on the right: "+listed(right))
	shared := slices.DeleteFunc(slices.Clone(left), func(l string) bool { return !slices.Contains(right, l) })
	for _, l := range shared {
		if !overlap(valueList(sides[0], l), valueList(sides[1], l)) {
			out.Evidence = append(out.Evidence, fmt.Sprintf("%s has no value in common: %s on the left, %s on the right", l, values(sides[0], l), values(sides[1], l)))
		}
	}
	joint := agreeing(sides[0], sides[1], shared)
	vm := n.VectorMatching
	switch {
	case vm != nil && vm.On && len(vm.MatchingLabels) > 0:
		out.Message += fmt.Sprintf(" with the same %s", strings.Join(vm.MatchingLabels, ", "))
		out.Fix = "match on a label whose values are the same on both sides, or make one so with label_replace"
		if len(joint) > 0 {
			out.Fix = fmt.Sprintf("match on what both sides have the same: %s on (%s)%s …", n.Op, strings.Join(joint, ", "), group(sides, joint))
		}
	case len(joint) > 0:
		out.Fix = fmt.Sprintf("match on what both sides have the same: %s on (%s)%s …", n.Op, strings.Join(joint, ", "), group(sides, joint))
	default:
		out.Fix = "aggregate both sides to the same labels, or rename a label with label_replace"
		if l, r := renamed(sides[0], sides[1]); l != "" {
			out.Evidence = append(out.Evidence, fmt.Sprintf("%s on the left has the values of %s on the right", l, r))
			out.Fix = fmt.Sprintf(`match on %s: %s on (%s) label_replace(…, %q, "$1", %q, "(.+)")`, l, n.Op, l, l, r)
		}
	}
	return nil
}

// renamed is a label of the left side whose values another label has on the right, as
// exporters name the same thing differently; "" where there is none.
func renamed(left, right []model.LabelSet) (onLeft, onRight string) {
	for _, l := range labelNames(left) {
		for _, r := range labelNames(right) {
			if l == r || slices.Contains([]string{"job", "version"}, l) {
				continue
			}
			if overlap(valueList(left, l), valueList(right, r)) {
				return l, r
			}
		}
	}
	return "", ""
}

// sides are the label sets of both sides of an operation, some of them where they are many.
func (d *diagnosing) sides(n *promparser.BinaryExpr) ([2][]model.LabelSet, error) {
	var out [2][]model.LabelSet
	some := func(e promparser.Expr) string { return fmt.Sprintf("limitk(%d, %s)", maxSeriesForEvidence, e) }
	answers, err := d.together(some(n.LHS), some(n.RHS))
	if err != nil { // a server without limitk
		answers, err = d.together(n.LHS.String(), n.RHS.String())
	}
	if err != nil {
		return out, err
	}
	for i, m := range answers {
		for _, s := range m {
			out[i] = append(out[i], model.LabelSet(s.Metric))
		}
	}
	return out, nil
}

func overlap(a, b []string) bool {
	return slices.ContainsFunc(a, func(v string) bool { return slices.Contains(b, v) })
}

// agreeing are the shared labels in which the two most alike series of both sides agree.
func agreeing(left, right []model.LabelSet, shared []string) []string {
	var best []string
	for _, l := range left {
		for _, r := range right {
			same := slices.DeleteFunc(slices.Clone(shared), func(name string) bool {
				return l[model.LabelName(name)] != r[model.LabelName(name)]
			})
			if len(same) > len(best) {
				best = same
			}
		}
	}
	return best
}

// group is the modifier that matching on labels takes where one side has several
// series for them.
func group(sides [2][]model.LabelSet, on []string) string {
	several := func(found []model.LabelSet) bool {
		seen := map[string]bool{}
		for _, ls := range found {
			key := ""
			for _, l := range on {
				key += string(ls[model.LabelName(l)]) + "\x00"
			}
			if seen[key] {
				return true
			}
			seen[key] = true
		}
		return false
	}
	switch left, right := several(sides[0]), several(sides[1]); {
	case left && !right:
		return " group_left ()"
	case right && !left:
		return " group_right ()"
	}
	return ""
}

func listed(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

func highest(m model.Matrix) float64 {
	best, seen := 0.0, false
	for _, s := range m {
		for _, v := range s.Values {
			if !seen || float64(v.Value) > best {
				best, seen = float64(v.Value), true
			}
		}
	}
	return best
}

func lowest(m model.Matrix) float64 {
	best, seen := 0.0, false
	for _, s := range m {
		for _, v := range s.Values {
			if !seen || float64(v.Value) < best {
				best, seen = float64(v.Value), true
			}
		}
	}
	return best
}
