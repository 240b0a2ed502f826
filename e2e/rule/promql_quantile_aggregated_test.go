package rule

import "testing"

func TestPromqlQuantileAggregated(t *testing.T) {
	const summary = "nv_inference_request_summary_us"
	checkExprs(t, promqlQuantileAggregated(), []exprCase{
		{expr: `avg(` + summary + `)`, at: "avg(", says: "avg averages the different quantiles of " + summary, fix: `quantile="0.99"`, mended: `max by (quantile) (` + summary + `)`},
		{expr: `sum by (model) (` + summary + `{quantile=~"0.5|0.99"}) / 1000`, says: "adds up the different quantiles",
			mended: `max by (model, quantile) (` + summary + `{quantile=~"0.5|0.99"}) / 1000`},
		{expr: `avg by (model) (` + summary + `{quantile="0.99"} / 1000)`, says: "averages a quantile over the series", severity: Warning, fix: "take max",
			mended: `max by (model) (` + summary + `{quantile="0.99"} / 1000)`},
		{expr: `avg by (quantile) (` + summary + `)`, says: "averages a quantile over the series", severity: Warning, mended: `max by (quantile) (` + summary + `)`},
		{name: "one that a variable chooses", expr: `avg(` + summary + `{quantile=~"0.99"})`, says: "averages a quantile", severity: Warning, mended: `max(` + summary + `{quantile=~"0.99"})`},
		{name: "a summary known by its matcher", expr: `avg(go_rpc_seconds{quantile="0.9"})`, says: "go_rpc_seconds", severity: Warning, mended: `max(go_rpc_seconds{quantile="0.9"})`},
		{expr: `avg(avg_over_time(` + summary + `{quantile="0.9"}[5m]))`, says: "averages a quantile", severity: Warning, mended: `max(avg_over_time(` + summary + `{quantile="0.9"}[5m]))`},
		{expr: `max by (model) (` + summary + `{quantile="0.99"})`},
		{expr: `sum(rate(` + summary + `_sum[5m])) / sum(rate(` + summary + `_count[5m]))`},
		{expr: `avg_over_time(` + summary + `{quantile="0.99"}[5m])`},
		{expr: `count(` + summary + `)`},
		{expr: `avg(histogram_quantile(0.9, rate(x_bucket[5m])))`},
		{expr: `sum(x{quantile=""})`},
		{expr: summary + `{quantile="0.99"} / 1000`},
	})
}
