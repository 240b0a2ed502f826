package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const boards = "grafana/provisioning/dashboards/boards/"

// mostMemory is what the command may take of it, whatever it is given.
const mostMemory = 800 << 20

// TestHostileInput gives the command what is huge, deep, endless or made to explode, one
// at a time beside the shipped dashboard, which is proven all the same. The command ends
// by itself, says what is wrong and where, and takes no more memory than it may.
func TestHostileInput(t *testing.T) {
	if testing.Short() {
		t.Skip("memory is not measured under the race detector, which runs with -short")
	}
	list := func(n int, item string) string { return strings.TrimSuffix(strings.Repeat(item+",", n), ",") }
	const question = `{"id":1,"type":"stat","title":"P","targets":[{"refId":"A","expr":%s}]}`
	expr := func(text string) string {
		quoted, err := json.Marshal(text)
		require.NoError(t, err)
		return fmt.Sprintf(`{"uid":"h","title":"Hostile","panels":[`+question+`]}`, quoted)
	}
	many := func(name, value string) string {
		return fmt.Sprintf(`{"name":%q,"type":"custom","multi":true,"includeAll":true,"current":{"value":["$__all"]},"query":%q}`, name, value)
	}
	numbers := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "%d,", i)
		}
		return strings.TrimSuffix(b.String(), ",")
	}
	for name, tc := range map[string]struct {
		check bool   // run the stack too
		file  string // in the stack; a dashboard unless told otherwise
		text  string
		want  []string
	}{
		"100 MB":              {text: "{" + strings.Repeat(" ", 100<<20) + "}", want: []string{"dashboard/invalid", "h.json", "the limit is 33554432"}},
		"many small values":   {text: `{"title":"H","panels":[` + list(1_900_000, "{}") + `]}`, want: []string{"dashboard/invalid", "h.json:1:", "more than 20000 panels"}},
		"many wrong values":   {text: `{"title":"H","panels":[` + list(1_900_000, "1") + `]}`, want: []string{"dashboard/invalid", "h.json:1:", "panel 1 of panels is a number"}},
		"a million panels":    {text: `{"title":"H","panels":[` + list(1_000_000, `{"id":1}`) + `]}`, want: []string{"dashboard/invalid", "more than 2000000 values"}},
		"a million targets":   {text: `{"title":"H","panels":[{"targets":[` + list(500_000, `{"expr":"up"}`) + `]}]}`, want: []string{"dashboard/invalid", "h.json:1:", "more than 20000 targets"}},
		"a million variables": {text: `{"title":"H","templating":{"list":[` + list(500_000, `{"name":"v"}`) + `]}}`, want: []string{"dashboard/invalid", "h.json:1:", "more than 1000 variables"}},
		"deep":                {text: strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000), want: []string{"dashboard/invalid", "h.json:1:202", "nested deeper than 200"}},
		"deep objects":        {text: strings.Repeat(`{"panels":`, 10_000) + "1" + strings.Repeat("}", 10_000), want: []string{"dashboard/invalid", "h.json:1:", "nested deeper than 200"}},
		"numbers": {text: `{"title":"H","schemaVersion":1e999999,"panels":[{"id":` + strings.Repeat("9", 400) + `,"gridPos":{"x":1e400,"h":-1e999},"maxDataPoints":1e300}]}`,
			want: []string{"dashboard/invalid", "h.json:1:", "schemaVersion is no number that can be used"}},
		"copies": {check: true, want: []string{"panel/query-error", "h.json:1:", "the panel is repeated for $a, which makes 2000 copies of it"},
			text: `{"title":"H","panels":[{"id":2,"type":"row","collapsed":true,"repeat":"a","panels":[{"id":1,"type":"stat","repeat":"b","targets":[{"expr":"up"}]}]}],"templating":{"list":[` + many("a", numbers(2000)) + "," + many("b", numbers(2000)) + `]}}`},
		"parentheses":          {check: true, text: expr(strings.Repeat("(", 100_000) + "up" + strings.Repeat(")", 100_000)), want: []string{"h.json:1:", "nests deeper than"}},
		"a long chain":         {check: true, text: expr("up" + strings.Repeat("+up", 50_000)), want: []string{"h.json:1:", "more than 500 operators"}},
		"a regex":              {check: true, text: expr(`up{job=~"((a{1000}){1000})"}`), want: []string{"h.json:1:", "invalid repeat count"}},
		"a subquery":           {check: true, text: expr(`max_over_time(up[10y:1ms])`), want: []string{"h.json:1:", "steps, the limit is 5000000"}},
		"subqueries in others": {check: true, text: expr(`max_over_time(max_over_time(max_over_time(up[1d:1s])[1d:1s])[1d:1s])`), want: []string{"h.json:1:", "steps, which are read at each of the"}},
		"a rule": {file: "prometheus/rules/h.yml", text: "groups:\n- name: a\n  rules:\n  - record: b\n    expr: up" + strings.Repeat("+up", 50_000) + "\n",
			want: []string{"prometheus/config-invalid", "h.yml:5:11", "more than 500 operators"}},
		"a hundred thousand rules": {file: "prometheus/rules/h.yml", want: []string{"prometheus/config-invalid", "h.yml:200004:"},
			text: "groups:\n- name: a\n  rules:\n" + strings.Repeat("  - record: job:up:sum\n    expr: sum(up)\n", 100_000) + "  - {record: a, expr: 'sum('}\n"},
		"a bomb": {file: "prometheus/rules/h.yml", want: []string{"prometheus/config-invalid", "h.yml:", "more than 2000000 values once aliases are resolved"},
			text: "a: &a [1,1,1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e,*e]\ng: [*f,*f,*f,*f,*f,*f,*f,*f,*f,*f]\n"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			stackDir := filepath.Join(dir, "stack")
			require.NoError(t, copyStack(filepath.Join("..", "stack"), stackDir))
			if tc.file != "" {
				appendTo(t, filepath.Join(stackDir, "prometheus", "prometheus.yml"), "\nrule_files: [rules/*.yml]\n")
			} else {
				tc.file = boards + "h.json"
			}
			file := filepath.Join(stackDir, filepath.FromSlash(tc.file))
			require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
			require.NoError(t, os.WriteFile(file, []byte(tc.text), 0o600))
			command := "lint"
			if tc.check {
				command = "check"
			}
			out, code, memory := gated(t, dir, command, "--stack", "stack")
			for _, want := range tc.want {
				assert.Contains(t, out, want)
			}
			assert.Contains(t, out, "Triton Inference Server  16 panels", "the healthy one is checked")
			assert.Equal(t, exitFindings, code, "%.2000s", out)
			assert.Less(t, memory, int64(mostMemory), "bytes of memory")
			assert.Less(t, len(out), 1<<20, "bytes of output")
		})
	}
}

func appendTo(t *testing.T, file, text string) {
	t.Helper()
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, append(data, text...), 0o600))
}

// gated runs the command as a process of its own, and says how much memory it has taken
// at the most, in bytes.
func gated(t *testing.T, dir string, args ...string) (out string, code int, memory int64) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "panelgate", args...) // this very program: see TestMain
	cmd.Dir = dir
	var both bytes.Buffer
	cmd.Stdout, cmd.Stderr = &both, &both
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil {
		require.ErrorAs(t, err, &exit)
	}
	usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	require.True(t, ok)
	return both.String(), cmd.ProcessState.ExitCode(), usage.Maxrss << 10 // it counts in KiB
}

// TestHostileNames gives files, folders, flags and environments names that steer a
// terminal: errors, diffs and reports show them, and send nothing of it.
func TestHostileNames(t *testing.T) {
	const evil = "a\x1b[2J\x1b]0;x\a\u009b31m\u202e\u200b\nb"
	dir := t.TempDir()
	stackDir := filepath.Join(dir, "stack")
	require.NoError(t, copyStack(filepath.Join("..", "stack"), stackDir))
	shipped, err := os.ReadFile(filepath.Join(stackDir, filepath.FromSlash(boards), "triton.json"))
	require.NoError(t, err)
	uid := bytes.Replace(shipped, []byte(`"uid": "triton"`), []byte(`"uid": "other"`), 1)
	require.NotEqual(t, shipped, uid)
	// A datasource that fix mends, in a file whose name it says.
	uid = bytes.ReplaceAll(uid, []byte(`"uid": "prometheus"`), []byte(`"uid": "prometheu"`))
	require.NoError(t, os.WriteFile(filepath.Join(stackDir, filepath.FromSlash(boards), evil+".json"), uid, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(stackDir, filepath.FromSlash(boards), "\xff\xfe"+evil+"broken.json"), []byte("{"), 0o600))
	for name, args := range map[string][]string{
		"lint":                  {"lint", "--stack", "stack", "-v"},
		"fix":                   {"fix", "--stack", "stack"},
		"no such stack":         {"lint", "--stack", evil},
		"no such config":        {"lint", "--stack", "stack", "--config", evil},
		"no such flag":          {"lint", "--" + evil},
		"no such command":       {evil},
		"no such rule":          {"explain", evil},
		"no such severity":      {"lint", "--fail-on", evil},
		"no such service":       {"lint", "--stack", "stack", "--service", "prometheus=" + evil},
		"no such scenario":      {"check", "--stack", "stack", "--scenario", evil},
		"no such matrix":        {"check", "--stack", "stack", "--matrix", evil},
		"no such exporter":      {"drift", "--stack", "stack", "--exporter", evil + "=1"},
		"no such release":       {"drift", "--stack", "stack", "--exporter", "triton=" + evil},
		"no such operator":      {"selftest", "--stack", "stack", "--operator", evil},
		"no such revision":      {"lint", "--stack", "stack", "--since", evil},
		"no such dashboard":     {"lint", "--stack", "stack", "--dashboard", "[" + evil},
		"nobody to record from": {"record", "--from", "http://127.0.0.1:1/" + evil, "-o", filepath.Join(dir, "x.rec")},
		"nothing to hold to":    {"verify-fake", "--against", evil},
	} {
		t.Run(name, func(t *testing.T) {
			out, code, _ := gated(t, dir, args...)
			if name != "fix" {
				assert.NotEqual(t, exitClean, code)
			}
			for i, c := range out {
				if c != '\n' && c != '\t' && (unicode.IsControl(c) || unicode.Is(unicode.Cf, c)) {
					t.Fatalf("%U after %q", c, out[max(i-80, 0):i])
				}
			}
			assert.NotContains(t, out, "\xff")
		})
	}
}
