package rule

import (
	promparser "github.com/prometheus/prometheus/promql/parser"

	"github.com/panelgate/panelgate/stack/dashboard"
	"github.com/panelgate/panelgate/stack/source"
)

// expression is PromQL that stands in a file of the stack, parsed: a panel's query
// with its variables filled, or what a recording or alerting rule evaluates.
type expression struct {
	question *Question // nil for a rule
	root     promparser.Expr
	text     string // what root was parsed from
	// written is the text as it stands in the file, and sourceAt leads from an offset in
	// text to the one in written; "" and nil where the two are the same.
	written  string
	sourceAt func(offset int) int
	// posAt leads from an offset in text to its place in the file.
	posAt func(offset int) source.Pos
	// begin starts a finding about the expression: at its beginning, with all that
	// tells where it stands.
	begin func() Finding
}

// finding starts a finding about a node of the expression, at the node's place.
func (e *expression) finding(n promparser.Node) Finding {
	f := e.begin()
	f.Pos = e.posAt(int(n.PositionRange().Start))
	return f
}

func (in *Static) readExpressions() []*expression {
	type place struct {
		panel  *dashboard.Panel
		target *dashboard.Target
	}
	var out []*expression
	for _, b := range readable(in.Boards) {
		seen := map[place]bool{}
		for _, q := range b.Questions {
			at := place{q.Panel, q.Target}
			if !q.Readable() || seen[at] {
				continue
			}
			seen[at] = true
			if e := in.ofQuestion(q); e != nil {
				out = append(out, e)
			}
		}
	}
	return append(out, in.ownRules()...)
}

// ofQuestion is nil for a query that does not parse: panel/syntax tells of it.
func (in *Static) ofQuestion(q *Question) *expression {
	request := &q.Requests[0]
	root, err := in.reading.parse(request.Expr)
	if err != nil {
		return nil
	}
	if q.reach == nil {
		reach := reachOf(root)
		q.reach = &reach
	}
	return &expression{
		question: q, root: root, text: request.Expr,
		written: q.Target.Expr.Value, sourceAt: request.Mapping.Source,
		posAt: func(offset int) source.Pos { return posOf(q, *request, offset) },
		begin: func() Finding {
			f := onQuestion(q)
			f.ExprRun = q.shownAsRun(*request)
			return f
		},
	}
}
