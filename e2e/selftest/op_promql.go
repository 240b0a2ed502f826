package selftest

import (
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	promparser "github.com/prometheus/prometheus/promql/parser"

	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/fakes/catalogue"
)

// untrue is what says that a panel with data shows another value than the true one.
const untrue = "value/differs-from-truth"

// selectorOperators change which series an expression reads.
func selectorOperators() []Operator {
	return []Operator{
		{
			Name: "metric-renamed", Does: "a query reads a metric of a misspelled name",
			Ought: slices.Concat(empty("metric-missing"), by(untrue, "panel/part-empty")),
			Mutants: eachSelector(func(sub *Subject, s *site, vs *promparser.VectorSelector) []Mutant {
				name, ok := s.name(vs)
				if !ok {
					return nil
				}
				return []Mutant{sub.edit(s, replaceToken(name, misspelled(name.Val)))}
			}),
		},
		{
			Name: "metric-removed", Does: "a query reads the name that a metric had in an older release of its exporter",
			Ought: slices.Concat(by("promql/metric-removed", untrue), empty("metric-missing")),
			Mutants: eachSelector(func(sub *Subject, s *site, vs *promparser.VectorSelector) []Mutant {
				name, ok := s.name(vs)
				m, known := sub.metric(vs)
				if !ok || !known {
					return nil
				}
				var out []Mutant
				for _, old := range sub.metrics.Of(m.Exporter) {
					if old.Removed() && slices.Contains(old.ReplacedBy, m.Name) {
						out = append(out, sub.edit(s, replaceToken(name, old.Name)))
					}
				}
				return out
			}),
		},
		{
			Name: "metrics-swapped", Does: "a query reads another metric of the same kind: queue for compute, input for output",
			Ought: by(untrue, "panel/nan", "triton/per-execution"),
			Mutants: eachSelector(func(sub *Subject, s *site, vs *promparser.VectorSelector) []Mutant {
				return sub.swap(s, vs, vs)
			}),
		},
		{
			Name: "label-renamed", Does: "a selector names a label that its metric has not",
			Ought:   slices.Concat(empty("label-missing"), by(untrue, "panel/part-empty")),
			Mutants: eachMatcher(func(m matcher) part { return replaceToken(m.name, misspelled(m.name.Val)) }),
		},
		{
			Name: "label-value-changed", Does: "a selector asks for a value that its label has not",
			Ought:   slices.Concat(empty("value-missing", "matchers-jointly-empty"), by(untrue, "panel/part-empty")),
			Mutants: eachMatcher(func(m matcher) part { return replaceToken(m.value, `"no-such-value"`) }),
		},
		{
			Name: "matcher-negated", Does: "a selector leaves out what it should take",
			Ought: slices.Concat(empty("value-missing", "matchers-jointly-empty", "join-mismatch"), by(untrue, "triton/ensemble-double-count", "panel/part-empty")),
			Mutants: eachMatcher(func(m matcher) part {
				return replaceToken(m.op, map[string]string{"=": "!=", "!=": "=", "=~": "!~", "!~": "=~"}[m.op.Val])
			}),
		},
		{
			Name: "all-models-summed", Does: "a sum takes in every model, the ensemble and its parts together",
			Ought:   by("triton/ensemble-double-count", untrue),
			Mutants: func(sub *Subject) []Mutant { return onSites(sub, sub.sumAll) },
		},
		{
			Name: "recorded-series-unknown", Does: "a query reads a recording rule's series that no rule records",
			Ought: slices.Concat(by("prometheus/recording-rule-missing"), empty("metric-missing")),
			Mutants: func(sub *Subject) []Mutant {
				return onSites(sub, func(s *site) Mutant {
					if name := firstMetric(s.root); name != "" {
						return sub.whole(s, "instance:"+name+":rate5m")
					}
					return Mutant{}
				})
			},
		},
		{
			Name: "syntax-broken", Does: "a closing bracket is missing in a query",
			Ought: by("panel/syntax"),
			Mutants: func(sub *Subject) []Mutant {
				return onSites(sub, func(s *site) Mutant {
					for _, t := range slices.Backward(s.tokens) {
						if t.Typ == promparser.RIGHT_PAREN || t.Typ == promparser.RIGHT_BRACE {
							return sub.edit(s, replaceToken(t, ""))
						}
					}
					return Mutant{}
				})
			},
		},
		{
			Name: "comparison-filters-all", Does: "a comparison leaves no value",
			Ought: empty("filtered-out"),
			Mutants: func(sub *Subject) []Mutant {
				return onSites(sub, func(s *site) Mutant { return sub.wrap(s, "(", ") > 1e15") })
			},
		},
		{
			Name: "quantile-aggregated", Does: "the quantiles of a summary are averaged",
			Ought: by("promql/quantile-aggregated"),
			Mutants: eachSelector(func(sub *Subject, s *site, vs *promparser.VectorSelector) []Mutant {
				m, ok := sub.metric(vs)
				text := s.textOf(vs)
				if !ok || m.Type != catalogue.Summary || text == "" {
					return nil
				}
				return []Mutant{sub.edit(s, replace(vs, "avg("+text+")"))}
			}),
		},
	}
}

// windowOperators change over which time, and whether, a rate is taken.
func windowOperators() []Operator {
	return []Operator{
		{
			Name: "window-too-short", Does: "a rate is taken over less than two scrapes",
			Ought: slices.Concat(by("promql/rate-window"), empty("window-too-short")), Mutants: windows(0.3),
		},
		{
			Name: "window-of-one-scrape", Does: "a rate is taken over a fixed window of a scrape's length",
			Ought: slices.Concat(by("promql/rate-window"), empty("window-too-short")), Mutants: windows(1),
		},
		{
			Name: "window-tight", Does: "a rate is taken over a fixed window that one missed scrape empties",
			Ought: by("promql/rate-window"), Mutants: windows(2.4),
		},
		{
			Name: "rate-dropped", Does: "a counter is shown as it stands",
			Ought: by("promql/counter-raw", untrue, "panel/unit-mismatch"),
			Mutants: eachNode(func(sub *Subject, s *site, n *promparser.Call) []Mutant {
				vs := rated(n)
				if vs == nil || s.textOf(vs) == "" {
					return nil
				}
				return []Mutant{sub.edit(s, replace(n, s.textOf(vs)))}
			}),
		},
		{
			Name: "rate-of-gauge", Does: "a rate is taken of a gauge",
			Ought: by("promql/rate-of-gauge", untrue),
			Mutants: func(sub *Subject) []Mutant {
				return each(sub, func(s *site, vs *promparser.VectorSelector, path []promparser.Node) []Mutant {
					m, ok := sub.metric(vs)
					text := s.textOf(vs)
					if !ok || m.Type != catalogue.Gauge || text == "" || inMatrix(path) {
						return nil
					}
					return []Mutant{sub.edit(s, replace(vs, "rate("+text+"[$__rate_interval])"))}
				})
			},
		},
		{
			Name: "increase-for-rate", Does: "an increase over the window is shown as a rate",
			Ought: by(untrue, "panel/unit-mismatch"),
			Mutants: eachNode(func(sub *Subject, s *site, n *promparser.Call) []Mutant {
				if n.Func.Name != "rate" {
					return nil
				}
				start, _ := span(n)
				return []Mutant{sub.edit(s, part{start, start + len("rate"), "increase"})}
			}),
		},
	}
}

// arithmeticOperators change what is computed of the series.
func arithmeticOperators() []Operator {
	return []Operator{
		{
			Name: "divided-by-wrong-counter", Does: "a mean is taken per execution, per inference or per failure instead of per request",
			Ought: by("triton/per-execution", untrue, "panel/nan"), // nothing fails in a steady world
			Mutants: eachNode(func(sub *Subject, s *site, n *promparser.BinaryExpr) []Mutant {
				if n.Op != promparser.DIV {
					return nil
				}
				return sub.wrongCounter(s, n.RHS)
			}),
		},
		{
			Name: "division-dropped", Does: "a sum of durations is shown as a latency, a part as a ratio",
			Ought: by("panel/unit-mismatch", untrue, "promql/counter-raw"),
			Mutants: eachNode(func(sub *Subject, s *site, n *promparser.BinaryExpr) []Mutant {
				if text := s.textOf(n.LHS); n.Op == promparser.DIV && text != "" {
					return []Mutant{sub.edit(s, replace(n, text))}
				}
				return nil
			}),
		},
		{
			Name: "division-upside-down", Does: "a quotient is turned over",
			Ought: by("panel/unit-mismatch", untrue),
			Mutants: eachNode(func(sub *Subject, s *site, n *promparser.BinaryExpr) []Mutant {
				if a, b := s.textOf(n.LHS), s.textOf(n.RHS); n.Op == promparser.DIV && a != "" && b != "" {
					return []Mutant{sub.edit(s, replace(n.LHS, b), replace(n.RHS, a))}
				}
				return nil
			}),
		},
		{
			Name: "times-1000", Does: "a value is a thousand times what its unit says",
			Ought: by("panel/unit-mismatch", untrue),
			Mutants: func(sub *Subject) []Mutant {
				return onSites(sub, func(s *site) Mutant { return sub.wrap(s, "1000 * (", ")") })
			},
		},
		{
			Name: "factor-dropped", Does: "a factor, as that of percent, is left out",
			Ought: by("panel/unit-mismatch", untrue),
			Mutants: eachNode(func(sub *Subject, s *site, n *promparser.BinaryExpr) []Mutant {
				rest := n.RHS
				if _, ok := n.LHS.(*promparser.NumberLiteral); !ok {
					rest = n.LHS
					if _, ok := n.RHS.(*promparser.NumberLiteral); !ok {
						return nil
					}
				}
				if text := s.textOf(rest); text != "" && (n.Op == promparser.MUL || n.Op == promparser.DIV) {
					return []Mutant{sub.edit(s, replace(n, text))}
				}
				return nil
			}),
		},
		{
			Name: "complement-dropped", Does: "the idle part is shown as the busy one",
			Ought: by(untrue),
			Mutants: eachNode(func(sub *Subject, s *site, n *promparser.BinaryExpr) []Mutant {
				if _, one := n.LHS.(*promparser.NumberLiteral); one && n.Op == promparser.SUB && s.textOf(n.RHS) != "" {
					return []Mutant{sub.edit(s, replace(n, s.textOf(n.RHS)))}
				}
				return nil
			}),
		},
		{
			Name: "sign-changed", Does: "a sum becomes a difference, a difference a sum",
			Ought: by(untrue),
			Mutants: eachNode(func(sub *Subject, s *site, n *promparser.BinaryExpr) []Mutant {
				opposite := map[promparser.ItemType]string{promparser.ADD: "-", promparser.SUB: "+"}[n.Op]
				op, ok := s.operator(n)
				if opposite == "" || !ok {
					return nil
				}
				return []Mutant{sub.edit(s, replaceToken(op, opposite))}
			}),
		},
		{
			Name: "side-dropped", Does: "one of two added or alternative parts is left out",
			Ought: slices.Concat(by(untrue), empty("metric-missing", "value-missing")),
			Mutants: eachNode(func(sub *Subject, s *site, n *promparser.BinaryExpr) []Mutant {
				if n.Op != promparser.ADD && n.Op != promparser.LOR || s.textOf(n.LHS) == "" || s.textOf(n.RHS) == "" {
					return nil
				}
				return []Mutant{sub.edit(s, replace(n, s.textOf(n.LHS))), sub.edit(s, replace(n, s.textOf(n.RHS)))}
			}),
		},
		{
			Name: "divisor-clamped", Does: "a divisor is kept at 1 or more",
			Ought: by("promql/nan-hidden", untrue), Outside: true, // seen while there is little traffic
			Mutants: divisors("clamp_min(", ", 1)"),
		},
		{
			Name: "one-added-to-divisor", Does: "1 is added to a divisor",
			Ought: by("promql/nan-hidden", untrue), Outside: true,
			Mutants: divisors("(1 + ", ")"),
		},
		{
			Name: "aggregation-changed", Does: "a sum becomes a mean, a mean a sum, a maximum a minimum",
			Ought: by(untrue),
			Mutants: eachNode(func(sub *Subject, s *site, n *promparser.AggregateExpr) []Mutant {
				other := map[string]string{"sum": "avg", "avg": "sum", "max": "min", "min": "max"}[n.Op.String()]
				start, _ := span(n)
				if other == "" {
					return nil
				}
				return []Mutant{sub.edit(s, part{start, start + len(n.Op.String()), other})}
			}),
		},
	}
}

// groupingOperators change by which labels series are summed and matched.
func groupingOperators() []Operator {
	return []Operator{
		{
			Name: "by-label-renamed", Does: "an aggregation is by a label that its series have not",
			Ought: slices.Concat(by("promql/join-impossible", "panel/legend-label-missing", untrue, "promql/histogram-no-le"), empty("join-mismatch", "histogram-no-le")),
			Mutants: eachNode(func(sub *Subject, s *site, n *promparser.AggregateExpr) []Mutant {
				var out []Mutant
				if keyword, labels, _ := s.grouping(n); keyword.Typ == promparser.BY {
					for _, l := range labels {
						out = append(out, sub.edit(s, replaceToken(l, misspelled(l.Val))))
					}
				}
				return out
			}),
		},
		{
			Name: "by-dropped", Does: "an aggregation is over everything",
			Ought: slices.Concat(by("promql/join-impossible", "panel/legend-label-missing", untrue, "triton/ensemble-double-count"), empty("join-mismatch")),
			Mutants: eachNode(func(sub *Subject, s *site, n *promparser.AggregateExpr) []Mutant {
				keyword, labels, end := s.grouping(n)
				if keyword.Typ != promparser.BY || len(labels) == 0 {
					return nil
				}
				return []Mutant{sub.edit(s, part{int(keyword.Pos), end, ""})}
			}),
		},
		{
			Name: "by-label-dropped", Does: "an aggregation loses one of its labels",
			Ought: slices.Concat(by("promql/join-impossible", "panel/legend-label-missing", untrue, "triton/ensemble-double-count"), empty("join-mismatch")),
			Mutants: eachNode(func(sub *Subject, s *site, n *promparser.AggregateExpr) []Mutant {
				var out []Mutant
				if keyword, labels, end := s.grouping(n); keyword.Typ == promparser.BY && len(labels) > 1 {
					for i := range labels {
						out = append(out, sub.edit(s, part{int(labels[0].Pos), end - 1, joined(labels, i)}))
					}
				}
				return out
			}),
		},
		{
			Name: "by-set-changed", Does: "one side of an operator keeps a label that the other has not",
			Ought: slices.Concat(by("promql/join-impossible", untrue), empty("join-mismatch")),
			Mutants: eachNode(func(sub *Subject, s *site, n *promparser.BinaryExpr) []Mutant {
				var out []Mutant
				for _, side := range []promparser.Expr{n.LHS, n.RHS} {
					keyword, labels, end := s.grouping(side)
					if _, aggregated := side.(*promparser.AggregateExpr); !aggregated || keyword.Typ != promparser.BY || n.Op.IsSetOperator() {
						continue
					}
					if !slices.ContainsFunc(labels, func(l promparser.Item) bool { return l.Val == "job" }) {
						out = append(out, sub.edit(s, part{end - 1, end, ", job)"}))
					}
				}
				return out
			}),
		},
		{
			Name: "on-other-label", Does: "an operator matches its sides on a label that they have not",
			Ought: slices.Concat(by("promql/join-impossible", "panel/query-error", "panel/legend-label-missing", untrue), empty("join-mismatch")),
			Mutants: eachNode(func(sub *Subject, s *site, n *promparser.BinaryExpr) []Mutant {
				op, ok := s.operator(n)
				if !ok || n.VectorMatching == nil || n.Op.IsSetOperator() {
					return nil
				}
				if keyword, labels, _ := s.grouping(n); keyword.Typ == promparser.ON && len(labels) > 0 {
					return []Mutant{sub.edit(s, replaceToken(labels[0], misspelled(labels[0].Val)))}
				}
				if len(n.VectorMatching.MatchingLabels) > 0 {
					return nil
				}
				return []Mutant{sub.edit(s, replaceToken(op, op.Val+" on (job)"))}
			}),
		},
		{
			Name: "le-dropped", Does: "a histogram's quantile is taken of buckets that have lost le",
			Ought: slices.Concat(by("promql/histogram-no-le"), empty("histogram-no-le")),
			Mutants: eachNode(func(sub *Subject, s *site, n *promparser.AggregateExpr) []Mutant {
				var out []Mutant
				if keyword, labels, end := s.grouping(n); keyword.Typ == promparser.BY {
					for i, l := range labels {
						if l.Val == "le" {
							out = append(out, sub.edit(s, part{int(labels[0].Pos), end - 1, joined(labels, i)}))
						}
					}
				}
				return out
			}),
		},
	}
}

func eachNode[N promparser.Node](visit func(*Subject, *site, N) []Mutant) func(*Subject) []Mutant {
	return func(sub *Subject) []Mutant {
		return each(sub, func(s *site, n N, _ []promparser.Node) []Mutant { return visit(sub, s, n) })
	}
}

func eachSelector(visit func(*Subject, *site, *promparser.VectorSelector) []Mutant) func(*Subject) []Mutant {
	return eachNode(visit)
}

func eachMatcher(change func(matcher) part) func(*Subject) []Mutant {
	return eachSelector(func(sub *Subject, s *site, vs *promparser.VectorSelector) []Mutant {
		var out []Mutant
		for _, m := range s.matchers(vs) {
			out = append(out, sub.edit(s, change(m)))
		}
		return out
	})
}

// onSites makes one mutant of every expression.
func onSites(sub *Subject, change func(*site) Mutant) []Mutant {
	var out []Mutant
	for _, s := range sub.sites {
		out = append(out, change(s))
	}
	return out
}

// wrap puts a text before and behind the expression.
func (sub *Subject) wrap(s *site, before, after string) Mutant {
	return sub.edit(s, part{text: before}, part{start: len(s.request.Expr), end: len(s.request.Expr), text: after})
}

// windows gives ranges the length of so many scrapes.
func windows(scrapes float64) func(*Subject) []Mutant {
	return eachNode(func(sub *Subject, s *site, n *promparser.MatrixSelector) []Mutant {
		if sub.Stack.Prometheus == nil {
			return nil
		}
		length := time.Duration(float64(sub.Stack.Prometheus.ScrapeInterval) * scrapes).Round(time.Second)
		_, end := span(n.VectorSelector)
		_, stop := span(n)
		if n.Range <= length || length == 0 {
			return nil
		}
		return []Mutant{sub.edit(s, part{end, stop, "[" + model.Duration(length).String() + "]"})}
	})
}

// divisors wraps what is divided by.
func divisors(before, after string) func(*Subject) []Mutant {
	return eachNode(func(sub *Subject, s *site, n *promparser.BinaryExpr) []Mutant {
		text := s.textOf(n.RHS)
		if _, number := n.RHS.(*promparser.NumberLiteral); n.Op != promparser.DIV || text == "" || number {
			return nil
		}
		return []Mutant{sub.edit(s, replace(n.RHS, before+text+after))}
	})
}

// swap gives the selectors in n of vs' metric the name of the one most like it.
func (sub *Subject) swap(s *site, vs *promparser.VectorSelector, n promparser.Node) []Mutant {
	m, ok := sub.metric(vs)
	if !ok {
		return nil
	}
	other, ok := closest(m, sub.like(m))
	if !ok {
		return nil
	}
	return []Mutant{sub.rename(s, n, vs.Name, other.Name)}
}

// rename gives a metric another name in a part of an expression.
func (sub *Subject) rename(s *site, n promparser.Node, from, to string) Mutant {
	var parts []part
	for _, vs := range rule.Selectors(n) {
		if name, ok := s.name(vs); ok && vs.Name == from {
			parts = append(parts, replaceToken(name, to))
		}
	}
	return sub.edit(s, parts...)
}

// wrongCounter has a divisor count something else: other numbers of things of the
// same exporter, with the same labels or more.
func (sub *Subject) wrongCounter(s *site, divisor promparser.Expr) []Mutant {
	var out []Mutant
	seen := map[string]bool{}
	for _, vs := range rule.Selectors(divisor) {
		m, ok := sub.metric(vs)
		if !ok || seen[vs.Name] || m.Type != catalogue.Counter || m.Unit != "1" {
			continue
		}
		seen[vs.Name] = true
		for _, o := range sub.metrics.Of(m.Exporter) {
			fits := o.Type == m.Type && o.Unit == m.Unit && !o.Removed() && o.Optional == "" && o.Name != m.Name
			for _, l := range m.Labels {
				fits = fits && slices.Contains(o.Labels, l)
			}
			if fits {
				out = append(out, sub.rename(s, divisor, m.Name, o.Name))
			}
		}
	}
	return out
}

// sumAll drops model from the labels that sums are by, and the conditions on it.
func (sub *Subject) sumAll(s *site) Mutant {
	var parts []part
	summed := false
	promparser.Inspect(s.root, func(n promparser.Node, _ []promparser.Node) error {
		switch n := n.(type) {
		case *promparser.AggregateExpr:
			keyword, labels, end := s.grouping(n)
			i := slices.IndexFunc(labels, func(l promparser.Item) bool { return l.Val == "model" })
			if keyword.Typ == promparser.BY && i >= 0 {
				summed = summed || n.Op == promparser.SUM
				parts = append(parts, part{int(labels[0].Pos), end - 1, joined(labels, i)})
			}
		case *promparser.VectorSelector:
			for _, m := range s.matchers(n) {
				if m.name.Val == "model" {
					parts = append(parts, replaceToken(m.op, "=~"), replaceToken(m.value, `".+"`))
				}
			}
		}
		return nil
	})
	if !summed {
		return Mutant{}
	}
	return sub.edit(s, parts...)
}

// operator is the token of a binary operation.
func (s *site) operator(n *promparser.BinaryExpr) (promparser.Item, bool) {
	_, start := span(n.LHS)
	end, _ := span(n.RHS)
	for _, t := range s.within(start, end) {
		if t.Typ == n.Op {
			return t, true
		}
	}
	return promparser.Item{}, false
}

// rated is the selector that a rate is taken of, nil where n is none.
func rated(n *promparser.Call) *promparser.VectorSelector {
	if len(n.Args) == 0 || !slices.Contains([]string{"rate", "irate", "increase"}, n.Func.Name) {
		return nil
	}
	ms, ok := n.Args[0].(*promparser.MatrixSelector)
	if !ok {
		return nil
	}
	vs, _ := ms.VectorSelector.(*promparser.VectorSelector)
	return vs
}

func inMatrix(path []promparser.Node) bool {
	if len(path) == 0 {
		return false
	}
	_, ok := path[len(path)-1].(*promparser.MatrixSelector)
	return ok
}

func firstMetric(n promparser.Node) string {
	for _, vs := range rule.Selectors(n) {
		if vs.Name != "" {
			return vs.Name
		}
	}
	return ""
}

// joined are the labels but one.
func joined(labels []promparser.Item, without int) string {
	var out []string
	for i, l := range labels {
		if i != without {
			out = append(out, l.Val)
		}
	}
	return strings.Join(out, ", ")
}

// misspelled is a name with two of its letters the wrong way round, or one more where
// that changes nothing.
func misspelled(name string) string {
	for i := len(name) - 1; i > 1; i-- {
		if a, b := name[i-1], name[i]; a != b && isLetter(a) && isLetter(b) {
			return name[:i-1] + string([]byte{b, a}) + name[i+1:]
		}
	}
	return name + "x"
}

func isLetter(b byte) bool { return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' }
