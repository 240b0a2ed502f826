package fakes_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	promparser "github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/teststorage"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/fakes/internal/scrapetest"
	"github.com/panelgate/panelgate/fakes/triton"
)

// started is when the worlds of these tests start.
var started = time.Date(2026, 3, 1, 8, 0, 0, 123_000_000, time.UTC)

// author writes random scenarios.
type author struct{ *rand.Rand }

func (a author) between(low, high float64) float64 { return low + (high-low)*a.Float64() }

func (a author) seconds(low, high int) time.Duration {
	return time.Duration(low+a.IntN(high-low+1)) * time.Second
}

func (a author) wave(mean float64) string {
	if a.IntN(3) == 0 {
		return fmt.Sprintf("%.4f", mean)
	}
	return fmt.Sprintf("{mean: %.4f, waves: [{swing: %.3f, period: %s}, {swing: %.3f, period: %s, phase: %.2f}]}", mean,
		a.between(0, 0.4), a.seconds(120, 4000), a.between(0, 0.3), a.seconds(60, 900), a.Float64())
}

func (a author) stages() string {
	return fmt.Sprintf("{queue: %s, compute_input: %s, compute_infer: %s, compute_output: %.2f}",
		a.wave(a.between(0, 40_000)), a.wave(a.between(0, 300)), a.wave(a.between(100, 4000)), a.between(0, 200))
}

// scenario is two or three models, two of them perhaps steps of an ensemble, a GPU and some events.
func (a author) scenario() string {
	var b strings.Builder
	b.WriteString("version: 1\nmodels:\n")
	names := []string{"a", "b", "c"}[:2+a.IntN(2)]
	for i, name := range names {
		rate := a.between(0.2, 8)
		fmt.Fprintf(&b, "  - name: %s\n    requests_per_second: %s\n    stages_us: %s\n    overhead_us: %.1f\n", name, a.wave(rate), a.stages(), a.between(1, 300))
		if a.IntN(2) == 0 {
			fmt.Fprintf(&b, "    failures_per_second: {%s: %.4f}\n", fakes.Reasons()[a.IntN(4)], rate*a.between(0.001, 0.05))
		}
		if a.IntN(3) == 0 {
			fmt.Fprintf(&b, "    response_cache: {hit_ratio: %.2f}\n", a.Float64())
		}
		if i == 0 {
			b.WriteString("    gpu: 0\n")
		}
		if i == 2 && a.IntN(2) == 0 {
			fmt.Fprintf(&b, "    loaded_after: %s\n", a.seconds(1, 1500))
		}
	}
	if a.IntN(2) == 0 {
		fmt.Fprintf(&b, "  - {name: whole, kind: ensemble, steps: [a, b], requests_per_second: %s}\n", a.wave(a.between(0.2, 8)))
		names = append(names, "whole")
	}
	b.WriteString("gpus: [{load: 0.1}]\n")
	for i := range a.IntN(5) {
		if i == 0 {
			b.WriteString("events:\n")
		}
		fmt.Fprintf(&b, "  - {%s}\n", a.event(names))
	}
	return b.String()
}

// event is something that happens for a while, mostly again and again, and may come and go little by little.
func (a author) event(names []string) string {
	every, lasts := a.seconds(600, 2400), a.seconds(20, 500)
	times := fmt.Sprintf("at: %s, for: %s", a.seconds(0, 1200), lasts)
	if a.IntN(4) > 0 {
		times += fmt.Sprintf(", every: %s", every)
	}
	gently := times
	if a.IntN(2) == 0 {
		gently += fmt.Sprintf(", rise: %s", a.seconds(1, int(lasts.Seconds())/2))
	}
	if a.IntN(2) == 0 {
		gently += fmt.Sprintf(", fall: %s", a.seconds(1, int(lasts.Seconds())/2))
	}
	one := fmt.Sprintf(", models: [%s]", names[a.IntN(len(names))])
	switch a.IntN(9) {
	case 0:
		return times + ", traffic: 0"
	case 1:
		return gently + fmt.Sprintf(", traffic: %.2f", a.between(0.05, 5))
	case 2:
		return gently + fmt.Sprintf(", traffic: %.2f", a.between(0.5, 4)) + one
	case 3:
		return gently + fmt.Sprintf(", slowdown: {queue: %.2f, compute_infer: %.2f}", a.between(0.5, 50), a.between(0.5, 2)) + one
	case 4:
		return gently + fmt.Sprintf(", failures_per_second: {BACKEND: %s}", a.wave(a.between(0.01, 0.3))) + one
	case 5:
		return gently + fmt.Sprintf(", throttle: %.2f", a.between(0.4, 1))
	case 6:
		return times + ", unload: true" + one
	case 7:
		return times + ", outage: restart, exporters: [triton]"
	}
	return times + ", outage: " + []string{"lost", "refused"}[a.IntN(2)]
}

// worlds are worlds of random scenarios that a machine can carry.
func worlds(t *testing.T, n int, each func(t *testing.T, w *fakes.World)) {
	t.Helper()
	a := author{rand.New(rand.NewPCG(7, 11))}
	for written, carried := 0, 0; carried < n; written++ {
		require.Less(t, written, 3*n+20, "hardly a scenario is valid")
		yaml := a.scenario()
		s, err := fakes.ParseScenario("random.yaml", []byte(yaml))
		if err != nil {
			require.Regexp(t, "busy|outnumber", err.Error(), yaml)
			continue
		}
		carried++
		t.Run(fmt.Sprint(written), func(t *testing.T) {
			defer func() {
				if t.Failed() {
					t.Log(yaml)
				}
			}()
			each(t, fakes.NewWorld(s, started))
		})
	}
}

// stayOf is which of the model's stays a time lies in, counted from 0; -1 for none.
func stayOf(m *fakes.Model, at time.Time) int {
	return slices.IndexFunc(m.Stays(), func(s fakes.Stay) bool {
		return !at.Before(s.From) && (s.To.IsZero() || at.Before(s.To))
	})
}

func numbers(c fakes.Counters) []int64 {
	return append(c.Failures[:], c.Success, c.Inferences, c.Executions, c.RequestUS, c.QueueUS, c.ComputeInputUS, c.ComputeInferUS,
		c.ComputeOutputUS, c.CacheHits, c.CacheMisses, c.CacheHitUS, c.CacheMissUS)
}

// Whatever happens, counters hold together at every moment, and fall only where they begin anew.
func TestCountersFallOnlyAtAReset(t *testing.T) {
	random := rand.New(rand.NewPCG(8, 12))
	steps := []time.Duration{time.Millisecond, 9 * time.Millisecond, time.Second, 15 * time.Second, 5 * time.Minute}
	worlds(t, 40, func(t *testing.T, w *fakes.World) {
		for _, m := range w.Models() {
			at := started.Add(-time.Second)
			var last fakes.Counters
			in := -1
			for range 800 {
				at = at.Add(steps[random.IntN(len(steps))])
				c := m.Counters(at)
				if now := stayOf(m, at); now != in {
					last, in = fakes.Counters{}, now
				}
				if in < 0 {
					require.Zero(t, c, "%s is not loaded at %s", m.Name(), at)
				}
				before, after := numbers(last), numbers(c)
				for i := range before {
					require.GreaterOrEqual(t, after[i], before[i], "%s, counter %d at %s", m.Name(), i, at)
				}
				require.GreaterOrEqual(t, c.RequestUS, c.QueueUS+c.ComputeInputUS+c.ComputeInferUS+c.ComputeOutputUS)
				require.LessOrEqual(t, c.Executions, c.Inferences)
				require.Equal(t, c.Success == 0, c.RequestUS == 0, "time is counted for requests that ended")
				if m.Cached() {
					require.Equal(t, c.Success, c.CacheHits+c.CacheMisses)
				}
				last = c
			}
		}
		for _, g := range w.GPUs() {
			for at := started; at.Before(started.Add(3 * time.Hour)); at = at.Add(17 * time.Second) {
				require.LessOrEqual(t, g.Utilization(at), 1.0)
				require.GreaterOrEqual(t, g.Utilization(at), 0.0)
			}
		}
	})
}

// seen is what a Prometheus has of a world.
type seen struct {
	storage storage.Queryable
	engine  *promql.Engine
	scrapes []time.Time // that succeeded
}

const scrapeInterval = 15 * time.Second

// scraped has a Prometheus scrape a world's Triton for a while.
func scraped(t *testing.T, w *fakes.World, until time.Time) *seen {
	t.Helper()
	store := teststorage.New(t)
	s := &seen{storage: store, engine: promql.NewEngine(promql.EngineOpts{
		MaxSamples: 1e6, Timeout: time.Minute, Parser: promparser.NewParser(promparser.Options{}),
	})}
	t.Cleanup(func() { assert.NoError(t, s.engine.Close()) })
	e := triton.New(w, "box:8002")
	var body []byte
	for at := started.Add(2 * time.Second); !at.After(until); at = at.Add(scrapeInterval) {
		if out := w.Outage("triton", at); out.Lost || out.Refused {
			continue
		}
		body = e.AppendScrape(body[:0], at)
		parsed := scrapetest.Parse(t, body, e.ContentType())
		app := store.Appender(t.Context())
		for _, set := range parsed.Sets {
			if !strings.HasPrefix(set.Get(model.MetricNameLabel), "nv_inference_request") {
				continue
			}
			_, err := app.Append(0, set, at.UnixMilli(), parsed.Series[set.String()])
			require.NoError(t, err)
		}
		require.NoError(t, app.Commit())
		s.scrapes = append(s.scrapes, at)
	}
	return s
}

// increase is what Prometheus makes of a model's counter over a window.
func (s *seen) increase(t *testing.T, metric string, m *fakes.Model, from, to time.Time) float64 {
	t.Helper()
	expr := fmt.Sprintf(`sum(increase(%s{model=%q}[%dms]))`, metric, m.Name(), to.Sub(from).Milliseconds())
	q, err := s.engine.NewInstantQuery(t.Context(), s.storage, nil, expr, to)
	require.NoError(t, err)
	defer q.Close()
	v, err := q.Exec(t.Context()).Vector()
	require.NoError(t, err)
	if len(v) == 0 {
		return 0 // too few scrapes
	}
	require.Equal(t, labels.EmptyLabels(), v[0].Metric)
	return v[0].F
}

// gap is the longest time in a window without a scrape.
func (s *seen) gap(from, to time.Time) time.Duration {
	longest, last := time.Duration(0), from
	for _, at := range s.scrapes {
		if at.After(from) && !at.After(to) {
			longest, last = max(longest, at.Sub(last)), at
		}
	}
	return max(longest, to.Sub(last))
}

// away is how often a model was not loaded in a window.
func away(m *fakes.Model, from, to time.Time) int {
	n, free := 0, time.Time{}
	for _, s := range append(m.Stays(), fakes.Stay{From: to.Add(time.Hour)}) {
		if s.From.After(free) && s.From.After(from) && free.Before(to) {
			n++
		}
		if free = s.To; s.To.IsZero() {
			break
		}
	}
	return n
}

// highest is the highest rate of something in a window and just around it.
func highest(f func(from, to time.Time) float64, from, to time.Time) float64 {
	const step = 2 * time.Second
	peak := 0.0
	for at := from.Add(-2 * scrapeInterval); at.Before(to.Add(2 * scrapeInterval)); at = at.Add(step / 2) {
		peak = max(peak, f(at, at.Add(step))/step.Seconds())
	}
	return 1.001 * peak
}

// What Prometheus computes from scrapes is the truth, up to the error that is stated above the truth's methods.
func TestPrometheusComputesTheTruth(t *testing.T) {
	const lived = 100 * time.Minute
	random := rand.New(rand.NewPCG(9, 13))
	var compared, exact, resets int
	worlds(t, 16, func(t *testing.T, w *fakes.World) {
		s := scraped(t, w, started.Add(lived))
		for range 6 {
			from := started.Add(time.Duration(random.Int64N(int64(lived - 12*time.Minute)))).Truncate(time.Millisecond)
			to := from.Add(5*time.Minute + time.Duration(random.Int64N(int64(started.Add(lived).Sub(from)-5*time.Minute)))).Truncate(time.Millisecond)
			gap := s.gap(from, to).Seconds()
			for _, m := range w.Models() {
				n := away(m, from, to)
				resets += n
				longest := 0.0 // that a request takes
				for at := from; at.Before(to); at = at.Add(5 * time.Second) {
					if mean := m.MeanRequest(at, at.Add(5*time.Second)); !math.IsNaN(mean) {
						longest = max(longest, 1.1*mean)
					}
				}
				for _, tc := range []struct {
					metric string
					truth  func(from, to time.Time) float64
					whole  float64 // what rounding down may make of it
				}{
					{"nv_inference_request_success", m.Requests, 1},
					{"nv_inference_request_failure", func(from, to time.Time) (sum float64) {
						for _, reason := range fakes.Reasons() {
							sum += m.Failures(from, to, reason)
						}
						return sum
					}, 4},
					{"nv_inference_request_duration_us", func(from, to time.Time) float64 {
						return notNaN(m.MeanRequest(from, to)) * m.Requests(from, to)
					}, 1 + longest},
				} {
					truth, computed := tc.truth(from, to), s.increase(t, tc.metric, m, from, to)
					bound := highest(tc.truth, from, to)*gap*float64(2+2*n) + tc.whole*float64(1+n)
					require.InDelta(t, truth, computed, bound, "%s of %s from %s to %s, away %d times, gap %v", tc.metric, m.Name(), from, to, n, gap)
					compared++
					if truth > 100 && bound < truth/5 {
						exact++
					}
				}
			}
		}
	})
	assert.Greater(t, resets, 30, "windows in which counters began anew")
	assert.Greater(t, exact, compared/4, "of %d, in which the bound is less than a fifth of the truth", compared)
	t.Logf("%d compared, of which in %d the bound is less than a fifth; %d resets", compared, exact, resets)
}

func notNaN(v float64) float64 {
	if math.IsNaN(v) {
		return 0
	}
	return v
}
