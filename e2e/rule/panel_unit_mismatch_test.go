package rule

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// unitPanel is a panel of a type with this unit, and further members, that asks one query.
func unitPanel(kind, unit, expr, more string) string {
	return boardWith("", fmt.Sprintf(`{"id": 1, "type": %q, "title": "a", %s
      "fieldConfig": {"defaults": {"unit": %q}, "overrides": []},
      "targets": [{"refId": "A", "legendFormat": "p99", "expr": %s}]}`, kind, more, unit, strconv.Quote(expr)))
}

// overriddenPanel has an override of the unit.
func overriddenPanel(legend, matcher, options, unit, expr string) string {
	return boardWith("", fmt.Sprintf(`{"id": 1, "type": "timeseries", "title": "a",
      "fieldConfig": {"defaults": {"unit": "ms"}, "overrides": [
        {"matcher": {"id": %q, "options": %q}, "properties": [{"id": "color"}, {"id": "unit", "value": %q}]}]},
      "targets": [{"refId": "A", "legendFormat": %q, "expr": %s}]}`, matcher, options, unit, legend, strconv.Quote(expr)))
}

const (
	meanMicros  = `rate(nv_inference_request_duration_us[5m]) / rate(nv_inference_request_success[5m])`
	meanMillis  = meanMicros + ` / 1000`
	gpuLoad     = `nv_gpu_utilization`
	microsAsMs  = `the query returns µs, and the panel shows it as ms (unit "ms"): 1000 times too large`
	microsAsSec = `the query returns µs, and the panel shows it as seconds (unit "s"): 1000000 times too large`
)

func TestPanelUnitMismatch(t *testing.T) {
	unit := func(unit, expr string) string { return unitPanel("timeseries", unit, expr, "") }
	checkCases(t, panelUnitMismatch(), []ruleCase{
		{name: "µs as ms", board: unit("ms", meanMicros), want: []expected{{at: `"ms"`, says: microsAsMs, fix: `set the unit to "µs", or divide by 1000`}}},
		{name: "µs as µs", board: unit("µs", meanMicros)},
		{name: "µs by 1000 as ms", board: unit("ms", meanMillis)},
		{name: "a ratio as percent", board: unit("percent", gpuLoad), want: []expected{{at: `"percent"`, says: `100 times too small`, fix: `set the unit to "percentunit", or multiply by 100`}}},
		{name: "percent as a ratio", board: unit("percentunit", `DCGM_FI_DEV_GPU_UTIL`), want: []expected{{says: `100 times too large`, fix: `set the unit to "percent", or divide by 100`}}},
		{name: "a ratio as a ratio", board: unit("percentunit", gpuLoad)},
		{name: "a ratio by 100 as percent", board: unit("percent", gpuLoad+` * 100`)},
		{name: "a rate as an amount", board: unit("bytes", `rate(node_network_receive_bytes_total[5m])`),
			want: []expected{{says: `bytes per second, and the panel shows it as bytes (unit "bytes"): what happens in a second reads as an amount`, fix: `"Bps"`, severity: Warning}}},
		{name: "a rate as an amount, which the title says", board: boardWith("", `{"id": 1, "type": "stat", "title": "Received / s", "fieldConfig": {"defaults": {"unit": "bytes"}},
      "targets": [{"refId": "A", "expr": "rate(node_network_receive_bytes_total[5m])"}]}`), want: []expected{{severity: Info}}},
		{name: "a share of time as a latency", board: unit("µs", `rate(nv_inference_queue_duration_us[5m])`),
			want: []expected{{says: `µs per second, and the panel shows it as µs (unit "µs"): the time that all of it takes in a second`, fix: "divide by the rate of how often it happened"}}},
		{name: "a share of time as seconds", board: unit("s", `rate(node_cpu_seconds_total[5m])`), want: []expected{{says: "seconds per second", severity: Warning}}},
		{name: "an amount as a rate", board: unit("reqps", `sum(nv_inference_request_success)`),
			want: []expected{{says: `the query returns a number of things, and the panel shows it as a number per second (unit "reqps"): another quantity`, fix: `set the unit to "short"`}}},
		{name: "what comes together in a window as a rate", board: unit("reqps", `increase(nv_inference_request_success[1m])`),
			want: []expected{{says: "60 times too large", fix: "rate() in the place of increase()"}}},
		{name: "another quantity", board: unit("celsius", `DCGM_FI_DEV_POWER_USAGE`), want: []expected{{says: `watts, and the panel shows it as °C`, fix: `set the unit to "watt"`}}},
		{name: "1024 for 1000", board: unit("decmbytes", `DCGM_FI_DEV_FB_USED`), want: []expected{{says: "4.6 % too small", fix: `"mbytes"`, severity: Info}}},
		{name: "MiB as bytes", board: unit("bytes", `DCGM_FI_DEV_FB_USED`), want: []expected{{says: "1048576 times too small", fix: `"mbytes", or multiply by 1048576`}}},
		{name: "MiB as MiB", board: unit("mbytes", `DCGM_FI_DEV_FB_USED + DCGM_FI_DEV_FB_FREE`)},
		{name: "a moment as a date", board: unitPanel("stat", "dateTimeAsIso", `node_boot_time_seconds`, ""), want: []expected{{says: `seconds since 1970`, fix: "multiply by 1000"}}},
		{name: "a moment as a date, in ms", board: unitPanel("stat", "dateTimeAsIso", `node_boot_time_seconds * 1000`, "")},
		{name: "an age", board: unit("s", `time() - node_boot_time_seconds`)},
		{name: "a custom suffix that is a unit", board: unit("suffix: %", gpuLoad), want: []expected{{says: "100 times too small"}}},
		{name: "a unit that says nothing", board: unit("short", meanMicros)},
		{name: "no unit", board: boardWith("", panelWith(1, "a", meanMicros))},
		{name: "a unit of one's own", board: unit("requests", meanMicros)},
		{name: "an unknown metric", board: unit("ms", `sum(my_duration)`)},
		{name: "a number of bytes that the catalogue only counts", board: unit("decbytes", `vllm:estimated_read_bytes_per_gpu_total`)},
		{name: "a hidden query", board: boardWith("", `{"id": 1, "type": "stat", "fieldConfig": {"defaults": {"unit": "ms"}}, "targets": [
      {"refId": "A", "expr": "nv_inference_queue_duration_us", "hide": true}, {"refId": "B", "datasource": {"uid": "__expr__"}, "type": "math", "expression": "$A / 1000"}]}`)},
		{name: "several queries are one finding", board: boardWith("", `{"id": 1, "type": "timeseries", "fieldConfig": {"defaults": {"unit": "percent"}}, "targets": [
      {"refId": "A", "expr": "nv_gpu_utilization"}, {"refId": "B", "expr": "nv_cpu_utilization"}, {"refId": "C", "expr": "DCGM_FI_DEV_GPU_UTIL"}]}`),
			want: []expected{{says: "100 times too small", evidence: "1 more queries of this panel return the same"}}},
		{name: "a repeated panel is one finding", board: boardWith(`{"name": "m", "type": "custom", "query": "a,b", "multi": true, "current": {"value": ["a", "b"]}}`,
			`{"id": 1, "type": "stat", "repeat": "m", "fieldConfig": {"defaults": {"unit": "percent"}}, "targets": [{"refId": "A", "expr": "nv_gpu_utilization{model=\"$m\"}"}]}`),
			want: []expected{{says: "100 times too small"}}},
		{name: "what does not parse", board: unit("ms", `rate(nv_inference_queue_duration_us[5m]`)},
	})
}

func TestPanelUnitMismatchOfWhatIsShown(t *testing.T) {
	checkCases(t, panelUnitMismatch(), []ruleCase{
		{name: "a table", board: unitPanel("table", "ms", meanMicros, ""), want: []expected{{says: microsAsMs}}},
		{name: "a gauge", board: unitPanel("gauge", "percent", gpuLoad, `"options": {"reduceOptions": {"calcs": ["lastNotNull"]}},`), want: []expected{{says: "100 times"}}},
		{name: "how many samples there are", board: unitPanel("stat", "ms", meanMicros, `"options": {"reduceOptions": {"calcs": ["count"]}},`)},
		{name: "a label in the place of the value", board: unitPanel("stat", "ms", meanMicros, `"options": {"reduceOptions": {"fields": "/^model$/"}},`)},
		{name: "only the name", board: unitPanel("stat", "ms", meanMicros, `"options": {"textMode": "name"},`)},
		{name: "a transformation that computes", board: unitPanel("timeseries", "ms", meanMicros, `"transformations": [{"id": "calculateField"}],`)},
		{name: "a transformation that orders", board: unitPanel("timeseries", "ms", meanMicros, `"transformations": [{"id": "organize"}, {"id": "reduce", "disabled": true}],`), want: []expected{{says: microsAsMs}}},
		{name: "values mapped to text", board: boardWith("", `{"id": 1, "type": "stat", "fieldConfig": {"defaults": {"unit": "ms", "mappings": [{"type": "value", "options": {"0": {"text": "idle"}}}]}},
      "targets": [{"refId": "A", "expr": "nv_inference_queue_duration_us"}]}`)},
		{name: "no data mapped to text", board: boardWith("", `{"id": 1, "type": "stat", "fieldConfig": {"defaults": {"unit": "ms", "mappings": [
        {"type": "special", "options": {"match": "null"}}, {"type": 1, "value": "null", "text": "N/A"}, {"type": "value", "options": {"null": {"text": "N/A"}}}]}},
      "targets": [{"refId": "A", "expr": "nv_inference_queue_duration_us"}]}`), want: []expected{{says: microsAsMs}}},
		{name: "stacked to percent", board: boardWith("", `{"id": 1, "type": "timeseries", "fieldConfig": {"defaults": {"unit": "percent", "custom": {"stacking": {"mode": "percent"}}}},
      "targets": [{"refId": "A", "expr": "rate(node_cpu_seconds_total[5m])"}]}`)},
		{name: "a heatmap's axis is of what was observed", board: unitPanel("heatmap", "ms", `sum by (le) (rate(vllm:e2e_request_latency_seconds_bucket[5m]))`, `"options": {"yAxis": {"unit": "s"}},`)},
		{name: "a heatmap's axis at the wrong scale", board: unitPanel("heatmap", "", `sum by (le) (rate(vllm:e2e_request_latency_seconds_bucket[5m]))`, `"options": {"yAxis": {"unit": "ms"}},`),
			want: []expected{{at: `"ms"`, says: "seconds, and the panel shows it as ms"}}},
		{name: "another panel", board: unitPanel("text", "ms", meanMicros, "")},
	})
}

func TestPanelUnitMismatchOfOverrides(t *testing.T) {
	own := func(legend, matcher, options, unit string) string {
		return overriddenPanel(legend, matcher, options, unit, meanMicros)
	}
	checkCases(t, panelUnitMismatch(), []ruleCase{
		{name: "the query's", board: own("", "byFrameRefID", "A", "s"), want: []expected{{at: `"s"`, says: microsAsSec}}},
		{name: "the query's, mended", board: own("", "byFrameRefID", "A", "µs")},
		{name: "another query's", board: own("", "byFrameRefID", "B", "s"), want: []expected{{at: `"ms"`, says: microsAsMs}}},
		{name: "by name", board: own("mean", "byName", "mean", "µs")},
		{name: "by another name", board: own("mean", "byName", "p99", "µs"), want: []expected{{at: `"ms"`}}},
		{name: "by a name that the legend may come to", board: own("mean {{model}}", "byName", "mean yolo", "µs")},
		{name: "by a name that it cannot come to", board: own("mean {{model}}", "byName", "p99 yolo", "µs"), want: []expected{{at: `"ms"`}}},
		{name: "by a name that may be anything", board: own("", "byName", "mean", "µs")},
		{name: "by a pattern", board: own("mean", "byRegexp", "/^me/", "µs")},
		{name: "by a pattern that does not match", board: own("mean", "byRegexp", "/p99/", "µs"), want: []expected{{at: `"ms"`}}},
		{name: "by a pattern and labels", board: own("{{model}}", "byRegexp", "/p99/", "µs")},
		{name: "by type", board: own("{{model}}", "byType", "number", "µs")},
		{name: "by what nobody knows", board: own("mean", "byValue", "", "µs")},
		{name: "what may match says the same", board: own("{{model}}", "byRegexp", "/p99/", "ms"), want: []expected{{at: `"ms"`}}},
	})
}

func TestPanelUnitMismatchOfLegacyPanels(t *testing.T) {
	graph := func(legend, more string) string {
		return boardWith("", fmt.Sprintf(`{"id": 1, "type": "graph", "title": "a", "yaxes": [{"format": "ms"}, {"format": "µs"}], %s
      "targets": [{"refId": "A", "legendFormat": %q, "expr": %s}]}`, more, legend, strconv.Quote(meanMicros)))
	}
	checkCases(t, panelUnitMismatch(), []ruleCase{
		{name: "the first axis", board: graph("mean", ""), want: []expected{{at: `"ms"`, says: microsAsMs}}},
		{name: "the second axis", board: graph("mean", `"seriesOverrides": [{"alias": "mean", "yaxis": 2}],`)},
		{name: "the second axis for others", board: graph("mean", `"seriesOverrides": [{"alias": "/p99/", "yaxis": 2}, {"alias": "mean", "fill": 1}],`), want: []expected{{at: `"ms"`}}},
		{name: "perhaps the second axis", board: graph("{{model}}", `"seriesOverrides": [{"alias": "/p99/", "yaxis": 2}],`)},
		{name: "shares of the whole", board: graph("mean", `"stack": true, "percentage": true,`)},
		{name: "a single value", board: boardWith("", `{"id": 1, "type": "singlestat", "format": "percent", "valueName": "avg", "valueMaps": [{"op": "=", "text": "N/A", "value": "null"}],
      "rangeMaps": [{"from": "null", "to": "null", "text": "N/A"}], "targets": [{"refId": "A", "expr": "nv_gpu_utilization"}]}`), want: []expected{{at: `"percent"`}}},
		{name: "a single value's name", board: boardWith("", `{"id": 1, "type": "singlestat", "format": "percent", "valueName": "name", "targets": [{"refId": "A", "expr": "nv_gpu_utilization"}]}`)},
	})
}

func TestPanelUnitMismatchOfVariables(t *testing.T) {
	with := func(variable, expr string) string {
		return boardWith(variable, fmt.Sprintf(`{"id": 1, "type": "stat", "fieldConfig": {"defaults": {"unit": "ms"}}, "targets": [{"refId": "A", "expr": %s}]}`, strconv.Quote(expr)))
	}
	const factor = `{"name": "by", "type": "custom", "query": "1,1000", "current": {"value": "1"}}`
	const metric = `{"name": "what", "type": "custom", "query": "queue,request", "current": {"value": "queue"}}`
	checkCases(t, panelUnitMismatch(), []ruleCase{
		{name: "a factor to choose", board: with(factor, `nv_inference_queue_duration_us / $by`)},
		{name: "a metric to choose", board: with(metric, `nv_inference_${what}_duration_us`)},
		{name: "a label to choose", board: with(metric, `nv_inference_queue_duration_us{model="$what"}`), want: []expected{{says: microsAsMs}}},
		{name: "a length of Grafana's", board: with("", `increase(nv_inference_request_success[$__range]) / $__range_s`), want: []expected{{says: `a number per second, and the panel shows it as ms`}}},
	})
}

func TestPanelUnitMismatchMends(t *testing.T) {
	for _, c := range []struct{ unit, expr, want string }{
		{"ms", meanMicros, "(" + meanMicros + ") / 1000"},
		{"percent", gpuLoad, gpuLoad + " * 100"},
		{"percent", `avg(nv_gpu_utilization{gpu_uuid=~"$gpu"})`, `avg(nv_gpu_utilization{gpu_uuid=~"$gpu"}) * 100`},
		{"percent", "nv_gpu_utilization or nv_cpu_utilization # both", "(nv_gpu_utilization or nv_cpu_utilization # both\n)\n* 100"},
		{"celsius", gpuLoad, ""},
	} {
		f := shipped(t)
		f.write(boardFile, unitPanel("timeseries", c.unit, c.expr, ""))
		found := f.check(panelUnitMismatch())
		require.Len(t, found, 1, c.expr)
		assert.Equal(t, c.want, found[0].Mended)
		if c.want != "" {
			_, err := Parse(found[0].Mended)
			assert.NoError(t, err, found[0].Mended)
		}
	}
}
