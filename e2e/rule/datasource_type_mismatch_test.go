package rule

import "testing"

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
