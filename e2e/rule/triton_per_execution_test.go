package rule

import (
	"strconv"
	"testing"
)

func TestTritonPerExecutionByItsTitle(t *testing.T) {
	panel := func(title, divisor string) string {
		return boardWith("", `{"id": 1, "type": "timeseries", "title": `+strconv.Quote(title)+`, "targets": [{"refId": "A",
			"expr": "rate(nv_inference_compute_infer_duration_us[1m]) / rate(`+divisor+`[1m])"}]}`)
	}
	checkCases(t, tritonPerExecution(), []ruleCase{
		{name: "a title that says so", board: panel("Compute time per image", "nv_inference_count")},
		{name: "a title that does not", board: panel("Compute time", "nv_inference_count"), want: []expected{{says: "which counts inferences"}}},
		{name: "executions, whatever the title says", board: panel("Compute time per execution", "nv_inference_exec_count"), want: []expected{{says: "which counts executions"}}},
	})
}

func TestTritonPerExecution(t *testing.T) {
	checkExprs(t, tritonPerExecution(), []exprCase{
		{expr: `rate(nv_inference_compute_infer_duration_us[1m]) / rate(nv_inference_exec_count[1m]) / 1000`, at: "nv_inference_exec_count",
			says: "divided by nv_inference_exec_count, which counts executions", fix: "divide by nv_inference_request_success",
			mended: `rate(nv_inference_compute_infer_duration_us[1m]) / rate(nv_inference_request_success[1m]) / 1000`},
		{expr: `sum by (model) (rate(nv_inference_request_duration_us{model=~"$model"}[$__rate_interval])) / sum by (model) (rate(nv_inference_count{model=~"$model"}[$__rate_interval]))`,
			says:   "which counts inferences",
			mended: `sum by (model) (rate(nv_inference_request_duration_us{model=~"$model"}[$__rate_interval])) / sum by (model) (rate(nv_inference_request_success{model=~"$model"}[$__rate_interval]))`},
		{expr: `(rate(nv_inference_queue_duration_us[1m]) / 1000) / (sum(rate(nv_inference_exec_count[1m])) > 0)`, says: "executions",
			mended: `(rate(nv_inference_queue_duration_us[1m]) / 1000) / (sum(rate(nv_inference_request_success[1m])) > 0)`},
		{expr: `nv_inference_queue_duration_us / nv_inference_count`, says: "inferences", mended: `nv_inference_queue_duration_us / nv_inference_request_success`},
		{expr: `rate(nv_inference_queue_duration_us[1m]) / rate(nv_inference_request_success[1m])`},
		{expr: `rate(nv_inference_count[1m]) / rate(nv_inference_exec_count[1m])`},
		{expr: `rate(nv_inference_request_success[1m]) / rate(nv_inference_exec_count[1m])`},
		{expr: `rate(nv_inference_queue_duration_us[1m]) / rate(nv_inference_request_duration_us[1m])`},
		{expr: `rate(nv_inference_queue_duration_us[1m]) / 1000`},
		{expr: `rate(nv_inference_queue_duration_us[1m]) / (rate(nv_inference_count[1m]) + rate(nv_cache_num_hits_per_model[1m]))`},
	})
}
