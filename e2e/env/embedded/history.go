package embedded

import (
	"container/heap"
	"context"
	"fmt"
	"hash/fnv"
	"runtime"
	"time"

	"github.com/prometheus/prometheus/model/timestamp"
	"github.com/prometheus/prometheus/rules"
	"golang.org/x/sync/errgroup"

	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/fakes"
)

// history lays down what Prometheus would hold had it been running for a while.
// Targets are scraped side by side, each in the order of time, as far as the next
// evaluation of a rule: that sees what had been scraped when its turn came, and no
// more. The database takes samples so far behind its newest one that it makes no
// difference how far one target is ahead of another.
type history struct {
	store    *store
	due      schedule
	targets  []*target
	rules    *ruleSet
	world    *fakes.World
	now      func() time.Time
	clock    *stopwatch
	progress func(stage string, done, total int)
}

func newHistory(g *groundwork, opts Options) *history {
	return &history{store: g.store, targets: g.targets, rules: g.rules, world: g.board.world, now: opts.Now, clock: opts.clock, progress: opts.Progress}
}

// event is something that recurs: the scrapes of a target or the evaluations of
// a rule group.
type event struct {
	at       time.Time
	interval time.Duration
	rank     int // among events of the same time: scrapes before rules, else as configured
	rules    bool
	run      func(ctx context.Context, at time.Time) error
}

// runUntil has an event recur up to a time, and those at it too.
func (e *event) runUntil(ctx context.Context, until time.Time) error {
	for ; !e.at.After(until); e.at = e.at.Add(e.interval) {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := e.run(ctx, e.at); err != nil {
			return fmt.Errorf("lay down history at %s: %w", e.at.UTC().Format(time.RFC3339), err)
		}
	}
	return nil
}

// whole says whether an event is followed by a whole interval before the end.
// The live scrape comes right behind the history: a sample any nearer to it would
// be one more than the configured interval has, and would hide a window that is
// too short for it.
func (e *event) whole(end time.Time) bool { return !e.at.Add(e.interval).After(end) }

// schedule is a heap of events, the next one first.
type schedule []*event

// Len implements heap.Interface.
func (s schedule) Len() int { return len(s) }

// Less implements heap.Interface.
func (s schedule) Less(i, j int) bool {
	if !s[i].at.Equal(s[j].at) {
		return s[i].at.Before(s[j].at)
	}
	return s[i].rank < s[j].rank
}

// Swap implements heap.Interface.
func (s schedule) Swap(i, j int) { s[i], s[j] = s[j], s[i] }

// Push implements heap.Interface.
func (s *schedule) Push(x any) { *s = append(*s, x.(*event)) }

// Pop implements heap.Interface.
func (s *schedule) Pop() any {
	last := (*s)[len(*s)-1]
	*s = (*s)[:len(*s)-1]
	return last
}

// lay writes the time from from until it has caught up with the present.
func (h *history) lay(ctx context.Context, from time.Time) error {
	from = timestamp.Time(timestamp.FromTime(from))
	end := h.now()
	if !from.Before(end) {
		return nil
	}
	if err := h.plan(from); err != nil {
		return err
	}
	told := -1
	for len(h.due) > 0 {
		if err := h.scrapeOn(ctx, from, end); err != nil {
			return err
		}
		next := h.due[0]
		if !next.whole(end) {
			if err := h.clock.check(); err != nil {
				return err // the end may be years away now
			}
			if end = h.now(); !next.whole(end) { // laying it down takes time, too
				heap.Pop(&h.due)
				continue
			}
		}
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		if err := next.run(ctx, next.at); err != nil {
			return fmt.Errorf("lay down history at %s: %w", next.at.UTC().Format(time.RFC3339), err)
		}
		const total = 100
		if percent := min(int(next.at.Sub(from)*total/end.Sub(from)), total); percent != told {
			h.progress("history", percent, total)
			told = percent
		}
		next.at = next.at.Add(next.interval)
		heap.Fix(&h.due, 0)
	}
	return nil
}

// stretch is how much of the past is laid down at once, where no rule is evaluated in
// between: often enough to see that nobody waits any more.
const stretch = 10 * time.Minute

// scrapeOn lays down the scrapes up to the next evaluation of a rule side by side, all of
// which are a whole interval before the end. What is left is for lay, one event at a
// time: the first scrapes of all targets, too, so that series are always made in the same
// order, and with it sums are added up in it.
func (h *history) scrapeOn(ctx context.Context, from, end time.Time) error {
	until := h.due[0].at.Add(stretch)
	slowest := time.Duration(0)
	for _, e := range h.due {
		switch {
		case e.rules:
			if before := e.at.Add(-time.Millisecond); before.Before(until) {
				until = before
			}
		case e.at.Sub(from) < e.interval: // its first is still to come
			return nil
		default:
			slowest = max(slowest, e.interval)
		}
	}
	if last := end.Add(-slowest); last.Before(until) {
		until = last
	}
	var lanes errgroup.Group
	lanes.SetLimit(runtime.GOMAXPROCS(0))
	for _, e := range h.due {
		if !e.rules && !e.at.After(until) {
			lanes.Go(env.Guarded(func() error { return e.runUntil(ctx, until) }))
		}
	}
	err := lanes.Wait()
	heap.Init(&h.due)
	return err
}

// plan schedules the first event of every target and rule group at or after from.
func (h *history) plan(from time.Time) error {
	active := map[string]int{}
	for _, t := range h.targets {
		if t.scrape != nil {
			active[t.job.JobName]++
		}
	}
	for _, t := range h.targets {
		if t.err != nil || t.line != nil && t.line.fake == nil {
			continue // live ones and Prometheus itself have no past that is known
		}
		f, err := newFeed(t, h.store, h.world, active[t.job.JobName])
		if err != nil {
			return err
		}
		h.due = append(h.due, &event{at: f.first(from), interval: f.interval, rank: len(h.due), run: f.scrape})
	}
	for _, g := range h.rules.manager.RuleGroups() {
		at := g.EvalTimestamp(from.UnixNano())
		if at.Before(from) {
			at = at.Add(g.Interval())
		}
		h.due = append(h.due, &event{at: at, interval: g.Interval(), rank: len(h.due), rules: true, run: evaluation(g)})
	}
	heap.Init(&h.due)
	return nil
}

// evaluation evaluates a rule group. That a rule fails is no error of ours: its
// health says so.
func evaluation(g *rules.Group) func(context.Context, time.Time) error {
	return func(ctx context.Context, at time.Time) error {
		g.Eval(ctx, at)
		return nil
	}
}

// first is when the feed's target is scraped for the first time at or after from.
// Targets are spread over the interval, as Prometheus spreads them.
func (f *feed) first(from time.Time) time.Time {
	h := fnv.New64a()
	_, _ = h.Write([]byte(f.target.key)) // a hash takes everything
	offset := time.Duration(h.Sum64() % uint64(f.interval)).Truncate(time.Millisecond)
	return from.Add(offset)
}
