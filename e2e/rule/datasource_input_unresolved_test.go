package rule

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestDatasourceInputUnresolved(t *testing.T) {
	const (
		reference = `"datasource": {"type": "prometheus", "uid": "${DS_PROMETHEUS}"},`
		inputs    = `"__inputs": [{"name": "DS_PROMETHEUS", "type": "datasource", "pluginId": "prometheus"}, {"name": "VAR_RATE", "type": "constant", "value": "5m"}],`
	)
	export := func(panel, target, variables string) func(*fixture) {
		return func(f *fixture) {
			f.dashboardFile("{" + inputs + onePanelBoard(panel, target, variables)[1:])
		}
	}
	// The other input is used in a way that is right, or that is left out.
	const rate = `{"name": "VAR_RATE", "type": "constant", "query": "5m"}`
	runFileCases(t, datasourceInputUnresolved(), []fileCase{
		{
			name: "a datasource, in a panel and its target", edit: export(reference, reference, rate),
			file: boardFile, at: "${DS_PROMETHEUS}",
			message:  []string{"${DS_PROMETHEUS}", "2 places"},
			evidence: boardFile + ":1:", fix: `by "prometheus", the uid of datasource "Prometheus"`,
		},
		{
			name: "no list of inputs", edit: panelOf(reference, "", ""),
			file: boardFile, at: "${DS_PROMETHEUS}", message: []string{"1 place"}, fix: `"prometheus"`,
		},
		{
			name: "a name with a hyphen", edit: panelOf(`"datasource": "${DS_PROMETHEUS-K8S}",`, "", ""),
			file: boardFile, at: "${DS_PROMETHEUS-K8S}", message: []string{"${DS_PROMETHEUS-K8S}"},
		},
		{
			name: "a constant",
			edit: export("", "", `{"name": "DS_PROMETHEUS", "type": "datasource", "query": "prometheus"}, {"name": "rate", "type": "constant", "query": "${VAR_RATE}"}`),
			file: boardFile, at: "${VAR_RATE}", message: []string{"${VAR_RATE}"}, fix: "by its value",
		},
		{
			name: "listed and not used",
			edit: export("", "", rate),
			file: boardFile, at: `"DS_PROMETHEUS"`, message: []string{"nothing of the dashboard uses it"},
		},
		{
			name: "a variable of that name",
			edit: export(reference, reference, rate+`, {"name": "DS_PROMETHEUS", "type": "datasource", "query": "prometheus"}`),
		},
		{name: "a variable that is none", edit: panelOf(`"datasource": {"uid": "${datasource}"},`, "", "")},
	})
}

// Where several panels use an input, the finding stands at the first in the file.
func TestDatasourceInputUnresolvedFirstPlace(t *testing.T) {
	f := shipped(t)
	f.dashboardFile(`{"uid": "a", "title": "A",
	  "panels": [{"id": 1, "type": "stat", "title": "P", "targets": [{"refId": "A", "expr": "up", "datasource": "${DS_A}"}]}],
	  "templating": {"list": [{"name": "v", "type": "query", "datasource": "${DS_A}", "query": "label_values(up, job)"}]}}`)
	found := f.check(datasourceInputUnresolved())
	require.Len(t, found, 1)
	assert.Equal(t, f.place(boardFile, "${DS_A}"), found[0].Pos)
	assert.Equal(t, "P", found[0].Panel)
	assert.Equal(t, "A", found[0].RefID)
}
