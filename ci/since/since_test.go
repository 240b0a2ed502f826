package since_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/ci/since"
	"github.com/panelgate/panelgate/e2e/config"
	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/stack"
	"github.com/panelgate/panelgate/stack/source"
)

// board is a dashboard of one panel that asks a datasource.
func board(uid, datasource string) string {
	return `{"uid": "` + uid + `", "title": "` + uid + `", "schemaVersion": 42, "panels": [{"id": 1, "type": "timeseries", "title": "Up",
  "datasource": ` + datasource + `, "targets": [{"refId": "A", "expr": "up"}]}]}`
}

func provisioned(name, uid string) string {
	return "apiVersion: 1\ndatasources:\n  - {name: " + name + ", uid: " + uid + ", type: prometheus, url: 'http://prometheus:9090'}\n"
}

// repository is one whose main branch has a stack below infra, and HEAD a branch of it.
func repository(t *testing.T) (top string) {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("needs git")
	}
	top = t.TempDir()
	for name, text := range map[string]string{
		"README.md":         "About.\n",
		"panelgate.yml":     "version: 1\nscenario: worlds/own.yaml\n",
		"worlds/own.yaml":   "version: 1\n",
		"elsewhere/app.yml": "a: 1\n",
		".gitignore":        "*.log\n",
		"infra/README.md":   "The stack.\n",
		"infra/docker-compose.yml": "services:\n  prometheus:\n    image: prom/prometheus:v3.5.1\n    volumes: ['./prometheus:/etc/prometheus', '../shared:/rules']\n" +
			"  grafana:\n    image: grafana/grafana:12.4.5\n    volumes: ['./provisioning:/etc/grafana/provisioning', './boards:/boards']\n",
		"shared/rules.yml":                          "groups: []\n",
		"infra/prometheus/prometheus.yml":           "rule_files: [/rules/*.yml]\nscrape_configs: []\n",
		"infra/provisioning/dashboards/boards.yaml": "apiVersion: 1\nproviders:\n  - {name: b, type: file, options: {path: /boards}}\n",
		"infra/provisioning/datasources/one.yaml":   provisioned("One", "one"),
		"infra/provisioning/datasources/two.yaml":   provisioned("Two", "two"),
		"infra/boards/one.json":                     board("b-one", `{"type": "prometheus", "uid": "one"}`),
		"infra/boards/two.json":                     board("b-two", `{"type": "prometheus", "uid": "two"}`),
		"infra/boards/default.json":                 board("b-default", `null`),
		"infra/boards/variable.json":                board("b-variable", `{"uid": "${ds}"}`),
		"infra/boards/grafana.json":                 board("b-grafana", `{"uid": "-- Grafana --"}`),
	} {
		write(t, filepath.Join(top, filepath.FromSlash(name)), text)
	}
	git(t, top, "init", "--quiet", "--initial-branch=main")
	commit(t, top, "a stack")
	git(t, top, "checkout", "--quiet", "-b", "branch")
	return top
}

func write(t *testing.T, file, text string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
}

func git(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", append([]string{"-C", dir, "-c", "user.name=Test", "-c", "user.email=test@example.org", "-c", "protocol.file.allow=always"}, args...)...)
	cmd.Env = append(os.Environ(), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL="+os.DevNull)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
}

func commit(t *testing.T, top, message string) {
	t.Helper()
	git(t, top, "add", "--all")
	git(t, top, "commit", "--quiet", "--message", message)
}

// touched is what the branch touches of the stack below infra.
func touched(t *testing.T, top string) (*stack.Stack, *since.Touched) {
	t.Helper()
	dir := filepath.Join(top, "infra")
	s, err := stack.Load(t.Context(), dir)
	require.NoError(t, err)
	changes, err := since.Changed(t.Context(), dir, "main")
	require.NoError(t, err)
	cfg := &config.Config{File: filepath.Join(top, "panelgate.yml"), Scenario: filepath.Join(top, "worlds", "own.yaml")}
	return s, since.Of(s, cfg, changes)
}

func TestTouched(t *testing.T) {
	t.Parallel()
	everything := []string{"boards/default.json", "boards/grafana.json", "boards/one.json", "boards/two.json", "boards/variable.json"}
	for _, c := range []struct {
		name   string
		edit   func(t *testing.T, top string)
		files  []string
		all    string
		boards []string
	}{
		{name: "nothing", edit: func(*testing.T, string) {}},
		{name: "what is no part of the stack", edit: func(t *testing.T, top string) {
			write(t, filepath.Join(top, "README.md"), "More.\n")
			write(t, filepath.Join(top, "elsewhere/app.yml"), "a: 2\n")
			write(t, filepath.Join(top, "infra/README.md"), "More.\n")
			write(t, filepath.Join(top, "infra/servers.log"), "ignored\n")
		}},
		{name: "a dashboard, committed", edit: func(t *testing.T, top string) {
			write(t, filepath.Join(top, "infra/boards/one.json"), board("b-one", `{"uid": "two"}`))
			commit(t, top, "another datasource")
		}, files: []string{"boards/one.json"}, boards: []string{"boards/one.json"}},
		{name: "a dashboard, staged", edit: func(t *testing.T, top string) {
			write(t, filepath.Join(top, "infra/boards/one.json"), board("b-one", `{"uid": "two"}`))
			git(t, top, "add", "--all")
		}, files: []string{"boards/one.json"}, boards: []string{"boards/one.json"}},
		{name: "a dashboard, in the work tree alone", edit: func(t *testing.T, top string) {
			write(t, filepath.Join(top, "infra/boards/two.json"), board("b-two", `{"uid": "one"}`))
		}, files: []string{"boards/two.json"}, boards: []string{"boards/two.json"}},
		{name: "a dashboard that git does not know", edit: func(t *testing.T, top string) {
			write(t, filepath.Join(top, "infra/boards/a b\n.json"), board("b-new", `{"uid": "two"}`))
		}, files: []string{"boards/a b\n.json"}, boards: []string{"boards/a b\n.json"}},
		{name: "committed, and taken back since", edit: func(t *testing.T, top string) {
			file := filepath.Join(top, "infra/boards/one.json")
			before, err := os.ReadFile(file)
			require.NoError(t, err)
			write(t, file, board("b-one", `{"uid": "two"}`))
			commit(t, top, "another datasource")
			write(t, file, string(before))
		}},
		{name: "a dashboard is moved", edit: func(t *testing.T, top string) {
			git(t, top, "mv", "infra/boards/one.json", "infra/boards/first.json")
			commit(t, top, "another name")
		}, files: []string{"boards/first.json", "boards/one.json"}, boards: []string{"boards/first.json"}},
		{name: "a dashboard goes", edit: func(t *testing.T, top string) {
			require.NoError(t, os.Remove(filepath.Join(top, "infra/boards/one.json")))
		}, files: []string{"boards/one.json"}},
		{name: "a dashboard breaks", edit: func(t *testing.T, top string) {
			write(t, filepath.Join(top, "infra/boards/one.json"), "{")
		}, files: []string{"boards/one.json"}},
		{name: "prometheus.yml", edit: func(t *testing.T, top string) {
			write(t, filepath.Join(top, "infra/prometheus/prometheus.yml"), "scrape_configs: []\n")
		}, files: []string{"prometheus/prometheus.yml"}, all: "prometheus/prometheus.yml", boards: everything},
		{name: "a file of targets comes", edit: func(t *testing.T, top string) {
			write(t, filepath.Join(top, "infra/prometheus/targets.json"), "[]\n")
		}, files: []string{"prometheus/targets.json"}, all: "prometheus/targets.json", boards: everything},
		{name: "a rule file beside the stack goes", edit: func(t *testing.T, top string) {
			require.NoError(t, os.Remove(filepath.Join(top, "shared/rules.yml")))
		}, files: []string{"../shared/rules.yml"}, all: "../shared/rules.yml", boards: everything},
		{name: "the compose file", edit: func(t *testing.T, top string) {
			write(t, filepath.Join(top, "infra/docker-compose.override.yml"), "services: {}\n")
		}, files: []string{"docker-compose.override.yml"}, all: "docker-compose.override.yml", boards: everything},
		{name: "what it fills in", edit: func(t *testing.T, top string) {
			write(t, filepath.Join(top, "infra/.env"), "A=1\n")
		}, files: []string{".env"}, all: ".env", boards: everything},
		{name: "a provider", edit: func(t *testing.T, top string) {
			write(t, filepath.Join(top, "infra/provisioning/dashboards/more.yaml"), "apiVersion: 1\n")
		}, files: []string{"provisioning/dashboards/more.yaml"}, all: "provisioning/dashboards/more.yaml", boards: everything},
		{name: "a .lint file", edit: func(t *testing.T, top string) {
			write(t, filepath.Join(top, "infra/boards/.lint"), "exclusions: {}\n")
		}, files: []string{"boards/.lint"}, all: "boards/.lint", boards: everything},
		{name: "the configuration", edit: func(t *testing.T, top string) {
			write(t, filepath.Join(top, "panelgate.yml"), "version: 1\n")
		}, files: []string{"../panelgate.yml"}, all: "../panelgate.yml", boards: everything},
		{name: "the scenario", edit: func(t *testing.T, top string) {
			write(t, filepath.Join(top, "worlds/own.yaml"), "version: 1\n# other\n")
		}, files: []string{"../worlds/own.yaml"}, all: "../worlds/own.yaml", boards: everything},
		{name: "a datasource touches who asks it, or may", edit: func(t *testing.T, top string) {
			write(t, filepath.Join(top, "infra/provisioning/datasources/two.yaml"), provisioned("Second", "two"))
		}, files: []string{"provisioning/datasources/two.yaml"},
			boards: []string{"boards/default.json", "boards/two.json", "boards/variable.json"}},
		{name: "a datasource that goes touches who asked it", edit: func(t *testing.T, top string) {
			require.NoError(t, os.Remove(filepath.Join(top, "infra/provisioning/datasources/one.yaml")))
		}, files: []string{"provisioning/datasources/one.yaml"},
			boards: []string{"boards/default.json", "boards/one.json", "boards/variable.json"}},
		{name: "what main did meanwhile is not the branch's", edit: func(t *testing.T, top string) {
			git(t, top, "checkout", "--quiet", "main")
			write(t, filepath.Join(top, "infra/prometheus/prometheus.yml"), "scrape_configs: []\n")
			commit(t, top, "on main")
			git(t, top, "checkout", "--quiet", "branch")
			write(t, filepath.Join(top, "infra/boards/two.json"), board("b-two", `{"uid": "one"}`))
		}, files: []string{"boards/two.json"}, boards: []string{"boards/two.json"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			top := repository(t)
			c.edit(t, top)
			s, got := touched(t, top)
			assert.ElementsMatch(t, c.files, got.Files)
			assert.Equal(t, c.all, got.All)
			assert.ElementsMatch(t, c.boards, got.Dashboards)
			assert.Equal(t, len(s.Dashboards), got.Of)
			assert.Equal(t, len(c.files) == 0, got.Nothing())
		})
	}
}

// A dashboard that the stack links to from elsewhere is touched where it is.
func TestTouchedThroughALink(t *testing.T) {
	t.Parallel()
	top := repository(t)
	git(t, top, "checkout", "--quiet", "main")
	write(t, filepath.Join(top, "infra/prometheus/linked.json"), board("b-linked", `{"uid": "two"}`))
	require.NoError(t, os.Symlink("../prometheus/linked.json", filepath.Join(top, "infra/boards/linked.json")))
	commit(t, top, "a link")
	git(t, top, "checkout", "--quiet", "-B", "branch")
	_, none := touched(t, top)
	assert.True(t, none.Nothing())
	write(t, filepath.Join(top, "infra/prometheus/linked.json"), board("b-linked", `{"uid": "one"}`))
	_, got := touched(t, top)
	assert.Equal(t, []string{"boards/linked.json"}, got.Dashboards)
}

func TestConcerns(t *testing.T) {
	t.Parallel()
	top := repository(t)
	write(t, filepath.Join(top, "infra/boards/one.json"), board("b-one", `{"uid": "two"}`))
	s, got := touched(t, top)
	for _, c := range []struct {
		finding rule.Finding
		want    bool
	}{
		{rule.Finding{Pos: source.Pos{File: "boards/one.json"}}, true},
		{rule.Finding{Pos: source.Pos{File: "../panelgate.yml"}, Dashboard: "b-one"}, true},
		{rule.Finding{Pos: source.Pos{File: "boards/two.json"}, Dashboard: "b-two"}, false},
		{rule.Finding{Pos: source.Pos{File: "prometheus/prometheus.yml"}}, false},
	} {
		assert.Equal(t, c.want, got.Concerns(s, c.finding), "%+v", c.finding)
	}
	assert.Equal(t, "checked 1 of 5 dashboards: those touched since main", got.Note(1))
}

func TestChangedRefuses(t *testing.T) {
	t.Parallel()
	top := repository(t)
	dir := filepath.Join(top, "infra")
	t.Run("an unknown revision", func(t *testing.T) {
		t.Parallel()
		_, err := since.Changed(t.Context(), dir, "nowhere")
		require.ErrorContains(t, err, "--since nowhere: no such revision")
	})
	t.Run("an option", func(t *testing.T) {
		t.Parallel()
		out := filepath.Join(t.TempDir(), "out")
		_, err := since.Changed(t.Context(), dir, "--output="+out)
		require.ErrorContains(t, err, "no such revision")
		assert.NoFileExists(t, out)
	})
	t.Run("no repository", func(t *testing.T) {
		t.Parallel()
		_, err := since.Changed(t.Context(), t.TempDir(), "main")
		require.ErrorContains(t, err, "no revision can be looked up")
	})
	t.Run("a shallow clone", func(t *testing.T) {
		t.Parallel()
		origin := repository(t)
		write(t, filepath.Join(origin, "infra/boards/two.json"), board("b-two", `{"uid": "one"}`))
		commit(t, origin, "two commits")
		git(t, origin, "checkout", "--quiet", "main")
		write(t, filepath.Join(origin, "README.md"), "main went on\n")
		commit(t, origin, "on main")
		clone := filepath.Join(t.TempDir(), "clone")
		git(t, origin, "clone", "--quiet", "--depth=1", "--no-single-branch", "--branch=branch", "file://"+filepath.ToSlash(origin), clone)
		for rev, what := range map[string]string{"origin/main": "no commit in common with HEAD", "v1.0": "no such revision"} {
			_, err := since.Changed(t.Context(), filepath.Join(clone, "infra"), rev)
			require.ErrorContains(t, err, what)
			assert.Contains(t, err.Error(), "fetch-depth: 0")
		}
	})
	t.Run("histories of their own", func(t *testing.T) {
		t.Parallel()
		other := repository(t)
		git(t, other, "checkout", "--quiet", "--orphan", "alone")
		commit(t, other, "another beginning")
		_, err := since.Changed(t.Context(), filepath.Join(other, "infra"), "main")
		require.ErrorContains(t, err, "no commit in common with HEAD")
		assert.False(t, strings.Contains(err.Error(), "fetch-depth"))
	})
}
