package paneltest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/e2e"
	"github.com/panelgate/panelgate/e2e/env/attach"
	"github.com/panelgate/panelgate/e2e/paneltest"
	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

const (
	whole  = "testdata/whole"
	broken = "testdata/broken"
)

// asked names, in the environment, the case that TestInAnotherProcess runs.
const asked = "PANELTEST_CASE"

// cases are tests that end badly, and so in a process of their own.
func cases() map[string]func(t *testing.T) {
	return map[string]func(t *testing.T){
		"broken":      func(t *testing.T) { paneltest.Run(t, broken) },
		"info":        func(t *testing.T) { paneltest.Run(t, broken, paneltest.WithFailOn(rule.Info)) },
		"nothing":     func(t *testing.T) { paneltest.Run(t, whole, paneltest.WithDashboards("nothing-like-it")) },
		"no stack":    func(t *testing.T) { paneltest.Run(t, "testdata/nowhere") },
		"no config":   func(t *testing.T) { paneltest.Run(t, whole, paneltest.WithConfig("testdata/nowhere.yml")) },
		"off":         func(t *testing.T) { paneltest.Run(t, whole, paneltest.WithFailOn(rule.Off)) },
		"environment": func(t *testing.T) { paneltest.Run(t, whole, paneltest.WithEnv(attach.Name)) },
		"edited":      func(t *testing.T) { paneltest.Run(t, os.Getenv("PANELTEST_STACK")) },
		"hangs": func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				select {
				case <-r.Context().Done():
				case <-ctx.Done():
				}
			}))
			t.Cleanup(func() { cancel(); silent.Close() })
			paneltest.Run(t, whole, paneltest.WithEnv(attach.Name),
				paneltest.WithOptions(func(o *e2e.Options) { o.Attach.Prometheus = silent.URL }))
		},
	}
}

func TestInAnotherProcess(t *testing.T) {
	run := cases()[os.Getenv(asked)]
	if run == nil {
		t.Skip("it is run by the other tests, in a process of its own")
	}
	run(t)
}

// outcome is what a test process said: the results by subtest, and the output.
type outcome struct {
	exit   int
	result map[string]string // "pass", "fail" or "skip"
	output map[string]string
}

// inAnotherProcess runs a case as go test would, and reads what go test makes of it.
func inAnotherProcess(t *testing.T, name string, env []string, flags ...string) outcome {
	t.Helper()
	const test = "TestInAnotherProcess"
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"tool", "test2json", "-t", os.Args[0],
		"-test.v=test2json", "-test.run=^" + test + "$"}, flags...)...)
	cmd.Env = append(append(os.Environ(), asked+"="+name), env...)
	out, err := cmd.Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		require.NoError(t, err)
	}
	got := outcome{exit: cmd.ProcessState.ExitCode(), result: map[string]string{}, output: map[string]string{}}
	dec := json.NewDecoder(strings.NewReader(string(out)))
	for dec.More() {
		var e struct{ Action, Test, Output string }
		require.NoError(t, dec.Decode(&e), "%s", out)
		name := strings.TrimPrefix(strings.TrimPrefix(e.Test, test), "/")
		switch e.Action {
		case "output":
			got.output[name] += e.Output
		case "pass", "fail", "skip":
			if e.Test != "" {
				got.result[name] = e.Action
			}
		}
	}
	return got
}

func TestBrokenStack(t *testing.T) {
	got := inAnotherProcess(t, "broken", nil)
	assert.Equal(t, 1, got.exit)
	assert.Equal(t, map[string]string{
		"":                                               "fail",
		"stack":                                          "pass",
		"GPU_hosts":                                      "fail",
		"GPU_hosts/dashboard":                            "pass",
		"GPU_hosts/no_row":                               "pass",
		"GPU_hosts/no_row/CPU_busy":                      "pass",
		"GPU_hosts/no_row/CPU_busy/A":                    "pass",
		"GPU_hosts/no_row/Kernel_log":                    "pass",
		"GPU_hosts/no_row/Kernel_log/A":                  "skip",
		"GPU_hosts/Graphics_compute":                     "fail",
		"GPU_hosts/Graphics_compute/GPU_busy":            "fail",
		"GPU_hosts/Graphics_compute/GPU_busy/A":          "fail",
		"GPU_hosts/Graphics_compute/GPU_busy_id_5":       "fail",
		"GPU_hosts/Graphics_compute/GPU_busy_id_5/panel": "fail",
		"GPU_hosts/Graphics_compute/GPU_busy_id_5/A":     "fail",
		"GPU_hosts/Graphics_compute/Throttled":           "pass",
		"GPU_hosts/Graphics_compute/Throttled/A":         "pass",
	}, got.result)

	file, err := filepath.Abs(broken + "/grafana/provisioning/dashboards/boards/gpu-hosts.json")
	require.NoError(t, err)
	story := got.output["GPU_hosts/Graphics_compute/GPU_busy/A"]
	for _, want := range []string{
		"    " + file + ":38:52: error panel/no-data\n",
		"      at      GPU hosts › GPU busy (%) › A\n",
		"      seen    no data in the 15m to ",
		"      run as  avg by (instance) (DCGM_FI_DEV_GPU_UTILISATION)\n" +
			"                                 ^^^^^^^^^^^^^^^^^^^^^^^^^^^\n",
		"      why     metric-missing: no target exposes a metric DCGM_FI_DEV_GPU_UTILISATION\n",
		"      fix     write DCGM_FI_DEV_GPU_UTIL, if that is what is meant\n",
		"      page    https://github.com/panelgate/panelgate/blob/main/docs/rules/panel/no-data.md\n",
	} {
		assert.Contains(t, story, want)
	}
	assert.Contains(t, got.output["GPU_hosts/Graphics_compute/GPU_busy_id_5/panel"], ":46:51: error datasource/uid-unknown\n")
	assert.Contains(t, got.output["GPU_hosts/Graphics_compute/GPU_busy_id_5/A"], "failed for what the subtest panel tells")
	assert.Contains(t, got.output["GPU_hosts/no_row/Kernel_log/A"], `datasource "Logs" is of type loki`)
	assert.Contains(t, got.output["GPU_hosts/Graphics_compute/Throttled/A"], "expected_empty: 0 series")
	assert.Contains(t, got.output[""], "paneltest_test.go:", "what is said of the run stands at the caller's line")
}

func TestMildFindingsFailWhereAsked(t *testing.T) {
	got := inAnotherProcess(t, "info", nil)
	assert.Equal(t, "fail", got.result["GPU_hosts/no_row/Kernel_log/A"])
	assert.Contains(t, got.output["GPU_hosts/no_row/Kernel_log/A"], ": info panel/unchecked\n")
}

func TestSubtestsCanBeChosen(t *testing.T) {
	got := inAnotherProcess(t, "broken", nil, "-test.run=^TestInAnotherProcess$/^GPU_hosts$//^CPU_busy$")
	assert.Equal(t, 0, got.exit)
	assert.Equal(t, "pass", got.result["GPU_hosts/no_row/CPU_busy/A"])
	assert.NotContains(t, got.result, "GPU_hosts/Graphics_compute/GPU_busy")
}

func TestRunsThatCannotBe(t *testing.T) {
	for name, want := range map[string]string{
		"nothing":     "no query was asked, of 0 dashboards",
		"no stack":    "no stack at testdata/nowhere: want the directory",
		"no config":   "nowhere.yml: no such file",
		"off":         "WithFailOn: want rule.Error",
		"environment": "the stack could not be run (reaching the servers): attach",
	} {
		t.Run(name, func(t *testing.T) {
			got := inAnotherProcess(t, name, nil)
			assert.Equal(t, 1, got.exit)
			assert.Equal(t, "fail", got.result[""])
			assert.Contains(t, got.output[""], want)
		})
	}
}

// A Prometheus that does not start is told once; no query passes for it.
func TestPrometheusThatDoesNotStart(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.CopyFS(dir, os.DirFS(whole)))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "prometheus/prometheus.yml"), []byte("scrape_konfigs: []\n"), 0o644))
	got := inAnotherProcess(t, "edited", []string{"PANELTEST_STACK=" + dir})
	assert.Contains(t, got.output["stack"], "prometheus/prometheus.yml:1:1: error prometheus/config-invalid\n")
	assert.Equal(t, "fail", got.result["GPU_hosts/no_row/CPU_busy/A"])
	assert.Contains(t, got.output["GPU_hosts/no_row/CPU_busy/A"], "failed for what the subtest stack tells")
	assert.Contains(t, got.output[""], "no query was asked, of 1 dashboards")
}

// What panelgate.yml excludes, or holds to be mild, is logged and does not fail.
func TestConfigurationHolds(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.CopyFS(dir, os.DirFS(broken)))
	config := filepath.Join(dir, "panelgate.yml")
	require.NoError(t, os.WriteFile(config, []byte(`version: 1
rules:
  datasource/uid-unknown: warning
exclude:
  - rule: panel/no-data
    dashboard: gpu-hosts
    panel: GPU busy (%)
    why: the exporter is yet to be updated
`), 0o644))
	got := inAnotherProcess(t, "edited", []string{"PANELTEST_STACK=" + dir})
	assert.Equal(t, "fail", got.result["GPU_hosts/Graphics_compute/Throttled/A"], "nothing expects it to be empty now")
	for _, name := range []string{"GPU_hosts/Graphics_compute/GPU_busy/A", "GPU_hosts/Graphics_compute/GPU_busy_id_5/panel", "GPU_hosts/Graphics_compute/GPU_busy_id_5/A"} {
		assert.Equal(t, "pass", got.result[name], name)
	}
	assert.Contains(t, got.output["GPU_hosts/Graphics_compute/GPU_busy/A"],
		"excluded by "+config+":5:5: panel/no-data: the exporter is yet to be updated")
	assert.Contains(t, got.output["GPU_hosts/Graphics_compute/GPU_busy_id_5/panel"], ": warning datasource/uid-unknown\n")
}

// go test's own end of a test tells nothing of what it was about.
func TestRunEndsBeforeGoTestDoes(t *testing.T) {
	if testing.Short() {
		t.Skip("it waits for a time to be up")
	}
	got := inAnotherProcess(t, "hangs", nil, "-test.timeout=6s")
	assert.Equal(t, 1, got.exit)
	assert.Contains(t, got.output[""], "the stack could not be run (reaching the servers): not finished in time for go test")
	assert.NotContains(t, fmt.Sprint(got.output), "panic: test timed out")
}

func TestInParallel(t *testing.T) {
	for range 3 {
		t.Run("run", func(t *testing.T) {
			t.Parallel()
			paneltest.Run(t, whole, paneltest.WithHistory(time.Hour), paneltest.WithInstances(2),
				paneltest.WithDashboards("gpu-*"), paneltest.WithFailOn(rule.Warning))
		})
	}
}

// modVersion finds the go directive of a go.mod.
var modVersion = regexp.MustCompile(`(?m)^go .*$`)

// TestInAnotherModule proves that a module of somebody else needs nothing but the
// three lines.
func TestInAnotherModule(t *testing.T) {
	if testing.Short() {
		t.Skip("it links a test binary")
	}
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	require.NoError(t, err)
	sum, err := os.ReadFile(filepath.Join(root, "go.sum"))
	require.NoError(t, err)
	dir := t.TempDir()
	require.NoError(t, os.CopyFS(filepath.Join(dir, "monitoring"), os.DirFS(whole)))
	for name, text := range map[string]string{
		"go.mod": "module example.com/team\n\n" + modVersion.FindString(string(mod)) + "\n\n" +
			"require github.com/panelgate/panelgate v0.0.0\n\nreplace github.com/panelgate/panelgate => " + root + "\n",
		"go.sum": string(sum),
		"dashboards/dashboards_test.go": `package dashboards

import (
	"testing"

	"github.com/panelgate/panelgate/e2e/paneltest"
)

func TestDashboards(t *testing.T) {
	paneltest.Run(t, "../monitoring")
}
`,
	} {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
	}
	cmd := exec.CommandContext(t.Context(), "go", "test", "-v", "./...")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod -buildvcs=false", "GOWORK=off")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Contains(t, string(out), "--- PASS: TestDashboards/GPU_hosts/Graphics_compute/GPU_busy/A")
}
