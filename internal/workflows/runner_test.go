package workflows

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/internal/leak"
	"github.com/panelgate/panelgate/internal/material"
)

// runner runs the steps of the Action as GitHub's does: scripts by bash, each with the
// environment and the files that a runner gives it. What a step uses of others is not
// run but noted, with its inputs filled in.
type runner struct {
	action    action
	root      string // the Action's checkout
	workspace string // the caller's
	temp      string
	summary   string
	inputs    map[string]string // that differ from the defaults
	event     object            // github.event
	github    object            // further members of the context
	env       []string          // of the job
	cached    bool              // the cache has the program
}

// ran is what running the Action came to.
type ran struct {
	exit    int // of the last script that failed
	failed  bool
	used    []use
	scripts []string // the names of the steps that were run
	outputs map[string]string
	log     string
}

// use is a step that uses somebody else's action.
type use struct {
	action string // without its commit
	with   map[string]string
}

// of is the one use of an action, nil where it was not used.
func (r *ran) of(action string) *use {
	for i, u := range r.used {
		if u.action == action {
			return &r.used[i]
		}
	}
	return nil
}

// newRunner has a workspace with the shipped stack, and asks for reports.
func newRunner(t *testing.T) *runner {
	t.Helper()
	r := &runner{
		action: readAction(t), root: material.ModuleRoot(t), workspace: t.TempDir(), temp: t.TempDir(),
		inputs: map[string]string{"reports": "json, ndjson, sarif junit\nmarkdown,html,code-quality"}, event: object{}, github: object{"actor": "someone", "event_name": "push"},
	}
	r.summary = filepath.Join(r.temp, "summary.md")
	copyStack(t, filepath.Join(r.root, "stack"), filepath.Join(r.workspace, "stack"))
	return r
}

// copyStack copies what is deployed, leaving the Go files beside it.
func copyStack(t *testing.T, from, to string) {
	t.Helper()
	for _, name := range []string{"docker-compose.yml", "prometheus", "grafana"} {
		source := filepath.Join(from, name)
		info, err := os.Stat(source)
		require.NoError(t, err)
		if info.IsDir() {
			require.NoError(t, os.CopyFS(filepath.Join(to, name), os.DirFS(source)))
			continue
		}
		data, err := os.ReadFile(source)
		require.NoError(t, err)
		require.NoError(t, os.MkdirAll(to, 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(to, name), data, 0o644))
	}
}

// breakStack has a stack's dashboard ask for a metric that nobody exposes.
func breakStack(t *testing.T, dir string) (board string) {
	t.Helper()
	board = filepath.Join(dir, "grafana", "provisioning", "dashboards", "boards", "triton.json")
	data, err := os.ReadFile(board)
	require.NoError(t, err)
	broken := strings.ReplaceAll(string(data), "DCGM_FI_DEV_GPU_TEMP", "DCGM_FI_DEV_GPU_TEMPERATURE")
	require.NotEqual(t, string(data), broken)
	require.NoError(t, os.WriteFile(board, []byte(broken), 0o644))
	return board
}

// run runs the Action's steps, each if its condition says so.
func (r *runner) run(t *testing.T) *ran {
	t.Helper()
	inputs := object{}
	for name, input := range r.action.Inputs {
		if input.Default != nil {
			inputs[name] = *input.Default
		}
	}
	for name, v := range r.inputs {
		require.Contains(t, r.action.Inputs, name)
		inputs[name] = v
	}
	github := object{"event": r.event, "repository": "team/dashboards"}
	for name, v := range r.github {
		github[name] = v
	}
	steps := object{}
	s := scope{contexts: object{"inputs": inputs, "steps": steps, "github": github}}
	result := &ran{outputs: map[string]string{}}
	for _, step := range r.action.Runs.Steps {
		if !s.runs(t, step.If) {
			continue
		}
		outputs := object{}
		if step.Uses != "" {
			outputs = r.use(t, s, step, result)
		} else if code := r.script(t, s, step, outputs, result); code != 0 {
			result.exit, result.failed, s.failed = code, true, true
		}
		if step.ID != "" {
			steps[step.ID] = object{"outputs": outputs}
		}
	}
	for name, output := range r.action.Outputs {
		result.outputs[name] = s.fill(t, output.Value)
	}
	return result
}

// use notes a step that is somebody else's action; the cache alone has outputs.
func (r *runner) use(t *testing.T, s scope, step step, result *ran) object {
	t.Helper()
	name, _, _ := strings.Cut(step.Uses, "@")
	u := use{action: name, with: map[string]string{}}
	for key, v := range step.With {
		u.with[key] = s.fill(t, v)
	}
	result.used = append(result.used, u)
	if name == "actions/cache/restore" && r.cached {
		return object{"cache-hit": "true"}
	}
	return object{}
}

// script runs a step's script and reads the outputs that it sets.
func (r *runner) script(t *testing.T, s scope, step step, outputs object, result *ran) int {
	t.Helper()
	result.scripts = append(result.scripts, step.Name)
	file, output := filepath.Join(r.temp, "script.sh"), filepath.Join(r.temp, "output")
	require.NoError(t, os.WriteFile(file, []byte(step.Run), 0o644))
	require.NoError(t, os.WriteFile(output, nil, 0o644))
	command := exec.CommandContext(t.Context(), "bash", "--noprofile", "--norc", "-e", "-o", "pipefail", file)
	command.Dir = r.workspace
	command.Env = append(r.environ(output), r.env...)
	for name, v := range step.Env {
		command.Env = append(command.Env, name+"="+s.fill(t, v))
	}
	var log bytes.Buffer
	command.Stdout, command.Stderr = &log, &log
	err := command.Run()
	result.log += log.String()
	var exit *exec.ExitError
	if err != nil {
		require.ErrorAs(t, err, &exit)
	}
	data, err := os.ReadFile(output)
	require.NoError(t, err)
	for line := range strings.Lines(string(data)) {
		name, v, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		require.True(t, ok, "%s sets an output by %q", step.Name, line)
		require.NotContains(t, outputs, name, "%s sets %s twice", step.Name, name)
		outputs[name] = v
	}
	if exit != nil {
		return exit.ExitCode()
	}
	return 0
}

// environ is what a runner sets for every step, over what its machine has.
func (r *runner) environ(output string) []string {
	var env []string
	for _, kv := range os.Environ() {
		for _, ours := range []string{"GITHUB_", "RUNNER_", "INPUT_", "PLAN_", "GATE_", "PANELGATE_", "DAGGER_"} {
			if strings.HasPrefix(kv, ours) {
				kv = ""
			}
		}
		if kv != "" {
			env = append(env, kv)
		}
	}
	return append(env,
		"CI=true", "GITHUB_ACTIONS=true", "GITHUB_WORKSPACE="+r.workspace, "GITHUB_ACTION_PATH="+r.root, "GITHUB_JOB=panels",
		"GITHUB_OUTPUT="+output, "GITHUB_STEP_SUMMARY="+r.summary, "RUNNER_TEMP="+r.temp,
		"RUNNER_OS="+runtime.GOOS, "RUNNER_ARCH="+runtime.GOARCH,
		// Compiled as what the gate builds for Dagger is, so that nothing is compiled twice.
		"GOFLAGS=-trimpath",
	)
}

// programs is where the Action puts the program in every test, so that it is built once.
var programs string

func TestMain(m *testing.M) {
	code, err := runTests(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func runTests(m *testing.M) (code int, err error) {
	programs, err = os.MkdirTemp("", "panelgate-action-")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(programs)) }()
	return leak.Checked{M: m}.Run(), nil
}

// built is a runner that builds the program in the first test, and has it in others.
func built(t *testing.T) *runner {
	t.Helper()
	if testing.Short() {
		t.Skip("the program is not built with -short")
	}
	r := newRunner(t)
	plan := object{}
	s := scope{contexts: object{"inputs": object{"reports": "json", "version": ""}}}
	require.Zero(t, r.script(t, s, r.action.Runs.Steps[0], plan, &ran{}))
	directory := text(plan["directory"])
	require.NoError(t, os.MkdirAll(filepath.Dir(directory), 0o755))
	require.NoError(t, os.Symlink(programs, directory))
	return r
}
