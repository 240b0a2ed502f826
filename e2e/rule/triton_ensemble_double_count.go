package rule

import (
	"fmt"
	"regexp"
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
			all := in.expressions()
			spokenOf := map[*Board]string{}
			for _, b := range in.Boards {
				spokenOf[b] = ensembleSpokenOf(b, all)
			}
			var out []Finding
			for _, e := range all {
				if e.question == nil || spokenOf[e.question.Board] == "" {
					continue
				}
				name := spokenOf[e.question.Board]
				out = append(out, in.doubleCounts(e, func(vs *promparser.VectorSelector) *counted { return letsAllThrough(vs, name) })...)
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
				for _, f := range in.doubleCounts(e, func(vs *promparser.VectorSelector) *counted { return letsPartsThrough(vs, ensembles) }) {
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
		if e := in.ofQuestion(a.Question); e != nil {
			out = append(out, e)
		}
	}
	return out
}

// ensemblesOf are the ensembles of a world.
func ensemblesOf(w *fakes.World) []*fakes.Model {
	return slices.DeleteFunc(w.Models(), func(m *fakes.Model) bool { return m.Kind() != ensembleKind })
}

// counted is how a selector lets an ensemble and its parts through.
type counted struct {
	how   string
	parts []string // those that it lets through, nil where nobody tells
}

// letsPartsThrough is nil for a selector that counts no ensemble beside one of its parts.
func letsPartsThrough(vs *promparser.VectorSelector, ensembles []*fakes.Model) *counted {
	for _, m := range ensembles {
		if !letsThrough(vs, m.Name()) {
			continue
		}
		parts := slices.DeleteFunc(m.Steps(), func(step string) bool { return !letsThrough(vs, step) })
		if len(parts) > 0 {
			return &counted{fmt.Sprintf("%s is an ensemble that passes each request on to %s", m.Name(), strings.Join(parts, ", ")), parts}
		}
	}
	return nil
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

// letsAllThrough is nil for a selector that chooses among models, where a dashboard
// speaks of an ensemble.
func letsAllThrough(vs *promparser.VectorSelector, ensemble string) *counted {
	if chooses(vs, modelLabel) || chooses(vs, "gpu_uuid") {
		return nil
	}
	return &counted{how: fmt.Sprintf("the dashboard knows %s, whose requests are passed on to other models", ensemble)}
}

// ensembleSpokenOf is the name of an ensemble that a dashboard asks for, "" for none.
func ensembleSpokenOf(b *Board, all []*expression) string {
	speaks := func(name string) bool { return strings.Contains(strings.ToLower(name), ensembleKind) }
	for _, v := range b.Variables {
		for _, o := range v.Options {
			if speaks(o.Value) && strings.Contains(v.Query.Value, modelLabel) {
				return o.Value
			}
		}
	}
	for _, e := range all {
		if e.question == nil || e.question.Board != b {
			continue
		}
		for _, vs := range Selectors(e.root) {
			for _, m := range vs.LabelMatchers {
				if m.Name == modelLabel && speaks(m.Value) && m.Matches(m.Value) && strings.HasPrefix(e.metric(vs), "nv_") {
					return m.Value
				}
			}
		}
	}
	return ""
}

// doubleCounts is the finding about the sums of an expression across models among which
// says finds an ensemble with its parts; it is nil for a selector that does not. There is
// one at most: the other side of a quotient tells nothing new.
func (in *Static) doubleCounts(e *expression, says func(*promparser.VectorSelector) *counted) []Finding {
	r := labelReader{in: in, e: e}
	var sums []*promparser.AggregateExpr
	var twice []*promparser.VectorSelector
	promparser.Inspect(e.root, func(n promparser.Node, path []promparser.Node) error {
		agg, ok := n.(*promparser.AggregateExpr)
		if !ok || !r.sumsOverModels(agg) || e.inShareOfItself(path) {
			return nil
		}
		among := slices.DeleteFunc(Selectors(agg.Expr), func(vs *promparser.VectorSelector) bool { return says(vs) == nil || !countedTwice(e.metric(vs)) })
		if len(among) > 0 {
			sums, twice = append(sums, agg), append(twice, among...)
		}
		return nil
	})
	if len(sums) == 0 {
		return nil
	}
	found := says(twice[0])
	f := e.finding(sums[0])
	f.Message = fmt.Sprintf("%s adds %s up over all models, an ensemble and its parts together: one request is counted several times",
		groupingAsWritten(sums[0]), e.metric(twice[0]))
	f.Evidence = []string{found.how}
	if len(sums) > 1 {
		f.Evidence = append(f.Evidence, fmt.Sprintf("%d more sums of this query do the same", len(sums)-1))
	}
	f.Fix = "choose the ensemble, or its parts, with a matcher on model, or keep the models apart with by (model)"
	if len(found.parts) > 0 {
		matcher := fmt.Sprintf(`model!~"%s"`, strings.Join(quotedAll(found.parts), "|"))
		f.Fix = fmt.Sprintf("leave the parts out with %s, or keep the models apart with by (model)", matcher)
		f.Mended = e.matching(twice, matcher)
	}
	return []Finding{f}
}

// inShareOfItself says whether a node stands in a quotient of a metric by the same
// metric: what is counted twice above is so below, and the share comes out right.
func (e *expression) inShareOfItself(path []promparser.Node) bool {
	return slices.ContainsFunc(path, func(n promparser.Node) bool {
		b, ok := n.(*promparser.BinaryExpr)
		if !ok || b.Op != promparser.DIV {
			return false
		}
		left, right := e.metricsIn(b.LHS), e.metricsIn(b.RHS)
		return len(left) == 1 && slices.Equal(left, right)
	})
}

// metricsIn are the names of the metrics of an expression's part, each once.
func (e *expression) metricsIn(n promparser.Expr) []string {
	var out []string
	for _, vs := range Selectors(n) {
		if name := e.metric(vs); !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

// sumsOverModels says whether a sum loses the label model, innermost.
func (r labelReader) sumsOverModels(agg *promparser.AggregateExpr) bool {
	return agg.Op == promparser.SUM && loses(agg, modelLabel) && !r.guessedGrouping(agg) && r.losing(agg.Expr, modelLabel) == nil && !filters(agg.Expr)
}

// quotedAll are texts as a regular expression in a PromQL string matches them.
func quotedAll(texts []string) []string {
	var out []string
	for _, t := range texts {
		out = append(out, strings.ReplaceAll(regexp.QuoteMeta(t), `\`, `\\`))
	}
	return out
}

// matching is the expression with one more matcher in each of some selectors.
func (e *expression) matching(selectors []*promparser.VectorSelector, matcher string) string {
	var edits []edit
	for _, vs := range selectors {
		start, end, ok := e.span(vs)
		if !ok || vs.Name == "" {
			return ""
		}
		open := strings.IndexByte(e.text[start:end], '{')
		if open < 0 {
			edits = append(edits, insert(start+len(vs.Name), "{"+matcher+"}"))
			continue
		}
		if rest := strings.TrimSpace(e.text[start+open+1 : end]); !strings.HasPrefix(rest, "}") {
			matcher += ", "
		}
		edits = append(edits, insert(start+open+1, matcher))
		matcher = strings.TrimSuffix(matcher, ", ")
	}
	return e.mended(edits...)
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
