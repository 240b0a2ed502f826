package e2e

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// shows is a panel, and whether it shows what its words claim.
type shows struct {
	title, unit, legend, expr string
	is                        bool
}

// model, per and window make expressions short to write.
func rated(metric, matchers, by string) string {
	return fmt.Sprintf("sum by (%s) (rate(%s{%s}[$__rate_interval]))", by, metric, matchers)
}

func perRequest(metric, matchers string) string {
	return rated(metric, matchers, "model") + " / " + rated("nv_inference_request_success", matchers, "model")
}

const (
	requestUS = "nv_inference_request_duration_us"
	queueUS   = "nv_inference_queue_duration_us"
	inputUS   = "nv_inference_compute_input_duration_us"
	inferUS   = "nv_inference_compute_infer_duration_us"
	success   = "nv_inference_request_success"
	parts     = `model!="ensemble"`
)

// claims are panels of all kinds. Each that is true is asked once more a thousand
// times too large, which shows that it was compared at all.
func claims() []shows {
	return []shows{
		// Latency.
		{"Queue Delay", "µs", "{{model}}", perRequest(queueUS, ""), true},
		{"Queue Delay", "ms", "{{model}}", perRequest(queueUS, "") + " / 1000", true},
		{"Queue Delay", "ms", "{{model}}", perRequest(queueUS, ""), false},
		{"Queue Delay", "s", "{{model}}", perRequest(queueUS, "") + " / 1e6", true},
		{"Queue time (ms)", "short", "", perRequest(queueUS, "") + " / 1000", true},
		{"Queue time (ms)", "short", "", perRequest(queueUS, ""), false},
		{"Queue time (ms)", "none", "", rated(queueUS, "", "model") + " / 1000", false}, // busy time per second
		{"Queue Delay", "µs", "{{model}}", perRequest(requestUS, ""), false},            // the wrong counter
		{"Request latency", "µs", "", perRequest(requestUS, ""), true},
		{"Request latency", "µs", "", perRequest(requestUS, `model=~"ens.*"`), true},
		{"Request latency", "µs", "", rated(requestUS, "", "model") + " / " + rated("nv_inference_exec_count", "", "model"), false},
		{"Request latency", "µs", "", rated(requestUS, "", "model") + " / " + rated("nv_inference_count", "", "model"), false},
		{"Request latency", "µs", "", rated(requestUS, "", "job") + " / " + rated(success, "", "job"), false}, // an ensemble and its parts
		{"Request latency", "µs", "", rated(requestUS, `model=~"ensemble|reranker"`, "job") + " / " + rated(success, `model=~"ensemble|reranker"`, "job"), true},
		{"Average request duration", "ms", "", requestUS + " / " + success + " / 1000", true}, // since the start
		{"Average request duration", "ms", "", requestUS + " / 1000", false},
		{"Compute Latency", "µs", "{{model}}", perRequest(inferUS, ""), true},
		{"Compute Latency", "µs", "{{model}}", perRequest(inputUS, ""), false},
		{"Latency breakdown", "µs", "Input", perRequest(inputUS, ""), true},
		{"Latency breakdown", "µs", "Queue", perRequest(inputUS, ""), false},
		{"Pipeline queue", "µs", "", "sum(" + perRequest(queueUS, parts) + ")", true},
		{"Slowest queue", "µs", "", "max(" + perRequest(queueUS, parts) + ")", true},
		{"Input and output compute time", "µs", "", perRequest(inputUS, "") + " + " + perRequest("nv_inference_compute_output_duration_us", ""), true},
		// Rates and numbers.
		{"Request Rate", "reqps", "{{model}}", rated(success, "", "model"), true},
		{"Request Rate", "reqpm", "{{model}}", "60 * " + rated(success, "", "model"), true},
		{"Request Rate", "reqpm", "{{model}}", rated(success, "", "model"), false},
		{"Request Rate", "reqps", "{{model}}", "sum by (model) (increase(" + success + "[5m]))", false},
		{"Request Rate", "reqps", "", "sum(rate(" + success + "[5m]))", false},
		{"Request Rate", "reqps", "", `sum(rate(` + success + `{model=~"ensemble|reranker"}[5m]))`, true},
		{"Request Rate", "reqps", "", success, false},
		{"Requests in 5 minutes", "short", "", "sum by (model) (increase(" + success + "[5m]))", true},
		{"Total requests", "short", "", "sum by (model) (" + success + ")", true},
		{"Inferences per second", "ops", "", rated("nv_inference_count", "", "model"), true},
		{"Inferences per second", "ops", "", rated("nv_inference_exec_count", "", "model"), false},
		{"All inferences", "ops", "", "sum(rate(nv_inference_count[5m]))", true},
		{"Failures", "reqps", "{{reason}}", rated("nv_inference_request_failure", "", "model, reason"), true},
		{"Failures", "reqps", "", rated("nv_inference_request_failure", `model="inference"`, "model"), true},
		{"Failed Requests", "reqps", "", rated(success, "", "model"), false},
		{"Error rate", "percentunit", "", "sum by (model) (rate(nv_inference_request_failure[5m])) / (sum by (model) (rate(nv_inference_request_failure[5m])) + sum by (model) (rate(" + success + "[5m])))", true},
		{"Batch Size", "short", "", rated("nv_inference_count", "", "model") + " / " + rated("nv_inference_exec_count", "", "model"), true},
		{"Batch Size", "short", "", rated(success, "", "model") + " / " + rated("nv_inference_exec_count", "", "model"), false},
		{"Cache Hits", "percentunit", "", rated("nv_cache_num_hits_per_model", "", "model") + " / " + rated(success, "", "model"), true},
		{"Cache hit ratio", "percent", "", rated("nv_cache_num_hits_per_model", "", "model") + " / " + rated(success, "", "model"), false},
		{"Pending Requests", "short", "", "sum by (model) (nv_inference_pending_request_count)", true},
		{"Compute Latency", "µs", "", rated(inferUS, parts, "model") + " / (" + rated(success, parts, "model") + " - " + rated("nv_cache_num_hits_per_model", parts, "model") + " or " + rated(success, parts, "model") + ")", true},
		{"Compute Latency", "µs", "", rated(inferUS, parts, "model") + " / (" + rated(success, parts, "model") + " - " + rated("nv_cache_num_hits_per_model", `model="no"`, "model") + " or " + rated(success, parts, "model") + ")", false},
		{"Requests/s", "", "{{model}}", "sum by (model) (rate(" + success + "[5m]))", true},
		{"Requests/s", "", "{{model}}", "sum by (model) (increase(" + success + "[5m]))", false},
		{"Requests in the last hour", "short", "", "sum by (model) (increase(" + success + "[1h]))", true},
		{"Requests in the last hour", "short", "", "sum by (model) (rate(" + success + "[1h]))", false},
		{"Queue time", "µs", "inference", perRequest(queueUS, `model="inference"`), true},
		{"Queue time", "µs", "inference", perRequest(inputUS, `model="inference"`), false},
		{"Inference latency", "µs", "inference", perRequest(requestUS, `model="reranker"`), true},
		// Devices.
		{"GPU Utilization", "percent", "", "DCGM_FI_DEV_GPU_UTIL", true},
		{"GPU Utilization", "percentunit", "", "nv_gpu_utilization", true},
		{"GPU Utilization", "percent", "", "nv_gpu_utilization", false},
		{"GPU Utilization", "percentunit", "", "DCGM_FI_DEV_GPU_UTIL", false},
		{"GPU Utilization", "percent", "", "avg(DCGM_FI_DEV_GPU_UTIL)", true},
		{"GPU Utilization", "percent", "", "sum(DCGM_FI_DEV_GPU_UTIL)", false},
		{"GPU Usage", "percent", "", "DCGM_FI_DEV_MEM_COPY_UTIL", false},
		{"GPU Memory Used", "mbytes", "", "DCGM_FI_DEV_FB_USED", true},
		{"GPU Memory Used", "bytes", "", "DCGM_FI_DEV_FB_USED * 1024 * 1024", true},
		{"GPU Memory Used", "bytes", "", "DCGM_FI_DEV_FB_USED", false},
		{"GPU Memory Used", "mbytes", "", "DCGM_FI_DEV_FB_FREE", false},
		{"GPU Memory", "mbytes", "limit", "sum by (gpu) (DCGM_FI_DEV_FB_USED) + sum by (gpu) (DCGM_FI_DEV_FB_FREE)", true},
		{"GPU Memory", "bytes", "used", "sum(nv_gpu_memory_used_bytes)", true},
		{"GPU Memory Usage", "percent", "", "100 * nv_gpu_memory_used_bytes / nv_gpu_memory_total_bytes", true},
		{"GPU Memory Usage", "percent", "", "100 * DCGM_FI_DEV_FB_USED / (DCGM_FI_DEV_FB_USED + DCGM_FI_DEV_FB_FREE)", true},
		{"GPU Memory Usage", "percent", "", "100 * DCGM_FI_DEV_FB_USED / DCGM_FI_DEV_FB_FREE", false},
		{"GPU Power", "watt", "", "DCGM_FI_DEV_POWER_USAGE", true},
		{"GPU Power Total", "watt", "", "sum(nv_gpu_power_usage)", true},
		{"GPU Power Total", "watt", "", "avg(nv_gpu_power_usage)", false},
		{"GPU Power", "watt", "", "avg(nv_gpu_power_usage)", true},
		{"GPU Power", "watt", "", "rate(nv_energy_consumption[$__rate_interval])", true},
		{"GPU Power", "watt", "", "rate(DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION[$__rate_interval])", false}, // mJ
		{"GPU Temperature", "celsius", "", "max by (gpu) (DCGM_FI_DEV_GPU_TEMP)", true},
		{"GPU Temperature", "celsius", "", "DCGM_FI_DEV_POWER_USAGE", false},
		{"CPU Usage", "percent", "", `100 * (1 - avg by (instance) (rate(node_cpu_seconds_total{mode="idle"}[$__rate_interval])))`, true},
		{"CPU Usage", "percent", "", `100 * avg by (instance) (rate(node_cpu_seconds_total{mode="idle"}[$__rate_interval]))`, false},
		{"CPU Usage", "percent", "", `100 * nv_cpu_utilization`, true},
		{"Memory used", "percentunit", "", `1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes`, true},
	}
}

// unclaimed are panels of which nothing is claimed that could be known: no finding.
func unclaimed() []shows {
	return []shows{
		{"p99 latency", "µs", "", perRequest(requestUS, "") + " * 3", true},
		{"Compute load", "percentunit", "", rated(inferUS, "", "model") + " / 1e6", true},
		{"Cumulative queue time", "µs", "", queueUS, true},
		{"Queue share of a request", "percentunit", "", rated(queueUS, "", "model") + " / " + rated(requestUS, "", "model"), true},
		{"Overhead", "µs", "", perRequest(requestUS, "") + " - " + perRequest(queueUS, ""), true},
		{"GPU utilization sum (of 200 %)", "percent", "", "sum(DCGM_FI_DEV_GPU_UTIL)", true},
		{"GPUs in use", "short", "", "sum(nv_gpu_utilization)", true},
		{"GPU memory bandwidth", "percent", "", "DCGM_FI_DEV_MEM_COPY_UTIL", true},
		{"CPU by mode", "percentunit", "{{mode}}", "sum by (mode) (rate(node_cpu_seconds_total[5m]))", true},
		{"GPU memory headroom", "percentunit", "", "1 - nv_gpu_memory_used_bytes / nv_gpu_memory_total_bytes", true},
		{"Requests incl. failures", "reqps", "", "sum by (model) (rate(" + success + "[5m])) + sum by (model) (rate(nv_inference_request_failure[5m]))", true},
		{"Requests, compared with an hour ago", "reqps", "", "sum by (model) (rate(" + success + "[5m] offset 1h))", true},
		{"Request share", "percentunit", "", "sum by (model) (rate(" + success + "[5m])) / scalar(sum(rate(" + success + "[5m])))", true},
	}
}

// boardOf is a dashboard of panels, each asked over a range and as of now.
func boardOf(t *testing.T, panels []shows) string {
	t.Helper()
	type object map[string]any
	var list []object
	for i, p := range panels {
		for j, kind := range []string{"timeseries", "stat"} {
			list = append(list, object{
				"id": 2*i + j + 1, "type": kind, "title": p.title, "fieldConfig": object{"defaults": object{"unit": p.unit}},
				"targets": []object{{"refId": "A", "expr": p.expr, "legendFormat": p.legend, "instant": kind == "stat"}},
			})
		}
	}
	text, err := json.MarshalIndent(object{
		"uid": "claims", "title": "Claims", "schemaVersion": 42, "time": object{"from": "now-30m", "to": "now"}, "panels": list,
	}, "", "  ")
	require.NoError(t, err)
	return string(text)
}

func TestUntrueValuesAreFound(t *testing.T) {
	panels := append(claims(), unclaimed()...)
	for _, p := range claims() {
		if p.is {
			panels = append(panels, shows{p.title, p.unit, p.legend, "1000 * (" + p.expr + ")", false})
		}
	}
	for _, p := range unclaimed() {
		panels = append(panels, shows{p.title, p.unit, p.legend, "1000 * (" + p.expr + ")", true})
	}
	dir := copyShipped(t, func(string) string { return boardOf(t, panels) })
	r := verify(t, dir, Options{})
	found := map[int64]string{}
	for _, f := range r.Findings {
		if f.Rule == "value/differs-from-truth" {
			found[f.PanelID] = f.Message
		}
	}
	for i, p := range panels {
		for j, kind := range []string{"range", "instant"} {
			message, untrue := found[int64(2*i+j+1)]
			assert.Equal(t, p.is, !untrue, "%s: %q in %s: %s\n%s", kind, p.title, p.unit, p.expr, message)
		}
	}
}
