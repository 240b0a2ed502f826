package query

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/stack/dashboard"
	"github.com/panelgate/panelgate/stack/source"
)

func text(s string) source.Text { return source.Text{Value: s} }

// lastHours is a range of whole hours that ends off every step.
func lastHours(n int) Range {
	to := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	return Range{From: to.Add(-time.Duration(n) * time.Hour), To: to}
}

func TestStep(t *testing.T) {
	tests := []struct {
		name           string
		panel          dashboard.Panel
		target         dashboard.Target
		timeInterval   string
		grafana        string
		hours          int
		step, rate     time.Duration
		interval, expr string
	}{
		// 6 h / 1500 = 14.4 s → 15 s
		{name: "defaults", hours: 6, step: 15 * time.Second, rate: time.Minute},
		{name: "one hour stays at the scrape interval", hours: 1, step: 15 * time.Second, rate: time.Minute},
		{name: "a day", hours: 24, step: time.Minute, rate: 75 * time.Second}, // 57.6 s → 1 m
		{name: "datasource says 30s", hours: 1, timeInterval: "30s", step: 30 * time.Second, rate: 2 * time.Minute},
		{name: "datasource says 5s", hours: 1, timeInterval: "5s", step: 5 * time.Second, rate: 20 * time.Second},                                 // 2.4 s → 2 s
		{name: "narrow panel", hours: 6, panel: dashboard.Panel{MaxDataPoints: 100}, step: 5 * time.Minute, rate: 5*time.Minute + 15*time.Second}, // 216 s
		{name: "panel's min interval", hours: 1, panel: dashboard.Panel{Interval: text("2m")}, step: 2 * time.Minute, rate: 135 * time.Second},
		{name: "macro as the panel's min interval", hours: 1, panel: dashboard.Panel{Interval: text("$__interval")}, step: 15 * time.Second, rate: time.Minute},
		{name: "with a sign", hours: 1, panel: dashboard.Panel{Interval: text(">1m")}, step: time.Minute, rate: 75 * time.Second},
		{name: "target's min step", hours: 1, target: dashboard.Target{Interval: text("1m")}, step: time.Minute, rate: 4 * time.Minute},
		{name: "target's below the panel's", hours: 1, panel: dashboard.Panel{Interval: text("5m")}, target: dashboard.Target{Interval: text("10s")}, step: 10 * time.Second, rate: 310 * time.Second},
		{name: "target's below the panel's, before 10.3", grafana: "10.1.0", hours: 1, panel: dashboard.Panel{Interval: text("5m")}, target: dashboard.Target{Interval: text("10s")}, step: 10 * time.Second, rate: time.Minute},
		{name: "target's min step, before 10.3", grafana: "10.2.4", hours: 1, target: dashboard.Target{Interval: text("1m")}, step: time.Minute, rate: 75 * time.Second},
		{name: "target's min step, as of 10.2.5", grafana: "10.2.5", hours: 1, target: dashboard.Target{Interval: text("1m")}, step: time.Minute, rate: 4 * time.Minute},
		{name: "target's may be rounded under, before 13", grafana: "12.3.1", hours: 17, target: dashboard.Target{Interval: text("40s")}, step: 30 * time.Second, rate: 160 * time.Second}, // 40.8 s → 30 s
		{name: "target's is the step", grafana: "13.0.0", hours: 17, target: dashboard.Target{Interval: text("40s")}, step: 40 * time.Second, rate: 160 * time.Second},
		{name: "target's over a long range", hours: 24 * 7, target: dashboard.Target{Interval: text("1m")}, step: time.Minute, rate: 6 * time.Minute},
		{name: "target's over a long range, before 13", grafana: "12.3.1", hours: 24 * 7, target: dashboard.Target{Interval: text("1m")}, step: 5 * time.Minute, rate: 6 * time.Minute}, // 403.2 s → 5 m
		{name: "variable in the min step", hours: 1, target: dashboard.Target{Interval: text("$window")}, step: 2 * time.Minute, rate: 8 * time.Minute},
		{name: "$__interval as min step", hours: 24, target: dashboard.Target{Interval: text("$__interval")}, step: time.Minute, rate: 4 * time.Minute},
		{name: "$__rate_interval as min step", hours: 24, target: dashboard.Target{Interval: text("${__rate_interval}"), IntervalFactor: 3}, step: 75 * time.Second, rate: 75 * time.Second},
		{name: "interval factor", hours: 6, target: dashboard.Target{IntervalFactor: 2}, step: 30 * time.Second, rate: time.Minute},
		// 11,000 points are the most: 24 h / 11000 = 7.85 s → 10 s.
		{name: "safe resolution", hours: 24, panel: dashboard.Panel{MaxDataPoints: 1_000_000, Interval: text("1s")}, timeInterval: "1s", step: 10 * time.Second, rate: 4 * time.Second},
		{name: "safe resolution, before 10.3", grafana: "10.1.0-pre", hours: 24, panel: dashboard.Panel{MaxDataPoints: 1_000_000, Interval: text("1s")}, timeInterval: "1s", step: 10 * time.Second, rate: 11 * time.Second},
		{name: "interval factor, before 10.3", grafana: "9.5.2", hours: 1, target: dashboard.Target{IntervalFactor: 4}, step: time.Minute, rate: 75 * time.Second},
		{name: "interval factor, as of 10.3", grafana: "10.3.0", hours: 1, target: dashboard.Target{IntervalFactor: 4}, step: time.Minute, rate: time.Minute},
		{name: "seconds without a unit", hours: 1, target: dashboard.Target{Interval: text("60")}, step: time.Minute, rate: 4 * time.Minute},
	}
	scope := NewScope(Value{Name: "window", Values: []string{"2m"}})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Requests(&tt.panel, &tt.target, scope, Timing{Range: lastHours(tt.hours), TimeInterval: tt.timeInterval, Grafana: tt.grafana})
			require.NoError(t, err)
			require.Len(t, got, 1)
			assert.Equal(t, tt.step, got[0].Step, "step")
			assert.Equal(t, tt.step, got[0].Interval)
			assert.Equal(t, tt.rate, got[0].RateInterval, "rate interval")
		})
	}
}

func TestStepErrors(t *testing.T) {
	tests := map[string]struct {
		panel  dashboard.Panel
		target dashboard.Target
		ti     string
		want   string
	}{
		"datasource": {ti: "fast", want: "timeInterval of the datasource"},
		"panel":      {panel: dashboard.Panel{Interval: text("often")}, want: "min interval of the panel"},
		"target":     {target: dashboard.Target{Interval: text("$undefined")}, want: "min step"},
		"factor":     {target: dashboard.Target{IntervalFactor: 1 << 62}, want: "intervalFactor"},
		"timeFrom":   {panel: dashboard.Panel{TimeFrom: text("a while")}, want: "relative time"},
		"timeShift":  {panel: dashboard.Panel{TimeShift: text("far")}, want: "time shift"},
		"recursion":  {target: dashboard.Target{Expr: text("$all")}, want: "leads back to itself"},
	}
	scope := NewScope(Value{Name: "all", All: true, AllValue: "$all"})
	for name, tt := range tests {
		_, err := Requests(&tt.panel, &tt.target, scope, Timing{Range: lastHours(1), TimeInterval: tt.ti})
		assert.ErrorContains(t, err, tt.want, name)
	}
}

func TestRequestKinds(t *testing.T) {
	r := lastHours(1)
	floored := time.Date(2026, 1, 2, 3, 4, 0, 0, time.UTC)
	tests := []struct {
		name    string
		target  dashboard.Target
		instant []bool
	}{
		{"neither is a range query", dashboard.Target{}, []bool{false}},
		{"a table is no instant query by itself", dashboard.Target{Format: "table"}, []bool{false}},
		{"instant", dashboard.Target{Instant: true}, []bool{true}},
		{"range", dashboard.Target{Range: true}, []bool{false}},
		{"both", dashboard.Target{Instant: true, Range: true}, []bool{false, true}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.target.Expr = text("up")
			got, err := Requests(&dashboard.Panel{}, &tt.target, NewScope(), Timing{Range: r})
			require.NoError(t, err)
			require.Len(t, got, len(tt.instant))
			for i, instant := range tt.instant {
				assert.Equal(t, instant, got[i].Instant)
				if instant {
					assert.Equal(t, r.To, got[i].End, "instant queries keep the raw end")
				} else {
					assert.Equal(t, floored, got[i].End)
					assert.Equal(t, floored.Add(-time.Hour), got[i].Start)
				}
			}
		})
	}
}

func TestFloorBeforeEpoch(t *testing.T) {
	assert.Equal(t, int64(-15), floorTo(time.Unix(-1, 0), 15*time.Second).Unix())
	assert.Equal(t, int64(-15), floorTo(time.Unix(-15, 0), 15*time.Second).Unix())
}

func TestPanelTime(t *testing.T) {
	r := lastHours(6)
	later := r.To.Add(10 * time.Minute)
	absolute := r
	absolute.Absolute = true
	midnight := time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)
	tests := []struct {
		name     string
		panel    dashboard.Panel
		tm       Timing
		from, to time.Time
	}{
		{"relative time", dashboard.Panel{TimeFrom: text("1h")}, Timing{Range: r}, r.To.Add(-time.Hour), r.To},
		{"counted from now", dashboard.Panel{TimeFrom: text("now-1h")}, Timing{Range: r, Now: later}, later.Add(-time.Hour), later},
		{"today", dashboard.Panel{TimeFrom: text("now/d")}, Timing{Range: r}, midnight, midnight.Add(day - time.Millisecond)},
		{"the future", dashboard.Panel{TimeFrom: text("+1h")}, Timing{Range: r}, r.To, r.To.Add(time.Hour)},
		{"not under an absolute range", dashboard.Panel{TimeFrom: text("1h")}, Timing{Range: absolute}, r.From, r.To},
		{"shift", dashboard.Panel{TimeShift: text("1d")}, Timing{Range: r}, r.From.Add(-day), r.To.Add(-day)},
		{"shift to whole days", dashboard.Panel{TimeShift: text("1d/d")}, Timing{Range: r}, midnight.Add(-2 * day), midnight.Add(-time.Millisecond)},
		{"both", dashboard.Panel{TimeFrom: text("1h"), TimeShift: text("1w")}, Timing{Range: r}, r.To.Add(-week - time.Hour), r.To.Add(-week)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			target := dashboard.Target{Instant: true, Expr: text("$__from $__to")}
			got, err := Requests(&tt.panel, &target, NewScope(), tt.tm)
			require.NoError(t, err)
			assert.Equal(t, tt.from, got[0].Start)
			assert.Equal(t, tt.to, got[0].End)
			want, err := NewScope().withRange(Range{From: tt.from, To: tt.to}).Interpolate("$__from $__to", Plain)
			require.NoError(t, err)
			assert.Equal(t, want, got[0].Expr)
		})
	}
}

func TestMacros(t *testing.T) {
	scope := NewScope(Value{Name: "window", Values: []string{"$__rate_interval"}}, Value{Name: "__dashboard", Values: []string{"D"}})
	tests := map[string]string{
		"rate(x[$__interval])":                "rate(x[1m])",
		"rate(x[${__interval}])":              "rate(x[1m])",
		"$__interval_ms ${__interval_ms}":     "60000 60000",
		"rate(x[$__rate_interval])":           "rate(x[1m15s])",
		"rate(x[$window])":                    "rate(x[1m15s])",
		"rate(x[[[window]]])":                 "rate(x[1m15s])",
		"$__rate_interval_ms":                 "75000",
		"x[$__range] $__range_s $__range_ms":  "x[86400s] 86400 86400000",
		"${__from:date:YYYY} $__to":           "2026 1767323045000",
		"[[__from]]":                          "1767236645000",
		"$__dashboard $__name $__org":         "D $__name $__org",
		"[[__interval]] ${__interval:raw} $m": "[[__interval]] ${__interval:raw} $m", // the back end knows two forms only
	}
	for expr, want := range tests {
		target := dashboard.Target{Expr: text(expr)}
		got, err := Requests(&dashboard.Panel{}, &target, scope, Timing{Range: lastHours(24)})
		require.NoError(t, err, expr)
		assert.Equal(t, want, got[0].Expr, expr)
	}
}

func TestRequestMapping(t *testing.T) {
	target := dashboard.Target{Expr: text("rate(x[$window]) +")}
	scope := NewScope(Value{Name: "window", Values: []string{"$__rate_interval"}})
	got, err := Requests(&dashboard.Panel{}, &target, scope, Timing{Range: lastHours(1)})
	require.NoError(t, err)
	require.Equal(t, "rate(x[1m0s]) +", got[0].Expr)
	assert.Equal(t, 7, got[0].Mapping.Source(9))
	assert.Equal(t, 16, got[0].Mapping.Source(13))
}
