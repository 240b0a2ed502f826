package rule

import (
	"fmt"
	"slices"
	"strings"

	promparser "github.com/prometheus/prometheus/promql/parser"

	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/stack/dashboard"
)

const (
	modelLabel   = "model"
	ensembleKind = "ensemble"
)

// tritonEnsembleDoubleCount finds sums over all models of a Triton where an ensemble is
// among them: what it passes on to its parts is counted for it and for each of them.
func tritonEnsembleDoubleCount() Rule {
	return Rule{
		ID:       "triton/ensemble-double-count",
		Severity: Warning,
		Summary:  "a sum over all models counts the ensemble and its parts together",
		Static: func(in *Static) []Finding {
			var out []Finding
			for _, e := range in.expressions() {
				if e.question == nil {
					continue
				}
				if name := in.ensembleSpokenOf(e.question.Board); name != "" {
					out = append(out, in.doubleCounts(e, func(vs *promparser.VectorSelector) string { return letsAllThrough(vs, name) })...)
				}
			}
			return out
		},
		Live: func(in *Live) []Finding {
			if in.Instance.World == nil {
				return nil // nobody knows which models are ensembles
			}
			ensembles := ensemblesOf(in.Instance.World)
			var out []Finding
			for _, e := range in.askedExpressions() {
				for _, f := range in.doubleCounts(e, func(vs *promparser.VectorSelector) string { return letsPartsThrough(vs, ensembles) }) {
					if !in.saidAt(f.Pos, "triton/ensemble-double-count") {
						out = append(out, f)
					}
				}
			}
			return out
		},
	}
}

// askedExpressions are the queries that have been asked, parsed, each target's once.
func (in *Live) askedExpressions() []*expression {
	type place struct {
		panel  *dashboard.Panel
		target *dashboard.Target
	}
	seen := map[place]bool{}
	var out []*expression
	for _, a := range in.Asked {
		at := place{a.Panel, a.Target}
		if !a.Asks() || seen[at] {
			continue
		}
		seen[at] = true
		if e := ofQuestion(a.Question); e != nil {
			out = append(out, e)
		}
	}
	return out
}

// ensemblesOf are the ensembles of a world.
func ensemblesOf(w *fakes.World) []*fakes.Model {
	return slices.DeleteFunc(w.Models(), func(m *fakes.Model) bool { return m.Kind() != ensembleKind })
}

// letsPartsThrough says which ensemble a selector counts beside one of its parts, and
// which, "" for none.
func letsPartsThrough(vs *promparser.VectorSelector, ensembles []*fakes.Model) string {
	for _, m := range ensembles {
		if !letsThrough(vs, m.Name()) {
			continue
		}
		parts := slices.DeleteFunc(m.Steps(), func(step string) bool { return !letsThrough(vs, step) })
		if len(parts) > 0 {
			return fmt.Sprintf("%s is an ensemble that passes each request on to %s", m.Name(), strings.Join(parts, ", "))
		}
	}
	return ""
}

// letsThrough says whether a selector may choose series of a model.
func letsThrough(vs *promparser.VectorSelector, name string) bool {
	for _, m := range vs.LabelMatchers {
		if m.Name == modelLabel && !m.Matches(name) || m.Name == "gpu_uuid" && !m.Matches("") { // an ensemble runs on none
			return false
		}
	}
	return true
}

// letsAllThrough says that a selector chooses no models, where a dashboard speaks of an
// ensemble.
func letsAllThrough(vs *promparser.VectorSelector, ensemble string) string {
	if chooses(vs, modelLabel) || chooses(vs, "gpu_uuid") {
		return ""
	}
	return fmt.Sprintf("the dashboard knows %s, whose requests are passed on to other models", ensemble)
}

// ensembleSpokenOf is the name of an ensemble that a dashboard asks for, "" for none.
func (in *Static) ensembleSpokenOf(b *Board) string {
	speaks := func(name string) bool { return strings.Contains(strings.ToLower(name), ensembleKind) }
	for _, v := range b.Variables {
		for _, o := range v.Options {
			if speaks(o.Value) && strings.Contains(v.Query.Value, modelLabel) {
				return o.Value
			}
		}
	}
	for _, e := range in.expressions() {
		if e.question == nil || e.question.Board != b {
			continue
		}
		for _, vs := range selectorsIn(e.root) {
			for _, m := range vs.LabelMatchers {
				if m.Name == modelLabel && speaks(m.Value) && m.Matches(m.Value) && strings.HasPrefix(e.metric(vs), "nv_") {
					return m.Value
				}
			}
		}
	}
	return ""
}

// doubleCounts are the sums of an expression across models, among which says lets
// an ensemble and its parts: it is "" for a selector that does not.
func (in *Static) doubleCounts(e *expression, says func(*promparser.VectorSelector) string) []Finding {
	r := labelReader{in: in, e: e}
	var out []Finding
	promparser.Inspect(e.root, func(n promparser.Node, _ []promparser.Node) error {
		agg, ok := n.(*promparser.AggregateExpr)
		if !ok || agg.Op != promparser.SUM || !loses(agg, modelLabel) || r.guessedGrouping(agg) || r.losing(agg.Expr, modelLabel) != nil || filters(agg.Expr) {
			return nil
		}
		for _, vs := range selectorsIn(agg.Expr) {
			if how := says(vs); how != "" && countedTwice(e.metric(vs)) {
				out = append(out, doubleCount(e, agg, e.metric(vs), how))
				return nil
			}
		}
		return nil
	})
	if len(out) > 1 { // the other side of a quotient tells nothing new
		out[0].Evidence = append(out[0].Evidence, fmt.Sprintf("%d more sums of this query do the same", len(out)-1))
		out = out[:1]
	}
	return out
}

// filters says whether an expression chooses among series by others.
func filters(n promparser.Expr) bool {
	found := false
	promparser.Inspect(n, func(n promparser.Node, _ []promparser.Node) error {
		if b, ok := n.(*promparser.BinaryExpr); ok && (b.Op == promparser.LAND || b.Op == promparser.LUNLESS) {
			found = true
		}
		return nil
	})
	return found
}

// countedTwice knows the metrics to which an ensemble adds what its parts have added
// already. Its queue is no such: next to nothing waits at the ensemble itself.
func countedTwice(name string) bool {
	switch name {
	case tritonSuccess, "nv_inference_request_failure", "nv_inference_count", "nv_inference_exec_count", "nv_inference_request_duration_us",
		"nv_inference_compute_input_duration_us", "nv_inference_compute_infer_duration_us", "nv_inference_compute_output_duration_us":
		return true
	}
	return false
}

func doubleCount(e *expression, agg *promparser.AggregateExpr, metric, how string) Finding {
	f := e.finding(agg)
	f.Message = fmt.Sprintf("%s adds %s up over all models, an ensemble and its parts together: one request is counted several times", groupingAsWritten(agg), metric)
	f.Evidence = []string{how}
	f.Fix = "choose the ensemble, or its parts, with a matcher on model, or keep the models apart with by (model)"
	return f
}
