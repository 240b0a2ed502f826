package e2e_test

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/e2e"
	"github.com/panelgate/panelgate/e2e/config"
	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/stack"
)

// Variants of a stack that Prometheus cannot tell apart are proven on one.
func TestSession(t *testing.T) {
	t.Parallel()
	base, err := stack.Load(t.Context(), filepath.Join("..", "stack"))
	require.NoError(t, err)
	session, err := e2e.Begin(t.Context(), base, e2e.Options{Config: &config.Config{}, History: e2e.DefaultHistory})
	require.NoError(t, err)
	defer func() { require.NoError(t, session.Close()) }()
	board := filepath.Join("grafana", "provisioning", "dashboards", "boards", "triton.json")
	renamed := variant(t, board, "nv_inference_pending_request_count", "nv_inference_pending_requests")
	moved := variant(t, filepath.Join("prometheus", "prometheus.yml"), ":9100", ":9101")
	assert.True(t, session.Fits(base))
	assert.True(t, session.Fits(renamed))
	assert.False(t, session.Fits(moved))

	var wg sync.WaitGroup
	for _, c := range []struct {
		stack    *stack.Stack
		findings int
	}{{base, 0}, {renamed, 1}, {base, 0}} {
		wg.Go(func() {
			report, err := session.Verify(t.Context(), c.stack)
			if assert.NoError(t, err) {
				assert.NotEmpty(t, report.Queries)
				assert.Len(t, errorsOf(report), c.findings)
			}
		})
	}
	wg.Wait()
}

func errorsOf(r *e2e.Report) []rule.Finding {
	var out []rule.Finding
	for _, f := range r.Findings {
		if f.Severity == rule.Error {
			out = append(out, f)
		}
	}
	return out
}

// variant is the shipped stack with another text in one of its files.
func variant(t *testing.T, file, from, to string) *stack.Stack {
	t.Helper()
	dir := t.TempDir()
	for _, part := range []string{"grafana", "prometheus"} {
		require.NoError(t, os.CopyFS(filepath.Join(dir, part), os.DirFS(filepath.Join("..", "stack", part))))
	}
	for _, f := range []string{"docker-compose.yml", file} {
		data, err := os.ReadFile(filepath.Join("..", "stack", f))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, f), []byte(strings.ReplaceAll(string(data), from, to)), 0o600))
	}
	s, err := stack.Load(t.Context(), dir)
	require.NoError(t, err)
	return s
}
