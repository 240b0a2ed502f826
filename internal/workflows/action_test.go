package workflows

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/ci/report"
	"github.com/panelgate/panelgate/internal/chromium"
)

const (
	upload = "actions/upload-artifact"
	scan   = "github/codeql-action/upload-sarif"
)

// uses are the actions that a run used, in their order.
func (r *ran) uses() []string {
	var names []string
	for _, u := range r.used {
		names = append(names, u.action)
	}
	return names
}

func TestActionOnAGoodStack(t *testing.T) {
	r := built(t)
	got := r.run(t)
	require.Zero(t, got.exit, got.log)
	assert.False(t, got.failed)
	assert.Equal(t, []string{"actions/cache/restore", "actions/setup-go", "actions/cache/save", upload}, got.uses())
	assert.Equal(t, []string{"Read the inputs", "Build panelgate", "Prove the stack", "Tell the verdict"}, got.scripts)

	assert.Equal(t, "pass", got.outputs["verdict"])
	assert.Equal(t, "0", got.outputs["exit-code"])
	assert.Equal(t, "0", got.outputs["errors"])
	assert.Equal(t, "panelgate-panels-embedded", got.outputs["artifact"])
	document := readReport(t, got.outputs["json"])
	assert.Equal(t, report.Pass, document.Verdict)
	assert.NotZero(t, document.Counts.Queries)
	assert.Equal(t, strconv.Itoa(document.Counts.Infos), got.outputs["findings"])

	uploaded := got.of(upload).with
	assert.Equal(t, "panelgate-panels-embedded", uploaded["name"])
	assert.Equal(t, got.outputs["reports"], uploaded["path"])
	assert.Equal(t, []string{"code-quality.json", "events.ndjson", "junit.xml", "report.html", "report.json", "report.md", "report.sarif"}, names(t, uploaded["path"]))
	for name, file := range map[string]string{"sarif": "report.sarif", "html": "report.html", "junit": "junit.xml", "markdown": "report.md"} {
		assert.Equal(t, filepath.Join(uploaded["path"], file), got.outputs[name])
	}

	saved, restored := got.of("actions/cache/save").with, got.of("actions/cache/restore").with
	assert.Equal(t, restored, saved)
	assert.Regexp(t, `^panelgate-linux-\w+-[0-9a-f]{32}$`, saved["key"])
	assert.FileExists(t, filepath.Join(saved["path"], "panelgate"))
	assert.FileExists(t, got.used[1].with["go-version-file"])
}

func TestActionTakesPictures(t *testing.T) {
	chromium.Require(t)
	r := built(t)
	r.inputs["reports"] = "png"
	got := r.run(t)
	require.Zero(t, got.exit, got.log)
	assert.FileExists(t, filepath.Join(got.outputs["reports"], "png", "triton.png"))
	assert.Empty(t, got.outputs["html"])
}

func TestActionOnABrokenStack(t *testing.T) {
	r := built(t)
	breakStack(t, filepath.Join(r.workspace, "stack"))
	r.inputs["reports"] = "ndjson"
	got := r.run(t)
	assert.Equal(t, 1, got.exit, got.log)
	assert.Equal(t, "fail", got.outputs["verdict"])
	assert.Equal(t, "1", got.outputs["exit-code"])
	document := readReport(t, got.outputs["json"])
	assert.NotZero(t, document.Counts.Errors)
	assert.Equal(t, strconv.Itoa(document.Counts.Errors), got.outputs["errors"])
	assert.Equal(t, strconv.Itoa(document.Counts.Warnings), got.outputs["warnings"])
	assert.Equal(t, strconv.Itoa(len(document.Findings)), got.outputs["findings"])
	assert.Contains(t, got.log, "metric-missing")
	assert.Contains(t, got.log, "\n::error ", "annotations need no token")
	summary, err := os.ReadFile(r.summary)
	require.NoError(t, err)
	assert.Contains(t, string(summary), "GPU Temperature")

	// What was found is uploaded, although it fails, and no more than was asked for.
	require.NotNil(t, got.of(upload))
	assert.Equal(t, []string{"events.ndjson"}, names(t, got.outputs["reports"]))
	assert.Equal(t, "Tell the verdict", got.scripts[len(got.scripts)-1])
}

func TestActionTakesFlags(t *testing.T) {
	r := built(t)
	breakStack(t, filepath.Join(r.workspace, "stack"))
	require.NoError(t, os.Rename(filepath.Join(r.workspace, "stack"), filepath.Join(r.workspace, "my stack")))
	require.NoError(t, os.WriteFile(filepath.Join(r.workspace, "gate.yml"), []byte("version: 1\nrules: {panel/no-data: warning}\n"), 0o644))
	r.inputs["stack"], r.inputs["config"] = "my stack", "gate.yml"
	r.inputs["artifact"] = "of the \"second\"\nstack"
	r.inputs["args"] = "\n--dashboard=Triton Inference *\r\n--verbose\n"
	got := r.run(t)
	assert.Zero(t, got.exit, got.log)
	assert.NotEqual(t, "0", got.outputs["warnings"])
	assert.Equal(t, "of-the--second--stack", got.outputs["artifact"])

	r.inputs["fail-on"] = "warning"
	got = r.run(t)
	assert.Equal(t, 1, got.exit, got.log)
}

func TestActionFromTheCache(t *testing.T) {
	r := built(t)
	r.cached = true
	got := r.run(t)
	require.Zero(t, got.exit, got.log)
	assert.Equal(t, []string{"actions/cache/restore", upload}, got.uses(), "a program from the cache needs no Go")
}

// Results are carried from run to run where none of the reports has the panels drawn:
// a result is there for the next run, whose key is another.
func TestActionCarriesResults(t *testing.T) {
	r := built(t)
	r.inputs["reports"] = "sarif,json"
	r.env = []string{"GITHUB_REF_NAME=12/merge", "GITHUB_RUN_ID=7", "GITHUB_RUN_ATTEMPT=1"}
	got := r.run(t)
	require.Zero(t, got.exit, got.log)
	assert.Zero(t, readReport(t, got.outputs["json"]).Counts.Cached)
	n := len(got.used)
	require.GreaterOrEqual(t, n, 4)
	restored, saved := got.used[n-3], got.used[n-2]
	assert.Equal(t, "actions/cache/restore", restored.action)
	assert.Equal(t, "actions/cache/save", saved.action)
	assert.Equal(t, "panelgate-results-panels-12-merge-7-1", saved.with["key"])
	assert.Equal(t, saved.with["key"], restored.with["key"])
	assert.Equal(t, saved.with["path"], restored.with["path"])
	assert.Equal(t, "panelgate-results-panels-12-merge-\npanelgate-results-panels-\n", restored.with["restore-keys"])
	assert.NotEmpty(t, names(t, saved.with["path"]))

	r.env[1] = "GITHUB_RUN_ID=8" // with what a restore would have put there
	got = r.run(t)
	require.Zero(t, got.exit, got.log)
	counts := readReport(t, got.outputs["json"]).Counts
	assert.Equal(t, counts.Queries, counts.Cached)

	for name, inputs := range map[string]map[string]string{
		"a page": {"reports": "json,html"}, "a stream": {"reports": "ndjson"}, "another environment": {"reports": "json", "env": "moon"},
	} {
		r.inputs = inputs
		for _, u := range r.run(t).used {
			assert.NotContains(t, u.with["key"], "panelgate-results", name)
		}
	}
}

// A run that cannot be is an error, with its exit code, and not a stack that is fine.
func TestActionThatCannotRun(t *testing.T) {
	for name, test := range map[string]struct {
		inputs map[string]string
		exit   int
		says   string
	}{
		"no such env":    {map[string]string{"env": "moon"}, 2, `"moon"`},
		"no such stack":  {map[string]string{"stack": "nowhere"}, 2, "no stack at nowhere"},
		"a wrong flag":   {map[string]string{"args": "--dashboards=x"}, 2, "unknown flag"},
		"no time for it": {map[string]string{"args": "--timeout=1ns"}, 3, "not finished after 1ns"},
	} {
		t.Run(name, func(t *testing.T) {
			r := built(t)
			for key, v := range test.inputs {
				r.inputs[key] = v
			}
			got := r.run(t)
			assert.Equal(t, test.exit, got.exit, got.log)
			assert.Equal(t, "error", got.outputs["verdict"])
			assert.Contains(t, got.log, test.says)
			assert.Contains(t, got.log, "::error title=panelgate::")
		})
	}
}

// What is wrong with the inputs is told before anything is fetched or built.
func TestActionRefusesInputs(t *testing.T) {
	for name, test := range map[string]struct {
		input, value, says string
	}{
		"an unknown report":  {"reports", "json,tea", "reports: tea is none of json,"},
		"a report with code": {"reports", "json;touch${IFS}pwned", "is none of json,"},
		"what moves":         {"version", "latest", "version: latest is neither a release, as v1.2.3, nor a commit"},
		"a branch":           {"version", "main", "neither a release"},
		"code":               {"version", "v1.2.3;touch pwned", "neither a release"},
		"another line":       {"version", "v1.2.3\n::add-mask::a%b", "version: v1.2.3%0A::add-mask::a%25b is neither a release"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRunner(t)
			r.inputs[test.input] = test.value
			got := r.run(t)
			assert.Equal(t, 2, got.exit)
			assert.Contains(t, got.log, test.says)
			assert.Empty(t, got.used)
			assert.Equal(t, []string{"Read the inputs"}, got.scripts)
			assert.NoFileExists(t, filepath.Join(r.workspace, "pwned"))
			for line := range strings.Lines(got.log) {
				assert.False(t, strings.HasPrefix(line, "::add-mask"), line)
			}
		})
	}
}

// Inputs are data: nothing in them is run, becomes a flag of its own, or sets an output.
func TestActionWithHostileInputs(t *testing.T) {
	for _, hostile := range []string{
		"$(touch pwned)", "`touch pwned`", "' || touch pwned; '", "\" && touch pwned #", "x\nexit-code=0\nverdict=pass", "--help", "* ?", "",
	} {
		for _, input := range []string{"stack", "env", "config", "fail-on", "args"} {
			if hostile == "" && (input == "config" || input == "args") {
				continue // the default
			}
			t.Run(input+" "+hostile, func(t *testing.T) {
				r := built(t)
				r.cached = true
				r.inputs[input] = hostile
				got := r.run(t)
				assert.NoFileExists(t, filepath.Join(r.workspace, "pwned"))
				assert.Equal(t, "error", got.outputs["verdict"], got.log)
				if input == "args" && hostile == "--help" {
					assert.Equal(t, 3, got.exit, "args are flags, and this one checks nothing")
					return
				}
				assert.Equal(t, 2, got.exit, got.log)
			})
		}
	}
}

// A dagger command starts the session that --env dagger needs.
func TestActionInDagger(t *testing.T) {
	r := built(t)
	r.inputs["env"] = "dagger"
	bin := t.TempDir()
	asked := filepath.Join(bin, "asked")
	script := "#!/bin/sh\nprintf '%s\\n' \"$@\" >" + asked + "\nexit 1\n"
	require.NoError(t, os.WriteFile(filepath.Join(bin, "dagger"), []byte(script), 0o755))
	r.env = []string{"PATH=" + bin + string(os.PathListSeparator) + os.Getenv("PATH")}
	got := r.run(t)
	assert.Equal(t, 1, got.exit, got.log)
	data, err := os.ReadFile(asked)
	require.NoError(t, err)
	args := strings.Split(string(data), "\n")
	assert.Equal(t, []string{"--progress=plain", "run"}, args[:2])
	assert.Equal(t, []string{"panelgate", "check"}, []string{filepath.Base(args[2]), args[3]})
	assert.Contains(t, args, "--env=dagger")
}

// The SARIF report goes to code scanning only where it was asked for and the token may write.
func TestCodeScanning(t *testing.T) {
	head := func(repository string) object {
		return object{"pull_request": object{"head": object{"repo": object{"full_name": repository}}}}
	}
	for name, test := range map[string]struct {
		asked   string
		event   object
		actor   string
		sarif   string
		uploads bool
	}{
		"push":                           {"true", object{}, "someone", "report.sarif", true},
		"pull request":                   {"true", head("team/dashboards"), "someone", "report.sarif", true},
		"pull request of a fork":         {"true", head("stranger/dashboards"), "stranger", "report.sarif", false},
		"pull request of a deleted fork": {"true", object{"pull_request": object{"head": object{"repo": nil}}}, "stranger", "report.sarif", false},
		"pull request of Dependabot":     {"true", head("team/dashboards"), "dependabot[bot]", "report.sarif", false},
		"not asked for":                  {"false", object{}, "someone", "report.sarif", false},
		"no SARIF report":                {"true", object{}, "someone", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			a := readAction(t)
			s := scope{contexts: object{
				"inputs": object{"code-scanning": test.asked},
				"steps":  object{"gate": object{"outputs": object{"sarif": test.sarif}}},
				"github": object{"event": test.event, "actor": test.actor, "repository": "team/dashboards"},
			}}
			uploads := 0
			for _, step := range a.Runs.Steps {
				if strings.HasPrefix(step.Uses, scan+"@") {
					uploads++
					assert.Equal(t, test.uploads, s.runs(t, step.If))
				}
			}
			assert.Equal(t, 1, uploads)
		})
	}
}

// On a pull request from a fork all is done but the upload to code scanning.
func TestActionOnAFork(t *testing.T) {
	for repository, uploads := range map[string]bool{"team/dashboards": true, "stranger/dashboards": false} {
		r := built(t)
		breakStack(t, filepath.Join(r.workspace, "stack"))
		r.inputs["code-scanning"] = "true"
		r.github["event_name"] = "pull_request"
		r.event = object{"pull_request": object{"head": object{"repo": object{"full_name": repository}}}}
		got := r.run(t)
		assert.Equal(t, 1, got.exit, got.log)
		assert.NotNil(t, got.of(upload), repository)
		assert.Equal(t, uploads, got.of(scan) != nil, repository)
		if uploads {
			assert.Equal(t, got.outputs["sarif"], got.of(scan).with["sarif_file"])
			assert.FileExists(t, got.outputs["sarif"])
		}
		assert.FileExists(t, r.summary)
	}
}

// names are those of a directory's entries.
func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	var out []string
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

func readReport(t *testing.T, file string) *report.Document {
	t.Helper()
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	var d report.Document
	require.NoError(t, json.Unmarshal(data, &d))
	return &d
}
