package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/e2e/config"
	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/e2e/query"
	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/stack"
	"github.com/panelgate/panelgate/stack/source"
)

// TestWithoutHistory asks the shipped dashboards when nothing is stored but the
// scrapes that readiness waited for.
func TestWithoutHistory(t *testing.T) {
	r := verify(t, shippedDir, Options{History: 1})
	require.NotEmpty(t, r.Queries)
	for _, q := range r.Queries {
		assert.Equal(t, rule.StatusOK, q.Status, "%s: %s", q.Panel.Title.Value, q.Request.Expr)
	}
	assert.Empty(t, errorsOf(r))
}

// TestTargetsWithoutHistory asks for what only live scrapes store: Prometheus'
// metrics of itself have no past that could be laid down.
func TestTargetsWithoutHistory(t *testing.T) {
	dir := copyShipped(t, onlyPanels(
		`prometheus_build_info`,
		`rate(prometheus_tsdb_head_samples_appended_total[$__rate_interval])`,
		`rate(nv_inference_count[$__rate_interval])`,
	))
	editFile(t, dir, "prometheus/prometheus.yml", "scrape_configs:\n",
		"scrape_configs:\n  - job_name: prometheus\n    static_configs:\n      - targets: ['localhost:9090']\n")
	r := verify(t, dir, Options{})
	require.Len(t, r.Queries, 3)
	for _, q := range r.Queries {
		assert.Equal(t, rule.StatusOK, q.Status, "%s", q.Request.Expr)
	}
}

// TestBeforeHistory holds that a query about a time before all data is neither
// proven nor failed.
func TestBeforeHistory(t *testing.T) {
	dir := copyShipped(t, onlyPanels(`nv_inference_count offset 1w`, `nv_no_such_metric`, `nv_inference_count`))
	r := verify(t, dir, Options{History: 30 * time.Minute})
	require.Len(t, r.Queries, 3)
	assert.Equal(t, rule.StatusUnchecked, r.Queries[0].Status)
	assert.Contains(t, r.Queries[0].Skip, "raise --history")
	assert.Equal(t, rule.StatusFailed, r.Queries[1].Status)
	assert.Equal(t, rule.StatusOK, r.Queries[2].Status)
	var found []rule.Finding
	for _, f := range r.Findings {
		if f.Rule == "panel/unchecked" {
			found = append(found, f)
		}
	}
	require.Len(t, found, 1)
	assert.Equal(t, rule.Warning, found[0].Severity)
	assert.Contains(t, found[0].Message, "before the history")
}

// What is not there at all is not excused by something else that looks far back.
func TestBeforeHistoryExcusesNothing(t *testing.T) {
	dir := copyShipped(t, onlyPanels(`nix / nv_inference_count offset 1w`, `nv_inference_count offset 1w or nix`, `nix offset 1w`))
	r := verify(t, dir, Options{History: 30 * time.Minute})
	require.Len(t, r.Queries, 3)
	for _, q := range r.Queries {
		assert.Equal(t, rule.StatusFailed, q.Status, q.Request.Expr)
		require.NotNil(t, q.Diagnosis, q.Request.Expr)
		assert.EqualValues(t, "metric-missing", q.Diagnosis.Reason, q.Request.Expr)
	}
}

func TestLooksBefore(t *testing.T) {
	from := time.Unix(100_000, 0)
	end := from.Add(time.Hour)
	for expr, want := range map[string]bool{
		"up":                                 false,
		"up offset 1h":                       false, // its last sample is the first that there is
		"up offset 61m":                      true,
		"up offset -1w":                      false,
		"rate(x[1d])":                        false,
		"rate(x[1m] offset 1d)":              true,
		"x - x offset 1w":                    true,
		"max_over_time(x[5m:1m] offset 2h)":  true,
		"max_over_time(x[5m:1m] offset 30m)": false,
		"max_over_time((x offset 40m)[5m:1m] offset 40m)": true,
		"up @ 99999":                      true,
		"up @ 100001":                     false,
		"up @ end()":                      false,
		"up @ start()":                    true, // the range begins before the history
		"up @ start() offset -1w":         false,
		"max_over_time(x[5m:1m] @ 99999)": true,
		"sum(":                            false,
		"vector(1)":                       false,
	} {
		req := query.Request{Expr: expr, Start: from.Add(-time.Hour), End: end}
		assert.Equal(t, want, looksBefore(req, from), expr)
	}
	instant := query.Request{Expr: "up @ start()", Start: from.Add(-time.Hour), End: end, Instant: true}
	assert.False(t, looksBefore(instant, from), "an instant query starts where it ends")
}

// TestDatasourcesElsewhere holds that the Prometheus under test answers for no
// other one.
func TestDatasourcesElsewhere(t *testing.T) {
	const variable = `{"name": "model", "type": "query", "datasource": {"uid": "mimir"}, "query": "label_values(nv_inference_count, model)", "current": {"text": "a", "value": "a"}}`
	for name, url := range map[string]string{
		"outside of the compose project": "http://mimir.example.internal:9009",
		"another service of it":          "http://other:9090",
	} {
		t.Run(name, func(t *testing.T) {
			dir := copyShipped(t, func(string) string {
				return fmt.Sprintf(`{"uid": "small", "title": "Small", "schemaVersion": 42, "time": {"from": "now-1h", "to": "now"},
  "templating": {"list": [%s]}, "panels": [
  {"id": 1, "type": "timeseries", "title": "there", "datasource": {"uid": "mimir"}, "targets": [{"refId": "A", "expr": "up"}]},
  {"id": 2, "type": "timeseries", "title": "here", "targets": [{"refId": "A", "expr": "up or x{a=\"$model\"}"}]}]}`, variable)
			})
			editFile(t, dir, "grafana/provisioning/datasources/prometheus.yaml", "datasources:\n",
				"datasources:\n  - {name: Mimir, uid: mimir, type: prometheus, url: \""+url+"\", jsonData: {timeInterval: 15s}}\n")
			editFile(t, dir, "docker-compose.yml", "\n  grafana:\n", "\n  other:\n    image: prom/prometheus:v3.15.0\n\n  grafana:\n")
			r := verify(t, dir, Options{})
			assert.Equal(t, rule.StatusUnchecked, statusOf(t, r, "there"))
			assert.Equal(t, rule.StatusOK, statusOf(t, r, "here"))
			assert.Empty(t, errorsOf(r))
			var said []string
			for _, f := range r.Findings {
				if f.Rule == "panel/unchecked" {
					said = append(said, f.Message)
				}
			}
			require.Len(t, said, 2)
			for _, message := range said {
				assert.Contains(t, message, "which this environment does not run")
			}
			assert.Contains(t, strings.Join(said, "\n"), `variable "model"`)
		})
	}
}

func TestUnmatchedMappings(t *testing.T) {
	const file = "panelgate.yml"
	s := &stack.Stack{Dir: filepath.FromSlash("/stack"), Prometheus: &stack.Prometheus{Jobs: []*stack.Job{{
		Targets: []stack.Target{{Address: source.Text{Value: "written", Pos: source.Pos{File: "prometheus.yml", Line: 7}}}},
	}}}}
	targets := []env.Target{
		{Job: "triton", Address: "written:80", Labels: map[string]string{"job": "triton", "instance": "gpu"}, Pos: source.Pos{File: "prometheus.yml", Line: 7}},
		{Job: "broken"}, // no labels: it was never scraped
	}
	for _, c := range []struct {
		match map[string]string
		want  string
	}{
		{match: map[string]string{"job": "triton"}},
		{match: map[string]string{"job": "triton", "instance": "gpu"}},
		{match: map[string]string{"address": "written:80"}},
		{match: map[string]string{"address": "written"}},
		{match: map[string]string{"job": "tritn"}, want: "{job: tritn}"},
		{match: map[string]string{"job": "triton", "instance": "other"}, want: "{instance: other, job: triton}"},
		{match: map[string]string{"address": "elsewhere:80"}, want: "{address: elsewhere:80}"},
	} {
		pos := source.Pos{File: filepath.FromSlash("/stack/") + file, Line: 3, Column: 5}
		got := unmatched([]config.Target{{Match: c.match, Pos: pos}}, s, targets)
		if c.want == "" {
			assert.Empty(t, got, "%v", c.match)
			continue
		}
		require.Len(t, got, 1, "%v", c.match)
		assert.Equal(t, c.want, got[0].Text)
		assert.Equal(t, source.Pos{File: file, Line: 3, Column: 5}, got[0].Pos, "relative to the stack, as all positions are")
	}
}

func TestUnmatchedMappingIsSaid(t *testing.T) {
	cfg := &config.Config{Targets: []config.Target{{Match: map[string]string{"job": "tritn"}, Fake: "triton", Pos: source.Pos{File: "panelgate.yml", Line: 3, Column: 5}}}}
	r := verify(t, shippedDir, Options{Config: cfg})
	require.NotEmpty(t, r.Findings)
	assert.Equal(t, "gate/mapping-unmatched", r.Findings[0].Rule, "the gravest of a stack that is otherwise clean")
	assert.Equal(t, rule.Warning, r.Findings[0].Severity)
	assert.Equal(t, cfg.Targets[0].Pos, r.Findings[0].Pos)
}

// TestJobsWithoutTarget holds that a job whose discovery finds nothing is said.
func TestJobsWithoutTarget(t *testing.T) {
	dir := copyShipped(t, onlyPanels("nv_inference_count"))
	editFile(t, dir, "prometheus/prometheus.yml", "scrape_configs:\n",
		"scrape_configs:\n  - job_name: files\n    file_sd_configs: [{files: ['targets/*.json']}]\n  - job_name: names\n    dns_sd_configs: [{names: [x.invalid], type: A, port: 80}]\n")
	editFile(t, dir, "prometheus/prometheus.yml", "  - job_name: node\n",
		"  - job_name: node\n    relabel_configs: [{target_label: job, replacement: renamed}]\n")
	r := verify(t, dir, Options{})
	var said []string
	for _, f := range r.Findings {
		if f.Rule == "prometheus/no-target" {
			said = append(said, fmt.Sprint(f.Severity, " ", f.Message))
		}
	}
	require.Len(t, said, 2)
	assert.Contains(t, said[0], `error job "files"`)
	assert.Contains(t, said[1], `warning job "names"`)
}

// onlyPanels makes of a dashboard one that asks these queries, a panel each.
func onlyPanels(exprs ...string) func(string) string {
	return func(string) string {
		var panels []string
		for i, e := range exprs {
			panels = append(panels, fmt.Sprintf(`{"id": %d, "type": "timeseries", "title": "panel %d", "targets": [{"refId": "A", "expr": %q}]}`, i+1, i+1, e))
		}
		return `{"uid": "small", "title": "Small", "schemaVersion": 42, "time": {"from": "now-1h", "to": "now"}, "panels": [` + strings.Join(panels, ",\n") + `]}`
	}
}

// editFile replaces the first occurrence of a text in a file of a stack.
func editFile(t *testing.T, dir, name, old, with string) {
	t.Helper()
	file := filepath.Join(dir, filepath.FromSlash(name))
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Contains(t, string(data), old)
	require.NoError(t, os.WriteFile(file, []byte(strings.Replace(string(data), old, with, 1)), 0o644))
}
