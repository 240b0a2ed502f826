package replay

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/fakes/exposition"
	"github.com/panelgate/panelgate/fakes/recording"
	"github.com/panelgate/panelgate/internal/material"
)

func world(t testing.TB) *fakes.World {
	t.Helper()
	scenario, err := fakes.BuiltinScenario(fakes.DefaultScenario)
	require.NoError(t, err)
	return fakes.NewWorld(scenario, time.Unix(1_900_000_000, 0))
}

// recorded is a recording of bodies, ten seconds apart.
func recorded(bodies ...string) *recording.Recording {
	r := &recording.Recording{URL: "http://box:8002/metrics"}
	for i, body := range bodies {
		r.Scrapes = append(r.Scrapes, recording.Scrape{
			At: time.Unix(1_800_000_000+10*int64(i), 0), Status: 200, Header: http.Header{"Content-Type": {"text/plain; version=0.0.4"}}, Body: []byte(body),
		})
	}
	return r
}

func played(t testing.TB, r *recording.Recording) func(seconds float64) string {
	t.Helper()
	w := world(t)
	e, err := New(w, r, nil)
	require.NoError(t, err)
	return func(seconds float64) string {
		return string(e.AppendScrape(nil, w.Start().Add(time.Duration(seconds*1000)*time.Millisecond)))
	}
}

func TestCountersGoOnAndGaugesShowWhatWasSeen(t *testing.T) {
	at := played(t, recorded(
		"# HELP c C.\n# TYPE c counter\nc 100\n# TYPE g gauge\ng 7\n# TYPE d counter\nd 1.50\n",
		"# HELP c C.\n# TYPE c counter\nc 110\n# TYPE g gauge\ng NaN\n# TYPE d counter\nd 2.25\n",
		"# HELP c C.\n# TYPE c counter\nc 140\n# TYPE g gauge\ng 9\n# TYPE d counter\nd 2.25\n"))
	page := func(c, g, d string) string {
		return "# HELP c C.\n# TYPE c counter\nc " + c + "\n# TYPE g gauge\ng " + g + "\n# TYPE d counter\nd " + d + "\n"
	}
	assert.Equal(t, page("100", "7", "1.50"), at(-5), "before the start")
	assert.Equal(t, page("100", "7", "1.50"), at(0))
	assert.Equal(t, page("105", "7", "1.87"), at(5))
	assert.Equal(t, page("110", "NaN", "2.25"), at(10))
	assert.Equal(t, page("113", "NaN", "2.25"), at(11))
	assert.Equal(t, page("140", "9", "2.25"), at(20))
	assert.Equal(t, page("150", "9", "2.43"), at(25), "on the way to the beginning counters advance as on average")
	assert.Equal(t, page("160", "7", "2.62"), at(30), "and from there again")
	assert.Equal(t, page("170", "NaN", "3.37"), at(40))
}

func TestAResetWhileRecordingIsNoneWhenPlayed(t *testing.T) {
	at := played(t, recorded("# TYPE c counter\nc 100\n", "# TYPE c counter\nc 4\n", "# TYPE c counter\nc 10\n"))
	assert.Equal(t, "# TYPE c counter\nc 104\n", at(10))
	assert.Equal(t, "# TYPE c counter\nc 110\n", at(20))
}

func TestSeriesComeAndGo(t *testing.T) {
	at := played(t, recorded("a 1\n# TYPE b counter\nb{x=\"1\"} 5\n", "a 1\n", "a 1\n# TYPE b counter\nb{x=\"1\"} 9\nb{x=\"2\"} 3\n"))
	assert.Equal(t, "a 1\n", at(12))
	assert.Equal(t, "a 1\n# TYPE b counter\nb{x=\"1\"} 9\nb{x=\"2\"} 3\n", at(20))
	assert.Equal(t, "a 1\n# TYPE b counter\nb{x=\"1\"} 11\n", at(30))
}

func TestTimesMoveWithTheWorld(t *testing.T) {
	text := "# TYPE process_start_time_seconds gauge\nprocess_start_time_seconds %s\n# TYPE node_time_seconds gauge\nnode_time_seconds %s\n" +
		"# TYPE c counter\nc_created %s\n# TYPE m gauge\nm{general_type=\"timestamp\"} %s\n# TYPE s gauge\ns 1 %s\n"
	page := func(values ...any) string { return fmt.Sprintf(text, values...) }
	at := played(t, recorded(
		page("1.7999999e+09", "1.8000000005e+09", "1.79999999e+09", "1800000000000000", "1799999998000"),
		page("1.7999999e+09", "1.8000000105e+09", "1.79999999e+09", "1800000010000000", "1800000008000")))
	assert.Equal(t, page("1.8999999e+09", "1.9000000005e+09", "1.89999999e+09", "1900000000000000", "1899999998000"), at(0))
	assert.Equal(t, page("1.8999999e+09", "1.9000000155e+09", "1.89999999e+09", "1900000015000000", "1900000013000"), at(15))
	assert.Equal(t, page("1.8999999e+09", "1.9000001005e+09", "1.89999999e+09", "1900000100000000", "1900000098000"), at(100))
}

const single = `# TYPE process_start_time_seconds gauge
process_start_time_seconds 1.7999999e+09
# TYPE requests counter
requests{ok="1"} 1000
requests{ok="0"} 0
# TYPE h histogram
h_bucket{le="1"} 10
h_bucket{le="+Inf"} 30
h_sum 45.5
h_count 30
# TYPE temperature gauge
temperature 60
# TYPE below gauge
below -0.8
# TYPE x_info gauge
x_info{version="1"} 1
# TYPE memory_limit_bytes gauge
memory_limit_bytes 1.234567e+07
# TYPE q summary
q{quantile="0.5"} 0.25
q{quantile="0.99"} NaN
q_sum 5.5
q_count 11
`

func TestASingleScrapeLives(t *testing.T) {
	at := played(t, recorded(single))
	start := strings.Replace(single, "1.7999999e+09", "1.8999999e+09", 1)
	assert.Equal(t, start, at(0))
	later := at(50) // half of the time for which the process had run
	for _, want := range []string{
		`requests{ok="1"} 1500`, `requests{ok="0"} 0`, `h_bucket{le="1"} 15`, `h_bucket{le="+Inf"} 45`, "h_sum 68.2", "h_count 45", "x_info{version=\"1\"} 1",
		"memory_limit_bytes 1.234567e+07", `q{quantile="0.99"} NaN`, "q_count 16", "process_start_time_seconds 1.8999999e+09",
	} {
		assert.Contains(t, later, want+"\n")
	}
	seen := map[string]bool{}
	for s := range 300 {
		lines, err := exposition.Parse([]byte(at(float64(s))))
		require.NoError(t, err)
		for _, l := range lines {
			v, err := exposition.ParseValue(l.Value)
			switch l.Series {
			case "temperature":
				require.NoError(t, err)
				seen[l.Value] = true
				assert.True(t, v >= 57 && v <= 60 && v == math.Trunc(v), l.Text)
			case "below":
				assert.True(t, v <= -0.7 && v >= -0.8, l.Text)
			case `q{quantile="0.5"}`:
				assert.True(t, v >= 0.2375-0.01 && v <= 0.25, l.Text)
			}
		}
	}
	assert.Len(t, seen, 4, "57 to 60")
}

func TestARateIsTold(t *testing.T) {
	w := world(t)
	e, err := Build(w, "box", fakes.Setup{Recording: []byte(single), Args: []string{"--rate", "requests=2.5", "--rate=h=3"}})
	require.NoError(t, err)
	got := string(e.AppendScrape(nil, w.Start().Add(10*time.Second)))
	for _, want := range []string{`requests{ok="1"} 1025`, `requests{ok="0"} 25`, `h_bucket{le="1"} 20`, `h_bucket{le="+Inf"} 60`, "h_sum 91", "h_count 60"} {
		assert.Contains(t, got, want)
	}
}

func TestWhatCannotBePlayed(t *testing.T) {
	w := world(t)
	for want, setup := range map[string]fakes.Setup{
		"recording: there is none to play back":                                             {},
		`version: a recording is of one release and plays no other; leave "1.2" out`:        {Version: "1.2", Recording: []byte("a 1\n")},
		`args: "--port": a replay takes --rate NAME=PER_SECOND and nothing else`:            {Args: []string{"--port"}, Recording: []byte("a 1\n")},
		`args: "a=-1": a replay takes --rate NAME=PER_SECOND and nothing else`:              {Args: []string{"--rate", "a=-1"}, Recording: []byte("a 1\n")},
		`args: "requests=1": a replay takes --rate NAME=PER_SECOND and nothing else`:        {Args: []string{"requests=1"}, Recording: []byte("# TYPE requests counter\nrequests 1\n")},
		`args: "--port=1": a replay takes --rate NAME=PER_SECOND and nothing else`:          {Args: []string{"--port=1"}, Recording: []byte("a 1\n")},
		`args: "--rate": a replay takes --rate NAME=PER_SECOND and nothing else`:            {Args: []string{"--rate"}, Recording: []byte("a 1\n")},
		`args: "=1": a replay takes --rate NAME=PER_SECOND and nothing else`:                {Args: []string{"--rate", "=1"}, Recording: []byte("a 1\n")},
		"args: --rate b=1: the recording has no counter, histogram or summary of that name": {Args: []string{"--rate", "b=1"}, Recording: []byte("a 1\n")},
		`recording: as a plain text scrape: line 1 (byte 0): "a" has no value`:              {Recording: []byte("a")},
		"args: --rate h=1: h has observed nothing yet, and how observations spread over its buckets is not known": {
			Args: []string{"--rate=h=1"}, Recording: []byte("# TYPE h summary\nh_sum 0\nh_count 0\n"),
		},
	} {
		_, err := Build(w, "box", setup)
		if strings.Contains(want, "h has observed") {
			require.ErrorContains(t, err, "has observed nothing yet")
			continue
		}
		require.EqualError(t, err, want)
	}
}

func TestEnergyFollowsPower(t *testing.T) {
	at := played(t, recorded("# TYPE nv_gpu_power_usage gauge\nnv_gpu_power_usage{gpu_uuid=\"GPU-1\"} 100.5\n# TYPE nv_energy_consumption counter\nnv_energy_consumption{gpu_uuid=\"GPU-1\"} 9.123\n"))
	assert.Contains(t, at(2), `nv_energy_consumption{gpu_uuid="GPU-1"} 210.123`)
}

func TestHTTPIsAsRecorded(t *testing.T) {
	w := world(t)
	r := recorded("a 1\n")
	r.URL = "http://box/probe"
	r.Scrapes[0].Header.Set("Content-Encoding", "gzip")
	r.Scrapes[0].Header.Set("Server", "uvicorn")
	e, err := New(w, r, nil)
	require.NoError(t, err)
	server := httptest.NewServer(e.Handler(w.Start))
	defer server.Close()
	for path, want := range map[string]int{"/probe": 200, "/metrics": 200, "/": 404} {
		answer, err := http.Get(server.URL + path)
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		assert.Equal(t, want, answer.StatusCode, path)
		if want == 200 {
			assert.True(t, answer.Uncompressed, "it came compressed")
			assert.Equal(t, "uvicorn", answer.Header.Get("Server"))
			assert.Equal(t, "text/plain; version=0.0.4", answer.Header.Get("Content-Type"))
		}
	}
	one, err := New(w, &recording.Recording{Scrapes: []recording.Scrape{{Status: 200, Body: []byte("a 1\n# EOF\n")}}}, nil)
	require.NoError(t, err)
	assert.Equal(t, "application/openmetrics-text; version=1.0.0; charset=utf-8", one.ContentType())
}

// holds parses a page as Prometheus does and holds its histograms and counters against the page before.
func holds(t testing.TB, e *Exporter, body string, before map[string]float64) map[string]float64 {
	t.Helper()
	parser, err := textparse.New([]byte(body), e.ContentType(), labels.NewSymbolTable(), textparse.ParserOptions{})
	require.NoError(t, err)
	for {
		entry, err := parser.Next()
		if entry == textparse.EntryInvalid {
			require.EqualError(t, err, "EOF")
			break
		}
	}
	lines, err := exposition.Parse([]byte(body))
	require.NoError(t, err)
	values := map[string]float64{}
	for _, f := range exposition.Families(lines) {
		bucket := map[string]float64{}
		for _, s := range f.Samples {
			v, err := exposition.ParseValue(s.Value)
			require.NoError(t, err)
			part := strings.TrimPrefix(s.Name, f.Name)
			group := f.Name
			for _, l := range s.Labels {
				if l.Name != "le" && l.Name != "quantile" {
					group += l.Name + l.Value
				}
			}
			switch {
			case part == "_created":
				continue
			case f.Type == "histogram" && part == "_bucket":
				require.GreaterOrEqual(t, v, bucket[group], s.Text)
				bucket[group] = v
			case f.Type == "histogram" && part == "_count":
				values["count of "+group] = v
			}
			if f.Type == "counter" || part == "_bucket" || part == "_count" {
				values[s.Series] = v
				if last, ok := before[s.Series]; ok {
					require.GreaterOrEqual(t, v, last, s.Text)
				}
			}
		}
		for group, v := range bucket {
			if count, ok := values["count of "+group]; ok {
				require.Equal(t, v, count, group)
			}
		}
	}
	return values
}

// TestInvariants plays random recordings at random times.
func TestInvariants(t *testing.T) {
	w := world(t)
	for seed := range uint64(30) {
		random := rand.New(rand.NewPCG(seed, 1))
		var bodies []string
		bucket := [4]int{}
		sum, counter := 0.0, 1e9*random.Float64()
		for range 1 + random.IntN(6) {
			if random.IntN(4) == 0 {
				bucket, counter = [4]int{}, 0 // a restart
			}
			for i := range bucket {
				bucket[i] += random.IntN(1000)
			}
			sum += random.Float64()
			counter += random.Float64() * 1000
			var b strings.Builder
			b.WriteString("# TYPE h histogram\n")
			cumulative := 0
			for i, le := range []string{"1", "2.5", "10", "+Inf"} {
				cumulative += bucket[i]
				fmt.Fprintf(&b, "h_bucket{le=%q} %d\n", le, cumulative)
			}
			fmt.Fprintf(&b, "h_count %d\nh_sum %v\n# TYPE c counter\nc %.*f\nc{a=\"b\"} %v\n", cumulative, sum, int(seed%4), counter, counter*1e12)
			bodies = append(bodies, b.String())
		}
		e, err := New(w, recorded(bodies...), nil)
		require.NoError(t, err)
		before := map[string]float64{}
		at := w.Start()
		for range 400 {
			before = holds(t, e, string(e.AppendScrape(nil, at)), before)
			at = at.Add(time.Duration(random.IntN(7000)) * time.Millisecond)
			if random.IntN(50) == 0 {
				at = at.Add(30 * 24 * time.Hour)
			}
		}
	}
}

// TestCapturedScrapesLive plays each captured scrape: it begins as captured, and stays valid.
func TestCapturedScrapesLive(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(material.Path(t, "corpus", "expositions"), "*.prom"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	w := world(t)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			data, err := os.ReadFile(file)
			require.NoError(t, err)
			e, err := Build(w, "box", fakes.Setup{Recording: data})
			require.NoError(t, err)
			first := string(e.AppendScrape(nil, w.Start()))
			want := strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
			got := strings.Split(strings.TrimSuffix(first, "\n"), "\n")
			require.Len(t, got, len(want))
			for i := range want {
				if !strings.Contains(want[i], "time") {
					require.Equal(t, strings.TrimSpace(want[i]), strings.TrimSpace(got[i]))
				}
			}
			before := map[string]float64{}
			changed := 0
			for s := range 40 {
				body := string(e.AppendScrape(nil, w.Start().Add(time.Duration(s)*15*time.Second)))
				before = holds(t, e, body, before)
				if body != first {
					changed++
				}
			}
			assert.Greater(t, changed, 30, "it lives")
		})
	}
}

// FuzzReplay plays what is accepted as a recording: whatever it says, what comes out can be scraped.
func FuzzReplay(f *testing.F) {
	f.Add([]byte(single), int64(5000))
	f.Add([]byte("# TYPE a counter\na 1e300\n"), int64(1<<40))
	f.Add([]byte("# TYPE a gauge\na -1e-300\nb 1 123\n"), int64(1))
	f.Add([]byte("# TYPE a counter\na_total 5 # {x=\"y\"} 1 2\n# EOF\n"), int64(70_000))
	w := world(f)
	f.Fuzz(func(t *testing.T, data []byte, ms int64) {
		limits := recording.Limits{File: 1 << 16, Bytes: 1 << 18, Samples: 1000}
		r, err := recording.Read(data, limits)
		if err != nil {
			return
		}
		e, err := New(w, r, nil)
		require.NoError(t, err)
		const year = 365 * 24 * int64(time.Hour/time.Millisecond)
		for _, at := range []int64{0, ms % year, ms%year + 1} {
			lines, err := exposition.Parse(e.AppendScrape(nil, w.Start().Add(time.Duration(at)*time.Millisecond)))
			require.NoError(t, err)
			require.NotEmpty(t, lines)
		}
	})
}

func BenchmarkReplay(b *testing.B) {
	w := world(b)
	var body strings.Builder
	body.WriteString("# TYPE c counter\n")
	for i := range 3000 {
		fmt.Fprintf(&body, "c{i=\"%d\"} %d\n", i, i)
	}
	e, err := New(w, recorded(body.String()), nil)
	require.NoError(b, err)
	var dst []byte
	for b.Loop() {
		dst = e.AppendScrape(dst[:0], w.Start().Add(time.Minute))
	}
}
