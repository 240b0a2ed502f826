package rule

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	promparser "github.com/prometheus/prometheus/promql/parser"
)

// keptLabel is how an expression can be made to keep a label.
type keptLabel struct {
	words  string
	mended string // the whole expression as written, "" where that cannot be computed
}

// keeping finds the aggregations that lose a label which every series below them has,
// nil where that is not what loses it.
func (in *Static) keeping(a *Asked, label string) *keptLabel {
	root, err := Parse(a.Request.Expr)
	if err != nil {
		return nil
	}
	losing, sure := losingAggregations(in, root, label)
	if !sure || len(losing) == 0 {
		return nil
	}
	var edits []insertion
	for _, n := range losing {
		edit := insertLabel(a.Request.Expr, n, label)
		if edit == nil {
			return &keptLabel{words: fmt.Sprintf("%s loses the label %s: have it keep the label", n.Op, label)}
		}
		edits = append(edits, *edit)
	}
	return &keptLabel{words: fmt.Sprintf("%s; %s loses the label, which the metric has", edits[0].words, losing[0].Op), mended: keepLabel(a, edits, label)}
}

// losingAggregations are those that drop the label. They are sure to be the reason
// where everything that is aggregated has it, and nothing else can lose it.
func losingAggregations(in *Static, root promparser.Expr, label string) (losing []*promparser.AggregateExpr, sure bool) {
	sure = true
	promparser.Inspect(root, func(n promparser.Node, _ []promparser.Node) error {
		switch n := n.(type) {
		case *promparser.AggregateExpr:
			if drops(n, label) {
				losing = append(losing, n)
			}
		case *promparser.VectorSelector:
			sure = sure && in.carries(metricOf(n), label)
		case *promparser.BinaryExpr:
			if m := n.VectorMatching; m != nil && m.On && !slices.Contains(m.MatchingLabels, label) {
				sure = false
			}
		case *promparser.Call:
			if strings.HasPrefix(n.Func.Name, "absent") || n.Func.Name == "vector" || n.Func.Name == "label_replace" || n.Func.Name == "label_join" {
				sure = false
			}
		}
		return nil
	})
	return losing, sure
}

// drops says whether an aggregation's result has the label no more.
func drops(n *promparser.AggregateExpr, label string) bool {
	switch n.Op {
	case promparser.TOPK, promparser.BOTTOMK, promparser.LIMITK, promparser.LIMIT_RATIO:
		return false
	}
	return slices.Contains(n.Grouping, label) == n.Without
}

// carries says whether every series of a metric is known to have a label: of its
// exporter, or those that every scrape adds.
func (in *Static) carries(metric, label string) bool {
	m, _, ok := in.Metrics.Series(metric)
	return ok && (slices.Contains(m.Labels, label) || label == "instance" || label == "job")
}

// insertion is text that goes into an expression as run.
type insertion struct {
	at          int
	text, words string
}

// byClause finds the clause of an aggregation in the text around its argument.
var byClause = regexp.MustCompile(`(?i)\bby\s*\(`)

// insertLabel adds a label to an aggregation's by clause, or gives it one. It is nil
// for a without.
func insertLabel(expr string, n *promparser.AggregateExpr, label string) *insertion {
	whole, arg := n.PositionRange(), n.Expr.PositionRange()
	if n.Without || int(whole.End) > len(expr) || arg.Start < whole.Start || arg.End > whole.End {
		return nil
	}
	before, after := expr[whole.Start:arg.Start], expr[arg.End:whole.End]
	for _, part := range []struct {
		text  string
		start int
	}{{before, int(whole.Start)}, {after, int(arg.End)}} {
		if at := byClause.FindStringIndex(part.text); at != nil {
			text := label
			if len(n.Grouping) > 0 {
				text += ", "
			}
			return &insertion{at: part.start + at[1], text: text, words: fmt.Sprintf("add %s to by (%s)", label, strings.Join(n.Grouping, ", "))}
		}
	}
	op := len(n.Op.String())
	if len(n.Grouping) > 0 || len(before) < op || !strings.EqualFold(before[:op], n.Op.String()) {
		return nil
	}
	return &insertion{at: int(whole.Start) + op, text: " by (" + label + ") ", words: fmt.Sprintf("write %s by (%s) (…)", n.Op, label)}
}

// keepLabel applies insertions to the expression as written. It is "" where that does
// not lead to an expression that keeps the label.
func keepLabel(a *Asked, edits []insertion, label string) string {
	written, run := a.Target.Expr.Value, a.Request.Expr
	slices.SortFunc(edits, func(a, b insertion) int { return b.at - a.at }) // from the end, so that offsets hold
	for _, edit := range edits {
		run = insertAt(run, edit)
		source := a.Request.Mapping.Source(edit.at)
		if source > len(written) {
			return ""
		}
		written = insertAt(written, insertion{at: source, text: edit.text})
	}
	root, err := Parse(run)
	if err != nil {
		return ""
	}
	lost := false
	promparser.Inspect(root, func(n promparser.Node, _ []promparser.Node) error {
		if a, ok := n.(*promparser.AggregateExpr); ok && drops(a, label) {
			lost = true
		}
		return nil
	})
	if lost {
		return ""
	}
	return written
}

func insertAt(text string, edit insertion) string {
	head, tail := text[:edit.at], text[edit.at:]
	if strings.HasSuffix(edit.text, " ") {
		tail = strings.TrimLeft(tail, " ")
	}
	return head + edit.text + tail
}
