package rule

import "testing"

func TestDatasourceUIDImplicit(t *testing.T) {
	const derived = "PBFA97CFB590B2093"
	noUID := func(board func(*fixture)) func(*fixture) {
		return func(f *fixture) {
			f.replace(datasourceFile, "    uid: prometheus\n", "")
			board(f)
		}
	}
	runFileCases(t, datasourceUIDImplicit(), []fileCase{
		{
			name: "a dashboard names the derived uid",
			edit: noUID(panelOf(`"datasource": {"uid": "`+derived+`"},`, `"datasource": {"uid": "`+derived+`"},`, "")),
			file: datasourceFile, at: "Prometheus\n", message: []string{`"Prometheus" has no uid`, "2 places", derived},
			evidence: "named at " + boardFile, fix: "uid: " + derived,
		},
		{
			name: "the uid is written down",
			edit: func(f *fixture) {
				f.replace(datasourceFile, "uid: prometheus", "uid: "+derived)
				panelOf(`"datasource": {"uid": "`+derived+`"},`, "", "")(f)
			},
		},
		{name: "by name", edit: noUID(panelOf(`"datasource": "Prometheus",`, "", ""))},
		{
			name: "through a datasource variable", edit: noUID(func(*fixture) {}),
			file: datasourceFile, at: "Prometheus\n", message: []string{"has no uid", derived}, evidence: "through a variable at " + boardFile,
		},
	})
}
