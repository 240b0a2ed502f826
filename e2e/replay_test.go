package e2e

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/api"
	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/fakes/recording"
	"github.com/panelgate/panelgate/fakes/standard"
)

// recordedTriton is five minutes of a Triton that has run for a day, as a file's content,
// and how many requests of its preprocessing came a second meanwhile.
func recordedTriton(t *testing.T, setup fakes.Setup) (content []byte, rate float64) {
	t.Helper()
	scenario, err := fakes.BuiltinScenario(fakes.DefaultScenario)
	require.NoError(t, err)
	w := fakes.NewWorld(scenario, time.Unix(1_700_000_000, 0))
	fake, err := standard.ByName("triton", "recorded:8002", w, setup)
	require.NoError(t, err)
	r := &recording.Recording{URL: "http://recorded:8002/metrics", Every: 15 * time.Second}
	begun := w.Start().Add(24 * time.Hour)
	for i := range 21 {
		at := begun.Add(time.Duration(i) * r.Every)
		r.Scrapes = append(r.Scrapes, recording.Scrape{At: at, Status: http.StatusOK,
			Header: http.Header{"Content-Type": {fake.ContentType()}}, Body: fake.AppendScrape(nil, at)})
	}
	var out bytes.Buffer
	require.NoError(t, r.Write(&out))
	m, ok := w.Model("preprocessing")
	require.True(t, ok)
	return out.Bytes(), m.RequestRate(begun, begun.Add(5*time.Minute))
}

// Two targets of a job play one recording back, beside a job whose target a fake answers.
func TestRecordingIsPlayedBackToPanels(t *testing.T) {
	content, rate := recordedTriton(t, fakes.Setup{})
	file := filepath.Join(t.TempDir(), "triton.rec")
	require.NoError(t, os.WriteFile(file, content, 0o644))
	const (
		requests = `sum by (job, instance, model) (rate(nv_inference_request_success{model="preprocessing"}[5m]))`
		latency  = `sum by (job, instance, model) (rate(nv_inference_compute_infer_duration_us{model="preprocessing"}[5m])) / ` +
			`(sum by (job, instance, model) (rate(nv_inference_request_success{model="preprocessing"}[5m])) - ` +
			`sum by (job, instance, model) (rate(nv_cache_num_hits_per_model{model="preprocessing"}[5m])))`
		memory = `max by (job, instance, gpu_uuid) (nv_gpu_memory_used_bytes)`
		all    = `sum by (model) (rate(nv_inference_request_success{model="preprocessing"}[5m]))`
		gpus   = `sum(nv_gpu_memory_used_bytes)`
		wrong  = `sum by (job, instance) (nv_inference_request_success{job="recorded",model="preprocessing"}) * 1000`
	)
	dir := panelsOf(t, `  - {job_name: recorded, static_configs: [{targets: ["gpu-01:8002", "gpu-02:8002"]}]}
  - {job_name: acted, static_configs: [{targets: ["gpu-03:8002"]}]}
`, "targets:\n  - {match: {job: recorded}, replay: "+file+"}\n",
		[]panel{{"Requests per second", requests, "reqps"}, {"Compute Latency", latency, "µs"}, {"GPU Memory", memory, "bytes"}, {"Requests", wrong, ""},
			{"Requests per second of all", all, "reqps"}, {"GPU Memory of all", gpus, "bytes"}})
	loaded, err := Load(t.Context(), Source{Dir: dir})
	require.NoError(t, err)
	loaded.Options.History = 90 * time.Minute
	asked := map[string]float64{}
	loaded.Options.WhileUp = func(ctx context.Context, in env.Instance, _ *Report) error {
		client, err := api.NewClient(api.Config{Address: in.PrometheusURL})
		require.NoError(t, err)
		const fourTimes = `sum by (job, instance) (rate(nv_inference_request_success{model="preprocessing"}[21m]))`
		v, _, err := promv1.NewAPI(client).Query(ctx, fourTimes, in.Now)
		require.NoError(t, err)
		found, ok := v.(model.Vector)
		require.True(t, ok)
		for _, s := range found {
			asked[string(s.Metric["job"]+" "+s.Metric["instance"])] = float64(s.Value)
		}
		return nil
	}
	r, err := Verify(t.Context(), loaded.Stack, loaded.Options)
	require.NoError(t, err)
	by := map[string]string{}
	for _, target := range r.Targets {
		assert.True(t, target.Up, target.Error)
		by[target.Labels["instance"]] = target.AnsweredBy
	}
	assert.Equal(t, map[string]string{"gpu-01:8002": "replay", "gpu-02:8002": "replay", "gpu-03:8002": "triton"}, by)
	assert.Empty(t, untrue(r), "nobody knows what is true of what was recorded")
	assert.NotContains(t, rulesOf(r.Findings), "panel/no-data")
	require.Len(t, asked, 3)
	for _, instance := range []string{"recorded gpu-01:8002", "recorded gpu-02:8002"} {
		assert.InEpsilon(t, rate, asked[instance], 0.02, instance)
	}
	for _, q := range r.Queries {
		assert.Positive(t, q.Samples, q.Panel)
	}
}

// What a recording does not have is missing, and what its exporter would need for it is said.
func TestRecordingThatLacksAMetric(t *testing.T) {
	content, _ := recordedTriton(t, fakes.Setup{Version: "22.12"})
	file := filepath.Join(t.TempDir(), "triton.rec")
	require.NoError(t, os.WriteFile(file, content, 0o644))
	dir := panelsOf(t, "  - {job_name: recorded, static_configs: [{targets: [\"gpu-01:8002\"]}]}\n",
		"targets:\n  - {match: {job: recorded}, replay: "+file+"}\n",
		[]panel{{"Pending", `sum(nv_inference_pending_request_count)`, ""}, {"Executions", `sum by (model) (rate(nv_inference_exec_count[5m]))`, ""}})
	loaded, err := Load(t.Context(), Source{Dir: dir})
	require.NoError(t, err)
	r, err := Verify(t.Context(), loaded.Stack, loaded.Options)
	require.NoError(t, err)
	require.Equal(t, []string{"panel/no-data"}, rulesOf(r.Findings))
	f := r.Findings[0]
	assert.Equal(t, "Pending", f.Panel)
	assert.Contains(t, f.Evidence, "triton has it since 23.09")
	assert.NotContains(t, strings.Join(f.Evidence, "\n"), "no target is answered by", "a recording of one answers")
	assert.Equal(t, "use a metric that one of the stack's exporters has, or add a job for the exporter that has this one", f.Fix)
}
