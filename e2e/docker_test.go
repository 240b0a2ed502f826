package e2e

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/e2e/config"
	"github.com/panelgate/panelgate/e2e/env/containers"
	"github.com/panelgate/panelgate/e2e/env/docker"
	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/internal/engine"
	"github.com/panelgate/panelgate/stack"
)

// inDocker are the options of a run in containers. It skips the test where there is
// no engine, or with -short.
func inDocker(t *testing.T) Options {
	t.Helper()
	if testing.Short() {
		t.Skip("containers are left out with -short")
	}
	prometheus, grafana := engine.Servers(t)
	return Options{Env: docker.Name, Containers: containers.Options{
		Images: containers.Images{Override: map[string]string{"prometheus": prometheus, "grafana": grafana}},
	}}
}

// TestGrafanaDies: a server that ends while it is being asked makes no verdict, and
// its log is told.
func TestGrafanaDies(t *testing.T) {
	opts := inDocker(t)
	s, err := stack.Load(t.Context(), shippedDir)
	require.NoError(t, err)
	var once sync.Once
	logs := &runLog{}
	opts.Config, opts.History, opts.Logger = &config.Config{}, time.Hour, slog.New(logs)
	opts.Progress = func(stage string, _, _ int) {
		if stage == "filling variables" {
			once.Do(func() {
				require.NoError(t, engine.Kill(t.Context(), "org.panelgate.run="+logs.run(), opts.Containers.Images.Override["grafana"]))
			})
		}
	}
	_, err = Verify(t.Context(), s, opts)
	require.ErrorContains(t, err, "a server ended during the run: grafana ended with exit code 137; its log ends:")
	left, err := engine.Labelled("org.panelgate.run=" + logs.run())
	require.NoError(t, err)
	assert.Empty(t, left)
}

// TestDockerStopsWithItsContext: whatever a run is doing when its context ends, it
// leaves nothing behind.
func TestDockerStopsWithItsContext(t *testing.T) {
	opts := inDocker(t)
	s, err := stack.Load(t.Context(), shippedDir)
	require.NoError(t, err)
	for _, stage := range []string{"laying down history", "scraping targets", "waiting for dashboards", "asking Grafana what it serves", "asking panels"} {
		t.Run(stage, func(t *testing.T) {
			t.Setenv("TMPDIR", t.TempDir())
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			logs := &runLog{}
			opts.Config, opts.History, opts.Logger = &config.Config{}, time.Hour, slog.New(logs)
			opts.Progress = func(s string, _, _ int) {
				if s == stage {
					cancel()
				}
			}
			_, err := Verify(ctx, s, opts)
			require.ErrorIs(t, err, context.Canceled, "the stage was never reached")
			left, err := engine.Labelled("org.panelgate.run=" + logs.run())
			require.NoError(t, err)
			assert.Empty(t, left)
			files, err := os.ReadDir(os.Getenv("TMPDIR"))
			require.NoError(t, err)
			assert.Empty(t, files)
		})
	}
}

// runLog is a log that notices by which id the engine knows the run.
type runLog struct {
	mu sync.Mutex
	id string
}

func (l *runLog) run() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.id
}

// Enabled implements slog.Handler.
func (l *runLog) Enabled(context.Context, slog.Level) bool { return true }

// Handle implements slog.Handler.
func (l *runLog) Handle(_ context.Context, r slog.Record) error {
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "run" {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.id = a.Value.String()
		}
		return true
	})
	return nil
}

// WithAttrs implements slog.Handler.
func (l *runLog) WithAttrs([]slog.Attr) slog.Handler { return l }

// WithGroup implements slog.Handler.
func (l *runLog) WithGroup(string) slog.Handler { return l }

// TestExpressions: what Grafana computes itself is asked of a real one, with all
// queries of its panel, and not at all of a modelled one.
func TestExpressions(t *testing.T) {
	dir := copyShipped(t, func(board string) string { return board + "\n" })
	boards := filepath.Join(dir, "grafana", "provisioning", "dashboards", "boards")
	require.NoError(t, os.CopyFS(boards, os.DirFS(filepath.Join("testdata", "expressions"))))
	status := func(r *Report) map[string]rule.Status {
		out := map[string]rule.Status{}
		for _, q := range r.Queries {
			if q.Board.UID.Value == "expressions" {
				out[q.Panel.Title.Value+" "+q.Target.RefID.Value] = q.Status
			}
		}
		return out
	}
	want := map[string]rule.Status{
		"Math over a hidden query A": rule.StatusOK, "Math over a hidden query B": rule.StatusUnchecked,
		"Reduced A": rule.StatusOK, "Reduced C": rule.StatusUnchecked,
		"Over nothing A": rule.StatusFailed, "Over nothing B": rule.StatusUnchecked,
		"Without its input A": rule.StatusOK, "Without its input B": rule.StatusUnchecked,
		"Of what is not asked A": rule.StatusUnchecked, "Of what is not asked B": rule.StatusUnchecked, "Of what is not asked C": rule.StatusUnchecked,
	}
	assert.Equal(t, want, status(verify(t, dir, Options{})))
	opts := inDocker(t)
	want["Math over a hidden query B"], want["Reduced C"] = rule.StatusOK, rule.StatusOK
	want["Over nothing B"], want["Without its input B"] = rule.StatusFailed, rule.StatusFailed
	r := verify(t, dir, opts)
	assert.Equal(t, want, status(r))
	for _, q := range r.Queries {
		if q.Panel.Title.Value == "Without its input" && q.Target.RefID.Value == "B" {
			assert.Error(t, q.Err)
		}
	}
}

// TestDockerPanics: a mistake of our own leaves nothing behind either.
func TestDockerPanics(t *testing.T) {
	opts := inDocker(t)
	s, err := stack.Load(t.Context(), shippedDir)
	require.NoError(t, err)
	logs := &runLog{}
	opts.Config, opts.History, opts.Logger = &config.Config{}, time.Hour, slog.New(logs)
	opts.Progress = func(stage string, _, _ int) {
		if stage == "asking panels" {
			panic("on purpose")
		}
	}
	_, err = Verify(t.Context(), s, opts)
	require.ErrorContains(t, err, "this is a mistake in panelgate, please report it: on purpose")
	left, err := engine.Labelled("org.panelgate.run=" + logs.run())
	require.NoError(t, err)
	assert.Empty(t, left)
}
