package e2e

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/e2e/config"
	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/e2e/env/containers"
	"github.com/panelgate/panelgate/internal/engine"
	"github.com/panelgate/panelgate/stack"
)

// TestContainersFail has each server killed and paused at stages of a run: no verdict
// comes of it, the message names the server, and nothing is left behind.
func TestContainersFail(t *testing.T) {
	const (
		tidying    = "tidying up"
		afterwards = 3 * time.Minute // more than is waited for once the server is paused
		soon       = 3 * time.Second
	)
	for _, tt := range []struct {
		name, server, stage string
		do                  func(ctx context.Context, label, image string) error
		patience            time.Duration // 0 for as long as it takes
		says                []string      // nothing where there is a verdict already
	}{
		{"killed while starting", "prometheus", "scraping targets", engine.Kill, 0, []string{"prometheus ended with exit code 137"}},
		{"killed while starting, and restarted as its compose file has it,", "grafana", "waiting for grafana", engine.Kill, 0, nil},
		{"killed while asked", "prometheus", "asking panels", engine.Kill, 0, []string{"a server ended during the run: prometheus ended with exit code 137"}},
		{"killed at the end", "prometheus", tidying, engine.Kill, 0, nil},
		{"paused while starting", "grafana", "waiting for grafana", engine.Pause, 45 * time.Second, []string{"is not up after"}},
		{"paused while asked", "prometheus", "filling variables", engine.Pause, afterwards, []string{"prometheus at http://", "has not answered"}},
		{"paused while asked", "grafana", "filling variables", engine.Pause, afterwards, []string{"grafana at http://", "has not answered"}},
		{"paused at the end", "grafana", tidying, engine.Pause, 0, nil},
	} {
		t.Run(tt.name+" "+tt.server, func(t *testing.T) {
			t.Parallel()
			opts := inDocker(t)
			s, err := stack.Load(t.Context(), shippedDir)
			require.NoError(t, err)
			logs := &runLog{}
			var once sync.Once
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			strike := func() {
				once.Do(func() {
					require.NoError(t, tt.do(t.Context(), "org.panelgate.run="+logs.run(), opts.Containers.Images.Override[tt.server]))
					if tt.patience == afterwards {
						time.AfterFunc(soon, func() { cancel(errors.New("not finished in time")) })
					}
				})
			}
			opts.Config, opts.History, opts.Logger = &config.Config{}, time.Hour, slog.New(logs)
			opts.Progress = func(stage string, _, _ int) {
				if stage == tt.stage {
					strike()
				}
			}
			opts.WhileUp = func(context.Context, env.Instance, *Report) error {
				if tt.stage == tidying {
					strike()
				}
				return nil
			}
			bounded := ctx
			if tt.patience != 0 {
				var cancel context.CancelFunc
				bounded, cancel = context.WithTimeout(ctx, tt.patience)
				defer cancel()
			}
			r, err := Verify(bounded, s, opts)
			if tt.says == nil {
				require.NoError(t, err)
				assert.Empty(t, errorsOf(r), "everything had been asked and judged")
			} else {
				require.Error(t, err)
			}
			for _, words := range tt.says {
				assert.ErrorContains(t, err, words)
			}
			assert.NotErrorAs(t, err, new(*containers.UsageError), "that would not be exit code 3")
			left, err := engine.Labelled("org.panelgate.run=" + logs.run())
			require.NoError(t, err)
			assert.Empty(t, left)
		})
	}
}
