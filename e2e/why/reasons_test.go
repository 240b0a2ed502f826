package why

import (
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/fakes/catalogue"
)

// shaped is a query of some shape, and the part of it that is empty.
type shaped struct{ expr, part string }

// reasonCases are at least three differently shaped queries for each reason.
func reasonCases() map[Reason][]shaped {
	return map[Reason][]shaped{
		MetricMissing: {
			{`nv_inference_requests`, `nv_inference_requests`},
			{`sum by (model) (rate(nv_inference_compute_duration_us[1m])) / 1000`, `nv_inference_compute_duration_us[1m]`},
			{`up and on (job) (nix > 0)`, `nix`},
			{`avg_over_time(nix_total[5m:30s])`, `nix_total`},
			{`label_replace(nv_inference_count, "a", "$1", "model", "(.*)") * on (model) group_left () missing_info`, `missing_info`},
		},
		LabelMissing: {
			{`nv_gpu_utilization{gpu="0"}`, `nv_gpu_utilization{gpu="0"}`},
			{`sum(rate(node_cpu_seconds_total{core=~".+"}[1m])) by (instance)`, `node_cpu_seconds_total{core=~".+"}[1m]`},
			{`1 - avg(up{cluster!=""})`, `up{cluster!=""}`},
		},
		ValueMissing: {
			{`nv_inference_count{model="resnet50"}`, `nv_inference_count{model="resnet50"}`},
			{`max(rate(nv_inference_request_failure{reason=~"TIMEOUT|OOM"}[2m]))`, `nv_inference_request_failure{reason=~"TIMEOUT|OOM"}[2m]`},
			{`node_load1{job="nodes"} > 0`, `node_load1{job="nodes"}`},
		},
		MatchersJointlyEmpty: {
			{`up{job="node",instance=~".*:8002"}`, `up{job="node",instance=~".*:8002"}`},
			{`rate(nv_inference_request_failure{model="ensemble",reason="REJECTED",instance=~".*:9400|.*:8002",job="triton",version="1",model!="ensemble"}[1m])`, ``},
			{`sum({__name__="node_cpu_seconds_total",mode="idle",cpu="0",mode!~"i.*"})`, `{__name__="node_cpu_seconds_total",mode="idle",cpu="0",mode!~"i.*"}`},
		},
		WindowTooShort: {
			{`irate(nv_inference_count[12s])`, `irate(nv_inference_count[12s])`},
			{`100 * (1 - avg by (instance) (rate(node_cpu_seconds_total{mode="idle"}[5s])))`, ``},
			{`deriv(nv_gpu_utilization[14s]) > 0`, `deriv(nv_gpu_utilization[14s])`},
		},
		JoinMismatch: {
			{`nv_inference_count / DCGM_FI_DEV_GPU_UTIL`, `nv_inference_count / DCGM_FI_DEV_GPU_UTIL`},
			{`sum by (model) (nv_inference_count) / sum by (version) (nv_inference_exec_count)`, ``},
			{`max by (model) (nv_inference_count) and max by (gpu) (DCGM_FI_DEV_GPU_UTIL)`, ``},
			{`sum(node_load1 * on (job) nv_cpu_utilization)`, `node_load1 * on (job) nv_cpu_utilization`},
		},
		HistogramNoLe: {
			{`histogram_quantile(0.5, rate(nv_inference_count[1m]))`, `histogram_quantile(0.5, rate(nv_inference_count[1m]))`},
			{`1000 * histogram_quantile(0.99, sum by (model) (rate(nv_inference_count[1m])))`, `histogram_quantile(0.99, sum by (model) (rate(nv_inference_count[1m])))`},
			{`max(histogram_quantile(0.9, sum without (le) (nv_inference_count)))`, `histogram_quantile(0.9, sum without (le) (nv_inference_count))`},
		},
		FilteredOut: {
			{`DCGM_FI_DEV_GPU_TEMP > 200`, `DCGM_FI_DEV_GPU_TEMP > 200`},
			{`count(node_load1 < -1)`, `node_load1 < -1`},
			{`nv_gpu_memory_used_bytes > nv_gpu_memory_total_bytes`, `nv_gpu_memory_used_bytes > nv_gpu_memory_total_bytes`},
			{`absent(node_load1)`, `absent(node_load1)`},
			{`up unless on (job) node_load1 unless on () up`, ``},
		},
		NoTraffic: {
			{`rate(nv_inference_request_failure{reason="OTHER",model="reranker"}[1m]) > 0`, ``},
			{`sum by (gpu) (increase(DCGM_FI_DEV_PCIE_REPLAY_COUNTER[2m])) > 0`, ``},
			{`changes(DCGM_FI_DEV_UNCORRECTABLE_REMAPPED_ROWS[5m]) != 0`, ``},
		},
	}
}

func TestEveryReason(t *testing.T) {
	a := running(t, "steady")
	for reason, cases := range reasonCases() {
		require.GreaterOrEqual(t, len(cases), 3, reason)
		for _, tc := range cases {
			t.Run(string(reason)+"/"+tc.expr, func(t *testing.T) {
				d, err := a.Explain(t.Context(), tc.expr)
				require.NoError(t, err)
				require.NotNil(t, d, "it has data")
				assert.Equal(t, reason, d.Reason, "%s: %s", d.Part, d.Message)
				if tc.part != "" {
					assert.Equal(t, tc.part, d.Part)
				}
				assert.NotEmpty(t, d.Fix)
				assert.LessOrEqual(t, d.Asked, 4, "questions")
			})
		}
	}
}

func TestReasonStale(t *testing.T) {
	a := running(t, "steady")
	a.Start, a.End = a.End.Add(7*time.Minute), a.End.Add(8*time.Minute) // beyond what has been scraped
	for _, expr := range []string{`nv_gpu_utilization`, `sum(rate(nv_inference_count{model="inference"}[1m]))`, `max(node_load1) > 0`} {
		d, err := a.Explain(t.Context(), expr)
		require.NoError(t, err)
		require.NotNil(t, d, expr)
		assert.Equal(t, Stale, d.Reason, "%s: %s", expr, d.Message)
		assert.Contains(t, join(d.Evidence), "its last sample is of", expr)
	}
}

func TestReasonVariableEmpty(t *testing.T) {
	a := running(t, "steady")
	a.EmptyVariables = []string{"model"}
	for _, expr := range []string{`nv_inference_count{model=~""}`, `sum by (x) (rate(nv_inference_count{model="",version="1"}[1m]))`, `up + on () nv_inference_count{model=~"()"}`} {
		d, err := a.Explain(t.Context(), expr)
		require.NoError(t, err)
		require.NotNil(t, d, expr)
		assert.Equal(t, VariableEmpty, d.Reason, "%s: %s", expr, d.Message)
	}
}

func TestReasonTargetDown(t *testing.T) {
	a := running(t, "steady")
	a.Targets = []env.Target{{Job: "vllm", Instance: "v:8000", Error: "connection refused", Labels: map[string]string{"job": "vllm", "instance": "v:8000"}}}
	a.ExporterOf = func(m string) string { return catalogue.New().Exporter(m) }
	for _, expr := range []string{`vllm:num_requests_running`, `sum(rate(vllm:prompt_tokens_total{job="vllm"}[1m]))`, `histogram_quantile(0.9, sum by (le) (rate(vllm:e2e_request_latency_seconds_bucket[5m])))`} {
		d, err := a.Explain(t.Context(), expr)
		require.NoError(t, err)
		require.NotNil(t, d, expr)
		assert.Equal(t, TargetDown, d.Reason, "%s: %s", expr, d.Message)
		assert.Contains(t, join(d.Evidence), "connection refused")
	}
}

func TestReasonDroppedByRelabel(t *testing.T) {
	a := running(t, "steady")
	a.KnownMetrics = []string{"nv_gone"}
	a.Relabelled = map[string]string{"triton": "prometheus.yml:12:5"}
	a.Printed = func(metric string) []model.LabelSet {
		return map[string][]model.LabelSet{"nv_inference_count": {{"model": "inference", "shard": "7"}}}[metric]
	}
	for expr, says := range map[string]string{
		`nv_gone`: "prints nv_gone",
		`sum by (shard) (rate(nv_inference_count{shard=~".+"}[1m]))`: `prints nv_inference_count with shard=~".+"`,
		`nv_inference_count{shard="7"} > 0`:                          `with shard="7"`,
	} {
		d, err := a.Explain(t.Context(), expr)
		require.NoError(t, err)
		require.NotNil(t, d, expr)
		assert.Equal(t, DroppedByRelabel, d.Reason, "%s: %s", expr, d.Message)
		assert.Contains(t, d.Message, says)
		assert.Contains(t, d.Fix, "prometheus.yml:12:5")
	}
	d, err := a.Explain(t.Context(), `nv_inference_count{shard="8"}`)
	require.NoError(t, err)
	assert.Equal(t, LabelMissing, d.Reason, "nobody prints that")
}

func TestReasonDividesByZero(t *testing.T) {
	a := running(t, "steady")
	for _, expr := range []string{`up / (up - up)`, `sum(node_load1) / 0`, `max by (job) (100 * up / (up * 0))`} {
		d, err := a.ExplainNaN(t.Context(), expr)
		require.NoError(t, err)
		require.NotNil(t, d, expr)
		assert.Equal(t, DividesByZero, d.Reason, expr)
		assert.LessOrEqual(t, d.Asked, 2)
	}
}

// Of a release that is too old, nothing can be switched on.
func TestMetricMissingKnowsTheRelease(t *testing.T) {
	a := running(t, "steady")
	a.Catalogue = catalogue.New()
	for i := range a.Targets {
		if a.Targets[i].AnsweredBy == "triton" {
			a.Targets[i].Setup = &fakes.Setup{Version: "22.12"}
		}
	}
	d, err := a.Explain(t.Context(), `nv_inference_request_summary_us`)
	require.NoError(t, err)
	assert.Contains(t, join(d.Evidence), "triton has it since 23.04, and the one that is scraped is 22.12")
	assert.Contains(t, d.Fix, "run Triton 23.04 or newer")
	assert.NotContains(t, join(d.Evidence), "prints it only with")
}

func TestMetricMissingKnowsTheCatalogue(t *testing.T) {
	a := running(t, "steady")
	a.Catalogue = catalogue.New()
	for expr, says := range map[string]string{
		`nv_inference_compute_duration_us`: "has it no more since 20.06",
		`nv_inference_request_summary_us`:  "summary_latencies=true",
	} {
		d, err := a.Explain(t.Context(), expr)
		require.NoError(t, err)
		assert.Contains(t, join(d.Evidence), says)
	}
}
