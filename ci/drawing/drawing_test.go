package drawing

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/e2e/query"
	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/internal/material"
	"github.com/panelgate/panelgate/stack"
	"github.com/panelgate/panelgate/stack/dashboard"
	"github.com/panelgate/panelgate/stack/source"
)

// when is the end of the hour that the tests' queries ask for.
func when() time.Time { return time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC) }

// board reads a dashboard as a stack would have it.
func board(t *testing.T, text string) *rule.Board {
	t.Helper()
	d, err := dashboard.Parse("board.json", []byte(text), source.DefaultLimits())
	require.NoError(t, err)
	scope, _ := query.StaticScope(d, nil)
	return &rule.Board{Board: &stack.Board{Dashboard: d}, Scope: scope}
}

// answered puts answers to the queries of a board, in the order of its targets; each is
// asked every minute of an hour, or once where the target is instant.
func answered(b *rule.Board, answers ...model.Value) []*rule.Asked {
	var out []*rule.Asked
	for _, p := range b.Panels {
		for _, target := range p.Targets {
			if len(out) == len(answers) {
				return out
			}
			out = append(out, &rule.Asked{
				Question: &rule.Question{Board: b, Panel: p, Target: target, Scope: b.Scope}, Sent: true, Answer: answers[len(out)],
				Request: query.Request{Expr: target.Expr.Value, Instant: target.Instant, Start: when().Add(-time.Hour), End: when(), Step: time.Minute},
			})
		}
	}
	return out
}

// series is one of a matrix, its values a minute apart.
func series(metric model.Metric, values ...float64) *model.SampleStream {
	s := &model.SampleStream{Metric: metric}
	for i, v := range values {
		if math.IsNaN(v) {
			continue // a gap
		}
		at := when().Add(-time.Hour).Add(time.Duration(i) * time.Minute)
		s.Values = append(s.Values, model.SamplePair{Timestamp: model.TimeFromUnixNano(at.UnixNano()), Value: model.SampleValue(v)})
	}
	return s
}

func labels(pairs ...string) model.Metric {
	m := model.Metric{}
	for i := 0; i < len(pairs); i += 2 {
		m[model.LabelName(pairs[i])] = model.LabelValue(pairs[i+1])
	}
	return m
}

// drawnPanel draws a board of one panel, written as the inside of its JSON object.
func drawnPanel(t *testing.T, panel string, answers ...model.Value) Panel {
	t.Helper()
	b := board(t, `{"title": "T", "schemaVersion": 39, "panels": [{"id": 1, "title": "P", `+panel+`}]}`)
	d := Of(b, answered(b, answers...))
	require.Len(t, d.Panels, 1)
	return d.Panels[0]
}

func TestNames(t *testing.T) {
	gpu := func(n string) *model.SampleStream { return series(labels("gpu", n), 1) }
	for _, tt := range []struct {
		name, legend string
		answer       model.Matrix
		want         []string
	}{
		{"of a label", "GPU {{gpu}}", model.Matrix{gpu("0"), gpu("1")}, []string{"GPU 0", "GPU 1"}},
		{"with space in the braces", "{{ gpu }}!", model.Matrix{gpu("0")}, []string{"0!"}},
		{"of a label that is not there", "a{{nothing}}b", model.Matrix{gpu("0")}, []string{"ab"}},
		{"the same twice", "used", model.Matrix{gpu("0"), gpu("1")}, []string{"used 1", "used 2"}},
		{"auto, one label", "__auto", model.Matrix{gpu("0"), gpu("1")}, []string{"0", "1"}},
		{"auto, several labels", "__auto", model.Matrix{series(labels("a", "x", "b", "y"), 1)}, []string{`{a="x", b="y"}`}},
		{"auto, none", "__auto", model.Matrix{series(labels(), 1)}, []string{"up"}},
		{"none", "", model.Matrix{series(labels("__name__", "up", "job", "a"), 1)}, []string{`up{job="a"}`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := drawnPanel(t, fmt.Sprintf(`"type": "timeseries", "targets": [{"refId": "A", "expr": "up", "legendFormat": %q}]`, tt.legend), tt.answer)
			assert.Equal(t, tt.want, seriesNames(p))
		})
	}
}

func seriesNames(p Panel) []string {
	var out []string
	for _, s := range p.Series {
		out = append(out, s.Name)
	}
	return out
}

func TestReduce(t *testing.T) {
	nan := math.NaN()
	for calc, want := range map[string]float64{
		"lastNotNull": 3, "last": nan, "first": nan, "firstNotNull": 4, "mean": 3, "sum": 9, "min": 2, "max": 4, "count": 3, "range": 2,
		"diff": -1, "delta": 3, "step": -2, "median": 3, "p95": 4, "distinctCount": 3, "somethingElse": 3,
	} {
		got := reduce(calc, []float64{nan, 4, 2, nan, 3, nan})
		if math.IsNaN(want) {
			assert.True(t, math.IsNaN(got), calc)
			continue
		}
		assert.InDelta(t, want, got, 1e-9, calc)
	}
	assert.True(t, math.IsNaN(reduce("mean", []float64{nan})))
	assert.True(t, math.IsNaN(reduce("lastNotNull", nil)))
}

func TestThinningKeepsExtremes(t *testing.T) {
	values := make([]float64, 5000)
	for i := range values {
		values[i] = math.Sin(float64(i) / 50)
	}
	values[1234], values[4321] = 99, -99
	for i := 2000; i < 3000; i++ {
		values[i] = math.NaN()
	}
	out, step, less := thinned(values, 1000, mostPoints)
	assert.True(t, less)
	assert.LessOrEqual(t, len(out), mostPoints+2)
	assert.Contains(t, out, 99.0)
	assert.Contains(t, out, -99.0)
	assert.InDelta(t, 5_000_000, float64(len(out))*float64(step), float64(2*step), "the same stretch of time")
	assert.InDelta(t, 1234*1000, float64(index(out, 99))*float64(step), 2*float64(step))
	assert.True(t, math.IsNaN(out[len(out)/2]), "a gap stays one")

	same, step, less := thinned(values[:100], 1000, mostPoints)
	assert.False(t, less)
	assert.Equal(t, values[:100], same)
	assert.EqualValues(t, 1000, step)
}

func index(values []float64, of float64) int {
	for i, v := range values {
		if v == of {
			return i
		}
	}
	return -1
}

func TestNumbersInJSON(t *testing.T) {
	in := []Number{1.0 / 3, Number(math.NaN()), Number(math.Inf(1)), Number(math.Inf(-1)), 123456789, 0, Number(math.MaxFloat64)}
	data, err := json.Marshal(in)
	require.NoError(t, err)
	assert.Equal(t, `[0.333333,null,"+Inf","-Inf",123457000,0,1.79769e+308]`, string(data))
	var out []Number
	require.NoError(t, json.Unmarshal(data, &out))
	assert.True(t, math.IsNaN(float64(out[1])))
	assert.True(t, math.IsInf(float64(out[3]), -1))
	require.Error(t, json.Unmarshal([]byte(`["1e5x"]`), &out))
}

func TestGapsAreGaps(t *testing.T) {
	p := drawnPanel(t, `"type": "timeseries", "targets": [{"refId": "A", "expr": "x", "legendFormat": "x"}]`, model.Matrix{series(labels("a", "b"), 1, math.NaN(), 3)})
	s := p.Series[0]
	require.Len(t, s.Values, 61)
	assert.EqualValues(t, 1, s.Values[0])
	assert.True(t, math.IsNaN(float64(s.Values[1])))
	assert.EqualValues(t, 3, s.Values[2])
	assert.True(t, math.IsNaN(float64(s.Values[3])))
	assert.Equal(t, when().Add(-time.Hour).UnixMilli(), s.Start)
	assert.EqualValues(t, 60_000, s.Step)
}

func TestOverrides(t *testing.T) {
	p := drawnPanel(t, `"type": "timeseries", "targets": [{"refId": "A", "expr": "a", "legendFormat": "{{x}}"}, {"refId": "B", "expr": "b", "legendFormat": "limit"}],
		"fieldConfig": {"defaults": {"unit": "bytes", "min": 0, "custom": {"fillOpacity": 20}}, "overrides": [
			{"matcher": {"id": "byName", "options": "one"}, "properties": [{"id": "unit", "value": "ms"}, {"id": "custom.axisPlacement", "value": "right"}]},
			{"matcher": {"id": "byRegexp", "options": "/^tw.*/"}, "properties": [{"id": "displayName", "value": "the ${__field.labels.x}"}]},
			{"matcher": {"id": "byRegexp", "options": "/three/"}, "properties": [{"id": "custom.hideFrom", "value": {"viz": true}}]},
			{"matcher": {"id": "byFrameRefID", "options": "B"}, "properties": [{"id": "color", "value": {"mode": "fixed", "fixedColor": "dark-red"}}, {"id": "custom.fillOpacity", "value": 0}]}]}`,
		model.Matrix{series(labels("x", "one"), 1), series(labels("x", "two"), 2), series(labels("x", "three"), 3)}, model.Matrix{series(labels(), 9)})
	assert.Equal(t, []string{"one", "the two", "limit"}, seriesNames(p))
	assert.Equal(t, "bytes", p.Field.Unit)
	assert.EqualValues(t, 20, p.Field.Line.Fill)
	assert.Equal(t, "ms", p.Series[0].Field.Unit)
	assert.True(t, p.Series[0].Field.Line.Right)
	assert.EqualValues(t, 0, *p.Series[0].Field.Min, "what no override names stays")
	assert.Equal(t, Color{Mode: "fixed", Fixed: "#C4162A"}, p.Series[2].Field.Color)
	assert.Zero(t, p.Series[2].Field.Line.Fill)
}

func TestMappingsAndThresholds(t *testing.T) {
	p := drawnPanel(t, `"type": "stat", "targets": [{"refId": "A", "expr": "a"}], "fieldConfig": {"defaults": {
		"mappings": [{"type": "value", "options": {"1": {"text": "up", "color": "green"}}}, {"type": "range", "options": {"from": 2, "to": null, "result": {"text": "many"}}},
			{"type": "special", "options": {"match": "null", "result": {"text": "N/A"}}}, {"type": 1, "value": "0", "text": "down"}],
		"thresholds": {"mode": "percentage", "steps": [{"color": "green", "value": null}, {"color": "#ff0000", "value": 80}, {"color": "red;background:url(x)", "value": 90}]}}}`,
		model.Matrix{series(labels(), 1, 2)})
	require.Len(t, p.Field.Mappings, 4)
	assert.Equal(t, "up", p.Field.Mappings[0].Text)
	assert.Equal(t, "#73BF69", p.Field.Mappings[0].Color)
	assert.EqualValues(t, 2, *p.Field.Mappings[1].From)
	assert.Nil(t, p.Field.Mappings[1].To)
	assert.Equal(t, "0", *p.Field.Mappings[3].Value)
	assert.True(t, p.Field.Thresholds.Percent)
	assert.Equal(t, []string{"#73BF69", "#ff0000", ""}, []string{p.Field.Thresholds.Steps[0].Color, p.Field.Thresholds.Steps[1].Color, p.Field.Thresholds.Steps[2].Color})
	assert.Equal(t, []string{"lastNotNull"}, p.Calcs)
	assert.Equal(t, []Number{2}, p.Series[0].Reduced)
}

func TestOldPanels(t *testing.T) {
	answer := model.Matrix{series(labels("x", "in"), 1, 3), series(labels("x", "out"), 5)}
	p := drawnPanel(t, `"type": "graph", "targets": [{"refId": "A", "expr": "a", "legendFormat": "{{x}}"}], "fill": 3, "stack": true, "aliasColors": {"in": "#123456"},
		"yaxes": [{"format": "Bps", "min": "0"}, {"format": "percent", "max": 100}], "legend": {"show": true, "values": true, "avg": true, "current": true, "alignAsTable": true},
		"thresholds": [{"op": "gt", "value": 4, "colorMode": "critical"}], "seriesOverrides": [{"alias": "/^out/", "yaxis": 2, "stack": false}]`, answer)
	assert.Equal(t, Graph, p.Kind)
	assert.Equal(t, "Bps", p.Field.Unit)
	assert.EqualValues(t, 30, p.Field.Line.Fill)
	assert.Equal(t, "normal", p.Field.Line.Stack)
	assert.Equal(t, "#123456", p.Series[0].Field.Color.Fixed)
	assert.Equal(t, "percent", p.Series[1].Field.Unit)
	assert.True(t, p.Series[1].Field.Line.Right)
	assert.Empty(t, p.Series[1].Field.Line.Stack)
	assert.Equal(t, []string{"mean", "lastNotNull"}, p.Calcs)
	assert.Equal(t, []Number{2, 3}, p.Series[0].Reduced)
	assert.EqualValues(t, 4, *p.Field.Thresholds.Steps[1].Value)

	p = drawnPanel(t, `"type": "singlestat", "targets": [{"refId": "A", "expr": "a"}], "format": "s", "valueName": "avg", "thresholds": "10,20", "colors": ["green", "orange", "red"], "colorBackground": true,
		"valueMaps": [{"value": "null", "op": "=", "text": "none"}]`, model.Matrix{series(labels(), 2, 4)})
	assert.Equal(t, Stat, p.Kind)
	assert.Equal(t, "s", p.Field.Unit)
	assert.Equal(t, []Number{3}, p.Series[0].Reduced)
	assert.Len(t, p.Field.Thresholds.Steps, 3)
	assert.True(t, p.Look.Background)
	assert.Equal(t, "none", p.Field.NoValue)
	assert.Equal(t, Gauge, drawnPanel(t, `"type": "singlestat", "gauge": {"show": true, "maxValue": 7}, "targets": [{"refId": "A"}]`).Kind)
}

func TestTable(t *testing.T) {
	sample := func(v float64, pairs ...string) *model.Sample {
		return &model.Sample{Metric: labels(pairs...), Value: model.SampleValue(v), Timestamp: model.TimeFromUnixNano(when().UnixNano())}
	}
	p := drawnPanel(t, `"type": "table", "targets": [{"refId": "A", "expr": "a", "format": "table", "instant": true}, {"refId": "B", "expr": "b", "format": "table", "instant": true}],
		"transformations": [{"id": "merge"}, {"id": "organize", "options": {"excludeByName": {"Time": true}, "renameByName": {"Value #A": "Used"}, "indexByName": {"Value #A": 0, "host": 1, "Value #B": 2}}}, {"id": "pivot"}],
		"options": {"sortBy": [{"displayName": "Used", "desc": true}]}, "fieldConfig": {"defaults": {}, "overrides": [{"matcher": {"id": "byName", "options": "Used"}, "properties": [{"id": "unit", "value": "bytes"}]}]}`,
		model.Vector{sample(1, "host", "a"), sample(2, "host", "b")}, model.Vector{sample(3, "host", "a")})
	require.Len(t, p.Columns.Columns, 3)
	assert.Equal(t, "Used", p.Columns.Columns[0].Name)
	assert.Equal(t, "bytes", p.Columns.Columns[0].Field.Unit)
	data, err := json.Marshal(p.Columns.Rows)
	require.NoError(t, err)
	assert.Equal(t, `[[2,"b",""],[1,"a",3]]`, string(data))
	assert.Equal(t, []string{"drawn without the transformation pivot"}, p.Notes)
}

func TestHeatmap(t *testing.T) {
	p := drawnPanel(t, `"type": "heatmap", "targets": [{"refId": "A", "expr": "a", "format": "heatmap", "legendFormat": "{{le}}"}]`,
		model.Matrix{series(labels("le", "+Inf"), 10, 10), series(labels("le", "0.5"), 4, 4), series(labels("le", "1"), 7, 6)})
	assert.Equal(t, []string{"0.5", "1", "+Inf"}, p.Buckets.Names)
	assert.Equal(t, []Number{4, 3, 3}, []Number{p.Buckets.Cells[0][0], p.Buckets.Cells[1][0], p.Buckets.Cells[2][0]}, "each bucket holds its own alone")

	p = drawnPanel(t, `"type": "heatmap", "options": {"calculate": true}, "targets": [{"refId": "A", "expr": "a"}]`, model.Matrix{series(labels("x", "1"), 0, 0), series(labels("x", "2"), 100, 0)})
	require.Len(t, p.Buckets.Cells, made)
	assert.EqualValues(t, 1, p.Buckets.Cells[0][0])
	assert.EqualValues(t, 1, p.Buckets.Cells[made-1][0])
	assert.EqualValues(t, 2, p.Buckets.Cells[0][1])
}

func TestManySeriesAreBounded(t *testing.T) {
	var answer model.Matrix
	for i := range most + 7 {
		answer = append(answer, series(labels("i", fmt.Sprint(i)), 1))
	}
	p := drawnPanel(t, `"type": "timeseries", "targets": [{"refId": "A", "expr": "a"}]`, answer)
	assert.Len(t, p.Series, most)
	assert.Equal(t, 7, p.More)
}

func TestTextKeepsItsSource(t *testing.T) {
	p := drawnPanel(t, `"type": "text", "options": {"mode": "html", "content": "<b>hello</b>"}`)
	assert.Equal(t, Text, p.Kind)
	assert.Equal(t, "<b>hello</b>", p.Text)
	assert.Equal(t, None, drawnPanel(t, `"type": "geomap"`).Kind)
}

// TestCorpus draws the dashboards of others, with an answer to each query.
func TestCorpus(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(material.Path(t, "corpus", "dashboards"), "*", "*.json"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			data, err := os.ReadFile(file)
			require.NoError(t, err)
			b := board(t, string(data))
			var answers []model.Value
			for _, p := range b.Panels {
				for i := range p.Targets {
					answers = append(answers, []model.Value{
						model.Matrix{series(labels("instance", "a", "le", "1"), 1, 2, math.NaN(), math.Inf(1)), series(labels("instance", "b", "le", "2"), 3)},
						model.Vector{{Metric: labels("instance", "a"), Value: 1}}, &model.Scalar{Value: 2}, nil,
					}[i%4])
				}
			}
			d := Of(b, answered(b, answers...))
			require.NotEmpty(t, d.Panels)
			_, err = json.Marshal(d)
			require.NoError(t, err)
			drawn := 0
			for _, p := range d.Panels {
				if p.Kind != Row {
					drawn++
				}
				assert.LessOrEqual(t, p.Grid.X+p.Grid.W, columns)
			}
			want := 0
			for _, p := range b.Panels {
				if !p.IsRow() && !p.Clone {
					want++
				}
			}
			assert.GreaterOrEqual(t, drawn, want, "every panel is there")
		})
	}
}
