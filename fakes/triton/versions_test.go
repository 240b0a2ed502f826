package triton

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/fakes/catalogue"
	"github.com/panelgate/panelgate/fakes/internal/scrapetest"
	"github.com/panelgate/panelgate/fakes/release"
)

// everything is a setup that switches on all that a release has.
func everything(version string) fakes.Setup {
	setup := fakes.Setup{Version: version, Args: []string{"tritonserver", "--model-repository=/models", "--model-namespacing=true",
		"--metrics-config=summary_latencies=true", "--metrics-config=histogram_latencies=true"}}
	if release.MustParse(version).Before("23.03") {
		setup.Args = append(setup.Args, "--response-cache-byte-size=1048576")
	} else {
		setup.Args = append(setup.Args, "--cache-config=local,size=1048576")
	}
	return setup
}

func built(t testing.TB, scenario string, setup fakes.Setup) *Exporter {
	t.Helper()
	e, err := Build(world(t, scenario), "box:8002", setup)
	require.NoError(t, err, "%v", setup)
	return e
}

func at(t testing.TB, version string, after time.Duration) scrapetest.Scrape {
	t.Helper()
	return scrape(t, built(t, "steady", everything(version)), start.Add(after))
}

func TestVersionsAreTheMonthlyReleases(t *testing.T) {
	versions := Versions()
	assert.Equal(t, "20.06", versions[0])
	assert.Equal(t, newest, versions[len(versions)-1])
	assert.Len(t, versions, 72)
	assert.True(t, slices.IsSorted(versions))
	assert.NotContains(t, versions, "21.01")
}

// TestEachReleaseIsWhatTheCatalogueSays holds fake and catalogue against each other: families, types, HELP and labels.
func TestEachReleaseIsWhatTheCatalogueSays(t *testing.T) {
	for _, version := range Versions() {
		r := release.MustParse(version)
		s := at(t, version, time.Hour)
		var due []string
		for _, m := range catalogue.New().Of("triton") {
			f, shown := s.Families[m.Name]
			if m.Help == "" || !r.Since(m.Since) || m.Until != "" && !r.Before(m.Until) || oneDecoupled(m.Name, r) {
				assert.False(t, shown, "%s has %s", version, m.Name)
				continue
			}
			due = append(due, m.Name)
			require.True(t, shown, "%s lacks %s", version, m.Name)
			assert.Equal(t, string(m.Type), f.Type, m.Name)
			help := m.Help
			if until, text, ok := strings.Cut(m.FormerHelp, ": "); ok && r.Before(until) {
				help = text
			}
			assert.Equal(t, help, f.Help, "%s %s", version, m.Name)
			for _, names := range f.LabelNames {
				for label := range strings.SplitSeq(names, ",") {
					if label != "" && label != "quantile" && label != "le" {
						assert.Contains(t, m.Labels, label, "%s %s", version, m.Name)
					}
				}
			}
		}
		assert.ElementsMatch(t, due, s.Order, version)
	}
}

// oneDecoupled says whether a family is only of decoupled models, of which the scenario has none.
func oneDecoupled(name string, r release.Release) bool {
	return strings.Contains(name, "first_response") && r.Before(firstOfAll)
}

func TestTextEras(t *testing.T) {
	for _, version := range Versions() {
		e := built(t, "steady", everything(version))
		body := e.AppendScrape(nil, start.Add(time.Hour))
		s := scrapetest.Parse(t, body, e.ContentType())
		before := release.MustParse(version).Before("22.09")
		numbers, energy := shortest, slices.Index(s.Order, "nv_energy_consumption")
		if before {
			numbers = sixDecimal
			assert.Equal(t, len(s.Order)-1, energy, "%s: registered last", version)
		} else {
			assert.Equal(t, "counter", s.Families[s.Order[energy]].Type)
			assert.NotEqual(t, "counter", s.Families[s.Order[energy+1]].Type, "%s: the last of the counters", version)
			assert.True(t, slices.IsSortedFunc(s.Order, func(a, b string) int {
				return strings.Compare(s.Families[a].Type, s.Families[b].Type) // the types happen to be in alphabetical order
			}), version)
		}
		assert.Empty(t, badNumbers(body, numbers), version)

		idle := scrape(t, built(t, "idle", fakes.Setup{Version: version, Args: []string{"--allow-gpu-metrics=false"}}), start)
		assert.Equal(t, before, idle.Families["nv_gpu_utilization"] != nil, "%s: a family without series", version)
	}
}

func TestContentTypeByRelease(t *testing.T) {
	assert.Equal(t, "text/plain", built(t, "idle", fakes.Setup{Version: "22.10"}).ContentType())
	assert.Equal(t, "text/plain; charset=utf-8", built(t, "idle", fakes.Setup{Version: "22.11"}).ContentType())
}

func TestLabelsByRelease(t *testing.T) {
	// inference runs on a GPU and is there at start-up, reranker runs on one and is loaded after six minutes, ensemble on none.
	const (
		bare = "model,version"
		card = "gpu_uuid,model,version"
	)
	for _, tc := range []struct {
		version                string
		start, later, ensemble []string
	}{
		{"20.06", []string{card}, []string{card}, []string{bare}},
		{"22.01", []string{card}, []string{card}, []string{bare}},
		{"22.02", []string{bare}, []string{card}, []string{bare}},
		{"23.08", []string{bare}, []string{card}, []string{bare}},
		{"23.09", []string{bare}, []string{bare, card}, []string{bare}},
		{"26.06", []string{bare}, []string{bare, card}, []string{bare}},
	} {
		s := scrape(t, built(t, "steady", fakes.Setup{Version: tc.version}), start.Add(time.Hour))
		assert.ElementsMatch(t, tc.start, labelsOf(s, successName, "inference"), tc.version)
		assert.ElementsMatch(t, tc.later, labelsOf(s, successName, "reranker"), tc.version)
		assert.ElementsMatch(t, tc.ensemble, labelsOf(s, successName, "ensemble"), tc.version)

		none := scrape(t, built(t, "steady", fakes.Setup{Version: tc.version, Args: []string{"--allow-gpu-metrics", "off"}}), start.Add(time.Hour))
		assert.Equal(t, []string{bare}, labelsOf(none, successName, "reranker"), "%s: without GPU metrics Triton knows no UUID", tc.version)
	}
}

func labelsOf(s scrapetest.Scrape, family, model string) []string {
	var all []string
	for _, set := range s.Sets {
		if set.Get("__name__") != family || set.Get("model") != model {
			continue
		}
		var names []string
		for name := range set.Map() {
			if name != "__name__" {
				names = append(names, name)
			}
		}
		slices.Sort(names)
		all = append(all, strings.Join(names, ","))
	}
	return all
}

func TestReasonAndNamespaceByRelease(t *testing.T) {
	assert.Equal(t, []string{"model,version"}, labelsOf(at(t, "24.04", 0), failureName, "ensemble"))
	assert.Equal(t, []string{"model,namespace,version"}, labelsOf(at(t, "24.05", 0), failureName, "ensemble"))
	assert.Equal(t, slices.Repeat([]string{"model,namespace,reason,version"}, 4), labelsOf(at(t, "24.07", 0), failureName, "ensemble"))
	s := at(t, "24.05", time.Hour)
	assert.Contains(t, s.Series, `{__name__="nv_inference_request_success", model="ensemble", namespace="/models", version="1"}`)

	// Without the label the failures of all reasons are one number.
	w := world(t, "steady")
	m, _ := w.Model("ensemble")
	var total int64
	for _, n := range m.Counters(start.Add(time.Hour)).Failures {
		total += n
	}
	assert.Positive(t, total)
	old := at(t, "23.10", time.Hour)
	assert.InDelta(t, total, old.Series[`{__name__="nv_inference_request_failure", model="ensemble", version="1"}`], 0)
}

func TestCacheByRelease(t *testing.T) {
	s := at(t, "22.12", time.Hour)
	value := func(name string) float64 {
		v, ok := s.Series[`{__name__="`+name+`"}`]
		require.True(t, ok, name)
		return v
	}
	assert.Positive(t, value("nv_cache_num_hits"))
	assert.InDelta(t, value("nv_cache_num_lookups"), value("nv_cache_num_hits")+value("nv_cache_num_misses"), 0)
	assert.InDelta(t, value("nv_cache_num_misses"), value("nv_cache_num_entries")+value("nv_cache_num_evictions"), 0)
	assert.InDelta(t, 1, value("nv_cache_util"), 0, "of a thousand entries")
	assert.Len(t, labelsOf(s, "nv_cache_num_hits_per_model", "ensemble"), 1, "every model has the family until 23.03")
	assert.Empty(t, labelsOf(at(t, "23.03", time.Hour), "nv_cache_num_hits_per_model", "ensemble"))
	assert.Len(t, labelsOf(at(t, "23.03", time.Hour), "nv_cache_num_hits_per_model", "preprocessing"), 1)

	off := scrape(t, built(t, "steady", fakes.Setup{Version: "22.12", Args: []string{"tritonserver"}}), start.Add(time.Hour))
	assert.NotContains(t, off.Families, "nv_cache_num_hits")
	assert.Zero(t, off.Series[`{__name__="nv_cache_num_hits_per_model", model="preprocessing", version="1"}`])
	off = scrape(t, built(t, "steady", fakes.Setup{Version: "22.08", Args: []string{"tritonserver"}}), start.Add(time.Hour))
	assert.Contains(t, off.Families, "nv_cache_num_hits", "a family without series is printed until 22.09")
	off = scrape(t, built(t, "steady", fakes.Setup{Args: []string{"tritonserver"}}), start.Add(time.Hour))
	assert.NotContains(t, off.Families, "nv_cache_num_hits_per_model")
}

// Without a response cache everything is executed, which the truth of the world without one says as well.
func TestWithoutACacheEverythingIsExecuted(t *testing.T) {
	for _, setup := range []fakes.Setup{{Version: "22.01"}, {Version: "20.06", Args: []string{"--response-cache-byte-size=1048576"}},
		{Args: []string{"tritonserver"}}, {Version: "22.12", Args: []string{"--model-repository=/models", "--response-cache-byte-size=0"}}} {
		w := world(t, "steady")
		e, err := Build(w, "box:8002", setup)
		require.NoError(t, err)
		s := scrape(t, e, start.Add(time.Hour))
		value := func(name string) float64 {
			for series, v := range s.Series {
				if strings.Contains(series, `{__name__="`+name+`"`) && strings.Contains(series, `model="preprocessing"`) {
					return v
				}
			}
			t.Fatal(name)
			return 0
		}
		assert.InDelta(t, value("nv_inference_request_success"), value("nv_inference_count"), 0, "%v", setup)
		m, ok := w.WithoutCache().Model("preprocessing")
		require.True(t, ok)
		assert.False(t, Caches(setup))
		truth := m.MeanComputeInfer(start, start.Add(time.Hour))
		assert.InEpsilon(t, truth, value("nv_inference_compute_infer_duration_us")/value("nv_inference_request_success"), 1e-3, "%v", setup)
	}
	assert.True(t, Caches(fakes.Setup{}))
	assert.True(t, Caches(fakes.Setup{Version: "22.12", Args: []string{"tritonserver", "--response-cache-byte-size=1048576"}}))
	assert.False(t, Caches(fakes.Setup{Version: "none"}), "it does not start")
}

func TestReleasesThatAreNotActedOut(t *testing.T) {
	w := world(t, "idle")
	for version, want := range map[string]string{
		"24.7":   `version: "24.7" is no release of Triton: they are written as 24.07`,
		"24.13":  `version: "24.13" is no release of Triton: they are written as 24.07`,
		"2.40.0": `version: "2.40.0" is no release of Triton: they are written as 24.07`,
		"20.05":  "version: Triton 20.05 is older than what is acted out: releases from 20.06 on are",
		"new":    `version: "new" is no release`,
	} {
		_, err := Build(w, "box", fakes.Setup{Version: version})
		assert.ErrorContains(t, err, want)
	}
	for _, version := range []string{"20.06", "21.01", "24.07-py3", "27.03", "main"} {
		_, err := Build(w, "box", fakes.Setup{Version: version})
		assert.NoError(t, err, version)
	}
}
