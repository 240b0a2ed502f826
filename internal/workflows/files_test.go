package workflows

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/panelgate/panelgate/internal/material"
)

// action is an action.yml. What it does not name is refused when it is read, so that
// no part of the file goes untested by being misspelled.
type action struct {
	Name        string
	Description string
	Author      string
	Branding    struct{ Icon, Color string }
	Inputs      map[string]struct {
		Description string
		Default     *string
	}
	Outputs map[string]struct{ Description, Value string }
	Runs    struct {
		Using string
		Steps []step
	}
}

// step is a step of an action or a job.
type step struct {
	ID    string
	Name  string
	If    string
	Uses  string
	With  map[string]string
	Env   map[string]string
	Shell string
	Run   string
}

// workflow is what the tests look at in a workflow; actionlint looks at the rest.
type workflow struct {
	On          yaml.Node
	Permissions map[string]string
	Concurrency struct{ Group string }
	Jobs        map[string]job
}

type job struct {
	If          string
	Needs       needs
	Timeout     int `yaml:"timeout-minutes"`
	Permissions map[string]string
	Strategy    struct{ Matrix map[string][]string }
	Steps       []step
}

// needs are the jobs that one waits for: a name or a list of them.
type needs []string

// UnmarshalYAML implements yaml.Unmarshaler.
func (n *needs) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.ScalarNode {
		*n = needs{node.Value}
		return nil
	}
	return node.Decode((*[]string)(n))
}

func read(t *testing.T, elem ...string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(append([]string{material.ModuleRoot(t)}, elem...)...))
	require.NoError(t, err)
	return data
}

func readAction(t *testing.T) action {
	t.Helper()
	var a action
	decoder := yaml.NewDecoder(bytes.NewReader(read(t, "action.yml")))
	decoder.KnownFields(true)
	require.NoError(t, decoder.Decode(&a))
	require.ErrorIs(t, decoder.Decode(&a), io.EOF)
	return a
}

func readWorkflow(t *testing.T, file string) workflow {
	t.Helper()
	var w workflow
	require.NoError(t, yaml.Unmarshal(read(t, file), &w))
	require.NotEmpty(t, w.Jobs)
	return w
}

// workflows are the files with steps in this repository, and the examples for others.
func workflows(t *testing.T) []string {
	t.Helper()
	root := material.ModuleRoot(t)
	files, err := filepath.Glob(filepath.Join(root, ".github", "workflows", "*.yml"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	names := []string{filepath.Join("docs", "examples", "github-workflow.yml"), filepath.Join("docs", "examples", "github-shards.yml")}
	for _, file := range files {
		name, err := filepath.Rel(root, file)
		require.NoError(t, err)
		names = append(names, name)
	}
	return names
}

// unpinned says which lines use somebody else's action by anything but a commit with
// its version beside it.
func unpinned(file string) error {
	used := regexp.MustCompile(`^\s*(?:- )?uses:\s*(\S+)(.*)$`)
	pinned := regexp.MustCompile(`^[\w.-]+/[\w./-]+@[0-9a-f]{40}$`)
	version := regexp.MustCompile(`^ # v\d+\.\d+\.\d+$`)
	var errs []error
	for i, line := range strings.Split(file, "\n") {
		found := used.FindStringSubmatch(line)
		if found == nil || strings.HasPrefix(found[1], "./") || strings.HasPrefix(found[1], "panelgate/panelgate@") {
			continue
		}
		if !pinned.MatchString(found[1]) || !version.MatchString(found[2]) {
			errs = append(errs, fmt.Errorf("line %d: %s", i+1, strings.TrimSpace(line)))
		}
	}
	return errors.Join(errs...)
}

func TestEveryActionIsPinned(t *testing.T) {
	for _, name := range append(workflows(t), "action.yml") {
		assert.NoError(t, unpinned(string(read(t, name))), name)
	}
	const commit = "0123456789abcdef0123456789abcdef01234567"
	for line, fails := range map[string]bool{
		"uses: actions/checkout@" + commit + " # v6.0.2":      false,
		"- uses: a/b/c@" + commit + " # v1.0.0":               false,
		"uses: ./":                                            false,
		"uses: actions/checkout@v6":                           true,
		"uses: actions/checkout@" + commit:                    true,
		"uses: actions/checkout@" + commit + " # v6":          true,
		"uses: actions/checkout@" + commit[:12] + " # v6.0.2": true,
	} {
		assert.Equal(t, fails, unpinned(line) != nil, line)
	}
}

// One version of each action is enough: two would be raised at different times.
func TestOneVersionOfEachAction(t *testing.T) {
	used := regexp.MustCompile(`uses: ([\w.-]+/[\w.-]+)\S*@([0-9a-f]{40})`)
	versions := map[string]string{}
	for _, name := range append(workflows(t), "action.yml") {
		for _, found := range used.FindAllStringSubmatch(string(read(t, name)), -1) {
			if known, ok := versions[found[1]]; ok {
				assert.Equal(t, known, found[2], "%s in %s", found[1], name)
			}
			versions[found[1]] = found[2]
		}
	}
	assert.NotEmpty(t, versions)
}

// A value that becomes part of a script's text is a program, whoever wrote it.
func TestNoScriptHoldsAnExpression(t *testing.T) {
	check := func(name string, steps []step) {
		for _, s := range steps {
			assert.NotContains(t, s.Run, "${{", "%s: %s", name, s.Name)
		}
	}
	a := readAction(t)
	check("action.yml", a.Runs.Steps)
	for _, s := range a.Runs.Steps {
		assert.NotEqual(t, s.Run == "", s.Uses == "", "%s: a step runs a script or uses an action", s.Name)
		if s.Run != "" {
			assert.Equal(t, "bash", s.Shell, s.Name)
		}
	}
	for _, name := range workflows(t) {
		for id, j := range readWorkflow(t, name).Jobs {
			check(name+": "+id, j.Steps)
		}
	}
}

func TestPermissionsAreMinimal(t *testing.T) {
	for _, name := range workflows(t) {
		w := readWorkflow(t, name)
		assert.Equal(t, map[string]string{"contents": "read"}, w.Permissions, name)
		for id, j := range w.Jobs {
			if j.Permissions == nil {
				continue
			}
			assert.Equal(t, map[string]string{"contents": "read", "security-events": "write"}, j.Permissions, "%s: %s", name, id)
			uploads := false
			for _, s := range j.Steps {
				uploads = uploads || s.With["code-scanning"] == "true"
			}
			assert.True(t, uploads, "%s: %s uploads nothing to code scanning", name, id)
		}
		// It would run a fork's code with this repository's secrets.
		assert.NotContains(t, string(read(t, name)), "pull_request_target", name)
	}
	for _, name := range append(workflows(t), "action.yml") {
		assert.NotContains(t, string(read(t, name)), "secrets.", name)
	}
}

func TestGateOfThisRepository(t *testing.T) {
	w := readWorkflow(t, filepath.Join(".github", "workflows", "gate.yml"))
	for id, j := range w.Jobs {
		assert.NotZero(t, j.Timeout, "%s has no time limit", id)
		for _, s := range j.Steps {
			if strings.HasPrefix(s.Uses, "actions/checkout@") {
				assert.Equal(t, "false", s.With["persist-credentials"], id)
			}
		}
	}
	assert.NotEmpty(t, w.Concurrency.Group)

	panels := w.Jobs["panels"]
	assert.Equal(t, []string{"embedded", "docker", "dagger"}, panels.Strategy.Matrix["env"])
	last := panels.Steps[len(panels.Steps)-1]
	assert.Equal(t, "./", last.Uses)
	inputs := readAction(t).Inputs
	for name := range last.With {
		assert.Contains(t, inputs, name)
	}

	// What branch protection requires reports in any case, and of every job.
	required := w.Jobs["gate"]
	assert.Equal(t, "always()", required.If)
	for id, j := range w.Jobs {
		if id == "gate" {
			continue
		}
		assert.Contains(t, required.Needs, id)
		if id != "changes" {
			assert.Equal(t, "needs.changes.outputs.code == 'true'", j.If, id)
		}
	}
	var on struct {
		PullRequest yaml.Node `yaml:"pull_request"`
	}
	require.NoError(t, w.On.Decode(&on))
	assert.Equal(t, "!!null", on.PullRequest.Tag, "paths that are filtered under `on` leave the required check waiting")
}

// The workflows install the Dagger that the SDK is of.
func TestDaggerIsTheOneOfTheModule(t *testing.T) {
	found := regexp.MustCompile(`dagger\.io/dagger v(\S+)`).FindStringSubmatch(string(read(t, "go.mod")))
	require.NotNil(t, found)
	installs := 0
	for _, name := range workflows(t) {
		for id, j := range readWorkflow(t, name).Jobs {
			for _, s := range j.Steps {
				if strings.HasPrefix(s.Uses, "dagger/dagger-for-github@") {
					installs++
					assert.Equal(t, found[1], s.With["version"], "%s: %s", name, id)
				}
			}
		}
	}
	assert.NotZero(t, installs)
}
