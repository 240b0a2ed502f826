// Package why says why a query is empty: the smallest part of it that is, and
// the reason, with evidence. It asks Prometheus through its HTTP API only, so
// it works the same wherever that Prometheus runs.
package why

import (
	"context"
	"fmt"
	"slices"
	"time"

	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
	promparser "github.com/prometheus/prometheus/promql/parser"

	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/fakes/catalogue"
)

// Reason is why a query is empty, in the catalogue's words.
type Reason string

// The reasons, in the order in which they are tried.
const (
	TargetDown           Reason = "target-down"
	MetricMissing        Reason = "metric-missing"
	DroppedByRelabel     Reason = "dropped-by-relabel"
	LabelMissing         Reason = "label-missing"
	ValueMissing         Reason = "value-missing"
	MatchersJointlyEmpty Reason = "matchers-jointly-empty"
	WindowTooShort       Reason = "window-too-short"
	JoinMismatch         Reason = "join-mismatch"
	HistogramNoLe        Reason = "histogram-no-le"
	FilteredOut          Reason = "filtered-out"
	NoTraffic            Reason = "no-traffic"
	Stale                Reason = "stale"
	VariableEmpty        Reason = "variable-empty"
	DividesByZero        Reason = "divides-by-zero"
)

// before says whether a reason is tried before another.
func (r Reason) before(other Reason) bool {
	order := []Reason{TargetDown, MetricMissing, DroppedByRelabel, LabelMissing, ValueMissing, MatchersJointlyEmpty, WindowTooShort, JoinMismatch,
		HistogramNoLe, FilteredOut, NoTraffic, Stale, VariableEmpty, DividesByZero}
	return slices.Index(order, r) < slices.Index(order, other)
}

const (
	lookback             = 5 * time.Minute // Prometheus' default
	maxEvidenceValues    = 8               // of a label, in a message
	maxSeriesForEvidence = 200
	maxSeries            = 20000 // of a look-up: more are not listed
	maxParts             = 120   // of an expression
)

// Diagnosis is why a query is empty.
type Diagnosis struct {
	Part       string // the smallest sub-expression that is empty
	Start, End int    // where it stands in the expression, in bytes
	Reason     Reason
	Message    string // the reason in a sentence
	Evidence   []string
	Fix        string
	Asked      int // how many questions Prometheus was asked for it
	// Absent is the metric, label or value that is not there, Label the label that a
	// value is missing of, and Near what there is of a spelling near to it; each ""
	// where the reason is none of that kind.
	Absent, Label, Near string
}

// Asker holds what a diagnosis may ask and know.
type Asker struct {
	API        promv1.API
	Start, End time.Time // of the query; equal for an instant one
	Step       time.Duration
	Targets    []env.Target
	// Intervals are the jobs' scrape intervals, for judging windows.
	Intervals map[string]time.Duration
	// ExporterOf names the exporter known to print a metric, "" where none is.
	ExporterOf func(metric string) string
	// EmptyVariables are those that the expression is filled from and that have
	// no value, by name.
	EmptyVariables []string
	// Recorded says where a series is recorded by a rule of the stack, by name.
	Recorded map[string]string
	// KnownMetrics are the names that the exporters are known to print.
	KnownMetrics []string
	// Printed are the label sets with which an exporter that is acted out prints a
	// metric, before Prometheus relabels them; nil where nobody knows.
	Printed func(metric string) []model.LabelSet
	// Relabelled says where the metric_relabel_configs of a job stand, by job.
	Relabelled map[string]string
	// Catalogue knows which version of an exporter has a metric; nil for nobody.
	Catalogue *catalogue.Catalogue
}

// Explain finds the smallest part of expr that is empty and says why it is. It
// returns an error when Prometheus cannot be asked; an expression that turns out
// to have data gives a nil Diagnosis.
func (a *Asker) Explain(ctx context.Context, expr string) (*Diagnosis, error) {
	root, err := parse(expr)
	if err != nil {
		return nil, fmt.Errorf("parse %q: %w", expr, err)
	}
	d := a.diagnosing(ctx)
	empty, err := d.emptyParts(root)
	if err != nil || !empty[root] {
		return nil, err
	}
	var first *Diagnosis
	for _, node := range smallest(root, empty) {
		out, err := d.diagnose(node, expr)
		if err != nil {
			return nil, err
		}
		if first == nil || out.Reason.before(first.Reason) {
			first = out
		}
	}
	first.Asked = d.asked
	return first, nil
}

// diagnose says why a part of an expression is empty of which no part is.
func (d *diagnosing) diagnose(node promparser.Expr, expr string) (*Diagnosis, error) {
	pos := node.PositionRange()
	out := &Diagnosis{Start: int(pos.Start), End: int(pos.End)}
	if out.Start >= 0 && out.Start < out.End && out.End <= len(expr) {
		out.Part = expr[out.Start:out.End]
	} else {
		out.Part, out.Start, out.End = node.String(), 0, len(expr)
	}
	return out, d.reason(node, out)
}

// Idle finds the parts of an expression with data that have none themselves and that
// a set operator passes over, and says why of each.
func (a *Asker) Idle(ctx context.Context, expr string) ([]*Diagnosis, error) {
	root, err := parse(expr)
	if err != nil {
		return nil, fmt.Errorf("parse %q: %w", expr, err)
	}
	d := a.diagnosing(ctx)
	var nodes []promparser.Expr
	for _, side := range passedOver(root) {
		empty, err := d.emptyParts(side)
		if err != nil {
			return nil, err
		}
		if empty[side] {
			nodes = append(nodes, smallest(side, empty)...)
		}
	}
	var out []*Diagnosis
	for _, node := range nodes {
		found, err := d.diagnose(node, expr)
		if err != nil {
			return nil, err
		}
		out = append(out, found)
	}
	return out, nil
}

// passedOver are the sides of an expression's set operators whose emptiness does not
// make the whole empty.
func passedOver(root promparser.Expr) []promparser.Expr {
	var out []promparser.Expr
	promparser.Inspect(root, func(n promparser.Node, _ []promparser.Node) error {
		b, ok := n.(*promparser.BinaryExpr)
		switch {
		case !ok:
		case b.Op == promparser.LOR:
			out = append(out, vectors([]promparser.Expr{b.LHS, b.RHS})...)
		case b.Op == promparser.LUNLESS:
			out = append(out, vectors([]promparser.Expr{b.RHS})...)
		}
		return nil
	})
	return out
}

// parse reads PromQL as the server does, what is experimental included: what
// a function is called matters less here than where its parts stand.
func parse(expr string) (promparser.Expr, error) {
	return promparser.NewParser(promparser.Options{
		EnableExperimentalFunctions: true, EnableExtendedRangeSelectors: true, EnableBinopFillModifiers: true,
	}).ParseExpr(expr)
}

type diagnosing struct {
	*Asker
	ctx      context.Context // of one Explain
	asked    int             // questions so far
	from, to time.Time       // in which a selector looks for samples
	lacked   map[promparser.Expr]bool
}

func (a *Asker) diagnosing(ctx context.Context) *diagnosing {
	return &diagnosing{Asker: a, ctx: ctx, lacked: map[promparser.Expr]bool{}}
}

// smallest descends to the innermost sub-expressions that are empty themselves and
// have no empty part that would account for it: one, or one for each side of an or.
func smallest(n promparser.Expr, empty map[promparser.Expr]bool) []promparser.Expr {
	var out []promparser.Expr
	for _, child := range causes(n) {
		if !empty[child] {
			continue
		}
		out = append(out, smallest(child, empty)...)
		if b, ok := n.(*promparser.BinaryExpr); !ok || b.Op != promparser.LOR {
			return out
		}
	}
	if len(out) == 0 {
		return []promparser.Expr{n}
	}
	return out
}

// causes are the parts of an expression whose emptiness makes it empty.
func causes(n promparser.Expr) []promparser.Expr {
	switch n := n.(type) {
	case *promparser.ParenExpr:
		return []promparser.Expr{n.Expr}
	case *promparser.UnaryExpr:
		return []promparser.Expr{n.Expr}
	case *promparser.StepInvariantExpr:
		return []promparser.Expr{n.Expr}
	case *promparser.AggregateExpr:
		return []promparser.Expr{n.Expr}
	case *promparser.SubqueryExpr:
		return []promparser.Expr{n.Expr}
	case *promparser.Call:
		if n.Func.Name == "absent" || n.Func.Name == "absent_over_time" {
			return nil // empty because its argument is not
		}
		return vectors(n.Args)
	case *promparser.BinaryExpr:
		if n.Op == promparser.LUNLESS {
			return vectors([]promparser.Expr{n.LHS})
		}
		return vectors([]promparser.Expr{n.LHS, n.RHS})
	}
	return nil
}

func vectors(exprs []promparser.Expr) []promparser.Expr {
	var out []promparser.Expr
	for _, e := range exprs {
		if t := e.Type(); t == promparser.ValueTypeVector || t == promparser.ValueTypeMatrix {
			out = append(out, e)
		}
	}
	return out
}

// query evaluates an expression over the window of the diagnosed query.
func (d *diagnosing) query(expr string) (model.Matrix, error) {
	d.asked++
	if !d.Start.Before(d.End) || d.Step <= 0 {
		v, _, err := d.API.Query(d.ctx, expr, d.End)
		if err != nil {
			return nil, fmt.Errorf("diagnose with %q: %w", expr, err)
		}
		return asMatrix(v), nil
	}
	v, _, err := d.API.QueryRange(d.ctx, expr, promv1.Range{Start: d.Start, End: d.End, Step: d.Step})
	if err != nil {
		return nil, fmt.Errorf("diagnose with %q: %w", expr, err)
	}
	return asMatrix(v), nil
}

func asMatrix(v model.Value) model.Matrix {
	switch v := v.(type) {
	case model.Matrix:
		return v
	case model.Vector:
		var m model.Matrix
		for _, s := range v {
			m = append(m, &model.SampleStream{Metric: s.Metric, Values: []model.SamplePair{{Timestamp: s.Timestamp, Value: s.Value}}})
		}
		return m
	case *model.Scalar:
		return model.Matrix{{Values: []model.SamplePair{{Timestamp: v.Timestamp, Value: v.Value}}}}
	}
	return nil
}
