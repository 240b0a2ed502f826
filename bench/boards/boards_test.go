package boards

import (
	"crypto/sha256"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/e2e"
	"github.com/panelgate/panelgate/e2e/config"
	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/stack"
)

// asked is how often each query stands in a stack, and how many dashboards and targets there are.
func asked(t *testing.T, dir string) (times map[string]int, dashboards, targets int) {
	t.Helper()
	s, err := stack.Load(t.Context(), dir)
	require.NoError(t, err)
	times = map[string]int{}
	for _, d := range s.Dashboards {
		for _, p := range d.Panels {
			for _, q := range p.Targets {
				times[q.Expr.Value]++
				targets++
			}
		}
	}
	return times, len(s.Dashboards), targets
}

func TestHasWhatItSays(t *testing.T) {
	for _, tc := range []struct {
		name   string
		of     Options
		unique int
	}{
		{"all distinct", Options{Dashboards: 50, Targets: 1000, Distinct: 1, Seed: 1}, 1000},
		{"a quarter distinct", Options{Dashboards: 100, Targets: 2000, Distinct: 0.25, Seed: 2}, 500},
		{"all copied", Options{Dashboards: 40, Targets: 400, Seed: 3}, 0},
		{"one dashboard", Options{Dashboards: 1, Targets: 7, Distinct: 1, Seed: 4}, 7},
		{"targets that do not divide evenly", Options{Dashboards: 3, Targets: 50, Distinct: 1, Seed: 5}, 50},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			require.NoError(t, Write(dir, tc.of))
			times, dashboards, targets := asked(t, dir)
			unique := 0
			for _, n := range times {
				if n == 1 {
					unique++
				}
			}
			assert.Equal(t, tc.of.Dashboards, dashboards)
			assert.Equal(t, tc.of.Targets, targets)
			assert.Equal(t, tc.unique, unique)
		})
	}
}

// TestPasses proves the stack itself: nothing is found, or a benchmark would measure the telling of findings.
func TestPasses(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, Write(dir, Options{Dashboards: 12, Targets: 240, Distinct: 0.5, Seed: 1}))
	s, err := stack.Load(t.Context(), dir)
	require.NoError(t, err)
	c, err := config.Load(filepath.Join(dir, "panelgate.yml"))
	require.NoError(t, err)
	r, err := e2e.Verify(t.Context(), s, e2e.Options{Config: c, History: 3 * time.Hour}) // what the expressions themselves look back is 2 h
	require.NoError(t, err)
	assert.Len(t, r.Queries, 240)
	for _, q := range r.Queries {
		assert.Equal(t, rule.StatusOK, q.Status, "%s: %v", q.Request.Expr, q.Err)
	}
	for _, f := range r.Findings {
		assert.Equal(t, rule.Info, f.Severity, "%s: %s", f.Rule, f.Message)
	}
}

func TestSameSeedSameBytes(t *testing.T) {
	of := Options{Dashboards: 4, Targets: 40, Distinct: 0.5, Seed: 9}
	first, second, other := sum(t, of), sum(t, of), sum(t, Options{Dashboards: 4, Targets: 40, Distinct: 0.5, Seed: 10})
	assert.Equal(t, first, second)
	assert.NotEqual(t, first, other)
}

// sum is what a stack's bytes come to.
func sum(t *testing.T, of Options) [sha256.Size]byte {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, Write(dir, of))
	h := sha256.New()
	require.NoError(t, filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(name)
		h.Write([]byte(d.Name()))
		h.Write(text)
		return err
	}))
	return [sha256.Size]byte(h.Sum(nil))
}

func TestDashboardsAreAsLargeAsExportedOnes(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, Write(dir, Options{Dashboards: 10, Targets: 200, Distinct: 1, Seed: 1}))
	names, err := filepath.Glob(filepath.Join(dir, Folder, "*", "*.json"))
	require.NoError(t, err)
	require.Len(t, names, 10)
	for _, name := range names {
		info, err := os.Stat(name)
		require.NoError(t, err)
		assert.Greater(t, info.Size(), int64(40_000), name)
		assert.Less(t, info.Size(), int64(100_000), name)
	}
}

func TestRefusesWhatCannotBe(t *testing.T) {
	for name, of := range map[string]Options{
		"no dashboard":         {Targets: 3, Distinct: 1},
		"fewer targets":        {Dashboards: 3, Targets: 2, Distinct: 1},
		"a share above 1":      {Dashboards: 2, Targets: 4, Distinct: 1.5},
		"one dashboard copied": {Dashboards: 1, Targets: 4},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "stack")
			require.Error(t, Write(dir, of))
		})
	}
}
