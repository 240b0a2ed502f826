package workflows

import (
	"bytes"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// gitlab is the example's .gitlab-ci.yml: the keywords of GitLab's that it uses.
type gitlab struct {
	Stages []string
	Panels struct {
		Stage         string
		Image         string
		Timeout       string
		Interruptible bool
		Variables     map[string]string
		Cache         struct {
			Key   string
			Paths []string
		}
		Rules []struct {
			If      string
			Changes []string
		}
		Script    []string
		Artifacts struct {
			When     string
			ExpireIn string `yaml:"expire_in"`
			ExposeAs string `yaml:"expose_as"`
			Paths    []string
			Reports  struct{ JUnit, CodeQuality string }
		}
	}
}

func TestGitLabExample(t *testing.T) {
	var file gitlab
	decoder := yaml.NewDecoder(bytes.NewReader(read(t, "docs", "examples", "gitlab-ci.yml")))
	decoder.KnownFields(true)
	require.NoError(t, decoder.Decode(&file))
	job := file.Panels
	assert.Contains(t, file.Stages, job.Stage)
	assert.Equal(t, "always", job.Artifacts.When, "reports matter most when the job fails")

	// What is kept is what the command writes.
	require.Len(t, job.Script, 2)
	words := strings.Fields(job.Script[1])
	written := map[string]string{}
	for i, word := range words[:len(words)-1] {
		if flag, ok := strings.CutPrefix(word, "--"); ok {
			written[flag] = words[i+1]
		}
	}
	assert.Equal(t, written["junit"], job.Artifacts.Reports.JUnit)
	assert.Equal(t, written["code-quality"], job.Artifacts.Reports.CodeQuality)
	assert.Equal(t, []string{written["html"], written["json"]}, job.Artifacts.Paths)

	// GitLab caches and keeps only what is below the project.
	for _, name := range []string{"GOBIN", "GOCACHE", "GOMODCACHE"} {
		below, ok := strings.CutPrefix(job.Variables[name], "$CI_PROJECT_DIR/")
		require.True(t, ok, name)
		assert.True(t, strings.HasPrefix(below, job.Cache.Paths[0]+"/"), name)
	}
	stack := job.Variables["PANELGATE_STACK"]
	assert.Contains(t, job.Rules[0].Changes, stack+"/**/*")
}

// The page shows the lines that the example has, and every input and output.
func TestPageOnCI(t *testing.T) {
	page := string(read(t, "docs", "ci.md"))
	example := string(read(t, "docs", "examples", "github-workflow.yml"))
	_, rest, ok := strings.Cut(page, "```yaml\n")
	require.True(t, ok)
	five, _, ok := strings.Cut(rest, "```")
	require.True(t, ok)
	lines := strings.Split(strings.TrimSuffix(five, "\n"), "\n")
	require.Len(t, lines, 5)
	for _, line := range lines {
		code, _, _ := strings.Cut(line, " #")
		assert.Contains(t, example, code)
	}
	a := readAction(t)
	for name, input := range a.Inputs {
		assert.Contains(t, page, "| `"+name+"` |", name)
		assert.NotNil(t, input.Default, "%s: five lines are enough only if every input has a default", name)
		assert.NotEmpty(t, input.Description, name)
	}
	for name := range a.Outputs {
		assert.Contains(t, page, "`"+name+"`", name)
	}
	for _, file := range []string{"examples/github-workflow.yml", "examples/github-shards.yml", "examples/gitlab-ci.yml"} {
		assert.Contains(t, page, "("+file+")")
	}
}

// Others' inputs and outputs are those that the Action has.
func TestExampleOfGitHub(t *testing.T) {
	a := readAction(t)
	for _, file := range []string{"github-workflow.yml", "github-shards.yml"} {
		uses := 0
		for id, j := range readWorkflow(t, filepath.Join("docs", "examples", file)).Jobs {
			for _, s := range j.Steps {
				if !strings.HasPrefix(s.Uses, "panelgate/panelgate@") {
					continue
				}
				uses++
				for name := range s.With {
					assert.Contains(t, a.Inputs, name, id)
				}
			}
		}
		assert.Equal(t, 2, uses, file)
	}
}

// What the example of shards uploads is what its last job downloads and merges, and that
// job runs whatever became of the others.
func TestExampleOfShards(t *testing.T) {
	jobs := readWorkflow(t, filepath.Join("docs", "examples", "github-shards.yml")).Jobs
	shards := jobs["shard"].Strategy.Matrix["shard"]
	require.NotEmpty(t, shards)
	for i, s := range shards {
		assert.Equal(t, fmt.Sprintf("%d/%d", i+1, len(shards)), s, "each part is there, once")
	}
	whole := jobs["panels"]
	assert.Equal(t, "${{ always() }}", whole.If)
	assert.Equal(t, needs{"shard"}, whole.Needs)
	require.Len(t, whole.Steps, 3)
	download := whole.Steps[1].With

	// Both jobs are run as the Action runs them.
	r := built(t)
	r.env = append(r.env, "GITHUB_JOB=shard")
	artifacts := filepath.Join(r.workspace, filepath.FromSlash(download["path"]))
	for _, s := range []string{"1/2", "2/2"} {
		r.inputs = map[string]string{"shard": s, "reports": "ndjson"}
		got := r.run(t)
		require.Zero(t, got.exit, got.log)
		uploaded := got.of(upload).with
		matches, err := path.Match(download["pattern"], uploaded["name"])
		require.NoError(t, err)
		assert.True(t, matches, "%s is downloaded by %s", uploaded["name"], download["pattern"])
		require.NoError(t, os.CopyFS(filepath.Join(artifacts, uploaded["name"]), os.DirFS(uploaded["path"])))
	}
	r.inputs = map[string]string{"merge": whole.Steps[2].With["merge"], "reports": whole.Steps[2].With["reports"]}
	got := r.run(t)
	require.Zero(t, got.exit, got.log)
	assert.Equal(t, "pass", got.outputs["verdict"])
	assert.Equal(t, []string{"report.html", "report.json", "report.sarif"}, names(t, got.of(upload).with["path"]))
	assert.NotZero(t, readReport(t, got.outputs["json"]).Counts.Queries)

	// One of them has not come back.
	require.NoError(t, os.RemoveAll(filepath.Join(artifacts, "panelgate-shard-embedded-2-2")))
	got = r.run(t)
	assert.Equal(t, 3, got.exit, got.log)
	assert.Equal(t, "error", got.outputs["verdict"])
	assert.Contains(t, got.log, "shard 2/2 is missing")
	require.NoError(t, os.RemoveAll(artifacts))
	got = r.run(t)
	assert.Equal(t, 3, got.exit, got.log)
	assert.Contains(t, got.log, "fits no file")
}
