package rule

import (
	promparser "github.com/prometheus/prometheus/promql/parser"

	"github.com/panelgate/panelgate/stack/dashboard"
)

// reading remembers what is made of one file while the rules look at it: each of them
// takes the same texts and expressions apart. Nobody changes what it gives. It is not
// safe for concurrent use, and nil remembers nothing.
type reading struct {
	trees       map[string]tree
	expressions []*expression // nil until they are asked for
	texts       map[*dashboard.Dashboard][]dashboard.Place
	uses        map[*dashboard.Dashboard]map[string]bool
}

type tree struct {
	root promparser.Expr
	err  error
}

func newReading() *reading {
	return &reading{
		trees: map[string]tree{},
		texts: map[*dashboard.Dashboard][]dashboard.Place{},
		uses:  map[*dashboard.Dashboard]map[string]bool{},
	}
}

func (r *reading) parse(expr string) (promparser.Expr, error) {
	if r == nil {
		return Parse(expr)
	}
	t, known := r.trees[expr]
	if !known {
		t.root, t.err = Parse(expr)
		r.trees[expr] = t
	}
	return t.root, t.err
}

// expressions are those of the stack that parse: each target's once, however often its
// panel is repeated, and those of recording and alerting rules.
func (in *Static) expressions() []*expression {
	if in.reading == nil {
		return in.readExpressions()
	}
	if in.reading.expressions == nil {
		in.reading.expressions = in.readExpressions()
	}
	return in.reading.expressions
}

// texts are those of a dashboard.
func (in *Static) texts(d *dashboard.Dashboard) []dashboard.Place {
	if in.reading == nil {
		return d.Texts()
	}
	all, known := in.reading.texts[d]
	if !known {
		all = d.Texts()
		in.reading.texts[d] = all
	}
	return all
}

// uses are the names that the texts of a dashboard refer to.
func (in *Static) uses(d *dashboard.Dashboard) map[string]bool {
	if in.reading == nil {
		return usesIn(d.Texts())
	}
	all, known := in.reading.uses[d]
	if !known {
		all = usesIn(in.texts(d))
		in.reading.uses[d] = all
	}
	return all
}
