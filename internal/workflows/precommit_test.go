package workflows

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/panelgate/panelgate/internal/material"
	"github.com/panelgate/panelgate/internal/need"
)

// hook is an entry of .pre-commit-hooks.yaml.
type hook struct {
	ID            string
	Name          string
	Description   string
	Language      string
	Entry         string
	Files         string
	PassFilenames *bool `yaml:"pass_filenames"`
	RequireSerial bool  `yaml:"require_serial"`
}

func TestHooks(t *testing.T) {
	var hooks []hook
	decoder := yaml.NewDecoder(bytes.NewReader(read(t, ".pre-commit-hooks.yaml")))
	decoder.KnownFields(true)
	require.NoError(t, decoder.Decode(&hooks))
	require.Len(t, hooks, 2)
	for _, h := range hooks {
		// The command takes no files: it looks at the stack as a whole.
		require.NotNil(t, h.PassFilenames, h.ID)
		assert.False(t, *h.PassFilenames, h.ID)
		// pre-commit builds with `go install ./...`, which names a command by its directory.
		assert.Equal(t, "golang", h.Language)
		command, _, _ := strings.Cut(h.Entry, " ")
		assert.FileExists(t, filepath.Join(material.ModuleRoot(t), command, "main.go"))

		files := regexp.MustCompile(h.Files)
		for name, matches := range map[string]bool{
			"docker-compose.yml": true, "monitoring/prometheus.yaml": true, "boards/gpu.json": true, "alerts.rules": true,
			".env": true, "stack/.lint": true, "prod.env": true, "panelgate.yml": true,
			"README.md": false, "main.go": false, "environment": false, "a.json.bak": false,
		} {
			assert.Equal(t, matches, files.MatchString(name), "%s: %s", h.ID, name)
		}
	}
}

// The real pre-commit builds the hooks from a clone and runs them in another repository.
func TestPreCommit(t *testing.T) {
	if testing.Short() {
		t.Skip("the program is not built with -short")
	}
	preCommit := need.Program(t, "pre-commit")
	source, user := t.TempDir(), t.TempDir()
	commitModule(t, source)
	copyStack(t, filepath.Join(material.ModuleRoot(t), "stack"), filepath.Join(user, "monitoring"))
	write(t, "prose", user, "README.md")
	write(t, `repos:
  - repo: `+source+`
    rev: `+git(t, source, "rev-parse", "HEAD")+`
    hooks:
      - id: panelgate-lint
        args: [--stack, monitoring]
      - id: panelgate
        args: [--stack, monitoring]
`, user, ".pre-commit-config.yaml")
	git(t, user, "init", "-q", "-b", "main")
	git(t, user, "add", ".")

	modules, err := exec.CommandContext(t.Context(), "go", "env", "GOMODCACHE").Output()
	require.NoError(t, err)
	home := t.TempDir()
	run := func(args ...string) (string, error) {
		command := exec.CommandContext(t.Context(), preCommit, append([]string{"run", "--color=never"}, args...)...)
		command.Dir = user
		command.Env = append(os.Environ(), "PRE_COMMIT_HOME="+home, "GIT_CONFIG_GLOBAL=/dev/null", "PANELGATE_ENV=",
			// What is there is not fetched and compiled once more.
			"GOMODCACHE="+strings.TrimSpace(string(modules)), "CGO_ENABLED=0", "GOFLAGS=-trimpath")
		out, err := command.CombinedOutput()
		return string(out), err
	}

	out, err := run("--all-files")
	require.NoError(t, err, out)
	assert.Equal(t, 2, strings.Count(out, "Passed"), out)

	out, err = run("--files", "README.md")
	require.NoError(t, err, out)
	assert.Equal(t, 2, strings.Count(out, "Skipped"), out)

	board := breakStack(t, filepath.Join(user, "monitoring"))
	out, err = run("--files", board)
	require.Error(t, err, out)
	assert.Regexp(t, `panelgate lint\.+Passed`, out) // the files alone do not tell
	assert.Regexp(t, `panelgate\.+Failed`, out)
	assert.Contains(t, out, "metric-missing")
}

// commitModule makes a repository of the module's files as they are now.
func commitModule(t *testing.T, dir string) {
	t.Helper()
	root := material.ModuleRoot(t)
	require.NoError(t, filepath.WalkDir(root, func(name string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, name)
		switch {
		case err != nil:
			return err
		case rel == ".git" && d.IsDir(), rel == "bin":
			return filepath.SkipDir
		case rel == ".git" || !d.Type().IsRegular():
			return nil // a work tree's .git is a file
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		to := filepath.Join(dir, rel)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		return os.WriteFile(to, data, 0o644)
	}))
	git(t, dir, "init", "-q", "-b", "main")
	git(t, dir, "add", "--all", "--force", ".")
	git(t, dir, "commit", "-qm", "as it is")
}
