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

func TestQuantilesAreOfObservationsThatAddUp(t *testing.T) {
	assert.True(t, math.IsNaN(quantile(0.5, 0, 0)))
	assert.True(t, math.IsNaN(quantile(math.NaN(), 3, 30)))
	for _, q := range []float64{-1, 0, 0.5, 0.999, 1, 2, math.Inf(1)} {
		assert.InDelta(t, 59877, quantile(q, 1, 59877), 0, "of one observation each quantile is that one, as captured")
	}
	for _, n := range []int64{2, 7, 100, 2500} {
		const mean = 40000
		var sum, last float64
		for rank := range n {
			v := quantile((float64(rank)+1+1e-9)/float64(n), n, n*mean)
			require.GreaterOrEqual(t, v, last)
			sum, last = sum+v, v
		}
		assert.InDelta(t, mean, sum/float64(n), 1, "%d", n)
		assert.Greater(t, last, float64(mean))
	}
	assert.InDelta(t, 40000*(steady+(1-steady)*math.Log(100)), quantile(0.99, 100000, 100000*40000), 40)
}

func TestWindowsMoveOnByTheStep(t *testing.T) {
	loaded := start.Add(5 * time.Second)
	for after, want := range map[time.Duration]time.Duration{
		0: 0, 59 * time.Second: 0, 60 * time.Second: 12 * time.Second, 71 * time.Second: 12 * time.Second, 72 * time.Second: 24 * time.Second,
		time.Hour: time.Hour - 48*time.Second,
	} {
		assert.Equal(t, loaded.Add(want), windowStart(loaded, loaded.Add(after)), after)
	}
}

const rare = `
version: 1
models:
  - name: rare
    kind: vllm
    requests_per_second: 0.01
    stages_us: {queue: 200, compute_infer: 700000}
`

func TestSummariesOfAnIdleModel(t *testing.T) {
	e, err := Build(worldOf(t, rare), "box", fakes.Setup{Args: []string{"--metrics-config=summary_latencies=true"}})
	require.NoError(t, err)
	at := func(after time.Duration) (count, median float64, body string) {
		body = string(e.AppendScrape(nil, start.Add(after)))
		s := scrapetest.Parse(t, []byte(body), e.ContentType())
		return s.Series[`{__name__="nv_inference_request_summary_us_count", model="rare", version="1"}`],
			s.Series[`{__name__="nv_inference_request_summary_us", model="rare", quantile="0.5", version="1"}`], body
	}
	count, median, _ := at(99 * time.Second)
	assert.Zero(t, count)
	assert.True(t, math.IsNaN(median), "none yet")
	count, median, _ = at(101 * time.Second) // a request ends each hundred seconds
	assert.InDelta(t, 1, count, 0)
	assert.InDelta(t, 700202, median, 1)
	count, median, body := at(190 * time.Second)
	assert.InDelta(t, 1, count, 0, "counts stay")
	assert.True(t, math.IsNaN(median), "the window is empty")
	assert.Contains(t, body, "nv_inference_request_summary_us{model=\"rare\",version=\"1\",quantile=\"0.999\"} Nan\n")
	assert.Less(t, strings.Index(body, "_us_count{"), strings.Index(body, "_us_sum{"))
	assert.Less(t, strings.Index(body, "_us_sum{"), strings.Index(body, `quantile="0.5"`))
}

func TestSummariesOfTheWindowAreTheWorlds(t *testing.T) {
	w := world(t, "steady")
	e, err := Build(w, "box", fakes.Setup{Args: []string{"--metrics-config=summary_latencies=true", "--metrics-config=summary_quantiles=0:0,0.5:0,1:0"}})
	require.NoError(t, err)
	m, _ := w.Model("inference")
	for minute := range 120 {
		at := start.Add(2*time.Minute + time.Duration(minute)*time.Minute)
		s := scrape(t, e, at)
		mean := m.MeanRequest(windowStart(m.Loaded(), at), at)
		q := func(text string) float64 {
			return s.Series[`{__name__="nv_inference_request_summary_us", model="inference", quantile="`+text+`", version="1"}`]
		}
		require.InEpsilon(t, steady*mean, q("0.0"), 0.01)
		require.InEpsilon(t, mean*(steady+(1-steady)*math.Ln2), q("0.5"), 0.01)
		require.Greater(t, q("1.0"), q("0.5"))
		require.InDelta(t, s.Series[`{__name__="nv_inference_request_duration_us", model="inference", version="1"}`],
			s.Series[`{__name__="nv_inference_request_summary_us_sum", model="inference", version="1"}`], 0)
	}
}

func TestSummariesOfCachedModels(t *testing.T) {
	s := at(t, newest, time.Hour)
	one := func(family, model string) bool { return len(labelsOf(s, family+"_count", model)) == 1 }
	assert.False(t, one("nv_inference_request_summary_us", "preprocessing"), "not with the cache on")
	assert.True(t, one("nv_inference_queue_summary_us", "preprocessing"))
	assert.True(t, one("nv_cache_hit_summary_per_model", "preprocessing"))
	assert.True(t, one("nv_inference_request_summary_us", "inference"))
	assert.False(t, one("nv_cache_hit_summary_per_model", "inference"))
}

func TestFirstResponses(t *testing.T) {
	setup := fakes.Setup{Version: "25.12", Args: []string{"--metrics-config=histogram_latencies=true"}}
	assert.NotContains(t, scrape(t, built(t, "steady", setup), start.Add(time.Hour)).Families, "nv_inference_first_response_histogram_ms",
		"of decoupled models only")
	e, err := Build(worldOf(t, rare), "box", setup)
	require.NoError(t, err)
	body := string(e.AppendScrape(nil, start.Add(10*time.Hour+time.Second)))
	name := "nv_inference_first_response_histogram_ms"
	at := strings.Index(body, name+"_count")
	require.Positive(t, at)
	labels := `{model="rare",version="1"`
	assert.Equal(t, name+"_count"+labels+"} 360\n"+name+"_sum"+labels+"} 251640\n"+name+"_bucket"+labels+`,le="100"} 0`+"\n"+
		name+"_bucket"+labels+`,le="500"} 0`+"\n"+name+"_bucket"+labels+`,le="2000"} 360`+"\n"+name+"_bucket"+labels+`,le="5000"} 360`+"\n"+
		name+"_bucket"+labels+`,le="+Inf"} 360`+"\n", body[at:at+strings.Index(body[at:], "+Inf")+len("+Inf\"} 360\n")])

	setup.Version = "26.01"
	assert.Len(t, labelsOf(scrape(t, built(t, "steady", setup), start.Add(time.Hour)), name+"_count", "preprocessing"), 1, "every model's")
}

func TestHistogramsStayConsistentAsTheyGrow(t *testing.T) {
	for _, mean := range []float64{0.2, 60, 99.9, 130, 700, 3000, 20000} {
		yaml := strings.ReplaceAll(rare, "700000", number1(mean*1000))
		w := worldOf(t, yaml)
		m := w.Models()[0]
		h := firstResponseOf(series{model: m, from: start})
		last := make([]int64, len(buckets()))
		lastSum := 0.0
		for n := range int64(3000) {
			low, high, below := 0.0, 0.0, int64(0)
			for b, bound := range buckets() {
				upTo := h.upTo(b, n)
				require.GreaterOrEqual(t, upTo, below, "buckets hold what those below hold")
				require.GreaterOrEqual(t, upTo, last[b], "buckets never shrink")
				if b > 0 {
					low += float64(upTo-below) * buckets()[b-1]
				}
				if upTo > below {
					high += float64(upTo-below) * bound
				}
				last[b], below = upTo, upTo
			}
			require.Equal(t, n, below, "+Inf is the count")
			sum := h.sum(n)
			require.GreaterOrEqual(t, sum, low)
			require.LessOrEqual(t, sum, high)
			require.GreaterOrEqual(t, sum, lastSum)
			lastSum = sum
		}
		assert.InDelta(t, mean, lastSum/2999, 1+mean*0.01)
	}
}

func number1(v float64) string { return string(number(nil, v)) }
