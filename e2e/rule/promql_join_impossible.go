package rule

import (
	"fmt"
	"slices"
	"strings"

	promparser "github.com/prometheus/prometheus/promql/parser"

	"github.com/panelgate/panelgate/e2e/why"
)

// promqlJoinImpossible finds operators whose two sides can have no series with the same
// labels.
func promqlJoinImpossible() Rule {
	return Rule{
		ID:       "promql/join-impossible",
		Severity: Error,
		Summary:  "the two sides of an operator can share no label set",
		Static: func(in *Static) []Finding {
			var out []Finding
			for _, e := range in.expressions() {
				r := labelReader{in: in, e: e}
				promparser.Inspect(e.root, func(n promparser.Node, _ []promparser.Node) error {
					if b, ok := n.(*promparser.BinaryExpr); ok {
						if m := r.mismatchOf(b); m != nil {
							out = append(out, m.finding(e, b))
						} else if f := r.beside(b); f != nil {
							out = append(out, *f)
						}
					}
					return nil
				})
			}
			return out
		},
		Live: func(in *Live) []Finding {
			said := map[string]bool{}
			var out []Finding
			for _, a := range in.Asked {
				f := in.joinlessAnswer(a)
				if f == nil || said[f.Pos.String()] || in.saidAt(f.Pos, "promql/join-impossible") {
					continue
				}
				said[f.Pos.String()] = true
				out = append(out, *f)
			}
			return out
		},
	}
}

// joinlessAnswer says of a query without an answer that both sides of an operator have
// series, and none in common; nil where that is not why.
func (in *Static) joinlessAnswer(a *Asked) *Finding {
	if a.Diagnosis == nil || a.Diagnosis.Reason != why.JoinMismatch || !a.Asks() {
		return nil
	}
	e := in.ofQuestion(a.Question)
	if e == nil || e.text != a.Request.Expr {
		return nil
	}
	var found *Finding
	promparser.Inspect(e.root, func(n promparser.Node, _ []promparser.Node) error {
		b, ok := n.(*promparser.BinaryExpr)
		if !ok || found != nil {
			return nil
		}
		start, end, known := e.span(b)
		at, stands := e.operatorOf(b)
		if !known || !stands || start < a.Diagnosis.Start || end > a.Diagnosis.End {
			return nil
		}
		f := e.begin()
		f.Pos = e.posAt(at)
		f.Message = fmt.Sprintf("both sides of %q have series, and no two of them have the same labels: the answer is empty", b.Op)
		f.Reason, f.Evidence, f.Fix = string(a.Diagnosis.Reason), a.Diagnosis.Evidence, a.Diagnosis.Fix
		found = &f
		return nil
	})
	return found
}

// mismatch is why the sides of an operator never match: on one side a label that the
// other cannot have.
type mismatch struct {
	left, right labelSet // of what is matched on
	label       string
	onLeft      bool   // which side has the label
	other       string // where each side has one that the other lacks, the other side's
	whole       [2]labelSet
}

// mismatchOf is nil where the sides may match, for all that the text tells.
func (r labelReader) mismatchOf(b *promparser.BinaryExpr) *mismatch {
	m := b.VectorMatching
	if m == nil || b.Op == promparser.LOR || r.guessedMatching(b) {
		return nil
	}
	whole := [2]labelSet{r.labels(b.LHS), r.labels(b.RHS)}
	out := &mismatch{left: whole[0].without(m.MatchingLabels...), right: whole[1].without(m.MatchingLabels...), whole: whole}
	if m.On {
		out.left, out.right = whole[0].by(m.MatchingLabels...), whole[1].by(m.MatchingLabels...)
		if m.Card == promparser.CardManyToMany && len(m.MatchingLabels) == 0 {
			return nil
		}
	}
	switch {
	case out.sureOn(out.left, out.right, true), out.sureOn(out.right, out.left, false):
	case out.lost(out.left, out.right, true), out.lost(out.right, out.left, false):
	case out.apart():
	default:
		return nil
	}
	return out
}

// beside finds an or whose sides are grouped by different labels: no series of the
// right stands in for one of the left then, all of them come beside those. It is nil
// for every other operator, and where one side is put together from all series.
func (r labelReader) beside(b *promparser.BinaryExpr) *Finding {
	if b.Op != promparser.LOR || b.VectorMatching == nil || b.VectorMatching.On || len(b.VectorMatching.MatchingLabels) > 0 {
		return nil
	}
	left, right := r.labels(b.LHS), r.labels(b.RHS)
	if !left.closed || !right.closed || left.none() || right.none() || slices.Equal(left.names(), right.names()) ||
		!grouped(b.LHS) || !grouped(b.RHS) {
		return nil
	}
	f := r.e.finding(b)
	if at, ok := r.e.operatorOf(b); ok {
		f.Pos = r.e.posAt(at)
	}
	f.Severity = Warning
	f.Message = `the sides of "or" are grouped by different labels: the right adds its series beside those of the left, and stands in for none`
	f.Evidence = []string{"left: " + left.shown(), "right: " + right.shown()}
	f.Fix = "group both sides by the same labels, or ask them as two queries"
	return &f
}

// grouped says whether an expression is an aggregation of series, times or plus a
// number perhaps: series as they are scraped may lack labels that others have.
func grouped(n promparser.Expr) bool {
	switch n := n.(type) {
	case *promparser.ParenExpr:
		return grouped(n.Expr)
	case *promparser.AggregateExpr:
		return !n.Without && len(Selectors(n.Expr)) > 0
	case *promparser.BinaryExpr:
		switch {
		case n.RHS.Type() == promparser.ValueTypeScalar:
			return grouped(n.LHS)
		case n.LHS.Type() == promparser.ValueTypeScalar:
			return grouped(n.RHS)
		}
		return !n.Op.IsSetOperator() && grouped(n.LHS) && grouped(n.RHS)
	}
	return false
}

// sureOn finds a label that every series of a side has and none of the other may.
func (m *mismatch) sureOn(side, other labelSet, left bool) bool {
	for _, l := range side.surely() {
		if !other.may(l) {
			m.label, m.onLeft = l, left
			return true
		}
	}
	return false
}

// lost finds a side with labels that are grouped by, or matched on, where the other
// has been stripped of all: grouping by what is not there would be pointless.
func (m *mismatch) lost(side, other labelSet, left bool) bool {
	if !side.closed || len(side.names()) == 0 || !other.none() {
		return false
	}
	m.label, m.onLeft = side.names()[0], left
	return true
}

// apart finds two closed sets of which each has a label that the other lacks.
func (m *mismatch) apart() bool {
	if !m.left.closed || !m.right.closed {
		return false
	}
	lacking := func(side, other labelSet) string {
		for _, l := range side.names() {
			if !other.may(l) {
				return l
			}
		}
		return ""
	}
	m.label, m.onLeft, m.other = lacking(m.left, m.right), true, lacking(m.right, m.left)
	return m.label != "" && m.other != ""
}

func (m *mismatch) finding(e *expression, b *promparser.BinaryExpr) Finding {
	f := e.finding(b)
	if at, ok := e.operatorOf(b); ok {
		f.Pos = e.posAt(at)
	}
	has, lacks := "right", "left"
	if m.onLeft {
		has, lacks = "left", "right"
	}
	outcome := "the answer is empty"
	if b.Op == promparser.LUNLESS {
		outcome = "nothing is taken away"
	}
	f.Message = fmt.Sprintf("the sides of %q can never match: the %s has the label %s, the %s cannot have it; %s", b.Op, has, m.label, lacks, outcome)
	if m.other != "" {
		f.Message = fmt.Sprintf("the sides of %q can never match: only the %s has the label %s, only the %s %s; %s", b.Op, has, m.label, lacks, m.other, outcome)
	}
	f.Evidence = []string{"left: " + m.left.shown(), "right: " + m.right.shown()}
	f.Fix, f.Mended = m.fix(e, b)
	return f
}

// shown is what a set tells, for a message.
func (s labelSet) shown() string {
	switch {
	case s.none():
		return "no labels"
	case s.closed:
		return "labels " + strings.Join(s.names(), ", ")
	case len(s.must) > 0:
		return "labels " + strings.Join(s.surely(), ", ") + " and perhaps others"
	}
	return "labels that the query does not tell"
}

// fix proposes what would match, and the whole expression where that is one edit.
func (m *mismatch) fix(e *expression, b *promparser.BinaryExpr) (fix, mended string) {
	_, from, ok := e.span(b.LHS)
	at, found := e.operatorOf(b)
	if b.VectorMatching.On {
		if fix, mended := m.renamed(e, b); fix != "" {
			return fix, mended
		}
		return fmt.Sprintf("keep %s on both sides, or match on labels that both have", m.label), ""
	}
	poor, rich, group := m.right, m.left, "group_left"
	if !m.onLeft {
		poor, rich, group = m.left, m.right, "group_right"
	}
	if m.other != "" || !poor.closed || b.Op.IsSetOperator() || len(b.VectorMatching.MatchingLabels) > 0 ||
		slices.ContainsFunc(poor.names(), func(l string) bool { return !rich.may(l) }) {
		return fmt.Sprintf("aggregate both sides by the same labels, or name with on (…) those that both have; %s is not one", m.label), ""
	}
	clause := fmt.Sprintf("on (%s) %s ()", strings.Join(poor.names(), ", "), group)
	if ok && found && at >= from && !b.ReturnBool {
		mended = e.mended(insert(at+len(b.Op.String()), " "+clause))
	}
	return fmt.Sprintf("write %s %s where the one value is meant for all, or aggregate both sides by the same labels", b.Op, clause), mended
}

// renamed proposes the rename between the two names of a GPU: dcgm-exporter prints it as
// UUID, Triton as gpu_uuid.
func (m *mismatch) renamed(e *expression, b *promparser.BinaryExpr) (fix, mended string) {
	theirs := map[string]string{"gpu_uuid": "UUID", "UUID": "gpu_uuid"}[m.label]
	lacking, set := b.RHS, m.whole[1]
	if !m.onLeft {
		lacking, set = b.LHS, m.whole[0]
	}
	if theirs == "" || !set.may(theirs) || !set.may("UUID") && !set.may("gpu_uuid") {
		return "", ""
	}
	before, after := "label_replace(", fmt.Sprintf(`, %q, "$1", %q, "(.*)")`, m.label, theirs)
	if start, end, ok := e.span(lacking); ok {
		mended = e.mended(insert(start, before), insert(end, after))
	}
	return fmt.Sprintf("that side calls it %s: rename it with label_replace(…, %q, \"$1\", %q, \"(.*)\")", theirs, m.label, theirs), mended
}

// operatorOf is where an operator stands between its sides.
func (e *expression) operatorOf(b *promparser.BinaryExpr) (at int, ok bool) {
	_, from, left := e.span(b.LHS)
	to, _, right := e.span(b.RHS)
	if !left || !right || from > to || strings.Contains(e.text[from:to], "#") {
		return 0, false
	}
	i := strings.Index(strings.ToLower(e.text[from:to]), b.Op.String())
	return from + i, i >= 0
}
