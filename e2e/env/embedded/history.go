package embedded

import (
	"container/heap"
	"context"
	"fmt"
	"hash/fnv"
	"time"

	"github.com/prometheus/prometheus/model/timestamp"
	"github.com/prometheus/prometheus/rules"

	"github.com/panelgate/panelgate/fakes"
)

// history lays down what Prometheus would hold had it been running for a while.
// Everything goes to the database in the order of time, across all targets and
// rule groups: the database takes samples only so far behind its newest one, and
// a rule sees what had been scraped when its turn came, and no more.
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
	run      func(ctx context.Context, at time.Time) error
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
		h.due = append(h.due, &event{at: at, interval: g.Interval(), rank: len(h.due), run: evaluation(g)})
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
