package e2e

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/common/model"
	promparser "github.com/prometheus/prometheus/promql/parser"
	"golang.org/x/sync/errgroup"

	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/e2e/rule"
)

// zeroes looks behind each query over the fakes' metrics whose every sample is zero:
// where each of its selectors has something to show, the formula is what makes it
// zero. It asks one query for each different one.
func (r *run) zeroes(ctx context.Context, src *sources, live *rule.Live) error {
	if live.Instance.World == nil {
		return nil
	}
	var zero []*rule.Asked
	for _, a := range live.Asked {
		if a.Status == rule.StatusOK && a.AllZero() && !live.Expected(a.Question, live.Instance.Now) {
			zero = append(zero, a)
		}
	}
	same, _ := alike(src, zero)
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(r.workers())
	for _, all := range same {
		g.Go(env.Guarded(func() error {
			found := lookBehind(ctx, src, live, all[0])
			for _, a := range all {
				a.Zeroes = found
			}
			return ctx.Err()
		}))
	}
	if err := g.Wait(); err != nil {
		return fmt.Errorf("ask why panels show zero: %w", err)
	}
	return nil
}

// lookBehind is nil where a query is zero because what it reads is, and where that
// cannot be told.
func lookBehind(ctx context.Context, src *sources, live *rule.Live, a *rule.Asked) *rule.Zeroes {
	prom := ours(src, a.Datasource)
	root, err := rule.Parse(a.Request.Expr)
	if err != nil || prom == nil {
		return nil
	}
	parts, ok := movements(root, a)
	if !ok || slices.ContainsFunc(parts, func(m movement) bool { return !faked(live, m.metric) }) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	answer, _, err := prom.Query(ctx, together(parts), a.Request.End)
	vector, isVector := answer.(model.Vector)
	if err != nil || !isVector {
		return nil // what is not known is not held against anybody
	}
	return moving(parts, vector)
}

// moving is nil unless each part has something other than zero.
func moving(parts []movement, answer model.Vector) *rule.Zeroes {
	out := &rule.Zeroes{}
	for i, m := range parts {
		at := slices.IndexFunc(answer, func(s *model.Sample) bool { return string(s.Metric[partLabel]) == strconv.Itoa(i) })
		if at < 0 || !(answer[at].Value > 0) {
			return nil
		}
		out.Moving = append(out.Moving, fmt.Sprintf("%s comes to %s", m.selector, strconv.FormatFloat(float64(answer[at].Value), 'g', 6, 64)))
	}
	return out
}

// movement asks whether a selector of a query has something to show.
type movement struct {
	metric, selector string
	query            string
}

// partLabel tells the parts of one answer apart.
const partLabel = "panelgate_part"

// together is one query for all parts.
func together(parts []movement) string {
	var out []string
	for i, m := range parts {
		out = append(out, fmt.Sprintf(`label_replace(%s, "%s", "%d", "", "")`, m.query, partLabel, i))
	}
	return strings.Join(out, " or ")
}

// movements are what the selectors of a query have in its time. ok is false where zero
// may well be the truth whatever they have: differences, comparisons, the least of
// several, what counts changes, and what looks elsewhere in time.
func movements(root promparser.Expr, a *rule.Asked) (parts []movement, ok bool) {
	ok = true
	seen := map[string]bool{}
	promparser.Inspect(root, func(n promparser.Node, path []promparser.Node) error {
		switch n := n.(type) {
		case *promparser.BinaryExpr:
			ok = ok && (n.Op == promparser.ADD || n.Op == promparser.MUL || n.Op == promparser.DIV || n.Op == promparser.POW || n.Op == promparser.LOR)
		case *promparser.AggregateExpr:
			ok = ok && slices.Contains([]promparser.ItemType{promparser.SUM, promparser.AVG, promparser.MAX, promparser.TOPK}, n.Op)
		case *promparser.SubqueryExpr:
			ok = false
		case *promparser.Call:
			ok = ok && slices.Contains(plainFunctions(), n.Func.Name)
		case *promparser.VectorSelector:
			if n.OriginalOffset != 0 || n.Timestamp != nil || n.StartOrEnd != 0 || n.Anchored || n.Smoothed {
				ok = false
				return nil
			}
			if m := movementOf(n, path, a); !seen[m.query] {
				seen[m.query] = true
				parts = append(parts, m)
			}
		}
		return nil
	})
	return parts, ok && len(parts) > 0
}

// plainFunctions are those that make zero of something else only by mistake: rounding
// away what is small, or capping at nothing.
func plainFunctions() []string {
	return []string{"rate", "irate", "increase", "avg_over_time", "max_over_time", "sum_over_time", "last_over_time",
		"round", "floor", "ceil", "clamp", "clamp_max", "abs", "sqrt", "label_replace", "label_join", "sort", "sort_desc", "scalar", "vector"}
}

// movementOf asks for the largest value of a selector at the very steps of the query;
// of one with a window, for that of the function over it.
func movementOf(vs *promparser.VectorSelector, path []promparser.Node, a *rule.Asked) movement {
	leaf := promparser.Node(vs)
	for i, p := range path {
		if _, ok := p.(*promparser.MatrixSelector); ok && i > 0 {
			leaf = path[i-1]
		}
	}
	out := movement{metric: vs.Name, selector: leaf.String()}
	if a.Request.Instant {
		out.query = fmt.Sprintf("max(abs(%s))", leaf)
		return out
	}
	span := model.Duration(max(a.Request.End.Sub(a.Request.Start), a.Request.Step))
	out.query = fmt.Sprintf("max(max_over_time(abs(%s)[%s:%s]))", leaf, span, model.Duration(a.Request.Step))
	return out
}

// faked says whether a metric is one that a fake prints here.
func faked(live *rule.Live, metric string) bool {
	exporter := live.Metrics.Exporter(metric)
	return exporter != "" && slices.ContainsFunc(live.Instance.Targets, func(t env.Target) bool { return t.AnsweredBy == exporter && t.Up })
}
