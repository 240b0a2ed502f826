package dashboard

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/stack/source"
)

func TestRefShapes(t *testing.T) {
	for written, want := range map[string]struct {
		uid, kind, name string
		null            bool
		isDefault       bool
	}{
		`null`:                                 {null: true, isDefault: true},
		`{}`:                                   {null: true, isDefault: true},
		`""`:                                   {null: true, isDefault: true},
		`{"uid":null}`:                         {null: true, isDefault: true},
		`{"type":"prometheus"}`:                {kind: "prometheus", null: true, isDefault: true},
		`"default"`:                            {name: "default", isDefault: true},
		`{"uid":"default"}`:                    {uid: "default", isDefault: true},
		`"Prometheus"`:                         {name: "Prometheus"},
		`"${DS}"`:                              {name: "${DS}"},
		`"-- Mixed --"`:                        {name: RefMixed},
		`{"uid":"u","type":"prometheus"}`:      {uid: "u", kind: "prometheus"},
		`{"type":"prometheus","name":"Named"}`: {kind: "prometheus", name: "Named"},
	} {
		t.Run(written, func(t *testing.T) {
			d := parse(t, strings.ReplaceAll(`{"panels":[{"datasource":X,"targets":[{"datasource":X}]}],
				"templating":{"list":[{"name":"v","datasource":X}]},"annotations":{"list":[{"datasource":X}]}}`, "X", written))
			require.Empty(t, d.Problems)
			for _, ref := range []*Ref{
				d.Panels[0].Datasource, d.Panels[0].Targets[0].Datasource, d.Variables[0].Datasource, d.Annotations[0].Datasource,
			} {
				require.NotNil(t, ref)
				assert.Equal(t, want.uid, ref.UID.Value)
				assert.Equal(t, want.kind, ref.Type.Value)
				assert.Equal(t, want.name, ref.Name.Value)
				assert.Equal(t, want.null, ref.Null)
				assert.Equal(t, want.isDefault, ref.IsDefault())
				assert.NotZero(t, ref.Pos.Line)
			}
		})
	}
	var absent *Ref
	assert.False(t, absent.IsDefault())
	assert.Nil(t, parse(t, `{"panels":[{}]}`).Panels[0].Datasource)
}

func TestVariableQueries(t *testing.T) {
	for written, want := range map[string]string{
		`"label_values(up, job)"`:                                   "label_values(up, job)",
		`{"qryType":1,"query":"label_values(up, job)","refId":"V"}`: "label_values(up, job)",
		`{"qryType":0,"query":"label_names()"}`:                     "label_names()",
		`{"qryType":2,"query":"metrics(node_.*)"}`:                  "metrics(node_.*)",
		`{"qryType":3,"query":"query_result(up)"}`:                  "query_result(up)",
		`{"qryType":4,"query":"{__name__=~\"a.*\"}"}`:               `{__name__=~"a.*"}`,
		`{"refId":"StandardVariableQuery","query":"metrics(a)"}`:    "metrics(a)",
		`{"kind":"DataQuery","spec":{"query":"label_names()"}}`:     "label_names()",
		`{"spec":{"__legacyStringValue":"label_names()"}}`:          "label_names()",
		`{"expr":"label_names()"}`:                                  "label_names()",
		`{"qryType":1,"label":"job"}`:                               "",
		`5`:                                                         "5",
		`null`:                                                      "",
		`{}`:                                                        "",
	} {
		t.Run(written, func(t *testing.T) {
			d := parse(t, `{"templating":{"list":[{"name":"v","type":"query","definition":"def","query":`+written+`}]}}`)
			require.Empty(t, d.Problems)
			assert.Equal(t, want, d.Variables[0].Query.Value)
			assert.Equal(t, "def", d.Variables[0].Definition.Value)
		})
	}
}

func TestVariableCurrent(t *testing.T) {
	for written, want := range map[string]struct {
		text, value []string
		all         bool
	}{
		`{}`:                                               {},
		`null`:                                             {},
		`{"text":"a","value":"a"}`:                         {[]string{"a"}, []string{"a"}, false},
		`{"text":["a","b"],"value":["a","b"]}`:             {[]string{"a", "b"}, []string{"a", "b"}, false},
		`{"text":"a + b","value":["a","b"]}`:               {[]string{"a + b"}, []string{"a", "b"}, false},
		`{"text":"All","value":"$__all"}`:                  {[]string{"All"}, []string{"$__all"}, true},
		`{"text":["All"],"value":["$__all"]}`:              {[]string{"All"}, []string{"$__all"}, true},
		`{"text":"All"}`:                                   {[]string{"All"}, nil, true},
		`{"text":5,"value":5}`:                             {[]string{"5"}, []string{"5"}, false},
		`{"isNone":true,"text":"None","value":""}`:         {[]string{"None"}, []string{""}, false},
		`{"tags":[],"text":null,"value":[null,{},"kept"]}`: {nil, []string{"kept"}, false},
	} {
		t.Run(written, func(t *testing.T) {
			d := parse(t, `{"templating":{"list":[{"name":"v","includeAll":true,"allValue":null,"current":`+written+`}]}}`)
			require.Empty(t, d.Problems)
			v := d.Variables[0]
			assert.Equal(t, want.text, v.CurrentText)
			assert.Equal(t, want.value, v.CurrentValue)
			assert.Equal(t, want.all, v.IsAll())
			assert.NotZero(t, v.CurrentPos.Line)
			assert.True(t, v.AllValue.IsZero())
		})
	}
}

func TestModernVariables(t *testing.T) {
	d := load(t, "modern.json")
	require.Len(t, d.Variables, 4)
	zone := d.Variable("zone")
	assert.True(t, zone.IncludeAll && zone.Multi && zone.IsAll())
	assert.Equal(t, []string{".*", "Zone", "query"}, []string{zone.AllValue.Value, zone.Label.Value, zone.Type.Value})
	assert.Equal(t, []int{1, 2, 0}, []int{zone.Sort, zone.Refresh, zone.Hide})
	assert.Equal(t, "text", d.Variable("host").RegexApplyTo)
	pace := d.Variable("pace")
	assert.True(t, pace.Auto)
	assert.Equal(t, 20, pace.AutoCount)
	assert.Equal(t, "10s", pace.AutoMin)
	assert.Equal(t, []Option{{"1m", "1m"}, {"5m", "5m"}}, pace.Options)
	assert.Equal(t, "prometheus", d.Variable("source").Query.Value)
}

func TestNumbers(t *testing.T) {
	for written, want := range map[string]int64{`100`: 100, `"100"`: 100, `""`: 0, `null`: 0, `-5`: 0, `99.9`: 99} {
		d := parse(t, `{"panels":[{"maxDataPoints":`+written+`}]}`)
		assert.Equal(t, want, d.Panels[0].MaxDataPoints, written)
		assert.Empty(t, d.Problems, written)
	}
	for _, written := range []string{`"many"`, `1e300`, `"NaN"`, `"Inf"`, `[]`} {
		d := parse(t, `{"panels":[{"maxDataPoints":`+written+`}]}`)
		assert.Zero(t, d.Panels[0].MaxDataPoints, written)
		assert.Len(t, d.Problems, 1, written)
	}
}

func TestUnits(t *testing.T) {
	for panel, want := range map[string]string{
		`{"fieldConfig":{"defaults":{"unit":"s"}}}`:                                                     "s",
		`{"type":"timeseries","fieldConfig":{"defaults":{"unit":"s"}},"yaxes":[{"format":"ms"}]}`:       "s",
		`{"type":"graph","fieldConfig":{"defaults":{"unit":"s"}},"yaxes":[{"format":"ms"}]}`:            "ms",
		`{"type":"graph","y_formats":["Bps","short"]}`:                                                  "Bps",
		`{"type":"singlestat","format":"celsius"}`:                                                      "celsius",
		`{"type":"gauge","options":{"fieldOptions":{"defaults":{"unit":"watt"}}}}`:                      "watt",
		`{"type":"heatmap","yAxis":{"format":"s"}}`:                                                     "s",
		`{"type":"heatmap","options":{"yAxis":{"unit":"ms"}},"fieldConfig":{"defaults":{"custom":{}}}}`: "ms",
		`{"type":"graph","yaxes":{}}`:                                                                   "",
		`{"type":"stat"}`:                                                                               "",
	} {
		assert.Equal(t, want, parse(t, `{"panels":[`+panel+`]}`).Panels[0].Unit.Value, panel)
	}
}

func TestRefIDs(t *testing.T) {
	d := parse(t, `{"panels":[{"targets":[`+strings.Repeat(`{},`, 28)+`{"refId":"B"}]}]}`)
	var got []string
	for _, target := range d.Panels[0].Targets {
		got = append(got, target.RefID.Value)
	}
	assert.Equal(t, []string{"A", "C", "D"}, got[:3])
	assert.Equal(t, []string{"Z", "AA", "AB", "AC", "B"}, got[24:])
}

func TestV2(t *testing.T) {
	d := load(t, "v2beta1.json")
	assert.Empty(t, d.Problems)
	assert.Equal(t, V2, d.Format)
	assert.Equal(t, []string{"v2-fixture", "Elements", "now-1h", "browser"}, []string{d.UID.Value, d.Title.Value, d.From.Value, d.Timezone})
	require.Len(t, d.Panels, 2)
	p := d.Panels[0]
	assert.Equal(t, []string{"1", "timeseries", "1m", "Bps"}, []string{p.ID.Value, p.Type.Value, p.Interval.Value, p.Unit.Value})
	assert.EqualValues(t, 300, p.MaxDataPoints)
	require.Len(t, p.Targets, 2)
	assert.Equal(t, "main", p.Targets[0].Datasource.Key().Value)
	assert.Equal(t, "prometheus", p.Targets[0].Datasource.Type.Value)
	assert.Contains(t, p.Targets[0].Expr.Value, "rate(sent_total")
	assert.True(t, p.Targets[1].Hide && p.Targets[1].IsExpression())
	assert.Equal(t, "reduce", p.Targets[1].ExpressionType)
	assert.Equal(t, "lib-2", d.Panels[1].Library.UID.Value)
	assert.False(t, d.Panels[1].Library.Resolved)

	host := d.Variable("host")
	assert.Equal(t, "label_values(sent_total, host)", host.Query.Value)
	assert.Equal(t, []int{0, 2, 1}, []int{host.Hide, host.Refresh, host.Sort})
	assert.Equal(t, "main", host.Datasource.Key().Value)
	assert.True(t, host.IsAll())
	assert.Equal(t, "textbox", d.Variable("note").Type.Value)
	assert.Equal(t, "prometheus", d.Variable("ds").Query.Value)
	assert.Equal(t, []string{"true"}, d.Variable("on").CurrentValue)
	assert.Equal(t, "changes(boot[5m])", d.Annotations[0].Expr.Value)
	assert.Equal(t, "main", d.Annotations[0].Datasource.Key().Value)
}

func TestPanelWhoseResultIsShown(t *testing.T) {
	for name, text := range map[string]string{
		"classic": `{"panels":[{"id":1,"targets":[{"refId":"A","datasource":{"uid":"-- Dashboard --"},"panelId":7}]}]}`,
		"text":    `{"panels":[{"id":1,"targets":[{"refId":"A","datasource":{"uid":"-- Dashboard --"},"panelId":"7"}]}]}`,
		"v2": `{"elements":{"a":{"kind":"Panel","spec":{"id":1,"data":{"spec":{"queries":[{"kind":"PanelQuery","spec":{"refId":"A","query":
			{"kind":"DataQuery","group":"datasource","datasource":{"name":"-- Dashboard --"},"spec":{"panelId":7}}}}]}}}}},"layout":{}}`,
	} {
		d := parse(t, text)
		assert.Equal(t, "7", d.Panels[0].Targets[0].PanelID.Value, name)
		assert.Equal(t, "-- Dashboard --", d.Panels[0].Targets[0].Datasource.Key().Value, name)
	}
	d := parse(t, `{"panels":[{"id":1,"targets":[{"refId":"A","expr":"up"},{"refId":"B","panelId":{"of another datasource":1}}]}]}`)
	assert.Empty(t, d.Problems)
	assert.Empty(t, d.Panels[0].Targets[0].PanelID.Value)
	assert.Empty(t, d.Panels[0].Targets[1].PanelID.Value)
}

func TestV2Alpha(t *testing.T) {
	d := load(t, "v2alpha1_bare.json")
	assert.Empty(t, d.Problems)
	assert.Equal(t, V2, d.Format)
	p := d.Panels[0]
	assert.Equal(t, "stat", p.Type.Value)
	assert.Equal(t, "short", p.Unit.Value)
	assert.Equal(t, "up", p.Targets[0].Expr.Value)
	assert.Equal(t, "main", p.Targets[0].Datasource.UID.Value)
}

func TestV2Broken(t *testing.T) {
	d := parse(t, `{"elements":{"a":1,"b":{"spec":[]},"c":{"spec":{"data":{"spec":{"queries":[null,{},{"spec":{"query":4}}]}}}}},
		"layout":{},"variables":[{},{"spec":"x"}],"annotations":[{}],"timeSettings":3}`)
	assert.Equal(t, V2, d.Format)
	assert.Len(t, d.Panels, 2)
	assert.GreaterOrEqual(t, len(d.Problems), 6)
	for _, p := range d.Problems {
		assert.NotEqual(t, source.Pos{}, p.Pos, p.Message)
	}
}
