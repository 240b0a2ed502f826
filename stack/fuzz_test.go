package stack

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzLoad spoils one file of a stack at a time: it is read, or what is wrong is told at
// a place in that file.
func FuzzLoad(f *testing.F) {
	files := map[string]string{
		"docker-compose.yml": "services:\n  prometheus:\n    image: prom/prometheus:v3.5.0\n    volumes: ['./prometheus:/etc/prometheus:ro']\n    ports: ['127.0.0.1:9090:9090']\n" +
			"  grafana:\n    image: grafana/grafana:12.1.0\n    volumes: ['./grafana/provisioning:/etc/grafana/provisioning']\n    environment: {GF_SERVER_HTTP_PORT: '3000'}\n    depends_on: [prometheus]\n",
		"prometheus/prometheus.yml":                     "global: {scrape_interval: 15s}\nrule_files: [rules.yml]\nscrape_configs:\n  - job_name: a\n    static_configs: [{targets: ['h:1'], labels: {x: y}}]\n    file_sd_configs: [{files: [sd.json]}]\n",
		"prometheus/rules.yml":                          "groups:\n  - name: g\n    rules:\n      - {record: 'job:up:sum', expr: sum(up)}\n      - {alert: A, expr: up == 0, for: 5m, labels: {severity: page}, annotations: {summary: '{{ $labels.job }}'}}\n",
		"prometheus/sd.json":                            `[{"targets":["h:2"],"labels":{"z":"1"}}]`,
		"grafana/provisioning/datasources/d.yml":        "apiVersion: 1\ndatasources: [{name: P, uid: p, type: prometheus, access: proxy, url: 'http://prometheus:9090', jsonData: {timeInterval: 15s}}]\n",
		"grafana/provisioning/dashboards/p.yml":         "apiVersion: 1\nproviders: [{name: x, type: file, options: {path: /etc/grafana/provisioning/dashboards, foldersFromFilesStructure: true}}]\n",
		"grafana/provisioning/dashboards/a.json":        `{"title":"T","uid":"u","panels":[{"id":1,"type":"stat","targets":[{"refId":"A","expr":"up","datasource":{"uid":"p"}}]}]}`,
		"grafana/provisioning/alerting/a.yml":           "apiVersion: 1\ngroups: [{name: g, folder: f, interval: 1m, rules: [{uid: r, title: R, condition: A, data: [{refId: A, datasourceUid: p, model: {expr: up}}]}]}]\n",
		"grafana/provisioning/alerting/contact.yml.off": "",
	}
	var names []string
	for name, text := range files {
		names = append(names, name)
		f.Add(name, []byte(text))
		f.Add(name, []byte(text[:len(text)/2]))
		f.Add(name, []byte("a: &a [*a]\n"))
		f.Add(name, []byte("- {services: 1}\n\x00"))
	}
	f.Fuzz(func(t *testing.T, name string, text []byte) {
		dir := t.TempDir()
		for _, n := range names {
			data := []byte(files[n])
			if n == name {
				data = text
			}
			file := filepath.Join(dir, filepath.FromSlash(n))
			require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
			require.NoError(t, os.WriteFile(file, data, 0o600))
		}
		s, err := Load(t.Context(), dir)
		if err != nil {
			if !strings.Contains(err.Error(), dir) {
				t.Fatalf("%v names no file", err)
			}
			return
		}
		for _, p := range s.Problems {
			if p.Pos.File == "" || p.Message == "" {
				t.Fatalf("%+v is told of no place", p)
			}
			if lines := strings.Count(string(text), "\n") + 1; strings.HasSuffix(p.Pos.File, "/"+name) && p.Pos.Line > lines {
				t.Fatalf("%v is behind the %d lines of the file", p, lines)
			}
		}
	})
}
