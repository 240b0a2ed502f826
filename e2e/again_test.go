package e2e_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/e2e"
	"github.com/panelgate/panelgate/e2e/config"
	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/stack"
)

const boardsDir = "grafana/provisioning/dashboards/boards"

// several is a stack of n dashboards, copies of the shipped one.
func several(tb testing.TB, n int) (dir string) {
	tb.Helper()
	dir = tb.TempDir()
	for _, part := range []string{"grafana", "prometheus"} {
		require.NoError(tb, os.CopyFS(filepath.Join(dir, part), os.DirFS(filepath.Join(shipped, part))))
	}
	compose, err := os.ReadFile(filepath.Join(shipped, "docker-compose.yml"))
	require.NoError(tb, err)
	require.NoError(tb, os.WriteFile(filepath.Join(dir, "docker-compose.yml"), compose, 0o600))
	text, err := os.ReadFile(filepath.Join(dir, boardsDir, "triton.json"))
	require.NoError(tb, err)
	s, err := stack.Load(tb.Context(), dir)
	require.NoError(tb, err)
	uid, title := s.Dashboards[0].UID.Value, s.Dashboards[0].Title.Value
	for i := 1; i < n; i++ {
		copied := strings.ReplaceAll(string(text), fmt.Sprintf("%q", uid), fmt.Sprintf(`"copy%d"`, i))
		copied = strings.ReplaceAll(copied, fmt.Sprintf("%q", title), fmt.Sprintf(`"Copy %d"`, i))
		require.NoError(tb, os.WriteFile(filepath.Join(dir, boardsDir, fmt.Sprintf("copy%d.json", i)), []byte(copied), 0o600))
	}
	return dir
}

const shipped = "../stack"

// replace writes another text into a file, which must hold the old one.
func replace(tb testing.TB, file, old, now string) {
	tb.Helper()
	text, err := os.ReadFile(file)
	require.NoError(tb, err)
	require.True(tb, strings.Contains(string(text), old), old)
	require.NoError(tb, os.WriteFile(file, []byte(strings.Replace(string(text), old, now, 1)), 0o600))
}

// Whatever is edited in whatever order, going on from the last report comes to what a
// run of everything comes to.
func TestAgain(t *testing.T) {
	t.Parallel()
	dir := several(t, 3)
	board := func(name string) string { return filepath.Join(dir, boardsDir, name) }
	former, err := stack.Load(t.Context(), dir)
	require.NoError(t, err)
	session, err := e2e.Begin(t.Context(), former, e2e.Options{Config: &config.Config{}, History: e2e.DefaultHistory})
	require.NoError(t, err)
	defer func() { require.NoError(t, session.Close()) }()
	report, err := session.Verify(t.Context(), former)
	require.NoError(t, err)

	for _, step := range []struct {
		name  string
		edit  func()
		asked int // boards that are asked anew
		found []string
	}{
		{"nothing", func() {}, 0, nil},
		{"a metric is misspelled", func() {
			replace(t, board("copy1.json"), "nv_inference_pending_request_count", "nv_inference_pending_request_cuont")
		}, 1, []string{"panel/no-data"}},
		{"another board, the first stays broken", func() { replace(t, board("triton.json"), `"refId": "A"`, `"refId": "Z"`) }, 1, []string{"panel/no-data"}},
		{"a board takes the uid of a later one", func() { replace(t, board("copy1.json"), `"uid": "copy1"`, `"uid": "copy2"`) }, 1, []string{"dashboard/uid-duplicate", "panel/no-data"}},
		{"it is mended", func() { replace(t, board("copy1.json"), `"uid": "copy2"`, `"uid": "copy1"`) }, 1, []string{"panel/no-data"}},
		{"a board breaks", func() { replace(t, board("copy2.json"), "{", "[") }, 0, []string{"dashboard/invalid", "panel/no-data"}},
		{"and is read again", func() { replace(t, board("copy2.json"), "[", "{") }, 1, []string{"panel/no-data"}},
		{"a board goes", func() { require.NoError(t, os.Remove(board("copy1.json"))) }, 0, nil},
		{"the datasource's uid changes", func() {
			replace(t, filepath.Join(dir, "grafana/provisioning/datasources/prometheus.yaml"), "uid: prometheus", "uid: prom2")
		}, 2, nil},
	} {
		step.edit()
		s, err := stack.Load(t.Context(), dir, stack.WithFormer(report.Stack))
		require.NoError(t, err, step.name)
		require.True(t, session.Fits(s), step.name)
		assert.True(t, session.Covers(s, report), step.name)
		again, err := session.Again(t.Context(), s, report)
		require.NoError(t, err, step.name)
		fresh, err := stack.Load(t.Context(), dir)
		require.NoError(t, err, step.name)
		whole, err := session.Verify(t.Context(), fresh)
		require.NoError(t, err, step.name)

		assert.Equal(t, told(whole), told(again), step.name)
		assert.ElementsMatch(t, step.found, distinctErrors(again), step.name)
		assert.Equal(t, step.asked, newBoards(report, again), step.name)
		report = again
	}
}

// told is what a report says, but for how long it took.
func told(r *e2e.Report) []string {
	var out []string
	for _, b := range r.Boards {
		out = append(out, b.File)
	}
	for _, q := range r.Queries {
		out = append(out, fmt.Sprint(q.Board.File, q.Panel.Title.Value, q.Target.RefID.Value, q.Request.Expr, q.Status, q.Series, q.Samples))
	}
	for _, v := range r.Variables {
		out = append(out, fmt.Sprint(v.Board.File, v.Variable.Name.Value, v.Options))
	}
	for _, f := range r.Findings {
		out = append(out, fmt.Sprint(f.Rule, f.Severity, f.Pos, f.Panel, f.RefID, f.Message, f.Evidence, f.Fix))
	}
	return out
}

func distinctErrors(r *e2e.Report) []string {
	var out []string
	seen := map[string]bool{}
	for _, f := range r.Findings {
		if f.Severity == rule.Error && !seen[f.Rule] {
			seen[f.Rule] = true
			out = append(out, f.Rule)
		}
	}
	return out
}

// newBoards counts the boards of a report that an earlier one has not.
func newBoards(former, now *e2e.Report) int {
	known := map[*rule.Board]bool{}
	for _, b := range former.Boards {
		known[b] = true
	}
	n := 0
	for _, b := range now.Boards {
		if !known[b] {
			n++
		}
	}
	return n
}

// A longer range than was laid down needs another past, and so another session.
func TestSessionCovers(t *testing.T) {
	t.Parallel()
	dir := several(t, 1)
	s, err := stack.Load(t.Context(), dir)
	require.NoError(t, err)
	session, err := e2e.Begin(t.Context(), s, e2e.Options{Config: &config.Config{}, History: e2e.DefaultHistory})
	require.NoError(t, err)
	defer func() { require.NoError(t, session.Close()) }()
	assert.True(t, session.Covers(s, nil))
	report, err := session.Verify(t.Context(), s)
	require.NoError(t, err)
	replace(t, filepath.Join(dir, boardsDir, "triton.json"), "now-1h", "now-12h")
	longer, err := stack.Load(t.Context(), dir, stack.WithFormer(s))
	require.NoError(t, err)
	assert.False(t, session.Covers(longer, report))
}

// BenchmarkAgain is an edit of one panel, from the file to the report, in a stack of a
// hundred dashboards.
func BenchmarkAgain(b *testing.B) {
	dir := several(b, 100)
	s, err := stack.Load(b.Context(), dir)
	require.NoError(b, err)
	session, err := e2e.Begin(b.Context(), s, e2e.Options{Config: &config.Config{}, History: e2e.DefaultHistory})
	require.NoError(b, err)
	defer func() { require.NoError(b, session.Close()) }()
	report, err := session.Verify(b.Context(), s)
	require.NoError(b, err)
	file := filepath.Join(dir, boardsDir, "copy7.json")
	names := []string{"nv_inference_pending_request_count", "nv_inference_pending_request_cuont"}
	for i := 0; b.Loop(); i++ {
		replace(b, file, names[i%2], names[(i+1)%2])
		s, err := stack.Load(b.Context(), dir, stack.WithFormer(report.Stack))
		require.NoError(b, err)
		report, err = session.Again(b.Context(), s, report)
		require.NoError(b, err)
		require.Len(b, report.Boards, 100)
		session.Forget(3)
	}
}
