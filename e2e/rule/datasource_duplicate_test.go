package rule

import "testing"

func TestDatasourceDuplicate(t *testing.T) {
	second := func(entry string) func(*fixture) {
		return func(f *fixture) {
			f.write("grafana/provisioning/datasources/second.yaml", "apiVersion: 1\ndatasources:\n"+entry)
		}
	}
	const file = "grafana/provisioning/datasources/second.yaml"
	runFileCases(t, datasourceDuplicate(), []fileCase{
		{
			name: "one name", edit: second("  - {name: Prometheus, uid: other, type: prometheus, url: 'http://prometheus:9090'}\n"),
			file: file, at: "Prometheus", message: []string{`"Prometheus"`, "replaces"}, evidence: datasourceFile,
		},
		{
			name: "one uid", edit: second("  - {name: Other, uid: prometheus, type: prometheus, url: 'http://prometheus:9090'}\n"),
			file: file, at: "prometheus", message: []string{`the uid "prometheus"`}, fix: "uid of its own",
		},
		{
			name: "two defaults", edit: second("  - {name: Other, uid: other, type: prometheus, isDefault: true}\n"),
			file: file, at: "true", message: []string{`"Prometheus" and "Other"`, "default"}, fix: "isDefault",
		},
		{name: "another organisation", edit: second("  - {name: Prometheus, uid: prometheus, orgId: 2, type: prometheus, isDefault: true}\n")},
		{name: "two of their own", edit: second("  - {name: Other, uid: other, type: loki}\n")},
	})
}
