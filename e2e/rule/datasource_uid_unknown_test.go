package rule

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/e2e/grafana"
	"github.com/panelgate/panelgate/e2e/query"
)

// onePanelBoard is a dashboard with one panel and one target, whose references and
// variables are given as JSON members with a comma behind.
func onePanelBoard(panel, target, variables string) string {
	return fmt.Sprintf(`{
  "uid": "one", "title": "One", "schemaVersion": 41,
  "templating": {"list": [%s]},
  "panels": [
    {"id": 1, "type": "timeseries", "title": "Up", %s
     "targets": [{"refId": "A", %s "expr": "up"}]}
  ]
}`, variables, panel, target)
}

func panelOf(panel, target, variables string) func(*fixture) {
	return func(f *fixture) { f.dashboardFile(onePanelBoard(panel, target, variables)) }
}

func TestDatasourceUIDUnknown(t *testing.T) {
	const (
		right     = `"datasource": {"type": "prometheus", "uid": "prometheus"},`
		noDefault = "    isDefault: true\n"
	)
	datasourceVariable := func(plugin, regex string) string {
		return fmt.Sprintf(`{"name": "ds", "type": "datasource", "query": %q, "regex": %q}`, plugin, regex)
	}
	runFileCases(t, datasourceUIDUnknown(), []fileCase{
		{
			name: "a datasource of another organisation",
			edit: func(f *fixture) {
				f.replace(datasourceFile, "    uid: prometheus\n", "    uid: prometheus\n    orgId: 2\n")
				panelOf(`"datasource": {"type": "prometheus", "uid": "prometheus"},`, "", "")(f)
			},
			file: boardFile, at: `"prometheus"}`, message: []string{"organisation 2", "and the dashboard to 1"}, fix: "the same orgId",
		},
		{
			name: "a mistyped uid", edit: panelOf(`"datasource": {"type": "prometheus", "uid": "promethus"},`, "", ""),
			file: boardFile, at: `"promethus"`,
			message:  []string{`panel "Up"`, `"promethus"`, "nearest: prometheus"},
			evidence: `prometheus ("Prometheus", prometheus)`, fix: `set uid "prometheus", which is datasource "Prometheus"`,
		},
		{
			name: "a uid of another Grafana, in the panel and its target",
			edit: panelOf(`"datasource": {"type": "prometheus", "uid": "adf3c9"},`, `"datasource": {"type": "prometheus", "uid": "adf3c9"},`, ""),
			file: boardFile, at: `"adf3c9"`, evidence: "the same in target A", fix: `"prometheus"`,
		},
		{
			name: "a target's own", edit: panelOf(right, `"datasource": {"type": "prometheus", "uid": "lost"},`, ""),
			file: boardFile, at: `"lost"`, message: []string{`panel "Up"`, `"lost"`},
		},
		{
			name: "a legacy name", edit: panelOf(`"datasource": "Prom",`, "", ""),
			file: boardFile, at: `"Prom"`, message: []string{`"Prom"`, "nearest: prometheus"},
		},
		{
			name: "the one uid of the provisioning renamed",
			edit: func(f *fixture) {
				f.replace(datasourceFile, "uid: prometheus", "uid: prom").dashboardFile(onePanelBoard(right, "", ""))
			},
			file: boardFile, at: `"prometheus"}`, fix: `set uid "prom"`,
		},
		{
			name: "a query variable's",
			edit: panelOf(right, "", `{"name": "job", "type": "query", "datasource": {"uid": "lost"}, "query": "label_values(up, job)"}`),
			file: boardFile, at: `"lost"`, message: []string{`variable "job"`},
		},
		{
			name: "an annotation's",
			edit: func(f *fixture) {
				f.replace(boardFile, `"list": []`, `"list": [{"name": "Deploys", "datasource": {"uid": "lost"}, "enable": true}]`)
			},
			file: boardFile, at: `"lost"`, message: []string{`annotation "Deploys"`},
		},
		{
			name: "through a custom variable",
			edit: panelOf(`"datasource": {"uid": "${ds}"},`, "", `{"name": "ds", "type": "custom", "query": "lost", "current": {"text": "lost", "value": "lost"}}`),
			file: boardFile, at: `"${ds}"`, message: []string{`"lost", which "${ds}" stands for`},
		},
		{
			name: "a datasource variable of a type that is not there",
			edit: panelOf(`"datasource": {"uid": "$ds"},`, `"datasource": {"uid": "$ds"},`, datasourceVariable("loki", "")),
			file: boardFile, at: `"loki"`, message: []string{`none of type "loki"`, "2 places"},
		},
		{
			name: "a datasource variable whose regex leaves none",
			edit: panelOf(`"datasource": {"uid": "$ds"},`, "", datasourceVariable("prometheus", "/^Mimir/")),
			file: boardFile, at: `"prometheus"`, message: []string{"/^Mimir/"},
		},
		{
			name: "no default",
			edit: func(f *fixture) {
				f.replace(datasourceFile, noDefault, "").dashboardFile(onePanelBoard(`"datasource": null,`, "", ""))
			},
			file: boardFile, at: `{"refId": "A"`, message: []string{"1 place", "none is marked isDefault"}, fix: `name the uid "prometheus"`,
		},
		{
			name: "none provisioned",
			edit: func(f *fixture) { f.remove(datasourceFile).dashboardFile(onePanelBoard(right, right, "")) },
			file: boardFile, at: `"prometheus"}`, message: []string{"no datasource is provisioned", "2 places"}, fix: "provisioning/datasources",
		},
		{
			name: "none provisioned, because the file is broken",
			edit: func(f *fixture) {
				f.write(datasourceFile, "apiVersion: 1\ndatasources: [\n").dashboardFile(onePanelBoard(right, "", ""))
			},
			file: boardFile, at: `"prometheus"}`, fix: "mend the datasource provisioning",
		},
		{name: "the uid", edit: panelOf(right, right, "")},
		{name: "the name", edit: panelOf(`"datasource": "Prometheus",`, "", "")},
		{name: "the default by name, by null and by nothing", edit: panelOf(`"datasource": "default",`, `"datasource": null,`, "")},
		{name: "mixed, with a target's own", edit: panelOf(`"datasource": {"uid": "-- Mixed --"},`, right, "")},
		{name: "Grafana's own", edit: panelOf(`"datasource": {"type": "datasource", "uid": "grafana"},`, `"datasource": {"uid": "-- Grafana --"},`, "")},
		{name: "another panel's result", edit: panelOf(`"datasource": {"uid": "-- Dashboard --"},`, "", "")},
		{name: "an expression", edit: panelOf(right, `"datasource": {"type": "__expr__", "uid": "__expr__"},`, "")},
		{name: "an input of an export is another rule's", edit: panelOf(`"datasource": {"uid": "${DS_PROMETHEUS}"},`, `"datasource": "${DS_MY-PROM}",`, "")},
		{name: "an undefined variable is another rule's", edit: panelOf(`"datasource": {"uid": "${nowhere}"},`, "", "")},
		{name: "a variable that only a server can fill", edit: panelOf(`"datasource": {"uid": "$ds"},`, "",
			`{"name": "ds", "type": "query", "datasource": {"uid": "prometheus"}, "query": "label_values(source)", "current": {"value": "lost"}}`)},
		{name: "a hidden target", edit: panelOf(right, `"hide": true, "datasource": {"uid": "lost"},`, "")},
		{name: "a panel that asks nothing", edit: func(f *fixture) {
			f.dashboardFile(`{"uid": "a", "title": "A", "panels": [{"id": 1, "type": "text", "title": "T", "datasource": {"uid": "lost"}}]}`)
		}},
	})
}

// Two panels are two places, a panel and its targets are one.
func TestDatasourceUIDUnknownOncePerPanel(t *testing.T) {
	f := shipped(t)
	panel := `{"id": %d, "type": "timeseries", "title": "P%d", "datasource": {"uid": "lost"}, "targets": [
	  {"refId": "A", "expr": "up", "datasource": {"uid": "lost"}}, {"refId": "B", "expr": "up", "datasource": {"uid": "gone"}}]}`
	f.dashboardFile(`{"uid": "a", "title": "A", "panels": [` + fmt.Sprintf(panel, 1, 1) + "," + fmt.Sprintf(panel, 2, 2) + `]}`)
	var got []string
	for _, found := range f.check(datasourceUIDUnknown()) {
		got = append(got, fmt.Sprintf("%s %s", found.Panel, found.RefID))
	}
	assert.Equal(t, []string{"P1 ", "P1 B", "P2 ", "P2 B"}, got)
}

func TestDatasourceUIDUnknownLive(t *testing.T) {
	f := shipped(t)
	f.dashboardFile(onePanelBoard(`"datasource": {"uid": "$ds"},`, "",
		`{"name": "ds", "type": "query", "datasource": {"uid": "prometheus"}, "query": "label_values(source)"}`))
	static := f.static()
	require.Empty(t, datasourceUIDUnknown().Static(static))
	q := *static.Boards[0].Questions[0]
	q.RefErr = &query.DatasourceError{Key: "$ds", Resolved: "prometheos"}
	in := &Live{Static: static, Asked: []*Asked{{Question: &q, Status: StatusFailed}, {Question: &q, Status: StatusFailed}}}
	found := datasourceUIDUnknown().Live(in)
	require.Len(t, found, 1, "a repeated panel is said once")
	assert.Equal(t, f.place(boardFile, `"$ds"`), found[0].Pos)
	assert.Contains(t, found[0].Message, "prometheos")
	assert.Contains(t, found[0].Fix, `"prometheus"`)

	q.RefErr = nil
	assert.Empty(t, datasourceUIDUnknown().Live(in))
}

func TestDatasourceUIDUnknownLiveLeavesTheStaticOnes(t *testing.T) {
	f := shipped(t)
	f.dashboardFile(onePanelBoard(`"datasource": {"uid": "lost"},`, "", ""))
	static := f.static()
	require.Len(t, datasourceUIDUnknown().Static(static), 1)
	q := static.Boards[0].Questions[0]
	require.Error(t, q.RefErr)
	assert.Empty(t, datasourceUIDUnknown().Live(&Live{Static: static, Asked: []*Asked{{Question: q, Status: StatusFailed}}}))
}

// No reference that leads nowhere may stay without a finding: its query fails,
// and no other rule says why.
func TestDatasourceUIDUnknownCoversEveryRefErr(t *testing.T) {
	refs := []string{`"lost"`, `{"uid": "lost"}`, `null`, `"default"`, `{"type": "prometheus"}`, `"-- Mixed --"`, `"$loki"`, `{"uid": "${text}"}`}
	for _, panel := range refs {
		for _, target := range refs {
			f := shipped(t).replace(datasourceFile, "    isDefault: true\n", "")
			f.dashboardFile(onePanelBoard(`"datasource": `+panel+",", `"datasource": `+target+",",
				`{"name": "loki", "type": "datasource", "query": "loki"}, {"name": "text", "type": "constant", "query": "lost"}`))
			in := f.static()
			require.Len(t, in.Boards[0].Questions, 1)
			if in.Boards[0].Questions[0].RefErr != nil {
				assert.NotEmpty(t, datasourceUIDUnknown().Static(in), "panel %s, target %s", panel, target)
			}
		}
	}
}

// Grafana itself has no such datasource, though the files have.
func TestDatasourceUIDUnknownToGrafana(t *testing.T) {
	f := shipped(t).write(boardFile, boardWith("", panelWith(1, "a", "up", "up + 1")))
	in := f.served(nil)
	for _, q := range in.Boards[0].Questions {
		err := fmt.Errorf("ask: %w", grafana.ErrUnknownDatasource)
		in.Asked = append(in.Asked, &Asked{Question: q, Sent: true, Status: StatusFailed, Err: err, Grafana: &ThroughGrafana{Err: err}})
	}
	in.Stack.Datasources[0].EffectiveUID = "prometheu" // in an organisation that was not asked
	in.Stack.Datasources[0].OrgID = 2
	f.expect(datasourceUIDUnknown().Live(in), []expected{
		{at: `{"refId": "A"`, says: `Grafana has no datasource of uid "prometheu", nearest: prometheus`, evidence: "Grafana has prometheus", fix: `set uid "prometheus"`},
		{at: `{"refId": "B"`},
	})
	in.Served.Datasources = nil
	in.Asked = in.Asked[:1]
	f.expect(datasourceUIDUnknown().Live(in), []expected{{evidence: "Grafana has no datasource", fix: "provision one"}})
	in.Said = []Finding{{Rule: "datasource/uid-unknown", Severity: Error, Pos: in.Asked[0].Target.Pos}}
	f.expect(datasourceUIDUnknown().Live(in), nil)
}
