package e2e

import (
	"fmt"
	"time"

	"github.com/prometheus/common/model"
	promparser "github.com/prometheus/prometheus/promql/parser"

	"github.com/panelgate/panelgate/e2e/query"
	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/stack"
)

// NeededHistory is how much past Verify lays down for a stack whose panels are asked now.
func NeededHistory(s *stack.Stack, opts Options) time.Duration {
	return min(neededHistory(rule.NewStatic(s, opts.Choose, time.Now())), opts.History)
}

// LeastHistory is how much past a stack's panels need to have data at the end of their
// ranges: what is left of NeededHistory where the rest of a range says nothing new.
func LeastHistory(s *stack.Stack, opts Options) time.Duration {
	const settled = 2 * time.Minute // for a few scrapes before the earliest that is needed
	now := time.Now()
	least := time.Duration(0)
	for _, b := range rule.NewStatic(s, opts.Choose, now).Boards {
		for _, q := range b.Questions {
			for _, req := range q.Requests {
				least = max(least, now.Sub(req.End)+req.Step+q.Reach())
			}
		}
	}
	return min(least+settled, NeededHistory(s, opts))
}

// neededHistory is how far back the panels look: the longest of their ranges
// together with what their expressions look back beyond it.
func neededHistory(in *rule.Static) time.Duration {
	needed := time.Duration(0)
	now := time.Now()
	for _, b := range in.Boards {
		if r, err := b.Range(now); err == nil {
			needed = max(needed, now.Sub(r.From)) // variables look over the whole range
		}
		for _, q := range b.Questions {
			for _, req := range q.Requests {
				needed = max(needed, now.Sub(req.Start)+q.Reach())
			}
		}
	}
	return needed
}

// looksBefore says whether a part of the request looks only at times before from:
// it is empty then whatever the stack does.
func looksBefore(req query.Request, from time.Time) bool {
	root, err := rule.Parse(req.Expr)
	if err != nil {
		return false // panel/query-error says so
	}
	start := req.Start
	if req.Instant {
		start = req.End
	}
	before := false
	promparser.Inspect(root, func(n promparser.Node, path []promparser.Node) error {
		vs, ok := n.(*promparser.VectorSelector)
		if !ok {
			return nil
		}
		latest := req.End
		at := func(timestamp *int64, bound promparser.ItemType, offset time.Duration) {
			switch {
			case timestamp != nil:
				latest = time.UnixMilli(*timestamp)
			case bound == promparser.START:
				latest = start
			case bound == promparser.END:
				latest = req.End
			}
			latest = latest.Add(-offset)
		}
		for _, p := range path {
			if sub, ok := p.(*promparser.SubqueryExpr); ok {
				at(sub.Timestamp, sub.StartOrEnd, sub.OriginalOffset)
			}
		}
		at(vs.Timestamp, vs.StartOrEnd, vs.OriginalOffset)
		before = before || latest.Before(from)
		return nil
	})
	return before
}

// selectorsAsOfNow are the selectors of an expression without what moves them in
// time.
func selectorsAsOfNow(expr string) []string {
	root, err := rule.Parse(expr)
	if err != nil {
		return nil // panel/query-error says so
	}
	var out []string
	promparser.Inspect(root, func(n promparser.Node, _ []promparser.Node) error {
		if vs, ok := n.(*promparser.VectorSelector); ok {
			still := *vs
			still.OriginalOffset, still.Offset, still.Timestamp, still.StartOrEnd = 0, 0, nil, 0
			out = append(out, still.String())
		}
		return nil
	})
	return out
}

// pastOf is how much past is laid down where panels look back so far, with what the
// alerts take.
func (r *run) pastOf(needed time.Duration) time.Duration {
	return min(max(needed, historyOfAlerts(r.stack)), r.History)
}

// noteHistory tells of panels that look back further than there is anything.
func (r *run) noteHistory(needed time.Duration) {
	history := min(needed, r.History)
	if needed-history > history/10 { // a lookback that is cut short is not worth a word
		r.report.Notes = append(r.report.Notes, fmt.Sprintf("the panels look back %s, and %s of it were laid down: --history says how much",
			model.Duration(needed.Round(time.Minute)), model.Duration(history)))
	}
}
