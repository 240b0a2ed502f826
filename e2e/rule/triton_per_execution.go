package rule

import (
	"fmt"
	"slices"
	"strings"

	promparser "github.com/prometheus/prometheus/promql/parser"
)

// tritonPerExecution finds latencies of Triton that are divided by how often a model ran
// rather than by how many requests it answered.
func tritonPerExecution() Rule {
	return Rule{
		ID:       "triton/per-execution",
		Severity: Warning,
		Summary:  "a latency of Triton is divided by executions or inferences, not by requests",
		Static: func(in *Static) []Finding {
			var out []Finding
			for _, e := range in.expressions() {
				promparser.Inspect(e.root, func(n promparser.Node, _ []promparser.Node) error {
					if div, ok := n.(*promparser.BinaryExpr); ok && div.Op == promparser.DIV {
						if f := dividedByRuns(e, div); f != nil {
							out = append(out, *f)
						}
					}
					return nil
				})
			}
			return out
		},
	}
}

const tritonSuccess = "nv_inference_request_success"

// dividedByRuns is nil for any other quotient.
func dividedByRuns(e *expression, div *promparser.BinaryExpr) *Finding {
	duration := firstNamed(e, div.LHS, isRequestDuration)
	if duration == "" {
		return nil
	}
	below := Selectors(div.RHS)
	for _, vs := range below {
		if !countsRuns(e.metric(vs)) {
			return nil
		}
	}
	if len(below) == 0 {
		return nil
	}
	f := e.finding(below[0])
	name := e.metric(below[0])
	if q := e.question; q != nil && name == "nv_inference_count" && itemWords.MatchString(q.Panel.Title.Value) {
		return nil // a request's time by its batch, which is what the title says
	}
	counts := map[string]string{
		"nv_inference_exec_count": "executions, of which the batcher makes one for several requests",
		"nv_inference_count":      "inferences, of which a request with a batch makes several",
	}[name]
	f.Message = fmt.Sprintf("%s is divided by %s, which counts %s: Triton adds a request's time once for each request", duration, name, counts)
	f.Fix = "divide by " + tritonSuccess
	var edits []edit
	for _, vs := range below {
		start, _, ok := e.span(vs)
		if !ok || vs.Name == "" {
			return &f
		}
		edits = append(edits, edit{start, start + len(vs.Name), tritonSuccess})
	}
	f.Mended = e.mended(edits...)
	return &f
}

// firstNamed is the first metric under an expression that is of a kind, "" for none.
func firstNamed(e *expression, under promparser.Expr, is func(name string) bool) string {
	for _, vs := range Selectors(under) {
		if name := e.metric(vs); is(name) {
			return name
		}
	}
	return ""
}

// isRequestDuration knows the counters to which Triton adds what each request took.
func isRequestDuration(name string) bool {
	return strings.HasPrefix(name, "nv_inference_") && strings.HasSuffix(name, "_duration_us")
}

// countsRuns knows the counters of what a model was run for.
func countsRuns(name string) bool {
	return slices.Contains([]string{"nv_inference_exec_count", "nv_inference_count"}, name)
}
