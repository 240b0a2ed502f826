package embedded

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/prometheus/scrape"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/stack"
)

// TestClockIsSet moves the clock at each stage of a start.
func TestClockIsSet(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "prometheus"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "prometheus", "prometheus.yml"),
		[]byte("global: {scrape_interval: 15s}\nscrape_configs: [{job_name: triton, static_configs: [{targets: ['h:8002']}]}]\n"), 0o644))
	s, err := stack.Load(t.Context(), dir)
	require.NoError(t, err)
	scenario, err := fakes.BuiltinScenario("steady")
	require.NoError(t, err)
	for name, test := range map[string]struct {
		stage string
		by    time.Duration
		says  string
	}{
		"an hour ahead while scraping":        {"scrape", time.Hour, "set forward by 1h0m0s"},
		"an hour back while scraping":         {"scrape", -time.Hour, "set back by 1h0m0s"},
		"a day ahead in the history":          {"history", 24 * time.Hour, "set forward by 24h0m0s"},
		"half a century ahead in the history": {"history", 50 * 365 * 24 * time.Hour, "set forward by"},
		"an hour back in the history":         {"history", -time.Hour, "set back by 1h0m0s"},
		"not so that it matters":              {"scrape", time.Second, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("TMPDIR", t.TempDir())
			var off atomic.Int64 // nanoseconds; lanes of the history read the clock side by side
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			e, err := Start(ctx, s.Prometheus, Options{
				Scenario: scenario, History: 10 * time.Minute, Logger: slog.New(slog.DiscardHandler),
				Now: func() time.Time { return time.Now().Add(time.Duration(off.Load())) },
				Progress: func(stage string, _, _ int) {
					if stage == test.stage {
						off.Store(int64(test.by))
					}
				},
			})
			if test.says == "" {
				require.NoError(t, err)
				require.NoError(t, e.Close())
				return
			}
			var set *clockError
			require.ErrorAs(t, err, &set)
			assert.ErrorContains(t, err, test.says)
			left, err := os.ReadDir(os.TempDir())
			require.NoError(t, err)
			assert.Empty(t, left)
		})
	}
}

// TestClockSetBackBetweenScrapes: readiness asks again by the time that has passed, and
// not by an hour that is yet to come.
func TestClockSetBackBetweenScrapes(t *testing.T) {
	seen := sighting{active: &scrape.Target{}}
	seen.active.Report(time.Now().Add(time.Hour), time.Second, nil)
	seen.update()
	j := &scrapedJob{targets: []*target{{seen: seen}}}
	assert.False(t, j.mayAsk(), "it was scraped just now")
	j.targets[0].seen.noticed = time.Now().Add(-pauseBetween)
	assert.True(t, j.mayAsk())
}
