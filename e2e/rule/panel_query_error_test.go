package rule

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/e2e/grafana"
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

func TestPanelQueryErrorOfResultsThatAreNowhere(t *testing.T) {
	const shared = `"datasource": {"uid": "-- Dashboard --"}, "targets": [{"refId": "A", "panelId": %s}]}`
	panel := func(id int, title, from string) string {
		return fmt.Sprintf(`{"id": %d, "type": "stat", "title": %q, `+shared, id, title, from)
	}
	asking := `{"id": 9, "type": "stat", "title": "asks", "targets": [{"refId": "A", "expr": "up"}]}`
	for _, c := range []struct {
		name, panels string
		want         []expected
	}{
		{name: "its own", panels: panel(1, "a", "1"), want: []expected{{at: `1}]`, says: "panel 1, which is this one", evidence: "there are 9"}}},
		{name: "no panel's", panels: strings.Replace(panel(1, "a", "1"), `, "panelId": 1`, "", 1), want: []expected{{at: `{"refId"`, says: "another panel, and names none"}}},
		{name: "a text's", panels: panel(1, "a", "2") + `, {"id": 2, "type": "text", "title": "t"}`, want: []expected{{at: `2}]`, says: `panel 2 ("t"), which asks nothing`}}},
		{name: "a row's", panels: panel(1, "a", "2") + `, {"id": 2, "type": "row", "title": "r"}`, want: []expected{{says: `panel 2 ("r"), which asks nothing`}}},
		{name: "hidden queries'", panels: panel(1, "a", "2") + `, {"id": 2, "type": "text", "title": "h", "targets": [{"refId": "A", "expr": "up", "hide": true}]}`,
			want: []expected{{says: `panel 2 ("h"), which asks nothing`}}},
		{name: "one another's", panels: panel(1, "a", "2") + ", " + panel(2, "b", "1"), want: []expected{{says: `panel 2 ("b"), which shows the result of this one`}}},
		{name: "in a ring", panels: panel(1, "a", "2") + ", " + panel(2, "b", "3") + ", " + panel(3, "c", "1"),
			want: []expected{{says: `panel 2 ("b"), which shows the result of this one`}}},
		{name: "through another panel", panels: panel(1, "a", "2") + ", " + panel(2, "b", "9")},
		{name: "of a ring that others make", panels: panel(1, "a", "2") + ", " + panel(2, "b", "3") + ", " + panel(3, "c", "2")}, // which they say
		{name: "of a panel that asks something, too", panels: panel(1, "a", "2") + `, {"id": 2, "type": "stat", "title": "b", "datasource": {"uid": "-- Mixed --"}, "targets": [
        {"refId": "A", "datasource": {"uid": "-- Dashboard --"}, "panelId": 1}, {"refId": "B", "datasource": {"uid": "prometheus"}, "expr": "up"}]}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := shipped(t).write(boardFile, boardWith("", c.panels+",\n"+asking))
			in := f.live()
			f.ask(in, "a")
			f.expect(panelQueryError().Live(in), c.want)
		})
	}
}

func TestPanelQueryErrorOfGrafana(t *testing.T) {
	refused := func(err error) func(*Live, *Asked) {
		return func(_ *Live, a *Asked) { a.Grafana, a.Err = &ThroughGrafana{Err: err, Executed: "Expr: up"}, err }
	}
	for _, c := range []struct {
		name   string
		answer func(*Live, *Asked)
		want   []expected
	}{
		{name: "Grafana alone refuses", answer: refused(&grafana.QueryError{RefID: "A", Status: 500, Message: "bad \x1b[31mstep"}),
			want: []expected{{at: `"up"`, says: "Grafana refuses the query, which Prometheus answers: bad step", evidence: "Expr: up", fix: "as the error says"}}},
		{name: "no plugin", answer: refused(fmt.Errorf("%w: %w", grafana.ErrNoPlugin, &grafana.StatusError{Status: 404, Message: "Plugin not found"})),
			want: []expected{{says: "Plugin not found (HTTP 404)", fix: "GF_PLUGINS_PREINSTALL_SYNC"}}},
		{name: "an error of no kind", answer: refused(errors.New("read Grafana's answer: x")), want: []expected{{says: "read Grafana's answer"}}},
		{name: "no such datasource is another rule's", answer: refused(fmt.Errorf("x: %w", grafana.ErrUnknownDatasource))},
		{name: "so is an unreachable one", answer: func(in *Live, a *Asked) {
			refused(errors.New("dial tcp: connection refused"))(in, a)
			in.Unreachable = map[string]string{"prometheus": "connection refused"}
		}},
		{name: "so is an unhealthy one", answer: func(in *Live, a *Asked) {
			refused(errors.New("400"))(in, a)
			in.Health = map[string]error{"prometheus": errors.New("400")}
		}},
		{name: "so is a Prometheus that is down", answer: func(in *Live, a *Asked) {
			refused(errors.New("connection refused"))(in, a)
			in.Instance.Faults = []env.Fault{{Role: env.RolePrometheus}}
		}},
		{name: "Prometheus refuses, Grafana answers", answer: func(_ *Live, a *Asked) {
			a.Err, a.Grafana = errors.New("execution: x"), &ThroughGrafana{Series: 2}
		}, want: []expected{{says: "Prometheus refuses the query", evidence: "answered, with 2 series"}}},
		{name: "both refuse", answer: func(_ *Live, a *Asked) {
			a.Err, a.Grafana = errors.New("execution: x"), &ThroughGrafana{Err: errors.New("execution: x")}
		}, want: []expected{{says: "Prometheus refuses the query"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := shipped(t).write(boardFile, boardWith("", panelWith(1, "a", "up")))
			in := f.served(nil)
			c.answer(in, f.ask(in, "a"))
			f.expect(panelQueryError().Live(in), c.want)
		})
	}
}

// An expression fails by itself, or because a query that feeds it does.
func TestPanelQueryErrorOfExpressions(t *testing.T) {
	f := shipped(t).write(boardFile, boardWith("", `{"id": 1, "type": "stat", "title": "a", "targets": [{"refId": "A", "expr": "up"},
      {"refId": "B", "datasource": {"type": "__expr__", "uid": "__expr__"}, "type": "math", "expression": "$A + $C"}]}`))
	in := f.served(nil)
	for _, q := range in.Boards[0].Questions {
		in.Asked = append(in.Asked, &Asked{Question: q, Sent: true, Status: StatusOK})
	}
	computed := in.Asked[1]
	computed.Status, computed.Err = StatusFailed, errors.New("could not find refId C")
	computed.Grafana = &ThroughGrafana{Err: computed.Err}
	f.expect(panelQueryError().Live(in), []expected{{says: "Grafana cannot compute the expression: could not find refId C", fix: "fed with"}})

	in.Asked[0].Err, in.Asked[0].Request.Expr = errors.New("execution: x"), "up"
	f.expect(panelQueryError().Live(in), []expected{{says: "Prometheus refuses the query: execution: x"}})
}
