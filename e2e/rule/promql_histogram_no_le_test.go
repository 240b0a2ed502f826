package rule

import "testing"

func TestPromqlHistogramNoLE(t *testing.T) {
	checkExprs(t, promqlHistogramNoLE(), []exprCase{
		{expr: `histogram_quantile(0.99, sum by (model) (rate(x_bucket[5m])))`, at: "sum by", says: "sum by (model) adds the buckets up without le", fix: "sum by (le, …)",
			mended: `histogram_quantile(0.99, sum by (model, le) (rate(x_bucket[5m])))`},
		{expr: `histogram_quantile(0.9, sum(rate(x_bucket[5m])) by (model))`, at: "sum(rate", says: "without le",
			mended: `histogram_quantile(0.9, sum(rate(x_bucket[5m])) by (model, le))`},
		{expr: `histogram_quantile(0.9, sum(rate(x_bucket[5m])))`, says: "sum adds the buckets up", mended: `histogram_quantile(0.9, sum by (le) (rate(x_bucket[5m])))`},
		{expr: `histogram_quantile(0.9, sum without (le, pod) (rate(x_bucket[5m])))`, says: "sum without (le, pod)", fix: "take le out",
			mended: `histogram_quantile(0.9, sum without (pod) (rate(x_bucket[5m])))`},
		{expr: `histogram_quantile(0.9, sum by () (rate(x_bucket[5m])))`, says: "without le", mended: `histogram_quantile(0.9, sum by (le) (rate(x_bucket[5m])))`},
		{expr: `1000 * histogram_quantile(0.9, rate(sum by (a) (x_bucket)[5m:]))`, at: "sum by", says: "without le", mended: `1000 * histogram_quantile(0.9, rate(sum by (a, le) (x_bucket)[5m:]))`},
		{expr: `histogram_quantile(0.9, sum by (a) (sum by (a, b) (rate(x_bucket[5m]))))`, at: "sum by (a, b)", says: "without le"},
		{expr: `histogram_quantile(0.9, avg(x_bucket{le="1"}))`, says: "avg adds", mended: `histogram_quantile(0.9, avg by (le) (x_bucket{le="1"}))`},
		{expr: `histogram_quantile(0.9, sum by (le) (rate(x_bucket[5m])))`},
		{expr: `histogram_quantile(0.9, rate(x_bucket{model="$model"}[5m]))`},
		{expr: `histogram_quantile(0.9, sum without (pod) (rate(x_bucket[5m])))`},
		{expr: `histogram_quantile(0.9, topk(5, rate(x_bucket[5m])))`},
		{name: "a native histogram", expr: `histogram_quantile(0.9, sum by (model) (rate(x_seconds[5m])))`},
		{name: "either kind", expr: `histogram_quantile(0.9, sum by (model) (rate({__name__=~"x_seconds.*"}[5m])))`},
		{name: "made anew", expr: `histogram_quantile(0.9, label_replace(sum by (bound) (rate(x_bucket[5m])), "le", "$1", "bound", "(.*)"))`},
		{name: "a grouping that is guessed", expr: `histogram_quantile(0.9, sum by ($model) (rate(x_bucket[5m])))`},
	})
}
