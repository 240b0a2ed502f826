package triton

import (
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/fakes/release"
)

func TestArgsAreReadAsTritonReadsThem(t *testing.T) {
	read := func(args ...string) *options {
		o, err := readOptions(release.MustParse(newest), args)
		require.NoError(t, err, "%q", args)
		return o
	}
	for _, off := range []string{"false", "False", "OFF", "0"} {
		assert.False(t, read("--allow-gpu-metrics="+off).gpuMetrics, off)
		assert.False(t, read("--allow-gpu-metrics", off).gpuMetrics, off)
	}
	assert.True(t, read("--allow-gpu-metrics=off", "--allow-gpu-metrics=on").gpuMetrics, "the last one counts")
	assert.True(t, read("--", "--allow-gpu-metrics=off").gpuMetrics)
	assert.True(t, read("--id", "box", "--log-verbose=1", "stray", "-f").gpuMetrics, "what is not about metrics is passed over")
	for _, args := range [][]string{
		{"--metrics-config", "summary_latencies=true"},
		{"--metrics-config=summary_latencies=true"},
		{"/opt/tritonserver/bin/tritonserver", "--metrics-config=summary_latencies=true"},
		{"tritonserver", "--model-repository=/models", "--metrics-config", "summary_latencies=false", "--metrics-config", "summary_latencies=true"},
		{"sh", "-c", "tritonserver --model-repository=/models --metrics-config summary_latencies=true"},
		{"bash", "-c", `export X=1 && exec tritonserver "--metrics-config" 'summary_latencies=true' --id "a \"b" | tee log --metrics-config=histogram_latencies=true`},
		{"tritonserver --metrics-config=summary_latencies=true \\\n  --id=x; tritonserver --metrics-config=histogram_latencies=true"},
		{"mpirun", "-n", "1", "tritonserver", "--metrics-config=summary_latencies=true"},
	} {
		o := read(args...)
		assert.True(t, o.summaries, "%q", args)
		assert.False(t, o.histograms, "%q", args)
		assert.True(t, o.counters, "%q", args)
	}
	assert.False(t, read("--metrics-config=summary_latencies=True").summaries, "only the very word switches it on")
	assert.True(t, read("--metrics-config=summary_latencies=true", "--metrics-config=summary_latencies=false").summaries)
	assert.False(t, read("--metrics-config=counter_latencies=false").counters)
	assert.Equal(t, 250*time.Millisecond, read("--metrics-interval-ms=501ms").interval)
	assert.Equal(t, []float64{0.25, 0, 2}, read("--metrics-config=summary_quantiles=0.25:0.1,x,0.5,0:1,nine:1,2:.1x").quantiles)
	assert.Len(t, read("--metrics-config=summary_quantiles=x").quantiles, 5, "nothing left of them: the default")
	assert.True(t, read().cache.on, "nothing is known")
	assert.False(t, read("tritonserver").cache.on)
	assert.False(t, read("--model-repository=/models").cache.on)
	assert.False(t, read("--model-store", "/models").cache.on)
	assert.False(t, read("sh", "-c", "exec tritonserver --model-repository=/models; echo").cache.on)
	assert.True(t, read("--metrics-config", "summary_latencies=true").cache.on, "an excerpt")
	assert.True(t, read("--cache-config=local,size=1048576").cache.on)
	assert.True(t, read("--cache-config", "redis,host=r").cache.on)
	assert.False(t, read("--response-cache-byte-size=0").cache.on)
	assert.Empty(t, read("--model-repository=/m").namespace)
	assert.Equal(t, "/m", read("--model-namespacing=true", "--model-store", "/m").namespace)
}

func TestArgsThatTritonDoesNotStartWith(t *testing.T) {
	for _, tc := range []struct{ args, want string }{
		{"--allow-metrics=yes", "--allow-metrics=yes: want true, on, 1, false, off or 0"},
		{"--allow-metrics", "--allow-metrics has no value"},
		{"--metrics-interval-ms=fast", "--metrics-interval-ms=fast: want a whole number"},
		{"--metrics-interval-ms=99999999999", "--metrics-interval-ms=99999999999: want 0 to"},
		{"--metrics-config=summary_latencies", "--metrics-config=summary_latencies: want <setting>=<value>"},
		{"--metrics-config=model,summary_latencies=true", "want <setting>=<value>"},
		{"--metrics-config=summary_quantiles=1e999:1", "--metrics-config=summary_quantiles=1e999:1: \"1e999:1\": a number out of range"},
		{"--cache-config=size=1", "--cache-config=size=1: want <cache name>,<setting>=<value>"},
		{"--cache-config=local,size=big", "--cache-config=local,size=big: want a whole number"},
		{"--response-cache-byte-size=1e", ""},
		{"--response-cache-byte-size=much", "--response-cache-byte-size=much: want a whole number"},
		{"--response-cache-byte-size=1 --cache-config=local,size=1", "--response-cache-byte-size and --cache-config are both there"},
		{"--pinned-memory-pool-byte-size=x", "--pinned-memory-pool-byte-size=x: want a whole number"},
		{"--model-control-mode=lazy", "--model-control-mode=lazy: want one of none, poll, explicit"},
	} {
		_, err := Build(world(t, "idle"), "box", fakes.Setup{Args: strings.Fields(tc.args)})
		if tc.want == "" {
			assert.NoError(t, err, tc.args)
			continue
		}
		assert.ErrorContains(t, err, "args of tritonserver: ")
		assert.ErrorContains(t, err, tc.want)
	}
	_, err := Build(world(t, "idle"), "box", fakes.Setup{Args: []string{"sh", "-c", "tritonserver --id 'x"}})
	assert.ErrorContains(t, err, "without closing quote")
	_, err = Build(world(t, "idle"), "box", fakes.Setup{Version: "22.12", Args: []string{"--metrics-config=nonsense"}})
	assert.NoError(t, err, "a flag of later releases")
}

func TestCounterLatenciesFalseStopsEveryCounter(t *testing.T) {
	s := scrape(t, built(t, "steady", fakes.Setup{Args: []string{"--metrics-config=counter_latencies=false", "--metrics-config=summary_latencies=true",
		"--cache-config=local,size=1"}}), start.Add(time.Hour))
	for series, v := range s.Series {
		name, _, _ := strings.Cut(strings.TrimPrefix(series, `{__name__="`), `"`)
		if f := s.Families[name]; f != nil && f.Type == "counter" && name != "nv_energy_consumption" {
			assert.Zero(t, v, series)
		}
	}
	assert.Contains(t, s.Families, successName)
	assert.NotContains(t, s.Families, "nv_inference_request_duration_us")
	assert.NotContains(t, s.Families, "nv_cache_num_hits_per_model")
	assert.Positive(t, s.Series[`{__name__="nv_inference_request_summary_us_count", model="ensemble", version="1"}`], "summaries go on")
}

func TestWithoutAPollThreadThePinnedPoolIsUnknown(t *testing.T) {
	total := `{__name__="nv_pinned_memory_pool_total_bytes"}`
	s := scrape(t, built(t, "steady", fakes.Setup{Args: []string{"--allow-gpu-metrics=0", "--allow-cpu-metrics=0"}}), start.Add(time.Hour))
	assert.Zero(t, s.Series[total])
	for _, name := range []string{"nv_gpu_utilization", "nv_energy_consumption", "nv_cpu_utilization"} {
		assert.NotContains(t, s.Families, name)
	}
	s = scrape(t, built(t, "steady", fakes.Setup{Args: []string{"--allow-gpu-metrics=0", "--pinned-memory-pool-byte-size=1024"}}), start.Add(time.Hour))
	assert.InDelta(t, 1024, s.Series[total], 0)
	s = scrape(t, built(t, "steady", fakes.Setup{Env: map[string]string{"TRITON_SERVER_CPU_ONLY": "1"}}), start)
	assert.NotContains(t, s.Families, "nv_gpu_utilization")
}

func TestPollsAsOftenAsTold(t *testing.T) {
	utilization := func(interval string, after time.Duration) float64 {
		e := built(t, "steady", fakes.Setup{Args: []string{"--metrics-interval-ms=" + interval}})
		return scrape(t, e, start.Add(after)).Series[`{__name__="nv_cpu_memory_used_bytes"}`]
	}
	assert.InDelta(t, utilization("600000", 301*time.Second), utilization("600000", 599*time.Second), 0)
	assert.NotEqual(t, utilization("2000", 301*time.Second), utilization("2000", 599*time.Second))
	assert.False(t, math.IsNaN(utilization("0", 301*time.Second)))
}

func TestWithoutMetricsNobodyAnswers(t *testing.T) {
	e := built(t, "steady", fakes.Setup{Args: []string{"tritonserver", "--allow-metrics=false"}})
	assert.False(t, e.Listens())
	assert.Empty(t, e.AppendScrape(nil, start))
	server := httptest.NewServer(e.Handler(func() time.Time { return start }))
	defer server.Close()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/metrics", nil)
	require.NoError(t, err)
	response, err := server.Client().Do(request)
	if err == nil {
		assert.NoError(t, response.Body.Close())
	}
	assert.Error(t, err)
}

func TestLabelValuesAreEscaped(t *testing.T) {
	s := scrape(t, built(t, "steady", fakes.Setup{Args: []string{"--model-namespacing=1", "--model-repository=a\\b\"c\nd"}}), start)
	assert.Contains(t, s.Series, `{__name__="nv_inference_request_success", model="ensemble", namespace="a\\b\"c\nd", version="1"}`)
}

func FuzzArgsNeverEndTheFake(f *testing.F) {
	for _, seed := range []string{
		"tritonserver --metrics-config summary_latencies=true", `sh -c "tritonserver --id 'a b' \" # x"`, "--cache-config=local,size=1", "--", "--metrics-config",
		"--metrics-config=summary_quantiles=0.5:0.1,nan:1,inf:1", "tritonserver\\", "--model-repository=\x00\xff --model-namespacing=1",
	} {
		f.Add(seed, true)
		f.Add(seed, false)
	}
	w := world(f, "idle")
	f.Fuzz(func(t *testing.T, line string, whole bool) {
		args := []string{"sh", "-c", line}
		if !whole {
			args = strings.Fields(line)
		}
		e, err := Build(w, "box", fakes.Setup{Args: args})
		if err != nil {
			assert.NotEmpty(t, err.Error())
			return
		}
		e.AppendScrape(nil, start.Add(time.Hour))
	})
}

// A flag that begins like those of metrics and is none at any release is misspelt, and Triton does not start.
func TestMisspeltFlagsOfMetrics(t *testing.T) {
	for args, refused := range map[string]bool{
		"--metrics-confg=summary_latencies=true":   true,
		"--metrics-configs summary_latencies=true": true,
		"--metrics-interval=1000":                  false, // getopt_long takes the beginning of a flag
		"--metrics-port=9002":                      false,
		"--metrics-address=0.0.0.0":                false,
		"--metrics-config=summary_latencies=true":  false,
		"-- --metrics-confg=x":                     false,
		"--model-repository --metrics-confg":       false, // the value of a flag
	} {
		_, err := readOptions(release.MustParse("24.07"), strings.Fields(args))
		if !refused {
			assert.NoError(t, err, args)
			continue
		}
		require.Error(t, err, args)
		assert.Contains(t, err.Error(), "unrecognized option '--metrics-conf", args)
		assert.Contains(t, err.Error(), "there are --metrics-address, --metrics-config, --metrics-interval-ms, --metrics-port")
	}
}
