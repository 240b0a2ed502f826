package rule

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/e2e/grafana"
	"github.com/panelgate/panelgate/e2e/query"
)

func TestDatasourceInvalid(t *testing.T) {
	runFileCases(t, datasourceInvalid(), []fileCase{
		{
			name: "broken YAML",
			edit: func(f *fixture) { f.write(datasourceFile, "apiVersion: 1\ndatasources:\n  - name: [Prometheus\n") },
			file: datasourceFile, at: "  - name: [Prom", message: []string{"YAML"},
		},
		{
			name: "an entry that is none",
			edit: func(f *fixture) { f.write(datasourceFile, "apiVersion: 1\ndatasources:\n  - Prometheus\n") },
			file: datasourceFile, at: "Prometheus", message: []string{"an object is expected"},
		},
		{
			name: "no name",
			edit: func(f *fixture) {
				f.replace(datasourceFile, "  - name: Prometheus\n", "  - access: proxy\n").replace(datasourceFile, "    access: proxy\n", "")
			},
			file: datasourceFile, at: "access: proxy", message: []string{"without a name"},
		},
		{
			name: "isDefault that is neither true nor false",
			edit: func(f *fixture) { f.replace(datasourceFile, "isDefault: true", "isDefault: maybe") },
			file: datasourceFile, at: "maybe", message: []string{`"maybe"`},
		},
		{
			name: "a folder that is not mounted is said of the mount",
			edit: func(f *fixture) { f.replace(composeFile, "./grafana/provisioning:", "./grafana/provision:") },
		},
		{name: "no datasource", edit: func(f *fixture) { f.remove(datasourceFile) }},
	})
}

func TestDatasourceInvalidWhereGrafanaHasNone(t *testing.T) {
	for _, c := range []struct {
		name string
		edit func(*fixture)
		live func(*Served)
		want []expected
	}{
		{name: "taken over"},
		{name: "not there", live: func(s *Served) {
			s.Datasources = nil
			s.Log = []string{`logger=provisioning.datasources level=error msg="refused" name=Prometheus`, `logger=x level=error msg="of others" name=Prometheus`}
		}, want: []expected{{file: datasourceFile, at: "prometheus", says: `has not taken over datasource "Prometheus": it has none of uid "prometheus"`,
			evidence: "Grafana has no datasource\nGrafana's log: provisioning.datasources: refused (name=Prometheus)", fix: "mounts"}}},
		{name: "there under another uid", live: func(s *Served) { s.Datasources[0].UID = "old" },
			want: []expected{{file: datasourceFile, says: `one of that name with uid "old"`, evidence: `old ("Prometheus", prometheus)`, fix: "set uid: old"}}},
		{name: "of an organisation that was not asked", edit: func(f *fixture) { f.write(secondFile, secondEntry) },
			live: func(s *Served) { s.Datasources = s.Datasources[:1] }},
		{name: "replaced by one of the same name, as the files say", edit: func(f *fixture) {
			f.write(secondFile, "apiVersion: 1\ndatasources:\n  - {name: Prometheus, type: prometheus, uid: b, url: 'http://prometheus:9090', access: proxy}\n")
		}, live: func(s *Served) { s.Datasources = s.Datasources[1:] }},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := shipped(t)
			if c.edit != nil {
				c.edit(f)
			}
			f.expect(datasourceInvalid().Live(f.served(c.live)), c.want)
		})
	}
}

// The panels that ask it are counted, and not said to have an unknown datasource.
func TestDatasourceInvalidCountsQueries(t *testing.T) {
	f := shipped(t).write(boardFile, boardWith("", panelWith(1, "a", "up")))
	in := f.served(func(s *Served) { s.Datasources = nil })
	a := f.ask(in, "a")
	a.Err = fmt.Errorf("x: %w", grafana.ErrUnknownDatasource)
	a.Grafana = &ThroughGrafana{Err: a.Err}
	f.expect(datasourceInvalid().Live(in), []expected{{file: datasourceFile, evidence: "queries of the panels that ask it: 1"}})
	assert.Empty(t, datasourceUIDUnknown().Live(in))
	assert.Empty(t, panelQueryError().Live(in))
}

// A uid that was another before is what Grafana stumbles over on its old volume.
func TestDatasourceInvalidOnAnOldVolume(t *testing.T) {
	f := shipped(t)
	in := f.failed(env.RoleGrafana, "grafana: Datasource provisioning error: data source not found")
	in.Instance.Before = &env.Before{Datasources: []grafana.Datasource{{Name: "Prometheus", UID: "old"}}}
	f.expect(datasourceInvalid().Live(in), []expected{{file: datasourceFile, at: "prometheus", says: "data source not found", fix: "deleteDatasources"}})
}

// Where there is no way to Prometheus but through Grafana, all that asks the
// datasource fails, and it is said once.
func TestDatasourceInvalidIsSaidOnce(t *testing.T) {
	f := shipped(t).write(boardFile, boardWith(modelVariable, panelWith(1, "a", "up")))
	in := f.served(func(s *Served) { s.Datasources = nil })
	in.Instance.Proxied = func(string) (string, error) { return "http://localhost:3000/api/datasources/uid/x", nil }
	f.ask(in, "a").Err = errors.New("client error: 404")
	in.Variables = []Variable{{Board: in.Boards[0], Resolution: query.Resolution{Variable: in.Boards[0].Variables[0], Err: errors.New("client error: 404")}}}
	assert.Empty(t, panelQueryError().Live(in))
	assert.Empty(t, variableQueryError().Live(in))
	f.expect(datasourceInvalid().Live(in), []expected{{file: datasourceFile, says: "has not taken over"}})
	in.Instance.Proxied = nil
	assert.Len(t, panelQueryError().Live(in), 1)
	assert.Len(t, variableQueryError().Live(in), 1)
}
