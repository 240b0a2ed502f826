package rule

import "testing"

func TestPromqlNaNHidden(t *testing.T) {
	checkExprs(t, promqlNaNHidden(), []exprCase{
		{expr: `rate(a[5m]) / clamp_min(rate(b[5m]), 1)`, at: "clamp_min(", says: "is at least 1 a second", mended: `rate(a[5m]) / (rate(b[5m]) > 0)`},
		{expr: `rate(a[5m]) / (1 + rate(b[5m]))`, at: "1 + rate", says: "has 1 added to it", mended: `rate(a[5m]) / (rate(b[5m]) > 0)`},
		{expr: `avg by (pod) (rate(a[5m]) / (rate(b[5m]) + 0.5)) * 2`, says: "has 0.5 added", mended: `avg by (pod) (rate(a[5m]) / (rate(b[5m]) > 0)) * 2`},
		{expr: `sum(rate(a[5m])) / clamp_min(sum(rate(b[$__rate_interval])), 1) / 1000`, says: "is at least 1", mended: `sum(rate(a[5m])) / (sum(rate(b[$__rate_interval])) > 0) / 1000`},
		{expr: `rate(a[5m]) / on (x) group_left () clamp(rate(b[5m]), 1, 100)`, says: "is at least 1", mended: `rate(a[5m]) / on (x) group_left () (rate(b[5m]) > 0)`},
		{expr: `rate(a[5m]) / (increase(b[5m]) + 1)`, says: "has 1 added", mended: `rate(a[5m]) / (increase(b[5m]) > 0)`},
		{expr: `rate(a[5m]) / clamp_min(sum(rate(b[5m])) or vector(0), 1)`, says: "is at least 1", mended: `rate(a[5m]) / ((sum(rate(b[5m])) or vector(0)) > 0)`},
		{expr: `rate(a[5m]) / clamp_min(rate(b[5m]), 0.000001)`},
		{expr: `rate(a[5m]) / (rate(b[5m]) + 1e-9)`},
		{expr: `rate(a[5m]) / (rate(b[5m]) > 0)`},
		{expr: `rate(a[5m]) / clamp_min(count(up), 1)`},
		{expr: `rate(a[5m]) / clamp_min(increase(b[5m]), 1)`},
		{expr: `rate(a[5m]) / clamp_min(rate(node_network_receive_bytes_total[5m]), 1)`},
		{expr: `rate(a[5m]) / (rate(b[5m]) + rate(c[5m]))`},
		{expr: `1 + rate(a[5m])`},
		{expr: `clamp_min(rate(a[5m]), 1) / 2`},
		{expr: `rate(a[5m]) / clamp_min(rate(b[5m]), $model)`},
	})
}
