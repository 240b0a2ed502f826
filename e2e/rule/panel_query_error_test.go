package rule

import (
	"errors"
	"testing"
)

func TestPanelQueryError(t *testing.T) {
	const refusal = "execution: found duplicate series for the match group {} on the right hand-side of the operation"
	for _, c := range []struct {
		name, expr string
		answer     func(*Asked)
		want       []expected
	}{
		{name: "refused", expr: "up / up", answer: func(a *Asked) { a.Err = errors.New(refusal) },
			want: []expected{{at: `"up / up"`, says: "Prometheus refuses the query: " + refusal, fix: "match on a label"}}},
		{name: "an error that is not known", expr: "up", answer: func(a *Asked) { a.Err = errors.New("server error: 500") },
			want: []expected{{says: "500", fix: "as the error says"}}},
		{name: "broken by the value of a variable", expr: `sum($model)`, answer: func(a *Asked) {
			a.Request.Expr, a.Err = `sum(a b)`, errors.New("bad_data: 1:7: parse error")
		}, want: []expected{{says: "does not parse with the values that its variables have: unexpected identifier"}}},
		{name: "what panel/syntax says", expr: `sum(up))`, answer: func(a *Asked) { a.Err = errors.New("bad_data: parse error") }},
		{name: "what variable/undefined says", expr: `up[$gone]`, answer: func(a *Asked) { a.Err = errors.New("bad_data: parse error") }},
		{name: "answered", expr: "up", answer: func(a *Asked) { a.Status = StatusOK }},
		{name: "not sent, the datasource is to blame", expr: "up", answer: func(a *Asked) { a.Sent, a.Err = false, errors.New("its datasource cannot be reached") }},
		{name: "an empty query is panel/no-data", expr: " ", answer: func(*Asked) {}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := shipped(t).write(boardFile, boardWith(modelVariable, panelWith(1, "a", c.expr)))
			in := f.live()
			c.answer(f.ask(in, "a"))
			f.expect(panelQueryError().Live(in), c.want)
		})
	}
}

func TestPanelQueryErrorOfSettings(t *testing.T) {
	f := shipped(t).write(boardFile, boardWith("", `{"id": 1, "type": "stat", "title": "a", "interval": "often", "targets": [{"refId": "A", "expr": "up"}]}`))
	in := f.live()
	f.ask(in, "a")
	f.expect(panelQueryError().Live(in), []expected{{at: `"up"`, says: `"often" is no interval`}})

	f = shipped(t).write(boardFile, boardWith("", `{"id": 1, "type": "stat", "title": "a"}`))
	in = f.live()
	f.ask(in, "a") // a panel without a query
	f.expect(panelQueryError().Live(in), nil)
}

func TestPanelQueryErrorOfAnotherPanelsResult(t *testing.T) {
	f := shipped(t).write(boardFile, boardWith("", `{"id": 1, "type": "stat", "title": "a", "datasource": {"uid": "-- Dashboard --"}, "targets": [{"refId": "A", "panelId": 9}]}, {"id": 2, "type": "stat", "title": "other"}`))
	in := f.live()
	f.ask(in, "a")
	f.expect(panelQueryError().Live(in), []expected{{at: `9}`, says: "panel 9, and the dashboard has no such panel", fix: "panel"}})
	f.expect(panelNoData().Live(in), nil)
}
