package triton

import (
	"math"
	"time"

	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/fakes/internal/page"
)

// How a model's requests spread about their mean: each takes at least steady of it, and what it takes beyond that is distributed
// exponentially. Everything that summaries and histograms ask of that has a closed form.
const steady = 0.75

// spent is the part of all time that is spent on the shortest requests, q of them, as a share of the mean: the integral of the
// distribution's quantiles from 0 to q.
func spent(q float64) float64 {
	if q >= 1 {
		return 1
	}
	return steady*q + (1-steady)*((1-q)*math.Log(1-q)+q)
}

// within is the share of requests that take at most so many times the mean.
func within(times float64) float64 {
	if times <= steady {
		return 0
	}
	return 1 - math.Exp(-(times-steady)/(1-steady))
}

// observation is what a summary observes, and the counters that hold how often and how much in all.
type observation struct {
	name    string
	count   func(*fakes.Counters) int64
	sum     func(*fakes.Counters) int64
	hasNone func(l *layout, s series) bool // nil where every model has one
}

func observations() []observation {
	successes := func(c *fakes.Counters) int64 { return c.Success }
	executed := func(c *fakes.Counters) int64 { return c.Success - c.CacheHits }
	uncached := func(l *layout, s series) bool { return !l.cached(s) }
	return []observation{
		{"nv_inference_request_summary_us", successes, func(c *fakes.Counters) int64 { return c.RequestUS }, (*layout).cached},
		{"nv_inference_queue_summary_us", successes, func(c *fakes.Counters) int64 { return c.QueueUS }, nil},
		{"nv_inference_compute_input_summary_us", executed, func(c *fakes.Counters) int64 { return c.ComputeInputUS }, nil},
		{"nv_inference_compute_infer_summary_us", executed, func(c *fakes.Counters) int64 { return c.ComputeInferUS }, nil},
		{"nv_inference_compute_output_summary_us", executed, func(c *fakes.Counters) int64 { return c.ComputeOutputUS }, nil},
		{"nv_cache_hit_summary_per_model", func(c *fakes.Counters) int64 { return c.CacheHits },
			func(c *fakes.Counters) int64 { return c.CacheHitUS }, uncached},
		{"nv_cache_miss_summary_per_model", func(c *fakes.Counters) int64 { return c.CacheMisses },
			func(c *fakes.Counters) int64 { return c.CacheMissUS }, uncached},
	}
}

// A summary's quantiles are those of a window that moves on by a step at a time, counted from when its model was loaded. Five such
// windows are kept, and the oldest is asked.
const (
	windowStep  = 12 * time.Second
	windowSteps = 5
)

// windowStart is since when observations count for quantiles.
func windowStart(loaded, at time.Time) time.Time {
	steps := at.Sub(loaded) / windowStep
	if steps < windowSteps {
		return loaded
	}
	return loaded.Add((steps - windowSteps + 1) * windowStep)
}

// summaries adds count, sum and quantiles for each label set.
func (l *layout) summaries(of observation) {
	var shown []series
	for _, s := range l.all {
		if of.hasNone == nil || !of.hasNone(l, s) {
			shown = append(shown, s)
		}
	}
	for _, i := range printOrder(shown) {
		s := shown[i]
		labels := labelText(s.labels)
		l.Suffixed("_count", labels, summarised(s, of.count))
		l.Suffixed("_sum", labels, summarised(s, of.sum))
		for _, q := range l.options.quantiles {
			l.Sample(labels+`,quantile="`+string(number(nil, q))+`"`, func(now *snapshot) float64 {
				if !s.counts {
					return math.NaN()
				}
				m, past := &now.models[s.index], &now.windows[s.index]
				return quantile(q, of.count(m)-of.count(past), of.sum(m)-of.sum(past))
			})
		}
	}
}

// summarised is a summary's count or sum, which moves whatever becomes of the counters.
func summarised(s series, value func(*fakes.Counters) int64) page.Value[snapshot] {
	if !s.counts {
		return zero
	}
	return func(now *snapshot) float64 { return float64(value(&now.models[s.index])) }
}

// quantile is that of n observations with a sum, in whole microseconds; NaN of none. The observations are the means of n equal parts
// of the distribution, so that their sum is the one given, and the one asked for is found as prometheus-cpp finds it.
func quantile(q float64, n, sum int64) float64 {
	if n <= 0 || math.IsNaN(q) {
		return math.NaN()
	}
	rank := math.Min(math.Max(math.Trunc(q*float64(n)), 1), float64(n))
	size := 1 / float64(n)
	return math.Round(float64(sum) * (spent(rank*size) - spent((rank-1)*size)))
}

// buckets are the upper bounds of nv_inference_first_response_histogram_ms.
func buckets() []float64 { return []float64{100, 500, 2000, 5000, math.Inf(1)} }

// firstResponses adds the histogram of the time to the first response of each model, since its own label set observes it. It is of
// one distribution for as long as the model is loaded, about the mean of a long time: what a bucket holds follows from the count
// alone then, and never shrinks.
func (l *layout) firstResponses() {
	var shown []series
	for _, s := range l.all {
		if l.release.Since(firstOfAll) || s.model.Decoupled() {
			shown = append(shown, s)
		}
	}
	for _, i := range printOrder(shown) {
		s := shown[i]
		h := firstResponseOf(s)
		labels := labelText(s.labels)
		count := func(now *snapshot) int64 {
			if !s.waiting {
				return 0
			}
			return now.models[s.index].Success
		}
		l.Suffixed("_count", labels, func(now *snapshot) float64 { return float64(count(now)) })
		l.Suffixed("_sum", labels, func(now *snapshot) float64 { return h.sum(count(now)) })
		for b, bound := range buckets() {
			l.Suffixed("_bucket", labels+`,le="`+string(number(nil, bound))+`"`, func(now *snapshot) float64 { return float64(h.upTo(b, count(now))) })
		}
	}
}

// histogram is how a distribution falls into buckets.
type histogram struct {
	ratio []float64 // by bucket: which share of what the next bucket's bound includes is within this one's
	means []float64 // by bucket: what is observed in it, in whole milliseconds
}

// longTime is a window whose mean stands for that of all time.
const longTime = 24 * time.Hour

func firstResponseOf(s series) histogram {
	to := s.from.Add(longTime)
	if !s.to.IsZero() && s.to.Before(to) {
		to = s.to
	}
	mean := s.model.MeanRequest(s.from, to) / float64(time.Millisecond/time.Microsecond)
	var h histogram
	if math.IsNaN(mean) || mean <= 0 { // no request is ever observed
		mean = 1
	}
	share, lower := 0.0, 0.0
	for _, bound := range buckets() {
		upTo := within(bound / mean)
		middle := math.Min(lower+1, bound)
		if part := upTo - share; part > 0 {
			middle = max(lower+math.Min(lower, 1), math.Floor(mean*(spent(upTo)-spent(share))/part))
		}
		h.means = append(h.means, min(middle, bound))
		if len(h.means) > 1 {
			ratio := 0.0
			if upTo > 0 {
				ratio = share / upTo
			}
			h.ratio = append(h.ratio, ratio)
		}
		share, lower = upTo, bound
	}
	h.ratio = append(h.ratio, 1) // of all, all are within the last
	return h
}

// upTo is how many of n observations a bucket includes. Each is worked out from that of the next, so that one more observation is
// one more in some bucket and those above it, and in none fewer.
func (h histogram) upTo(bucket int, n int64) int64 {
	for b := len(h.ratio) - 1; b >= bucket; b-- {
		n = int64(math.Floor(float64(n)*h.ratio[b] + 0.5))
	}
	return n
}

func (h histogram) sum(n int64) float64 {
	var total float64
	below := int64(0)
	for b, mean := range h.means {
		upTo := h.upTo(b, n)
		total += float64(upTo-below) * mean
		below = upTo
	}
	return total
}
