package rule

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/panelgate/panelgate/e2e/grafana"
)

func TestDatasourceTypeMismatch(t *testing.T) {
	withLoki := func(board func(*fixture)) func(*fixture) {
		return func(f *fixture) {
			f.write("grafana/provisioning/datasources/loki.yaml",
				"apiVersion: 1\ndatasources:\n  - {name: Loki, uid: loki, type: loki, url: 'http://loki:3100'}\n")
			board(f)
		}
	}
	ref := func(typ, uid string) string { return `"datasource": {"type": "` + typ + `", "uid": "` + uid + `"},` }
	runFileCases(t, datasourceTypeMismatch(), []fileCase{
		{
			name: "a PromQL query sent to Loki", edit: withLoki(panelOf(ref("prometheus", "loki"), ref("prometheus", "loki"), "")),
			file: boardFile, at: `"prometheus", "uid"`,
			message: []string{`panel "Up" says type "prometheus"`, `datasource "Loki" of type "loki"`}, fix: `set uid "prometheus"`,
		},
		{
			name: "through a datasource variable",
			edit: withLoki(panelOf(ref("prometheus", "$ds"), "", `{"name": "ds", "type": "datasource", "query": "loki"}`)),
			file: boardFile, at: `"prometheus", "uid"`, message: []string{`"$ds"`},
		},
		{
			name: "a type that no datasource has", edit: panelOf(ref("loki", "prometheus"), "", ""),
			file: boardFile, at: `"loki"`, fix: `set type "prometheus"`,
		},
		{name: "the right type", edit: withLoki(panelOf(ref("prometheus", "prometheus"), ref("loki", "loki"), ""))},
		{name: "no type", edit: withLoki(panelOf(`"datasource": {"uid": "loki"},`, "", ""))},
		{name: "a vendor's name of the plugin", edit: panelOf(ref("grafana-amazonprometheus-datasource", "prometheus"), "", "")},
		{name: "Grafana's own", edit: panelOf(ref("datasource", "grafana"), ref("datasource", "-- Mixed --"), "")},
		{name: "an unknown uid is another rule's", edit: panelOf(ref("loki", "lost"), "", "")},
	})
}

func TestDatasourceTypeMismatchInGrafana(t *testing.T) {
	panel := func(ref string) string {
		return boardWith("", `{"id": 1, "type": "stat", "title": "a", "datasource": `+ref+`, "targets": [{"refId": "A", "expr": "up"}]}`)
	}
	loki := func(s *Served) { s.Datasources[0].Type = "loki" }
	for _, c := range []struct {
		name, ref string
		live      func(*Served)
		want      []expected
	}{
		{name: "as the files say", ref: `{"type": "prometheus", "uid": "prometheus"}`},
		{name: "of another type", ref: `{"type": "prometheus", "uid": "prometheus"}`, live: loki,
			want: []expected{{at: `"prometheus", "uid"`, says: `datasource "Prometheus" of type "loki" in Grafana`, evidence: "Grafana has prometheus", fix: `set type "loki"`}}},
		{name: "a vendor's name of the plugin", ref: `{"type": "prometheus", "uid": "prometheus"}`, live: func(s *Served) { s.Datasources[0].Type = "grafana-amazonprometheus-datasource" }},
		{name: "what the files say", ref: `{"type": "loki", "uid": "prometheus"}`},
		{name: "no type", ref: `{"uid": "prometheus"}`, live: loki},
		{name: "one that only Grafana has", ref: `{"type": "loki", "uid": "tempo"}`, live: func(s *Served) {
			s.Datasources = append(s.Datasources, grafana.Datasource{UID: "tempo", Name: "T", Type: "tempo"})
		}, want: []expected{{says: `of type "tempo"`}}},
		{name: "Grafana's own", ref: `{"type": "grafana", "uid": "-- Grafana --"}`, live: loki},
		{name: "Grafana has none", ref: `{"type": "prometheus", "uid": "prometheus"}`, live: func(s *Served) { s.Datasources = nil }},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := shipped(t).write(boardFile, panel(c.ref))
			f.expect(datasourceTypeMismatch().Live(f.served(c.live)), c.want)
		})
	}
	assert.Empty(t, datasourceTypeMismatch().Live(shipped(t).live()))
}
