package truth

import (
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/fakes"
)

// The last scrape of the past and the one that was made for the run are further apart than an interval: what is asked as of a moment
// between them says less than is so.
func TestNothingIsJudgedInTheGapBeforeTheLiveScrape(t *testing.T) {
	scenario, err := fakes.BuiltinScenario(fakes.DefaultScenario)
	require.NoError(t, err)
	from := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	to := from.Add(time.Hour)
	w := &World{acted: fakes.NewWorld(scenario, from), from: from, to: to, scrape: 15 * time.Second, lag: 45 * time.Second}
	c := &claim{window: time.Minute}
	who := []*subject{{exporter: "node", host: w.acted.Host()}}
	points := func(before ...time.Duration) (out []model.SamplePair) {
		for _, d := range before {
			out = append(out, model.SamplePair{Timestamp: model.TimeFromUnixNano(to.Add(-d).UnixNano()), Value: 1})
		}
		return out
	}
	grid := points(65*time.Second, 50*time.Second, 35*time.Second, 20*time.Second, 5*time.Second, -10*time.Second)
	assert.Equal(t, append(grid[:3:3], grid[5]), w.sound(c, who, grid))
	assert.Equal(t, points(0), w.sound(c, who, points(0)), "an instant query is asked as of the live scrape")
	assert.Equal(t, points(5*time.Second), w.sound(c, who, points(5*time.Second)), "there is nothing else to judge")
	assert.Empty(t, w.sound(c, who, points(-time.Minute)), "no query of a panel reaches there")
}

// Servers that take long to come up leave a gap that is wider: the rates that end in it, and those that begin there, are of a part of their
// window. On a busy machine the shipped stack failed in docker for them.
func TestNothingIsJudgedInAWideGap(t *testing.T) {
	scenario, err := fakes.BuiltinScenario(fakes.DefaultScenario)
	require.NoError(t, err)
	from := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	to := from.Add(time.Hour)
	w := &World{acted: fakes.NewWorld(scenario, from), from: from, to: to, laid: to.Add(-40 * time.Second), scrape: 15 * time.Second, lag: 45 * time.Second}
	who := []*subject{{exporter: "node", host: w.acted.Host()}}
	points := func(before ...time.Duration) (out []model.SamplePair) {
		for _, d := range before {
			out = append(out, model.SamplePair{Timestamp: model.TimeFromUnixNano(to.Add(-d).UnixNano()), Value: 1})
		}
		return out
	}
	rate := &claim{window: time.Minute}
	grid := points(65*time.Second, 50*time.Second, 35*time.Second, 20*time.Second, 5*time.Second, -10*time.Second)
	assert.Equal(t, grid[:2], w.sound(rate, who, grid))
	assert.Equal(t, points(0), w.sound(rate, who, points(0)), "its window reaches into the past that was laid down")
	w.laid = to.Add(-2 * time.Minute)
	assert.Empty(t, w.sound(rate, who, points(0)), "all that it has are the last live scrapes")
	assert.Equal(t, points(0), w.sound(&claim{}, who, points(0)), "a value as it is needs no window")
}
