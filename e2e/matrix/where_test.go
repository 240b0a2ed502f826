package matrix

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// versions is a plan of Grafana and Prometheus, each "a b c".
func versions(grafana, prometheus string) *Plan {
	p := &Plan{}
	for name, text := range map[string]string{Grafana: grafana, Prometheus: prometheus} {
		a := Axis{Name: name}
		for _, v := range strings.Fields(text) {
			a.Values = append(a.Values, Value{Name: v, Image: v})
		}
		p.Set(a)
	}
	return p
}

// outcomes are results of a grid: a line a Grafana, a column a Prometheus; x is
// broken, e could not run, b was blind, - was not run.
func outcomes(t *testing.T, p *Plan, grid ...string) []Result {
	t.Helper()
	cells, err := p.Cells()
	require.NoError(t, err)
	var out []Result
	for i, mark := range strings.Join(grid, "") {
		r := Result{Cell: cells[i], Outcome: Outcome{Verdict: Pass}}
		switch mark {
		case 'x':
			r.Outcome = Outcome{Verdict: Fail, Broken: []Break{{Rule: "panel/no-data", Panel: "P"}}}
		case 'e':
			r.Outcome = Outcome{Verdict: Error, Err: "no image"}
		case 'b':
			r.Outcome = Outcome{Verdict: Fail, Blind: true, Broken: []Break{{Rule: "stack/server-failed"}}}
		case '-':
			continue
		}
		out = append(out, r)
	}
	return out
}

func TestWhere(t *testing.T) {
	for _, tc := range []struct {
		name, grafana, prometheus string
		grid                      []string
		want                      string
		untold                    int
	}{
		{"everywhere", "11 12 13", "2 3", []string{"xx", "xx", "xx"}, "everywhere", 0},
		{"from a version on", "11 12 13", "2 3", []string{"..", "xx", "xx"}, "since grafana 12", 0},
		{"the newest", "11 12 13", "2 3", []string{"..", "..", "xx"}, "since grafana 13", 0},
		{"the old ones", "11 12 13", "2 3", []string{"xx", "xx", ".."}, "up to grafana 12", 0},
		{"the oldest", "11 12 13", "2 3", []string{"xx", "..", ".."}, "only with grafana 11", 0},
		{"between", "11 12 13", "2 3", []string{"..", "xx", ".."}, "only with grafana 12", 0},
		{"with a gap", "11 12 13", "2 3", []string{"xx", "..", "xx"}, "only with grafana 11 and 13", 0},
		{"no version", "plain dataplane", "2 3", []string{"..", "xx"}, "only with grafana dataplane", 0},
		{"newest first", "13 12", "2 3", []string{"..", "xx"}, "only with grafana 12", 0},
		{"as versions count", "v9.10 v10.1-dev", "2", []string{".", "x"}, "since grafana v10.1-dev", 0},
		{"both", "11 12 13", "2 3", []string{"..", "x.", "x."}, "since grafana 12, only with prometheus 2", 0},
		{"one cell", "11 12", "2.42 3.5", []string{"..", ".x"}, "since grafana 12, since prometheus 3.5", 0},
		{"either", "11 12 13", "2 3", []string{"x.", "x.", "xx"}, "since grafana 13, or with prometheus 2", 0},
		{"neither", "11 12 13", "2 3", []string{"x.", ".x", ".."}, "in 2 of 6 cells: grafana 11, prometheus 2; grafana 12, prometheus 3", 0},
		{"many", "11 12 13", "2 3 4", []string{"xx.", ".xx", "x.x"}, "in 6 of 9 cells: grafana 11, prometheus 2; grafana 11, prometheus 3; " +
			"grafana 12, prometheus 3; grafana 12, prometheus 4; and 2 more", 0},
		{"one that could not run", "11 12 13", "2 3", []string{"..", "ex", "xx"}, "since grafana 12", 1},
		{"a version that could not run", "11 12 13", "2 3", []string{"..", "ee", "xx"}, "since grafana 13", 2},
		{"blind", "11 12", "2 3", []string{"b.", "bx"}, "since grafana 12", 2},
		// Of what was not run nothing is claimed: with either alone it may be fine.
		{"not all run", "11 12", "2 3", []string{".-", "-x"}, "since grafana 12, since prometheus 3", 0},
		{"all that was run", "11 12", "2 3", []string{"--", "-x"}, "in every cell that was run", 0},
	} {
		p := versions(tc.grafana, tc.prometheus)
		got := p.Broken(outcomes(t, p, tc.grid...))
		i := slices.IndexFunc(got, func(b Broken) bool { return b.Panel == "P" })
		require.GreaterOrEqual(t, i, 0, tc.name)
		assert.Equal(t, tc.want, got[i].Where, tc.name)
		assert.Equal(t, tc.untold, got[i].Untold, tc.name)
	}
}

func TestBrokenGathersTheSameOfSeveralCells(t *testing.T) {
	p := versions("11 12", "3")
	results := outcomes(t, p, ".", ".")
	slow := Break{Rule: "panel/no-data", Dashboard: "d", Panel: "Queue", PanelID: 3, RefID: "A", Message: "no data until 10:01", Reason: "metric-missing"}
	other := slow
	other.RefID = "B"
	results[0].Outcome = Outcome{Verdict: Fail, Broken: []Break{other}}
	later := slow
	later.Message, later.Reason = "no data until 10:02", "empty-window"
	results[1].Outcome = Outcome{Verdict: Fail, Broken: []Break{slow, other, later}}
	got := p.Broken(results)
	require.Len(t, got, 2)
	assert.Equal(t, Broken{Break: other, Where: "everywhere", Cells: []int{0, 1}, Reasons: []string{"metric-missing"}}, got[0], "what is broken most stands first")
	assert.Equal(t, Broken{Break: slow, Where: "since grafana 12", Cells: []int{1}, Reasons: []string{"metric-missing", "empty-window"}}, got[1])
}
