package rule

import (
	"errors"
	"testing"
	"time"
)

func TestPanelAnswersDiffer(t *testing.T) {
	differs := []string{`only Prometheus has up{job="a"}`, `up{job="b"} at 12:00:00: Prometheus has 1, Grafana 0`}
	for _, c := range []struct {
		name   string
		answer func(*Asked)
		want   []expected
	}{
		{name: "not asked through Grafana", answer: func(*Asked) {}},
		{name: "they agree", answer: func(a *Asked) { a.Grafana = &ThroughGrafana{Series: 1} }},
		{name: "they differ", answer: func(a *Asked) {
			a.Grafana = &ThroughGrafana{Series: 1, Samples: 7, Differs: differs, Executed: "Expr: up\nStep: 15s"}
		}, want: []expected{{at: `"up"`, says: "1 series and 7 samples, and not as Prometheus does",
			evidence: differs[0] + "\n" + differs[1] + "\nPrometheus was asked: up, step 15s\nGrafana's back end ran: Expr: up Step: 15s", fix: "datasource"}}},
		{name: "of an instant query", answer: func(a *Asked) {
			a.Request.Instant, a.Grafana = true, &ThroughGrafana{Differs: differs[:1]}
		}, want: []expected{{evidence: "up, at one moment"}}},
		{name: "another query was run", answer: func(a *Asked) {
			a.Grafana = &ThroughGrafana{Differs: differs[:1], Executed: "Expr: rate(up[1m])"}
		}, want: []expected{{evidence: "ran: Expr: rate(up[1m])"}}},
		{name: "refused by Grafana", answer: func(a *Asked) { a.Grafana = &ThroughGrafana{Err: errors.New("x"), Differs: differs} }},
		{name: "refused by Prometheus", answer: func(a *Asked) { a.Err, a.Grafana = errors.New("x"), &ThroughGrafana{Differs: differs} }},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := shipped(t).write(boardFile, boardWith("", panelWith(1, "a", "up")))
			in := f.served(nil)
			a := f.ask(in, "a")
			a.Status, a.Err, a.Request.Step = StatusOK, nil, 15*time.Second
			c.answer(a)
			f.expect(panelAnswersDiffer().Live(in), c.want)
		})
	}
}
