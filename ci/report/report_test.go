package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/e2e"
	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/e2e/query"
	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/stack"
	"github.com/panelgate/panelgate/stack/dashboard"
	"github.com/panelgate/panelgate/stack/source"
)

func said(s string) source.Text { return source.Text{Value: s} }

// failing is a run with one good and one empty query.
func failing() Result {
	panel := &dashboard.Panel{ID: said("3"), Title: said("Queue \x1b[31mDelay"), Type: said("timeseries")}
	board := &rule.Board{Board: &stack.Board{Dashboard: &dashboard.Dashboard{
		File: "boards/a.json", UID: said("a"), Title: said("A"), Panels: []*dashboard.Panel{{Type: said("row")}, panel}}}}
	question := &rule.Question{Board: board, Panel: panel, Target: &dashboard.Target{RefID: said("A"), Expr: said("rate(x[$w])")},
		Datasource: &stack.Datasource{EffectiveUID: "prometheus"}}
	finding := rule.Finding{
		Rule: "panel/no-data", Severity: rule.Error, Pos: source.Pos{File: "boards/a.json", Line: 7, Column: 9},
		Dashboard: "a", DashboardTitle: "A", Panel: panel.Title.Value, PanelID: 3, RefID: "A",
		Expr: "rate(x[$w])", ExprRun: "sum(\n  rate(x[1m])\n)", Empty: rule.Span{Start: 12, End: 17},
		Message: "no data", Reason: "metric-missing", Evidence: []string{"no metric x", "nearest names: y"}, Fix: "write y",
	}
	return Result{
		Version: "v0", StackDir: "./stack", Where: "embedded", Took: 1234 * time.Millisecond, Verdict: Fail, FailOn: rule.Error, ExitCode: 1,
		Report: &e2e.Report{
			Env: "embedded", Boards: []*rule.Board{board},
			Targets: []env.Target{{Job: "triton", Up: true}, {Job: "node", Error: "refused"}},
			Queries: []*rule.Asked{
				{Question: question, Sent: true, Status: rule.StatusOK, Series: 2, Samples: 10, Finite: 10, Duration: 1500 * time.Microsecond,
					Request: query.Request{Expr: "rate(x[1m])", Step: 15 * time.Second}},
				{Question: question, Sent: true, Status: rule.StatusFailed},
			},
			Findings: []rule.Finding{finding, {Rule: "variable/unused", Severity: rule.Info, Message: "idle"}},
		},
	}
}

func render(t *testing.T, r Result, opts TextOptions) string {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, Text(&out, NewDocument(r), opts))
	return out.String()
}

func TestText(t *testing.T) {
	want := `FAIL  A  1 panel, 2 queries (1 ok, 1 failed)

error panel/no-data  stack/boards/a.json:7:9
  at      A › Queue �[31mDelay › A
  seen    no data
  expr    rate(x[$w])
  run as  sum(
            rate(x[1m])
                 ^^^^^
          )
  why     metric-missing: no metric x
          nearest names: y
  fix     write y
`
	out := render(t, failing(), TextOptions{})
	assert.Contains(t, out, want)
	assert.Contains(t, out, "\nfail: 1 dashboard, 1 panel, 2 queries, 1 of 2 targets up, 1 error, 1 for information (-v shows them) in 1.23s\n")
	assert.NotContains(t, out, "\x1b", "no escape of a file reaches the terminal, and no colour was asked for")
	assert.Contains(t, render(t, failing(), TextOptions{Color: true}), "\x1b[31mFAIL\x1b[0m")
}

func TestTextIsQuietWhenAllIsWell(t *testing.T) {
	r := failing()
	r.Verdict, r.ExitCode = Pass, 0
	r.Findings = r.Findings[1:]
	r.Queries = r.Queries[:1]
	assert.Equal(t, "ok    A  1 panel, 1 query\n"+
		"pass: 1 dashboard, 1 panel, 1 query, 1 of 2 targets up, 1 for information (-v shows them) in 1.23s\n", render(t, r, TextOptions{}))
	assert.Contains(t, render(t, r, TextOptions{Verbose: true}), "info variable/unused")
}

func TestConsequencesAreShort(t *testing.T) {
	r := failing()
	r.Findings[0].Reason = "target-down"
	r.Findings = append([]rule.Finding{{Rule: "prometheus/target-down", Severity: rule.Error, Message: "down"}}, r.Findings...)
	out := render(t, r, TextOptions{})
	assert.Contains(t, out, "error panel/no-data  in 1 place, because of prometheus/target-down above (target-down)\n"+
		"  stack/boards/a.json:7:9  A › Queue �[31mDelay › A\n")
	assert.NotContains(t, out, "run as")
	assert.Contains(t, render(t, r, TextOptions{Verbose: true}), "run as")
}

// The names of the JSON are a contract.
func TestJSON(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, JSON(&out, NewDocument(failing())))
	var got map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(out.Bytes(), &got))
	for key, want := range map[string]string{
		"schema": `1`, "version": `"v0"`, "stack": `"./stack"`, "env": `"embedded"`, "verdict": `"fail"`, "exit_code": `1`, "duration_ms": `1234`, "fail_on": `"error"`,
	} {
		assert.JSONEq(t, want, string(got[key]), key)
	}
	var queries, findings []map[string]any
	require.NoError(t, json.Unmarshal(got["queries"], &queries))
	require.NoError(t, json.Unmarshal(got["findings"], &findings))
	require.Len(t, queries, 2)
	for key, want := range map[string]any{
		"dashboard": "a", "dashboard_title": "A", "panel_id": 3.0, "ref_id": "A", "datasource": "prometheus", "expr": "rate(x[$w])",
		"expr_run": "rate(x[1m])", "status": "ok", "series": 2.0, "samples": 10.0, "duration_ms": 1.5,
	} {
		assert.Equal(t, want, queries[0][key], key)
	}
	for key, want := range map[string]any{
		"rule": "panel/no-data", "severity": "error", "file": "stack/boards/a.json", "line": 7.0, "column": 9.0, "dashboard": "a",
		"panel_id": 3.0, "ref_id": "A", "message": "no data", "reason": "metric-missing",
		"evidence": []any{"no metric x", "nearest names: y"}, "fix": "write y",
	} {
		assert.Equal(t, want, findings[0][key], key)
	}
}

func TestJSONOfARunThatCouldNotBe(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, JSON(&out, NewDocument(Result{Verdict: Failed, ExitCode: 3, Err: errors.New("no disk")})))
	for _, want := range []string{`"verdict": "error"`, `"exit_code": 3`, `"error": "no disk"`, `"queries": []`, `"findings": []`} {
		assert.Contains(t, out.String(), want)
	}
}

// What another process has written is read as it was.
func TestReadBack(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, JSON(&out, NewDocument(failing())))
	got, err := Read(&out)
	require.NoError(t, err)
	want := NewDocument(failing())
	want.Drawings = nil // the event stream has them
	assert.Equal(t, want, got)
}

func TestReadRefuses(t *testing.T) {
	for text, want := range map[string]string{
		``:                              "read the JSON report: unexpected end of JSON input",
		`{"schema": 2}`:                 "it is of schema 2, and this version knows schema 1",
		`{"schema": 1}`:                 `unknown verdict ""`,
		`{"schema": 1, "verdict": "x"}`: `unknown verdict "x"`,
		`{"schema": 1} {}`:              "invalid character",
	} {
		_, err := Read(strings.NewReader(text))
		assert.ErrorContains(t, err, want, text)
	}
}

func TestProgressIsSilentWithoutATerminal(t *testing.T) {
	var out bytes.Buffer
	p := NewProgress(&out)
	p.Show("asking", 1, 2)
	p.Clear()
	assert.Empty(t, out.String())
}

func TestPlural(t *testing.T) {
	assert.Equal(t, "1 query, 2 queries, 0 panels", strings.Join([]string{plural(1, "query"), plural(2, "query"), plural(0, "panel")}, ", "))
}

func TestTextStopsWhereNobodyReadsOn(t *testing.T) {
	r := failing()
	for range 80 {
		r.Findings = append([]rule.Finding{r.Findings[0]}, r.Findings...)
	}
	out := render(t, r, TextOptions{})
	assert.Equal(t, 50, strings.Count(out, "error panel/no-data"))
	assert.Contains(t, out, "… and 31 findings more: -v or --json tells all\n")
	assert.Equal(t, 81, strings.Count(render(t, r, TextOptions{Verbose: true}), "error panel/no-data"))
	for i := range r.Findings {
		r.Findings[i].Reason = "target-down"
	}
	r.Findings = append(r.Findings, rule.Finding{Rule: "prometheus/target-down", Severity: rule.Error})
	assert.Contains(t, render(t, r, TextOptions{}), "  … and 31 more\n")
}

func TestExcludedFindingsAreToldAndNotCounted(t *testing.T) {
	r := failing()
	r.Excluded = []rule.Excluded{{Finding: r.Findings[0], By: rule.Exclusion{Why: "known since June", Pos: source.Pos{File: "panelgate.yml", Line: 3, Column: 5}}}}
	r.Findings, r.Verdict = nil, Pass
	out := render(t, r, TextOptions{})
	assert.Contains(t, out, ", 1 excluded (-v says why) in 1.23s")
	assert.NotContains(t, out, "known since June")
	out = render(t, r, TextOptions{Verbose: true})
	assert.Contains(t, out, "excluded panel/no-data  stack/boards/a.json:7:9")
	assert.Contains(t, out, "by      stack/panelgate.yml:3:5: known since June")

	doc := NewDocument(r)
	assert.Equal(t, 1, doc.Counts.Suppressed)
	assert.Zero(t, doc.Counts.Errors)
	require.Len(t, doc.Suppressed, 1)
	assert.Equal(t, "panel/no-data", doc.Suppressed[0].Rule)
	assert.Equal(t, "known since June", doc.Suppressed[0].Why)
	assert.Equal(t, "stack/panelgate.yml:3:5", doc.Suppressed[0].By)
}
