package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/e2e/config"
	"github.com/panelgate/panelgate/e2e/query"
	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/fakes"
)

// A lean run evaluates less, and has to come to the same: the panels that claim what is
// so and what is not, and those that are empty, zero, NaN or partly there.
func TestALeanRunFindsTheSame(t *testing.T) {
	panels := append(claims(), unclaimed()...)
	for _, p := range claims() {
		panels = append(panels, shows{p.title, p.unit, p.legend, "1000 * (" + p.expr + ")", false})
	}
	good := `rate(nv_inference_count[5m])`
	for i, expr := range []string{
		`nv_no_such_metric`, `rate(nv_inference_cuont[5m])`, `DCGM_FI_DEV_GPU_UTIL{gpu="17"}`, `0 * ` + good, `floor(` + good + ` / 1e6)`, `0 * ` + good + ` / 0`,
		good + ` or rate(nv_inference_cuont[5m])`, good + ` unless rate(nv_inference_count{instance="gpu7:8002"}[5m])`, `sum(`, `up * on () up`, good + ` > 1e9`,
	} {
		panels = append(panels, shows{fmt.Sprintf("Panel %d", i), "short", "", expr, false})
	}
	for name, scenario := range map[string]string{"steady": "steady", "an empty night": "idle", "with events": "reload"} {
		t.Run(name, func(t *testing.T) {
			dir := copyShipped(t, func(string) string { return strings.Replace(boardOf(t, panels), "now-30m", "now-2h", 1) })
			sc, err := fakes.BuiltinScenario(scenario)
			require.NoError(t, err)
			from := time.Now().Add(-3 * time.Hour)
			opts := Options{Config: &config.Config{Scenario: scenario}, World: fakes.NewWorld(sc, from.Add(-time.Hour)), From: from}
			full := verify(t, dir, opts)
			opts.Lean = true
			lean := verify(t, dir, opts)
			assert.Equal(t, foundIn(full), foundIn(lean))
			require.Len(t, lean.Queries, len(full.Queries))
			doubted := map[int64]bool{}
			for _, f := range lean.Findings {
				doubted[f.PanelID] = true
			}
			thinned := 0
			for i, a := range lean.Queries {
				assert.Equal(t, full.Queries[i].Status, a.Status, a.Request.Expr)
				assert.Equal(t, full.Queries[i].Sent, a.Sent, a.Request.Expr)
				assert.Nil(t, a.Answer, "the answers are gone")
				if a.Every > 1 {
					thinned++
					assert.False(t, doubted[rule.PanelID(a.Panel)], "what is told of a panel is told of all steps: %s", a.Request.Expr)
				}
			}
			assert.Equal(t, scenario != "reload", thinned > 0, "panels of which nothing is told are left at some steps")
		})
	}
}

// foundIn are the findings, each by what it is about. Numbers in messages are of the
// moment.
func foundIn(r *Report) []string {
	var out []string
	for _, f := range r.Findings {
		out = append(out, fmt.Sprint(f.Severity, " ", f.Rule, " ", f.Pos, " ", f.Panel, " ", f.RefID, " ", f.Reason, " ", f.Mended))
	}
	slices.Sort(out)
	return out
}

func TestAPassingStackIsAskedForFewSteps(t *testing.T) {
	lean := verify(t, shippedDir, Options{Lean: true})
	require.NotEmpty(t, lean.Queries)
	for _, f := range lean.Findings {
		assert.LessOrEqual(t, f.Severity, rule.Info, f.Message)
	}
	most, steps := 0, 0
	for _, a := range lean.Queries {
		if a.Request.Instant {
			continue
		}
		assert.Positive(t, a.Series, a.Request.Expr)
		most = max(most, a.Samples/max(a.Series, 1))
		steps = max(steps, int(a.Request.End.Sub(a.Request.Start)/a.Request.Step))
	}
	assert.Less(t, most, steps/2)
}

func TestThinnedStepsAreGrafanasOwn(t *testing.T) {
	end := time.Date(2026, 1, 2, 3, 4, 0, 0, time.UTC)
	for steps := range 400 {
		req := query.Request{Start: end.Add(-time.Duration(steps) * 15 * time.Second), End: end, Step: 15 * time.Second}
		every := stride(req)
		got := thinned(req, every)
		require.Equal(t, end, got.End)
		require.Zero(t, got.End.Sub(got.Start)%got.Step, "the last step is evaluated: %d steps", steps)
		require.Zero(t, got.Start.Sub(req.Start)%req.Step, "each is one of Grafana's")
		require.False(t, got.Start.Before(req.Start))
		require.Less(t, got.Start.Sub(req.Start), got.Step, "none is left out at the beginning")
		evaluated := int(got.End.Sub(got.Start)/got.Step) + 1
		require.GreaterOrEqual(t, evaluated, min(steps, enoughPoints))
		require.Less(t, evaluated, 2*enoughPoints+1)
	}
	assert.Equal(t, 1, stride(query.Request{Instant: true, Step: time.Second, Start: end.Add(-time.Hour), End: end}))
}
