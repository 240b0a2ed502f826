package report

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/ci/drawing"
	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/e2e/shard"
)

// shards are the reports of two that share three dashboards.
func shards() []Told {
	dealt := []Dealt{{"s/a.json", 1}, {"s/b.json", 2}, {"s/c.json", 1}}
	told := make([]Told, 2)
	for i := range told {
		part := &Shard{
			Shard: shard.Shard{Number: i + 1, Of: 2}, Files: "f", Configuration: "c", Settings: map[string]string{"history": "24h"},
			Dashboards: dealt, Checked: true,
		}
		d := &Document{
			Schema: Schema, Version: "v1", Stack: "s", Env: "embedded", Verdict: Pass, FailOn: "error", DurationMS: float64(100 * (i + 1)), Shard: part,
			Targets: []Target{{Job: "j", Instance: "i", URL: "u", Up: true}},
		}
		for _, file := range part.own() {
			d.Dashboards = append(d.Dashboards, Dashboard{File: file, Panels: []Panel{{ID: 1}}})
			d.Queries = append(d.Queries, Query{DashboardFile: file, Status: rule.StatusOK})
			d.Drawings = append(d.Drawings, &drawing.Drawing{File: file})
		}
		told[i] = Told{From: fmt.Sprintf("%d.json", i+1), Document: d}
	}
	return told
}

func found(id, file string, line int, severity rule.Severity) Finding {
	return Finding{Rule: id, File: file, Line: line, Severity: severity.String(), Evidence: []string{}}
}

func TestMergeRefusesWhatIsNoWhole(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(told []Told) []Told
		want   []string
	}{
		"none":    {func([]Told) []Told { return nil }, []string{"there is no shard to merge"}},
		"missing": {func(told []Told) []Told { return told[:1] }, []string{"shard 2/2 is missing"}},
		"all but the last of many": {func(told []Told) []Told {
			told[1].Shard.Number, told[1].Shard.Of, told[0].Shard.Of = 4, 4, 4
			return told
		}, []string{"shard 2/4 is missing", "shard 3/4 is missing"}},
		"no shard":             {func(told []Told) []Told { told[1].Shard = nil; return told }, []string{"2.json tells of no shard", "--shard"}},
		"an impossible number": {func(told []Told) []Told { told[1].Shard.Number = 3; return told }, []string{"2.json tells of no shard"}},
		"another split":        {func(told []Told) []Told { told[1].Shard.Of = 3; return told }, []string{"1.json is shard 1/2 and 2.json is shard 2/3"}},
		"twice, and other": {func(told []Told) []Told {
			other := *told[0].Document
			other.DurationMS++
			return append(told, Told{"again.json", &other})
		}, []string{"shard 1/2 is there twice and differs: 1.json and again.json"}},
		"could not run": {func(told []Told) []Told {
			told[0].Verdict, told[0].Error = Failed, "no engine"
			return told
		}, []string{"shard 1/2 could not run: no engine"}},
		"could not run, and missing": {func(told []Told) []Told {
			told[1].Verdict, told[1].ExitCode = Failed, 3
			return told[1:]
		}, []string{"shard 1/2 is missing", "shard 2/2 could not run: it does not say why"}},
		"another version": {func(told []Told) []Told { told[1].Version = "v2"; return told }, []string{`versions of panelgate "v1" and "v2"`}},
		"another stack":   {func(told []Told) []Told { told[1].Stack = "t"; return told }, []string{`stacks "s" and "t"`}},
		"another place":   {func(told []Told) []Told { told[1].Env = "docker"; return told }, []string{`environments "embedded" and "docker"`}},
		"milder":          {func(told []Told) []Told { told[1].FailOn = "warning"; return told }, []string{`--fail-on "error" and "warning"`}},
		"another revision": {func(told []Told) []Told { told[1].Shard.Files = "g"; return told },
			[]string{"shards 1/2 and 2/2 are of different stacks, or of different revisions of one"}},
		"no files":       {func(told []Told) []Told { told[0].Shard.Files = ""; return told }, []string{"1.json does not say which files shard 1/2 was of"}},
		"another config": {func(told []Told) []Told { told[1].Shard.Configuration = "d"; return told }, []string{"different configurations"}},
		"other flags": {func(told []Told) []Told {
			told[1].Shard.Settings = map[string]string{"history": "1h", "dashboard": "a*"}
			return told
		}, []string{`--history "24h" and "1h"`, `--dashboard "" and "a*"`}},
		"other dashboards":   {func(told []Told) []Told { told[1].Shard.Dashboards = told[1].Shard.Dashboards[:2]; return told }, []string{"split the dashboards differently"}},
		"an idle one":        {func(told []Told) []Told { told[1].Shard.Idle = true; return told }, []string{"split the dashboards differently"}},
		"a dashboard less":   {func(told []Told) []Told { told[0].Dashboards = told[0].Dashboards[:1]; return told }, []string{"1.json does not tell of the dashboards that shard 1/2 has: 1 of them, and not 2"}},
		"a shard from where": {func(told []Told) []Told { told[0].Shard.Dashboards[1].Shard = 7; return told }, []string{"in a shard that there is not"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Merge(tt.change(shards()))
			require.Error(t, err)
			for _, want := range tt.want {
				assert.ErrorContains(t, err, want)
			}
		})
	}
}

func TestMerge(t *testing.T) {
	told := shards()
	shared := found("prometheus/target-down", "s/p.yml", 3, rule.Warning)
	seen := shared
	seen.Message = "seen by the other one with other words"
	told[0].Findings = []Finding{shared, shared, found("panel/nan", "s/a.json", 7, rule.Warning)}
	told[1].Findings = []Finding{found("panel/no-data", "s/b.json", 2, rule.Error), seen, found("panel/nan", "s/b.json", 9, rule.Warning)}
	told[1].Verdict, told[1].ExitCode = Fail, 1
	told[1].Targets[0].Up, told[1].Targets[0].Error = false, "refused"
	open := found("gate/exclusion-unused", "panelgate.yml", 4, rule.Warning)
	told[0].Shard.Open = []Finding{open, found("gate/exclusion-unused", "panelgate.yml", 5, rule.Warning)}
	told[1].Shard.Open = []Finding{open}
	told[0].Suppressed = []Suppressed{{found("promql/rate-window", "s/c.json", 1, rule.Error), "known", "panelgate.yml:5:1"}}
	told[0].Notes, told[1].Notes = []string{"both", "one"}, []string{"both"}

	d, err := Merge([]Told{told[1], told[0], told[1]})
	require.NoError(t, err)
	assert.Equal(t, Fail, d.Verdict)
	assert.Equal(t, 1, d.ExitCode)
	var rules []string
	for _, f := range d.Findings {
		rules = append(rules, f.Place().String()+" "+f.Rule)
	}
	assert.Equal(t, []string{
		"s/b.json:2 panel/no-data", "s/p.yml:3 prometheus/target-down", "s/p.yml:3 prometheus/target-down",
		"s/a.json:7 panel/nan", "s/b.json:9 panel/nan", "panelgate.yml:4 gate/exclusion-unused",
	}, rules, "what both have said is said once, or as often as one of them did; what one of them left open and the other had an answer to is not")
	assert.Equal(t, []string{"s/a.json", "s/b.json", "s/c.json"}, files(d.Dashboards))
	assert.Equal(t, "s/b.json", d.Queries[1].DashboardFile)
	assert.Equal(t, "s/b.json", d.Drawings[1].File)
	assert.Equal(t, Counts{Dashboards: 3, Panels: 3, Queries: 3, OK: 3, Targets: 1, Errors: 1, Warnings: 5, Suppressed: 1}, d.Counts)
	assert.Equal(t, "refused", d.Targets[0].Error, "a target that is down for one is down")
	assert.Equal(t, []string{"both", "one"}, d.Notes)
	assert.InDelta(t, 200, d.DurationMS, 0)
	assert.Equal(t, "known", d.Suppressed[0].Why)
	assert.Nil(t, d.Shard)
	assert.Empty(t, d.Alone())
	assert.Equal(t, "shard 2/2, 1 of 3 dashboards", told[1].Alone())

	var stream bytes.Buffer
	events := NewNDJSON(&stream)
	for e := range d.Events() {
		require.NoError(t, events.Emit(e))
	}
	again, err := ReadEvents(&stream, nil)
	require.NoError(t, err)
	assert.Equal(t, d, again, "the stream has all of it")
}

func TestMergeOfWhatCheckedNothing(t *testing.T) {
	told := shards()
	told[0].Shard.Checked = false
	d, err := Merge(told)
	require.NoError(t, err)
	assert.Equal(t, Pass, d.Verdict, "one of them has")

	nothing := found("gate/nothing-checked", "s/a.json", 0, rule.Error)
	for _, told := range told {
		told.Shard.Checked, told.Shard.Open = false, []Finding{nothing}
	}
	why := nothing
	why.Message = "none could be asked"
	told[1].Counts.Failed, told[1].Shard.Open = 3, []Finding{why}
	d, err = Merge(told)
	require.NoError(t, err)
	assert.Equal(t, Fail, d.Verdict)
	require.Len(t, d.Findings, 1)
	assert.Equal(t, "none could be asked", d.Findings[0].Message)

	for _, told := range told {
		told.Shard.Open = nil
	}
	d, err = Merge(told)
	require.NoError(t, err)
	assert.Equal(t, Fail, d.Verdict, "whatever the rules are set to")
	assert.Equal(t, 1, d.ExitCode)

	told[0].Verdict = Fail
	d, err = Merge(told)
	require.NoError(t, err)
	assert.Equal(t, Fail, d.Verdict, "whatever a shard failed for")
	told[0].Verdict = Pass

	for _, told := range told {
		told.Shard.Idle = true
	}
	d, err = Merge(told)
	require.NoError(t, err)
	assert.Equal(t, Pass, d.Verdict, "the branch touches nothing")
}
