package selftest

import (
	"slices"

	promparser "github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/promql/parser/posrange"

	"github.com/panelgate/panelgate/e2e/query"
	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/fakes/catalogue"
	"github.com/panelgate/panelgate/stack/dashboard"
)

// site is the expression of a target, parsed with its variables filled. Its parts
// lead back to the expression as written.
type site struct {
	question *rule.Question
	request  query.Request
	root     promparser.Expr
	tokens   []promparser.Item
}

// sitesOf are the targets' expressions that parse, each once.
func sitesOf(boards []*rule.Board) []*site {
	seen := map[*dashboard.Target]bool{}
	var out []*site
	for _, b := range boards {
		for _, q := range b.Questions {
			if !q.Asks() || seen[q.Target] || q.Target.Expr.Pos.Line == 0 {
				continue
			}
			seen[q.Target] = true
			if root, err := rule.Parse(q.Requests[0].Expr); err == nil {
				out = append(out, &site{question: q, request: q.Requests[0], root: root, tokens: lex(q.Requests[0].Expr)})
			}
		}
	}
	return out
}

func lex(text string) []promparser.Item {
	var out []promparser.Item
	l := promparser.Lex(text)
	for {
		var item promparser.Item
		l.NextItem(&item)
		switch item.Typ {
		case promparser.EOF, promparser.ERROR:
			return out
		case promparser.COMMENT:
		default:
			out = append(out, item)
		}
	}
}

func ends(t promparser.Item) int { return int(t.Pos) + len(t.Val) }

// within are the tokens of a part.
func (s *site) within(start, end int) []promparser.Item {
	return slices.DeleteFunc(slices.Clone(s.tokens), func(t promparser.Item) bool {
		return int(t.Pos) < start || ends(t) > end
	})
}

// written is the part of the expression as written that [start, end) of the one as
// run stands for; ok is false where an end lies inside of what a variable brought in.
func (s *site) written(start, end int) (from, to int, ok bool) {
	m := s.request.Mapping
	whole := func(at int) bool { return at == 0 || m.Source(at-1) != m.Source(at) }
	from, to = m.Source(start), m.Source(end)
	if end == len(s.request.Expr) {
		to = len(s.question.Target.Expr.Value)
	}
	return from, to, whole(start) && (whole(end) || end == len(s.request.Expr)) && from < to
}

// text is a part as written, "" where that cannot be told.
func (s *site) text(start, end int) string {
	from, to, ok := s.written(start, end)
	if !ok {
		return ""
	}
	return s.question.Target.Expr.Value[from:to]
}

func (s *site) textOf(n promparser.Node) string {
	start, end := span(n)
	return s.text(start, end)
}

// span is where a node stands in the expression as run.
func span(n promparser.Node) (start, end int) {
	var r posrange.PositionRange
	if n != nil {
		r = n.PositionRange()
	}
	return int(r.Start), int(r.End)
}

// part is a piece of an expression that is replaced.
type part struct {
	start, end int
	text       string
}

func replace(n promparser.Node, text string) part {
	start, end := span(n)
	return part{start, end, text}
}

func replaceToken(t promparser.Item, text string) part { return part{int(t.Pos), ends(t), text} }

// edit makes a mutant of an expression; without a change where a part cannot be led
// back to the file.
func (sub *Subject) edit(s *site, parts ...part) Mutant {
	expr := s.question.Target.Expr
	var out []splice
	for _, p := range parts {
		from := s.request.Mapping.Source(p.start)
		to := from
		if p.start < p.end {
			var ok bool
			if from, to, ok = s.written(p.start, p.end); !ok {
				return Mutant{}
			}
		}
		begin, end := expr.PosAt(from), expr.PosAt(to)
		escaped := quoted(p.text)
		out = append(out, splice{file: begin.File, start: sub.offset(begin), end: sub.offset(end), text: escaped[1 : len(escaped)-1]})
	}
	return sub.mutant(out...)
}

// whole replaces the expression as a whole by one made of it.
func (sub *Subject) whole(s *site, text string) Mutant {
	return sub.edit(s, part{0, len(s.request.Expr), text})
}

// each visits the nodes of every expression that are of a kind.
func each[N promparser.Node](sub *Subject, visit func(s *site, n N, path []promparser.Node) []Mutant) []Mutant {
	var out []Mutant
	for _, s := range sub.sites {
		promparser.Inspect(s.root, func(n promparser.Node, path []promparser.Node) error {
			if of, ok := n.(N); ok {
				out = append(out, visit(s, of, slices.Clone(path))...)
			}
			return nil
		})
	}
	return out
}

// matcher is a condition of a selector, by its tokens.
type matcher struct{ name, op, value promparser.Item }

func (s *site) matchers(vs *promparser.VectorSelector) []matcher {
	start, end := span(vs)
	tokens := s.within(start, end)
	var out []matcher
	for i := 0; i+2 < len(tokens); i++ {
		if op := tokens[i+1].Typ; tokens[i+2].Typ == promparser.STRING &&
			slices.Contains([]promparser.ItemType{promparser.EQL, promparser.NEQ, promparser.EQL_REGEX, promparser.NEQ_REGEX}, op) {
			out = append(out, matcher{tokens[i], tokens[i+1], tokens[i+2]})
		}
	}
	return out
}

// name is the token of a selector's metric; ok is false where it has none.
func (s *site) name(vs *promparser.VectorSelector) (promparser.Item, bool) {
	start, end := span(vs)
	tokens := s.within(start, end)
	if vs.Name == "" || len(tokens) == 0 || tokens[0].Val != vs.Name {
		return promparser.Item{}, false
	}
	return tokens[0], true
}

// grouping are the labels of by, without, on or ignoring that belong to a node itself
// and to none of its parts, and the keyword; nil where there is none.
func (s *site) grouping(n promparser.Node) (keyword promparser.Item, labels []promparser.Item, end int) {
	start, stop := span(n)
	tokens := s.within(start, stop)
	var inner [][2]int
	for child := range promparser.ChildrenIter(n) {
		from, to := span(child)
		inner = append(inner, [2]int{from, to})
	}
	for i, t := range tokens {
		nested := slices.ContainsFunc(inner, func(r [2]int) bool { return int(t.Pos) >= r[0] && int(t.Pos) < r[1] })
		if nested || !slices.Contains([]promparser.ItemType{promparser.BY, promparser.WITHOUT, promparser.ON, promparser.IGNORING}, t.Typ) {
			continue
		}
		for _, l := range tokens[min(i+2, len(tokens)):] {
			switch l.Typ {
			case promparser.RIGHT_PAREN:
				return t, labels, ends(l)
			case promparser.COMMA:
			default:
				labels = append(labels, l)
			}
		}
	}
	return promparser.Item{}, nil, 0
}

// metric is what the catalogue knows of a selector's metric.
func (sub *Subject) metric(vs *promparser.VectorSelector) (catalogue.Metric, bool) {
	m, part, ok := sub.metrics.Series(vs.Name)
	return m, ok && part == catalogue.Whole
}

// like are other metrics that an exporter prints by default and that stand for the
// same kind of thing as m: of its type, its unit and with its labels.
func (sub *Subject) like(m catalogue.Metric) []catalogue.Metric {
	return slices.DeleteFunc(sub.metrics.Of(m.Exporter), func(o catalogue.Metric) bool {
		return o.Name == m.Name || o.Type != m.Type || o.Unit != m.Unit || o.Removed() || o.Optional != "" ||
			!slices.Equal(o.Labels, m.Labels)
	})
}

// closest is the metric of those whose name shares most with that of m.
func closest(m catalogue.Metric, among []catalogue.Metric) (catalogue.Metric, bool) {
	if len(among) == 0 {
		return catalogue.Metric{}, false
	}
	shared := func(o catalogue.Metric) int {
		n := 0
		for n < len(o.Name) && n < len(m.Name) && o.Name[n] == m.Name[n] {
			n++
		}
		for i := 0; i < len(o.Name)-n && i < len(m.Name)-n && o.Name[len(o.Name)-1-i] == m.Name[len(m.Name)-1-i]; i++ {
			n++
		}
		return n
	}
	return slices.MaxFunc(among, func(a, b catalogue.Metric) int { return shared(a) - shared(b) }), true
}
