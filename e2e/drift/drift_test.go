package drift

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/e2e"
	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/fakes/standard"
	"github.com/panelgate/panelgate/internal/material"
)

const (
	prometheusYML = `global: {scrape_interval: 15s}
scrape_configs:
  - job_name: triton
    static_configs: [{targets: ["gpu-01:8002"]}]
  - job_name: dcgm
    static_configs: [{targets: ["gpu-01:9400"]}]
`
	datasources = `apiVersion: 1
datasources:
  - {name: Prometheus, type: prometheus, uid: prometheus, url: "http://prometheus:9090", isDefault: true, jsonData: {timeInterval: 15s}}
`
	providers = `apiVersion: 1
providers:
  - {name: boards, type: file, options: {path: /etc/grafana/provisioning/dashboards}}
`
)

// panels is a dashboard with a time series for each expression, titled after it.
func panels(exprs ...string) string {
	var out []string
	for _, expr := range exprs {
		out = append(out, `{"type": "timeseries", "title": "`+strings.ReplaceAll(expr, `"`, "'")+`", "gridPos": {"h": 8, "w": 12, "x": 0, "y": 0},
			"datasource": {"type": "prometheus", "uid": "prometheus"}, "targets": [{"refId": "A", "expr": "`+strings.ReplaceAll(expr, `"`, `\"`)+`"}]}`)
	}
	return `{"uid": "drift", "title": "Drift", "schemaVersion": 39, "time": {"from": "now-30m", "to": "now"}, "panels": [` + strings.Join(out, ",\n") + `]}`
}

// load writes a stack with one dashboard and reads it.
func load(t *testing.T, board string, more map[string]string) *e2e.Loaded {
	t.Helper()
	dir := t.TempDir()
	files := map[string]string{
		"prometheus/prometheus.yml": prometheusYML, "grafana/provisioning/datasources/ds.yaml": datasources,
		"grafana/provisioning/dashboards/all.yaml": providers, "grafana/provisioning/dashboards/board.json": board,
	}
	for name, content := range more {
		files[name] = content
	}
	for name, content := range files {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644))
	}
	loaded, err := e2e.Load(t.Context(), e2e.Source{Dir: dir})
	require.NoError(t, err)
	return loaded
}

func run(t *testing.T, loaded *e2e.Loaded, axes ...Axis) *Result {
	t.Helper()
	r, err := Run(t.Context(), loaded.Stack, Options{Verify: loaded.Options, Axes: axes, FailOn: rule.Warning})
	require.NoError(t, err)
	return r
}

// needs fails a test where a fake does not act out the releases that it is about.
func needs(t *testing.T, exporter string, versions ...string) {
	t.Helper()
	for _, v := range versions {
		require.Contains(t, standard.Versions(exporter), v)
	}
}

// says are the spans of a panel as the table has them; panels calls it after its query.
func says(e Exporter, panel string) string {
	panel = strings.ReplaceAll(panel, `"`, "'")
	i := slices.IndexFunc(e.Panels, func(p Panel) bool { return p.Panel == panel })
	if i < 0 {
		return ""
	}
	var out []string
	for _, s := range e.Panels[i].Spans {
		out = append(out, s.Says()+" "+string(s.State))
	}
	return strings.Join(out, ", ")
}

func TestWhatOlderReleasesLack(t *testing.T) {
	needs(t, "triton", "22.01", "22.12", "23.09", "26.06")
	const pending, both = `sum(nv_inference_pending_request_count)`, `nv_inference_pending_request_count or nv_inference_request_success`
	r := run(t, load(t, panels(pending, `nv_inference_request_success`, both, `nv_inference_nothing`), nil),
		Axis{"triton", []string{"26.06", "22.01", "23.09", "22.12"}})
	require.Len(t, r.Exporters, 1)
	e := r.Exporters[0]
	assert.Equal(t, []string{"26.06"}, e.Own)
	assert.Equal(t, "22.01–22.12 broken, 23.09– ok", says(e, pending))
	assert.Empty(t, says(e, `nv_inference_request_success`))
	assert.Empty(t, says(e, both), "it is written for both")
	assert.Equal(t, "22.01– broken at its own", says(e, `nv_inference_nothing`))
	assert.True(t, r.Broken())
	i := slices.IndexFunc(e.Panels, func(p Panel) bool { return p.Panel == pending })
	removed := slices.IndexFunc(e.Panels[i].Spans[0].Breaks, func(b Break) bool { return b.Rule == "promql/metric-removed" })
	require.GreaterOrEqual(t, removed, 0, "%+v", e.Panels[i].Spans[0].Breaks)
	assert.Contains(t, e.Panels[i].Spans[0].Breaks[removed].Message, "which came with 23.09")
	assert.Contains(t, e.Panels[i].Spans[0].Breaks[removed].Fix, "run Triton 23.09 or newer")
	assert.Equal(t, 1, e.Versions[0].Breaks)
	assert.True(t, e.Versions[3].Own)
}

// A panel that everybody's DCGM fills and the next release empties.
func TestHostnameIsRenamed(t *testing.T) {
	needs(t, "dcgm", "main")
	const byHost = `max by (Hostname) (DCGM_FI_DEV_GPU_TEMP{Hostname!=""})`
	r := run(t, load(t, panels(byHost, `max(DCGM_FI_DEV_GPU_TEMP)`), nil), Axis{"dcgm", []string{"4.5.3-4.8.2", "main"}})
	e := r.Exporters[0]
	assert.Equal(t, "4.5.3-4.8.2 ok, main broken", says(e, byHost))
	assert.Empty(t, says(e, `max(DCGM_FI_DEV_GPU_TEMP)`))
	assert.Equal(t, "main", e.Panels[0].Spans[1].Since)
	assert.True(t, r.Broken())
}

// A query that is written for servers with a response cache and for those without one is
// true with both; one that takes the cache for granted is not there without it.
func TestWhatIsTrueWithoutACache(t *testing.T) {
	needs(t, "triton", "22.01", "22.12", "26.06")
	const (
		infer = `sum by (model) (rate(nv_inference_compute_infer_duration_us{model="preprocessing"}[5m]))`
		all   = `sum by (model) (rate(nv_inference_request_success{model="preprocessing"}[5m]))`
		hits  = `sum by (model) (rate(nv_cache_num_hits_per_model{model="preprocessing"}[5m]))`
	)
	either := infer + " / (" + all + " - " + hits + " or " + all + ")"
	with := infer + " / (" + all + " - " + hits + ")"
	r := run(t, load(t, panels(either, with), nil), Axis{"triton", []string{"22.01", "22.12", "26.06"}})
	assert.Empty(t, says(r.Exporters[0], either))
	assert.Equal(t, "22.01 broken, 22.12– ok", says(r.Exporters[0], with))
}

// What is not true is so with all releases.
func TestUntruePanelsAreSoAtTheirOwn(t *testing.T) {
	needs(t, "triton", "22.01", "26.06")
	const twice = `sum(nv_inference_request_success)` // of the ensemble and of its steps
	r := run(t, load(t, panels(twice), nil), Axis{"triton", []string{"22.01", "26.06"}})
	assert.Equal(t, "22.01– broken at its own", says(r.Exporters[0], twice))
	assert.False(t, r.Broken())
}

func TestNothingBreaks(t *testing.T) {
	needs(t, "triton", "26.01", "26.06")
	r := run(t, load(t, panels(`nv_inference_request_success`), nil), Axis{"triton", []string{"26.01", "26.06"}})
	assert.False(t, r.Broken())
	assert.Empty(t, r.Exporters[0].Panels)
	assert.Equal(t, 1, r.Runs, "what prints the same is proven once")
	assert.Equal(t, "26.06", r.Exporters[0].Versions[0].Like)
}

// What the files say of an exporter is what its other releases are held against.
func TestOwnReleaseIsTheStacks(t *testing.T) {
	needs(t, "triton", "22.01", "26.06")
	const pending = `sum(nv_inference_pending_request_count)`
	r := run(t, load(t, panels(pending), map[string]string{"panelgate.yml": "version: 1\ntargets:\n  - {match: {job: triton}, fake: triton, version: \"22.01\"}\n"}),
		Axis{"triton", []string{"22.01", "26.06"}})
	assert.Equal(t, []string{"22.01"}, r.Exporters[0].Own)
	assert.Equal(t, "22.01 broken at its own, 26.06 ok", says(r.Exporters[0], pending))
	assert.False(t, r.Broken(), "an upgrade mends it")
}

func TestRefusals(t *testing.T) {
	loaded := load(t, panels("up"), nil)
	_, err := Run(t.Context(), loaded.Stack, Options{Verify: loaded.Options, Axes: []Axis{{"node", standard.Versions("node")}}})
	var wrong *UsageError
	require.ErrorAs(t, err, &wrong)
	require.EqualError(t, err, "no target of the stack is answered by node_exporter: its releases change nothing")
	loaded = load(t, panels("up"), map[string]string{"prometheus/prometheus.yml": "scrape_configs: [{job_name: a, static_configs: [{targets: ['h:1']}]}]\n"})
	_, err = Run(t.Context(), loaded.Stack, Options{Verify: loaded.Options})
	require.ErrorIs(t, err, ErrNothingScraped)
	loaded = load(t, panels("up"), map[string]string{"prometheus/prometheus.yml": "scrape_configs: {\n"})
	_, err = Run(t.Context(), loaded.Stack, Options{Verify: loaded.Options})
	assert.ErrorIs(t, err, e2e.ErrNotRunnable)
}

func TestDefaultMatrix(t *testing.T) {
	for name, least := range map[string]int{"triton": 12, "dcgm": 8, "node": 5} {
		if len(standard.Versions(name)) == 1 {
			continue
		}
		assert.GreaterOrEqual(t, len(DefaultVersions(name)), least, name)
		assert.Equal(t, standard.Versions(name)[len(standard.Versions(name))-1], DefaultVersions(name)[len(DefaultVersions(name))-1])
	}
}

func TestSpansAreJoined(t *testing.T) {
	removed, empty := Break{Rule: "promql/metric-removed", Message: "Triton 1"}, Break{Rule: "panel/no-data"}
	var spans []Span
	for _, s := range []Span{
		{First: "1", Last: "1", State: Broken, Breaks: []Break{removed}},
		{First: "2", Last: "2", State: Broken, Breaks: []Break{{Rule: "promql/metric-removed", Message: "Triton 2"}}},
		{First: "3", Last: "3", State: Broken, Breaks: []Break{empty}},
		{First: "4", Last: "4", State: OK},
		{First: "5", Last: "5", State: OK, Open: true},
	} {
		spans = join(spans, s)
	}
	p := Panel{Spans: spans}
	p.bounds()
	require.Len(t, p.Spans, 3)
	assert.Equal(t, []string{"1–2", "3", "4–"}, []string{p.Spans[0].Says(), p.Spans[1].Says(), p.Spans[2].Says()})
	assert.Equal(t, "Triton 2", p.Spans[0].Breaks[0].Message)
	assert.Empty(t, p.Spans[0].Since)
	assert.Empty(t, p.Spans[1].Since, "it was broken before, by another thing")
	assert.Equal(t, "4", p.Spans[1].Until)
	assert.Equal(t, "4", p.Spans[2].Since)
}

// boardOfNVIDIA proves a dashboard of Triton's own deploy folder with the default matrix.
func boardOfNVIDIA(t *testing.T, file string) Exporter {
	t.Helper()
	board, err := os.ReadFile(material.Path(t, "corpus", "dashboards", "triton", file))
	require.NoError(t, err)
	filled := regexp.MustCompile(`\$\{DS_[A-Za-z0-9_-]+\}`).ReplaceAllString(string(board), "prometheus")
	return run(t, load(t, filled, nil), Axis{"triton", DefaultVersions("triton")}).Exporters[0]
}

// TestNVIDIAsDashboardIsBrokenSince2006 wants it told since when, and what to ask for.
func TestNVIDIAsDashboardIsBrokenSince2006(t *testing.T) {
	e := boardOfNVIDIA(t, "triton-inference-server__server__deploy--aws--dashboard.json")
	for metric, instead := range map[string][]string{
		"nv_inference_load_ratio_bucket":   {"nv_inference_request_duration_us", "nv_inference_compute_infer_duration_us"},
		"nv_inference_compute_duration_us": {"nv_inference_compute_input_duration_us", "nv_inference_compute_infer_duration_us", "nv_inference_compute_output_duration_us"},
	} {
		told := slices.ContainsFunc(e.Panels, func(p Panel) bool {
			return len(p.Spans) == 1 && p.Spans[0].State == Already && slices.ContainsFunc(p.Spans[0].Breaks, func(b Break) bool {
				return strings.Contains(b.Message, "Triton has no "+metric+" since 20.06") &&
					!slices.ContainsFunc(instead, func(m string) bool { return !strings.Contains(b.Fix, m) })
			})
		})
		assert.True(t, told, "%s: %+v", metric, e.Panels)
	}
}

func TestNVIDIAsDashboardNeedsCPUMetrics(t *testing.T) {
	needs(t, "triton", "20.06", "22.02", "22.09")
	e := boardOfNVIDIA(t, "triton-inference-server__server__deploy--k8s-onprem--dashboard.json")
	broken := 0
	for _, p := range e.Panels {
		if says(e, p.Panel) == "20.06–22.02 broken, 22.09– ok" {
			broken++
			assert.True(t, slices.ContainsFunc(p.Spans[0].Breaks, func(b Break) bool { return strings.Contains(b.Message, "which came with 22.09") }))
		}
	}
	assert.Equal(t, 2, broken, "utilization and memory: %+v", e.Panels)
}

func TestMentioned(t *testing.T) {
	loaded := load(t, panels(`sum(rate(nv_inference_count{model="$model"}[5m])) / on() up`), nil)
	asks := mentionedBy(loaded.Stack)
	assert.True(t, asks("nv_inference_count"))
	assert.False(t, asks("nv_gpu_utilization"))
	for _, expr := range []string{`count({job="triton"})`, `{__name__=~"nv_.*"}`, `rate(nv_${what}_total[5m])`, `sum(nv_$what)`} {
		loaded := load(t, panels(expr), nil)
		assert.True(t, mentionedBy(loaded.Stack)("nv_gpu_utilization"), expr)
	}
}
