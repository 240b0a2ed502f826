package rule

import (
	"strings"

	promparser "github.com/prometheus/prometheus/promql/parser"

	"github.com/panelgate/panelgate/e2e/query"
	"github.com/panelgate/panelgate/stack/source"
)

// named is a place in the stack that asks for a metric by its name.
type named struct {
	metric string
	// others are the metrics that the same query or panel would show instead.
	others map[string]bool
	from   *expression // nil outside of expressions
	node   *promparser.VectorSelector
	begin  func() Finding // at the place
}

// namedMetrics are the metrics that expressions, variables and annotations ask for.
func (in *Static) namedMetrics() []named {
	var out []named
	for _, e := range in.expressions() {
		out = append(out, namedIn(e)...)
	}
	for _, b := range readable(in.Boards) {
		out = append(out, in.namedByVariables(b)...)
		out = append(out, in.namedByAnnotations(b)...)
	}
	return out
}

func namedIn(e *expression) []named {
	var out []named
	promparser.Inspect(e.root, func(n promparser.Node, path []promparser.Node) error {
		vs, ok := n.(*promparser.VectorSelector)
		if !ok {
			return nil
		}
		if name := e.metric(vs); name != "" {
			others := map[string]bool{}
			for _, alternative := range alternatives(path, n) {
				others[e.metric(alternative)] = true
			}
			out = append(out, named{metric: name, others: others, from: e, node: vs, begin: func() Finding { return e.finding(vs) }})
		}
		return nil
	})
	return out
}

// namedByVariables are the metrics that variables' queries ask for.
func (in *Static) namedByVariables(b *Board) []named {
	var out []named
	for _, v := range b.Variables {
		if v.Type.Value != "query" || v.Query.Value == "" {
			continue
		}
		if ds, _, err := query.ResolveDatasource(v.Datasource, b.Scope, in.Stack.Datasources); err != nil || !query.IsPrometheus(ds) || NotRun(in.Stack, ds) != "" {
			continue
		}
		q := query.ParseVariableQuery(v.Query.Value)
		if q.Kind == query.LabelNames || q.Kind == query.Metrics || strings.TrimSpace(q.Arg) == "" {
			continue
		}
		out = append(out, in.namedInText(b, q.Arg, func(offset int) Finding {
			f := onBoard(b.Dashboard, v.Pos)
			if !v.Query.Pos.IsZero() {
				f.Pos = v.Query.PosAt(q.ArgOffset + offset)
			}
			f.Expr = v.Query.Value
			return f
		})...)
	}
	return out
}

// namedByAnnotations are the metrics that annotations ask for.
func (in *Static) namedByAnnotations(b *Board) []named {
	var out []named
	for _, a := range b.Annotations {
		if a.BuiltIn || !a.Enable || a.Expr.Value == "" {
			continue
		}
		if ds, _, err := query.ResolveDatasource(a.Datasource, b.Scope, in.Stack.Datasources); err != nil || !query.IsPrometheus(ds) || NotRun(in.Stack, ds) != "" {
			continue
		}
		out = append(out, in.namedInText(b, a.Expr.Value, func(offset int) Finding {
			f := onBoard(b.Dashboard, a.Expr.PosAt(offset))
			f.Expr = a.Expr.Value
			return f
		})...)
	}
	return out
}

// namedInText reads PromQL that has its variables still, as far as it parses so.
func (in *Static) namedInText(b *Board, text string, begin func(offset int) Finding) []named {
	root, err := Parse(text)
	if err != nil {
		return nil
	}
	e := &expression{root: root, text: text, posAt: func(int) source.Pos { return source.Pos{} }, begin: func() Finding { return begin(0) }}
	out := namedIn(e)
	for i, n := range out {
		start, _, _ := e.span(n.node)
		out[i].begin, out[i].from = func() Finding { return begin(start) }, nil
	}
	return out
}
