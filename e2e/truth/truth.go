// Package truth holds what a panel shows against what is so: it reads from a panel's
// title, legend, unit and metrics what its query claims to show, works out from the
// acted-out world what that ought to be, without PromQL, and compares.
package truth

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	promparser "github.com/prometheus/prometheus/promql/parser"
)

// Tolerance is by how much a line may be off its truth, as a share of it. It covers
// what sampling explains: a rate sees the scrapes inside of its window rather than
// the window, and an exporter collects now and then.
const Tolerance = 0.02

// mostPoints of a line are looked at, spread evenly over it.
const mostPoints = 60

// Panel is what tells of a query what it claims to show.
type Panel struct {
	Title, Legend string // the legend as written, with its {{labels}}
	Unit          string // Grafana's id, "" for none
	Expr          promparser.Expr
}

// Difference is a line that is not true.
type Difference struct {
	Line  model.Metric
	Claim string // what the line claims to be, in words
	Shown float64
	True  float64   // the reading of the claim that is nearest
	At    time.Time // of the last point that was compared
	// Points are how many were compared, their averages where more than one.
	Points int
	// Fix is what to write, as far as the claim tells.
	Fix string
	// Lacking are those of which there is no line though the query chooses them; the
	// lines that there are are true then, and of the rest only Claim and Fix are set.
	Lacking []string
}

// Judge compares every line of an answer with its truth, in the panel's unit. It
// returns the worst difference, and how many lines it could judge: 0 where the panel
// claims nothing that is known, or about things that nobody acts out.
func (w *World) Judge(p Panel, answer model.Value) (*Difference, int) {
	claim, ok := read(p)
	if !ok {
		return nil, 0
	}
	var worst *Difference
	judged := 0
	all := lines(answer)
	for _, line := range all {
		if split(line, all) {
			continue
		}
		d, known := w.judgeLine(claim, line)
		if !known {
			continue
		}
		judged++
		if d != nil && (worst == nil || d.apart() > worst.apart()) {
			worst = d
		}
	}
	if worst == nil && judged > 0 {
		worst = w.lacking(claim, all)
	}
	return worst, judged
}

// split says whether a line is one of several that a subject is divided into: Triton
// has a second label set for a model that is loaded later, in which nothing moves.
func split(line *model.SampleStream, all []*model.SampleStream) bool {
	return slices.ContainsFunc(all, func(other *model.SampleStream) bool {
		if len(other.Metric) <= len(line.Metric) {
			return false
		}
		for l, v := range line.Metric {
			if other.Metric[l] != v {
				return false
			}
		}
		return true
	})
}

// apart is by which factor a line is off its truth.
func (d *Difference) apart() float64 {
	if d.True == 0 || d.Shown == 0 {
		return math.Inf(1)
	}
	return math.Abs(math.Log(math.Abs(d.Shown / d.True)))
}

// lines are the series of an answer, an instant one's as lines of one point.
func lines(answer model.Value) []*model.SampleStream {
	switch v := answer.(type) {
	case model.Matrix:
		return v
	case model.Vector:
		var out []*model.SampleStream
		for _, s := range v {
			out = append(out, &model.SampleStream{Metric: s.Metric, Values: []model.SamplePair{{Timestamp: s.Timestamp, Value: s.Value}}})
		}
		return out
	}
	return nil
}

// judgeLine is nil and true for a line that is true, and false for one of which
// nobody knows.
func (w *World) judgeLine(c *claim, line *model.SampleStream) (*Difference, bool) {
	who, ok := w.subjectsOf(c, line.Metric)
	if !ok {
		return nil, false
	}
	points := w.sound(c, who, line.Values)
	if len(points) == 0 {
		return nil, false
	}
	shown := 0.0
	for _, p := range points {
		shown += float64(p.Value) / float64(len(points))
	}
	closest, known := math.NaN(), false
	for _, r := range c.readings(who, line.Metric) {
		low, high := w.expected(c, r, points)
		if math.IsNaN(low) || math.IsNaN(high) {
			continue
		}
		known = true
		slack := w.slack(c, r, points)
		for _, scale := range c.scales {
			if within(shown/scale, low, high, slack) {
				return nil, true
			}
			closest = nearer(shown, closest, (low+high)/2*scale)
		}
	}
	if !known {
		return nil, false
	}
	return &Difference{
		Line: line.Metric, Claim: c.words(who), Shown: shown, True: closest, At: points[len(points)-1].Timestamp.Time(),
		Points: len(points), Fix: c.fix(),
	}, true
}

// within says whether a value lies between two others, with the tolerance and what
// else it may be off.
func within(v, low, high, slack float64) bool {
	return v >= low-slack-Tolerance*math.Abs(low) && v <= high+slack+Tolerance*math.Abs(high)
}

// nearer is the one of two values that is nearer to v; the second where the first is NaN.
func nearer(v, a, b float64) float64 {
	if math.IsNaN(a) || math.Abs(v-b) < math.Abs(v-a) {
		return b
	}
	return a
}

// sound are the points of a line whose windows lie wholly in a time in which all that
// they are about was there and scraped, no more than mostPoints.
func (w *World) sound(c *claim, who []*subject, values []model.SamplePair) []model.SamplePair {
	since := w.from
	exporters := map[string]bool{}
	for _, s := range who {
		exporters[s.exporter] = true
		if s.model != nil && s.model.Loaded().After(since) {
			since = s.model.Loaded()
		}
	}
	const settling = time.Minute // a counter that is new shows no increase yet
	var out, late []model.SamplePair
	for _, p := range values {
		v := float64(p.Value)
		at := p.Timestamp.Time()
		if math.IsNaN(v) || math.IsInf(v, 0) || at.Add(-c.window).Before(since.Add(settling)) || at.After(w.to.Add(w.scrape)) {
			continue // a range query reaches up to a step into the future
		}
		if from, _ := w.window(c, at); !w.undisturbed(exporters, from.Add(-2*w.lag), at) {
			continue // what is lost at a reset or in an outage, no query can bring back
		}
		if w.unfed(c, at) {
			continue
		}
		if w.inGap(at) {
			late = append(late, p)
			continue
		}
		out = append(out, p)
	}
	if len(out) == 0 {
		out = late
	}
	if len(out) <= mostPoints {
		return out
	}
	thinned := make([]model.SamplePair, 0, mostPoints)
	for i := range mostPoints {
		thinned = append(thinned, out[i*(len(out)-1)/(mostPoints-1)])
	}
	return thinned
}

// inGap says whether a moment may lie between the last scrape of a past that was laid
// down and the live one behind it. Those are up to two intervals apart, and a rate that
// ends between them is extrapolated over less than its window. Servers that take long to
// come up leave a wider gap; what is behind one is no better.
func (w *World) inGap(at time.Time) bool {
	if w.wideGap() {
		return at.After(w.laid)
	}
	return at.After(w.to.Add(-2*w.scrape)) && at.Before(w.to)
}

// wideGap says whether the live scrapes began long after the past that was laid down.
func (w *World) wideGap() bool { return !w.laid.IsZero() && w.to.Sub(w.laid) > 2*w.scrape }

// unfed says whether a window lies behind the past that was laid down, so that the few
// live scrapes at its end are all that a rate has of it.
func (w *World) unfed(c *claim, at time.Time) bool {
	return c.window > 0 && !c.sinceStart && w.wideGap() && at.Add(-c.window).After(w.laid.Add(-w.scrape))
}

// undisturbed says whether all exporters could be scraped throughout a window and
// counted on.
func (w *World) undisturbed(exporters map[string]bool, from, to time.Time) bool {
	for name := range exporters {
		if !w.acted.Undisturbed(name, from, to) {
			return false
		}
	}
	return true
}

// expected is between which two values a reading's average over the points lies, for
// all that the query may in truth have seen: its windows moved by what lies between
// two scrapes or collections, and shorter by as much.
func (w *World) expected(c *claim, r reading, points []model.SamplePair) (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, back := range []time.Duration{0, w.lag / 2, w.lag} {
		for _, shorter := range []time.Duration{0, w.scrape} {
			mean := 0.0
			for _, p := range points {
				from, to := w.window(c, p.Timestamp.Time().Add(-back))
				if !c.sinceStart && to.Sub(from) > 2*shorter {
					from = from.Add(shorter)
				}
				mean += r.mean(from, to) / float64(len(points))
			}
			low, high = math.Min(low, mean), math.Max(high, mean)
		}
	}
	return low, high
}

// slack is by how much a line may be off since things are counted in whole numbers:
// what one window may be, which evens out over many.
func (w *World) slack(c *claim, r reading, points []model.SamplePair) float64 {
	if r.slack == nil {
		return 0
	}
	first, last := points[0].Timestamp.Time(), points[len(points)-1].Timestamp.Time()
	apart := float64(len(points)) // windows that do not overlap
	if c.window > 0 {
		apart = min(apart, 1+last.Sub(first).Seconds()/c.window.Seconds())
	}
	return r.slack(w.window(c, last)) / math.Sqrt(apart)
}

// window is the time that a point at a moment is about.
func (w *World) window(c *claim, at time.Time) (from, to time.Time) {
	if c.sinceStart {
		return w.start(), at
	}
	return at.Add(-c.window), at
}

// String tells a difference in a sentence.
func (d *Difference) String() string {
	if len(d.Lacking) > 0 {
		return fmt.Sprintf("there is no line for %s, which the query asks for: %s", listed(d.Lacking), d.Claim)
	}
	over := ""
	if d.Points > 1 {
		over = " on average"
	}
	return fmt.Sprintf("%s shows %s%s, and in truth it is %s: %s", name(d.Line), Number(d.Shown), over, Number(d.True), d.Claim)
}

// name is a series as Prometheus writes it, or "the line" where it has no labels.
func name(m model.Metric) string {
	if len(m) == 0 {
		return "the line"
	}
	return strings.TrimSpace(m.String())
}

// Number is a value with as many digits as a comparison needs.
func Number(v float64) string { return fmt.Sprintf("%.4g", v) }
