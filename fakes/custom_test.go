package fakes

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCustomMetricsAreRead(t *testing.T) {
	w := world(t, `
version: 1
models:
  - {name: a, custom_metrics: [{name: x_total, help: Some x., labels: {zone: "1", area: north}, per_request: 2.5}]}
  - {name: b, custom_metrics: [{name: x_total, help: Some x.}, {name: y, type: gauge, help: Some y., value: 7}]}
`)
	a, b := model(t, w, "a").CustomMetrics(), model(t, w, "b").CustomMetrics()
	require.Len(t, a, 1)
	require.Len(t, b, 2)
	assert.Equal(t, []string{"x_total", "counter", "Some x."}, []string{a[0].Name(), a[0].Type(), a[0].Help()})
	assert.Equal(t, []CustomLabel{{"area", "north"}, {"zone", "1"}}, a[0].Labels())
	assert.InDelta(t, 7, a[0].Value(&Counters{Success: 3}, start), 0)
	assert.InDelta(t, 7, b[1].Value(&Counters{}, start), 0)
}

func TestCustomMetricsThatAreRefused(t *testing.T) {
	for _, tc := range []struct{ metrics, want string }{
		{"[{name: 9x, help: H}]", `"9x" is not a name for a metric`},
		{"[{help: H}]", `"" is not a name for a metric`},
		{"[{name: nv_x, help: H}]", "is among the names of Triton"},
		{"[{name: x}]", "help: want a line of text"},
		{"[{name: x, help: H, labels: {a-b: c}}]", `"a-b" is not a name for a label`},
		{"[{name: x, help: H, labels: {a: b, a: c}}]", "a\" stands twice"},
		{"[{name: x, help: H, labels: [a]}]", "want keys and values"},
		{"[{name: x, help: H, value: 1}]", "a counter has per_request, a gauge has value"},
		{"[{name: x, help: H, type: gauge, per_request: 1}]", "a counter has per_request, a gauge has value"},
		{"[{name: x, help: H}, {name: x, help: H}]", `x with these labels stands at model "m" already`},
		{"[{name: old, help: H, labels: {a: b}}]", `old has another type or help at model "first"`},
		{"[{name: x, type: summary, help: H}]", `"summary" is none of counter, gauge`},
	} {
		_, err := ParseScenario("test.yaml", []byte("version: 1\nmodels:\n  - {name: first, custom_metrics: [{name: old, help: Other}]}\n"+
			"  - {name: m, custom_metrics: "+tc.metrics+"}\n"))
		require.ErrorContains(t, err, tc.want, tc.metrics)
		assert.True(t, strings.HasPrefix(err.Error(), "test.yaml:4:"), err.Error())
	}
}
