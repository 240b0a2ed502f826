package rule

import "testing"

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
