package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// offers are what a shell is given for the last of the words.
func offers(t *testing.T, words ...string) []string {
	t.Helper()
	var out bytes.Buffer
	require.Equal(t, exitClean, run(t.Context(), append([]string{"__complete"}, words...), &out, io.Discard))
	return strings.Split(strings.TrimSpace(out.String()), "\n")
}

func TestCompletion(t *testing.T) {
	without(t)
	const noFiles = ":4"
	assert.Equal(t, []string{"error", "warning", "info", noFiles}, offers(t, "--fail-on", ""))
	assert.Equal(t, []string{"triton\tTriton Inference Server", noFiles}, offers(t, "--stack", "../stack", "--dashboard", ""))
	assert.Contains(t, offers(t, "--stack", "../stack", "--service", ""), "prometheus=prometheus\tprom/prometheus:v3.15.0")
	assert.Contains(t, offers(t, "lint", "--stack", "../stack", "--dashboard", ""), "triton\tTriton Inference Server")
	assert.Contains(t, offers(t, "check", "--env", ""), "docker\tcontainers of its own images")
	assert.Contains(t, offers(t, "explain", ""), "panel/no-data\t"+summaryOf(t, "panel/no-data"))
	assert.Equal(t, []string{noFiles}, offers(t, "explain", "panel/no-data", ""), "it takes one rule")
	assert.Contains(t, offers(t, "fix", "--rule", ""), "dashboard/id-set")
	assert.Contains(t, strings.Join(offers(t, "selftest", "--operator", ""), "\n"), "unit-changed\t")

	t.Setenv("PANELGATE_STACK", "../stack")
	assert.Contains(t, offers(t, "--dashboard", ""), "triton\tTriton Inference Server", "the twin says where the stack is")
	t.Setenv("PANELGATE_STACK", t.TempDir())
	assert.Equal(t, []string{noFiles}, offers(t, "--dashboard", ""), "there is nothing to offer")
}

// TestCompletionOfHostileTitles has a dashboard whose title is no line for a terminal.
func TestCompletionOfHostileTitles(t *testing.T) {
	without(t)
	dir := t.TempDir()
	require.NoError(t, copyStack("../stack", dir))
	board := filepath.Join(dir, "grafana/provisioning/dashboards/boards/triton.json")
	data, err := os.ReadFile(board)
	require.NoError(t, err)
	data = bytes.Replace(data, []byte(`"title": "Triton Inference Server"`), []byte(`"title": "Tri\u001b[2J\nton\tserver"`), 1)
	require.NoError(t, os.WriteFile(board, data, 0o600))
	assert.Equal(t, []string{"triton\tTri\uFFFD[2J ton server", ":4"}, offers(t, "--stack", dir, "--dashboard", ""))
}

func TestCompletionScripts(t *testing.T) {
	for shell, want := range map[string]string{
		"bash": "complete -o default -F __start_panelgate panelgate", "zsh": "#compdef panelgate", "fish": "complete -c panelgate", "powershell": "Register-ArgumentCompleter -CommandName 'panelgate'",
	} {
		var out bytes.Buffer
		require.Equal(t, exitClean, run(t.Context(), []string{"completion", shell}, &out, io.Discard))
		assert.Contains(t, out.String(), want, shell)
	}
}

func summaryOf(t *testing.T, id string) string {
	t.Helper()
	for _, line := range ruleCompletions() {
		if rule, summary, _ := strings.Cut(line, "\t"); rule == id {
			return summary
		}
	}
	t.Fatalf("no rule %s", id)
	return ""
}
