package rule

import "testing"

func TestPrometheusRecordingRuleMissing(t *testing.T) {
	const used = `instance:node_cpu_utilisation:rate5m * 100`
	checkExprs(t, prometheusRecordingRuleMissing(), []exprCase{
		{expr: used, at: "instance:node", says: "no rule of the stack records instance:node_cpu_utilisation:rate5m", fix: "ship a rule file"},
		{name: "nearly recorded", expr: used, says: "nearest: instance:node_cpu_utilization:rate5m", edit: recording("instance:node_cpu_utilization:rate5m")},
		{expr: `:node_memory_MemAvailable_bytes:sum`, says: ":node_memory_MemAvailable_bytes:sum"},
		{expr: `node_namespace_pod:cpu:rate5m / sum(node_namespace_pod:cpu:rate5m)`, says: "node_namespace_pod:cpu:rate5m"},
		{expr: `job:requests`, says: "records job:requests"},
		{name: "recorded", expr: used, edit: recording("instance:node_cpu_utilisation:rate5m")},
		{expr: `vllm:num_requests_running + sglang:token_usage + lmcache:hits`},
		{expr: `instance:x:rate5m or sum by (instance) (rate(x[5m]))`},
		{expr: `{__name__=~"instance:.*:rate5m"}`},
		{name: "no Prometheus", expr: used, edit: func(f *fixture) { f.remove(prometheusFile) }},
		{name: "a federation", expr: used, edit: func(f *fixture) {
			f.replace(prometheusFile, "job_name: node\n", "job_name: node\n    metrics_path: /federate\n")
		}},
	})
	checkCases(t, prometheusRecordingRuleMissing(), []ruleCase{
		{name: "a variable", board: boardWith(`{"name": "i", "type": "query", "query": "label_values(instance:x:rate5m, instance)"}`, panelWith(1, "a", `up`)),
			want: []expected{{at: "instance:x", says: "instance:x:rate5m"}}},
		{name: "an annotation", board: `{"uid": "a", "title": "A", "annotations": {"list": [{"name": "n", "enable": true, "expr": "job:restarts:sum > 0"}]}, "panels": [` + panelWith(1, "a", `up`) + `]}`,
			want: []expected{{at: "job:restarts", says: "job:restarts:sum"}}},
	})
}
