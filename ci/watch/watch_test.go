package watch_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/panelgate/panelgate/ci/watch"
	"github.com/panelgate/panelgate/e2e"
	"github.com/panelgate/panelgate/e2e/config"
	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/stack"
)

const (
	shipped   = "../../stack"
	boardFile = "grafana/provisioning/dashboards/boards/triton.json"
	promFile  = "prometheus/prometheus.yml"
	good, bad = "DCGM_FI_DEV_GPU_TEMP{", "DCGM_FI_DEV_GPU_TEMPERATURE{"
)

// copied is a copy of the shipped stack.
func copied(tb testing.TB) (dir string) {
	tb.Helper()
	dir = filepath.Join(tb.TempDir(), "stack")
	for _, part := range []string{"grafana", "prometheus"} {
		require.NoError(tb, os.CopyFS(filepath.Join(dir, part), os.DirFS(filepath.Join(shipped, part))))
	}
	compose, err := os.ReadFile(filepath.Join(shipped, "docker-compose.yml"))
	require.NoError(tb, err)
	require.NoError(tb, os.WriteFile(filepath.Join(dir, "docker-compose.yml"), compose, 0o600))
	return dir
}

// edit replaces a text of a file as editors do that rename a new file to its place.
func edit(tb testing.TB, file, old, now string) {
	tb.Helper()
	text, err := os.ReadFile(file)
	require.NoError(tb, err)
	require.True(tb, strings.Contains(string(text), old), "%s holds %q", file, old)
	require.NoError(tb, os.WriteFile(file+"~", []byte(strings.ReplaceAll(string(text), old, now)), 0o600))
	require.NoError(tb, os.Rename(file+"~", file))
}

// watched is a stack that is being watched.
type watched struct {
	runs   chan *watch.Run
	ended  chan error
	cancel context.CancelFunc
}

func start(tb testing.TB, dir string) *watched {
	tb.Helper()
	ctx, cancel := context.WithCancel(tb.Context())
	x := &watched{runs: make(chan *watch.Run, 100), ended: make(chan error, 1), cancel: cancel}
	roots, err := watch.Roots(dir, "")
	require.NoError(tb, err)
	w := &watch.Watcher{
		Roots: roots, Say: func(string) {},
		Show: func(r *watch.Run) error { x.runs <- r; return nil },
		Read: func(ctx context.Context, former *stack.Stack) (*watch.Input, error) {
			var opts []stack.Option
			if former != nil {
				opts = append(opts, stack.WithFormer(former))
			}
			s, err := stack.Load(ctx, dir, opts...)
			if err != nil {
				return nil, err
			}
			cfg := &config.Config{}
			if file := filepath.Join(dir, config.FileName); exists(file) {
				if cfg, err = config.Load(file); err != nil {
					return nil, err
				}
			}
			return &watch.Input{Stack: s, Options: e2e.Options{Config: cfg, History: time.Hour}}, nil
		},
	}
	go func() { x.ended <- w.Watch(ctx) }()
	return x
}

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}

// next waits for a run.
func (x *watched) next(tb testing.TB) *watch.Run {
	tb.Helper()
	select {
	case r := <-x.runs:
		return r
	case <-time.After(time.Minute):
		require.Fail(tb, "no run came of it")
		return nil
	}
}

func (x *watched) end(tb testing.TB) {
	tb.Helper()
	x.cancel()
	select {
	case err := <-x.ended:
		require.NoError(tb, err)
	case <-time.After(time.Minute):
		require.Fail(tb, "it does not end")
	}
}

// errorsOf are the rules that have found an error.
func errorsOf(r *watch.Run) []string {
	var out []string
	for _, f := range r.Report.Findings {
		if f.Severity == rule.Error {
			out = append(out, f.Rule)
		}
	}
	return out
}

// Edits are followed on one Prometheus, until one changes what that reads. At the end
// nothing of it is left.
func TestWatch(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	dir := copied(t)
	board, prom, mapping := filepath.Join(dir, boardFile), filepath.Join(dir, promFile), filepath.Join(dir, config.FileName)
	x := start(t, dir)
	first := x.next(t)
	require.NoError(t, first.Err)
	assert.Empty(t, errorsOf(first))
	asOf := first.AsOf
	for _, step := range []struct {
		name    string
		edit    func()
		found   []string
		restart bool
	}{
		{"a metric is misspelled", func() { edit(t, board, good, bad) }, []string{"panel/no-data"}, false},
		{"it is mended", func() { edit(t, board, bad, good) }, nil, false},
		{"a dashboard comes into a new folder", func() {
			sub := filepath.Join(filepath.Dir(board), "new", "deep")
			require.NoError(t, os.MkdirAll(sub, 0o755))
			text, err := os.ReadFile(board)
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(filepath.Join(sub, "other.json"), text, 0o600))
		}, []string{"dashboard/uid-duplicate"}, false},
		{"it is edited there", func() { edit(t, filepath.Join(filepath.Dir(board), "new/deep/other.json"), `"refId"`, `"refId" `) },
			[]string{"dashboard/uid-duplicate"}, false},
		{"and goes", func() { require.NoError(t, os.RemoveAll(filepath.Join(filepath.Dir(board), "new"))) }, nil, false},
		{"a file breaks", func() { edit(t, board, `"schemaVersion"`, `schemaVersion`) }, []string{"dashboard/invalid", "gate/nothing-checked"}, false},
		{"it is mended again", func() { edit(t, board, `schemaVersion`, `"schemaVersion"`) }, nil, false},
		{"prometheus.yml breaks", func() { edit(t, prom, "scrape_configs:", "scrape_configs") }, []string{"prometheus/config-invalid", "gate/nothing-checked"}, false},
		{"and is as before", func() { edit(t, prom, "scrape_configs", "scrape_configs:") }, nil, false},
		{"a target moves", func() { edit(t, prom, ":9100", ":9101") }, []string{"prometheus/target-down", "panel/no-data"}, true},
		{"somebody answers there", func() {
			require.NoError(t, os.WriteFile(mapping, []byte("version: 1\ntargets:\n  - match: {job: node}\n    fake: node\n"), 0o600))
		}, nil, true},
		{"a rule is switched off", func() { edit(t, mapping, "version: 1\n", "version: 1\nrules: {panel/no-data: off}\n") }, nil, false},
		{"so that nothing is said", func() { edit(t, board, good, bad) }, nil, false},
		{"a remark moves what stands below it", func() { edit(t, mapping, "version: 1\n", "version: 1\n# a remark\n") }, nil, false},
	} {
		step.edit()
		run := x.next(t)
		require.NoError(t, run.Err, step.name)
		assert.ElementsMatch(t, step.found, errorsOf(run), step.name)
		assert.Equal(t, step.restart, run.Restarted != "", "%s: %s", step.name, run.Restarted)
		assert.NotEmpty(t, run.Changed, step.name)
		if !run.AsOf.IsZero() {
			assert.Equal(t, step.restart, !run.AsOf.Equal(asOf), step.name)
			asOf = run.AsOf
		}
	}
	x.end(t)
}

// A stack that cannot be read, or is not there yet, is waited for.
func TestWatchWaitsForTheStack(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "later", "stack")
	x := start(t, dir)
	require.Error(t, x.next(t).Err)
	require.NoError(t, os.CopyFS(dir, os.DirFS(copied(t))))
	for {
		if r := x.next(t); r.Err == nil && len(r.Report.Queries) > 0 {
			assert.Empty(t, errorsOf(r))
			break
		}
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, config.FileName), []byte("version: 7\n"), 0o600))
	require.Error(t, x.next(t).Err)
	require.NoError(t, os.Remove(filepath.Join(dir, config.FileName)))
	run := x.next(t)
	require.NoError(t, run.Err)
	assert.Empty(t, run.Restarted)
	x.end(t)
}

// BenchmarkEdit is an edit of one panel, from the saving of the file to the verdict.
func BenchmarkEdit(b *testing.B) {
	dir := copied(b)
	x := start(b, dir)
	x.next(b)
	texts := []string{good, bad}
	for i := 0; b.Loop(); i++ {
		edit(b, filepath.Join(dir, boardFile), texts[i%2], texts[(i+1)%2])
		if run := x.next(b); run.Err != nil {
			b.Fatal(run.Err)
		}
	}
	x.end(b)
}
