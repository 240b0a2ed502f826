package rule

import "testing"

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
