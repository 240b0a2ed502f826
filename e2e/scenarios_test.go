package e2e

import (
	"testing"
	"time"

	promparser "github.com/prometheus/prometheus/promql/parser"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/e2e/config"
	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/stack"
)

// TestScenariosAreNoFaultOfTheStack: whatever goes on, the panels of the shipped stack
// show it, counters that begin anew and scrapes that fail for a while included.
func TestScenariosAreNoFaultOfTheStack(t *testing.T) {
	for _, scenario := range []string{"burst", "ramp", "diurnal", "reload", "restarting", "slowscrape", "throttling", "xid", "saturation"} {
		t.Run(scenario, func(t *testing.T) {
			r := verify(t, shippedDir, Options{Config: &config.Config{Scenario: scenario}})
			for _, f := range r.Findings {
				assert.LessOrEqual(t, f.Severity, rule.Info, "%s: %s", f.Rule, f.Message)
			}
		})
	}
}

func TestALostNodeIsNamed(t *testing.T) {
	begun := time.Now()
	r := verify(t, shippedDir, Options{Config: &config.Config{Scenario: "nodelost"}})
	assert.Less(t, time.Since(begun), 2*time.Minute)
	down := 0
	for _, target := range r.Targets {
		assert.False(t, target.Up)
		assert.Equal(t, env.CauseTimeout, target.Cause, target.Error)
	}
	for _, f := range r.Findings {
		if f.Rule == "prometheus/target-down" {
			down++
			assert.Contains(t, f.Message, "the scrape takes longer than scrape_timeout")
		}
	}
	assert.Equal(t, len(r.Targets), down)
	assert.Positive(t, down)
}

func TestTrialsAreOfWhatTheyMove(t *testing.T) {
	about := func(text string) *judged {
		e, err := rule.Parse(text)
		require.NoError(t, err)
		return &judged{Alert: &rule.Alert{}, exprs: []promparser.Expr{e}}
	}
	shipped, err := stack.Load(t.Context(), shippedDir)
	require.NoError(t, err)
	names := func(j *judged) (names []string) {
		r := &run{stack: shipped, Options: Options{Config: &config.Config{}}}
		for _, trial := range r.trials([]*judged{j}) {
			names = append(names, trial.name)
			if len(trial.silent) == 0 {
				_, err := fakes.BuiltinScenario(trial.name)
				require.NoError(t, err)
			}
		}
		return names
	}
	assert.Equal(t, []string{"saturation", "failing", "idle"}, names(about(`nv_inference_pending_request_count > 5`)))
	assert.Equal(t, []string{"saturation", "failing", "idle", "xid"}, names(about(`DCGM_FI_DEV_XID_ERRORS > 0`)))
	assert.Equal(t, []string{"saturation", "failing", "idle", "throttling"}, names(about(`DCGM_FI_DEV_SM_CLOCK < 1000`)))
}
