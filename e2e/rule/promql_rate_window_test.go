package rule

import "testing"

func TestPromqlRateWindow(t *testing.T) {
	expr := func(e string) string { return boardWith(modelVariable, panelWith(1, "a", e)) }
	slowTriton := func(f *fixture) { // the other jobs keep the global 15s
		f.replace(prometheusFile, "job_name: triton\n", "job_name: triton\n    scrape_interval: 30s\n")
	}
	checkCases(t, promqlRateWindow(), []ruleCase{
		{name: "under two scrapes", board: expr(`sum(rate(nv_inference_count{model=~"$model"}[20s]))`),
			want: []expected{{at: `20s]`, says: `rate over [20s] holds fewer than two samples: job "triton" is scraped every 15s`, fix: "[$__rate_interval], or a window of at least 1m"}}},
		{name: "under four", board: expr(`irate(node_cpu_seconds_total[30s] offset 5m)`),
			want: []expected{{at: `30s]`, says: `fewer than four samples, so that one failed scrape leaves a gap: job "node"`, severity: Warning}}},
		{name: "of a datasource that nobody has", board: boardWith("", `{"id": 1, "type": "stat", "datasource": {"type": "prometheus", "uid": "${DS_LOST}"}, "targets": [{"refId": "A", "expr": "rate(nv_inference_count[20s])"}]}`),
			want: []expected{{at: `20s]`, says: "fewer than two samples"}}},
		{name: "four", board: expr(`rate(nv_inference_count[1m])`)},
		{name: "a macro that comes to one scrape", board: expr(`increase(nv_inference_count[$__interval])`),
			want: []expected{{at: `$__interval]`, says: "increase over [$__interval] is 15s, which holds fewer than two samples"}}},
		{name: "the macro that is made for it", board: expr(`rate(nv_inference_count[$__rate_interval])`)},
		{name: "the macro, and a timeInterval that is too short", board: expr(`rate(nv_inference_count[$__rate_interval])`), edit: slowTriton,
			want: []expected{{at: "$__rate_interval", says: `is 1m, which holds fewer than four samples`, fix: `set jsonData.timeInterval of datasource "Prometheus" to 30s`, severity: Warning}}},
		{name: "the macro under a min step", board: boardWith("", `{"id": 1, "type": "stat", "targets": [{"refId": "A", "interval": "5s", "expr": "rate(nv_inference_count[$__rate_interval])"}]}`),
			want: []expected{{says: "is 20s", fix: "raise the min step of the query to 15s"}}},
		{name: "a job named by the selector", board: expr(`rate(up{job="triton"}[45s]) + rate(up{job="node"}[1m])`), edit: slowTriton,
			want: []expected{{at: "45s", says: `job "triton" is scraped every 30s`}}},
		{name: "any job", board: expr(`rate(process_cpu_seconds_total[50s])`), edit: slowTriton,
			want: []expected{{says: "no job of the stack is scraped more often than every 15s", severity: Warning}}},
		{name: "any job, and long enough for the fastest", board: expr(`rate(process_cpu_seconds_total[1m])`), edit: slowTriton},
		{name: "the same window twice is one finding", board: expr(`rate(nv_a[20s]) / rate(nv_b[20s])`),
			want: []expected{{at: "20s", evidence: "1 more windows of this query"}}},
		{name: "two windows are two", board: expr(`rate(nv_a[20s]) / rate(nv_b[25s])`), want: []expected{{at: "20s"}, {at: "25s"}}},
		{name: "a subquery", board: expr(`deriv(sum(nv_inference_count)[1m:1m])`), want: []expected{{at: "1m:1m]", says: "the subquery steps every 1m", fix: "widen the window to 4m"}}},
		{name: "a subquery with the default step", board: expr(`delta(sum(nv_inference_count)[20s:])`), want: []expected{{says: "the subquery steps every 15s"}}},
		{name: "functions that need one sample", board: expr(`max_over_time(nv_inference_count[15s]) + last_over_time(up[5s])`)},
		{name: "recorded series", board: expr(`rate(model:nv_inference_count:sum[20s])`)},
		{name: "a window from a guessed variable", board: expr(`rate(nv_inference_count[$model])`)},
		{name: "a window from a known variable", board: boardWith(`{"name": "w", "type": "interval", "query": "20s,5m", "current": {"text": "20s", "value": "20s"}}`, panelWith(1, "a", "rate(nv_inference_count[$w])")),
			want: []expected{{at: "$w]", says: "rate over [$w] is 20s, which"}}},
		{name: "in parentheses", board: expr(`rate((nv_inference_count[20s]))`), want: []expected{{at: "20s"}}},
		{name: "no Prometheus", board: expr(`rate(nv_inference_count[20s])`), edit: func(f *fixture) { f.remove(prometheusFile) }},
		{name: "what does not parse", board: expr(`rate(nv_inference_count[20s]`)},
	})
}
