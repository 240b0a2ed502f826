package replay

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/fakes/exposition"
	"github.com/panelgate/panelgate/fakes/node"
	"github.com/panelgate/panelgate/fakes/recording"
	"github.com/panelgate/panelgate/fakes/triton"
)

// scraped is a recording of an exporter of a world: two minutes from its tenth on.
func scraped(w *fakes.World, e fakes.Exporter) *recording.Recording {
	r := &recording.Recording{Every: 5 * time.Second}
	for i := range 25 {
		at := w.Start().Add(10*time.Minute + time.Duration(i)*5*time.Second)
		r.Scrapes = append(r.Scrapes, recording.Scrape{At: at, Status: 200, Header: http.Header{"Content-Type": {e.ContentType()}}, Body: e.AppendScrape(nil, at)})
	}
	return r
}

// counted are the values of the counters of a page, by series.
func counted(t *testing.T, body []byte) map[string]float64 {
	t.Helper()
	lines, err := exposition.Parse(body)
	require.NoError(t, err)
	out := map[string]float64{}
	for _, f := range exposition.Families(lines) {
		for _, s := range f.Samples {
			if f.Type != "counter" {
				continue
			}
			v, err := exposition.ParseValue(s.Value)
			require.NoError(t, err)
			out[s.Series] = v
		}
	}
	return out
}

// TestWhatIsPlayedIsWhatWasRecorded records fakes and plays them: at each scrape's time the page is the recorded one, but for moments, and
// after ten times the recording's length every counter has advanced at the recorded rate.
func TestWhatIsPlayedIsWhatWasRecorded(t *testing.T) {
	w := world(t)
	for _, made := range []fakes.Exporter{triton.New(w, "box:8002"), node.New(w, "box:9100")} {
		r := scraped(w, made)
		e, err := New(w, r, nil)
		require.NoError(t, err)
		before := map[string]float64{}
		for i := range r.Scrapes {
			body := string(e.AppendScrape(nil, w.Start().Add(time.Duration(i)*5*time.Second)))
			before = holds(t, e, body, before)
			got, want := strings.Split(body, "\n"), strings.Split(string(r.Scrapes[i].Body), "\n")
			require.Len(t, got, len(want))
			for j := range want {
				if !strings.Contains(want[j], "time") {
					require.Equal(t, want[j], got[j], "%s, scrape %d", made.Name(), i)
				}
			}
		}
		first, last := counted(t, r.Scrapes[0].Body), counted(t, r.Scrapes[24].Body)
		played := counted(t, e.AppendScrape(nil, w.Start().Add(1250*time.Second))) // ten times 125 s, the way back to the first included
		require.NotEmpty(t, first)
		for series, from := range first {
			want := (last[series] - from) / 120 * 1250
			assert.InDelta(t, want, played[series]-from, max(want*0.01, 10.1), "%s: one step a round is lost at most", series)
		}
	}
}
