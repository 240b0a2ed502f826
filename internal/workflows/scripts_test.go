package workflows

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/internal/material"
	"github.com/panelgate/panelgate/internal/need"
)

// git runs git in a directory, untouched by anybody's settings.
func git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), "git", append([]string{"-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"}, args...)...)
	command.Dir = dir
	command.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null")
	out, err := command.CombinedOutput()
	require.NoError(t, err, "git %s: %s", strings.Join(args, " "), out)
	return strings.TrimSpace(string(out))
}

func write(t *testing.T, content string, elem ...string) {
	t.Helper()
	file := filepath.Join(elem...)
	require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
	require.NoError(t, os.WriteFile(file, []byte(content), 0o644))
}

func TestChanged(t *testing.T) {
	dir := t.TempDir()
	git(t, dir, "init", "-q", "-b", "main")
	for _, file := range []string{"README.md", "docs/guide.md", "docs/rules/panel/no-data.md", "stack/old.json"} {
		write(t, "before", dir, file)
	}
	git(t, dir, "add", ".")
	git(t, dir, "commit", "-qm", "before")
	base := git(t, dir, "rev-parse", "HEAD")
	for name, test := range map[string]struct {
		base, file string
		removed    string
		code       string
	}{
		"prose":             {"HEAD^1", "docs/guide.md", "", "false"},
		"prose, new":        {base, "docs/decisions/0099-\nnews\".md", "", "false"},
		"nothing":           {base, "", "", "false"},
		"a rule's page":     {base, "docs/rules/panel/no-data.md", "", "true"},
		"an example":        {base, "docs/examples/gitlab-ci.yml", "", "true"},
		"the stack":         {base, "stack/prometheus/prometheus.yml", "", "true"},
		"the stack, less":   {base, "", "stack/old.json", "true"},
		"moved to prose":    {base, "docs/old.md", "stack/old.json", "true"},
		"an unknown base":   {strings.Repeat("0", 40), "README.md", "", "true"},
		"no base":           {"", "README.md", "", "true"},
		"a flag for a base": {"--exit-code", "README.md", "", "true"},
	} {
		t.Run(name, func(t *testing.T) {
			git(t, dir, "reset", "-q", "--hard", base)
			if test.file != "" {
				write(t, "after", dir, test.file)
			}
			if test.removed != "" {
				require.NoError(t, os.Remove(filepath.Join(dir, test.removed)))
			}
			git(t, dir, "add", "-A")
			git(t, dir, "commit", "-q", "--allow-empty", "-m", name)
			output := filepath.Join(t.TempDir(), "output")
			command := exec.CommandContext(t.Context(), filepath.Join(material.ModuleRoot(t), ".github", "changed.sh"), test.base)
			command.Dir = dir
			command.Env = append(os.Environ(), "GITHUB_OUTPUT="+output)
			out, err := command.CombinedOutput()
			require.NoError(t, err, string(out))
			got, err := os.ReadFile(output)
			require.NoError(t, err)
			assert.Equal(t, "code="+test.code+"\n", string(got))
		})
	}
}

func TestAllPassed(t *testing.T) {
	for _, test := range []struct {
		changes, results string
		passes           bool
	}{
		{"success", "success success success", true},
		{"success", "success skipped skipped", true},
		{"success", "success failure success", false},
		{"success", "success cancelled skipped", false},
		{"failure", "failure skipped skipped", false},
		{"skipped", "skipped skipped", false},
		{"success", "success surprise", false},
		{"", "", false},
	} {
		command := exec.CommandContext(t.Context(), filepath.Join(material.ModuleRoot(t), ".github", "all-passed.sh"))
		command.Env = append(os.Environ(), "CHANGES="+test.changes, "RESULTS="+test.results)
		out, err := command.CombinedOutput()
		assert.Equal(t, test.passes, err == nil, "%+v: %s", test, out)
	}
}

func TestScriptsAreLinted(t *testing.T) {
	shellcheck := need.Program(t, "shellcheck")
	root := material.ModuleRoot(t)
	files, err := filepath.Glob(filepath.Join(root, ".github", "*.sh"))
	require.NoError(t, err)
	files = append(files, filepath.Join(root, ".github", "action", "run.sh"))
	require.Len(t, files, 3)
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		assert.Contains(t, string(data), "\nset -euo pipefail\n", file)
		info, err := os.Stat(file)
		require.NoError(t, err)
		assert.NotZero(t, info.Mode()&0o111, "%s cannot be run", file)
	}
	out, err := exec.CommandContext(t.Context(), shellcheck, files...).CombinedOutput()
	assert.NoError(t, err, string(out))
}
