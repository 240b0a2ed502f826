package triton

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/fakes/internal/scrapetest"
)

func TestAReloadedModelBeginsAnewWithItsGPU(t *testing.T) {
	w := world(t, "reload") // reranker goes after 13 minutes, for four seconds
	e, err := Build(w, "box:8002", fakes.Setup{Args: []string{"--metrics-config=summary_latencies=true"}})
	require.NoError(t, err)
	bare := `{__name__="nv_inference_request_success", model="reranker", version="1"}`
	card := `{__name__="nv_inference_request_success", gpu_uuid="` + fakes.IdentityOf("box").GPUUUID(1) + `", model="reranker", version="1"}`
	at := func(after time.Duration) scrapetest.Scrape { return scrape(t, e, start.Add(after)) }

	before := at(13*time.Minute - time.Second)
	assert.Greater(t, before.Series[bare], 5000.0)
	assert.NotContains(t, before.Series, card)
	away := at(13*time.Minute + 2*time.Second)
	assert.NotContains(t, away.Series, bare)
	assert.Contains(t, away.Series, strings.ReplaceAll(bare, "reranker", "preprocessing"), "the others stay")
	after := at(13*time.Minute + 5*time.Second)
	assert.Contains(t, after.Series, bare)
	assert.Zero(t, after.Series[bare])
	assert.InDelta(t, 14, after.Series[card], 8, "a second's requests")
	assert.InDelta(t, 14, after.Series[strings.ReplaceAll(card, "request_success", "request_summary_us_count")], 8)

	pending := `{__name__="nv_inference_request_summary_us", gpu_uuid="` + fakes.IdentityOf("box").GPUUUID(1) + `", model="reranker", quantile="0.5", version="1"}`
	assert.False(t, math.IsNaN(after.Series[pending]))
	old, err := Build(w, "box:8002", fakes.Setup{Version: "21.12"})
	require.NoError(t, err)
	assert.Contains(t, scrape(t, old, start).Series, card, "it always has its GPU")
}

func TestARestartedServerBeginsAnew(t *testing.T) {
	w := world(t, "restarting") // Triton goes after seven minutes, for 45 seconds
	e, err := Build(w, "box:8002", fakes.Setup{})
	require.NoError(t, err)
	energy := `{__name__="nv_energy_consumption", gpu_uuid="` + fakes.IdentityOf("box").GPUUUID(0) + `"}`
	success := `{__name__="nv_inference_request_success", model="reranker", version="1"}`
	back := w.Started("triton", start.Add(10*time.Minute))
	require.Equal(t, start.Add(7*time.Minute+45*time.Second), back)

	before, after := scrape(t, e, start.Add(7*time.Minute-time.Second)), scrape(t, e, back.Add(2*time.Second))
	assert.Greater(t, before.Series[energy], 2000.0)
	assert.Less(t, after.Series[energy], 150.0)
	assert.Greater(t, before.Series[success], 1000.0)
	assert.Less(t, after.Series[success], 60.0)
	assert.Zero(t, scrape(t, e, back).Series[energy])
	assert.Equal(t, before.Lines, after.Lines, "all are there at start-up again")
}

// TestCountersFallOnlyWhereTheirModelGoes looks at an hour of reloads and restarts.
func TestCountersFallOnlyWhereTheirModelGoes(t *testing.T) {
	for _, scenario := range []string{"reload", "restarting"} {
		w := world(t, scenario)
		e, err := Build(w, "box", everything(newest))
		require.NoError(t, err)
		var last scrapetest.Scrape
		falls, from := 0, start
		for at := start.Add(3 * time.Second); at.Before(start.Add(time.Hour)); at = at.Add(7 * time.Second) {
			s := scrape(t, e, at)
			for series, v := range s.Series {
				p := plausible{t: t, s: s}
				f, suffix := p.family(series)
				if past, known := last.Series[series]; known && v < past && (f.Type == "counter" || suffix != "") {
					falls++
					require.True(t, began(w, series, from, at), "%s fell at %s", series, at)
				}
			}
			last, from = s, at
		}
		assert.Positive(t, falls, scenario)
	}
}

// began says whether the process, or the model that a series is of, began between two times.
func began(w *fakes.World, series string, from, to time.Time) bool {
	if started := w.Started(name, to); started.After(from) {
		return true
	}
	for _, m := range w.Models() {
		for _, stay := range m.Stays() {
			if strings.Contains(series, `model="`+m.Name()+`"`) && stay.From.After(from) && !stay.From.After(to) {
				return true
			}
		}
	}
	return false
}
