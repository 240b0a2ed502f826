package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/e2e/drift"
)

func drifted() DriftResult {
	removed := drift.Break{Rule: "promql/metric-removed", Severity: "error", Line: 7, RefID: "A", Message: "Triton 23.04 has no nv_x yet, which came with 23.09", Fix: "run Triton 23.09 or newer"}
	empty := drift.Break{Rule: "panel/no-data", Severity: "error", Line: 7, RefID: "A", Message: "no data", Why: "no series of nv_x"}
	return DriftResult{
		StackDir: "./stack", Verdict: Fail, ExitCode: 1, Took: 1500 * time.Millisecond,
		Result: &drift.Result{Runs: 3, Exporters: []drift.Exporter{
			{Name: "triton", Own: []string{"26.06"},
				Versions: []drift.Version{{Name: "22.02", Breaks: 1}, {Name: "23.04", Like: "22.02", Breaks: 1}, {Name: "26.06", Own: true}, {Name: "99.01", Err: "it could not be run"}},
				Panels: []drift.Panel{
					{File: "boards/a.json", Dashboard: "a", DashboardTitle: "A|B", Panel: "Pending", PanelID: 3, Spans: []drift.Span{
						{First: "22.02", Last: "22.02", State: drift.Broken, Breaks: []drift.Break{empty}},
						{First: "23.04", Last: "23.04", State: drift.Broken, Breaks: []drift.Break{empty, removed}, Until: "26.06"},
						{First: "26.06", Last: "26.06", Open: true, State: drift.OK, Since: "26.06"},
					}},
					{File: "boards/a.json", Dashboard: "a", DashboardTitle: "A|B", Panel: "Gone", Spans: []drift.Span{{First: "22.02", Last: "26.06", Open: true, State: drift.Already, Breaks: []drift.Break{empty}}}},
				}},
			{Name: "node", Own: []string{"1.12.1"}, Versions: []drift.Version{{Name: "1.12.1", Own: true}}},
		}},
	}
}

func TestDriftText(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, Drift(&out, drifted(), TextOptions{Verbose: true}))
	assert.Equal(t, `Triton  the stack has 26.06; tried 4 releases from 22.02 to 99.01
  23.04 does to this stack what 22.02 does: proven once
  not proven 99.01: it could not be run
  Pending  22.02–23.04 broken, 26.06 ok
  Gone     22.02– broken, as with the stack's own

A|B › Pending
  22.02  panel/no-data  stack/boards/a.json:7 A
    seen    no data: no series of nv_x
  23.04  promql/metric-removed  stack/boards/a.json:7 A
    seen    Triton 23.04 has no nv_x yet, which came with 23.09
    instead run Triton 23.09 or newer

A|B › Gone
  22.02–  panel/no-data  stack/boards/a.json:7 A
    seen    no data: no series of nv_x

node_exporter  the stack has 1.12.1; tried 1.12.1
  ok with each of them

fail: Triton breaks 1 panel, 1 are broken with the stack's own; node_exporter breaks 0 panels; 5 releases in 3 runs, 1.5s
`, out.String())
}

func TestDriftMarkdown(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, DriftMarkdown(&out, drifted()))
	assert.Contains(t, out.String(), "#### Triton")
	assert.Contains(t, out.String(), "| Pending | 22.02–23.04 broken, 26.06 ok | 22.02: no data: no series of nv")
	assert.Contains(t, out.String(), "run Triton 23.09 or newer |")
	assert.Contains(t, out.String(), "Every panel is ok with each of them.")
	out.Reset()
	require.NoError(t, DriftMarkdown(&out, DriftResult{Verdict: Failed, Err: errors.New("no stack")}))
	assert.Contains(t, out.String(), "could not run\n\nno stack")
}

func TestDriftJSON(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, DriftJSON(&out, drifted()))
	var d DriftDocument
	require.NoError(t, json.Unmarshal(out.Bytes(), &d))
	assert.Equal(t, Schema, d.Schema)
	assert.Equal(t, Fail, d.Verdict)
	require.Len(t, d.Exporters, 2)
	assert.Equal(t, DriftRelease{Release: "23.04", Like: "22.02", Breaks: 1}, d.Exporters[0].Releases[1])
	assert.Equal(t, "stack/boards/a.json", d.Exporters[0].Panels[0].File)
	assert.Equal(t, "26.06", d.Exporters[0].Panels[0].Spans[1].Until)
	assert.Equal(t, "run Triton 23.09 or newer", d.Exporters[0].Panels[0].Spans[1].Breaks[1].Fix)
	assert.NotNil(t, d.Exporters[1].Panels)
	out.Reset()
	require.NoError(t, DriftJSON(&out, DriftResult{Verdict: Failed, ExitCode: 3, Err: errors.New("no stack")}))
	assert.Contains(t, out.String(), `"error": "no stack"`)
}
