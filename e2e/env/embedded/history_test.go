package embedded

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/fakes"
)

// scripted is an exporter that shows one page after another, a minute each.
type scripted struct {
	start time.Time
	pages []string // "404" stands for that status
}

func (s *scripted) Name() string        { return "scripted" }
func (s *scripted) ContentType() string { return "text/plain; version=0.0.4; charset=utf-8" }

func (s *scripted) AppendScrape(dst []byte, at time.Time) []byte {
	return append(dst, s.page(at)...)
}

func (s *scripted) page(at time.Time) string { return s.pages[int(at.Sub(s.start)/time.Minute)] }

func (s *scripted) Handler(now func() time.Time) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		page := s.page(now())
		if status, err := strconv.Atoi(page); err == nil {
			w.WriteHeader(status)
			return
		}
		w.Header().Set("Content-Type", s.ContentType())
		_, _ = w.Write([]byte(page))
	})
}

// recorded is what a database holds: by series, what was written at which of the
// scrapes, counted from 0.
type recorded map[string]map[int]string

// TestHistoryIsWhatScrapingWouldHaveWritten lets Prometheus' own scrape loop and
// the history go over the same pages and compares every sample of both.
func TestHistoryIsWhatScrapingWouldHaveWritten(t *testing.T) {
	const static = `static_configs: [{targets: ["host:1234"], labels: {zone: a, pushed: t}}]`
	for _, test := range []struct {
		name, job string
		pages     []string
		// series are how many the database must hold beside those about the scrapes,
		// so that both being empty is not taken for agreement.
		series int
	}{
		{"values", static, []string{"a 1\nb{x=\"1\"} 2\n", "a 1.5\nb{x=\"1\"} NaN\n", "a +Inf\nb{x=\"1\"} -3e7\n"}, 2},
		{"series come and go", static, []string{"a 1\nb 2\n", "a 1\n", "b 3\n", "b 4\na 2\nc 1\n"}, 3},
		{"other order", static, []string{"a 1\nb 2\nc 3\n", "c 4\na 5\nb 6\n"}, 3},
		{"empty page", static, []string{"a 1\n", "", "a 2\n", ""}, 1},
		{"missing page", static, []string{"a 1\n", "404", "a 2\n"}, 1},
		{"broken page", static, []string{"a 1\nb 2\n", "a 2\nb {oops\n", "a 3\nb 4\n"}, 2},
		{"same series twice", static, []string{"a 1\na 2\n", "a 3\na 3\n"}, 1},
		{"labels that clash", static, []string{`a{job="x",zone="y",pushed="",exported_zone="z"} 1` + "\n"}, 1},
		{"honor_labels", "honor_labels: true\n    " + static,
			[]string{`a{job="x",zone="y",pushed="",instance=""} 1` + "\n" + `a{zone="q"} 2` + "\n"}, 2},
		{"metric relabelling", static + `
    metric_relabel_configs:
      - {source_labels: [__name__], regex: dropped.*, action: drop}
      - {source_labels: [__name__], regex: (.*)_ms, target_label: __name__, replacement: '${1}_seconds'}
      - {regex: noise, action: labeldrop}
      - {source_labels: [zone], target_label: zone, replacement: b$1}`,
			[]string{"dropped_one 1\na_ms{noise=\"1\"} 2\nkept 3\n", "dropped_one 1\na_ms{noise=\"1\"} 2\ndropped_two 1\n"}, 2},
		{"relabelled into one", static + `
    metric_relabel_configs: [{regex: part, action: labeldrop}]`,
			[]string{"a{part=\"1\"} 1\na{part=\"2\"} 2\n", "a{part=\"2\"} 3\n", "a{part=\"1\"} 3\n"}, 1},
		{"name relabelled away", static + `
    metric_relabel_configs: [{source_labels: [__name__], regex: b, target_label: __name__, replacement: ""}]`,
			[]string{"a 1\n", "a 1\nb 2\n", "a 2\n"}, 1},
		{"sample_limit", "sample_limit: 2\n    " + static, []string{"a 1\nb 2\n", "a 1\nb 2\nc 3\n", "a 2\nb 2\n"}, 2},
		{"sample_limit from the start", "sample_limit: 1\n    " + static, []string{"a 1\nb 2\n", "a 1\nb 2\nc 3\n"}, 0},
		{"label_limit", "label_limit: 6\n    " + static, []string{"a 1\n", "a 2\nb{x=\"1\",y=\"2\"} 1\n", "a 3\n"}, 1},
		{"label_name_length_limit", "label_name_length_limit: 10\n    " + static, []string{"a{much_too_long=\"1\"} 1\n", "a 1\n"}, 1},
		{"label_value_length_limit", "label_value_length_limit: 10\n    " + static, []string{"a{x=\"much too long\"} 1\n", "a 1\n"}, 1},
		{"body_size_limit", "body_size_limit: 10B\n    " + static, []string{"a 1\n", "a 1\nb 2\nc 3\nd 4\n"}, 1},
		{"target_limit", "target_limit: 1\n    static_configs: [{targets: ['host:1234', 'other:1234']}]", []string{"a 1\n", "a 2\n"}, 0},
		{"extra_scrape_metrics", "extra_scrape_metrics: true\n    sample_limit: 7\n    " + static, []string{"a 1\n", "404"}, 1},
		{"classic histogram", static, []string{"# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 2\nh_sum 3\nh_count 2\n"}, 4},
		{"converted histogram", "convert_classic_histograms_to_nhcb: true\n    " + static, []string{
			"# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 2\nh_sum 3\nh_count 2\n",
			"# TYPE h histogram\nh_bucket{le=\"1\"} 4\nh_bucket{le=\"+Inf\"} 6\nh_sum 5\nh_count 6\n",
		}, 1},
		{"relabelled target", static + `
    relabel_configs:
      - {source_labels: [__address__], regex: (.*):.*, target_label: instance, replacement: $1}
      - {target_label: job, replacement: renamed}`, []string{"a 1\n"}, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			exporter := &scripted{start: time.Unix(1_700_000_000, 0), pages: test.pages}
			yml := "scrape_configs:\n  - job_name: j\n    scrape_interval: 1m\n    " + test.job + "\n"
			want, got := scrapedLive(t, yml, exporter), scrapedBefore(t, yml, exporter)
			assert.Equal(t, want, got)
			assert.Len(t, slices.DeleteFunc(slices.Collect(maps.Keys(got)), isAboutScrapes), test.series)
		})
	}
}

func isAboutScrapes(series string) bool {
	return strings.Contains(series, `__name__="up"`) || strings.Contains(series, `__name__="scrape_`)
}

// scrapedLive is what Prometheus' scrape manager writes for the pages.
func scrapedLive(t *testing.T, yml string, exporter *scripted) recorded {
	e, cfg := &Env{}, parse(t, yml)
	defer func() { require.NoError(t, e.Close()) }()
	logger, registry := slog.New(slog.DiscardHandler), prometheus.NewRegistry()
	st, err := e.openStore(Options{Logger: logger, History: time.Hour}, time.Minute, registry)
	require.NoError(t, err)
	board := newSwitchboard(Options{})
	e.onClose(board.Close)
	disc, err := e.startDiscovery(cfg, board, cloner{}, logger, registry)
	require.NoError(t, err)
	targets, err := disc.targets(t.Context())
	require.NoError(t, err)
	var minute atomic.Int64
	for _, one := range targets {
		one.line = &line{name: exporter.Name(), fake: exporter, handler: exporter.Handler(func() time.Time {
			return exporter.start.Add(time.Duration(minute.Load()) * time.Minute)
		})}
		board.lines[one.address] = one.line
	}
	s, err := e.newScraper(cfg, targets, board, disc, st, logger, registry)
	require.NoError(t, err)
	require.NoError(t, s.apply())
	for i := range exporter.pages {
		minute.Store(int64(i))
		if i == 0 {
			s.feed()
		} else {
			require.True(t, s.askAgain(func(*scrapedJob) bool { return true }))
			require.NoError(t, s.apply())
		}
		require.Eventually(t, func() bool {
			s.look(false)
			return s.written() && !slices.ContainsFunc(targets, func(one *target) bool {
				// Two scrapes in one millisecond would be one to the database.
				return one.seen.scrapes != i+1 || time.Since(one.seen.last) < 2*time.Millisecond
			})
		}, time.Minute, time.Millisecond)
	}
	return record(t, st)
}

// scrapedBefore is what the history writes for them.
func scrapedBefore(t *testing.T, yml string, exporter *scripted) recorded {
	e, cfg := &Env{}, parse(t, yml)
	defer func() { require.NoError(t, e.Close()) }()
	logger, registry := slog.New(slog.DiscardHandler), prometheus.NewRegistry()
	st, err := e.openStore(Options{Logger: logger, History: time.Hour}, time.Minute, registry)
	require.NoError(t, err)
	disc, err := e.startDiscovery(cfg, newSwitchboard(Options{}), cloner{}, logger, registry)
	require.NoError(t, err)
	targets, err := disc.targets(t.Context())
	require.NoError(t, err)
	scenario, err := fakes.BuiltinScenario("idle")
	require.NoError(t, err)
	w := fakes.NewWorld(scenario, exporter.start)
	var feeds []*feed
	for _, one := range targets {
		one.line = &line{name: exporter.Name(), fake: exporter}
		f, err := newFeed(one, st, w, len(targets))
		require.NoError(t, err)
		feeds = append(feeds, f)
	}
	for i := range exporter.pages {
		for _, f := range feeds {
			require.NoError(t, f.scrape(t.Context(), exporter.start.Add(time.Duration(i)*time.Minute)))
		}
	}
	return record(t, st)
}

func parse(t *testing.T, yml string) *config.Config {
	cfg, err := config.Load(yml, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	return cfg
}

// record reads a database. Timestamps become the number of the scrape, durations
// of scrapes are left out.
func record(t *testing.T, st *store) recorded {
	q, err := st.Querier(math.MinInt64, math.MaxInt64)
	require.NoError(t, err)
	defer func() { require.NoError(t, q.Close()) }()
	out := recorded{}
	times := map[string][]int64{} // of the scrapes, by target
	read := func(matcher *labels.Matcher, add func(l labels.Labels, at int64, v string)) {
		set := q.Select(context.Background(), true, nil, matcher)
		for set.Next() {
			it := set.At().Iterator(nil)
			for kind := it.Next(); kind != chunkenc.ValNone; kind = it.Next() {
				switch kind {
				case chunkenc.ValFloat:
					at, v := it.At()
					text := strconv.FormatFloat(v, 'g', -1, 64)
					if value.IsStaleNaN(v) {
						text = "stale"
					}
					add(set.At().Labels(), at, text)
				default:
					at, h := it.AtFloatHistogram(nil)
					add(set.At().Labels(), at, h.String())
				}
			}
			require.NoError(t, it.Err())
		}
		require.NoError(t, set.Err())
	}
	read(labels.MustNewMatcher(labels.MatchEqual, "__name__", "up"), func(l labels.Labels, at int64, _ string) {
		times[l.Get("instance")] = append(times[l.Get("instance")], at)
	})
	read(labels.MustNewMatcher(labels.MatchNotEqual, "__name__", "scrape_duration_seconds"), func(l labels.Labels, at int64, v string) {
		instance := l.Get("instance")
		if instance == "" { // an exporter may say so itself
			instance = slices.Sorted(maps.Keys(times))[0]
		}
		n := slices.Index(times[instance], at)
		require.GreaterOrEqual(t, n, 0, "%s at %d", l, at)
		key := fmt.Sprint(l)
		if out[key] == nil {
			out[key] = map[int]string{}
		}
		out[key][n] = v
	})
	return out
}
