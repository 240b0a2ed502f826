package rule

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/panelgate/panelgate/fakes/catalogue"
)

func TestPromqlCounterRaw(t *testing.T) {
	checkExprs(t, promqlCounterRaw(), []exprCase{
		{expr: `nv_inference_request_duration_us / nv_inference_request_success / 1000`, at: "nv_inference_request_duration_us",
			says: "nv_inference_request_duration_us is a counter, and the quotient is the mean since the exporter started", fix: "take rate(",
			mended: `rate(nv_inference_request_duration_us[$__rate_interval]) / rate(nv_inference_request_success[$__rate_interval]) / 1000`},
		{expr: `sum by (model) (nv_inference_queue_duration_us{model="$model"}) / sum by (model) (nv_inference_request_success{model="$model"})`, says: "the mean since the exporter started",
			mended: `sum by (model) (rate(nv_inference_queue_duration_us{model="$model"}[$__rate_interval])) / sum by (model) (rate(nv_inference_request_success{model="$model"}[$__rate_interval]))`},
		{expr: `avg(http_request_duration_seconds_sum) / avg(http_request_duration_seconds_count)`, says: "the mean since",
			mended: `avg(rate(http_request_duration_seconds_sum[$__rate_interval])) / avg(rate(http_request_duration_seconds_count[$__rate_interval]))`},
		{expr: `rate(nv_inference_request_duration_us[5m]) / nv_inference_request_success`, at: "nv_inference_request_success", says: "the other side of the quotient is a rate",
			mended: `rate(nv_inference_request_duration_us[5m]) / rate(nv_inference_request_success[$__rate_interval])`},
		{expr: `nv_inference_request_duration_us / rate(nv_inference_request_success[5m])`, says: "the other side of the quotient is a rate",
			mended: `rate(nv_inference_request_duration_us[$__rate_interval]) / rate(nv_inference_request_success[5m])`},
		{expr: `histogram_quantile(0.9, sum by (le) (x_seconds_bucket))`, says: "the quantile is that of all requests since", mended: `histogram_quantile(0.9, sum by (le) (rate(x_seconds_bucket[$__rate_interval])))`},
		{name: "alone in a graph", expr: `sum by (model) (nv_inference_request_success)`, at: "nv_inference_request_success", says: "draws it as it is",
			mended: `sum by (model) (rate(nv_inference_request_success[$__rate_interval]))`},
		{name: "by its name, and scaled", expr: `http_requests_total / 1000`, says: "draws it as it is", mended: `rate(http_requests_total[$__rate_interval]) / 1000`},
		{name: "with a fallback", expr: `sum(http_requests_total) or vector(0)`, says: "draws it as it is", mended: `sum(rate(http_requests_total[$__rate_interval])) or vector(0)`},
		{name: "under an offset", expr: `http_requests_total offset 1d`, says: "draws it as it is"},
		{expr: `rate(nv_inference_request_duration_us[5m]) / rate(nv_inference_request_success[5m])`},
		{expr: `count(nv_inference_request_success) + group(http_requests_total)`},
		{expr: `absent(http_requests_total) or timestamp(http_requests_total)`},
		{expr: `http_requests_total > 0`},
		{expr: `http_requests_total - http_requests_total offset 1h`},
		{expr: `max_over_time(http_requests_total[5m]) - min_over_time(http_requests_total[5m])`},
		{expr: `rate(sum(http_requests_total)[5m:1m])`},
		{expr: `up * on (instance) group_left () http_requests_total`},
		{expr: `ray_node_mem_total`},
		{expr: `node_memory_MemTotal_bytes`},
		{expr: `node_netstat_Tcp_InSegs`},
		{expr: `DCGM_FI_DEV_UNCORRECTABLE_REMAPPED_ROWS`},
		{expr: `job:requests_total:sum`},
		{expr: `nv_cache_num_hits_per_model / nv_cache_num_misses_per_model`},
		{name: "a size, not a time", expr: `batch_size_sum / batch_size_count`},
		{name: "a recorded name", expr: `requests_per_hour_total`, edit: recording("requests_per_hour_total")},
		{name: "buckets in a bar chart's graph", expr: `sum by (le) (x_bucket)`},
	})
}

func TestPromqlCounterRawAsShown(t *testing.T) {
	panel := func(kind, title, unit, expr, more string) string {
		return boardWith("", fmt.Sprintf(`{"id": 1, "type": %q, "title": %q, "fieldConfig": {"defaults": {"unit": %q}}, %s "targets": [{"refId": "A", "expr": %s}]}`,
			kind, title, unit, more, strconv.Quote(expr)))
	}
	const requests, duration = "nv_inference_request_success", "nv_inference_request_duration_us"
	checkCases(t, promqlCounterRaw(), []ruleCase{
		{name: "a stat of how many", board: panel("stat", "Requests", "short", requests, "")},
		{name: "a table", board: panel("table", "Requests", "reqps", requests, "")},
		{name: "a stat of a mean since the start", board: panel("stat", "Average latency since start", "µs", duration+" / "+requests, "")},
		{name: "a stat of a mean", board: panel("stat", "Average latency", "µs", duration+" / "+requests, ""), want: []expected{{says: "the mean since the exporter started"}}},
		{name: "a graph of a mean since the start", board: panel("timeseries", "Average latency since start", "µs", duration+" / "+requests, ""), want: []expected{{says: "the mean since the exporter started"}}},
		{name: "a graph of a total", board: panel("timeseries", "Cumulative requests", "short", requests, "")},
		{name: "a graph in an old panel", board: panel("graph", "Requests", "short", requests, ""), want: []expected{{says: "draws it as it is"}}},
		{name: "a stat of so many a second", board: panel("stat", "Requests", "reqps", requests, ""), want: []expected{{says: "shows it as a rate"}}},
		{name: "a graph whose title says so", board: panel("timeseries", "Total requests per second", "short", requests, ""), want: []expected{{says: "shows it as a rate"}}},
		{name: "a stat of a latency", board: panel("stat", "Request latency", "µs", duration, ""), want: []expected{{says: "shows it as a latency"}}},
		{name: "a stat of a latency in another unit", board: panel("stat", "Latency", "ms", duration+" / 1000", ""), want: []expected{{says: "shows it as a latency"}}},
		{name: "all the time that was spent", board: panel("stat", "Total busy time", "µs", duration, "")},
		{name: "processor time", board: panel("stat", "CPU time", "s", "process_cpu_seconds_total", "")},
		{name: "how long it has run", board: panel("timeseries", "Up for", "s", "app_uptime_seconds_total", "")},
		{name: "a difference", board: panel("stat", "Requests per minute", "short", requests, `"options": {"reduceOptions": {"calcs": ["diff"]}},`)},
	})
}

func TestPromqlCounterRawAsScraped(t *testing.T) {
	f := shipped(t).write(boardFile, boardWith("", panelWith(1, "a", `jobs_done`, `jobs_waiting`, `http_requests_total`, `jobs_failed_total`)))
	in := f.live()
	in.Types = map[string]catalogue.Type{"jobs_done": catalogue.Counter, "jobs_waiting": catalogue.Gauge, "http_requests": catalogue.Counter, "jobs_failed": catalogue.Counter}
	f.expect(promqlCounterRaw().Live(in), []expected{{at: "jobs_done", says: "jobs_done is a counter, and the panel draws it"}})
}
