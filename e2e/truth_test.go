package e2e

import (
	"math"
	"testing"
	"time"

	"github.com/prometheus/client_golang/api"
	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/e2e/env/embedded"
	"github.com/panelgate/panelgate/e2e/query"
	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/stack"
)

// truthOf is what a line of a panel ought to show, in the panel's unit, over the
// window that its rate looks at. NaN says that nothing is claimed.
type truthOf func(w *fakes.World, line model.Metric, from, to time.Time) float64

// truths are those of the shipped dashboard, by panel and refId.
func truths() map[string]truthOf {
	ofModel := func(f func(m *fakes.Model, from, to time.Time) float64) truthOf {
		return func(w *fakes.World, line model.Metric, from, to time.Time) float64 {
			m, ok := w.Model(string(line["model"]))
			if !ok {
				return math.NaN()
			}
			return f(m, from, to)
		}
	}
	// Compute durations do not include cached requests, so neither does their mean.
	computed := func(f func(m *fakes.Model, from, to time.Time) float64) truthOf {
		return ofModel(func(m *fakes.Model, from, to time.Time) float64 {
			if m.Cached() {
				return f(m, from, to) / (1 - m.CacheHitRatio(from, to))
			}
			return f(m, from, to)
		})
	}
	ofGPU := func(f func(g *fakes.GPU, from, to time.Time) float64) truthOf {
		return func(w *fakes.World, line model.Metric, from, to time.Time) float64 {
			g, ok := w.GPU(map[model.LabelValue]int{"0": 0, "1": 1}[line["gpu"]])
			if !ok {
				return math.NaN()
			}
			return f(g, from, to)
		}
	}
	return map[string]truthOf{
		"Preprocessing Compute Latency/A":  computed((*fakes.Model).MeanComputeInfer),
		"Inference Compute Latency/A":      computed((*fakes.Model).MeanComputeInfer),
		"Postprocessing Compute Latency/A": computed((*fakes.Model).MeanComputeInfer),
		"Input and Output Latency/A":       computed((*fakes.Model).MeanComputeInput),
		"Input and Output Latency/B":       computed((*fakes.Model).MeanComputeOutput),
		"E2E Request Latency/A":            ofModel((*fakes.Model).MeanRequest),
		"Queue Delay/A":                    ofModel((*fakes.Model).MeanQueue),
		"Queue Delay/B":                    pipelineQueue,
		"Request Rate/A":                   ofModel((*fakes.Model).RequestRate),
		"Batch Size/A":                     ofModel((*fakes.Model).MeanBatch),
		"Cache Hits/A":                     ofModel((*fakes.Model).CacheHitRatio),
		"Failed Requests/A":                failures,
		"GPU Usage/A":                      ofGPU(func(g *fakes.GPU, from, to time.Time) float64 { return 100 * g.MeanUtilization(from, to) }),
		"GPU Power/A":                      ofGPU((*fakes.GPU).MeanPower),
		"GPU Temperature/A":                ofGPU((*fakes.GPU).MeanTemperature),
		"GPU Memory/A":                     ofGPU(func(g *fakes.GPU, from, to time.Time) float64 { return g.MeanMemoryUsed(from, to) / (1 << 20) }),
		"CPU Usage/A": func(w *fakes.World, _ model.Metric, from, to time.Time) float64 {
			return 100 * w.Host().MeanCPUUtilization(from, to)
		},
	}
}

// pipelineQueue is what a request waits in the ensemble's stages together.
func pipelineQueue(w *fakes.World, _ model.Metric, from, to time.Time) float64 {
	sum := 0.0
	ensemble, ok := w.Model("ensemble")
	if !ok {
		return math.NaN()
	}
	for _, step := range ensemble.Steps() {
		m, ok := w.Model(step)
		if !ok {
			return math.NaN()
		}
		sum += m.MeanQueue(from, to)
	}
	return sum
}

func failures(w *fakes.World, line model.Metric, from, to time.Time) float64 {
	m, ok := w.Model(string(line["model"]))
	if !ok {
		return math.NaN()
	}
	for _, reason := range fakes.Reasons() {
		if reason.String() == string(line["reason"]) {
			return m.Failures(from, to, reason) / to.Sub(from).Seconds()
		}
	}
	return math.NaN()
}

// TestShippedPanelsTellTheTruth holds every line of every panel against what the
// world truly did in the windows that the line's points look at, both averaged
// over the range. What remains between them is sampling: a rate sees the scrapes
// inside its window rather than the window, dcgm-exporter collects every 30 s,
// and failures are whole numbers. Hence 2 %, and a floor for lines near zero.
func TestShippedPanelsTellTheTruth(t *testing.T) {
	s, err := stack.Load(t.Context(), shippedDir)
	require.NoError(t, err)
	scenario, err := fakes.BuiltinScenario("steady")
	require.NoError(t, err)
	e, err := embedded.Start(t.Context(), s.Prometheus, embedded.Options{Scenario: scenario, History: 80 * time.Minute})
	require.NoError(t, err)
	defer func() { assert.NoError(t, e.Close()) }()
	in := e.Instance()
	client, err := api.NewClient(api.Config{Address: in.PrometheusURL})
	require.NoError(t, err)
	prom := promv1.NewAPI(client)
	want := truths()
	seen := map[string]bool{}
	for _, q := range resolved(t, s, prom, in) {
		name := q.Panel.Title.Value + "/" + q.Target.RefID.Value
		seen[name] = true
		check, ok := want[name]
		if !ok {
			continue
		}
		t.Run(name, func(t *testing.T) { holdAgainst(t, prom, q, in.World, check) })
	}
	for name := range want {
		assert.True(t, seen[name], "the dashboard has no %s", name)
	}
}

// resolved are the shipped dashboard's questions with its variables filled.
func resolved(t *testing.T, s *stack.Stack, prom promv1.API, in env.Instance) []*rule.Question {
	t.Helper()
	board := rule.NewStatic(s, nil, in.Now).Boards[0]
	r, err := board.Range(in.Now)
	require.NoError(t, err)
	scope, _, err := query.Resolve(t.Context(), board.Dashboard, s.Datasources, func(*stack.Datasource) promv1.API { return prom }, r)
	require.NoError(t, err)
	return board.Ask(s, scope, in.Now)
}

func holdAgainst(t *testing.T, prom promv1.API, q *rule.Question, w *fakes.World, check truthOf) {
	t.Helper()
	const tolerance, nearZero = 0.02, 0.005
	req := q.Requests[0]
	v, _, err := prom.QueryRange(t.Context(), req.Expr, promv1.Range{Start: req.Start, End: req.End, Step: req.Step})
	require.NoError(t, err)
	matrix, ok := v.(model.Matrix)
	require.True(t, ok)
	require.NotEmpty(t, matrix)
	for _, line := range matrix {
		shown, expected, n := 0.0, 0.0, 0
		for _, p := range line.Values {
			if math.IsNaN(float64(p.Value)) {
				continue // a model that was not there yet
			}
			at := p.Timestamp.Time()
			shown += float64(p.Value)
			expected += check(w, line.Metric, at.Add(-req.RateInterval), at)
			n++
		}
		require.Positive(t, n, "%s", line.Metric)
		shown, expected = shown/float64(n), expected/float64(n)
		require.False(t, math.IsNaN(expected), "nothing is known of the truth of %s", line.Metric)
		assert.InDelta(t, expected, shown, max(tolerance*math.Abs(expected), nearZero), "%s", line.Metric)
	}
}
