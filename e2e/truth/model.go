package truth

import (
	"math"
	"slices"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	promparser "github.com/prometheus/prometheus/promql/parser"

	"github.com/panelgate/panelgate/fakes"
)

// microsecond is what Triton counts times in, in seconds.
const microsecond = 1e-6

// ofModel reads a claim about models: a time per request, a rate, a share, a batch.
func (c *claim) ofModel(s *shape, w words, u unit) bool {
	switch {
	case len(s.times()) > 0:
		return c.latency(s, w, u)
	case s.parts[cacheHits] && u.kind == kindPercent && s.divides && w.has("cache", "hit"):
		return c.hitRatio(s, w)
	case s.parts[failures] && u.kind == kindPercent && s.divides && s.only(successes, failures):
		return c.failureRatio(s, w)
	case (s.parts[executions] || s.parts[inferences]) && w.has("batch") && !w.has("efficien", "util", "rate", "count", "total", "number") && u.kind == kindNone:
		return c.batch(s)
	case s.only(pending):
		return c.waiting(s, w, u)
	case len(s.parts) == 1 || s.only(successes, failures):
		return !s.divides && c.counts(s, w, u)
	}
	return false
}

// latency reads a mean time per request. That requests are what it is per is what the
// word latency means; by what the query divides is not asked.
func (c *claim) latency(s *shape, w words, u unit) bool {
	if w.has("cumulative", "accumulated", "busy", "utili", "load", "throughput", "concurren", "parallel", "saturation", "spent") || w.is("per", "rate", "total") && !w.has("latenc", "average", "avg", "mean") && w.is("second", "sec") {
		return false
	}
	if s.shares || s.parts[inferences] && w.after("per", "inference", "inferences", "sample", "item", "image", "token", "row", "prompt") {
		return false
	}
	switch u.kind {
	case kindTime:
	case kindNone:
		if !w.has("latenc", "duration", "delay", "time") {
			return false
		}
		c.scales = []float64{1, 1e3, 1e6}
		if scale := w.timeScale(); scale != 0 {
			c.scales = []float64{scale}
		}
	default:
		return false
	}
	counted := s.times()
	stages := s.stages(w)
	if len(stages) == 0 {
		return false
	}
	c.sinceStart = !s.moves()
	c.selectors = s.chosen(counted...)
	c.what = "the mean " + stageWords(stages[0]) + " of a request"
	c.canonical = latencyExpr(stages[0])
	c.readings = func(who []*subject, _ model.Metric) []reading {
		var out []reading
		for _, stage := range stages {
			out = append(out, latencies(s, stage, who)...)
		}
		return out
	}
	return true
}

// stages are the times that may be meant: those that the words name, else those that
// the expression counts. There are none where that cannot be told.
func (s *shape) stages(w words) [][]part {
	counted := s.times()
	named := w.stage()
	inference := w.inference()
	if inference && s.model(w.legend[0]) && stageIn(w.title) != requestTime { // of which the stage is a part
		named, inference = stageIn(w.title), false
	}
	switch {
	case named == unknown && len(counted) > 1 && slices.Contains(counted, requestTime):
		return nil // what is left of a request without its parts
	case named == unknown:
		return [][]part{counted}
	case len(counted) > 1 && !slices.Contains(counted, named):
		return nil
	}
	stages := [][]part{{named}}
	if len(counted) > 1 {
		stages = append(stages, counted)
	}
	if named == inferTime {
		stages = append(stages, []part{inputTime, inferTime, outputTime}) // "compute" is all three as well
	}
	if inference { // may be the stage, a model, or what the server does as a whole
		if of := stageIn(w.title); of != unknown {
			stages = append(stages, []part{of})
		} else if slices.Equal(counted, []part{requestTime}) {
			stages = append(stages, counted)
		}
	}
	return stages
}

// model says whether a word is the name of a model that the expression chooses.
func (s *shape) model(word string) bool {
	for _, selectors := range s.selectors {
		for _, ms := range selectors {
			if slices.ContainsFunc(ms, func(m *labels.Matcher) bool { return m.Name == "model" && m.Value == word }) {
				return true
			}
		}
	}
	return false
}

func stageWords(stage []part) string {
	if len(stage) != 1 {
		return "time in those stages"
	}
	return map[part]string{requestTime: "time from arrival to response", queueTime: "time in the queue", inputTime: "time for inputs",
		inferTime: "compute time", outputTime: "time for outputs"}[stage[0]]
}

func latencyExpr(stage []part) string {
	if len(stage) != 1 {
		return ""
	}
	for name, m := range metrics() {
		if m.part == stage[0] {
			return "sum by (model) (rate(" + name + "[$__rate_interval])) / sum by (model) (rate(nv_inference_request_success[$__rate_interval]))"
		}
	}
	return ""
}

// latencies are the readings of a mean time over requests: with and without those
// that the response cache answered, where they skip the stage; of the models that
// the requests of others pass through, or of those that requests arrive at.
func latencies(s *shape, stage []part, who []*subject) []reading {
	var out []reading
	cachedToo := []bool{true, false}
	if s.parts[cacheHits] {
		cachedToo = []bool{false} // the query itself leaves them out
	}
	for _, set := range once(who, stage[0] != requestTime) {
		for _, cached := range cachedToo {
			per := func(m *fakes.Model, from, to time.Time) float64 { return requestsOf(m, cached, from, to) }
			mixed := func(from, to time.Time) float64 {
				spent, requests := 0.0, 0.0
				for _, sub := range set {
					spent += timeOf(sub.model, stage, from, to)
					requests += per(sub.model, from, to)
				}
				return spent / requests
			}
			slack := func(from, to time.Time) float64 {
				requests := 0.0
				for _, sub := range set {
					requests += per(sub.model, from, to)
				}
				return 2 * mixed(from, to) / math.Max(requests, 1)
			}
			out = append(out, reading{mixed, slack})
			if !s.outside || len(set) < 2 {
				continue
			}
			for _, each := range [][]*subject{set, perModel(set)} {
				out = append(out, reading{func(from, to time.Time) float64 {
					means := make([]float64, len(each))
					for i, sub := range each {
						means[i] = timeOf(sub.model, stage, from, to) / per(sub.model, from, to)
					}
					return combine(s.outermost, means)
				}, slack})
			}
		}
	}
	return out
}

// timeOf is the time that a model's requests of a window spent in stages together, in seconds.
func timeOf(m *fakes.Model, stage []part, from, to time.Time) float64 {
	mean := 0.0
	for _, p := range stage {
		switch p {
		case requestTime:
			mean += m.MeanRequest(from, to)
		case queueTime:
			mean += m.MeanQueue(from, to)
		case inputTime:
			mean += m.MeanComputeInput(from, to)
		case inferTime:
			mean += m.MeanComputeInfer(from, to)
		case outputTime:
			mean += m.MeanComputeOutput(from, to)
		}
	}
	return mean * microsecond * m.Requests(from, to)
}

// requestsOf are a model's successful requests, those that the cache answered among them or not.
func requestsOf(m *fakes.Model, cached bool, from, to time.Time) float64 {
	requests := m.Requests(from, to)
	if cached || !m.Cached() {
		return requests
	}
	return requests * (1 - m.CacheHitRatio(from, to))
}

// once are the sets of models of which no request is counted twice. Where an ensemble
// is among them together with its steps, it is either of both; with steps, those
// without the ensembles count as well.
func once(who []*subject, steps bool) [][]*subject {
	within := map[string]bool{}
	for _, s := range who {
		for _, step := range s.model.Steps() {
			within[step] = true
		}
	}
	top := filter(who, func(s *subject) bool { return !within[s.model.Name()] })
	if len(top) == len(who) {
		return [][]*subject{who}
	}
	if !steps {
		return [][]*subject{top}
	}
	return [][]*subject{top, filter(who, func(s *subject) bool { return len(s.model.Steps()) == 0 })}
}

func filter(who []*subject, keep func(*subject) bool) []*subject {
	return slices.DeleteFunc(slices.Clone(who), func(s *subject) bool { return !keep(s) })
}

// perModel is each model once, however many servers have it.
func perModel(who []*subject) []*subject {
	seen := map[*fakes.Model]bool{}
	return filter(who, func(s *subject) bool {
		again := seen[s.model]
		seen[s.model] = true
		return !again
	})
}

// counts reads a rate or a number of requests, failures, inferences.
func (c *claim) counts(s *shape, w words, u unit) bool {
	moves := s.functions["rate"] || s.functions["irate"]
	var perSecond bool
	switch {
	case u.kind == kindRate:
		perSecond = true
	case u.kind != kindNone || moves && s.functions["increase"]:
		return false
	case moves && c.window >= time.Hour && w.over(c.window):
	case moves:
		perSecond = true
		if w.is("minute", "min", "rpm") || w.has("percent", "ratio", "share", "proportion") {
			return false
		}
	case s.functions["increase"]:
		perSecond = w.perSecond()
		if !perSecond && w.is("second", "sec", "s") {
			return false
		}
	case s.functions["avg_over_time"] || w.is("rate", "second", "sec", "s"):
		return false
	default:
		c.sinceStart = true
	}
	parts := s.named(w)
	if len(parts) == 0 {
		return false
	}
	for p := range s.parts {
		c.selectors = append(c.selectors, withoutReason(s.selectors[p])...)
	}
	c.labels = []model.LabelName{"reason"}
	c.filters = c.filters || s.parts[failures] // which may not have happened
	c.what, c.canonical = countWords(parts[0], perSecond, c.sinceStart), ""
	if perSecond && c.window == 0 {
		c.window = time.Minute // a counter as it is, whose rate is claimed all the same
	}
	if perSecond {
		c.canonical = "rate(…[$__rate_interval])"
	}
	c.readings = func(who []*subject, line model.Metric) []reading {
		var out []reading
		for _, p := range parts {
			out = append(out, counted(s, p, perSecond, who, line)...)
		}
		return out
	}
	return true
}

func countWords(p part, perSecond, since bool) string {
	things := map[part]string{successes: "successful requests", failures: "failed requests", inferences: "inferences"}[p]
	switch {
	case perSecond:
		return things + " per second"
	case since:
		return things + " since the server started"
	}
	return things + " in the window"
}

// named are the things that the words say are counted, else what the metric counts.
func (s *shape) named(w words) []part {
	for _, ws := range []words{{legend: w.legend}, {title: w.title}} {
		failed, requests, inferred := ws.has("fail", "error", "reject", "cancel"), ws.has("request", "success", "qps", "rps"), ws.has("inferences") || ws.has("inference") && !ws.has("request")
		switch {
		case failed && ws.has("success"):
			continue
		case failed && requests && s.parts[successes] && s.parts[failures]:
			return nil // "incl. failures"
		case failed:
			return []part{failures}
		case ws.has("exec"):
			return nil
		case requests && ws.has("inference"):
			return []part{successes, inferences}
		case requests:
			return []part{successes}
		case inferred && !s.parts[successes]:
			return []part{inferences}
		}
	}
	for _, p := range []part{successes, failures, inferences} {
		if s.parts[p] {
			return []part{p}
		}
	}
	return nil
}

func withoutReason(selectors [][]*labels.Matcher) [][]*labels.Matcher {
	var out [][]*labels.Matcher
	for _, ms := range selectors {
		out = append(out, slices.DeleteFunc(slices.Clone(ms), func(m *labels.Matcher) bool { return m.Name == "reason" }))
	}
	return out
}

// counted are the readings of a number of things.
func counted(s *shape, p part, perSecond bool, who []*subject, line model.Metric) []reading {
	sets := once(who, p == inferences)
	switch {
	case p == failures && len(sets[0]) < len(who):
		return nil // of which an ensemble counts its steps' twice: no sum is right
	case p == inferences:
		sets = append(sets, who) // which of them is meant, "all models" does not tell
	}
	both := s.parts[successes] && s.parts[failures]
	var out []reading
	for _, set := range sets {
		for _, failed := range []bool{false, true} {
			if failed && (p != successes || !both) {
				continue
			}
			number := func(from, to time.Time) float64 {
				values := make([]float64, len(set))
				for i, sub := range set {
					values[i] = numberOf(sub.model, p, s, line, from, to)
					if failed {
						values[i] += failedOf(sub.model, nil, "", from, to)
					}
				}
				return combine(s.outermost, values)
			}
			slack := func(time.Time, time.Time) float64 { return 2 * float64(len(set)) }
			if !perSecond {
				out = append(out, reading{number, slack})
				continue
			}
			out = append(out, reading{
				func(from, to time.Time) float64 { return number(from, to) / to.Sub(from).Seconds() },
				func(from, to time.Time) float64 { return slack(from, to) / math.Max(to.Sub(from).Seconds(), 1) },
			})
		}
	}
	return out
}

func numberOf(m *fakes.Model, p part, s *shape, line model.Metric, from, to time.Time) float64 {
	switch p {
	case successes:
		return m.Requests(from, to)
	case inferences:
		return m.Inferences(from, to)
	case failures:
		return failedOf(m, s.selectors[failures], string(line["reason"]), from, to)
	}
	return math.NaN()
}

// failedOf are the failures of one reason, of all where none is told, that selectors choose.
func failedOf(m *fakes.Model, selectors [][]*labels.Matcher, reason string, from, to time.Time) float64 {
	sum := 0.0
	for _, r := range fakes.Reasons() {
		if reason != "" && reason != r.String() {
			continue
		}
		chosen := len(selectors) == 0 || slices.ContainsFunc(selectors, func(ms []*labels.Matcher) bool {
			return !slices.ContainsFunc(ms, func(l *labels.Matcher) bool { return l.Name == "reason" && !l.Matches(r.String()) })
		})
		if chosen {
			sum += m.Failures(from, to, r)
		}
	}
	return sum
}

// waiting reads how many requests wait for execution.
func (c *claim) waiting(s *shape, w words, u unit) bool {
	if u.kind != kindNone || !w.has("pending", "waiting", "queued") || w.has("percent", "ratio", "share") || s.moves() || s.outermost == promparser.AVG {
		return false
	}
	c.selectors = s.chosen(pending)
	c.what = "how many requests wait for execution"
	c.readings = func(who []*subject, line model.Metric) []reading {
		if _, ofInstance := line["gpu_uuid"]; ofInstance {
			return nil // Triton keeps this gauge in the label set without it
		}
		return []reading{{
			mean: func(_, to time.Time) float64 {
				values := make([]float64, len(who))
				for i, sub := range who {
					values[i] = float64(sub.model.Pending(to))
				}
				return combine(s.outermost, values)
			},
			slack: func(time.Time, time.Time) float64 { return 2 * float64(len(who)) },
		}}
	}
	return true
}

// share reads a ratio of two numbers of a model's.
func (c *claim) share(s *shape, of, among func(m *fakes.Model, from, to time.Time) float64) {
	c.sinceStart = !s.moves()
	c.readings = func(who []*subject, _ model.Metric) []reading {
		var out []reading
		for _, set := range once(who, true) {
			total := func(f func(*fakes.Model, time.Time, time.Time) float64, from, to time.Time) float64 {
				sum := 0.0
				for _, sub := range set {
					sum += f(sub.model, from, to)
				}
				return sum
			}
			ratio := func(from, to time.Time) float64 { return total(of, from, to) / total(among, from, to) }
			slack := func(from, to time.Time) float64 { return 2 / math.Max(total(among, from, to), 1) }
			out = append(out, reading{ratio, slack})
			if s.outside && len(set) > 1 {
				out = append(out, reading{func(from, to time.Time) float64 {
					var values []float64
					for _, sub := range set {
						values = append(values, of(sub.model, from, to)/among(sub.model, from, to))
					}
					return combine(s.outermost, values)
				}, slack})
			}
		}
		return out
	}
}

func (c *claim) hitRatio(s *shape, w words) bool {
	if w.has("miss") {
		return false
	}
	c.selectors = s.chosen(cacheHits)
	c.what = "the share of requests that the response cache answers"
	c.canonical = "hits / (hits + misses)"
	c.only = func(s *subject) bool { return s.model.Cached() }
	hits := func(m *fakes.Model, from, to time.Time) float64 {
		if !m.Cached() {
			return math.NaN()
		}
		return m.CacheHitRatio(from, to) * m.Requests(from, to)
	}
	c.share(s, hits, func(m *fakes.Model, from, to time.Time) float64 { return m.Requests(from, to) })
	return true
}

func (c *claim) failureRatio(s *shape, w words) bool {
	failed := func(m *fakes.Model, from, to time.Time) float64 { return failedOf(m, nil, "", from, to) }
	all := func(m *fakes.Model, from, to time.Time) float64 { return failed(m, from, to) + m.Requests(from, to) }
	for _, ms := range s.selectors[failures] {
		if slices.ContainsFunc(ms, func(m *labels.Matcher) bool { return m.Name == "reason" }) {
			return false
		}
	}
	c.selectors = s.chosen(failures)
	switch {
	case w.has("fail", "error") && !w.has("success"):
		c.what, c.canonical = "the share of requests that fail", "failures / (failures + successes)"
		c.share(s, failed, all)
	case w.has("success", "availab") && !w.has("fail", "error"):
		c.what, c.canonical = "the share of requests that succeed", "successes / (failures + successes)"
		c.share(s, (*fakes.Model).Requests, all)
	default:
		return false
	}
	return s.outermost == 0 || s.outermost == promparser.SUM
}

func (c *claim) batch(s *shape) bool {
	for p := range s.parts {
		c.selectors = append(c.selectors, withoutReason(s.selectors[p])...)
	}
	c.what = "how many inferences an execution does"
	c.canonical = "rate(nv_inference_count[$__rate_interval]) / rate(nv_inference_exec_count[$__rate_interval])"
	c.share(s, (*fakes.Model).Inferences, (*fakes.Model).Executions)
	return true
}
