package truth

import (
	"testing"

	promparser "github.com/prometheus/prometheus/promql/parser"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLegendInference(t *testing.T) {
	const model = `model="inference"`
	for _, tc := range []struct {
		title, metric, matcher string
		want                   []part // of which one is enough
	}{
		{"Latency breakdown", "nv_inference_compute_infer_duration_us", "", []part{inferTime}},
		{"Request latency breakdown", "nv_inference_compute_infer_duration_us", "", []part{inferTime, requestTime}},
		{"Latency", "nv_inference_request_duration_us", "", []part{inferTime, requestTime}},
		{"Latency", "nv_inference_request_duration_us", model, []part{requestTime}},
		{"Request latency breakdown", "nv_inference_compute_infer_duration_us", model, []part{inferTime, requestTime}},
		{"Queue time by model", "nv_inference_queue_duration_us", "", []part{inferTime, queueTime}},
		{"Queue time", "nv_inference_queue_duration_us", model, []part{queueTime}},
		{"Queue time", "nv_inference_compute_infer_duration_us", model, []part{queueTime}},
	} {
		root, err := promparser.NewParser(promparser.Options{}).ParseExpr("rate(" + tc.metric + "{" + tc.matcher + "}[5m]) / rate(nv_inference_request_success[5m])")
		require.NoError(t, err)
		s, ok := shapeOf(root)
		require.True(t, ok)
		var got []part
		for _, stage := range s.stages(wordsOf(Panel{Title: tc.title, Legend: "Inference"})) {
			if len(stage) == 1 {
				got = append(got, stage[0])
			}
		}
		assert.ElementsMatch(t, tc.want, got, "%s %s", tc.title, tc.metric)
	}
}

func claimed(t *testing.T, title, unit, legend, expr string) bool {
	t.Helper()
	root, err := promparser.NewParser(promparser.Options{}).ParseExpr(expr)
	require.NoError(t, err, expr)
	_, ok := read(Panel{Title: title, Unit: unit, Legend: legend, Expr: root})
	return ok
}

// What is left of one quantity without another, how two of them compare, and what
// somebody has multiplied by a factor of their own is nothing whose truth is known.
func TestComparisonsClaimNothing(t *testing.T) {
	const (
		request = `sum(rate(nv_inference_request_duration_us[5m]))`
		queue   = `sum(rate(nv_inference_queue_duration_us[5m]))`
		count   = `sum(rate(nv_inference_request_success[5m]))`
	)
	for _, tc := range []struct{ title, unit, legend, expr string }{
		{"Overhead (request − stages)", "µs", "", "(" + request + " - " + queue + ") / " + count},
		{"Request time excluding queue", "µs", "", "(" + request + " - " + queue + ") / " + count},
		{"Pipeline overhead of a request", "µs", "", "(" + request + " - " + request + ") / " + count},
		{"Queue time against request time", "", "", queue + " / " + request},
		{"Queue time per request time", "short", "", queue + " / " + request},
		{"Compute time per inference", "µs", "", `sum(rate(nv_inference_compute_infer_duration_us[5m])) / sum(rate(nv_inference_count[5m]))`},
		{"Requests incl. failures", "reqps", "", count + " + sum(rate(nv_inference_request_failure[5m]))"},
		{"GPU usage", "percent", "idle", "100 - DCGM_FI_DEV_GPU_UTIL"},
		{"GPU utilization spread", "percent", "", "max(DCGM_FI_DEV_GPU_UTIL) - min(DCGM_FI_DEV_GPU_UTIL)"},
		{"GPU temperature headroom", "celsius", "", "90 - DCGM_FI_DEV_GPU_TEMP"},
		{"GPU temperature below the limit", "celsius", "", "90 - max(DCGM_FI_DEV_GPU_TEMP)"},
		{"GPU temperature against its average", "celsius", "", "DCGM_FI_DEV_GPU_TEMP - on() group_left() avg(DCGM_FI_DEV_GPU_TEMP)"},
		{"Power headroom", "watt", "", "nv_gpu_power_limit - nv_gpu_power_usage"},
		{"Power with cooling", "watt", "", "sum(DCGM_FI_DEV_POWER_USAGE) * 1.4"},
	} {
		assert.False(t, claimed(t, tc.title, tc.unit, tc.legend, tc.expr), "%q %s", tc.title, tc.expr)
	}
	for _, tc := range []struct{ title, unit, legend, expr string }{
		{"Request latency", "µs", "", request + " / " + count},
		{"Compute latency", "µs", "", `sum(rate(nv_inference_compute_infer_duration_us[5m])) / (` + count + ` - sum(rate(nv_cache_num_hits_per_model[5m])))`},
		{"Memory used", "bytes", "", "nv_gpu_memory_total_bytes - nv_gpu_memory_used_bytes"},
		{"GPU usage", "percent", "", "100 - DCGM_FI_DEV_GPU_UTIL"},
		{"Power", "watt", "", "DCGM_FI_DEV_POWER_USAGE * 1000"},
	} {
		assert.True(t, claimed(t, tc.title, tc.unit, tc.legend, tc.expr), "%q %s", tc.title, tc.expr)
	}
}
