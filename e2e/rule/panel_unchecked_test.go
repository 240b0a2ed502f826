package rule

import (
	"testing"

	"github.com/panelgate/panelgate/e2e/query"
)

func TestPanelUnchecked(t *testing.T) {
	loki := func(f *fixture) {
		f.replace(datasourceFile, "datasources:\n", "datasources:\n  - name: Loki\n    uid: loki\n    type: loki\n    url: http://loki:3100\n")
	}
	checkCases(t, panelUnchecked(), []ruleCase{
		{name: "another type", edit: loki, board: boardWith("", `{"id": 1, "type": "logs", "title": "a", "datasource": {"uid": "loki"},
      "targets": [{"refId": "A", "expr": "{}"}, {"refId": "B", "expr": "{}", "hide": true}, {"refId": "C", "expr": "rate({}[1m])"}]}`),
			want: []expected{{at: `"{}"`, says: `not checked: datasource "Loki" is of type loki`}, {at: `"rate({}`, says: "loki"}}},
		{name: "a library panel", board: boardWith("", `{"id": 1, "libraryPanel": {"uid": "u", "name": "Shared"}}`),
			want: []expected{{at: `{"id": 1`, says: `library panel "Shared"`}}},
		{name: "a library panel in a repeated row", board: boardWith(`{"name": "v", "type": "custom", "query": "a,b", "multi": true, "current": {"text": ["a", "b"], "value": ["a", "b"]}}`,
			`{"type": "row", "repeat": "v", "collapsed": true, "panels": [{"id": 1, "libraryPanel": {"uid": "u", "name": "Shared"}}]}`),
			want: []expected{{says: `library panel "Shared"`}}},
		{name: "repeated, and said once", board: boardWith(`{"name": "v", "type": "custom", "query": "a,b", "multi": true, "current": {"text": ["a", "b"], "value": ["a", "b"]}}`,
			`{"id": 1, "type": "stat", "repeat": "v", "datasource": {"uid": "-- Grafana --"}, "targets": [{"refId": "A"}]}`),
			want: []expected{{says: "Grafana's own"}}},
		{name: "checked", board: boardWith("", panelWith(1, "a", "up"))},
		{name: "hidden", board: boardWith("", `{"id": 1, "type": "stat", "datasource": {"uid": "-- Grafana --"}, "targets": [{"refId": "A", "hide": true}]}`)},
	})
}

func TestPanelUncheckedLive(t *testing.T) {
	f := shipped(t).write(boardFile, boardWith(modelVariable+`, {"name": "spare", "type": "query", "query": "label_values(up, job)"}`,
		panelWith(1, "a", `up{a="$model"} offset 1w`)+","+panelWith(2, "b", "up")))
	in := f.live()
	b := in.Boards[0]
	for _, name := range []string{"model", "spare"} {
		in.Variables = append(in.Variables, Variable{Board: b, Resolution: query.Resolution{Variable: b.Variable(name), Unchecked: "nobody knows"}})
	}
	f.expect(panelUnchecked().Live(in), []expected{{at: `"label_values(nv_inference_count`, says: `variable "model" is not checked: nobody knows`}})

	in.Variables = nil
	early := f.ask(in, "a")
	early.Sent, early.Status, early.Skip = true, StatusUnchecked, "it looks back"
	again := *early
	in.Asked = append(in.Asked, &again) // for another value
	f.ask(in, "b").Status = StatusOK
	f.expect(panelUnchecked().Live(in), []expected{{at: `"up{a=`, says: "not checked: it looks back", fix: "--history", severity: Warning}})
}
