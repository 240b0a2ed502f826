package rule

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestPromqlMetricRemoved(t *testing.T) {
	image := func(name string) func(*fixture) {
		return func(f *fixture) {
			f.replace(composeFile, "  triton:\n", "  exporter:\n    image: "+name+"\n\n  triton:\n")
		}
	}
	noTriton := func(f *fixture) { f.replace(prometheusFile, "host.docker.internal:8002", "vllm:8000") }
	checkExprs(t, promqlMetricRemoved(), []exprCase{
		{expr: `rate(nv_inference_compute_duration_us[5m]) / 1000`, at: "nv_inference_compute_duration_us", says: "Triton has no nv_inference_compute_duration_us since 20.06",
			fix: "nv_inference_compute_input_duration_us, nv_inference_compute_infer_duration_us, nv_inference_compute_output_duration_us"},
		{expr: `sum by (le) (increase(nv_inference_load_ratio_bucket[1m]))`, says: "nv_inference_load_ratio_bucket since 20.06"},
		{expr: `nv_cache_util`, says: "since 23.03", fix: "nothing has replaced the metric"},
		{expr: `node_memory_MemFree{job=~"$model"} / 1024 + node_memory_MemFree`, says: "node_exporter has no node_memory_MemFree since 0.16.0", at: "node_memory_MemFree{", fix: "ask for node_memory_MemFree_bytes",
			mended: `node_memory_MemFree_bytes{job=~"$model"} / 1024 + node_memory_MemFree_bytes`},
		{expr: `irate(node_disk_io_time_ms[5m])`, says: "since 0.16.0", fix: "node_disk_io_time_seconds_total, which is in s rather than ms"},
		{expr: `irate(node_cpu{mode="idle"}[5m])`, says: "no node_cpu since", mended: `irate(node_cpu_seconds_total{mode="idle"}[5m])`},
		{expr: `rate(DCGM_FI_DEV_PCIE_TX_THROUGHPUT[5m])`, says: "not among the default counters of dcgm-exporter since 3.3.7", severity: Warning, fix: "DCGM_FI_PROF_PCIE_TX_BYTES, which is in bytes/s rather than KiB"},
		{expr: `dcgm_gpu_temp`, says: "dcgm-exporter has no dcgm_gpu_temp since 2.0.0", mended: `DCGM_FI_DEV_GPU_TEMP`},
		{expr: `vllm:gpu_cache_usage_perc`, says: "vLLM has no vllm:gpu_cache_usage_perc since 0.11", mended: `vllm:kv_cache_usage_perc`, edit: noTriton},
		{expr: `histogram_quantile(0.9, sum by (le, model_name) (rate(vllm:time_per_output_token_seconds_bucket[5m])))`, says: "since 0.12",
			mended: `histogram_quantile(0.9, sum by (le, model_name) (rate(vllm:inter_token_latency_seconds_bucket[5m])))`},
		{name: "Triton's back end has kept it", expr: `vllm:gpu_cache_usage_perc`},
		{name: "both ages", expr: `vllm:kv_cache_usage_perc or vllm:gpu_cache_usage_perc`, edit: noTriton},
		{name: "both ages deep inside", expr: `sum(rate(node_cpu_seconds_total[5m]) or rate(node_cpu[5m]))`},
		{name: "an alternative in a regular expression", expr: `{__name__=~"node_cpu|node_cpu_seconds_total"}`},
		{name: "an exporter that is old enough", expr: `rate(nv_inference_compute_duration_us[5m])`, edit: image("nvcr.io/nvidia/tritonserver:20.03-py3")},
		{name: "one that is not", expr: `nv_cache_util`, edit: image("nvcr.io/nvidia/tritonserver:24.01-py3"), says: "since 23.03"},
		{name: "not yet", expr: `sum(nv_inference_pending_request_count)`, edit: image("nvcr.io/nvidia/tritonserver:23.04-py3"),
			says: "Triton 23.04 has no nv_inference_pending_request_count yet, which came with 23.09", fix: "run Triton 23.09 or newer"},
		{name: "not yet, and there was another", expr: `rate(nv_cache_hit_duration_per_model[5m])`, edit: image("nvcr.io/nvidia/tritonserver:22.04-py3"),
			says: "which came with 23.03", fix: "or ask for what there was before: nv_cache_lookup_duration, nv_cache_hit_lookup_duration_per_model"},
		{name: "not yet among the default counters", expr: `DCGM_FI_DEV_FB_RESERVED`, edit: image("nvidia/dcgm-exporter:3.3.5-3.4.0-ubuntu22.04"), says: "which came with 4.3.1", severity: Warning},
		{name: "there since", expr: `nv_inference_pending_request_count`, edit: image("nvcr.io/nvidia/tritonserver:23.09-py3")},
		{name: "not yet, or what is there", expr: `rate(nv_cache_num_hits_per_model[5m]) or rate(nv_inference_request_success[5m])`, edit: image("nvcr.io/nvidia/tritonserver:21.12-py3")},
		{name: "a record of that name", expr: `node_cpu`, edit: recording("node_cpu")},
		{expr: `nv_inference_compute_infer_duration_us`},
		{expr: `nv_of_tomorrow`},
	})
	checkCases(t, promqlMetricRemoved(), []ruleCase{
		{name: "both ages in two queries of a panel", board: boardWith("", panelWith(1, "a", `rate(node_cpu[5m])`, `rate(node_cpu_seconds_total[5m])`))},
		{name: "a variable", board: boardWith(`{"name": "node", "type": "query", "query": "label_values(node_boot_time{job=~\"$job\"}, instance)"}`, panelWith(1, "a", `up`)),
			want: []expected{{at: "node_boot_time{", says: "no node_boot_time since 0.16.0", fix: "node_boot_time_seconds"}}},
		{name: "a variable that lists names", board: boardWith(`{"name": "m", "type": "query", "query": "metrics(node_boot_time)"}`, panelWith(1, "a", `up`))},
	})
}

func TestRenamedMetricsTogether(t *testing.T) {
	f := shipped(t).write(boardFile, boardWith("", panelWith(1, "a", `node_memory_MemFree / node_memory_MemTotal`)))
	found := f.check(promqlMetricRemoved())
	assert.Len(t, found, 2)
	for _, one := range found {
		assert.Equal(t, `node_memory_MemFree_bytes / node_memory_MemTotal_bytes`, one.Mended)
	}
}
