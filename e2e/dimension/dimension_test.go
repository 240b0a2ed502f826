package dimension

import (
	"testing"

	promparser "github.com/prometheus/prometheus/promql/parser"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// known is a source of its own for names that no convention tells, as the catalogue is.
func known(series string) Unit {
	switch series {
	case "util":
		return Named("ratio")
	case "gpu_util":
		return Named("percent")
	case "fb_used":
		return Named("MiB")
	case "clock_mhz":
		return Named("MHz")
	case "temp":
		return Named("celsius")
	case "pending":
		return Named("1")
	case "boot":
		return Named("unixtime")
	case "xid":
		return Named("state")
	case "pcie":
		return Named("bytes/s")
	case "energy_mj":
		return Named("mJ")
	default:
		return ByName(series)
	}
}

func parse(tb testing.TB, expr string) promparser.Expr {
	tb.Helper()
	root, err := promparser.NewParser(promparser.Options{EnableExperimentalFunctions: true}).ParseExpr(expr)
	require.NoError(tb, err, expr)
	return root
}

func TestOf(t *testing.T) {
	for _, c := range []struct{ expr, want string }{
		// Metrics, by what their names say.
		{`x_seconds`, "seconds"}, {`x_duration_us`, "µs"}, {`x_ms`, "ms"}, {`x_ns_total`, "ns"}, {`x_bytes`, "bytes"}, {`x_bytes_total`, "bytes"},
		{`x_bits`, "bits"}, {`x_ratio`, "a ratio (0 to 1)"}, {`x_celsius`, "°C"}, {`x_watts`, "watts"}, {`x_joules_total`, "joules"}, {`x_hertz`, "a number per second"},
		{`x_requests_total`, "a number of things"}, {`x_count`, "a number of things"}, {`x_seconds_sum`, "seconds"}, {`x_seconds_count`, "a number of things"},
		{`x_seconds_bucket`, "a number of things"}, {`x_bytes_per_second`, "bytes per second"}, {`x_requests_per_second`, "a number per second"},
		{`x_volts`, "volts"}, {`x_timestamp_seconds`, "seconds since 1970"}, {`process_start_time_seconds`, "seconds since 1970"},
		// Names that say nothing, or lie.
		{`x`, ""}, {`x_total`, ""}, {`x_percent`, ""}, {`x_time`, ""}, {`x_duration`, ""}, {`x_start_time_seconds`, ""}, {`x_last_success_seconds`, ""},
		{`a:x_bytes:rate5m`, ""}, {`x_speed_bytes`, ""}, {`x_duration_total`, ""}, {`x_time_requests_total`, ""}, {`x_s`, ""}, {`x_bytes_sec`, ""}, {`bytesinpersec_count`, ""}, {`x_bytes_sent_count`, ""}, {`x_size_bytes_count`, "a number of things"}, {`bytes`, ""}, {`{job="a"}`, ""},
		// Rates.
		{`rate(x_bytes_total[5m])`, "bytes per second"}, {`irate(x_requests_total[5m])`, "a number per second"}, {`deriv(x_bytes[5m])`, "bytes per second"},
		{`rate(x_seconds_total[5m])`, "seconds per second"}, {`rate(x_us_total[5m])`, "µs per second"}, {`rate(x_us_total[5m]) / 1000`, "ms per second"},
		{`rate(x_joules_total[5m])`, "watts"}, {`rate(energy_mj[5m])`, "milliwatts"}, {`rate(energy_mj[5m]) / 1000`, "watts"}, {`rate(util[5m])`, ""},
		{`rate(x_bytes_total[5m]) * 8`, "bits per second"}, {`rate(x_requests_total[5m]) * 60`, "a number per minute"}, {`rate(x_octets_total[5m]) * 8 / 1000 / 1000`, "Mbit per second"},
		{`increase(x_bytes_total[5m])`, "bytes"}, {`delta(x_bytes[5m])`, "bytes"}, {`idelta(x_bytes[5m])`, "bytes"}, {`increase(x_requests_total[5m])`, "a number of things"},
		{`increase(x_bytes_total[5m]) / 300`, "bytes per second"}, {`increase(x_requests_total[5m]) / 5`, "a number per minute"}, {`increase(x_bytes_total[5m]) / 7`, ""},
		{`increase(x_seconds_total[1m]) / 60`, "seconds per second"}, {`increase(x_joules_total[1h]) / 3600`, ""}, {`increase(x_joules_total[1h]) / 1000 / 3600`, ""}, {`increase(x_joules_total[1h]) / 3.6e6`, ""}, {`increase(x_joules_total[5m]) / 300`, "watts"}, {`increase(x_joules_total[1d]) / 3.6e6`, "kilowatt-hours"}, {`increase(x_joules_total[1d]) / 1000 / 3600`, "kilowatt-hours"}, {`increase(energy_mj[1d]) / 3.6e6`, "watt-hours"}, {`increase(x_joules_total[1d]) / 3.6e6 * 0.3`, ""}, {`increase(x_bytes_total[10s]) / 10`, "bytes per second"},
		{`delta(temp[5m])`, ""}, {`rate(temp[5m])`, ""}, {`changes(temp[5m])`, "a number of things"}, {`resets(x_bytes_total[5m])`, "a number of things"},
		// Quotients and products.
		{`rate(x_us_total[5m]) / rate(x_requests_total[5m])`, "µs"}, {`sum(rate(x_seconds_sum[5m])) / sum(rate(x_seconds_count[5m]))`, "seconds"},
		{`x_seconds_sum / x_seconds_count`, "seconds"}, {`increase(x_us_total[5m]) / increase(x_requests_total[5m]) / 1e3`, "ms"},
		{`x_bytes / y_bytes`, "a ratio (0 to 1)"}, {`100 * x_bytes / y_bytes`, "percent (0 to 100)"}, {`x_bytes * 100 / y_bytes`, "percent (0 to 100)"},
		{`rate(a_requests_total[5m]) / rate(b_requests_total[5m])`, "a ratio (0 to 1)"}, {`increase(a_requests_total[5m]) / increase(b_requests_total[1h])`, ""},
		{`rate(x_bytes_total[5m]) / rate(x_requests_total[5m])`, "bytes"}, {`x_bytes_total / x_seconds_total`, "bytes per second"}, {`x_watts / y_volts`, "amperes"},
		{`pending * x_bytes`, "bytes"}, {`util * x_bytes`, "bytes"}, {`pending * util`, ""}, {`x_watts * 2`, ""}, {`x_volts * y_amperes`, "watts"},
		{`rate(x_requests_total[5m]) * on() (x_seconds_sum / x_seconds_count)`, ""}, {`1 / rate(x_requests_total[5m])`, "seconds"}, {`1000 / rate(x_requests_total[5m])`, ""}, {`temp / temp`, ""},
		{`100 * fb_used / (fb_used + fb_used)`, "percent (0 to 100)"}, {`util / util`, "a ratio (0 to 1)"}, {`gpu_util / 100`, "a ratio (0 to 1)"}, {`x / y`, ""}, {`x_bytes / x`, ""},
		// Scales.
		{`x_us / 1000`, "ms"}, {`x_us / 1e6`, "seconds"}, {`x_us * 1e-6`, "seconds"}, {`x_seconds * 1000`, "ms"}, {`x_seconds * 1e6`, "µs"}, {`x_seconds / 60`, "minutes"},
		{`x_seconds / 3600 / 24`, "days"}, {`x_bytes / 1024 / 1024`, "MiB"}, {`x_bytes / 1024^3`, "GiB"}, {`x_bytes / (1024 * 1024)`, "MiB"}, {`x_bytes / 1e9`, "GB"},
		{`fb_used * 1024 * 1024`, "bytes"}, {`util * 100`, "percent (0 to 100)"}, {`x_bytes * 8`, "bits"}, {`x_bytes / 2`, ""}, {`clock_mhz * 1e6`, "a number per second"},
		{`x_requests_total / 1000`, ""}, {`x_bytes * 0`, ""}, {`x_celsius / 10`, ""}, {`-x_bytes`, "bytes"}, {`x_bytes * -1`, "bytes"}, {`x_joules_total / 3.6e6`, "kilowatt-hours"},
		// Sums and differences.
		{`x_bytes + y_bytes`, "bytes"}, {`x_bytes - y_seconds`, ""}, {`x_us + y_ms`, ""}, {`1 - util`, "a ratio (0 to 1)"}, {`100 - gpu_util`, "percent (0 to 100)"}, {`100 - util`, ""}, {`1 - gpu_util`, ""},
		{`100 * (1 - avg(rate(node_cpu_seconds_total{mode="idle"}[5m])))`, "percent (0 to 100)"}, {`1 + rate(x_requests_total[5m])`, "a number per second"}, {`temp + 273.15`, ""}, {`x_bytes + x`, ""},
		{`rate(x_us_total[5m]) / (1 + rate(x_requests_total[5m]))`, "µs"}, {`(x_bytes + y_bytes) / 2`, ""}, {`util + 0.001`, "a ratio (0 to 1)"},
		// Moments.
		{`time()`, "seconds since 1970"}, {`time() - boot`, "seconds"}, {`time() - x_timestamp_seconds`, "seconds"}, {`boot * 1000`, "ms since 1970"}, {`timestamp(x)`, "seconds since 1970"},
		{`(time() - boot) / 86400`, "days"}, {`time() - x`, ""}, {`boot + x_seconds`, "seconds since 1970"}, {`sum(boot)`, ""}, {`max(boot)`, "seconds since 1970"}, {`day_of_week()`, ""}, {`hour(boot)`, ""},
		// Aggregations.
		{`sum by (a) (x_bytes)`, "bytes"}, {`avg(util)`, "a ratio (0 to 1)"}, {`count(x_bytes)`, "a number of things"}, {`count_values("v", x_bytes)`, "a number of things"}, {`group(x_bytes)`, ""},
		{`stddev(x_seconds)`, "seconds"}, {`stdvar(x_seconds)`, ""}, {`quantile(0.9, x_seconds)`, "seconds"}, {`topk(3, x_bytes)`, "bytes"}, {`sum(up)`, "a number of things"}, {`avg(up)`, "a ratio (0 to 1)"},
		{`avg(up) * 100`, "percent (0 to 100)"}, {`sum(up) / count(up)`, "a ratio (0 to 1)"}, {`sum(temp)`, ""}, {`avg(temp)`, "°C"}, {`stddev(temp)`, ""}, {`limitk(2, x_bytes)`, "bytes"}, {`sum(vector(1))`, ""},
		// Histograms.
		{`histogram_quantile(0.9, sum by (le) (rate(x_seconds_bucket[5m])))`, "seconds"}, {`histogram_quantile(0.9, rate(x_ms_bucket[5m])) / 1000`, "seconds"}, {`histogram_quantile(0.9, rate(x_bucket[5m]))`, ""},
		{`histogram_quantile(0.9, rate(x_seconds[5m]))`, "seconds"}, {`histogram_count(rate(x_seconds[5m]))`, "a number per second"}, {`histogram_sum(rate(x_seconds[5m]))`, "seconds per second"},
		{`histogram_avg(rate(x_seconds[5m]))`, "seconds"}, {`histogram_fraction(0, 1, rate(x_seconds[5m]))`, "a ratio (0 to 1)"}, {`histogram_stddev(rate(x_seconds[5m]))`, "seconds"}, {`histogram_stdvar(x_seconds)`, ""},
		{`histogram_quantile(0.9, sum(rate(x_seconds_bucket[5m]) + rate(y_seconds_bucket[5m])) by (le))`, "seconds"}, {`histogram_quantile(0.9, rate(x_seconds_bucket[5m]) + rate(y_us_bucket[5m]))`, ""},
		{`histogram_quantile(0.9, rate(x_seconds_bucket[5m]) > 0)`, "seconds"}, {`x_seconds{quantile="0.9"}`, "seconds"},
		// Over time.
		{`avg_over_time(x_bytes[1h])`, "bytes"}, {`max_over_time(gpu_util[1h])`, "percent (0 to 100)"}, {`quantile_over_time(0.9, x_seconds[1h])`, "seconds"}, {`count_over_time(x_bytes[1h])`, "a number of things"},
		{`sum_over_time(x_bytes[1h])`, "bytes"}, {`sum_over_time(x_watts[1h])`, ""}, {`sum_over_time(util[1h])`, ""}, {`avg_over_time(up[1d])`, "a ratio (0 to 1)"}, {`avg_over_time(up[1d]) * 100`, "percent (0 to 100)"},
		{`present_over_time(x_bytes[1h])`, ""}, {`last_over_time(temp[1h])`, "°C"}, {`stddev_over_time(x_seconds[1h])`, "seconds"}, {`stdvar_over_time(x_seconds[1h])`, ""}, {`predict_linear(x_bytes[1h], 3600)`, "bytes"},
		{`max_over_time(rate(x_bytes_total[5m])[1h:1m])`, "bytes per second"}, {`avg_over_time((x_us / 1000)[1h:])`, "ms"}, {`x_bytes offset 1h`, "bytes"}, {`x_bytes @ end()`, "bytes"}, {`double_exponential_smoothing(x_bytes[1h], 0.5, 0.5)`, "bytes"},
		// What keeps, and what ends it.
		{`abs(x_bytes)`, "bytes"}, {`clamp_min(x_bytes, 0)`, "bytes"}, {`clamp(util, 0, 1)`, "a ratio (0 to 1)"}, {`round(x_seconds, 0.1)`, "seconds"}, {`ceil(x_us)`, "µs"}, {`scalar(x_bytes)`, "bytes"}, {`vector(scalar(x_bytes))`, "bytes"},
		{`sort_desc(x_bytes)`, "bytes"}, {`label_replace(x_bytes, "a", "$1", "b", "(.*)")`, "bytes"}, {`label_join(x_bytes, "a", ",", "b")`, "bytes"}, {`info(x_bytes)`, "bytes"},
		{`ln(x_bytes)`, ""}, {`sqrt(x_seconds)`, ""}, {`exp(util)`, ""}, {`sgn(x_bytes)`, ""}, {`x_bytes ^ 2`, ""}, {`x_seconds % 60`, ""}, {`x_bytes atan2 y_bytes`, ""}, {`absent(x_bytes)`, ""},
		// Sets, filters and masks.
		{`x_bytes or y_bytes`, "bytes"}, {`x_bytes or y_seconds`, ""}, {`x_bytes or vector(0)`, "bytes"}, {`vector(0) or x_bytes`, "bytes"}, {`x_bytes or x`, ""}, {`x_bytes and x`, "bytes"}, {`x_bytes unless x`, "bytes"},
		{`x_bytes > 0`, "bytes"}, {`0 < x_bytes`, "bytes"}, {`x_bytes > bool 0`, ""}, {`count(x_bytes > 5)`, "a number of things"}, {`(x > bool 0) * x_bytes`, "bytes"}, {`x_bytes * on(a) group_left(b) y_info`, "bytes"},
		{`x_bytes / up`, "bytes"}, {`xid * 100`, ""}, {`xid`, ""}, {`up`, ""}, {`up + up`, "a number of things"}, {`42`, ""}, {`vector(1)`, ""}, {`"text"`, ""}, {`pi()`, ""}, {`x_bytes * pi()`, ""}, {`((x_bytes))`, "bytes"},
		{`gpu_util or 100 * util`, "percent (0 to 100)"}, {`gpu_util or util`, ""}, {`pcie * 8`, "bits per second"},
	} {
		u := Of(parse(t, c.expr), known)
		got := ""
		if u.Known() {
			got = u.String()
		}
		assert.Equal(t, c.want, got, c.expr)
	}
}

func TestCompare(t *testing.T) {
	for _, c := range []struct {
		expr, shown string
		want        Difference
	}{
		{`x_us`, "µs", Difference{}}, {`x_us`, "ms", Difference{Scale, 1000}}, {`x_ms`, "s", Difference{Scale, 1000}}, {`x_seconds`, "ms", Difference{Scale, 0.001}},
		{`x_us`, "short", Difference{}}, {`x_us`, "none", Difference{}}, {`x_us`, "", Difference{}}, {`x_us`, "suffix:things", Difference{}}, {`x_us`, "suffix: ms", Difference{Scale, 1000}},
		{`util`, "percent", Difference{Scale, 0.01}}, {`gpu_util`, "percentunit", Difference{Scale, 100}}, {`util * 100`, "%", Difference{}}, {`util`, "%", Difference{Scale, 0.01}},
		{`x_seconds`, "dtdurations", Difference{}}, {`x_seconds`, "dtdurationms", Difference{Scale, 0.001}}, {`x_seconds`, "bytes", Difference{Fault: Quantity}},
		{`x_bytes`, "decbytes", Difference{}}, {`x_bytes`, "bits", Difference{Scale, 0.125}}, {`x_bytes`, "mbytes", Difference{Scale, 1 << 20}}, {`fb_used`, "bytes", Difference{Scale, 1.0 / (1 << 20)}},
		{`fb_used`, "decmbytes", Difference{Prefix, 1e6 / (1 << 20)}}, {`fb_used`, "gbytes", Difference{Scale, 1024}}, {`fb_used`, "decbytes", Difference{Scale, 1.0 / (1 << 20)}},
		{`rate(x_bytes_total[5m])`, "Bps", Difference{}}, {`rate(x_bytes_total[5m])`, "binBps", Difference{}}, {`rate(x_bytes_total[5m])`, "bytes", Difference{Fault: Rate}}, {`rate(x_bytes_total[5m])`, "bps", Difference{Scale, 0.125}},
		{`rate(x_bytes_total[5m])`, "percent", Difference{Fault: Quantity}}, {`rate(x_bytes_total[5m]) * 3600`, "bytes", Difference{}}, {`x_bytes`, "Bps", Difference{Fault: Quantity}},
		{`increase(x_bytes_total[1m])`, "Bps", Difference{Window, 60}}, {`increase(x_bytes_total[1m])`, "bytes", Difference{}}, {`increase(x_requests_total[1m])`, "reqpm", Difference{}}, {`increase(x_requests_total[5m])`, "reqps", Difference{Window, 300}},
		{`increase(x_requests_total[1m]) / 60`, "reqps", Difference{}}, {`idelta(x_requests_total[1m])`, "reqps", Difference{}}, {`increase(x_seconds_total[1m])`, "percentunit", Difference{Window, 60}},
		{`rate(x_requests_total[5m])`, "ops", Difference{}}, {`rate(x_requests_total[5m])`, "hertz", Difference{}}, {`rate(x_requests_total[5m])`, "reqpm", Difference{Scale, 1.0 / 60}}, {`x_requests_total`, "reqps", Difference{Fault: Quantity}},
		{`rate(x_requests_total[5m])`, "s", Difference{Fault: Quantity}}, {`rate(x_requests_total[5m])`, "percentunit", Difference{Fault: Quantity}},
		{`rate(x_seconds_total[5m])`, "percentunit", Difference{}}, {`rate(x_seconds_total[5m])`, "percent", Difference{Scale, 0.01}}, {`rate(x_seconds_total[5m])`, "s", Difference{Fault: Rate}}, {`rate(x_us_total[5m])`, "ms", Difference{Fault: Quantity}},
		{`rate(a_requests_total[5m]) / rate(b_requests_total[5m])`, "s", Difference{Fault: Quantity}}, {`rate(a_requests_total[5m]) / rate(b_requests_total[5m])`, "percent", Difference{Scale, 0.01}},
		{`rate(x_joules_total[5m])`, "watt", Difference{}}, {`rate(energy_mj[5m])`, "watt", Difference{Scale, 1000}}, {`x_joules_total`, "watt", Difference{Fault: Quantity}}, {`rate(x_joules_total[5m])`, "joule", Difference{Fault: Rate}},
		{`temp`, "celsius", Difference{}}, {`temp`, "fahrenheit", Difference{Fault: Quantity}}, {`temp`, "percent", Difference{Fault: Quantity}}, {`temp`, "watt", Difference{Fault: Quantity}},
		{`clock_mhz`, "hertz", Difference{Scale, 1e-6}}, {`clock_mhz * 1e6`, "hertz", Difference{}}, {`pending`, "s", Difference{Fault: Quantity}}, {`pending`, "percent", Difference{Fault: Quantity}},
		{`boot`, "dateTimeAsIso", Difference{Scale, 0.001}}, {`boot * 1000`, "dateTimeFromNow", Difference{}}, {`boot`, "s", Difference{Fault: Quantity}}, {`boot`, "short", Difference{}}, {`time() - boot`, "dateTimeAsIso", Difference{Fault: Quantity}},
		{`increase(energy_mj[1d]) / 3.6e6`, "kwatth", Difference{Scale, 1000}}, {`increase(energy_mj[1d]) / 3.6e9`, "kwatth", Difference{}}, {`increase(x_joules_total[1h]) / 3600`, "watth", Difference{}}, {`increase(x_joules_total[1h]) / 3600`, "watt", Difference{}},
		{`avg_over_time(x_watts[1h])`, "watth", Difference{}}, {`avg_over_time(x_watts[1h])`, "watt", Difference{}}, {`avg_over_time(x_watts[5m])`, "watth", Difference{Fault: Quantity}},
		{`rate(x_bytes_total[5m]) * 8 / 1e9`, "percentunit", Difference{}}, {`rate(x_bytes_total[5m]) * 8 / 1e9 * 100`, "percent", Difference{}}, {`fb_used`, "percent", Difference{Fault: Quantity}},
		{`pending`, "dateTimeAsIso", Difference{}}, {`x`, "ms", Difference{}}, {`42`, "ms", Difference{}}, {`up`, "percent", Difference{}}, {`x_bytes / 2`, "ms", Difference{}},
	} {
		shown, ok := Shown(c.shown)
		got := Difference{}
		if ok {
			got = Compare(Of(parse(t, c.expr), known), shown)
		}
		assert.Equal(t, c.want.Fault, got.Fault, "%s as %s", c.expr, c.shown)
		assert.InEpsilon(t, c.want.Factor+1, got.Factor+1, 1e-9, "%s as %s", c.expr, c.shown)
	}
}

// TestVocabulary checks that no id stands for two units, and that each is found again.
func TestVocabulary(t *testing.T) {
	seen := map[string]string{}
	for _, n := range vocabulary() {
		assert.Equal(t, n.name, n.String())
		for _, id := range n.ids {
			assert.Empty(t, seen[id], id)
			seen[id] = n.name
			if id != "short" {
				u, ok := Shown(id)
				assert.True(t, ok)
				assert.Equal(t, n.Unit, u)
			}
		}
		if len(n.ids) > 0 {
			assert.Equal(t, n.ids[0], n.GrafanaID())
		}
	}
}
