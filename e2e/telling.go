package e2e

import (
	"slices"

	"github.com/panelgate/panelgate/e2e/rule"
)

// telling is what has to be known to tell of queries while a run goes on, in the order
// of its report.
type telling struct {
	known   []*rule.Asked // what earlier runs have asked
	queries []*rule.Asked // of the report, those that have not been told
	settled map[*rule.Asked]bool
}

// announce tells what the run is about to ask, once that is known. What is known from
// earlier runs is told as soon as its turn comes.
func (r *run) announce(asked []*rule.Asked) {
	if r.Asking != nil {
		r.Asking(r.report.Boards)
	}
	if r.Answered == nil {
		return
	}
	of := map[*rule.Board][]*rule.Asked{}
	for _, a := range slices.Concat(r.told.known, asked) {
		of[a.Board] = append(of[a.Board], a)
	}
	for _, b := range r.report.Boards {
		r.told.queries = append(r.told.queries, of[b]...)
	}
	r.told.settled = map[*rule.Asked]bool{}
	r.settle(r.told.known...)
}

// settle takes in queries that have come to what the report will say of them, some for
// the second time, and tells of those whose turn has come. It is for any goroutine, and
// waits for whoever is told: nothing is asked faster than that.
func (r *run) settle(asked ...*rule.Asked) {
	if r.Answered == nil {
		return
	}
	r.counting.Lock()
	defer r.counting.Unlock()
	for _, a := range asked {
		r.told.settled[a] = true
	}
	for len(r.told.queries) > 0 && r.told.settled[r.told.queries[0]] {
		r.Answered(r.told.queries[0])
		r.told.queries = r.told.queries[1:]
	}
}

// settled says whether a query that was just asked has come to what it will: one at some
// of its steps may be asked for all of them when its panel is judged, and what is empty
// may come to prove nothing.
func settled(a *rule.Asked, live *rule.Live) bool {
	return a.Every <= 1 && (a.Finite > 0 || !mayProveNothing(a, live))
}

// mayProveNothing says whether an empty answer may be the doing of the history that was
// laid down.
func mayProveNothing(a *rule.Asked, live *rule.Live) bool {
	return a.Samples == 0 && looksBefore(a.Request, live.Instance.From)
}
