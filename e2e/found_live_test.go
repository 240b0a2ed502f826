package e2e

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestFoundOnlyLive has what only a running stack tells: of a metric that a variable
// fills in, of a part without data behind one that has some, of a variable that offers
// no datasource. Each comes beside a near miss that is fine.
func TestFoundOnlyLive(t *testing.T) {
	type object map[string]any
	good := `rate(nv_inference_count[1m])`
	var panels []object
	want := map[string]string{}
	add := func(title, unit, expr, rule string) {
		panels = append(panels, object{"id": len(panels) + 1, "type": "timeseries", "title": title, "fieldConfig": object{"defaults": object{"unit": unit}},
			"datasource": object{"type": "prometheus", "uid": "prometheus"}, "targets": []object{{"refId": "A", "expr": expr}}})
		want[title] = rule
	}
	add("a ratio in percent", "percent", "$only", "panel/unit-mismatch")
	add("a ratio", "percentunit", "$only", "")
	add("a metric that can be chosen", "percent", "$any", "")
	add("a mistyped label", "short", good+` or rate(nv_inference_count{modle="x"}[1m])`, "panel/part-empty")
	add("a mistyped metric", "short", good+` or rate(nv_inference_cuont[1m])`, "panel/part-empty")
	add("an instance that is not there", "short", good+` unless rate(nv_inference_count{instance="gpu7:8002"}[1m])`, "panel/part-empty")
	add("a value that bad times bring", "short", good+` or rate(nv_inference_count{model="fallback"}[1m])`, "")
	add("an older name", "short", `node_memory_MemAvailable_bytes or node_memory_MemAvailable`, "")
	add("a label that some have", "short", `DCGM_FI_DEV_GPU_UTIL{GPU_I_ID!=""} or DCGM_FI_DEV_GPU_UTIL`, "")
	add("other groupings", "short", `sum by (model) (nv_inference_pending_request_count) or sum by (version) (nv_inference_pending_request_count)`, "promql/join-impossible")
	add("a total beside its parts", "short", `sum by (model) (nv_inference_pending_request_count) or sum(nv_inference_pending_request_count)`, "")
	add("a datasource of no type", "short", "up{job=~\"$ds\"} or up", "")
	text, err := json.Marshal(object{
		"uid": "live", "title": "Live", "schemaVersion": 42, "time": object{"from": "now-15m", "to": "now"}, "panels": panels,
		"templating": object{"list": []object{
			{"name": "only", "type": "constant", "query": "nv_gpu_utilization"},
			{"name": "any", "type": "custom", "query": "nv_gpu_utilization,DCGM_FI_DEV_GPU_UTIL", "current": object{"text": "nv_gpu_utilization", "value": "nv_gpu_utilization"}},
			{"name": "ds", "type": "datasource", "query": "loki"},
		}},
	})
	require.NoError(t, err)
	r := verify(t, copyShipped(t, func(string) string { return string(text) }), Options{})
	found := map[string][]string{}
	for _, f := range r.Findings {
		found[f.Panel] = append(found[f.Panel], f.Rule)
		if f.Rule == "variable/empty" {
			assert.Contains(t, f.Message, `no datasource of type "loki"`)
		}
	}
	assert.Contains(t, found[""], "variable/empty")
	ours := []string{"panel/unit-mismatch", "panel/part-empty", "promql/join-impossible"}
	for title, rule := range want {
		rules := slices.DeleteFunc(found[title], func(id string) bool { return !slices.Contains(ours, id) })
		if rule == "" {
			assert.Empty(t, rules, title)
		} else {
			assert.Equal(t, []string{rule}, rules, title)
		}
	}
}
