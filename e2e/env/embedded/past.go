package embedded

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/model/timestamp"
	"github.com/prometheus/prometheus/tsdb"

	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/stack"
)

// Past is what a stack's Prometheus would hold had it been running, together with
// who answers for its targets.
type Past struct {
	World *fakes.World
	// From is when the history begins, as Options.From says it; the first scrapes
	// spread over the interval behind it. To is the time of the last sample, From
	// where there is none.
	From, To time.Time
	// Targets are the targets after relabelling, none of them scraped yet: not up
	// and without an error. One whose address makes no target has no URL.
	Targets []env.Target
	Lines   []Line // by address, each once
	Series  int    // how many were laid down
}

// Line is an address that Prometheus dials and who is to answer there.
type Line struct {
	Address string      // host:port
	Fake    string      // the exporter that answers, "" for Live, Self or nobody
	Setup   fakes.Setup // of the fake
	Live    bool        // the address itself
	Self    bool        // this Prometheus
	TLS     bool        // scraped by https, which whoever answers speaks
}

// LayPast writes the stack's past as TSDB blocks below dir, to be copied into the
// empty storage directory of a Prometheus before it starts. That may be an older
// one: indices and chunks are of the formats that Prometheus 2 reads. It takes
// live samples from right after Past.To on. Without a history nothing is written.
// ctx bounds the work; when it ends first, its error and cause are returned and no
// block is there.
func LayPast(ctx context.Context, p *stack.Prometheus, dir string, opts Options) (past *Past, err error) {
	if opts, err = opts.complete(); err != nil {
		return nil, fmt.Errorf("lay down the past: %w", err)
	}
	cfg, err := readConfig(p, opts)
	if err != nil {
		return nil, err
	}
	e := &Env{}
	defer func() { // on errors, and on panics too
		if closeErr := e.Close(); closeErr != nil {
			past, err = nil, errors.Join(err, closeErr)
		}
	}()
	past, err = e.layPast(ctx, cfg, p, dir, opts)
	if err != nil && ctx.Err() != nil {
		err = ended(ctx)
	}
	return past, err
}

func (e *Env) layPast(ctx context.Context, cfg *config.Config, p *stack.Prometheus, dir string, opts Options) (*Past, error) {
	g, err := e.prepare(ctx, cfg, opts)
	if err != nil {
		return nil, err
	}
	if err := newHistory(g, opts).lay(ctx, opts.From); err != nil {
		return nil, err
	}
	to, err := g.store.writeBlock(ctx, dir, opts)
	if err != nil {
		return nil, err
	}
	return &Past{
		World:   g.board.world,
		From:    milliseconds(opts.From),
		To:      to,
		Targets: g.describeTargets(p),
		Lines:   g.lines(),
		Series:  int(g.store.Head().NumSeries()),
	}, nil
}

// milliseconds is a time as samples have it.
func milliseconds(t time.Time) time.Time { return timestamp.Time(timestamp.FromTime(t)) }

// writeBlock writes all there is as one block below dir and returns the time of
// the last sample. One block, however long, is what Prometheus has least work
// with: it is aligned to nothing that the compactor would join it to.
func (s *store) writeBlock(ctx context.Context, dir string, opts Options) (time.Time, error) {
	head := s.Head()
	first := head.MinTime()
	// A target that stamps its samples itself may be ahead; a block must not be.
	last := min(head.MaxTime(), timestamp.FromTime(opts.Now()))
	if first > last { // also where there is no sample at all
		return milliseconds(opts.From), nil
	}
	// The database's own compactor would not stop when ctx ends.
	compactor, err := tsdb.NewLeveledCompactor(ctx, nil, component(opts.Logger, "tsdb"), []int64{last + 1 - first}, nil, nil)
	if err != nil {
		return time.Time{}, fmt.Errorf("prepare writing the past: %w", err)
	}
	// A block ends before its maximum: the next sample may come a millisecond later.
	if _, err := compactor.Write(dir, tsdb.NewRangeHead(head, first, last), first, last+1, nil); err != nil {
		return time.Time{}, fmt.Errorf("write the past to %s: %w", dir, err)
	}
	return timestamp.Time(last), nil
}

// describeTargets are the targets as nobody has scraped them.
func (g *groundwork) describeTargets(p *stack.Prometheus) []env.Target {
	out := []env.Target{}
	for _, t := range g.targets {
		out = append(out, t.describe(p))
	}
	sortTargets(out)
	return out
}

// lines are all addresses of targets and who answers there.
func (g *groundwork) lines() []Line {
	byAddress := map[string]Line{}
	for _, t := range g.targets {
		if t.scrape == nil {
			continue
		}
		out := byAddress[t.address]
		out.Address = t.address
		out.TLS = out.TLS || t.scrape.URL().Scheme == "https"
		if l := t.line; l != nil {
			out.Live = l.handler == nil
			out.Self = !out.Live && l.fake == nil
			if l.fake != nil {
				out.Fake, out.Setup = l.name, l.setup
				out.TLS = out.TLS && !plainOnly(l.name)
			}
		}
		byAddress[t.address] = out
	}
	return slices.SortedFunc(maps.Values(byAddress), func(a, b Line) int { return cmp.Compare(a.Address, b.Address) })
}
