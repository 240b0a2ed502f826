package containers

import (
	"context"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/stack"
)

// What the engine is told of Grafana's container is seen by whoever may inspect it:
// neither the run's own password is in there nor the stack's.
func TestGrafanaPasswordIsNotInspected(t *testing.T) {
	t.Setenv("GF_SECURITY_ADMIN_PASSWORD", "s3cret-of-the-stack")
	s, err := stack.Load(t.Context(), "../../../stack")
	require.NoError(t, err)
	r := &run{stack: s, password: "s3cret-of-the-run", layout: &layout{}, engine: unstarted{}}
	sp, err := r.grafanaSpec(Image{})
	require.NoError(t, err)
	for name, value := range sp.Env {
		assert.NotContains(t, value, "s3cret", name)
	}
	assert.NotContains(t, strings.Join(append(sp.Entrypoint, sp.Command...), " "), "s3cret")

	var in string
	for _, e := range sp.Files {
		if e.path == passwordFile {
			in = string(e.content)
		}
	}
	assert.Equal(t, "s3cret-of-the-run", in)
	assert.Equal(t, "$__file{"+passwordFile+"}", sp.Env["GF_SECURITY_ADMIN_PASSWORD"])
}

func TestEachRunHasItsOwnPassword(t *testing.T) {
	s, err := stack.Load(t.Context(), "../../../stack")
	require.NoError(t, err)
	seen := map[string]bool{}
	for range 3 {
		r, err := newRun(t.Context(), s, Options{Connect: noEngine})
		require.NoError(t, err)
		assert.GreaterOrEqual(t, len(r.password), 20)
		assert.False(t, seen[r.password])
		seen[r.password] = true
	}
}

// unstarted is an engine that nothing is asked of but its name.
type unstarted struct{ Engine }

func (unstarted) Run() string { return "run" }

func noEngine(context.Context, *slog.Logger, string) (Engine, error) { return unstarted{}, nil }
