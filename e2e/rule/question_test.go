package rule

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/stack"
)

const lokiDatasource = `apiVersion: 1
datasources:
  - {name: Prometheus, uid: prometheus, type: prometheus, url: "http://prometheus:9090", isDefault: true, jsonData: {timeInterval: 15s}}
  - {name: Loki, uid: loki, type: loki, url: "http://loki:3100"}
`

// question is what is said of one target.
type question struct {
	panel, ref, expr string // expr as run, "" for what is not asked
	skip, buildErr   string
	refErr           bool
	unchecked        bool
}

func TestQuestions(t *testing.T) {
	const all = `"current": {"text": ["a", "b"], "value": ["a", "b"]}`
	for _, c := range []struct {
		name, variables, panels string
		want                    []question
	}{
		{name: "mixed", panels: `{"title": "m", "type": "timeseries", "datasource": {"uid": "-- Mixed --"}, "targets": [
        {"refId": "A", "datasource": {"uid": "prometheus"}, "expr": "up"},
        {"refId": "B", "datasource": {"uid": "loki"}, "expr": "{}"},
        {"refId": "C", "expr": "vector(1)"},
        {"refId": "D", "datasource": {"uid": "nowhere"}, "expr": "up"}]}`,
			want: []question{
				{panel: "m", ref: "A", expr: "up"},
				{panel: "m", ref: "B", skip: `"Loki" is of type loki`, unchecked: true},
				{panel: "m", ref: "C", expr: "vector(1)"}, // the default one
				{panel: "m", ref: "D", refErr: true},
			}},
		{name: "hidden", panels: `{"title": "h", "type": "stat", "targets": [{"refId": "A", "expr": "up", "hide": true}, {"refId": "B", "expr": "up"}]}`,
			want: []question{{panel: "h", ref: "A", skip: "hidden"}, {panel: "h", ref: "B", expr: "up"}}},
		{name: "all of them hidden", panels: `{"title": "h", "type": "stat", "targets": [{"refId": "A", "expr": "up", "hide": true}, {"refId": "B", "expr": "up", "hide": true}]}`,
			want: []question{{panel: "h", ref: "A", buildErr: "every query of the panel is hidden"}, {panel: "h", ref: "B", skip: "hidden"}}},
		{name: "all of them hidden in a panel that need not show them", panels: `{"title": "h", "type": "text", "targets": [{"refId": "A", "expr": "up", "hide": true}]}`,
			want: []question{{panel: "h", ref: "A", skip: "hidden"}}},
		{name: "another panel's result", panels: `{"title": "d", "type": "stat", "datasource": {"uid": "-- Dashboard --"}, "targets": [{"refId": "A", "panelId": 2}]}, {"id": 2, "type": "stat", "title": "s", "targets": [{"refId": "A", "expr": "up"}]}`,
			want: []question{{panel: "d", ref: "A", skip: "another panel"}, {panel: "s", ref: "A", expr: "up"}}},
		{name: "Grafana's own", panels: `{"title": "g", "type": "stat", "datasource": "-- Grafana --", "targets": [{"refId": "A"}]}`,
			want: []question{{panel: "g", ref: "A", skip: "Grafana's own", unchecked: true}}},
		{name: "an expression", panels: `{"title": "e", "type": "stat", "targets": [{"refId": "A", "expr": "up"},
        {"refId": "B", "datasource": {"type": "__expr__", "uid": "__expr__"}, "type": "math", "expression": "$A * 2"}]}`,
			want: []question{{panel: "e", ref: "A", expr: "up"}, {panel: "e", ref: "B", skip: "Grafana", unchecked: true}}},
		{name: "hidden queries that an expression needs", panels: `{"title": "e", "type": "stat", "targets": [
        {"refId": "A", "expr": "a", "hide": true}, {"refId": "B", "expr": "b", "hide": true}, {"refId": "C", "expr": "c", "hide": true},
        {"refId": "D", "expr": "d", "hide": true}, {"refId": "my E", "expr": "e", "hide": true}, {"refId": "F", "expr": "f", "hide": true},
        {"refId": "X", "hide": true, "datasource": {"uid": "__expr__"}, "type": "reduce", "expression": "B"},
        {"refId": "Y", "datasource": {"uid": "__expr__"}, "type": "math", "expression": "$A * ${my E} + $X"},
        {"refId": "Z", "hide": true, "datasource": {"uid": "__expr__"}, "type": "threshold", "expression": "$C"},
        {"refId": "Q", "datasource": {"uid": "__expr__"}, "type": "classic_conditions", "conditions": [{"query": {"params": ["F"]}}]}]}`,
			want: []question{
				{panel: "e", ref: "A", expr: "a"}, {panel: "e", ref: "B", expr: "b"}, // through the hidden X
				{panel: "e", ref: "C", skip: "hidden"}, // only a hidden expression that nobody needs has it
				{panel: "e", ref: "D", skip: "hidden"}, {panel: "e", ref: "my E", expr: "e"}, {panel: "e", ref: "F", expr: "f"},
				{panel: "e", ref: "X", skip: "Grafana", unchecked: true}, {panel: "e", ref: "Y", skip: "Grafana", unchecked: true},
				{panel: "e", ref: "Z", skip: "hidden"}, {panel: "e", ref: "Q", skip: "Grafana", unchecked: true},
			}},
		{name: "the result of a panel that is not there", panels: `{"id": 1, "title": "d", "type": "stat", "datasource": {"uid": "-- Dashboard --"}, "targets": [
        {"refId": "A", "panelId": 9}, {"refId": "B", "panelId": 1}, {"refId": "C"}]}`, // its own, and none
			want: []question{
				{panel: "d", ref: "A", buildErr: "panel 9, and the dashboard has no such panel"},
				{panel: "d", ref: "B", buildErr: "which is this one"}, {panel: "d", ref: "C", buildErr: "names none"},
			}},
		{name: "a library panel that is not in the file", panels: `{"libraryPanel": {"uid": "u", "name": "Shared"}}`,
			want: []question{{panel: "Shared", skip: "kept in Grafana's database", unchecked: true}}},
		{name: "a library panel that is", panels: `{"libraryPanel": {"uid": "u", "name": "Shared", "model": {"type": "stat", "targets": [{"refId": "A", "expr": "up"}]}}}`,
			want: []question{{panel: "Shared", ref: "A", expr: "up"}}},
		{name: "no expression", panels: `{"title": "x", "type": "stat", "targets": [{"refId": "A", "expr": "  "}]}`,
			want: []question{{panel: "x", ref: "A", buildErr: "the query is empty"}}},
		{name: "no target", panels: `{"title": "x", "type": "stat"}, {"title": "y", "type": "text"}, {"title": "z", "type": "acme-panel"}`,
			want: []question{{panel: "x", buildErr: "the panel has no query"}}},
		{name: "a setting that cannot be read", panels: `{"title": "x", "type": "stat", "timeFrom": "a while", "targets": [{"refId": "A", "expr": "up"}]}`,
			want: []question{{panel: "x", ref: "A", buildErr: "a while"}}},
		{name: "repeated", variables: `{"name": "v", "type": "custom", "query": "a,b,c", "multi": true, ` + all + `}`,
			panels: `{"title": "r", "type": "stat", "repeat": "v", "targets": [{"refId": "A", "expr": "up{a=\"$v\"}"}]},
        {"title": "copy", "type": "stat", "repeatPanelId": 1, "targets": [{"refId": "A", "expr": "up"}]}`,
			want: []question{{panel: "r", ref: "A", expr: `up{a="a"}`}, {panel: "r", ref: "A", expr: `up{a="b"}`}}},
		{name: "rows ask nothing, what they hold does", panels: `{"type": "row", "collapsed": true, "panels": [{"title": "i", "type": "stat", "targets": [{"refId": "A", "expr": "up"}]}]}`,
			want: []question{{panel: "i", ref: "A", expr: "up"}}},
		{name: "a datasource variable", variables: `{"name": "ds", "type": "datasource", "query": "prometheus", "current": {"text": "default", "value": "default"}}`,
			panels: `{"title": "v", "type": "stat", "datasource": {"uid": "${ds}"}, "targets": [{"refId": "A", "expr": "up"}]}`,
			want:   []question{{panel: "v", ref: "A", expr: "up"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := shipped(t).write(datasourceFile, lokiDatasource).write(boardFile, boardWith(c.variables, c.panels))
			in := f.static()
			require.Len(t, in.Boards, 1)
			questions := in.Boards[0].Questions
			require.Len(t, questions, len(c.want))
			for i, w := range c.want {
				expectQuestion(t, w, questions[i])
			}
		})
	}
}

// A dashboard asks no more than it may, and says of each panel that is left out.
func TestQuestionsAreBounded(t *testing.T) {
	var values []string
	for i := range 999 {
		values = append(values, strconv.Itoa(i))
	}
	panel := `{"title": "r", "type": "stat", "repeat": "many", "targets": [` + strings.TrimSuffix(strings.Repeat(`{"expr": "up"},`, 12), ",") + `]}`
	f := shipped(t).write(boardFile, boardWith(`{"name": "many", "type": "custom", "multi": true, "includeAll": true, "current": {"text": ["All"], "value": ["$__all"]}, "query": "`+strings.Join(values, ",")+`"}`,
		panel+","+panel+","+panelWith(7, "after", "up")))
	var left, asked []string
	for _, q := range f.static().Boards[0].Questions {
		if q.BuildErr != nil {
			require.ErrorIs(t, q.BuildErr, errTooMany)
			left = append(left, q.Panel.Title.Value)
			continue
		}
		asked = append(asked, q.Panel.Title.Value)
	}
	assert.Equal(t, []string{"r"}, left, "the second of the two")
	assert.Len(t, asked, 12*999+1, "a smaller one after it has room")
}

func expectQuestion(t *testing.T, want question, q *Question) {
	t.Helper()
	assert.Equal(t, want.panel, q.Panel.Title.Value)
	if want.ref != "" {
		assert.Equal(t, want.ref, q.Target.RefID.Value)
	}
	assert.Equal(t, want.expr != "", q.Asks())
	if q.Asks() {
		assert.Equal(t, want.expr, q.Requests[0].Expr)
	}
	assert.Equal(t, want.skip == "", q.Skip == "", q.Skip)
	assert.Contains(t, q.Skip, want.skip)
	assert.Equal(t, want.unchecked, q.Unchecked)
	assert.Equal(t, want.refErr, q.RefErr != nil)
	if want.buildErr == "" {
		assert.NoError(t, q.BuildErr)
	} else {
		assert.ErrorContains(t, q.BuildErr, want.buildErr)
	}
}

func TestBoardRange(t *testing.T) {
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name, window string
		from, to     time.Duration // before now
		err          string
	}{
		{name: "none", window: `{}`, from: 6 * time.Hour},
		{name: "relative", window: `{"from": "now-2d", "to": "now-1d"}`, from: 48 * time.Hour, to: 24 * time.Hour},
		{name: "absolute", window: `{"from": "2020-01-01T00:00:00Z", "to": "2020-01-01T03:00:00Z"}`, from: 3 * time.Hour},
		{name: "in milliseconds", window: `{"from": "1577836800000", "to": "1577840400000"}`, from: time.Hour},
		{name: "absolute until now", window: `{"from": "2026-11-01T11:00:00Z", "to": "now"}`, from: time.Hour},
		{name: "nonsense", window: `{"from": "yesterday", "to": "now"}`, err: `time range "yesterday" to "now"`},
		{name: "backwards", window: `{"from": "now", "to": "now-1h"}`, err: "time range"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := shipped(t).write(boardFile, `{"title": "x", "panels": [], "time": `+c.window+`}`)
			r, err := f.static().Boards[0].Range(now)
			if c.err != "" {
				require.ErrorContains(t, err, c.err)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, now.Add(-c.from), r.From.UTC())
			assert.Equal(t, now.Add(-c.to), r.To.UTC())
		})
	}
}

// A panel's own relative time counts from now, wherever the dashboard's range ends.
func TestQuestionsOfRelativeTime(t *testing.T) {
	f := shipped(t).write(boardFile, `{"title": "x", "time": {"from": "now-7d", "to": "now-1d"}, "panels": [
    {"title": "a", "type": "stat", "timeFrom": "1h", "targets": [{"refId": "A", "expr": "up", "instant": true}]}]}`)
	q := f.static().Boards[0].Questions[0]
	require.True(t, q.Asks())
	assert.Equal(t, time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC), q.Requests[0].End.UTC())
}

// Over an absolute range it has no effect, as in Grafana.
func TestQuestionsOfRelativeTimeInAbsoluteRange(t *testing.T) {
	f := shipped(t).write(boardFile, `{"title": "x", "time": {"from": "2020-01-01T00:00:00Z", "to": "2020-01-01T03:00:00Z"}, "panels": [
    {"title": "a", "type": "stat", "timeFrom": "1h", "targets": [{"refId": "A", "expr": "up"}]}]}`)
	r := f.static().Boards[0].Questions[0].Requests[0]
	assert.Equal(t, 3*time.Hour, r.End.Sub(r.Start).Round(time.Minute))
}

func TestNewStaticChooses(t *testing.T) {
	s := shipped(t).static().Stack
	none := NewStatic(s, func(*stack.Board) bool { return false }, time.Unix(0, 0))
	assert.Empty(t, none.Boards)
	all := NewStatic(s, nil, time.Unix(0, 0))
	require.Len(t, all.Boards, 1)
	for _, q := range all.Boards[0].Questions {
		assert.True(t, q.Asks(), "%s %s: %s %v %v", q.Panel.Path(), q.Target.RefID.Value, q.Skip, q.RefErr, q.BuildErr)
	}
}

// What has been scraped only since the last step is asked for at the next one.
func TestQuestionsAskAsOfTheNextStep(t *testing.T) {
	now := time.Date(2026, 11, 1, 12, 0, 7, 0, time.UTC)
	for _, c := range []struct {
		name, panel string
		start, end  time.Time
		instant     bool
	}{
		{name: "a range", panel: `"targets": [{"refId": "A", "expr": "up"}]`,
			start: now.Add(8*time.Second - time.Hour), end: now.Add(8 * time.Second)},
		{name: "a step beyond the lookback", panel: `"interval": "10m", "targets": [{"refId": "A", "expr": "up"}]`,
			start: now.Add(-7*time.Second - time.Hour), end: now.Add(-7 * time.Second)},
		{name: "an instant", panel: `"targets": [{"refId": "A", "expr": "up", "instant": true}]`, start: now.Add(-time.Hour), end: now, instant: true},
		{name: "a range that ends long ago", panel: `"timeShift": "2h", "targets": [{"refId": "A", "expr": "up"}]`,
			start: now.Add(-7*time.Second - 3*time.Hour), end: now.Add(-7*time.Second - 2*time.Hour)},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := shipped(t).write(boardFile, boardWith("", `{"id": 1, "type": "timeseries", "title": "a", `+c.panel+`}`)).static().Stack
			requests := NewStatic(s, nil, now).Boards[0].Questions[0].Requests
			require.Len(t, requests, 1)
			assert.Equal(t, c.start, requests[0].Start.UTC())
			assert.Equal(t, c.end, requests[0].End.UTC())
			assert.Equal(t, c.instant, requests[0].Instant)
		})
	}
}

func TestQuestionsAskBothKindsAsOfTheirTime(t *testing.T) {
	now := time.Date(2026, 11, 1, 12, 0, 7, 0, time.UTC)
	s := shipped(t).write(boardFile, boardWith("", `{"id": 1, "type": "timeseries", "title": "a", "targets": [{"refId": "A", "expr": "up", "instant": true, "range": true}]}`)).static().Stack
	requests := NewStatic(s, nil, now).Boards[0].Questions[0].Requests
	require.Len(t, requests, 2)
	for _, r := range requests {
		want := now
		if !r.Instant {
			want = now.Add(8 * time.Second)
		}
		assert.Equal(t, want, r.End.UTC())
	}
}
