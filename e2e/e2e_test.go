package e2e

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/e2e/config"
	"github.com/panelgate/panelgate/e2e/env/docker"
	"github.com/panelgate/panelgate/e2e/env/embedded"
	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/internal/leak"
	"github.com/panelgate/panelgate/stack"
	"github.com/panelgate/panelgate/stack/source"
)

func TestMain(m *testing.M) {
	docker.Prepare()
	leak.Main(m)
}

// shippedDir is the stack that the project ships.
const shippedDir = "../stack"

func verify(t *testing.T, dir string, opts Options) *Report {
	t.Helper()
	s, err := stack.Load(t.Context(), dir)
	require.NoError(t, err)
	if opts.Config == nil {
		opts.Config = &config.Config{}
	}
	if opts.History == 0 {
		opts.History = DefaultHistory
	}
	r, err := Verify(t.Context(), s, opts)
	require.NoError(t, err)
	return r
}

// TestPanels asks every target of every panel of the shipped dashboards, each as a
// subtest, in every environment that needs nothing but this machine.
func TestPanels(t *testing.T) {
	t.Run(embedded.Name, func(t *testing.T) { checkPanels(t, Options{Env: embedded.Name}) })
	t.Run(docker.Name, func(t *testing.T) {
		checkPanels(t, inDocker(t))
	})
}

// checkPanels wants data in every panel of the shipped stack, and nothing found.
func checkPanels(t *testing.T, opts Options) {
	t.Helper()
	r := verify(t, shippedDir, opts)
	require.NotEmpty(t, r.Queries)
	for _, q := range r.Queries {
		require.NotNil(t, q.Target, "panel %q asks nothing", q.Panel.Title.Value)
		name := strings.Join([]string{q.Board.UID.Value, q.Panel.Title.Value, q.Target.RefID.Value}, "/")
		t.Run(name, func(t *testing.T) {
			require.NoError(t, q.Err)
			assert.Equal(t, rule.StatusOK, q.Status, "%s", q.Request.Expr)
			assert.Positive(t, q.Finite, "%s", q.Request.Expr)
			if opts.Env == docker.Name {
				require.NotNil(t, q.Grafana, "it was not asked through Grafana")
				assert.Empty(t, q.Grafana.Differs, "%s", q.Request.Expr)
				assert.Equal(t, q.Series, q.Grafana.Series, "%s", q.Request.Expr)
			}
		})
	}
	for _, f := range r.Findings {
		assert.LessOrEqual(t, f.Severity, rule.Info, "%s %s: %s %s", f.Rule, f.Pos, f.Message, f.Evidence)
	}
	for _, target := range r.Targets {
		assert.True(t, target.Up, "%s: %s", target.URL, target.Error)
	}
	assert.Len(t, r.Targets, 3)
}

func TestLintAsksNothing(t *testing.T) {
	s, err := stack.Load(t.Context(), shippedDir)
	require.NoError(t, err)
	r := Lint(s, Options{Config: &config.Config{}})
	assert.Equal(t, "static", r.Env)
	assert.Empty(t, r.Queries)
	assert.Len(t, r.Boards, 1)
}

func TestVerifyStopsWithItsContext(t *testing.T) {
	s, err := stack.Load(t.Context(), shippedDir)
	require.NoError(t, err)
	for _, stage := range []string{"laying down history", "scraping targets", "filling variables", "asking panels"} {
		t.Run(stage, func(t *testing.T) {
			t.Setenv("TMPDIR", t.TempDir())
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			_, err := Verify(ctx, s, Options{Config: &config.Config{}, History: DefaultHistory,
				Progress: func(s string, _, _ int) {
					if s == stage {
						cancel()
					}
				}})
			require.Error(t, err, "the stage was never reached")
			require.True(t, errors.Is(err, context.Canceled), "%v", err)
			left, err := os.ReadDir(os.Getenv("TMPDIR"))
			require.NoError(t, err)
			assert.Empty(t, left)
		})
	}
}

func TestExpectedEmpty(t *testing.T) {
	dir := copyShipped(t, func(board string) string {
		return strings.Replace(board, "sum by (model, reason) (rate(nv_inference_request_failure", "sum by (model, reason) (rate(nv_no_failure_at_all", 1)
	})
	expect := rule.Expectation{Dashboard: source.Text{Value: "triton"}, Panel: source.Text{Value: "Failed Requests"},
		Is: rule.ExpectsEmpty, Why: "a test"}
	r := verify(t, dir, Options{Config: &config.Config{Expect: []rule.Expectation{expect}}})
	assert.Equal(t, rule.StatusExpectedEmpty, statusOf(t, r, "Failed Requests"))
	assert.Empty(t, errorsOf(r))

	expect.Until = time.Now().Add(-time.Hour)
	r = verify(t, dir, Options{Config: &config.Config{Expect: []rule.Expectation{expect}}})
	assert.Equal(t, rule.StatusFailed, statusOf(t, r, "Failed Requests"), "an expectation ends")
	assert.Contains(t, errorsOf(r), "panel/no-data")
}

func TestHistoryCoversRangeAndLookback(t *testing.T) {
	s, err := stack.Load(t.Context(), shippedDir)
	require.NoError(t, err)
	in := rule.NewStatic(s, nil, time.Now())
	assert.InDelta(t, time.Hour+5*time.Minute, neededHistory(in), float64(time.Minute))
}

func TestReach(t *testing.T) {
	for expr, want := range map[string]time.Duration{
		"up":                                    5 * time.Minute,
		"up offset 1h":                          time.Hour + 5*time.Minute,
		"rate(x[1m])":                           time.Minute,
		"rate(x[1m] offset 1d)":                 24*time.Hour + time.Minute,
		"max_over_time(rate(x[5m])[1h:])":       time.Hour + 5*time.Minute,
		"max_over_time(x[1h:1m] offset 2h) + y": 3*time.Hour + 5*time.Minute,
		"1 +":                                   0,
		"vector(1)":                             0,
	} {
		assert.Equal(t, want, rule.Reach(expr), expr)
	}
}

func statusOf(t *testing.T, r *Report, panel string) rule.Status {
	t.Helper()
	for _, q := range r.Queries {
		if q.Panel.Title.Value == panel {
			return q.Status
		}
	}
	t.Fatalf("no query of panel %q", panel)
	return ""
}

func errorsOf(r *Report) []string {
	var out []string
	for _, f := range r.Findings {
		if f.Severity == rule.Error {
			out = append(out, f.Rule)
		}
	}
	return out
}

// copyShipped copies the shipped stack with its dashboard edited.
func copyShipped(t *testing.T, edit func(string) string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"docker-compose.yml", "prometheus/prometheus.yml",
		"grafana/provisioning/datasources/prometheus.yaml", "grafana/provisioning/dashboards/dashboards.yaml",
		"grafana/provisioning/dashboards/boards/triton.json"} {
		data, err := os.ReadFile(filepath.Join(shippedDir, name))
		require.NoError(t, err)
		text := string(data)
		if strings.HasSuffix(name, ".json") {
			text = edit(text)
			require.NotEqual(t, string(data), text, "the edit changed nothing")
		}
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
	}
	return dir
}
