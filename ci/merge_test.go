package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/ci/report"
)

// shared is a stack that several runs share, made of the shipped one.
type shared struct {
	name   string
	boards map[string]string // by file below the provider's directory
	files  map[string]string // further ones, as seen from beside the stack
	edits  map[string][2]string
	args   []string
	static bool // whether the files alone say enough
	of     []int
	want   report.Verdict
}

const (
	shippedBoard  = "stack/grafana/provisioning/dashboards/boards/triton.json"
	shippedScrape = "stack/prometheus/prometheus.yml"
)

// plain is a dashboard with a panel for each expression.
func plain(uid, title string, exprs ...string) string {
	type target struct {
		RefID string `json:"refId"`
		Expr  string `json:"expr"`
	}
	type panel struct {
		ID         int               `json:"id"`
		Title      string            `json:"title"`
		Type       string            `json:"type"`
		Datasource map[string]string `json:"datasource"`
		Targets    []target          `json:"targets"`
	}
	panels := []panel{}
	for i, expr := range exprs {
		panels = append(panels, panel{
			ID: i + 1, Title: fmt.Sprintf("Panel %d", i+1), Type: "timeseries",
			Datasource: map[string]string{"type": "prometheus", "uid": "prometheus"}, Targets: []target{{"A", expr}},
		})
	}
	text, err := json.MarshalIndent(map[string]any{
		"uid": uid, "title": title, "schemaVersion": 39, "time": map[string]string{"from": "now-1h", "to": "now"}, "panels": panels,
	}, "", "  ")
	if err != nil {
		panic(err) // it consists of strings
	}
	return string(text) + "\n"
}

// broken are dashboards of which most have something wrong, some with each other.
func broken() map[string]string {
	return map[string]string{
		"a.json":       plain("a", "A", "up", "sum(rate(nv_inference_count[5m]))"),
		"b.json":       plain("b", "B", "nv_no_such_metric", "rate(nv_no_such_counter[20s])", "sum(nv_inference_count"),
		"twin-1.json":  plain("twin", "Twin", "up"),
		"twin-2.json":  plain("twin", "Twin too", "up == 7"),
		"title-1.json": plain("t1", "One title", "nv_inference_request_failure > 1e9"),
		"title-2.json": plain("t2", "One title", "up"),
		"nothing.json": plain("nothing", "Nothing"),
		"no-uid.json":  plain("", "No uid", "node_load1"),
		"garbage.json": "{\n",
		"elsewhere.json": strings.ReplaceAll(plain("elsewhere", "Elsewhere", "up", "down"),
			`"uid": "prometheus"`, `"uid": "promtheus"`),
		"inline.json": plain("inline", "Inline", "up # panelgate:ignore panel/no-data -- it is full", "nv_gone # panelgate:ignore panel/no-data -- it went",
			"up # panelgate:ignore panel/no-data"),
	}
}

const expecting = `version: 1
expect:
  - {dashboard: One title, panel: Panel 1, is: empty, why: it never happens}
  - {dashboard: a, panel: Panel 2, is: empty, why: it was so once}
  - {dashboard: a, panel: Panel 9, is: data}
  - {dashboard: twin, panel: Panel 1, is: empty, why: both are}
  - {dashboard: b, panel: Panel 1, is: empty, why: it was so once, until: 2024-02-29}
exclude:
  - {rule: panel/no-data, dashboard: b, panel: Panel 1, why: it comes with the next release}
  - {rule: panel/no-data, dashboard: a, why: needless}
  - {rule: panel/no-data, dashboard: One title, why: it fits in one of two dashboards}
  - {rule: panel/syntax, dashboard: nowhere, why: it is gone}
  - {rule: promql/rate-window, dashboard: b, why: only one has it}
  - {rule: dashboard/uid-missing, dashboard: No uid, why: it is known}
  - {rule: triton/per-execution, dashboard: inline, why: it has none}
rules:
  dashboard/empty: error
`

func stacks() []shared {
	return []shared{
		{name: "the shipped one", of: []int{3}, want: report.Pass},
		{name: "the shipped one, its files", static: true, of: []int{1, 2}, want: report.Pass},
		{name: "broken dashboards", boards: broken(), of: []int{2, 5}, want: report.Fail},
		{name: "broken dashboards, their files", boards: broken(), static: true, of: []int{1, 2, 3, 7, 40}, want: report.Fail},
		{name: "expectations and exclusions", boards: broken(), files: map[string]string{"panelgate.yml": expecting}, of: []int{3, 4}, want: report.Fail},
		{
			name: "expectations and exclusions, the files", boards: broken(), files: map[string]string{"panelgate.yml": expecting}, static: true,
			args: []string{"--fail-on", "warning"}, of: []int{2, 3, 7}, want: report.Fail,
		},
		{
			name: "some are chosen", boards: broken(), args: []string{"--dashboard", "a", "--dashboard", "t?"}, of: []int{2}, want: report.Fail,
			files: map[string]string{"panelgate.yml": expecting},
		},
		{name: "none is chosen", boards: broken(), args: []string{"--dashboard", "no-such"}, of: []int{2}, want: report.Fail},
		{
			name: "nothing is asked", boards: map[string]string{"triton.json": plain("x", "X"), "y.json": plain("y", "Y")},
			of: []int{1, 2, 3}, want: report.Fail,
		},
		{
			name: "nothing is asked, and no rule says so", boards: map[string]string{"triton.json": plain("x", "X"), "y.json": plain("y", "Y")},
			files: map[string]string{"panelgate.yml": "version: 1\nrules: {gate/nothing-checked: off, dashboard/empty: off}\n"}, of: []int{2}, want: report.Fail,
		},
		{
			name: "one dashboard asks, the others do not", of: []int{3}, want: report.Pass,
			boards: map[string]string{"y.json": plain("y", "Y"), "z.json": plain("z", "Z")},
		},
		{
			name: "none can be asked", boards: broken(), edits: map[string][2]string{shippedScrape: {"scrape_configs:", "scrape_config:"}},
			of: []int{3}, want: report.Fail,
		},
		{
			name: "a target is down, and alerts are wrong", boards: broken(), of: []int{3}, want: report.Fail,
			edits: map[string][2]string{shippedScrape: {"scrape_configs:\n", "rule_files: [rules.yml]\n\nscrape_configs:\n"}},
			files: map[string]string{
				"stack/prometheus/rules.yml": `groups:
  - name: wrong
    rules:
      - {alert: MemoryFull, expr: nv_gpu_memory_used_bytes > 16000, for: 5m}
      - {alert: Failures, expr: "rate(nv_inference_request_failures[5m]) > 0"}
      - {alert: Sound, expr: up == 0}
      - {record: "a:b", expr: rate(nv_gpu_utilization[5m])}
`,
				"panelgate.yml": "version: 1\ntargets:\n  - {match: {job: triton}, fake: node}\n  - {match: {job: nobody}, fake: triton}\n",
			},
		},
	}
}

// at makes the stack in a directory of its own, which the test runs in.
func (s shared) at(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, copyStack(filepath.Join("..", "stack"), filepath.Join(dir, "stack")))
	for name, text := range s.boards {
		s.write(t, filepath.Join(dir, filepath.Dir(shippedBoard), name), text)
	}
	for name, text := range s.files {
		s.write(t, filepath.Join(dir, name), text)
	}
	for name, edit := range s.edits {
		data, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		require.Contains(t, string(data), edit[0])
		s.write(t, filepath.Join(dir, name), strings.Replace(string(data), edit[0], edit[1], 1))
	}
	t.Chdir(dir)
}

func (shared) write(t *testing.T, name, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(name, []byte(text), 0o644))
}

// proven runs the command and reads what it tells.
func proven(t *testing.T, args ...string) (*report.Document, int) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "report.json")
	var stderr bytes.Buffer
	code := run(t.Context(), append(args, "--json", file), io.Discard, &stderr)
	data, err := os.ReadFile(file)
	require.NoError(t, err, stderr.String())
	d, err := report.Read(bytes.NewReader(data))
	require.NoError(t, err)
	return d, code
}

// What all shards of a run come to is what the run comes to that has it all.
func TestMergedShardsAreTheWhole(t *testing.T) {
	without(t)
	for _, s := range stacks() {
		t.Run(s.name, func(t *testing.T) {
			s.at(t)
			args := slices.Concat([]string{"check", "--no-cache", "--history", "1h"}, s.args)
			if s.static {
				args = slices.Concat([]string{"lint"}, s.args)
			}
			whole, code := proven(t, args...)
			require.Equal(t, s.want, whole.Verdict, whole.Error)
			for _, of := range s.of {
				t.Run(fmt.Sprintf("of %d", of), func(t *testing.T) {
					var files []string
					worst, checked := 0, 0
					for i := range of {
						file := filepath.Join(t.TempDir(), fmt.Sprintf("%d.json", i+1))
						worst = max(worst, run(t.Context(), append(args, "--shard", fmt.Sprintf("%d/%d", i+1, of), "--json", file), io.Discard, io.Discard))
						files = append(files, file)
						data, err := os.ReadFile(file)
						require.NoError(t, err)
						one, err := report.Read(bytes.NewReader(data))
						require.NoError(t, err)
						checked += len(one.Dashboards)
					}
					assert.Equal(t, len(whole.Dashboards), checked, "each dashboard is in one shard")
					slices.Reverse(files) // in whatever order they come
					merged, mergedCode := proven(t, append([]string{"merge"}, files...)...)
					assert.Equal(t, code, mergedCode)
					assert.LessOrEqual(t, worst, code, "no shard is red where the whole is not")
					alike(t, comparable(whole), comparable(merged))
				})
			}
		})
	}
}

// alike holds two reports against each other, line by line of their JSON.
func alike(t *testing.T, want, got *report.Document) {
	t.Helper()
	var texts [2][]string
	for i, d := range []*report.Document{want, got} {
		var out bytes.Buffer
		require.NoError(t, report.JSON(&out, d))
		texts[i] = strings.Split(out.String(), "\n")
	}
	for i, line := range texts[0] {
		if i >= len(texts[1]) || texts[1][i] != line {
			from, to := max(i-12, 0), i+3
			t.Fatalf("the whole has\n%s\nand the shards together\n%s", strings.Join(texts[0][from:min(to, len(texts[0]))], "\n"),
				strings.Join(texts[1][from:min(to, len(texts[1]))], "\n"))
		}
	}
	require.Len(t, texts[1], len(texts[0]))
}

// comparable leaves of a report what two runs of one stack have in common.
func comparable(d *report.Document) *report.Document {
	out := *d
	digits := regexp.MustCompile(`[0-9.]+(e[+-]?[0-9]+)?`)
	out.DurationMS, out.Stages, out.Notes, out.Shard = 0, nil, nil, nil
	out.Began = out.Began.Truncate(1 << 62)
	for _, n := range d.Notes {
		if !strings.HasPrefix(n, "merged from") {
			out.Notes = append(out.Notes, n)
		}
	}
	out.Queries = slices.Clone(d.Queries)
	for i := range out.Queries {
		out.Queries[i].DurationMS, out.Queries[i].Samples = 0, 0
	}
	told := func(f report.Finding) report.Finding {
		f.Message, f.Evidence, f.Asked = digits.ReplaceAllString(f.Message, "0"), nil, 0
		return f
	}
	out.Findings, out.Suppressed = slices.Clone(d.Findings), slices.Clone(d.Suppressed)
	for i, f := range out.Findings {
		out.Findings[i] = told(f)
	}
	for i, s := range out.Suppressed {
		out.Suppressed[i].Finding = told(s.Finding)
	}
	return &out
}
