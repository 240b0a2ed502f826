package rule

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/panelgate/panelgate/e2e/why"
)

func TestPromqlJoinImpossible(t *testing.T) {
	relabelled := func(f *fixture) {
		f.replace(prometheusFile, "job_name: dcgm\n", "job_name: dcgm\n    metric_relabel_configs:\n      - {source_labels: [UUID], target_label: gpu_uuid}\n")
	}
	dropping := func(f *fixture) {
		f.replace(prometheusFile, "job_name: dcgm\n", "job_name: dcgm\n    metric_relabel_configs:\n      - {regex: job, action: labeldrop}\n")
	}
	checkExprs(t, promqlJoinImpossible(), []exprCase{
		{expr: `sum by (model) (rate(x[5m])) / sum by (pod) (rate(y[5m]))`, at: "/ sum", says: `only the left has the label model, only the right pod`},
		{expr: `sum by (model) (rate(x[5m])) / sum(rate(y[5m]))`, at: "/ sum", says: "the left has the label model, the right cannot have it; the answer is empty", fix: "on () group_left ()",
			mended: `sum by (model) (rate(x[5m])) / on () group_left () sum(rate(y[5m]))`},
		{expr: `sum(rate(x[5m])) > count by (a) (y)`, at: "> count", says: "the right has the label a", mended: `sum(rate(x[5m])) > on () group_right () count by (a) (y)`},
		{expr: `sum by (model, version) (nv_inference_count) / sum by (model) (nv_inference_exec_count)`, says: "the left has the label version",
			mended: `sum by (model, version) (nv_inference_count) / on (model) group_left () sum by (model) (nv_inference_exec_count)`},
		{expr: `http_requests_total / sum(http_requests_total)`, says: "the left has the label job", mended: `http_requests_total / on () group_left () sum(http_requests_total)`},
		{expr: `up / vector(2)`, says: "has the label job", mended: `up / on () group_left () vector(2)`},
		{expr: `x{pod="a"} and sum by (node) (y)`, says: "the left has the label"},
		{expr: `up unless sum(x)`, says: "nothing is taken away"},
		{expr: `sum(x) * on (instance) sum by (instance) (y)`, says: "the right has the label instance, the left cannot have it", fix: "keep instance on both sides"},
		{expr: `up * on (instance) group_left () max by (job) (y)`, says: "the left has the label instance"},
		{expr: `sum without (model) (nv_inference_count) / on (model) sum by (model) (nv_inference_exec_count)`, says: "the right has the label model"},
		{expr: `sum(x) * on (cluster, pod) group_right () y`, says: "the right has the label cluster"},
		{expr: `nv_gpu_utilization * on (gpu_uuid) DCGM_FI_DEV_GPU_UTIL`, at: "* on", says: "the left has the label gpu_uuid", fix: "that side calls it UUID",
			mended: `nv_gpu_utilization * on (gpu_uuid) label_replace(DCGM_FI_DEV_GPU_UTIL, "gpu_uuid", "$1", "UUID", "(.*)")`},
		{expr: `max by (UUID) (DCGM_FI_DEV_GPU_TEMP) + on (UUID) nv_gpu_power_usage`, says: "the left has the label UUID", fix: "that side calls it gpu_uuid",
			mended: `max by (UUID) (DCGM_FI_DEV_GPU_TEMP) + on (UUID) label_replace(nv_gpu_power_usage, "UUID", "$1", "gpu_uuid", "(.*)")`},
		{expr: `histogram_quantile(0.9, rate(x_bucket[5m])) + sum by (le) (rate(y_bucket[5m]))`, says: "the left has the label job"},
		{expr: `count_values("v", x) / sum(y)`, says: "the left has the label v", mended: `count_values("v", x) / on () group_left () sum(y)`},

		{name: "Triton and DCGM, relabelled", expr: `nv_gpu_utilization * on (gpu_uuid) DCGM_FI_DEV_GPU_UTIL`, edit: relabelled},
		{name: "job is dropped", expr: `up / vector(2)`, edit: dropping},
		{expr: `sum by (model) (x) / sum by (model) (y)`},
		{expr: `sum by (model, pod) (x) / ignoring (pod) group_left () sum by (model) (y)`},
		{expr: `sum by (model) (x) / on () group_left () sum(y)`},
		{expr: `sum by (model) (x) / scalar(sum(y))`},
		{expr: `sum(x) / sum(y) * 100`},
		{expr: `sum by (cluster, pod) (x) / sum by (pod) (y)`},
		{expr: `sum by (model) (x) or vector(0)`},
		{expr: `sum(x) / on () sum(y)`},
		{expr: `sum by (pod) (x) * on (cluster, pod) group_right () y`},
		{expr: `x * on (pod) group_left (node) y`},
		{expr: `x and on () (sum(y) > 1)`},
		{expr: `label_replace(sum by (a) (x), "b", "$1", "a", "(.*)") / on (b) sum by (b) (y)`},
		{expr: `nv_gpu_utilization * on (gpu_uuid) label_replace(DCGM_FI_DEV_GPU_UTIL, "gpu_uuid", "$1", "UUID", "(.*)")`},
		{expr: `sum by (model, node) (x * on (pod) group_left (node) y) / sum by (model, node) (z)`},
		{expr: `sum by ($model) (x) / sum by (model) (y)`},
		{expr: `topk(5, sum by (a) (x)) / sum by (a) (y)`},
		{expr: `job:x:sum / sum(y)`},
		{name: "a recorded name", expr: `requests / sum(y)`, edit: recording("requests")},
		{expr: `{__name__=~"a|b"} / sum(y)`},
		{expr: `sum(x{a=""}) / sum by (b) (y{b=""})`},
		{expr: `1 - sum(x) / 5`},
		{expr: `rate(nv_inference_queue_duration_us[5m]) / rate(nv_inference_request_success[5m])`},
	})
}

func TestPromqlJoinImpossibleAsked(t *testing.T) {
	const expr = `1 + nv_gpu_utilization * DCGM_FI_DEV_GPU_TEMP`
	f := shipped(t).write(boardFile, boardWith("", panelWith(1, "a", expr)))
	in := f.live()
	a := f.ask(in, "a")
	assert.Empty(t, promqlJoinImpossible().Live(in), "it has an answer")
	a.Diagnosis = &why.Diagnosis{Part: expr[4:], Start: 4, End: len(expr), Reason: why.JoinMismatch, Evidence: []string{"labels on the left: gpu_uuid"}, Fix: "on (instance)"}
	f.expect(promqlJoinImpossible().Live(in), []expected{{at: "* DCGM", says: `both sides of "*" have series`, evidence: "gpu_uuid", fix: "on (instance)"}})
	a.Diagnosis.Reason = why.FilteredOut
	assert.Empty(t, promqlJoinImpossible().Live(in))
}
