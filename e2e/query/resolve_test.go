package query

import (
	"context"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/prometheus/client_golang/api"
	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/stack"
	"github.com/panelgate/panelgate/stack/dashboard"
	"github.com/panelgate/panelgate/stack/source"
)

// parse reads a dashboard that consists of the given members.
func parse(t *testing.T, variables string) *dashboard.Dashboard {
	t.Helper()
	data := `{"uid": "d", "title": "Dash", "schemaVersion": 39, "panels": [], "templating": {"list": [` + variables + `]}}`
	d, err := dashboard.Parse("d.json", []byte(data), source.DefaultLimits())
	require.NoError(t, err)
	require.Empty(t, d.Problems)
	return d
}

func sources() []*stack.Datasource {
	ds := func(name, kind, uid string, isDefault bool) *stack.Datasource {
		return &stack.Datasource{Name: text(name), Type: text(kind), UID: text(uid), EffectiveUID: uid, IsDefault: isDefault}
	}
	return []*stack.Datasource{
		ds("Main", "prometheus", "main", true), ds("Logs", "loki", "logs", false), ds("Backup", "prometheus", "backup", false),
	}
}

var gpus = []string{
	`up{job="triton", instance="a:8002"}`,
	`up{job="dcgm", instance="a:9400"}`,
	`nv_requests_total{job="triton", model="pre.v1", version="1"}`,
	`nv_requests_total{job="triton", model="infer", version="2"}`,
	`gpu_util{job="dcgm", gpu="10", modelName="H100"}`,
	`gpu_util{job="dcgm", gpu="9", modelName="H100"}`,
}

// resolveAll resolves against the series above over the hour before the epoch's
// second million.
func resolveAll(t *testing.T, d *dashboard.Dashboard) (*Scope, map[string]Resolution, *server) {
	t.Helper()
	s, client := serve(t, gpus...)
	scope, all, err := Resolve(t.Context(), d, sources(), func(*stack.Datasource) promv1.API { return client },
		Range{From: time.Unix(996400, 0), To: time.Unix(1000000, 0)})
	require.NoError(t, err)
	byName := make(map[string]Resolution)
	for _, r := range all {
		byName[r.Variable.Name.Value] = r
	}
	return scope, byName, s
}

func optionTexts(options []dashboard.Option) []string {
	var out []string
	for _, o := range options {
		if o.Text == o.Value {
			out = append(out, o.Value)
		} else {
			out = append(out, o.Text+"="+o.Value)
		}
	}
	return out
}

func TestResolveQueryKinds(t *testing.T) {
	tests := []struct {
		name, variable string
		options        []string
	}{
		{"label_values of a label", `"query": "label_values(job)"`, []string{"dcgm", "triton"}},
		{"label_values of a metric", `"query": "label_values(nv_requests_total, model)"`, []string{"infer", "pre.v1"}},
		{"label_values of a selector", `"query": "label_values({__name__=~\"nv_.*\", version=\"2\"}, model)"`, []string{"infer"}},
		{"label_names", `"query": "label_names()"`, []string{"__name__", "gpu", "instance", "job", "model", "modelName", "version"}},
		{"label_names of metrics", `"query": "label_names(util)"`, []string{"__name__", "gpu", "job", "modelName"}},
		{"metrics", `"query": "metrics(^nv_|util)"`, []string{"gpu_util", "nv_requests_total"}},
		{"query_result", `"query": "query_result(up)"`, []string{`up{instance="a:8002",job="triton"} 1 1500`, `up{instance="a:9400",job="dcgm"} 11 1500`}},
		{"query_result of a number", `"query": "query_result(5)"`, []string{"5"}},
		{"query_result over the range", `"query": "query_result(max_over_time(up{job='dcgm'}[$__range]))"`, []string{`up{instance="a:9400",job="dcgm"} 11 1500`}},
		{"series", `"query": "up{job=\"dcgm\"}"`, []string{`up{instance="a:9400",job="dcgm"}`}},
		{"regex on query_result", `"query": "query_result(up)", "regex": "/job=\"([^\"]+)\"/"`, []string{"triton", "dcgm"}},
		{"regex filters", `"query": "label_values(job)", "regex": "tri.*"`, []string{"triton"}},
		{"named groups", `"query": "query_result(up)", "regex": "/instance=\"(?<value>[^\"]+)\",job=\"(?<text>\\w+)/"`, []string{"triton=a:8002", "dcgm=a:9400"}},
		{"look-ahead", `"query": "label_values(job)", "regex": "/^(?!tri)/"`, []string{"dcgm"}},
		{"look-behind", `"query": "query_result(up)", "regex": "/(?<=job=\")\\w+/"`, []string{`up{instance="a:8002",job="triton"} 1 1500`, `up{instance="a:9400",job="dcgm"} 11 1500`}},
		{"back-reference", `"query": "label_values(job)", "regex": "/(t).*\\1/"`, []string{"t"}},
		{"metrics with look-ahead", `"query": "metrics(^(?!nv_).*_)"`, []string{"gpu_util"}},
		{"sorted", `"query": "label_values(gpu)", "sort": 3`, []string{"9", "10"}},
		{"editor's object", `"query": {"qryType": 1, "query": "label_values(up,job)", "refId": "x"}`, []string{"dcgm", "triton"}},
		{"empty query", `"query": ""`, nil},
		{"nothing found", `"query": "label_values(nope)"`, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, all, _ := resolveAll(t, parse(t, `{"name": "v", "type": "query", `+tt.variable+`}`))
			require.NoError(t, all["v"].Err)
			assert.Equal(t, tt.options, optionTexts(all["v"].Options))
			assert.Equal(t, tt.options != nil, all["v"].Usable)
			assert.Empty(t, all["v"].Unchecked)
		})
	}
}

func TestResolveAsksOverTheRange(t *testing.T) {
	_, _, s := resolveAll(t, parse(t, `{"name": "a", "type": "query", "query": "label_values(job)"},
		{"name": "b", "type": "query", "query": "query_result(up)"}`))
	assert.Equal(t, []string{"/api/v1/label/job/values 996400..1000000", "/api/v1/query ..1000000"}, s.asked)
}

func TestResolveChain(t *testing.T) {
	scope, all, _ := resolveAll(t, parse(t, `
		{"name": "model", "type": "query", "datasource": {"uid": "${ds}"}, "query": "label_values(nv_requests_total{job=~\"$job\"}, model)", "multi": true, "includeAll": true, "current": {"text": "All", "value": ["$__all"]}},
		{"name": "job", "type": "query", "datasource": "$ds", "query": "label_values(up, job)", "current": {"text": "triton", "value": "triton"}},
		{"name": "ds", "type": "datasource", "query": "prometheus", "current": {"text": "Backup", "value": "Backup"}}`))
	assert.Equal(t, `label_values(nv_requests_total{job=~"triton"}, model)`, all["model"].Query)
	got, err := scope.Interpolate(`$ds $job {model=~"$model"} ${model:text} ${__dashboard} ${__dashboard.uid} $__to`, PromQL)
	require.NoError(t, err)
	assert.Equal(t, `backup triton {model=~"(infer|pre\\.v1)"} All Dash d 1000000000`, got)
	for name, r := range all {
		assert.True(t, r.Usable, name)
		assert.False(t, r.CurrentMissing, name)
	}
}

func TestResolveValue(t *testing.T) {
	tests := []struct {
		name, settings string
		values         []string
		all, missing   bool
	}{
		{"saved", `"current": {"text": "triton", "value": "triton"}`, []string{"triton"}, false, false},
		{"saved by its text", `"current": {"text": "triton", "value": "old"}`, []string{"triton"}, false, false},
		{"an empty text saved", `"current": {"text": "", "value": ""}`, []string{"dcgm"}, false, false},
		{"nothing saved", `"current": {}`, []string{"dcgm"}, false, false},
		{"saved is gone", `"current": {"text": "gone", "value": "gone"}`, []string{"dcgm"}, false, true},
		{"saved is gone, All there", `"includeAll": true, "current": {"text": "gone", "value": "gone"}`, nil, true, true},
		{"some are gone", `"multi": true, "current": {"text": ["gone", "triton"], "value": ["gone", "triton"]}`, []string{"triton"}, false, true},
		{"all are gone", `"multi": true, "current": {"text": ["gone"], "value": ["gone"]}`, []string{"dcgm"}, false, true},
		{"All", `"includeAll": true, "current": {"text": "All", "value": "$__all"}`, nil, true, false},
		{"All no longer offered", `"current": {"text": "All", "value": "$__all"}`, []string{"dcgm"}, false, true},
		{"never refreshed is asked all the same", `"refresh": 0, "options": [{"text": "gone", "value": "gone"}], "current": {"text": "gone", "value": "gone"}`, []string{"dcgm"}, false, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, all, _ := resolveAll(t, parse(t, `{"name": "v", "type": "query", "query": "label_values(job)", `+tt.settings+`}`))
			r := all["v"]
			require.NoError(t, r.Err)
			assert.Equal(t, tt.values, r.Value.Values)
			assert.Equal(t, tt.all, r.Value.All)
			assert.Equal(t, tt.missing, r.CurrentMissing)
			assert.True(t, r.Usable)
		})
	}
}

func TestResolveEmpty(t *testing.T) {
	scope, all, _ := resolveAll(t, parse(t, `
		{"name": "all", "type": "query", "query": "label_values(nope)", "includeAll": true, "multi": true, "current": {"value": "x"}},
		{"name": "dots", "type": "query", "query": "label_values(nope)", "includeAll": true, "allValue": ".*"},
		{"name": "one", "type": "query", "query": "label_values(nope)", "current": {"text": "x", "value": "x"}}`))
	got, err := scope.Interpolate(`a=~"$all" b=~"$dots" c="$one"`, PromQL)
	require.NoError(t, err)
	assert.Equal(t, `a=~"()" b=~".*" c=""`, got)
	assert.False(t, all["all"].Usable)
	assert.True(t, all["dots"].Usable)
	assert.False(t, all["one"].Usable)
	assert.False(t, all["one"].CurrentMissing, "an empty variable is a matter of its own")
}

func TestResolveFixed(t *testing.T) {
	tests := []struct {
		name, variable string
		values, texts  []string
		missing        bool
	}{
		{"custom", `"type": "custom", "query": "a, b\\,c ,d : e"`, []string{"a"}, []string{"a"}, false},
		{"custom pair", `"type": "custom", "query": "a, text : value", "current": {"text": "text", "value": "value"}`, []string{"value"}, []string{"text"}, false},
		{"custom comma", `"type": "custom", "query": "a,b\\,c", "current": {"text": "b,c", "value": "b,c"}`, []string{"b,c"}, []string{"b,c"}, false},
		{"custom missing", `"type": "custom", "query": "a,b", "current": {"text": "c", "value": "c"}`, []string{"a"}, []string{"a"}, true},
		{"custom JSON", `"type": "custom", "valuesFormat": "json", "query": "[{\"value\": \"1\", \"text\": \"one\", \"more\": 2}]"`, []string{"1"}, []string{"one"}, false},
		{"constant", `"type": "constant", "query": "k"`, []string{"k"}, []string{"k"}, false},
		{"text box", `"type": "textbox", "query": "default", "current": {"text": "typed", "value": "typed"}`, []string{"typed"}, []string{"typed"}, false},
		{"text box by default", `"type": "textbox", "query": "default", "current": {"text": "", "value": ""}`, []string{"default"}, []string{"default"}, false},
		{"empty text box", `"type": "textbox", "query": ""`, []string{""}, []string{""}, false},
		{"interval", `"type": "interval", "query": "1m,5m", "current": {"text": "5m", "value": "5m"}`, []string{"5m"}, []string{"5m"}, false},
		{"interval missing", `"type": "interval", "query": "1m,5m", "current": {"text": "9m", "value": "9m"}`, []string{"1m"}, []string{"1m"}, true},
		// An hour in 30 steps is 2m; in 1000 steps the least is 10s.
		{"auto", `"type": "interval", "query": "1m,5m", "auto": true, "auto_count": 30, "auto_min": "10s", "current": {"text": "auto", "value": "$__auto_interval_v"}`, []string{"2m"}, []string{"auto"}, false},
		{"auto at least", `"type": "interval", "query": "1m", "auto": true, "auto_count": 1000, "auto_min": "10s", "current": {"text": "auto", "value": "$__auto"}`, []string{"10s"}, []string{"auto"}, false},
		{"datasource by uid", `"type": "datasource", "query": "prometheus", "current": {"text": "Main", "value": "main"}`, []string{"main"}, []string{"Main"}, false},
		{"datasource default", `"type": "datasource", "query": "prometheus", "current": {"text": "default", "value": "default"}`, []string{"main"}, []string{"Main"}, false},
		{"datasource first by name", `"type": "datasource", "query": "prometheus", "current": {}`, []string{"backup"}, []string{"Backup"}, false},
		{"datasource regex", `"type": "datasource", "query": "prometheus", "regex": "/^M/", "current": {}`, []string{"main"}, []string{"Main"}, false},
		{"datasource unknown", `"type": "datasource", "query": "prometheus", "current": {"text": "Old", "value": "old"}`, []string{"backup"}, []string{"Backup"}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := parse(t, `{"name": "v", `+tt.variable+`}`)
			_, all, _ := resolveAll(t, d)
			r := all["v"]
			require.NoError(t, r.Err)
			assert.Equal(t, tt.values, r.Value.Values)
			assert.Equal(t, tt.texts, r.Value.Texts)
			assert.Equal(t, tt.missing, r.CurrentMissing)
			assert.True(t, r.Usable)
		})
	}
}

func TestResolveUnchecked(t *testing.T) {
	scope, all, _ := resolveAll(t, parse(t, `
		{"name": "loki", "type": "query", "datasource": {"uid": "logs"}, "query": "label_values(app)", "current": {"text": "x", "value": "x"}},
		{"name": "own", "type": "query", "datasource": "-- Grafana --", "query": "q"},
		{"name": "odd", "type": "weird", "query": "q"},
		{"name": "hoc", "type": "adhoc"}`))
	for name, reason := range map[string]string{
		"loki": "type loki", "own": "built-in grafana", "odd": `"weird"`, "hoc": "ad hoc",
	} {
		assert.Contains(t, all[name].Unchecked, reason)
		assert.NoError(t, all[name].Err, name)
		assert.False(t, all[name].Usable, name)
	}
	got, err := scope.Interpolate("$loki $hoc", PromQL)
	require.NoError(t, err)
	assert.Equal(t, "x $hoc", got, "saved values stay in use, ad hoc filters have none")
}

func TestResolveNobodyAnswers(t *testing.T) {
	d := parse(t, `{"name": "v", "type": "query", "query": "label_values(job)"}`)
	_, all, err := Resolve(t.Context(), d, sources(), func(*stack.Datasource) promv1.API { return nil }, lastHours(1))
	require.NoError(t, err)
	assert.Contains(t, all[0].Unchecked, "nobody answers")
}

func TestResolveErrors(t *testing.T) {
	_, all, _ := resolveAll(t, parse(t, `
		{"name": "uid", "type": "query", "datasource": {"uid": "nope"}, "query": "label_values(job)", "current": {"text": "x", "value": "x"}},
		{"name": "syntax", "type": "query", "query": "query_result(sum(rate($metric[5m]))", "current": {}},
		{"name": "selector", "type": "query", "query": "label_values({a=}, b)"},
		{"name": "misspelt", "type": "query", "query": "label_value(up, job)"},
		{"name": "regex", "type": "query", "query": "label_values(job)", "regex": "/(/"},
		{"name": "slow", "type": "query", "query": "query_result(up)", "regex": "/^([^!]+)+!$/"},
		{"name": "metrics", "type": "query", "query": "metrics([)"},
		{"name": "json", "type": "custom", "valuesFormat": "json", "query": "{}"},
		{"name": "auto", "type": "interval", "query": "1m", "auto_min": "x", "current": {"value": "$__auto"}},
		{"name": "metric", "type": "constant", "query": "a_long_metric_name"}`))
	var unknown *DatasourceError
	require.ErrorAs(t, all["uid"].Err, &unknown)
	assert.Equal(t, "nope", unknown.Key)
	assert.Equal(t, []string{"x"}, all["uid"].Value.Values)
	for _, name := range []string{"syntax", "selector", "misspelt"} {
		require.NotNil(t, all[name].Syntax, name)
		var syntax *SyntaxError
		require.ErrorAs(t, all[name].Err, &syntax)
		assert.Same(t, all[name].Syntax, syntax)
	}
	assert.Equal(t, len("query_result(sum(rate($metric[5m])"), all["syntax"].Syntax.Offset)
	assert.Equal(t, len("label_values({a="), all["selector"].Syntax.Offset)
	for _, name := range []string{"uid", "syntax", "selector", "misspelt", "regex", "slow", "metrics", "json", "auto"} {
		assert.Error(t, all[name].Err, name)
		assert.False(t, all[name].Usable, name)
	}
}

func TestResolveCycle(t *testing.T) {
	_, client := serve(t, gpus...)
	d := parse(t, `
		{"name": "a", "type": "query", "query": "label_values(up{job=\"$b\"}, job)"},
		{"name": "b", "type": "query", "query": "label_values(job)", "regex": "/$c/"},
		{"name": "c", "type": "custom", "query": "$a,x"},
		{"name": "job", "type": "query", "query": "label_values(up{job=~\"${job}.*\"}, job)", "current": {"text": "tri", "value": "tri"}}`)
	scope, all, err := Resolve(t.Context(), d, sources(), func(*stack.Datasource) promv1.API { return client }, lastHours(1))
	var cycle *CycleError
	require.ErrorAs(t, err, &cycle)
	assert.Equal(t, []string{"a", "b", "c", "a"}, cycle.Names)
	assert.ErrorContains(t, err, "$a → $b → $c → $a")
	require.Len(t, all, 4)
	for _, r := range all[:3] {
		assert.ErrorAs(t, r.Err, &cycle)
	}
	assert.NoError(t, all[3].Err, "a variable that names itself reads its saved value")
	assert.Equal(t, []string{"triton"}, all[3].Value.Values)
	v, ok := scope.Lookup("job")
	assert.True(t, ok)
	assert.Equal(t, []string{"triton"}, v.Values)
}

func TestResultTexts(t *testing.T) {
	metric := model.Metric{"__name__": "m", "b": "2", "a": `1"`}
	assert.Equal(t, []string{`m{a="1"",b="2"} 0.5 1500`}, resultTexts(model.Vector{{Metric: metric, Value: 0.5, Timestamp: 1500}}))
	assert.Equal(t, []string{`m{a="1"",b="2"}`}, resultTexts(model.Matrix{{Metric: metric}}))
	assert.Equal(t, []string{"x"}, resultTexts(&model.String{Value: "x"}))
	assert.Equal(t, []string{"0.5"}, resultTexts(&model.Scalar{Value: 0.5}))
}

func TestResolveStops(t *testing.T) {
	_, client := serve(t, gpus...)
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(assert.AnError)
	d := parse(t, `{"name": "v", "type": "query", "query": "label_values(job)"}`)
	_, _, err := Resolve(ctx, d, sources(), func(*stack.Datasource) promv1.API { return client }, lastHours(1))
	assert.ErrorIs(t, err, assert.AnError)
}

func TestResolveServerGone(t *testing.T) {
	ts := httptest.NewServer(nil)
	client, err := api.NewClient(api.Config{Address: ts.URL})
	require.NoError(t, err)
	ts.Close()
	for _, query := range []string{"label_values(job)", "label_names()", "metrics(up)", "query_result(up)", "up"} {
		d := parse(t, `{"name": "v", "type": "query", "query": "`+query+`", "current": {"text": "x", "value": "x"}}`)
		_, all, err := Resolve(t.Context(), d, sources(), func(*stack.Datasource) promv1.API { return promv1.NewAPI(client) }, lastHours(1))
		require.NoError(t, err)
		require.ErrorContains(t, all[0].Err, "refused", query)
		assert.Nil(t, all[0].Syntax)
		assert.Equal(t, []string{"x"}, all[0].Value.Values)
		assert.False(t, all[0].Usable)
	}
}
