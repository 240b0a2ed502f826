package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/e2e/matrix"
	"github.com/panelgate/panelgate/e2e/rule"
)

// tried is a matrix of two axes: what failing() tells breaks with Grafana 13, one
// cell could not be run.
func tried(t *testing.T) MatrixResult {
	t.Helper()
	p := &matrix.Plan{}
	for _, a := range [][]string{{matrix.Grafana, "12.4.5", "13.2.3"}, {matrix.Prometheus, "v2.53.5", "v3.15.0"}, {matrix.Triton, "26.06"}} {
		axis := matrix.Axis{Name: a[0]}
		for _, v := range a[1:] {
			axis.Values = append(axis.Values, matrix.Value{Name: v, Image: a[0] + ":" + v})
		}
		p.Set(axis)
	}
	cells, err := p.Cells()
	require.NoError(t, err)
	good := failing()
	good.Verdict, good.ExitCode, good.Findings, good.Queries = Pass, 0, nil, good.Queries[:1]
	documents := []*Document{
		NewDocument(good), NewDocument(Result{Verdict: Failed, ExitCode: 3, Err: errors.New("pull image x:\nno\x1b such host")}),
		NewDocument(failing()), NewDocument(failing()),
	}
	out := MatrixResult{Plan: p, Documents: documents, Version: "v0", StackDir: "./stack", Where: "docker", Took: 5 * time.Second, Verdict: Failed, ExitCode: 3}
	for i, c := range cells {
		out.Results = append(out.Results, matrix.Result{Cell: c, Outcome: Outcome(documents[i], rule.Error), Took: time.Second})
	}
	return out
}

func draw(t *testing.T, m MatrixResult, opts TextOptions) string {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, Matrix(&out, m, opts))
	return out.String()
}

func TestMatrix(t *testing.T) {
	m := tried(t)
	assert.Equal(t, `         prometheus
grafana  v2.53.5  v3.15.0
12.4.5   ok       error
13.2.3   FAIL 1   FAIL 1

since grafana 13.2.3 (1 cell could not tell)
  error panel/no-data  A › Queue �[31mDelay › A (metric-missing)

could not be run: grafana 12.4.5, prometheus v3.15.0
  pull image x:
  no� such host

error: 4 cells, 1 ok, 2 failed, 1 could not be run in 5s
-v shows each finding in full; what a rule means: go run ./ci explain RULE
`, draw(t, m, TextOptions{}))
	assert.Contains(t, draw(t, m, TextOptions{Color: true}), "\x1b[31mFAIL 1\x1b[0m")
	verbose := draw(t, m, TextOptions{Verbose: true})
	assert.Contains(t, verbose, "\n— grafana 13.2.3, prometheus v2.53.5 —\n\nerror panel/no-data  stack/boards/a.json:7:9\n")
	assert.Contains(t, verbose, "  why     metric-missing: no metric x\n")
}

func TestMatrixSaysWhatWasNotRun(t *testing.T) {
	m := tried(t)
	m.Results, m.Documents, m.Shard = m.Results[:1], m.Documents[:1], "1/4"
	m.Verdict, m.ExitCode = Pass, 0
	assert.Equal(t, `1 of 4 combinations (shard 1/4: where things break is told from its cells alone)

         prometheus
grafana  v2.53.5  v3.15.0
12.4.5   ok       ·
13.2.3   ·        ·

pass: 1 cell, 1 ok in 5s
`, draw(t, m, TextOptions{}))
	m.Plan.Combine = matrix.Pairwise
	assert.Contains(t, draw(t, m, TextOptions{}), "pairwise: any two versions meet, what takes three may be missed")
}

func TestMatrixOfOneAxisIsAList(t *testing.T) {
	p := &matrix.Plan{Axes: []matrix.Axis{{Name: matrix.Grafana, Values: []matrix.Value{{Name: "12", Image: "g:12"}, {Name: "13.2.3", Image: "g:13"}}}}}
	cells, err := p.Cells()
	require.NoError(t, err)
	m := MatrixResult{Plan: p, Documents: make([]*Document, 2), Verdict: Fail, ExitCode: 1, Results: []matrix.Result{
		{Cell: cells[0], Outcome: matrix.Outcome{Verdict: matrix.Pass}},
		{Cell: cells[1], Outcome: matrix.Outcome{Verdict: matrix.Fail, Broken: []matrix.Break{
			{Rule: "stack/server-failed", Severity: "error", File: "c.yml", Line: 3, Column: 1, Message: "it ended\nlog line"}}}},
	}}
	assert.Contains(t, draw(t, m, TextOptions{}), `grafana
12      ok
13.2.3  FAIL 1

since grafana 13.2.3
  error stack/server-failed  c.yml:3:1
        it ended …
`)
	m.Results[1].Outcome.Broken[0] = matrix.Break{Rule: "panel/query-error", Severity: "error", DashboardTitle: "D", Panel: "P", RefID: "A", Message: "parse error"}
	assert.Contains(t, draw(t, m, TextOptions{}), "  error panel/query-error  D › P › A\n        parse error\n")
	m.Results = m.Results[1:]
	m.Results[0].Outcome.Broken = nil
	assert.Contains(t, draw(t, m, TextOptions{}), "13.2.3  FAIL, nothing was asked\n")
}

func TestOutcome(t *testing.T) {
	d := NewDocument(failing())
	o := Outcome(d, rule.Error)
	assert.Equal(t, matrix.Outcome{Verdict: matrix.Fail, Broken: []matrix.Break{{
		Rule: "panel/no-data", Severity: "error", File: "stack/boards/a.json", Line: 7, Column: 9, Dashboard: "a", DashboardTitle: "A",
		Panel: "Queue \x1b[31mDelay", PanelID: 3, RefID: "A", Message: "no data", Reason: "metric-missing",
	}}}, o)
	assert.Len(t, Outcome(d, rule.Info).Broken, 2)
	d.Queries = slices.DeleteFunc(d.Queries, func(q Query) bool { return q.Status == rule.StatusOK })
	assert.True(t, Outcome(d, rule.Error).Blind, "where nothing was answered a panel that is not told of need not be well")
}

// The names of the JSON are a contract.
func TestMatrixJSON(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, MatrixJSON(&out, tried(t)))
	var got map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(out.Bytes(), &got))
	for key, want := range map[string]string{
		"schema": `1`, "version": `"v0"`, "stack": `"./stack"`, "env": `"docker"`, "verdict": `"error"`, "exit_code": `3`, "duration_ms": `5000`,
		"combinations": `4`, "combine": `"all"`,
		"axes": `[{"name": "grafana", "values": [{"name": "12.4.5", "image": "grafana:12.4.5"}, {"name": "13.2.3", "image": "grafana:13.2.3"}]},
			{"name": "prometheus", "values": [{"name": "v2.53.5", "image": "prometheus:v2.53.5"}, {"name": "v3.15.0", "image": "prometheus:v3.15.0"}]},
			{"name": "triton", "values": [{"name": "26.06", "image": "triton:26.06"}]}]`,
		"broken": `[{"rule": "panel/no-data", "severity": "error", "file": "stack/boards/a.json", "line": 7, "column": 9, "dashboard": "a",
			"dashboard_title": "A", "panel": "Queue \u001b[31mDelay", "panel_id": 3, "ref_id": "A", "message": "no data", "reasons": ["metric-missing"],
			"where": "since grafana 13.2.3", "untold": 1, "cells": [{"grafana": "13.2.3", "prometheus": "v2.53.5", "triton": "26.06"},
			{"grafana": "13.2.3", "prometheus": "v3.15.0", "triton": "26.06"}]}]`,
	} {
		assert.JSONEq(t, want, string(got[key]), key)
	}
	var cells []map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(got["cells"], &cells))
	require.Len(t, cells, 4)
	for key, want := range map[string]string{
		"values": `{"grafana": "12.4.5", "prometheus": "v3.15.0", "triton": "26.06"}`, "verdict": `"error"`, "exit_code": `3`,
		"error": `"pull image x:\nno\u001b such host"`, "duration_ms": `1000`,
	} {
		assert.JSONEq(t, want, string(cells[1][key]), key)
	}
	inner, err := Read(bytes.NewReader(cells[2]["report"]))
	require.NoError(t, err, "a cell's report is an ordinary one")
	assert.Equal(t, Fail, inner.Verdict)
}

func TestMatrixJSONOfWhatWasNeverBegun(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, MatrixJSON(&out, MatrixResult{Verdict: Failed, ExitCode: 2, Err: errors.New("no such file")}))
	for _, want := range []string{`"verdict": "error"`, `"exit_code": 2`, `"error": "no such file"`, `"axes": []`, `"cells": []`, `"broken": []`} {
		assert.Contains(t, out.String(), want)
	}
}
