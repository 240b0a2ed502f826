package why

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/api"
	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/e2e/env/embedded"
	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/stack"
)

// running starts the shipped stack with ten minutes of history, and hands out
// an asker over those.
func running(t *testing.T, scenario string) *Asker {
	t.Helper()
	s, err := stack.Load(t.Context(), "../../stack")
	require.NoError(t, err)
	sc, err := fakes.BuiltinScenario(scenario)
	require.NoError(t, err)
	e, err := embedded.Start(t.Context(), s.Prometheus, embedded.Options{Scenario: sc, History: 10 * time.Minute})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, e.Close()) })
	in := e.Instance()
	client, err := api.NewClient(api.Config{Address: in.PrometheusURL})
	require.NoError(t, err)
	return &Asker{
		API: promv1.NewAPI(client), Start: in.Now.Add(-5 * time.Minute), End: in.Now, Step: 15 * time.Second,
		Targets: in.Targets, Recorded: map[string]string{"some:recorded:sum": "rules.yml:3:5"}, Intervals: map[string]time.Duration{"triton": 15 * time.Second, "dcgm": 15 * time.Second, "node": 15 * time.Second},
		ExporterOf: func(metric string) string {
			if strings.HasPrefix(metric, "nv_") {
				return "triton"
			}
			return ""
		},
	}
}

func TestExplain(t *testing.T) {
	a := running(t, "steady")
	for _, tc := range []struct {
		name, expr string
		part       string
		reason     Reason
		evidence   string // in one of the lines
		fix        string
	}{
		{"has data", `up`, "", "", "", ""},
		{"metric missing, nested in a sum over a join",
			`sum by (model) (rate(nv_inference_request_success[1m])) / sum by (model) (rate(nv_inference_request_sucess[1m]))`,
			`nv_inference_request_sucess[1m]`, MetricMissing, "nv_inference_request_success", "write nv_inference_request_success"},
		{"no metric of that pattern", `{__name__=~"absolutely_.*"}`, `{__name__=~"absolutely_.*"}`, MetricMissing, "", "exporters"},
		{"label missing", `nv_inference_count{modle="inference"}`, `nv_inference_count{modle="inference"}`, LabelMissing, "model", "write model"},
		{"value missing", `rate(node_cpu_seconds_total{mode="idl"}[1m])`, `node_cpu_seconds_total{mode="idl"}[1m]`, ValueMissing, `"idle"`, `write "idle"`},
		{"regex value missing", `up{job=~"trtion|foo"}`, `up{job=~"trtion|foo"}`, ValueMissing, `"triton"`, ""},
		{"matchers jointly empty", `up{job="triton",instance="host.docker.internal:9400"}`,
			`up{job="triton",instance="host.docker.internal:9400"}`, MatchersJointlyEmpty, "job has the values", "occur together"},
		{"window too short", `sum(rate(nv_inference_count[10s]))`, `rate(nv_inference_count[10s])`, WindowTooShort, `job "triton" is scraped every 15s`, "at least 1m, or [$__rate_interval]"},
		{"window too short in a subquery", `rate(nv_inference_count[20s:30s])`, ``, WindowTooShort, "", "__rate_interval"},
		{"filtered out", `node_load1 > 1e9`, `node_load1 > 1e9`, FilteredOut, "between", "threshold"},
		{"comparison the other way round", `1e9 < node_load1`, `1e9 < node_load1`, FilteredOut, "between", "threshold"},
		{"no traffic", `rate(node_context_switches_total[1m]) * 0 > 0`, `rate(node_context_switches_total[1m]) * 0 > 0`, NoTraffic, "between 0 and 0", "scenario"},
		{"join mismatch", `nv_gpu_utilization * DCGM_FI_DEV_GPU_TEMP`, `nv_gpu_utilization * DCGM_FI_DEV_GPU_TEMP`, JoinMismatch, "gpu_uuid on the left has the values of UUID on the right", `* on (gpu_uuid) label_replace(…, "gpu_uuid"`},
		{"no le", `histogram_quantile(0.9, sum by (instance) (rate(node_cpu_seconds_total[1m])))`,
			`histogram_quantile(0.9, sum by (instance) (rate(node_cpu_seconds_total[1m])))`, HistogramNoLe, "", "keep le"},
		{"absent of what is there", `absent(up)`, `absent(up)`, FilteredOut, "", "expected to be empty"},
		{"unless removes all", `up unless up`, `up unless up`, FilteredOut, "", "right side"},
		{"join with on", `max by (instance) (nv_gpu_utilization) * on (instance) max by (instance) (DCGM_FI_DEV_GPU_TEMP)`, ``, JoinMismatch, "", "same on both sides"},
		{"no name", `{job="triton",model="zzz"}`, `{job="triton",model="zzz"}`, ValueMissing, `"inference"`, "choose a value"},
		{"alerts", `ALERTS{alertname="x"}`, `ALERTS{alertname="x"}`, MetricMissing, "", "alerting rules"},
		{"several values under =", `nv_inference_count{model="(inference|ensemble)"}`, ``, ValueMissing, `"inference"`, "write =~"},
		{"a window between two scrapes", `rate(nv_inference_count[1s])`, ``, WindowTooShort, "", "at least 1m"},
		{"recorded, without a sample", `some:recorded:sum`, ``, MetricMissing, "", "last error"},
		{"or of two empty sides names the first", `nix_a or nix_b`, `nix_a`, MetricMissing, "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d, err := a.Explain(t.Context(), tc.expr)
			require.NoError(t, err)
			if tc.reason == "" {
				assert.Nil(t, d)
				return
			}
			require.NotNil(t, d)
			assert.Equal(t, tc.reason, d.Reason, d.Message)
			if tc.part != "" {
				assert.Equal(t, tc.part, d.Part)
				assert.Equal(t, tc.part, tc.expr[d.Start:d.End])
			}
			assert.Contains(t, join(d.Evidence), tc.evidence)
			assert.Contains(t, d.Fix, tc.fix)
			assert.NotEmpty(t, d.Fix)
		})
	}
}

func TestExplainEmptyVariable(t *testing.T) {
	a := running(t, "steady")
	a.EmptyVariables = []string{"model"}
	d, err := a.Explain(t.Context(), `rate(nv_inference_count{model=~"()"}[1m])`)
	require.NoError(t, err)
	require.NotNil(t, d)
	assert.Equal(t, VariableEmpty, d.Reason)
	assert.Contains(t, join(d.Evidence), "model")
}

func TestExplainTargetDown(t *testing.T) {
	a := running(t, "steady")
	a.Targets = []env.Target{
		{Job: "node", Instance: "n:9100", Up: true, AnsweredBy: "node", Labels: map[string]string{"job": "node"}},
		{Job: "vllm", Instance: "v:8000", Error: "connection refused", Labels: map[string]string{"job": "vllm", "instance": "v:8000"}},
	}
	a.ExporterOf = func(m string) string { return map[string]string{"nv_gone": "triton", "node_gone": "node"}[m] }
	for expr, want := range map[string]Reason{
		"nv_gone":              TargetDown,    // nobody answers for Triton, and something is down
		"node_gone":            MetricMissing, // its exporter is up
		`vllm_x{job="vllm"}`:   TargetDown,    // the selector names the job
		`vllm_x{job="node"}`:   MetricMissing,
		`vllm_x{job!="node"}`:  MetricMissing, // names nothing in particular
		`some_thing`:           MetricMissing,
		`vllm_x{job=~"vllm"}`:  MetricMissing,
		`a_b{instance="v:80"}`: MetricMissing,
	} {
		d, err := a.Explain(t.Context(), expr)
		require.NoError(t, err, expr)
		require.NotNil(t, d, expr)
		assert.Equal(t, want, d.Reason, expr)
	}
}

// A target that is down is the reason before any label or value is.
func TestExplainOneOfSeveralDown(t *testing.T) {
	a := running(t, "steady")
	a.Targets = append(a.Targets, env.Target{Job: "triton", Instance: "gpu2:8003", Error: "refused",
		Labels: map[string]string{"job": "triton", "instance": "gpu2:8003"}})
	d, err := a.Explain(t.Context(), `nv_inference_count{instance="gpu2:8003"}`)
	require.NoError(t, err)
	require.NotNil(t, d)
	assert.Equal(t, TargetDown, d.Reason)
	assert.Contains(t, join(d.Evidence), "gpu2:8003")
	assert.NotContains(t, join(d.Evidence), "host.docker.internal")
}

func TestExplainDropped(t *testing.T) {
	a := running(t, "steady")
	a.KnownMetrics = []string{"nv_dropped"}
	d, err := a.Explain(t.Context(), `nv_dropped`)
	require.NoError(t, err)
	require.NotNil(t, d)
	assert.Equal(t, DroppedByRelabel, d.Reason)
}

func TestExplainNaN(t *testing.T) {
	a := running(t, "idle")
	d, err := a.ExplainNaN(t.Context(), `sum by (model) (rate(nv_inference_queue_duration_us[1m])) / sum by (model) (rate(nv_inference_request_success[1m]))`)
	require.NoError(t, err)
	require.NotNil(t, d)
	assert.Equal(t, NoTraffic, d.Reason)
	assert.Equal(t, "sum by (model) (rate(nv_inference_request_success[1m]))", d.Part)

	d, err = a.ExplainNaN(t.Context(), `up / (up - up)`)
	require.NoError(t, err)
	require.NotNil(t, d)
	assert.Equal(t, DividesByZero, d.Reason)

	d, err = a.ExplainNaN(t.Context(), `up / 0`)
	require.NoError(t, err)
	require.NotNil(t, d)
	assert.Equal(t, DividesByZero, d.Reason)

	d, err = a.ExplainNaN(t.Context(), `sum(up) / scalar(sum(nix))`)
	require.NoError(t, err)
	require.NotNil(t, d)
	assert.Equal(t, MetricMissing, d.Reason)
	assert.Equal(t, "nix", `sum(up) / scalar(sum(nix))`[d.Start:d.End])

	d, err = a.ExplainNaN(t.Context(), `sqrt(-up)`)
	require.NoError(t, err)
	assert.Nil(t, d, "no division accounts for it")
}

func TestExplainErrors(t *testing.T) {
	a := running(t, "steady")
	_, err := a.Explain(t.Context(), `sum(`)
	assert.ErrorContains(t, err, `parse "sum("`)
	_, err = a.Explain(t.Context(), `up + on (job) group_left nv_inference_count + on (nothing) up`)
	assert.Error(t, err, "what Prometheus refuses is an error, not a reason")
}

// An expression that is too large to take apart is an error, never a guess.
func TestExplainGivesUp(t *testing.T) {
	a := running(t, "steady")
	parts := make([]string, 130)
	for i := range parts {
		parts[i] = fmt.Sprintf("missing_%d", i)
	}
	_, err := a.Explain(t.Context(), strings.Join(parts, " or "))
	assert.ErrorContains(t, err, "more than")
}

func join(lines []string) string {
	out := ""
	for _, l := range lines {
		out += l + "\n"
	}
	return out
}

func TestExplainLabel(t *testing.T) {
	a := running(t, "steady")
	d, values, err := a.ExplainLabel(t.Context(), "nv_inference_count", "modle")
	require.NoError(t, err)
	require.NotNil(t, d)
	assert.Empty(t, values)
	assert.Equal(t, LabelMissing, d.Reason)
	assert.Contains(t, d.Fix, "write model")

	d, _, err = a.ExplainLabel(t.Context(), "nv_inference_cuont", "model")
	require.NoError(t, err)
	require.NotNil(t, d)
	assert.Equal(t, MetricMissing, d.Reason)

	d, values, err = a.ExplainLabel(t.Context(), `nv_inference_count{model!="inference"}`, "model")
	require.NoError(t, err)
	assert.Nil(t, d)
	assert.Equal(t, []string{"ensemble", "postprocessing", "preprocessing", "reranker"}, values)
}
