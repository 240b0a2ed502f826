package dimension

import (
	"math"
	"testing"

	promparser "github.com/prometheus/prometheus/promql/parser"
	"github.com/stretchr/testify/require"
)

// FuzzOf: no expression makes Of panic, what is known has a sound scale and a name, and
// without a metric that is known nothing is, but for what Prometheus itself counts or
// takes from its clock.
func FuzzOf(f *testing.F) {
	for _, expr := range []string{
		`rate(x_us_total[5m]) / rate(x_requests_total[5m])`, `100 * (1 - avg(rate(x_seconds_total[5m])))`, `histogram_quantile(0.9, sum by (le) (rate(x_seconds_bucket[5m])))`,
		`max_over_time((x_bytes / 1024 ^ 2)[1h:1m] offset 5m)`, `(x > bool 0) * x_bytes or vector(0)`, `time() - boot`, `sum(increase(x_joules_total[1h])) / 3600 / 1000`,
		`x_bytes * x_bytes * x_bytes / 1e308`, `1 / (x_seconds * x_seconds)`, `count(x) / 0`, `quantile_over_time(0.9, x_seconds[1h])`, `max_of(1, 2)`, `-x_bytes * -0`,
	} {
		f.Add(expr)
	}
	parser := promparser.NewParser(promparser.Options{EnableExperimentalFunctions: true})
	f.Fuzz(func(t *testing.T, expr string) {
		root, err := parser.ParseExpr(expr)
		if err != nil {
			return
		}
		if u := Of(root, known); u.Known() {
			require.False(t, math.IsNaN(u.scale) || math.IsInf(u.scale, 0) || u.scale <= 0, expr)
			require.NotEmpty(t, u.String(), expr)
			u.GrafanaID()
			Compare(u, second())
		}
		if u := Of(root, func(string) Unit { return Unit{} }); u.Known() {
			require.True(t, countsOrClocks(root), "%s is %s out of nothing", expr, u)
		}
		Observed(root, known)
	})
}

// countsOrClocks says whether an expression has a part whose unit hangs on no metric.
func countsOrClocks(root promparser.Expr) bool {
	found := false
	promparser.Inspect(root, func(n promparser.Node, _ []promparser.Node) error {
		switch n := n.(type) {
		case *promparser.AggregateExpr: // of a truth, both have a unit
			found = found || n.Op == promparser.COUNT || n.Op == promparser.COUNT_VALUES || n.Op == promparser.GROUP
		case *promparser.Call:
			switch n.Func.Name {
			case "time", "timestamp", "start", "end", "step", "range", "start_timestamp", "changes", "resets", "count_over_time", "absent", "absent_over_time",
				"present_over_time", "histogram_count", "histogram_fraction",
				"ts_of_first_over_time", "ts_of_last_over_time", "ts_of_max_over_time", "ts_of_min_over_time":
				found = true
			}
		case *promparser.BinaryExpr:
			found = found || n.ReturnBool
		}
		return nil
	})
	return found
}
