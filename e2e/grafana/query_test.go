package grafana

import (
	"encoding/json"
	"errors"
	"io"
	"math"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestQueriesAreSentAsABrowserSendsThem(t *testing.T) {
	var got []byte
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "application/json", r.Header.Get("Content-Type"))
		var err error
		got, err = io.ReadAll(r.Body)
		assert.NoError(t, err)
		_, _ = io.WriteString(w, `{"results":{"A":{"status":200,"frames":[]}}}`)
	})
	_, err := c.Query(t.Context(), Request{
		From: time.UnixMilli(1700000000123), To: time.UnixMilli(1700000060000),
		Queries: []Query{
			{
				RefID: "A", DatasourceUID: "m", DatasourceType: "prometheus", Expr: `rate(x[$__rate_interval])`,
				Range: true, Interval: "30s", IntervalFactor: 2, IntervalMS: 15000, MaxDataPoints: 1500,
				Format: "table", LegendFormat: "{{gpu}}",
			},
			{
				RefID: "B", DatasourceUID: "__expr__", DatasourceType: "__expr__", IntervalMS: 7,
				Model: json.RawMessage(`{"type":"math","expression":"$A * 2","refId":"Z","hide":false,"intervalMs":1,"datasource":{"name":"x"}}`),
			},
			{RefID: "C"},
		},
	})
	require.NoError(t, err)
	assert.JSONEq(t, `{"from":"1700000000123","to":"1700000060000","queries":[
		{"refId":"A","datasource":{"uid":"m","type":"prometheus"},"expr":"rate(x[$__rate_interval])","instant":false,"range":true,
		 "exemplar":false,"interval":"30s","intervalFactor":2,"intervalMs":15000,"maxDataPoints":1500,"format":"table","legendFormat":"{{gpu}}"},
		{"refId":"B","datasource":{"uid":"__expr__","type":"__expr__"},"type":"math","expression":"$A * 2","hide":false,"intervalMs":7},
		{"refId":"C","instant":false,"range":false,"exemplar":false}
	]}`, string(got))
}

func TestRequestsThatCannotBeAsked(t *testing.T) {
	c := fake(t, nil)
	for want, queries := range map[string][]Query{
		"there is no query":           nil,
		"a query has no refId":        {{Expr: "up"}},
		"two queries have the refId":  {{RefID: "A"}, {RefID: "A"}},
		"write query A: its model is": {{RefID: "A", Model: json.RawMessage(`[1]`)}},
		"object but null":             {{RefID: "A", Model: json.RawMessage(`null`)}},
	} {
		_, err := c.Query(t.Context(), Request{Queries: queries})
		require.ErrorContains(t, err, want)
	}
}

func TestAFailedQueryIsAnAnswer(t *testing.T) {
	const body = `{"results":{
		"A":{"error":"parse error","errorSource":"downstream","status":400,"frames":[{"schema":{"refId":"A","fields":[]},"data":{"values":[]}}]},
		"B":{"frames":[{"schema":{"refId":"B","fields":[]},"data":{"values":[]}}]}}}`
	for _, status := range []int{200, 207, 400, 500} {
		c := fake(t, map[string]canned{"POST /api/ds/query": {status, body}})
		got, err := c.Query(t.Context(), Request{Queries: []Query{{RefID: "A"}, {RefID: "B"}}})
		require.NoError(t, err)
		failed, ok := errors.AsType[*QueryError](got["A"].Err)
		require.True(t, ok)
		assert.Equal(t, &QueryError{RefID: "A", Status: 400, Message: "parse error", Source: "downstream"}, failed)
		assert.Equal(t, "query A: parse error (status 400)", failed.Error())
		_, err = got["A"].Series()
		require.ErrorIs(t, err, failed)

		require.NoError(t, got["B"].Err)
		require.Len(t, got["B"].Frames, 1)
		series, err := got["B"].Series()
		require.NoError(t, err)
		assert.Empty(t, series, "a frame without fields is no data")
	}
}

func TestARefusedRequestSaysWhy(t *testing.T) {
	tests := []struct {
		name   string
		answer canned
		is     error
		want   string
	}{
		{"unknown uid", canned{404, `{"message":"Data source not found","traceID":""}`}, ErrUnknownDatasource, "no such datasource: POST /api/ds/query: HTTP 404 Not Found: Data source not found"},
		{"unknown uid, spelt anew", canned{404, `{"message":"datasource not found","messageId":"datasource.notFound"}`}, ErrUnknownDatasource, ""},
		{"no plugin", canned{404, `{"message":"Not found","messageId":"plugin.notRegistered","statusCode":404}`}, ErrNoPlugin, ""},
		{"no such path", canned{404, `<h1>404 page not found</h1>`}, nil, "HTTP 404 Not Found: 404 page not found"},
		{"not allowed", canned{403, `{"message":"Access denied to data source"}`}, nil, "HTTP 403"},
		{"an expression", canned{500, `{"message":"Query data error"}`}, nil, "Query data error"},
		{"no results", canned{200, `{"message":"?"}`}, nil, "the answer has no results"},
		{"a page", canned{200, `<p>Sign in`}, ErrNotJSON, "Sign in"},
		{"not a frame", canned{200, `{"results":{"A":{"frames":[{"schema":{"fields":[{"name":"t","type":"time"}]},"data":{"values":[["x"]]}}]}}}`}, nil, `read the answer to query A: frame 0: field "t": "x" is no time`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := fake(t, map[string]canned{"POST /api/ds/query": tt.answer})
			_, err := c.Query(t.Context(), Request{Queries: []Query{{RefID: "A"}}})
			require.ErrorContains(t, err, tt.want)
			for _, known := range []error{ErrUnknownDatasource, ErrNoPlugin, ErrNotJSON} {
				assert.Equal(t, errors.Is(tt.is, known), errors.Is(err, known), "%v: %v", known, err)
			}
		})
	}
}

func TestAnUnknownUIDMayBeOneQuerysAnswer(t *testing.T) {
	c := fake(t, map[string]canned{"POST /api/ds/query": {400, `{"results":{"A":{"error":"data source not found","status":404},"B":{"error":"not found","status":404}}}`}})
	got, err := c.Query(t.Context(), Request{Queries: []Query{{RefID: "A"}, {RefID: "B"}}})
	require.NoError(t, err)
	require.ErrorIs(t, got["A"].Err, ErrUnknownDatasource)
	require.NotErrorIs(t, got["B"].Err, ErrUnknownDatasource)
}

// at is so many seconds into the day that the frames below are of.
func at(seconds int) time.Time {
	return time.UnixMilli(1700000000000).UTC().Add(time.Duration(seconds) * time.Second)
}

func TestSeries(t *testing.T) {
	const times = `[1700000000000,1700000001000,1700000002000]`
	nan, inf := math.NaN(), math.Inf(1)
	tests := []struct {
		name   string
		frames string
		want   []Series
	}{
		{
			name: "a frame a series",
			frames: `{"schema":{"meta":{"type":"timeseries-multi"},"fields":[{"name":"Time","type":"time"},
				{"name":"up","type":"number","labels":{"__name__":"up","job":"a"},"config":{"displayNameFromDS":"a"}}]},"data":{"values":[` + times + `,[1,null,0.5]]}},
				{"schema":{"fields":[{"name":"Time","type":"time"},{"name":"Value","type":"number"}]},"data":{"values":[[1700000000000],[2]]}}`,
			want: []Series{
				{Name: "a", Labels: map[string]string{"__name__": "up", "job": "a"}, Points: []Point{{at(0), 1}, {at(2), 0.5}}},
				{Name: "Value", Points: []Point{{at(0), 2}}},
			},
		},
		{
			name: "one frame of many, and what JSON has no number for",
			frames: `{"schema":{"meta":{"type":"timeseries-wide"},"fields":[{"name":"Time","type":"time"},
				{"name":"x","type":"number","labels":{"i":"0"}},{"name":"y","type":"boolean","labels":{"i":"1"}},{"name":"z","type":"number","labels":{"i":"2"}}]},
				"data":{"values":[` + times + `,[null,null,null],[true,false,null],[null,null,null]],"entities":[null,{"NaN":[0],"Inf":[1],"NegInf":[2]},null,null]}}`,
			want: []Series{
				{Name: "x", Labels: map[string]string{"i": "0"}, Points: []Point{{at(0), nan}, {at(1), inf}, {at(2), -inf}}},
				{Name: "y", Labels: map[string]string{"i": "1"}, Points: []Point{{at(0), 1}, {at(1), 0}}},
				{Name: "z", Labels: map[string]string{"i": "2"}},
			},
		},
		{
			name: "a table",
			frames: `{"schema":{"meta":{"type":"timeseries-long"},"fields":[{"name":"Time","type":"time"},{"name":"__name__","type":"string"},
				{"name":"gpu","type":"string"},{"name":"Value","type":"number","labels":{"from":"field"}}]},
				"data":{"values":[[1700000000000,1700000000000,1700000001000,null],["t","t","t","t"],["0",null,"0","0"],["1","2",3,4]]}}`,
			want: []Series{
				{Name: "Value", Labels: map[string]string{"__name__": "t", "gpu": "0", "from": "field"}, Points: []Point{{at(0), 1}, {at(1), 3}}},
				{Name: "Value", Labels: map[string]string{"__name__": "t", "from": "field"}, Points: []Point{{at(0), 2}}},
			},
		},
		{
			name: "a table of two metrics without times",
			frames: `{"schema":{"fields":[{"name":"gpu","type":"string"},{"name":"temp","type":"number"},{"name":"load","type":"number"}]},
				"data":{"values":[["0"],[40],[0.5]]}}`,
			want: []Series{
				{Name: "temp", Labels: map[string]string{"__name__": "temp", "gpu": "0"}, Points: []Point{{Value: 40}}},
				{Name: "load", Labels: map[string]string{"__name__": "load", "gpu": "0"}, Points: []Point{{Value: 0.5}}},
			},
		},
		{
			name:   "a number without a time",
			frames: `{"schema":{"meta":{"type":"numeric-multi"},"fields":[{"name":"B","type":"number","labels":{"job":"a"}}]},"data":{"values":[[2]]}}`,
			want:   []Series{{Name: "B", Labels: map[string]string{"job": "a"}, Points: []Point{{Value: 2}}}},
		},
		{
			name: "times finer than a millisecond, or written out",
			frames: `{"schema":{"fields":[{"name":"t","type":"time"},{"name":"v","type":"number"}]},
				"data":{"values":[[1700000000000,"2023-11-14T22:13:21Z"],[1,2]],"nanos":[[5,0],null]}}`,
			want: []Series{{Name: "v", Points: []Point{{at(0).Add(5), 1}, {at(1), 2}}}},
		},
		{
			name: "a heatmap's cells",
			frames: `{"schema":{"meta":{"type":"heatmap-cells"},"fields":[{"name":"xMax","type":"time"},{"name":"yMin","type":"number"},
				{"name":"yMax","type":"number"},{"name":"count","type":"number"},{"name":"yLayout","type":"other"}]},
				"data":{"values":[[1700000000000,1700000000000],[0,1],[1,2],[7,8],[0,{}]]}}`,
			want: []Series{{Name: "count", Points: []Point{{at(0), 7}, {at(0), 8}}}},
		},
		{
			name: "no series: no fields, no rows, no data, no numbers, exemplars",
			frames: `{"schema":{"fields":[]},"data":{"values":[]}},
				{"schema":{"fields":[{"name":"Time","type":"time"},{"name":"v","type":"number"}]},"data":{"values":[[],[]]}},
				{"schema":{"fields":[{"name":"Time","type":"time"},{"name":"v","type":"number"}]}},
				{"schema":{"meta":{"custom":{"resultType":"string"}},"fields":[{"name":"Time","type":"time"},{"name":"v","type":"string"}]},"data":{"values":[[1],["x"]]}},
				{"schema":{"meta":{"custom":{"resultType":"exemplar"}},"fields":[{"name":"Time","type":"time"},{"name":"v","type":"number"}]},"data":{"values":[[1],[1]]}}`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := fake(t, map[string]canned{"POST /api/ds/query": {200, `{"results":{"A":{"frames":[` + tt.frames + `]}}}`}})
			answers, err := c.Query(t.Context(), Request{Queries: []Query{{RefID: "A"}}})
			require.NoError(t, err)
			assert.Equal(t, 200, answers["A"].Status)
			got, err := answers["A"].Series()
			require.NoError(t, err)
			requireSameSeries(t, tt.want, got)
		})
	}
}

// requireSameSeries is equality in which NaN is NaN.
func requireSameSeries(t *testing.T, want, got []Series) {
	t.Helper()
	require.Len(t, got, len(want))
	for i, w := range want {
		require.Equal(t, w.Name, got[i].Name)
		require.Equal(t, w.Labels, got[i].Labels)
		require.Len(t, got[i].Points, len(w.Points))
		for j, p := range w.Points {
			require.Equal(t, p.Time, got[i].Points[j].Time)
			require.InDelta(t, p.Value, got[i].Points[j].Value, 0)
		}
	}
}

func TestFrame(t *testing.T) {
	c := fake(t, map[string]canned{"POST /api/ds/query": {200, `{"results":{"A":{"status":200,"frames":[{
		"schema":{"name":"n","refId":"A","meta":{"type":"timeseries-multi","custom":{"resultType":"matrix"},
			"executedQueryString":"Expr: up\nStep: 5s","notices":[{"severity":"warning","text":"cut short"}]},
			"fields":[{"name":"Time","type":"time"},{"name":"s","type":"string"}]},
		"data":{"values":[[null,1700000000000],[null,"x"]]}},
		{"schema":{"meta":{"custom":["another's"]},"fields":[]}}]}}}`}})
	answers, err := c.Query(t.Context(), Request{Queries: []Query{{RefID: "A"}}})
	require.NoError(t, err)
	require.Len(t, answers["A"].Frames, 2)
	f := answers["A"].Frames[0]
	assert.Equal(t, []string{"cut short"}, f.Notices)
	assert.Equal(t, "n A timeseries-multi matrix", f.Name+" "+f.RefID+" "+f.Type+" "+f.ResultType)
	assert.Equal(t, "Expr: up\nStep: 5s", f.ExecutedQuery)
	require.Len(t, f.Fields, 2)
	assert.Equal(t, 2, f.Fields[0].Len())
	_, ok := f.Fields[0].Time(0)
	assert.False(t, ok)
	when, ok := f.Fields[0].Time(1)
	assert.True(t, ok)
	assert.Equal(t, at(0), when)
	_, ok = f.Fields[1].Text(0)
	assert.False(t, ok)
	s, ok := f.Fields[1].Text(1)
	assert.True(t, ok)
	assert.Equal(t, "x", s)
	_, ok = f.Fields[1].Number(1)
	assert.False(t, ok)
}

func TestBrokenFrames(t *testing.T) {
	for want, frame := range map[string]string{
		"it has 2 fields and 1 columns":     `{"schema":{"fields":[{"name":"a","type":"number"},{"name":"b","type":"number"}]},"data":{"values":[[1]]}}`,
		`field "b" has 1 rows, and "a"`:     `{"schema":{"fields":[{"name":"a","type":"number"},{"name":"b","type":"number"}]},"data":{"values":[[1,2],[1]]}}`,
		"NaN is said to be in row 4 of 1":   `{"schema":{"fields":[{"name":"a","type":"number"}]},"data":{"values":[[null]],"entities":[{"NaN":[4]}]}}`,
		`"many" is no number`:               `{"schema":{"fields":[{"name":"a","type":"number"}]},"data":{"values":[["many"]]}}`,
		"1e300 is no time":                  `{"schema":{"fields":[{"name":"a","type":"time"}]},"data":{"values":[[1e300]]}}`,
		`field "a": json: cannot unmarshal`: `{"schema":{"fields":[{"name":"a","type":"other"}]},"data":{"values":[{}]}}`,
	} {
		c := fake(t, map[string]canned{"POST /api/ds/query": {200, `{"results":{"A":{"frames":[` + frame + `]}}}`}})
		_, err := c.Query(t.Context(), Request{Queries: []Query{{RefID: "A"}}})
		require.ErrorContains(t, err, want)
	}
}
