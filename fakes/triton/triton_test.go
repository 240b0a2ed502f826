package triton

import (
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/fakes/internal/scrapetest"
)

var start = time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)

const (
	successName = "nv_inference_request_success"
	failureName = "nv_inference_request_failure"
)

func world(t testing.TB, scenario string) *fakes.World {
	t.Helper()
	s, err := fakes.BuiltinScenario(scenario)
	require.NoError(t, err)
	return fakes.NewWorld(s, start)
}

func scrape(t testing.TB, e *Exporter, at time.Time) scrapetest.Scrape {
	t.Helper()
	return scrapetest.Parse(t, e.AppendScrape(nil, at), e.ContentType())
}

func TestFamiliesStandInPrintOrder(t *testing.T) {
	assert.Equal(t, []string{
		"nv_inference_request_success", "nv_inference_request_failure", "nv_inference_count", "nv_inference_exec_count",
		"nv_inference_request_duration_us", "nv_inference_queue_duration_us", "nv_inference_compute_input_duration_us",
		"nv_inference_compute_infer_duration_us", "nv_inference_compute_output_duration_us", "nv_cache_num_hits_per_model",
		"nv_cache_hit_duration_per_model", "nv_cache_num_misses_per_model", "nv_cache_miss_duration_per_model", "nv_energy_consumption",
		"nv_inference_pending_request_count", "nv_model_load_duration_secs", "nv_pinned_memory_pool_total_bytes",
		"nv_pinned_memory_pool_used_bytes", "nv_gpu_utilization", "nv_gpu_memory_total_bytes", "nv_gpu_memory_used_bytes",
		"nv_gpu_power_usage", "nv_gpu_power_limit", "nv_cpu_utilization", "nv_cpu_memory_total_bytes", "nv_cpu_memory_used_bytes",
	}, scrape(t, New(world(t, "steady"), "box"), start).Order)
	assert.NotContains(t, scrape(t, New(world(t, "idle"), "box"), start).Families, "nv_cache_num_hits_per_model",
		"a family without series is not printed")
}

func TestLoadedLaterMeansTwoLabelSets(t *testing.T) {
	w := world(t, "steady")
	e := New(w, "box:8002")
	uuid := fakes.IdentityOf("box").GPUUUID(1)
	withGPU := `{__name__="nv_inference_request_success", gpu_uuid="` + uuid + `", model="reranker", version="1"}`
	plain := `{__name__="nv_inference_request_success", model="reranker", version="1"}`

	before := scrape(t, e, start.Add(6*time.Minute-time.Millisecond))
	assert.NotContains(t, before.Series, plain)

	after := scrape(t, e, start.Add(time.Hour))
	assert.Greater(t, after.Series[withGPU], 0.0)
	assert.Contains(t, after.Series, plain)
	assert.Zero(t, after.Series[plain])
	load := strings.NewReplacer("nv_inference_request_success", "nv_model_load_duration_secs")
	assert.Zero(t, after.Series[load.Replace(withGPU)])
	assert.InDelta(t, 3.115270094, after.Series[load.Replace(plain)], 0)
	assert.NotContains(t, strings.Join(after.Families["nv_cache_num_hits_per_model"].LabelNames, ";"), "gpu_uuid")
}

func TestValuesAreTheWorlds(t *testing.T) {
	w := world(t, "steady")
	at := start.Add(5*time.Hour + 700*time.Millisecond)
	s := scrape(t, New(w, "box:8002"), at)
	m, ok := w.Model("ensemble")
	require.True(t, ok)
	c := m.Counters(at)
	value := func(name string) float64 {
		v, ok := s.Series[`{__name__="`+name+`", model="ensemble", version="1"}`]
		require.True(t, ok, name)
		return v
	}
	assert.InDelta(t, c.Success, value(successName), 0)
	assert.InDelta(t, c.RequestUS, value("nv_inference_request_duration_us"), 0)
	assert.InDelta(t, c.ComputeInferUS, value("nv_inference_compute_infer_duration_us"), 0)
	assert.InDelta(t, c.Failures[fakes.Other], s.Series[`{__name__="nv_inference_request_failure", model="ensemble", reason="OTHER", version="1"}`], 0)
	gpu, _ := w.GPU(0)
	polled := at.Truncate(time.Second)
	uuid := fakes.IdentityOf("box").GPUUUID(0)
	assert.InDelta(t, gpu.Utilization(polled), s.Series[`{__name__="nv_gpu_utilization", gpu_uuid="`+uuid+`"}`], 0.005)
	assert.InDelta(t, gpu.Energy(polled), s.Series[`{__name__="nv_energy_consumption", gpu_uuid="`+uuid+`"}`], 0.001)
}

func TestCountersNeverFallAndNothingIsNaN(t *testing.T) {
	e := New(world(t, "steady"), "box")
	random := rand.New(rand.NewPCG(1, 1))
	at, last := start, map[string]float64{}
	for range 400 {
		at = at.Add(time.Duration(random.Int64N(int64(4 * time.Minute))))
		s := scrape(t, e, at)
		for series, v := range s.Series {
			require.False(t, math.IsNaN(v) || math.IsInf(v, 0) || v < 0, series)
			name, _, _ := strings.Cut(strings.TrimPrefix(series, `{__name__="`), `"`)
			if s.Families[name].Type == "counter" {
				require.GreaterOrEqual(t, v, last[series], series)
			}
		}
		last = s.Series
	}
}

func TestTimesBeforeTheStartAreTheStart(t *testing.T) {
	e := New(world(t, "steady"), "box")
	assert.Equal(t, string(e.AppendScrape(nil, start)), string(e.AppendScrape(nil, start.Add(-time.Hour))))
}

func TestScrapesAreTheSameFromManyGoroutines(t *testing.T) {
	e := New(world(t, "steady"), "box")
	at := start.Add(time.Hour)
	want := e.AppendScrape(nil, at)
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for range 20 {
				assert.Equal(t, want, e.AppendScrape(nil, at))
			}
		})
	}
	group.Wait()
}

func TestNumbersAreThoseOfACppStream(t *testing.T) {
	for _, tc := range []struct {
		v    float64
		want string
	}{
		{0, "0"}, {151, "151"}, {-3, "-3"}, {0.02255639097744361, "0.02255639097744361"}, {1.611378656, "1.611378656"},
		{268435456, "268435456"}, {57 * 0.01, "0.57"}, {0.1 + 0.2, "0.3"}, {29 * 0.01, "0.29"}, {1e15, "1000000000000000"},
		{9999999999999998, "9999999999999998"}, {1e16, "1e+16"}, {1.5e17, "1.5e+17"}, {0.0001, "0.0001"}, {0.00001, "1e-05"},
		{100, "100"}, {1234567.5, "1234567.5"}, {math.NaN(), "Nan"}, {math.Inf(1), "+Inf"}, {math.Inf(-1), "-Inf"},
	} {
		assert.Equal(t, tc.want, string(number(nil, tc.v)))
	}
}

func TestHandlerBehavesAsTriton(t *testing.T) {
	w := world(t, "steady")
	e := New(w, "box")
	at := start.Add(time.Hour)
	server := httptest.NewServer(e.Handler(func() time.Time { return at }))
	defer server.Close()
	for _, tc := range []struct {
		method, path string
		status       int
		kind, body   string
	}{
		{http.MethodGet, "/metrics", 200, "text/plain; charset=utf-8", string(e.AppendScrape(nil, at))},
		{http.MethodGet, "/metrics/", 200, "text/plain; charset=utf-8", string(e.AppendScrape(nil, at))},
		{http.MethodGet, "/", 200, "text/plain", ""},
		{http.MethodGet, "/v2/health/ready", 200, "text/plain", ""},
		{http.MethodHead, "/metrics", 405, "application/json", ""},
		{http.MethodPost, "/metrics", 405, "application/json", `{"error":"Method Not Allowed"}`},
	} {
		request, err := http.NewRequestWithContext(t.Context(), tc.method, server.URL+tc.path, nil)
		require.NoError(t, err)
		response, err := server.Client().Do(request)
		require.NoError(t, err)
		body, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		assert.Equal(t, tc.status, response.StatusCode, tc.path)
		assert.Equal(t, tc.kind, response.Header.Get("Content-Type"), tc.path)
		assert.Equal(t, tc.body, string(body), tc.path)
		if tc.method != http.MethodHead {
			assert.EqualValues(t, len(tc.body), response.ContentLength, tc.path)
		}
	}
}

func TestMachinesDiffer(t *testing.T) {
	w := world(t, "steady")
	at := start.Add(time.Hour)
	one, two := scrape(t, New(w, "one:8002"), at), scrape(t, New(w, "two:8002"), at)
	assert.NotEqual(t, one.Lines, two.Lines)
	assert.Len(t, two.Lines, len(one.Lines))
	assert.Equal(t, New(w, "one:8002").AppendScrape(nil, at), New(w, "one:18002").AppendScrape(nil, at))
	assert.True(t, slices.Equal(one.Order, two.Order))
}

func BenchmarkScrape(b *testing.B) {
	e := New(world(b, "steady"), "box")
	var body []byte
	for i := 0; b.Loop(); i++ {
		body = e.AppendScrape(body[:0], start.Add(time.Duration(i%5760)*15*time.Second))
	}
}

// BenchmarkManyModels is the first scrape in each of a hundred epochs of a Triton with 500 models, all families switched on.
func BenchmarkManyModels(b *testing.B) {
	var yaml strings.Builder
	yaml.WriteString("version: 1\nhost: {cpus: 1024}\ngpus: [{count: 8}]\nmodels:\n")
	for i := range 500 {
		fmt.Fprintf(&yaml, "  - {name: model_%d, gpu: %d, loaded_after: %dm, requests_per_second: 1, stages_us: {compute_infer: 900}}\n", i, i%8, max(0, i-400))
	}
	w := worldOf(b, yaml.String())
	for b.Loop() {
		e, err := Build(w, "box", everything(newest))
		require.NoError(b, err)
		var body []byte
		for minute := range 100 {
			body = e.AppendScrape(body[:0], start.Add(time.Duration(minute)*time.Minute))
		}
		b.ReportMetric(float64(len(body))/1e6, "MB/page")
	}
}

// BenchmarkBuild is one exporter made and asked once.
func BenchmarkBuild(b *testing.B) {
	w := world(b, "steady")
	for b.Loop() {
		New(w, "box").AppendScrape(nil, start)
	}
}
