package rule

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/panelgate/panelgate/fakes/catalogue"
)

func TestPromqlRateOfGauge(t *testing.T) {
	checkExprs(t, promqlRateOfGauge(), []exprCase{
		{name: "a level", expr: `sum by (gpu) (rate(DCGM_FI_DEV_GPU_UTIL{gpu="0"}[$__rate_interval]))`, at: `rate(DCGM_FI`,
			says: "rate of DCGM_FI_DEV_GPU_UTIL, which is a gauge of dcgm-exporter", fix: "show DCGM_FI_DEV_GPU_UTIL itself",
			mended: `sum by (gpu) (DCGM_FI_DEV_GPU_UTIL{gpu="0"})`},
		{name: "what fills up", expr: `rate(nv_gpu_memory_used_bytes[5m])`, says: "is a gauge of Triton", fix: "take deriv", mended: `deriv(nv_gpu_memory_used_bytes[5m])`},
		{name: "increase", expr: `1 + increase(node_memory_MemFree_bytes[1h])`, at: "increase(", says: "increase of node_memory_MemFree_bytes", fix: "take delta",
			mended: `1 + delta(node_memory_MemFree_bytes[1h])`},
		{name: "under an offset", expr: `irate(nv_gpu_utilization[5m] offset 1h)`, says: "irate of nv_gpu_utilization"},
		{name: "of a sum", expr: `rate(sum(nv_gpu_power_usage)[5m:1m])`, says: "rate of nv_gpu_power_usage"},
		{name: "a summary's quantile", expr: `rate(nv_inference_request_summary_us{quantile="0.5"}[5m])`, says: "is a quantile of a summary",
			mended: `nv_inference_request_summary_us{quantile="0.5"}`},
		{name: "an unknown summary's", expr: `rate(rpc_duration_seconds{quantile="0.9"}[5m])`, says: "is a quantile of a summary", mended: `rpc_duration_seconds{quantile="0.9"}`},
		{name: "by its name", expr: `rate(inlet_temperature_celsius[5m])`, says: "is by its name a gauge", mended: `inlet_temperature_celsius`},
		{name: "by another name", expr: `rate({__name__="nv_gpu_utilization"}[5m])`, says: "rate of nv_gpu_utilization", mended: `{__name__="nv_gpu_utilization"}`},
		{expr: `rate(nv_inference_count[5m])`},
		{expr: `rate(nv_inference_request_summary_us_count[5m])`},
		{expr: `deriv(nv_gpu_memory_used_bytes[5m]) + delta(nv_gpu_utilization[5m])`},
		{expr: `avg_over_time(nv_gpu_utilization[5m])`},
		{expr: `rate(something_bytes[5m])`},
		{expr: `rate(nv_trt_llm_general_metrics{general_type="iteration_counter"}[5m])`},
		{expr: `rate(node_procs_running[5m])`, says: "node_procs_running", mended: `deriv(node_procs_running[5m])`},
		{expr: `irate(node_nf_conntrack_stat_drop[5m]) + irate(node_netstat_Tcp_InSegs[5m])`},
		{name: "the other values of a family are gauges", expr: `rate(nv_trt_llm_request_metrics{request_type="active"}[5m])`, says: "nv_trt_llm_request_metrics",
			mended: `deriv(nv_trt_llm_request_metrics{request_type="active"}[5m])`},
		{name: "a name from a guessed variable", expr: `rate($model[5m])`},
		{name: "a rule's own series", expr: `rate(temperature_celsius[5m])`, edit: recording("temperature_celsius")},
		{expr: `rate(`},
	})
}

// recording adds a rule file that records a series.
func recording(name string) func(*fixture) {
	return func(f *fixture) {
		f.write("prometheus/rules.yml", "groups:\n  - name: g\n    rules:\n      - record: "+name+"\n        expr: vector(1)\n")
		f.replace(prometheusFile, "scrape_configs:", "rule_files: [/etc/prometheus/rules.yml]\n\nscrape_configs:")
	}
}

func TestPromqlRateOfGaugeAsScraped(t *testing.T) {
	f := shipped(t).write(boardFile, boardWith("", panelWith(1, "a", `rate(queue_length[5m]) + rate(jobs_done[5m]) + rate(errors_count[5m]) + rate(nv_gpu_utilization[5m])`)))
	in := f.live()
	assert.Empty(t, promqlRateOfGauge().Live(in), "nobody tells")
	in.Types = map[string]catalogue.Type{"queue_length": catalogue.Gauge, "jobs_done": catalogue.Counter, "errors_count": catalogue.Gauge, "nv_gpu_utilization": catalogue.Gauge}
	f.expect(promqlRateOfGauge().Live(in), []expected{{at: "rate(queue_length", says: "is a gauge, as its target says"}})
}
