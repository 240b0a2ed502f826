package node

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/fakes/internal/scrapetest"
)

var start = time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)

func world(t testing.TB) *fakes.World {
	t.Helper()
	s, err := fakes.BuiltinScenario("steady")
	require.NoError(t, err)
	return fakes.NewWorld(s, start)
}

func built(t testing.TB, version string, args ...string) *Exporter {
	t.Helper()
	e, err := Build(world(t), "box:9100", fakes.Setup{Version: version, Args: args})
	require.NoError(t, err, version)
	return e
}

func scrape(t testing.TB, e *Exporter, at time.Time) scrapetest.Scrape {
	t.Helper()
	return scrapetest.Parse(t, e.AppendScrape(nil, at), e.ContentType())
}

func TestSizeIsThatOfASmallHost(t *testing.T) {
	series := len(scrape(t, New(world(t), "box"), start).Series)
	assert.GreaterOrEqual(t, series, 500)
	assert.LessOrEqual(t, series, 900)
}

func TestCPUTimeIsTheWorldsUtilisation(t *testing.T) {
	w := world(t)
	e := New(w, "box:9100")
	for _, window := range []time.Duration{time.Minute, 5 * time.Minute, 6 * time.Hour} {
		from := start.Add(3 * time.Hour)
		to := from.Add(window)
		a, b := scrape(t, e, from), scrape(t, e, to)
		var idle, all float64
		for series, v := range b.Series {
			if !strings.Contains(series, `"node_cpu_seconds_total"`) {
				continue
			}
			all += v - a.Series[series]
			if strings.Contains(series, `mode="idle"`) {
				idle += v - a.Series[series]
			}
		}
		cpus := float64(w.Host().CPUs())
		// Each counter is rounded down to a hundredth of a second at either end.
		bound := 0.01 / window.Seconds()
		assert.InDelta(t, w.Host().MeanCPUUtilization(from, to), 1-idle/cpus/window.Seconds(), bound, window)
		assert.InDelta(t, cpus*window.Seconds(), all, 8*cpus*0.01, "all modes together are the time that passed")
	}
}

func TestGaugesAreTheWorlds(t *testing.T) {
	w := world(t)
	at := start.Add(90*time.Minute + 250*time.Millisecond)
	s := scrape(t, New(w, "box:9100"), at)
	value := func(name string) float64 {
		v, ok := s.Series[`{__name__="`+name+`"}`]
		require.True(t, ok, name)
		return v
	}
	assert.InDelta(t, w.Host().MemoryTotal(), value("node_memory_MemTotal_bytes"), 0)
	assert.InDelta(t, w.Host().MemoryUsed(at), value("node_memory_MemTotal_bytes")-value("node_memory_MemAvailable_bytes"), 4096)
	assert.InDelta(t, 8*w.Host().MeanCPUUtilization(at.Add(-time.Minute), at), value("node_load1"), 0.01)
	assert.InDelta(t, float64(at.UnixMilli())/1000, value("node_time_seconds"), 1e-6)
	assert.InDelta(t, float64(w.Host().Boot().Unix()), value("node_boot_time_seconds"), 0)
	assert.Contains(t, strings.Join(s.Lines, "\n"), `nodename="`+fakes.IdentityOf("box").NodeName()+`"`)
}

// cumulative says whether a series may only rise: counters, sum and count of summaries, and those among the untyped families and the
// gauges that the kernel counts all the same.
func cumulative(s scrapetest.Scrape, name string) bool {
	family, ok := s.Families[name]
	if !ok {
		return strings.HasSuffix(name, "_sum") || strings.HasSuffix(name, "_count")
	}
	switch {
	case name == "node_netstat_Tcp_CurrEstab":
		return false
	case strings.HasPrefix(name, "node_nf_conntrack_stat_"):
		return true
	}
	return family.Type == counter || family.Type == string(model.MetricTypeUnknown)
}

func TestCountersNeverFall(t *testing.T) {
	e := built(t, "", offByDefault()...)
	last := map[string]float64{}
	risen := map[string]bool{}
	for at := start; at.Before(start.Add(26 * time.Hour)); at = at.Add(311 * time.Second) {
		s := scrape(t, e, at)
		for series, v := range s.Series {
			name := nameOf(series)
			before, seen := last[series]
			switch {
			case v < 0 && name != "node_hwmon_temp_min_celsius":
				t.Fatalf("%s is %v at %s", series, v, at)
			case !cumulative(s, name):
			case v < before:
				t.Fatalf("%s fell from %v to %v at %s", series, before, v, at)
			case seen && v > before:
				risen[name] = true
			}
		}
		last = s.Series
	}
	for _, name := range []string{"node_cpu_seconds_total", "node_netstat_IpExt_InOctets", "node_schedstat_timeslices_total",
		"node_softnet_processed_total", "go_gc_duration_seconds_count", "go_memstats_frees_total", "node_disk_flush_requests_total",
		"node_nf_conntrack_stat_invalid", "node_pressure_irq_stalled_seconds_total"} {
		assert.True(t, risen[name], "%s has risen", name)
	}
}

// nameOf is the metric name of a series as labels.Labels writes it.
func nameOf(series string) string {
	_, rest, _ := strings.Cut(series, `__name__="`)
	name, _, _ := strings.Cut(rest, `"`)
	return name
}

func TestMemoryAddsUp(t *testing.T) {
	s := scrape(t, New(world(t), "box"), start.Add(time.Hour))
	field := func(name string) float64 {
		v, ok := s.Series[`{__name__="node_memory_`+name+`"}`]
		require.True(t, ok, name)
		return v
	}
	assert.InDelta(t, field("Active_anon_bytes")+field("Active_file_bytes"), field("Active_bytes"), 0)
	assert.InDelta(t, field("Inactive_anon_bytes")+field("Inactive_file_bytes"), field("Inactive_bytes"), 0)
	assert.InDelta(t, field("SReclaimable_bytes")+field("SUnreclaim_bytes"), field("Slab_bytes"), 0)
	assert.InDelta(t, field("AnonPages_bytes")+field("Shmem_bytes"), field("Active_anon_bytes")+field("Inactive_anon_bytes"), 4*pageSize)
	assert.InDelta(t, field("Cached_bytes")+field("Buffers_bytes"), field("Active_file_bytes")+field("Inactive_file_bytes"), 4*pageSize)
	assert.LessOrEqual(t, field("DirectMap1G_bytes")+field("DirectMap2M_bytes")+field("DirectMap4k_bytes"), field("MemTotal_bytes"))
}

func TestTemperaturesFollowTheLoad(t *testing.T) {
	w := world(t)
	e := New(w, "box")
	for at := start; at.Before(start.Add(3 * time.Hour)); at = at.Add(7 * time.Minute) {
		s := scrape(t, e, at)
		degrees := s.Series[`{__name__="`+celsius+`", chip="platform_coretemp_0", sensor="temp1"}`]
		assert.InDelta(t, 35+32*(1+spread)*w.Host().CPUUtilization(at), degrees, 1.0001)
		assert.Less(t, degrees, s.Series[`{__name__="node_hwmon_temp_max_celsius", chip="platform_coretemp_0", sensor="temp1"}`])
		assert.InDelta(t, degrees, s.Series[`{__name__="node_thermal_zone_temp", type="x86_pkg_temp", zone="0"}`], 1e-9)
	}
}

func BenchmarkScrape(b *testing.B) {
	e := New(world(b), "box")
	var body []byte
	for i := 0; b.Loop(); i++ {
		body = e.AppendScrape(body[:0], start.Add(time.Duration(i%5760)*15*time.Second))
	}
}

func BenchmarkBuild(b *testing.B) {
	w := world(b)
	for b.Loop() {
		New(w, "box")
	}
}
