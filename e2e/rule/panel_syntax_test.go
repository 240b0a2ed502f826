package rule

import "testing"

func TestPanelSyntax(t *testing.T) {
	const custom = `, {"name": "window", "type": "custom", "query": "5m,1h", "current": {"text": "5m", "value": "5m"}}`
	expr := func(e string) string { return boardWith(modelVariable+custom, panelWith(1, "a", e)) }
	checkCases(t, panelSyntax(), []ruleCase{
		{name: "one parenthesis too many", board: expr(`sum(rate(up[5m])))`), want: []expected{{at: `)"}`, says: `does not parse: unexpected right parenthesis`, evidence: `stops at ")"`}}},
		{name: "behind a macro", board: expr(`rate(up[$__rate_interval]) + + * 2`), want: []expected{{at: `* 2`, says: "unexpected <op:*>"}}},
		{name: "behind a custom variable and escapes", board: expr(`rate(up{a="b"}[$window])) > 1`), want: []expected{{at: `) > 1`}}},
		{name: "a misspelt function", board: expr(`sum(increse(up[5m]))`), want: []expected{{at: "increse(", says: "unknown function", fix: "write increase"}}},
		{name: "a rate of no range", board: expr(`rate(up)`), want: []expected{{at: "up", says: "expected type range vector"}}},
		{name: "the second of two queries", board: boardWith("", panelWith(1, "a", "up", "up{")), want: []expected{{at: `"}`}}},
		{name: "repeated, and said once", board: boardWith(custom[1:], `{"id": 1, "type": "stat", "repeat": "window", "targets": [{"refId": "A", "expr": "up{"}]}`),
			want: []expected{{}}},
		{name: "what a guessed variable may mend", board: expr(`sum by (model) $model (up)`)},
		{name: "what no value of it mends", board: expr(`sum(rate(up{model=~"$model"}[5m])))`), want: []expected{{at: `)"}`}}},
		{name: "what two guessed variables may mend together", board: boardWith(queryVariable("metric", "metrics(nv_.*)")+","+queryVariable("span", "label_values(span)"),
			panelWith(1, "a", `rate(${metric}{job="x"}[$span])`))},
		{name: "what a variable that is not there may mend", board: expr(`rate(up[$gone])`)},
		{name: "hidden", board: boardWith("", `{"id": 1, "type": "stat", "targets": [{"refId": "A", "expr": "up{", "hide": true}]}`)},
		{name: "another language", board: boardWith("", `{"id": 1, "type": "stat", "datasource": {"uid": "-- Grafana --"}, "targets": [{"refId": "A", "expr": "select ("}]}`)},
		{name: "experimental functions", board: expr(`limitk(2, up)`)},
	})
}
