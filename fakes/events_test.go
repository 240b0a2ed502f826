package fakes

import (
	"math"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func after(d time.Duration) time.Time { return start.Add(d) }

func TestTrafficFollowsItsEvents(t *testing.T) {
	w := world(t, `version: 1
models:
  - {name: a, requests_per_second: 2, stages_us: {queue: 100}}
  - {name: b, requests_per_second: 3}
events:
  - {at: 5m, for: 2m, every: 20m, models: [a], traffic: 4, slowdown: {queue: 10}}
  - {at: 1h, for: 10m, models: [b], traffic: 0}
`)
	a, b := model(t, w, "a"), model(t, w, "b")
	assert.InDelta(t, 2*20*60+6*2*60, a.Requests(start, after(20*time.Minute)), 1e-6)
	assert.InDelta(t, 2*20*60+6*2*60, a.Requests(after(40*time.Minute), after(time.Hour)), 1e-6)
	assert.InDelta(t, 6*60*2, a.Requests(after(45*time.Minute), after(46*time.Minute))+a.Requests(after(46*time.Minute), after(47*time.Minute))-2*120, 1e-6)
	assert.InDelta(t, 1000, a.MeanQueue(after(5*time.Minute), after(7*time.Minute)), 1e-6)
	assert.InDelta(t, 100, a.MeanQueue(after(8*time.Minute), after(20*time.Minute)), 1e-6)
	assert.InDelta(t, 3*3600, b.Requests(start, after(time.Hour)), 1e-6)
	assert.Zero(t, b.Requests(after(time.Hour), after(70*time.Minute)))
	assert.InDelta(t, 3*3600, b.Requests(after(70*time.Minute), after(130*time.Minute)), 1e-6)
	assert.Equal(t, b.Counters(after(time.Hour)), b.Counters(after(69*time.Minute)))
	assert.InDelta(t, 3*3600, w.Host().Requests(after(time.Hour))-float64(a.Counters(after(time.Hour)).Success), 1)
}

// What comes and goes little by little is integrated as exactly as the rest.
func TestTruthIsTheAreaBelowTheRate(t *testing.T) {
	w := world(t, `version: 1
models:
  - name: m
    gpu: 0
    requests_per_second: {mean: 5, waves: [{swing: 0.4, period: 11m}]}
    stages_us: {queue: 900, compute_infer: {mean: 9000, waves: [{swing: 0.2, period: 7m}]}}
    failures_per_second: {OTHER: 0.1}
gpus: [{load: 0.1}]
events:
  - {at: 2m, for: 8m, rise: 3m, fall: 90s, every: 15m, traffic: 3, slowdown: {queue: 6}}
  - {at: 4m, for: 5m, rise: 1m, every: 17m, failures_per_second: {BACKEND: 0.4}}
  - {at: 30m, rise: 5m, throttle: 0.5}
`)
	m, _ := w.Model("m")
	g, _ := w.GPU(0)
	var requests, failures, busy, n float64
	const step = 250 * time.Millisecond
	for at := start; at.Before(after(time.Hour)); at = at.Add(step) {
		middle := w.tickAt(at.Add(step / 2))
		s := w.timeline.after(middle)
		requests += s.flows[0][flowSuccess].At(middle.seconds()) * step.Seconds()
		failures += s.flows[0][flowFailed+quantity(Backend)].At(middle.seconds()) * step.Seconds()
		busy, n = busy+g.Utilization(at.Add(step/2)), n+1
	}
	assert.InEpsilon(t, requests, m.Requests(start, after(time.Hour)), 1e-6)
	assert.InEpsilon(t, failures, m.Failures(start, after(time.Hour), Backend), 1e-5)
	assert.InEpsilon(t, busy/n, g.MeanUtilization(start, after(time.Hour)), 1e-5)
	assert.InEpsilon(t, g.MeanPower(start, after(time.Hour))*3600, g.Energy(after(time.Hour)), 1e-9)
}

func TestReloadBeginsAnew(t *testing.T) {
	w := world(t, `version: 1
models:
  - {name: a, requests_per_second: 1}
  - {name: b, loaded_after: 4m, requests_per_second: 1}
  - {name: both, kind: ensemble, steps: [a], requests_per_second: 2}
events:
  - {at: 10m, for: 30s, every: 1h, models: [a], unload: true}
  - {at: 30m, for: 1m, exporters: [triton], outage: restart}
`)
	a, b, both := model(t, w, "a"), model(t, w, "b"), model(t, w, "both")
	stays := a.Stays()
	require.Len(t, stays, 2+49)
	assert.Equal(t, []Stay{
		{From: start, To: after(10 * time.Minute), AtStart: true},
		{From: after(10*time.Minute + 30*time.Second), To: after(30 * time.Minute)},
		{From: after(31 * time.Minute), To: after(70 * time.Minute), AtStart: true},
	}, stays[:3])
	assert.True(t, stays[len(stays)-1].To.IsZero())
	assert.Equal(t, stays, both.Stays(), "an ensemble is not there without its steps")
	assert.Equal(t, []Stay{{From: after(4 * time.Minute), To: after(30 * time.Minute)}, {From: after(31 * time.Minute), AtStart: true}}, b.Stays())

	assert.EqualValues(t, 3*600, a.Counters(after(10*time.Minute-time.Millisecond)).Success+1)
	assert.Equal(t, Counters{}, a.Counters(after(10*time.Minute)))
	assert.Equal(t, Counters{}, a.Counters(after(10*time.Minute+30*time.Second)))
	assert.EqualValues(t, 3*90, a.Counters(after(12*time.Minute)).Success)
	assert.EqualValues(t, 3*60, a.Counters(after(32*time.Minute)).Success)
	assert.Positive(t, a.Counters(after(12*time.Minute)).RequestUS)
	assert.InDelta(t, 3*(20*60-30), a.Requests(start, after(20*time.Minute)), 1e-6, "the truth counts all, and nothing while it is away")
	assert.InDelta(t, 1*26*60, b.Requests(start, after(31*time.Minute)), 1e-6)
	assert.InDelta(t, 3*1.0, w.Host().RequestRate(after(5*time.Minute))-1, 1e-9)
	assert.Zero(t, w.Host().RequestRate(after(30*time.Minute)))
}

func TestAModelUnloadedForGood(t *testing.T) {
	w := world(t, "version: 1\nmodels: [{name: a, requests_per_second: 1}, {name: b}]\nevents: [{at: 1m, models: [a], unload: true}]\n")
	a := model(t, w, "a")
	assert.Equal(t, []Stay{{From: start, To: after(time.Minute), AtStart: true}}, a.Stays())
	assert.Equal(t, Counters{}, a.Counters(after(time.Hour)))
	assert.InDelta(t, 60, a.Requests(start, after(time.Hour)), 1e-9)
}

func TestOutages(t *testing.T) {
	w := world(t, `version: 1
events:
  - {at: 10m, for: 1m, every: 30m, exporters: [node], outage: restart}
  - {at: 20m, for: 1m, outage: lost}
  - {at: 20m, for: 2m, exporters: [triton, dcgm], outage: refused}
  - {at: 20m, for: 3m, exporters: [triton], delay: 5s}
`)
	for _, tc := range []struct {
		exporter string
		at       time.Duration
		want     Outage
	}{
		{"node", -time.Hour, Outage{}},
		{"node", 10*time.Minute - time.Millisecond, Outage{}},
		{"node", 10 * time.Minute, Outage{Refused: true}},
		{"triton", 10 * time.Minute, Outage{}},
		{"node", 11 * time.Minute, Outage{}},
		{"node", 40*time.Minute + 30*time.Second, Outage{Refused: true}},
		{"triton", 20*time.Minute + 30*time.Second, Outage{Lost: true}},
		{"triton", 21*time.Minute + 30*time.Second, Outage{Refused: true}},
		{"triton", 22*time.Minute + 30*time.Second, Outage{Delay: 5 * time.Second}},
		{"triton", 23 * time.Minute, Outage{}},
	} {
		assert.Equal(t, tc.want, w.Outage(tc.exporter, after(tc.at)), "%s at %s", tc.exporter, tc.at)
	}
	for _, tc := range []struct{ at, want time.Duration }{
		{0, 0}, {10*time.Minute + 30*time.Second, 0}, {11 * time.Minute, 11 * time.Minute}, {40*time.Minute + time.Second, 11 * time.Minute},
		{41 * time.Minute, 41 * time.Minute}, {70 * time.Minute, 41 * time.Minute},
	} {
		assert.Equal(t, after(tc.want), w.Started("node", after(tc.at)), "at %s", tc.at)
		assert.Equal(t, start, w.Started("dcgm", after(tc.at)))
	}
	assert.True(t, w.Undisturbed("node", start, after(9*time.Minute)))
	assert.False(t, w.Undisturbed("node", start, after(time.Hour)))
	assert.False(t, w.Undisturbed("node", after(10*time.Minute+30*time.Second), after(15*time.Minute)))
	assert.True(t, w.Undisturbed("triton", start, after(19*time.Minute)))
	assert.True(t, w.Undisturbed("node", after(22*time.Minute), after(39*time.Minute)))
	assert.False(t, w.Undisturbed("node", after(22*time.Minute), after(40*time.Minute)))
}

func TestGPUsThrottleAndReportErrors(t *testing.T) {
	w := world(t, `version: 1
models:
  - {name: m, gpu: 1, requests_per_second: 20, stages_us: {queue: 1000, compute_infer: 10000}}
  - {name: cpu, requests_per_second: 1, stages_us: {queue: 1000, compute_infer: 10000}}
gpus: [{count: 2}]
events:
  - {at: 10m, for: 10m, rise: 2m, gpus: [1], throttle: 0.5}
  - {at: 10m, for: 5m, every: 20m, xid: 31}
  - {at: 12m, for: 1m, gpus: [1], xid: 79}
`)
	first, _ := w.GPU(0)
	second, _ := w.GPU(1)
	assert.InDelta(t, 1, second.Throttle(after(5*time.Minute)), 0)
	assert.InDelta(t, 0.5, second.Throttle(after(15*time.Minute)), 1e-12)
	assert.InDelta(t, 1, second.Throttle(after(25*time.Minute)), 0)
	assert.InDelta(t, 1, first.Throttle(after(15*time.Minute)), 0)
	rising := second.Throttle(after(11 * time.Minute))
	assert.True(t, rising > 0.5 && rising < 1, rising)

	m, cpu := model(t, w, "m"), model(t, w, "cpu")
	from, to := after(13*time.Minute), after(19*time.Minute)
	assert.InDelta(t, 10_000, m.MeanComputeInfer(start, after(10*time.Minute)), 1e-6)
	assert.InDelta(t, 20_000, m.MeanComputeInfer(from, to), 1e-6)
	// Twice as slow, a GPU that was busy for a fifth of the time is for two fifths: requests wait 2·(0.4/0.6)/(0.2/0.8) times as long.
	assert.InDelta(t, 1000*2*(0.4/0.6)/(0.2/0.8), m.MeanQueue(from, to), 1e-6)
	assert.InDelta(t, 0.4, second.MeanUtilization(from, to), 1e-9)
	assert.InDelta(t, 17+(70-17)*0.2, second.MeanPower(from, to), 1e-9, "busy for longer, at a lower clock")
	assert.InDelta(t, second.MeanPower(from, to), second.Power(from), 1e-9)
	assert.InDelta(t, 360*second.MeanPower(from, to), second.Energy(to)-second.Energy(from), 1e-6)
	assert.InDelta(t, 20*360, m.Requests(from, to), 1e-6, "as many as before")
	assert.InDelta(t, 10_000, cpu.MeanComputeInfer(from, to), 1e-6)

	for _, tc := range []struct {
		gpu  *GPU
		at   time.Duration
		code int
	}{{first, 9 * time.Minute, 0}, {first, 12 * time.Minute, 31}, {second, 12 * time.Minute, 79}, {second, 13 * time.Minute, 31},
		{second, 16 * time.Minute, 0}, {first, 31 * time.Minute, 31}} {
		code, ok := tc.gpu.XID(after(tc.at))
		assert.Equal(t, tc.code, code, "at %s", tc.at)
		assert.Equal(t, tc.code != 0, ok)
	}
}

func TestQueuesOfSaturationGrow(t *testing.T) {
	s, err := BuiltinScenario("saturation")
	require.NoError(t, err)
	w := NewWorld(s, start)
	m := model(t, w, "inference")
	last := int64(-1)
	for at := start; at.Before(after(6 * time.Minute)); at = at.Add(30 * time.Second) {
		require.Greater(t, m.Pending(at), last)
		last = m.Pending(at)
	}
	assert.InEpsilon(t, 240e6, m.MeanQueue(after(7*time.Minute), after(time.Hour)), 1e-3)
}

func TestAWorldIsTheSameHoweverItIsAsked(t *testing.T) {
	for _, name := range []string{"reload", "ramp", "restarting"} {
		s, err := BuiltinScenario(name)
		require.NoError(t, err)
		forwards, backwards := NewWorld(s, start), NewWorld(s, start)
		var all sync.WaitGroup
		got := make([]map[time.Duration]Counters, 2)
		for i, w := range []*World{forwards, backwards} {
			got[i] = map[time.Duration]Counters{}
			for part := range 2 { // two at a time of each, which the race detector looks at
				all.Go(func() {
					m, _ := w.Model("ensemble")
					for k := range 300 {
						d := time.Duration(k) * 5 * time.Minute
						if i == 1 {
							d = 300*5*time.Minute - d
						}
						c := m.Counters(after(d))
						if part == 0 {
							got[i][d] = c
						}
					}
				})
			}
		}
		all.Wait()
		for d, c := range got[0] {
			if other, ok := got[1][d]; ok {
				require.Equal(t, c, other, "%s at %s", name, d)
			}
		}
	}
}

func TestBuiltinScenariosDoWhatTheyAreCalled(t *testing.T) {
	worldOf := func(name string) *World {
		s, err := BuiltinScenario(name)
		require.NoError(t, err)
		return NewWorld(s, start)
	}
	later := after(6 * time.Hour) // as one asks that looks back on six hours

	w := worldOf("burst")
	m := model(t, w, "ensemble")
	assert.Greater(t, m.RequestRate(after(3*time.Minute), after(4*time.Minute)), 4*m.RequestRate(after(5*time.Minute), after(9*time.Minute)))
	w = worldOf("diurnal")
	m = model(t, w, "ensemble")
	assert.Greater(t, m.RequestRate(after(4*time.Hour), after(5*time.Hour)), 10*m.RequestRate(after(18*time.Hour), after(23*time.Hour)))
	w = worldOf("throttling")
	g, _ := w.GPU(0)
	assert.InDelta(t, 0.45, g.Throttle(later), 1e-9)
	assert.Greater(t, g.Temperature(later), 78.0)
	w = worldOf("xid")
	g, _ = w.GPU(1)
	code, ok := g.XID(later)
	assert.True(t, ok)
	assert.Equal(t, 79, code)
	reranker := model(t, w, "reranker")
	assert.Greater(t, reranker.Failures(after(time.Hour), later, Backend), reranker.Requests(after(time.Hour), later))
	w = worldOf("nodelost")
	for _, exporter := range exporterNames() {
		assert.Equal(t, Outage{Lost: true}, w.Outage(exporter, later))
	}
	w = worldOf("restarting")
	assert.Zero(t, w.Outage("triton", later))
	assert.Equal(t, later.Add(-12*time.Minute-15*time.Second), w.Started("triton", later))
	w = worldOf("slowscrape")
	assert.Equal(t, Outage{Delay: 400 * time.Millisecond}, w.Outage("node", later))
	assert.Equal(t, Outage{Delay: 12 * time.Second}, w.Outage("dcgm", later.Add(6*time.Minute)))
	w = worldOf("reload")
	assert.Greater(t, len(model(t, w, "ensemble").Stays()), 100)
	m = model(t, worldOf("ramp"), "ensemble")
	var last float64
	for d := time.Minute; d < 25*time.Minute; d += 4 * time.Minute {
		rate := m.RequestRate(after(d), after(d+time.Minute))
		require.Greater(t, rate, last)
		last = rate
	}
	assert.Less(t, m.RequestRate(after(32*time.Minute), after(33*time.Minute)), last/4)
}

func TestEventErrorsSayWhere(t *testing.T) {
	const base = "version: 1\nmodels: [{name: m, requests_per_second: 1, stages_us: {compute_infer: 400000}}]\ngpus: [{}]\nevents:\n"
	for _, tc := range []struct{ name, event, want string }{
		{"nothing happens", "at: 1m", "s.yaml:5:5: events[0]: nothing happens; say what with one of delay, failures_per_second, outage, slowdown, throttle, traffic, unload, xid"},
		{"unknown key", "burst: 3", `s.yaml:5:6: unknown key "burst" in events[0]`},
		{"unknown outage", "outage: gone", `s.yaml:5:14: outage: "gone" is none of restart, refused, lost`},
		{"recurs without end", "traffic: 2, every: 5m", "for is missing: what happens every 5m0s must end"},
		{"longer than its period", "traffic: 2, every: 5m, for: 6m", "for is 6m0s, longer than the 5m0s after which it begins again"},
		{"too often", "traffic: 2, every: 5s, for: 1s", "s.yaml:5:25: every: 5s is less than 1m0s"},
		{"reload too often", "unload: true, every: 2m, for: 5s", "models can be loaded anew every 5m0s at most"},
		{"restart without end", "outage: restart", "for is missing: a restart ends"},
		{"fall without end", "traffic: 2, fall: 1m", "it has fall, but no for"},
		{"no time to rise", "traffic: 2, for: 1m, rise: 40s, fall: 30s", "rise and fall take 1m10s, longer than the 1m0s of for"},
		{"gradual restart", "outage: lost, for: 1m, rise: 4s", "outage comes and goes at once"},
		{"gradually to nothing", "traffic: 0, for: 1m, rise: 4s", "traffic of less than 0.01 comes and goes at once"},
		{"unload false", "unload: false", `unload: "false" is none of true`},
		{"nobody", "traffic: 2, models: []", "s.yaml:5:26: models: nobody is named"},
		{"models of an outage", "outage: lost, models: [m]", "it has models, but nothing happens to them"},
		{"no such model", "traffic: 2, models: [n]", `s.yaml:5:5: an event of model "n", which there is not`},
		{"no such GPU", "xid: 79, gpus: [1]", "s.yaml:5:5: an event of GPU 1, but there is 1 GPU, number 0"},
		{"no such exporter", "outage: lost, exporters: [tritn]", `"tritn" is none of triton, dcgm, node, vllm`},
		{"throttled to a halt", "throttle: 0", "0 is not between 0.05 and 1"},
		{"too far", "traffic: 2, at: 800h", "800h0m0s is more than 744h0m0s"},
		{"too much for the machine", "traffic: 20, at: 5h, for: 1h", "the CPUs would be 205 % busy, of at most 95 %: cpu_load and the compute time of requests to models without a GPU, during the events of the lines 5"},
		{"too many failures", "failures_per_second: {OTHER: 2}", "its failures can outnumber its requests, during the events of the lines 5"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := ParseScenario("s.yaml", []byte(base+"  - {"+tc.event+"}\n"))
			require.ErrorContains(t, err, tc.want)
		})
	}
	_, err := ParseScenario("s.yaml", []byte(base+"  - {traffic: 4, at: 5m, for: 1m, every: 7m}\n  - {traffic: 4, at: 1h, for: 1m, every: 1h}\n"))
	require.ErrorContains(t, err, "during the events of the lines 5, 6", "each alone would do")
}

func TestCountersOfALongTime(t *testing.T) {
	w := world(t, "version: 1\nmodels: [{name: m, requests_per_second: 2}]\nevents: [{for: 30s, rise: 10s, fall: 10s, every: 1m, traffic: 2}]\n")
	m := model(t, w, "m")
	// A rise and a fall are half of what lies between, but for the hundredth that they begin and end with.
	perMinute := 2*60 + 2*10 + 2*20*(1+fromLittle)/2
	assert.InEpsilon(t, 20*24*60*perMinute, m.Requests(start, after(20*24*time.Hour)), 1e-9)
	begun := time.Now()
	m.Counters(after(30 * 24 * time.Hour))
	assert.Less(t, time.Since(begun), 10*time.Second)
	assert.False(t, math.IsNaN(m.MeanRequest(start, after(30*24*time.Hour))))
}

// Whole numbers are where rounding could make a counter step back as a rate comes or goes.
func TestCountersOfRoundNumbersNeverFall(t *testing.T) {
	w := world(t, `version: 1
models:
  - {name: m, requests_per_second: 2, stages_us: {queue: 100, compute_infer: 1000}, overhead_us: 10}
events:
  - {at: 1m, for: 1m, rise: 20s, fall: 20s, every: 5m, traffic: 3, slowdown: {queue: 2}}
  - {at: 2m, for: 1m, rise: 10s, fall: 10s, every: 5m, failures_per_second: {BACKEND: 1}}
  - {at: 4m, for: 30s, every: 5m, traffic: 0}
`)
	m := model(t, w, "m")
	for k := range 40 {
		for _, change := range []int{60, 80, 100, 120, 130, 170, 180, 240, 270} {
			middle := after(time.Duration(k)*5*time.Minute + time.Duration(change)*time.Second)
			last := m.Counters(middle.Add(-40 * time.Millisecond)).list()
			for ms := -39; ms <= 40; ms++ {
				now := m.Counters(middle.Add(time.Duration(ms) * time.Millisecond)).list()
				for i := range last {
					require.GreaterOrEqual(t, now[i], last[i], "counter %d at %d s and %d ms", i, k*300+change, ms)
				}
				last = now
			}
		}
	}
}
