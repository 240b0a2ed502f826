package e2e

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/e2e/rule"
)

// askedBoards verifies the shipped stack with the fixture dashboards in the place
// of its own, and gives the queries by dashboard uid.
func askedBoards(t *testing.T) (*Report, map[string][]*rule.Asked) {
	t.Helper()
	dir := copyShipped(t, func(board string) string { return board + "\n" })
	boards := filepath.Join(dir, "grafana", "provisioning", "dashboards", "boards")
	require.NoError(t, os.Remove(filepath.Join(boards, "triton.json")))
	require.NoError(t, os.CopyFS(boards, os.DirFS(filepath.Join("testdata", "boards"))))
	r := verify(t, dir, Options{})
	byBoard := map[string][]*rule.Asked{}
	for _, q := range r.Queries {
		byBoard[q.Board.UID.Value] = append(byBoard[q.Board.UID.Value], q)
	}
	return r, byBoard
}

// wantQuery is what one query has to be.
type wantQuery struct {
	panel, ref, expr string
	instant          bool
	step, window     time.Duration
	ago              time.Duration // how long before the run the window ends
}

const (
	hour   = time.Hour
	minute = time.Minute
	scrape = 15 * time.Second // the datasource's timeInterval
)

// wantBoards are the queries of the fixture dashboards in the order of the panels.
func wantBoards() map[string][]wantQuery {
	return map[string][]wantQuery{
		"queries": {
			{panel: "Plain", ref: "A", expr: `rate(nv_inference_count[1m0s])`, step: scrape, window: hour},
			{panel: "Relative time", ref: "A", expr: `avg_over_time(DCGM_FI_DEV_GPU_UTIL[15s])`, step: scrape, window: 2 * hour},
			{panel: "Time shift", ref: "A", expr: `up`, step: scrape, window: hour, ago: hour},
			{panel: "Both times", ref: "A", expr: `max_over_time(up[1800s])`, instant: true, step: scrape, window: 30 * minute, ago: hour},
			{panel: "Mixed", ref: "A", expr: `up{job="triton"}`, step: scrape, window: hour},
			{panel: "Mixed", ref: "B", expr: `up{job="dcgm"}`, step: scrape, window: hour},
			{panel: "Instant and range", ref: "A", expr: `sum(up)`, step: scrape, window: hour},
			{panel: "Instant and range", ref: "A", expr: `sum(up)`, instant: true, step: scrape, window: hour},
			{panel: "Table", ref: "A", expr: `up`, instant: true, step: scrape, window: hour},
			{panel: "Table", ref: "B", expr: `up`, step: scrape, window: hour},
			{panel: "Heatmap", ref: "A", expr: `sum by (gpu) (DCGM_FI_DEV_GPU_TEMP)`, step: scrape, window: hour},
			{panel: "Hidden", ref: "A", expr: `up`, step: scrape, window: hour},
			{panel: "Min interval", ref: "A", expr: `rate(nv_inference_count[2m15s])`, step: 2 * minute, window: hour},
			{panel: "Min interval", ref: "B", expr: `rate(nv_inference_count[4m0s])`, step: minute, window: hour},
			{panel: "Data points", ref: "A", expr: `increase(nv_inference_count[1m])`, step: minute, window: hour},
			{panel: "Interval factor", ref: "A", expr: `rate(nv_inference_count[1m0s])`, step: minute, window: hour},
		},
		"repeats": {
			{panel: "Up of $job", ref: "A", expr: `up{job=~"dcgm"}`, step: scrape, window: 30 * minute},
			{panel: "Up of $job", ref: "A", expr: `up{job=~"node"}`, step: scrape, window: 30 * minute},
			{panel: "Up of $job", ref: "A", expr: `up{job=~"triton"}`, step: scrape, window: 30 * minute},
			{panel: "All jobs", ref: "A", expr: `sum(up{job=~"(dcgm|node|triton)"})`, step: scrape, window: 30 * minute},
			{panel: "All jobs", ref: "A", expr: `max(up{job=~"(dcgm|node|triton)"})`, step: scrape, window: 30 * minute},
			{panel: "One of the jobs", ref: "A", expr: `sum(up{job=~"dcgm"})`, step: scrape, window: 30 * minute},
			{panel: "One of the jobs", ref: "A", expr: `sum(up{job=~"node"})`, step: scrape, window: 30 * minute},
			{panel: "One of the jobs", ref: "A", expr: `sum(up{job=~"triton"})`, step: scrape, window: 30 * minute},
			{panel: "One of the jobs", ref: "A", expr: `max(up{job=~"dcgm"})`, step: scrape, window: 30 * minute},
			{panel: "One of the jobs", ref: "A", expr: `max(up{job=~"node"})`, step: scrape, window: 30 * minute},
			{panel: "One of the jobs", ref: "A", expr: `max(up{job=~"triton"})`, step: scrape, window: 30 * minute},
		},
		"variables": {
			{panel: "Chained", ref: "A", expr: `up{instance=~".*:9400", job="dcgm", job=~"triton|dcgm"}`, step: scrape, window: hour},
			{panel: "Custom, constant and text box", ref: "A", expr: `max by (job) (up{job=~"triton|dcgm"}) > 0`, step: scrape, window: hour},
			{panel: "Intervals", ref: "A", expr: `avg_over_time(up{job=~"triton|dcgm"}[5m])`, step: 5 * minute, window: hour},
			{panel: "Intervals", ref: "B", expr: `avg_over_time(up{job=~"triton|dcgm"}[2m])`, step: 2 * minute, window: hour},
			{panel: "Sorted", ref: "A", expr: `count(up{job!="triton", job=~"triton|dcgm"})`, instant: true, step: scrape, window: hour},
		},
		"rows": {
			{panel: "Graph", ref: "A", expr: `up{job=~"(dcgm|triton)"}`, step: 2 * scrape, window: hour},
			{panel: "Number", ref: "A", expr: `sum(up)`, step: scrape, window: hour},
			{panel: "Each", ref: "A", expr: `up{job="dcgm"}`, step: scrape, window: hour},
			{panel: "Each", ref: "A", expr: `up{job="triton"}`, step: scrape, window: hour},
		},
		"collapsed": {
			{panel: "Inside", ref: "A", expr: `sum(up)`, step: scrape, window: 15 * minute},
			{panel: "Inside each", ref: "A", expr: `up{job=~"dcgm"}`, step: scrape, window: 15 * minute},
			{panel: "Inside each", ref: "A", expr: `up{job=~"node"}`, step: scrape, window: 15 * minute},
			{panel: "After", ref: "A", expr: `scalar(count(up))`, step: scrape, window: 15 * minute},
		},
	}
}

// TestBoards asks the kinds of panels, variables and rows that are rare.
func TestBoards(t *testing.T) {
	r, asked := askedBoards(t)
	now := momentOf(t, asked["queries"])
	want := wantBoards()
	assert.Len(t, asked, len(want))
	for uid, queries := range want {
		t.Run(uid, func(t *testing.T) {
			sent := slices.DeleteFunc(slices.Clone(asked[uid]), func(q *rule.Asked) bool { return !q.Sent })
			require.Len(t, sent, len(queries))
			for i, q := range sent {
				queries[i].check(t, q, now)
			}
		})
	}
	unsent := slices.DeleteFunc(slices.Clone(r.Queries), func(q *rule.Asked) bool { return q.Sent })
	require.Len(t, unsent, 1)
	assert.Equal(t, rule.StatusSkipped, unsent[0].Status)
	assert.Equal(t, "Hidden B", unsent[0].Panel.Title.Value+" "+unsent[0].Target.RefID.Value)
}

// TestBoardsFindings: the fixtures are sound but for the panel types of old,
// which the rows of old come with.
func TestBoardsFindings(t *testing.T) {
	r, _ := askedBoards(t)
	var old []string
	for _, f := range r.Findings {
		if f.Rule == "panel/type-removed" {
			old = append(old, f.Panel)
			continue
		}
		assert.LessOrEqual(t, f.Severity, rule.Info, "%s %s: %s", f.Rule, f.Pos, f.Message)
	}
	assert.Len(t, old, 3, "%v", old)
}

func (w wantQuery) check(t *testing.T, q *rule.Asked, now time.Time) {
	t.Helper()
	require.NoError(t, q.Err)
	assert.Equal(t, rule.StatusOK, q.Status, w.expr)
	assert.Positive(t, q.Finite, w.expr)
	got := wantQuery{
		panel: q.Panel.Title.Value, ref: q.Target.RefID.Value, expr: q.Request.Expr, instant: q.Request.Instant,
		step: q.Request.Step, window: q.Request.End.Sub(q.Request.Start), ago: w.ago,
	}
	assert.Equal(t, w, got)
	off := q.Request.End.Sub(now.Add(-w.ago))
	if w.instant {
		assert.Zero(t, off, w.expr)
		return
	}
	assert.Less(t, off.Abs(), w.step, w.expr) // the step before or the next one
	assert.Zero(t, q.Request.End.UnixNano()%int64(w.step), w.expr)
}

// momentOf is the moment at which the dashboards are asked: an instant query
// over an unshifted range has it as it is.
func momentOf(t *testing.T, queries []*rule.Asked) time.Time {
	t.Helper()
	i := slices.IndexFunc(queries, func(q *rule.Asked) bool {
		return q.Request.Instant && q.Panel.TimeShift.Value == ""
	})
	require.GreaterOrEqual(t, i, 0)
	return queries[i].Request.End
}

// TestBoardsAdHocFilters: the filter that a dashboard saves decides what is shown.
func TestBoardsAdHocFilters(t *testing.T) {
	_, asked := askedBoards(t)
	for _, q := range asked["variables"] {
		if q.Panel.Title.Value == "Custom, constant and text box" {
			assert.Equal(t, 2, q.Series, "of three jobs, two are let through")
			return
		}
	}
	t.Fatal("the panel was not asked")
}
