package e2e

import (
	"context"
	"sync"
	"time"

	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"

	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/e2e/query"
	"github.com/panelgate/panelgate/e2e/rule"
)

// plan is what a run asks: each different query once, however many panels show its
// answer. Teams copy dashboards.
type plan struct{ shared map[*rule.Asked]*shared }

// identity is by what queries are the same.
type identity struct {
	prom       promv1.API
	expr       string
	start, end int64 // in nanoseconds
	step       time.Duration
	instant    bool
}

func identityOf(prom promv1.API, req query.Request) identity {
	out := identity{prom: prom, expr: req.Expr, end: req.End.UnixNano(), instant: req.Instant}
	if !req.Instant {
		out.start, out.step = req.Start.UnixNano(), req.Step
	}
	return out
}

// shared is a query with all that wait for its answer.
type shared struct {
	prom promv1.API
	ask  sync.Once
	// left is how many have not been judged yet: with the last one the answer is dropped.
	left  int
	asked *rule.Asked // the one that was put to Prometheus, nil until then
}

// newPlan finds out which of the entries ask the same. Those that ask nobody, and those
// that a real Grafana is asked too, are in none.
func newPlan(src *sources, all []*rule.Asked) *plan {
	p := &plan{shared: map[*rule.Asked]*shared{}}
	same := map[identity]*shared{}
	for _, a := range all {
		if a.Status != "" || !a.Asks() {
			continue
		}
		prom, err := src.of(a.Datasource)
		if err != nil || prom == nil {
			continue
		}
		id := identityOf(prom, a.Request)
		if same[id] == nil {
			same[id] = &shared{prom: prom}
		}
		same[id].left++
		p.shared[a] = same[id]
	}
	return p
}

// of gives an entry its answer, by asking where nobody has before.
func (s *shared) of(a *rule.Asked, ask func(promv1.API, *rule.Asked)) {
	s.ask.Do(func() {
		ask(s.prom, a)
		s.asked = a
	})
	if first := s.asked; first != a {
		a.Sent, a.Every, a.Duration = first.Sent, first.Every, first.Duration
		a.Series, a.Samples, a.Finite, a.Answer, a.Err = first.Series, first.Samples, first.Finite, first.Answer, first.Err
	}
}

// release drops the answers to entries that have been judged, as soon as nobody else
// waits for them.
func (p *plan) release(judged []*rule.Asked) {
	for _, a := range judged {
		s := p.shared[a]
		if s == nil {
			continue
		}
		delete(p.shared, a)
		if s.left--; s.asked != a {
			a.Answer = nil
		}
		if s.left == 0 && s.asked != nil {
			s.asked.Answer = nil
		}
	}
}

// chunk is a number of dashboards that are asked and judged together, those of one file
// never apart: their answers can go before those of the next ones come.
type chunk struct {
	*rule.Live
	all       *rule.Live
	variables []int // where Variables stand in all
}

// boardsAtOnce is how many dashboards a chunk has at least, where there are as many.
const boardsAtOnce = 48

// chunks are the dashboards a few at a time, one chunk even without any; whole says that
// all are to be in one.
func chunks(all *rule.Live, whole bool) []*chunk {
	var groups [][]*rule.Board
	for _, boards := range rule.Files(all.Boards) {
		last := len(groups) - 1
		if last < 0 || !whole && len(groups[last]) >= boardsAtOnce {
			groups, last = append(groups, nil), last+1
		}
		groups[last] = append(groups[last], boards...)
	}
	if len(groups) == 0 {
		groups = append(groups, nil) // what goes on beside it is waited for
	}
	asked, variables := map[*rule.Board][]*rule.Asked{}, map[*rule.Board][]int{}
	for _, a := range all.Asked {
		asked[a.Board] = append(asked[a.Board], a)
	}
	for i, v := range all.Variables {
		variables[v.Board] = append(variables[v.Board], i)
	}
	var out []*chunk
	for _, boards := range groups {
		live, static := *all, *all.Static
		static.Boards = boards
		live.Static, live.Asked, live.Variables = &static, nil, nil
		c := &chunk{Live: &live, all: all}
		for _, b := range boards {
			live.Asked = append(live.Asked, asked[b]...)
			c.variables = append(c.variables, variables[b]...)
		}
		for _, i := range c.variables {
			live.Variables = append(live.Variables, all.Variables[i])
		}
		out = append(out, c)
	}
	return out
}

// keep puts back what was found out of the variables.
func (c *chunk) keep() {
	for at, i := range c.variables {
		c.all.Variables[i] = c.Variables[at]
	}
}

// shed drops what judging took and nobody asks for behind it.
func (c *chunk) shed() {
	for _, b := range c.Boards {
		b.Questions = nil
	}
	for _, a := range c.Asked {
		a.Request.Mapping = query.Mapping{}
		for i := range a.Requests {
			a.Requests[i].Mapping = query.Mapping{}
		}
	}
}

// enoughPoints is how many points of a line tell what a verdict needs to know of it,
// where nothing happens on the way. Of a day they are so far apart that most of its
// samples need not be read.
const enoughPoints = 10

// stride is which of a query's steps are evaluated, 1 for all: every so many-th, back
// from its end, where the verdict needs no more.
func stride(req query.Request) int {
	if req.Instant || req.Step <= 0 {
		return 1
	}
	steps := int(req.End.Sub(req.Start) / req.Step)
	return max(steps/enoughPoints, 1)
}

// thinned is a request at every so many-th of its steps, its last one among them.
func thinned(req query.Request, every int) query.Request {
	steps := int(req.End.Sub(req.Start)/req.Step) / every
	req.Step *= time.Duration(every)
	req.Start = req.End.Add(-time.Duration(steps) * req.Step)
	return req
}

// uneventful says whether a part of a panel's time tells of all of it: where everything
// that is scraped is acted out, and the scenario lets nothing happen.
func uneventful(live *rule.Live) bool {
	in := live.Instance
	if in.World == nil || in.World.Eventful() {
		return false
	}
	for _, t := range in.Targets {
		if t.Setup == nil && t.AnsweredBy != "" && t.AnsweredBy != env.AnsweredSelf {
			return false // nobody knows what a recording or a live target does
		}
	}
	return true
}

// plainly says whether an answer to a part of the steps leaves nothing to look into.
func plainly(a *rule.Asked) bool {
	return a.Err == nil && a.Finite > 0 && a.Finite == a.Samples && !a.AllZero()
}

// bounded says whether panelgate.yml declares between which values a query's lie.
func bounded(live *rule.Live, a *rule.Asked) bool {
	for i := range live.Expectations {
		e := &live.Expectations[i]
		if e.Is == rule.ExpectsBetween && e.About(a.Question) {
			return true
		}
	}
	return false
}

// askLeanly asks for as many steps as the verdict needs, and for all of them where those
// leave a doubt.
func askLeanly(ctx context.Context, prom promv1.API, a *rule.Asked, live *rule.Live) {
	if every := stride(a.Request); every > 1 && !bounded(live, a) {
		answer(ctx, prom, a, every)
		if plainly(a) || ctx.Err() != nil {
			return
		}
	}
	answer(ctx, prom, a, 1)
}
