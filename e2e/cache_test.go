package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// panel is a time series of one query.
type panel struct{ title, expr, unit string }

// panelsOf writes a stack that has these jobs, this configuration and these panels.
func panelsOf(t *testing.T, jobs, config string, panels []panel) (dir string) {
	t.Helper()
	var texts []string
	for _, p := range panels {
		texts = append(texts, `{"type": "timeseries", "title": "`+p.title+`", "fieldConfig": {"defaults": {"unit": "`+p.unit+`"}},
			"datasource": {"type": "prometheus", "uid": "prometheus"}, "targets": [{"refId": "A", "expr": "`+strings.ReplaceAll(p.expr, `"`, `\"`)+`"}]}`)
	}
	dir = t.TempDir()
	for name, content := range map[string]string{
		"prometheus/prometheus.yml": "global: {scrape_interval: 15s}\nscrape_configs:\n" + jobs,
		"grafana/provisioning/datasources/ds.yaml": `apiVersion: 1
datasources: [{name: Prometheus, type: prometheus, uid: prometheus, url: "http://prometheus:9090", isDefault: true, jsonData: {timeInterval: 15s}}]
`,
		"grafana/provisioning/dashboards/all.yaml": `apiVersion: 1
providers: [{name: boards, type: file, options: {path: /etc/grafana/provisioning/dashboards}}]
`,
		"grafana/provisioning/dashboards/board.json": `{"uid": "own", "title": "Own", "schemaVersion": 39, "time": {"from": "now-30m", "to": "now"},
			"panels": [` + strings.Join(texts, ",\n") + `]}`,
		"panelgate.yml": "version: 1\n" + config,
	} {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644))
	}
	return dir
}

// untrue are the findings that a value is not so, with their panels and words.
func untrue(r *Report) []string {
	var out []string
	for _, f := range r.Findings {
		if f.Rule == "value/differs-from-truth" {
			out = append(out, f.Panel+": "+f.Message)
		}
	}
	return out
}

// Of two servers of the same models one has the response cache on: what is so of the one
// is not so of the other.
func TestServersWithAndWithoutACache(t *testing.T) {
	mean := func(job string) string {
		return `sum by (model) (rate(nv_inference_compute_infer_duration_us{job="` + job + `",model="preprocessing"}[5m])) / (` +
			`sum by (model) (rate(nv_inference_request_success{job="` + job + `",model="preprocessing"}[5m])) - ` +
			`sum by (model) (rate(nv_cache_num_hits_per_model{job="` + job + `",model="preprocessing"}[5m])) or ` +
			`sum by (model) (rate(nv_inference_request_success{job="` + job + `",model="preprocessing"}[5m])))`
	}
	hits := func(job string) string {
		return `sum by (model) (rate(nv_cache_num_hits_per_model{job="` + job + `"}[5m]))`
	}
	inferences := func(job string) string {
		return `sum by (model) (rate(nv_inference_count{job="` + job + `",model="preprocessing"}[5m]))`
	}
	var panels []panel
	for job, name := range map[string]string{"a": "with", "b": "without"} {
		panels = append(panels, panel{"Compute Latency " + name, mean(job), "µs"}, panel{"Hits " + name, hits(job), ""},
			panel{"Inferences per second " + name, inferences(job), ""})
	}
	dir := panelsOf(t, `  - {job_name: a, static_configs: [{targets: ["gpu-01:8002"]}]}
  - {job_name: b, static_configs: [{targets: ["gpu-02:8002"]}]}
`, `targets:
  - {match: {job: a}, fake: triton, args: ["tritonserver", "--model-repository=/models", "--cache-config=local,size=1048576"]}
  - {match: {job: b}, fake: triton, args: ["tritonserver", "--model-repository=/models"]}
`, panels)
	loaded, err := Load(t.Context(), Source{Dir: dir})
	require.NoError(t, err)
	loaded.Options.History = time.Hour
	r, err := Verify(t.Context(), loaded.Stack, loaded.Options)
	require.NoError(t, err)
	assert.Empty(t, untrue(r))
	var blank []string
	for _, f := range r.Findings {
		if f.Rule == "panel/no-data" {
			blank = append(blank, f.Panel)
		}
	}
	assert.Equal(t, []string{"Hits without"}, blank, "nothing prints it in production either")
}

// The shipped panels are true with releases that have no response cache as well.
func TestShippedPanelsAreTrueWithoutACache(t *testing.T) {
	for _, version := range []string{"20.06", "22.01", "22.02", "22.09"} {
		loaded, err := Load(t.Context(), Source{Dir: shippedDir})
		require.NoError(t, err)
		opts := loaded.Options
		opts.History, opts.Releases = time.Hour, map[string]string{"triton": version}
		r, err := Verify(t.Context(), loaded.Stack, opts)
		require.NoError(t, err)
		assert.Empty(t, untrue(r), version)
	}
}
