package query

import (
	"testing"
	"time"

	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/stack"
	"github.com/panelgate/panelgate/stack/dashboard"
)

// filtered is what becomes of expr under the variables.
func filtered(t *testing.T, variables, expr string, panel dashboard.Panel) Request {
	t.Helper()
	s, _ := StaticScope(parse(t, variables), sources())
	target := dashboard.Target{Expr: text(expr)}
	got, err := Requests(&panel, &target, s, Timing{Range: lastHours(1)})
	require.NoError(t, err)
	require.Len(t, got, 1)
	return got[0]
}

func adhocWith(filters string) string {
	return `{"name": "hoc", "type": "adhoc", "datasource": {"type": "prometheus", "uid": "main"}, "filters": [` + filters + `]}`
}

func TestAdHocFiltersPlaces(t *testing.T) {
	const one = `{"key": "job", "operator": "=", "value": "triton"}`
	for expr, want := range map[string]string{
		`up`:                         `up{job="triton"}`,
		`up{}`:                       `up{job="triton"}`,
		`{a="1"}`:                    `{a="1", job="triton"}`,
		`{"up"}`:                     `{"up", job="triton"}`,
		`up{a="1", }`:                `up{a="1", job="triton"}`,
		`up{a="}"} offset 5m`:        `up{a="}", job="triton"} offset 5m`,
		`up offset 5m`:               `up{job="triton"} offset 5m`,
		`up{a="1" # }` + "\n}":       `up{a="1" # }` + "\n" + `, job="triton"}`,
		`rate(up[$__rate_interval])`: `rate(up{job="triton"}[1m0s])`,
		`sum by (up) (up) / on (job) (up{b!="2"})`:  `sum by (up) (up{job="triton"}) / on (job) (up{b!="2", job="triton"})`,
		`max_over_time(sum(up)[1h:1m]) + 1`:         `max_over_time(sum(up{job="triton"})[1h:1m]) + 1`,
		`up{job="triton"}`:                          `up{job="triton"}`,
		`up{job="dcgm"}`:                            `up{job="dcgm", job="triton"}`,
		`up{job!="triton"}`:                         `up{job!="triton"}`, // Grafana looks at label and value alone
		`vector(1) or "text"`:                       `vector(1) or "text"`,
		`sum(up`:                                    `sum(up`,
		`up{job=~"$nobody"}`:                        `up{job=~"$nobody", job="triton"}`,
		`up @ end()`:                                `up{job="triton"} @ end()`,
		"label_replace(up,\"a\",\"$1\",\"b\",\"\")": `label_replace(up{job="triton"},"a","$1","b","")`,
	} {
		assert.Equal(t, want, filtered(t, adhocWith(one), expr, dashboard.Panel{}).Expr, expr)
	}
}

func TestAdHocFiltersOperators(t *testing.T) {
	for filters, want := range map[string]string{
		``: `up`,
		`{"key": "a", "operator": "!=", "value": "1"}`:                         `up{a!="1"}`,
		`{"key": "a", "operator": "=~", "value": "x.\\d\""}`:                   `up{a=~"x.\\d\""}`,
		`{"key": "a", "operator": "!~", "value": "x"}`:                         `up{a!~"x"}`,
		`{"key": "a", "operator": "<", "value": "3"}`:                          `up{a<"3"}`,
		`{"key": "a", "operator": "=|", "value": "x", "values": ["x.1", "y"]}`: `up{a=~"x\\.1|y"}`,
		`{"key": "a", "operator": "!=|", "values": ["x", "y"]}`:                `up{a!~"x|y"}`,
		`{"key": "a", "operator": "=|", "value": "x"}`:                         `up{a=~"x"}`,
		`{"key": "service.name", "operator": "=", "value": 7}`:                 `up{"service.name"="7"}`,
		`{"key": "a", "operator": "=", "value": ""}`:                           `up`,
		`{"key": "", "operator": "=", "value": "1"}`:                           `up`,
		`{"key": "a", "value": "1"}`:                                           `up`,
		`{"key": "a", "operator": "=", "value": "$c"}`:                         `up{a="v"}`,
		`{"key": "a", "operator": "=", "value": "1"}, {"key": "b", "operator": "=", "value": "2"}, {"key": "a", "operator": "=", "value": "1"}`: `up{a="1", b="2"}`,
	} {
		custom := `{"name": "c", "type": "custom", "query": "v"}, `
		assert.Equal(t, want, filtered(t, custom+adhocWith(filters), "up", dashboard.Panel{}).Expr, filters)
	}
}

func TestAdHocFiltersDatasource(t *testing.T) {
	ref := func(uid string) *dashboard.Ref { return &dashboard.Ref{UID: text(uid)} }
	const f = `"filters": [{"key": "a", "operator": "=", "value": "1"}]`
	const ds = `{"name": "ds", "type": "datasource", "query": "prometheus", "current": {"text": "Backup", "value": "backup"}}, `
	tests := []struct {
		name, variables string
		panel           *dashboard.Ref
		want            string
	}{
		{"the default", `{"name": "hoc", "type": "adhoc", ` + f + `}`, nil, `up{a="1"}`},
		{"the default by its uid", `{"name": "hoc", "type": "adhoc", ` + f + `}`, ref("main"), `up{a="1"}`},
		{"by name", `{"name": "hoc", "type": "adhoc", "datasource": "Backup", ` + f + `}`, ref("backup"), `up{a="1"}`},
		{"another", `{"name": "hoc", "type": "adhoc", "datasource": "Backup", ` + f + `}`, ref("main"), `up`},
		{"a variable", ds + `{"name": "hoc", "type": "adhoc", "datasource": {"uid": "$ds"}, ` + f + `}`, ref("${ds}"), `up{a="1"}`},
		{"an unknown one", `{"name": "hoc", "type": "adhoc", "datasource": {"uid": "nope"}, ` + f + `}`, ref("main"), `up`},
		{"asked of an unknown one", `{"name": "hoc", "type": "adhoc", ` + f + `}`, ref("nope"), `up`},
		{"Grafana's own", `{"name": "hoc", "type": "adhoc", "datasource": "-- Grafana --", ` + f + `}`, ref("-- Grafana --"), `up`},
		{"two variables", adhocWith(`{"key": "b", "operator": "=", "value": "2"}`) + `, {"name": "h2", "type": "adhoc", ` + f + `}`, nil, `up{b="2", a="1"}`},
	}
	for _, tt := range tests {
		assert.Equal(t, tt.want, filtered(t, tt.variables, "up", dashboard.Panel{Datasource: tt.panel}).Expr, tt.name)
	}
}

func TestAdHocFiltersMapping(t *testing.T) {
	got := filtered(t, adhocWith(`{"key": "a", "operator": "=", "value": "1"}`), "sum(up) + $x(down)", dashboard.Panel{})
	assert.Equal(t, "sum(up) + $x(down)", got.Expr, "what does not parse is left alone")
	got = filtered(t, adhocWith(`{"key": "a", "operator": "=", "value": "1"}`), "rate(up[$__interval]) + down", dashboard.Panel{})
	require.Equal(t, `rate(up{a="1"}[15s]) + down{a="1"}`, got.Expr)
	assert.Equal(t, len("rate("), got.Mapping.Source(len("rate(")))
	assert.Equal(t, len("rate(up"), got.Mapping.Source(len(`rate(up{a=`)), "a filter stands where it was put in")
	assert.Equal(t, len("rate(up["), got.Mapping.Source(len(`rate(up{a="1"}[1`)))
	assert.Equal(t, len("rate(up[$__interval]) + "), got.Mapping.Source(len(`rate(up{a="1"}[15s]) + `)))
}

func TestAdHocFiltersWhenResolved(t *testing.T) {
	_, client := serve(t, gpus...)
	d := parse(t, `{"name": "job", "type": "query", "query": "label_values(up, job)", "current": {"text": "triton", "value": "triton"}}, `+
		adhocWith(`{"key": "job", "operator": "=", "value": "$job"}`))
	s, all, err := Resolve(t.Context(), d, sources(), func(*stack.Datasource) promv1.API { return client },
		Range{From: time.Unix(996400, 0), To: time.Unix(1000000, 0)})
	require.NoError(t, err)
	assert.Equal(t, "label_values(up, job)", all[0].Query, "variables are not filtered")
	got, err := Requests(&dashboard.Panel{}, &dashboard.Target{Expr: text("up")}, s, Timing{Range: lastHours(1)})
	require.NoError(t, err)
	assert.Equal(t, `up{job="triton"}`, got[0].Expr)
	s = s.With(Value{Name: "job", All: true, AllValue: "$job"})
	_, err = Requests(&dashboard.Panel{}, &dashboard.Target{Expr: text("up")}, s, Timing{Range: lastHours(1)})
	assert.ErrorContains(t, err, `ad hoc filter of "job"`)
}
