package rule

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	promparser "github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/promql/parser/posrange"

	"github.com/panelgate/panelgate/e2e/dimension"
	"github.com/panelgate/panelgate/e2e/query"
	"github.com/panelgate/panelgate/fakes/catalogue"
	"github.com/panelgate/panelgate/stack/dashboard"
	"github.com/panelgate/panelgate/stack/source"
)

// panelUnitMismatch holds the unit of each expression, as far as the metrics tell it,
// against the one that the panel shows its values in.
func panelUnitMismatch() Rule {
	return Rule{
		ID:       "panel/unit-mismatch",
		Severity: Error,
		Summary:  "the panel's unit is not that of what its query returns",
		Static: func(in *Static) []Finding {
			chosen := func(string) bool { return true }
			return unitMismatches(in.expressions(), func(e *expression) *unitMismatch { return unitMismatchOf(e, in.Metrics, chosen) })
		},
		Live: func(in *Live) []Finding {
			return slices.DeleteFunc(unitMismatches(in.askedExpressions(), func(e *expression) *unitMismatch {
				return unitMismatchOf(e, in.Metrics, in.chooses(e.question.Board))
			}), func(f Finding) bool { return in.saidAt(f.Pos, "panel/unit-mismatch") })
		},
	}
}

// chooses says of a board's variables which of them a viewer can give another value.
func (in *Live) chooses(b *Board) func(variable string) bool {
	return func(name string) bool {
		for _, v := range in.Variables {
			if v.Board == b && v.Variable.Name.Value == name {
				return v.Variable.Type.Value == "textbox" || len(v.Options) > 1
			}
		}
		return true
	}
}

// unitMismatches are the findings about expressions, one for each unit of a panel.
func unitMismatches(expressions []*expression, of func(*expression) *unitMismatch) []Finding {
	type place struct {
		panel  *dashboard.Panel
		unit   source.Pos
		values dimension.Unit
	}
	var out []Finding
	more := map[place]int{}
	at := map[place]int{} // the finding in out
	for _, e := range expressions {
		m := of(e)
		if m == nil {
			continue
		}
		key := place{e.question.Panel, m.unit.Pos, m.values}
		if i, said := at[key]; said {
			more[key]++
			out[i].Evidence = []string{fmt.Sprintf("%d more queries of this panel return the same", more[key])}
			continue
		}
		at[key] = len(out)
		out = append(out, m.finding())
	}
	return out
}

// unitMismatch is a query whose values are shown in a unit that is not theirs.
type unitMismatch struct {
	expression    *expression
	unit          source.Text // as the panel has it
	values, shown dimension.Unit
	dimension.Difference
}

// unitMismatchOf is nil where the units fit, or where one of them is not certain.
func unitMismatchOf(e *expression, metrics *catalogue.Catalogue, chosen func(variable string) bool) *unitMismatch {
	q := e.question
	if q == nil || q.Target.Hide {
		return nil
	}
	unit, ok := unitOf(q.Panel, q.Target)
	if !ok {
		return nil
	}
	shown, ok := dimension.Shown(unit.Value)
	if !ok || e.unitHangsOnVariable(chosen) {
		return nil
	}
	of := dimension.Of
	if showsBuckets(q.Panel) {
		of = dimension.Observed
	}
	values := of(e.root, func(series string) dimension.Unit { return unitOfSeries(metrics, series) })
	difference := dimension.Compare(values, shown)
	if difference.Fault == dimension.None {
		return nil
	}
	return &unitMismatch{expression: e, unit: unit, values: values, shown: shown, Difference: difference}
}

// unitOfSeries is what the catalogue says of a series, else what its name does.
func unitOfSeries(metrics *catalogue.Catalogue, series string) dimension.Unit {
	named := dimension.ByName(series)
	if strings.HasSuffix(series, "_info") {
		return named
	}
	m, part, ok := metrics.Series(series)
	switch {
	case !ok || m.Unit == "":
		return named
	case part == catalogue.Bucket || part == catalogue.Count:
		return dimension.Named("1")
	case m.Unit == "1" && (strings.Contains(series, "_bytes") || strings.Contains(series, "_seconds")):
		return dimension.Unit{} // a number of them, or an amount
	default:
		return dimension.Named(m.Unit)
	}
}

// unitHangsOnVariable says whether a viewer changes the unit of the values by choosing
// another value of a variable: one that stands for a metric, a function or a factor.
func (e *expression) unitHangsOnVariable(chosen func(variable string) bool) bool {
	q := e.question
	written, mapping := q.Target.Expr.Value, q.Requests[0].Mapping
	filled := func(start posrange.Pos, length int) bool {
		for i := range length {
			at := mapping.Source(int(start) + i)
			if at >= len(written) || written[at] != '$' && written[at] != '[' {
				continue
			}
			refs := query.References(written[at:])
			if len(refs) > 0 && refs[0].Start == 0 && !strings.HasPrefix(refs[0].Name, "__") && chosen(refs[0].Name) {
				return true
			}
		}
		return false
	}
	hangs := false
	promparser.Inspect(e.root, func(n promparser.Node, _ []promparser.Node) error {
		switch n := n.(type) {
		case *promparser.NumberLiteral:
			hangs = hangs || filled(n.PosRange.Start, 1)
		case *promparser.VectorSelector:
			hangs = hangs || filled(n.PosRange.Start, len(n.Name))
		case *promparser.Call:
			hangs = hangs || filled(n.PosRange.Start, len(n.Func.Name))
		case *promparser.AggregateExpr:
			hangs = hangs || filled(n.PosRange.Start, 1)
		}
		return nil
	})
	return hangs
}

func (m *unitMismatch) finding() Finding {
	f := m.expression.begin()
	f.Pos = m.unit.Pos
	f.Message = fmt.Sprintf("the query returns %s, and the panel shows it as %s (unit %q)%s", m.values, m.shown, m.unit.Value, m.consequence())
	f.Fix = m.fix()
	switch m.Fault {
	case dimension.Prefix:
		f.Severity = Info
	case dimension.Rate:
		f.Severity = m.rateSeverity()
	case dimension.Scale:
		f.Mended = m.mended()
	}
	return f
}

// saysPerSecond is a title that says what the unit leaves out.
var saysPerSecond = regexp.MustCompile(`(?i)/ ?s(ec(ond)?)?\b|per sec|\brates?\b|\b[a-z]ps\b`)

// rateSeverity is how much a rate shown as an amount weighs. The number is right where
// only "per second" is missing, and harmless where the title says it; the share of time
// that all of something takes is no latency, at any scale.
func (m *unitMismatch) rateSeverity() Severity {
	switch {
	case m.shown.Latency() && m.claimsLatency():
		return Off // the rule's default
	case saysPerSecond.MatchString(m.expression.question.Panel.Title.Value):
		return Info
	default:
		return Warning
	}
}

// saysLatency is a title that promises how long one of something takes.
var saysLatency = regexp.MustCompile(`(?i)latenc|\b(avg|average|mean)\b|duration|delay|response`)

// claimsLatency says whether what is shown is meant to be how long one of something
// takes: a disk's milliseconds per second can be what they are called.
func (m *unitMismatch) claimsLatency() bool {
	if saysLatency.MatchString(m.expression.question.Panel.Title.Value) {
		return true
	}
	return slices.ContainsFunc(Selectors(m.expression.root), func(vs *promparser.VectorSelector) bool {
		return strings.HasPrefix(m.expression.metric(vs), "nv_inference_")
	})
}

// consequence is what a viewer is told that is not so.
func (m *unitMismatch) consequence() string {
	switch m.Fault {
	case dimension.Scale:
		return ": " + timesTooLarge(m.Factor)
	case dimension.Prefix:
		how, off := "large", m.Factor-1
		if off < 0 {
			how, off = "small", -off
		}
		return fmt.Sprintf(": %.1f %% too %s", 100*off, how)
	case dimension.Window:
		return fmt.Sprintf(", but it came together in a window: %s", timesTooLarge(m.Factor))
	case dimension.Rate:
		if m.shown.Latency() {
			return ": the time that all of it takes in a second reads as how long one takes"
		}
		return ": what happens in a second reads as an amount"
	default:
		return ": another quantity"
	}
}

// timesTooLarge puts a factor in words.
func timesTooLarge(factor float64) string {
	how := "large"
	if factor < 1 {
		how, factor = "small", 1/factor
	}
	return strconv.FormatFloat(roundedFactor(factor), 'f', -1, 64) + " times too " + how
}

// roundedFactor drops what arithmetic on scales leaves behind the point.
func roundedFactor(f float64) float64 {
	if whole := math.Round(f); math.Abs(f-whole) < 1e-6*f {
		return whole
	}
	return math.Round(f*1000) / 1000
}

func (m *unitMismatch) fix() string {
	id := m.values.GrafanaID()
	switch {
	case m.Fault == dimension.Window:
		return "take rate() in the place of increase() or delta(), which is per second, or show a number of things (unit \"short\")"
	case m.Fault == dimension.Rate && id == "percentunit" || m.Fault == dimension.Rate && id == "":
		return "divide by the rate of how often it happened, for how long one takes; or show the share of time, a ratio, as \"percentunit\""
	case m.Fault == dimension.Scale && id == "":
		return m.rescaling()
	case m.Fault == dimension.Scale && m.rescaling() != "":
		return fmt.Sprintf("set the unit to %q, or %s", id, m.rescaling())
	case id != "":
		return fmt.Sprintf("set the unit to %q", id)
	default:
		return fmt.Sprintf("choose a unit of %s, or \"short\", or bring the expression to %s", m.values, m.shown)
	}
}

// rescaling is the arithmetic that brings the values to the panel's unit, "" where
// that is no plain factor.
func (m *unitMismatch) rescaling() string {
	operator, by := m.operation()
	switch operator {
	case "/":
		return "divide by " + by
	case "*":
		return "multiply by " + by
	default:
		return ""
	}
}

func (m *unitMismatch) operation() (operator, by string) {
	operator, factor := "/", m.Factor
	if factor < 1 {
		operator, factor = "*", 1/factor
	}
	whole := roundedFactor(factor)
	if whole != math.Trunc(whole) || whole > 1e15 {
		return "", ""
	}
	return operator, strconv.FormatFloat(whole, 'f', -1, 64)
}

// mended is the expression as written, brought to the panel's unit.
func (m *unitMismatch) mended() string {
	operator, by := m.operation()
	if operator == "" {
		return ""
	}
	written := strings.TrimSpace(m.expression.question.Target.Expr.Value)
	space := " "
	if strings.Contains(written, "#") { // a comment on the last line would swallow what follows
		space = "\n"
	}
	switch m.expression.root.(type) {
	case *promparser.Call, *promparser.ParenExpr, *promparser.VectorSelector, *promparser.AggregateExpr:
	default:
		written = "(" + written + strings.TrimPrefix(space, " ") + ")"
	}
	return written + space + operator + " " + by
}
