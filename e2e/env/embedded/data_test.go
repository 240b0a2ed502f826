package embedded_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/e2e/env/embedded"
	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/fakes/standard"
)

// ranged asks a query over the last d, a point a minute.
func ranged(t *testing.T, i env.Instance, query string, d time.Duration) model.Matrix {
	t.Helper()
	end := i.Now.Truncate(time.Minute)
	v, _, err := client(t, i).QueryRange(t.Context(), query, v1.Range{Start: end.Add(-d), End: end, Step: time.Minute})
	require.NoError(t, err)
	return v.(model.Matrix)
}

func TestPastFeedsRate(t *testing.T) {
	i := start(t, threeJobs, embedded.Options{History: time.Hour + 10*time.Minute})
	assert.WithinDuration(t, i.Now.Add(-time.Hour-10*time.Minute), i.From, time.Minute)
	for query, series := range map[string]int{
		`rate(nv_inference_request_success{model="ensemble"}[1m])`: 1,
		`avg(rate(node_cpu_seconds_total{mode="user"}[2m]))`:       1,
		`DCGM_FI_DEV_GPU_UTIL`:                                     2,
		`up`:                                                       3,
	} {
		m := ranged(t, i, query, time.Hour)
		require.Len(t, m, series, query)
		for _, s := range m {
			assert.Len(t, s.Values, 61, query)
		}
	}
	for _, p := range ranged(t, i, `sum(rate(nv_inference_request_success{model="ensemble"}[1m]))`, time.Hour)[0].Values {
		if p.Timestamp.Time().After(i.Laid) {
			continue // a live scrape is as late as a busy machine makes it
		}
		assert.InDelta(t, 42, float64(p.Value), 42*0.5, "at %s", p.Timestamp.Time())
	}
}

// A subquery without a step takes the evaluation interval, which the engine has
// to be told.
func TestSubqueryWithoutStep(t *testing.T) {
	config := strings.Replace(threeJobs, "evaluation_interval: 15s", "evaluation_interval: 30s", 1)
	require.NotEqual(t, threeJobs, config)
	i := start(t, config, embedded.Options{History: 20 * time.Minute})
	v := instant(t, i, `count_over_time(up{job="node"}[10m:])`, i.Now)
	require.Len(t, v, 1)
	assert.EqualValues(t, 20, v[0].Value)
}

// TestPastIsWhatTheExporterShowed holds every sample of a scrape against the page.
func TestPastIsWhatTheExporterShowed(t *testing.T) {
	i := start(t, threeJobs, embedded.Options{History: 20 * time.Minute})
	for job, address := range map[string]string{"triton": "triton:8002", "dcgm": "gpu-host:9400", "node": "gpu-host:9100"} {
		exporter, err := standard.ByName(job, address, i.World, fakes.Setup{})
		require.NoError(t, err)
		ago := i.Now.Add(-10 * time.Minute)
		stamps := instant(t, i, `timestamp(up{job="`+job+`"})`, ago)
		require.Len(t, stamps, 1)
		at := time.UnixMilli(int64(float64(stamps[0].Value)*1000 + 0.5))
		want := map[string]int{} // values, as often as they occur
		for line := range strings.Lines(string(exporter.AppendScrape(nil, at))) {
			if line[0] == '#' {
				continue
			}
			name := line[:strings.IndexAny(line, "{ ")]
			var v float64
			_, err := fmt.Sscan(line[strings.LastIndexByte(line, ' ')+1:], &v)
			require.NoError(t, err, line)
			want[fmt.Sprintf("%s %v", name, v)]++
		}
		got := map[string]int{}
		for _, s := range instant(t, i, `{job="`+job+`",__name__!~"up|scrape_.*"}`, at) {
			got[fmt.Sprintf("%s %v", s.Metric["__name__"], float64(s.Value))]++
		}
		assert.NotEmpty(t, want)
		assert.Equal(t, want, got, job)
	}
}

func TestRulesOverThePast(t *testing.T) {
	i := startFiles(t, map[string]string{"prometheus.yml": withRules, "rules.yml": someRules},
		embedded.Options{History: time.Hour + 10*time.Minute})
	recorded := ranged(t, i, `requests:rate5m`, time.Hour)
	require.Len(t, recorded, 1)
	assert.Len(t, recorded[0].Values, 61)
	direct := ranged(t, i, `sum(rate(nv_inference_request_success[5m]))`, time.Hour)
	// What was recorded is up to an evaluation older than the point it stands at,
	// so it lies between what the expression gives there and a minute before.
	for n, p := range recorded[0].Values[1:] {
		before, at := float64(direct[0].Values[n].Value), float64(direct[0].Values[n+1].Value)
		assert.GreaterOrEqual(t, float64(p.Value), 0.97*min(before, at), "at %s", p.Timestamp.Time())
		assert.LessOrEqual(t, float64(p.Value), 1.03*max(before, at), "at %s", p.Timestamp.Time())
	}
	firing := ranged(t, i, `ALERTS{alertname="Up",alertstate="firing",job="node"}`, 50*time.Minute)
	require.Len(t, firing, 1)
	assert.Len(t, firing[0].Values, 51)
	assert.Empty(t, ranged(t, i, `ALERTS{alertname="Quiet"}`, time.Hour))

	got, err := client(t, i).Rules(t.Context(), nil)
	require.NoError(t, err)
	require.Len(t, got.Groups, 1)
	require.Len(t, got.Groups[0].Rules, 5)
	for _, r := range got.Groups[0].Rules {
		switch r := r.(type) {
		case v1.RecordingRule:
			assert.EqualValues(t, v1.RuleHealthGood, r.Health, r.LastError)
		case v1.AlertingRule:
			assert.EqualValues(t, v1.RuleHealthGood, r.Health, r.LastError)
		}
	}
	assert.NotEmpty(t, instant(t, i, `requests:rate5m`, i.Now))
}

func TestRelabelledTargets(t *testing.T) {
	i := start(t, `
scrape_configs:
  - job_name: gpus
    static_configs:
      - targets: [one, two, three]
    relabel_configs:
      - {source_labels: [__address__], regex: three, action: drop}
      - {source_labels: [__address__], target_label: instance, replacement: "box-$1"}
      - {source_labels: [__address__], target_label: __address__, replacement: "$1:9400"}
    metric_relabel_configs:
      - {source_labels: [__name__], regex: DCGM_FI_DEV_GPU_UTIL|DCGM_FI_DEV_GPU_TEMP, action: keep}
      - {source_labels: [gpu], regex: "1", action: drop}
`, embedded.Options{History: 10 * time.Minute})
	require.Len(t, i.Targets, 2)
	for n, host := range []string{"one", "two"} {
		got := i.Targets[n]
		assert.True(t, got.Up, got.Error)
		assert.Equal(t, "box-"+host, got.Instance)
		assert.Equal(t, host+":9400", got.Address)
		assert.Equal(t, "http://"+host+":9400/metrics", got.URL)
	}
	for _, query := range []string{`DCGM_FI_DEV_GPU_UTIL`, `DCGM_FI_DEV_GPU_UTIL offset 5m`} {
		v := instant(t, i, query, i.Now)
		require.Len(t, v, 2, query)
		assert.Equal(t, model.LabelValue("box-one"), v[0].Metric["instance"])
	}
	names, _, err := client(t, i).LabelValues(t.Context(), "__name__", []string{`{job="gpus"}`}, i.From, i.Now)
	require.NoError(t, err)
	assert.Len(t, names, 7) // two kept, and five about the scrapes
}

func TestPositions(t *testing.T) {
	i := start(t, threeJobs, embedded.Options{})
	lines := strings.Split(threeJobs, "\n")
	for job, target := range byJob(i) {
		assert.Equal(t, "prometheus/prometheus.yml", target.Pos.File)
		require.NotZero(t, target.Pos.Line, job)
		assert.Contains(t, lines[target.Pos.Line-1][target.Pos.Column-1:], target.Address, job)
	}
}

func TestDiscoveries(t *testing.T) {
	files := map[string]string{
		"prometheus.yml": `
scrape_configs:
  - {job_name: from-file, file_sd_configs: [{files: ["targets/*.json"]}]}
  - {job_name: no-file, file_sd_configs: [{files: ["nothing/*.json"]}]}
  - {job_name: from-dns, dns_sd_configs: [{names: [tasks.triton], type: A, port: 8002}]}
  - job_name: both
    dns_sd_configs: [{names: [tasks.triton], type: A, port: 8002}]
    static_configs: [{targets: ["h:8002"]}]
  - {job_name: nothing}
`,
		"targets/a.json": `[{"targets": ["a:9100"], "labels": {"site": "x"}}]`,
		"targets/b.json": `[{"targets": ["b:9400", "c:1"]}]`,
	}
	i := startFiles(t, files, embedded.Options{History: 10 * time.Minute})
	var got []string
	for _, target := range i.Targets {
		got = append(got, target.Job+" "+target.Instance+" "+target.AnsweredBy)
	}
	assert.Equal(t, []string{"both h:8002 triton", "from-file a:9100 node", "from-file b:9400 dcgm", "from-file c:1 "}, got)
	assert.Len(t, instant(t, i, `node_load1{site="x"} offset 5m`, i.Now), 1)
}

func TestDiscoveryByHTTP(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`[{"targets": ["a:9100"]}]`))
	}))
	defer server.Close()
	i := start(t, "scrape_configs: [{job_name: asked, http_sd_configs: [{url: '"+server.URL+"'}]}]", embedded.Options{})
	require.Len(t, i.Targets, 1)
	assert.True(t, i.Targets[0].Up, i.Targets[0].Error)
}

// TestBrokenDiscovery: a file that cannot be read must not keep the others waiting
// for ever.
func TestBrokenDiscovery(t *testing.T) {
	i := startFiles(t, map[string]string{
		"prometheus.yml": threeJobs + "  - {job_name: broken, file_sd_configs: [{files: [\"t.json\"]}]}\n",
		"t.json":         "{",
	}, embedded.Options{})
	assert.Len(t, i.Targets, 3)
}

func TestAPI(t *testing.T) {
	i := startFiles(t, map[string]string{"prometheus.yml": withRules, "rules.yml": someRules}, embedded.Options{})
	c, ctx := client(t, i), t.Context()
	labels, _, err := c.LabelNames(ctx, nil, i.From, i.Now)
	require.NoError(t, err)
	assert.Contains(t, labels, model.LabelName("model"))
	series, _, err := c.Series(ctx, []string{"up"}, i.From.Add(-time.Minute), i.Now)
	require.NoError(t, err)
	assert.Len(t, series, 3)
	targets, err := c.Targets(ctx)
	require.NoError(t, err)
	assert.Len(t, targets.Active, 3)
	meta, err := c.Metadata(ctx, "nv_inference_request_success", "")
	require.NoError(t, err)
	require.Len(t, meta["nv_inference_request_success"], 1)
	assert.Equal(t, v1.MetricTypeCounter, meta["nv_inference_request_success"][0].Type)
	build, err := c.Buildinfo(ctx)
	require.NoError(t, err)
	assert.Equal(t, "3.15.0", build.Version)
	cfg, err := c.Config(ctx)
	require.NoError(t, err)
	assert.Contains(t, cfg.YAML, "triton:8002")
	assert.Contains(t, cfg.YAML, "scrape_interval: 15s")
	assert.NotContains(t, cfg.YAML, "insecure_skip_verify")
	_, err = c.TSDB(ctx)
	require.NoError(t, err)
	_, err = c.Runtimeinfo(ctx)
	require.NoError(t, err)
	_, err = c.AlertManagers(ctx)
	require.NoError(t, err)
	_, err = c.Flags(ctx)
	require.NoError(t, err)
}

// TestWithoutPast: two live scrapes make a rate.
func TestWithoutPast(t *testing.T) {
	i := start(t, threeJobs, embedded.Options{})
	assert.NotEmpty(t, instant(t, i, `rate(nv_inference_request_success[1m])`, i.Now))
	assert.NotZero(t, instant(t, i, `sum(nv_inference_request_success)`, i.Now)[0].Value)
}
