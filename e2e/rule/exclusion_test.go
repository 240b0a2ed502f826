package rule

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/stack/source"
)

func excludes(rule, board, panel string) Exclusion {
	e := Exclusion{Rules: []string{rule}, Why: "a reason", Pos: entry("", 5).Pos}
	if board != "" {
		e.Dashboard = entry(board, 1)
	}
	if panel != "" {
		e.Panel = entry(panel, 2)
	}
	return e
}

const tooShort = `rate(nv_inference_count[20s])`

// reviewed runs the files' rules and takes out what is excluded.
func (f *fixture) reviewed(edit func(*Review)) (*Review, []Finding) {
	f.t.Helper()
	r := &Review{Static: f.static()}
	if edit != nil {
		edit(r)
	}
	return r, CheckReview(r, CheckStatic(r.Static, r.Over))
}

func rulesOf(found []Finding) []string {
	var out []string
	for _, f := range found {
		out = append(out, f.Rule)
	}
	return out
}

func TestExclusions(t *testing.T) {
	const rateWindow = "promql/rate-window"
	board := boardWith("", panelWith(1, "a", tooShort, "up")+","+panelWith(2, "b", "up", tooShort))
	with := func(edit func(*Exclusion)) Exclusion {
		e := excludes(rateWindow, "small", "a")
		edit(&e)
		return e
	}
	for _, c := range []struct {
		name  string
		by    []Exclusion
		left  []string
		out   int
		unfit string // what is said of an exclusion that is not needed
		pos   int
	}{
		{name: "none", left: []string{rateWindow, rateWindow}},
		{name: "a panel", by: []Exclusion{excludes(rateWindow, "small", "a")}, left: []string{rateWindow}, out: 1},
		{name: "by title, the whole dashboard", by: []Exclusion{excludes(rateWindow, "Small", "")}, out: 2},
		{name: "a file", by: []Exclusion{with(func(e *Exclusion) { e.Dashboard, e.Panel, e.File = source.Text{}, source.Text{}, entry(boardFile, 3) })}, out: 2},
		{name: "a query", by: []Exclusion{with(func(e *Exclusion) { e.RefID = entry("A", 3) })}, left: []string{rateWindow}, out: 1},
		{name: "another query", by: []Exclusion{with(func(e *Exclusion) { e.RefID = entry("B", 3) })},
			left: []string{rateWindow, rateWindow, "gate/exclusion-unused"}, unfit: "promql/rate-window has found nothing there", pos: 5},
		{name: "two that fit the same", by: []Exclusion{excludes(rateWindow, "small", "a"), excludes(rateWindow, "small", "")}, out: 2},
		{name: "another rule", by: []Exclusion{excludes("panel/syntax", "small", "a")},
			left: []string{rateWindow, rateWindow, "gate/exclusion-unused"}, unfit: "panel/syntax has found nothing", pos: 5},
		{name: "a rule that was not run", by: []Exclusion{excludes("panel/no-data", "small", "a")}, left: []string{rateWindow, rateWindow}},
		{name: "no such panel", by: []Exclusion{excludes(rateWindow, "small", "c")},
			left: []string{rateWindow, rateWindow, "gate/exclusion-unused"}, unfit: `speaks of panel "c", which is not there`, pos: 2},
		{name: "no such dashboard", by: []Exclusion{excludes(rateWindow, "other", "c")},
			left: []string{rateWindow, rateWindow, "gate/exclusion-unused"}, unfit: `speaks of dashboard "other"`, pos: 1},
		{name: "past its until", by: []Exclusion{with(func(e *Exclusion) { e.Until = time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC) })},
			left: []string{rateWindow, rateWindow, "gate/exclusion-unused"}, unfit: "held until 2026-09-30", pos: 5},
		{name: "of another linter, and not needed", by: []Exclusion{with(func(e *Exclusion) { e.Foreign, e.Folder, e.Panel = true, ".", entry("c", 2) })}, left: []string{rateWindow, rateWindow}},
		{name: "of another linter, beside the dashboards", by: []Exclusion{with(func(e *Exclusion) { e.Foreign, e.Folder = true, "grafana/provisioning/dashboards/boards" })}, left: []string{rateWindow}, out: 1},
		{name: "of another linter, elsewhere", by: []Exclusion{with(func(e *Exclusion) { e.Foreign, e.Folder = true, "boards" })}, left: []string{rateWindow, rateWindow}},
		{name: "by place", by: []Exclusion{with(func(e *Exclusion) { e.Target = entry("0", 3) })}, left: []string{rateWindow}, out: 1},
		{name: "by another place", by: []Exclusion{with(func(e *Exclusion) { e.Foreign, e.Folder, e.Target = true, ".", entry("1", 3) })}, left: []string{rateWindow, rateWindow}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, found := shipped(t).write(boardFile, board).reviewed(func(r *Review) { r.Exclusions = c.by })
			var left []string
			for _, f := range found {
				if f.Severity > Info {
					left = append(left, f.Rule)
				}
				if f.Rule == "gate/exclusion-unused" {
					assert.Contains(t, f.Message, c.unfit)
					assert.Equal(t, c.pos, f.Pos.Column)
				}
			}
			assert.Equal(t, c.left, left)
			require.Len(t, r.Excluded, c.out)
			for _, x := range r.Excluded {
				assert.Equal(t, "a reason", x.By.Why)
			}
		})
	}
}

func TestExclusionThatLowers(t *testing.T) {
	r, found := shipped(t).write(boardFile, boardWith("", panelWith(1, "a", tooShort))).reviewed(func(r *Review) {
		e := excludes("promql/rate-window", "small", "a")
		e.Lowers, e.Foreign, e.Folder = true, true, "."
		r.Exclusions = []Exclusion{e}
	})
	assert.Empty(t, r.Excluded)
	require.NotEmpty(t, found)
	assert.Equal(t, Warning, found[0].Severity)
	assert.Contains(t, found[0].Evidence, "lowered to a warning by panelgate.yml:4:5: a reason")
}

func TestExclusionOfADashboardThatIsNotChecked(t *testing.T) {
	_, found := shipped(t).write(boardFile, boardWith("", panelWith(1, "a", "up"))).reviewed(func(r *Review) {
		r.Exclusions, r.Boards = []Exclusion{excludes("promql/rate-window", "small", "a")}, nil
	})
	assert.NotContains(t, rulesOf(found), "gate/exclusion-unused")
}

func TestExclusionsInExpressions(t *testing.T) {
	const rateWindow = "promql/rate-window"
	for _, c := range []struct {
		name, expr string
		left       []string
		out        int
		at, says   string // of the finding about the comment
	}{
		{name: "excluded", expr: tooShort + " # panelgate:ignore promql/rate-window -- a burst is meant", out: 1},
		{name: "on a line of its own, two rules", expr: "# panelgate:ignore panel/no-data, promql/rate-window -- meant\n" + tooShort, out: 1},
		{name: "no reason", expr: tooShort + " # panelgate:ignore promql/rate-window", left: []string{rateWindow, "gate/exclusion-invalid"}, at: "# panelgate", says: "gives no reason"},
		{name: "an empty reason", expr: tooShort + " # panelgate:ignore promql/rate-window -- ", left: []string{rateWindow, "gate/exclusion-invalid"}, at: "# panelgate", says: "gives no reason"},
		{name: "no rule", expr: tooShort + " # panelgate:ignore -- because", left: []string{rateWindow, "gate/exclusion-invalid"}, at: "# panelgate", says: "names no rule"},
		{name: "an unknown rule", expr: tooShort + " # panelgate:ignore promql/rate-windw -- because", left: []string{rateWindow, "gate/exclusion-invalid"}, at: "# panelgate", says: "nearest: promql/rate-window"},
		{name: "not needed", expr: "up # panelgate:ignore promql/rate-window -- because", left: []string{"gate/exclusion-unused"}, at: "# panelgate", says: "promql/rate-window has found nothing in this query"},
		{name: "of a rule that was not run", expr: "up # panelgate:ignore panel/no-data -- because"},
		{name: "in a string", expr: `rate(nv_inference_count{a="# panelgate:ignore promql/rate-window -- no"}[20s])`, left: []string{rateWindow}},
		{name: "another comment", expr: tooShort + " # panelgate:ignored things -- no", left: []string{rateWindow}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := shipped(t).write(boardFile, boardWith("", panelWith(1, "a", c.expr)))
			r, found := f.reviewed(nil)
			var left []string
			for _, f := range found {
				if f.Severity > Info {
					left = append(left, f.Rule)
				}
			}
			assert.Equal(t, c.left, left)
			assert.Len(t, r.Excluded, c.out)
			for _, fd := range found {
				if area(fd.Rule) == "gate" {
					assert.Contains(t, fd.Message, c.says)
					assert.Contains(t, f.textAt(fd.Pos)[:20], c.at)
				}
			}
			for _, x := range r.Excluded {
				assert.Equal(t, boardFile, x.By.Pos.File)
			}
		})
	}
}
