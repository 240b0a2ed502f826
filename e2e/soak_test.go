package e2e_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/e2e"
	"github.com/panelgate/panelgate/e2e/config"
	"github.com/panelgate/panelgate/e2e/drift"
	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/stack"
)

// soakRuns is how often TestSoak proves the shipped stack: CI sets more.
func soakRuns(t *testing.T) int {
	t.Helper()
	const usual = 10
	text := os.Getenv("PANELGATE_TEST_SOAK")
	if text == "" {
		return usual
	}
	n, err := strconv.Atoi(text)
	require.NoError(t, err, "PANELGATE_TEST_SOAK")
	require.GreaterOrEqual(t, n, usual, "PANELGATE_TEST_SOAK: fewer runs tell nothing of growth")
	return n
}

// usage is what the process holds while nothing runs.
type usage struct{ heap, goroutines, files float64 }

// settled measures what is held once what has ended is gone: a goroutine that was told
// to end takes a moment for it, and the kernel hands back a socket when it is closed.
func settled(t *testing.T, goroutines int) usage {
	t.Helper()
	for patience := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > goroutines && time.Now().Before(patience); {
		runtime.Gosched()
		runtime.GC()
	}
	runtime.GC()
	runtime.GC() // what had a finalizer is gone after the second
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		fds = nil // not on Linux: the other figures are
	}
	return usage{float64(m.HeapAlloc), float64(runtime.NumGoroutine()), float64(len(fds))}
}

// median of one figure of several measurements.
func median(of []usage, figure func(usage) float64) float64 {
	values := make([]float64, len(of))
	for i, u := range of {
		values[i] = figure(u)
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// moments are what differs between two runs that found the same: times of day, and
// how long something took.
var moments = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\S*|\b\d\d:\d\d:\d\d\b|\b\d+(\.\d+)?(ms|µs|s)\b`)

// soakedVerdict is what a report says but for when and how long: everything that must be the
// same in every run of the same stack.
func soakedVerdict(r *e2e.Report) string {
	var out strings.Builder
	for _, b := range r.Boards {
		fmt.Fprintf(&out, "board %s, %d questions\n", b.UID.Value, len(b.Questions))
	}
	for _, target := range r.Targets {
		fmt.Fprintf(&out, "target %s up=%v %s\n", target.Job, target.Up, target.Error)
	}
	for _, q := range r.Queries {
		fmt.Fprintf(&out, "query %s %s: %s, sent=%v, %d series, err=%v\n  %s\n", q.Panel.Title.Value, q.Target.RefID.Value, q.Status, q.Sent, q.Series, q.Err, q.Request.Expr)
	}
	for _, f := range r.Findings {
		fmt.Fprintf(&out, "finding %s %s %s %s/%s/%s %s\n  %s\n  %s: %s\n  %s\n", f.Severity, f.Rule, f.Pos, f.Dashboard, f.Panel, f.RefID, f.Subject,
			f.Message, f.Reason, strings.Join(f.Evidence, "; "), f.Fix)
	}
	for _, x := range r.Excluded {
		fmt.Fprintf(&out, "excluded %s %s\n", x.Rule, x.Pos)
	}
	for _, n := range r.Notes {
		fmt.Fprintf(&out, "note %s\n", n)
	}
	return moments.ReplaceAllString(out.String(), "…")
}

// soaked is one kind of run that is repeated, and the verdict of its first time.
type soaked struct {
	name  string
	every int // of so many rounds, one
	run   func(ctx context.Context) (string, error)
	first string
}

// TestSoak proves stacks again and again in one process: nothing may grow, nothing may
// be left, and every run says what the first one said.
func TestSoak(t *testing.T) {
	rounds := soakRuns(t)
	if testing.Short() {
		t.Skip("it is many runs")
	}
	kinds := soakedKinds(t)
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	before := runtime.NumGoroutine()
	var held []usage
	for round := range rounds {
		for _, k := range kinds {
			if round%k.every != 0 {
				continue
			}
			said, err := k.run(t.Context())
			require.NoError(t, err, "round %d, %s", round, k.name)
			if k.first == "" {
				k.first = said
			}
			require.Equal(t, k.first, said, "round %d at %s, %s", round, time.Now().Format("15:04:05.000"), k.name)
			left, err := os.ReadDir(tmp)
			require.NoError(t, err)
			require.Empty(t, left, "round %d, %s leaves files", round, k.name)
		}
		held = append(held, settled(t, before))
	}
	assertNoGrowth(t, held)
}

// assertNoGrowth compares the runs after the first few, in which caches fill, with the
// last ones.
func assertNoGrowth(t *testing.T, held []usage) {
	t.Helper()
	const warm = 2
	part := max((len(held)-warm)/3, 1)
	early, late := held[warm:warm+part], held[len(held)-part:]
	heap := func(u usage) float64 { return u.heap }
	t.Logf("%d rounds: heap %.1f MB early, %.1f MB late; %.0f goroutines, %.0f files", len(held),
		median(early, heap)/1e6, median(late, heap)/1e6, held[len(held)-1].goroutines, held[len(held)-1].files)
	// Some 4 MB are held throughout. Of 200 runs, what each keeps shows from 5 KB on.
	assert.LessOrEqual(t, median(late, heap), 1.1*median(early, heap)+300e3, "the heap grows")
	goroutines := func(u usage) float64 { return u.goroutines }
	assert.LessOrEqual(t, median(late, goroutines), median(early, goroutines), "goroutines are left")
	files := func(u usage) float64 { return u.files }
	assert.LessOrEqual(t, median(late, files), median(early, files), "files stay open")
}

// soakedKinds are the runs that are repeated: most often the shipped stack, now and
// then what ends otherwise.
func soakedKinds(t *testing.T) []*soaked {
	t.Helper()
	shippedStack, err := stack.Load(t.Context(), shipped)
	require.NoError(t, err)
	board := filepath.Join(boardsDir, "triton.json")
	broken := variant(t, board, "nv_inference_pending_request_count", "nv_inference_pending_requests")
	opts := e2e.Options{Config: &config.Config{}, History: e2e.DefaultHistory, Lean: true}
	proven := func(s *stack.Stack, opts e2e.Options) func(context.Context) (string, error) {
		return func(ctx context.Context) (string, error) {
			r, err := e2e.Verify(ctx, s, opts)
			if err != nil {
				return "", err
			}
			return soakedVerdict(r), nil
		}
	}
	kinds := []*soaked{
		{name: "shipped", every: 1, run: proven(shippedStack, opts)},
		{name: "broken", every: 5, run: proven(broken, opts)},
		{name: "session", every: 10, run: func(ctx context.Context) (string, error) { return soakSession(ctx, opts, shippedStack, broken) }},
		{name: "drift", every: 50, run: func(ctx context.Context) (string, error) { return soakDrift(ctx, opts, shippedStack) }},
	}
	for _, stage := range []string{"laying down history", "scraping targets", "filling variables", "asking panels"} {
		kinds = append(kinds, &soaked{name: "cancelled while " + stage, every: 10, run: func(ctx context.Context) (string, error) {
			return soakCancelled(ctx, opts, shippedStack, stage)
		}})
	}
	return kinds
}

// soakSession proves several stacks on one Prometheus.
func soakSession(ctx context.Context, opts e2e.Options, stacks ...*stack.Stack) (said string, err error) {
	session, err := e2e.Begin(ctx, stacks[0], opts)
	if err != nil {
		return "", err
	}
	defer func() {
		if closeErr := session.Close(); err == nil {
			err = closeErr
		}
	}()
	for _, s := range stacks {
		r, err := session.Verify(ctx, s)
		if err != nil {
			return "", err
		}
		said += soakedVerdict(r)
	}
	return said, nil
}

// soakDrift proves the stack with a few releases of dcgm-exporter.
func soakDrift(ctx context.Context, opts e2e.Options, s *stack.Stack) (string, error) {
	r, err := drift.Run(ctx, s, drift.Options{Verify: opts, FailOn: rule.Error, Axes: []drift.Axis{{Exporter: "dcgm", Versions: []string{"2.0.13", "4.3.1"}}}})
	if err != nil {
		return "", err
	}
	var said strings.Builder
	for _, x := range r.Exporters {
		fmt.Fprintf(&said, "%s: %d panels, %+v\n", x.Name, len(x.Panels), x.Versions)
	}
	return said.String(), nil
}

// soakCancelled is a run that is ended from outside as it begins a stage.
func soakCancelled(ctx context.Context, opts e2e.Options, s *stack.Stack, stage string) (string, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	opts.Progress = func(now string, _, _ int) {
		if now == stage {
			cancel()
		}
	}
	_, err := e2e.Verify(ctx, s, opts)
	if err == nil {
		return "", fmt.Errorf("it was to be cancelled while %s, and ended well", stage)
	}
	if ctx.Err() == nil {
		return "", err
	}
	return "cancelled", nil
}
