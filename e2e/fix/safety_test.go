package fix

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/stack"
)

// broken is a dashboard with everything wrong that can be mended.
func broken() string {
	return `{"dashboard": ` + board(`"__inputs": [{"name": "DS_PROMETHEUS", "type": "datasource", "pluginId": "prometheus"}], "id": 5`,
		strings.Join([]string{
			reference(`{"type": "prometheus", "uid": "${DS_PROMETHEUS}"}`), reference(`{"type": "prometheus", "uid": "gone"}`), reference(`"Promethus"`),
		}, ", ")) + `}`
}

func TestEverythingAtOnce(t *testing.T) {
	dir := stackWith(t, map[string]string{
		datasourceFile: "apiVersion: 1\ndatasources:\n  - name: Prometheus\n    type: prometheus\n    url: http://prometheus:9090\n    timeInterval: 1m\n",
		boardFile:      broken(),
	})
	r := run(t, dir, Options{})
	seen := map[string]bool{}
	for _, f := range r.Applied {
		seen[f.Rule] = true
	}
	for _, id := range Rules() {
		assert.True(t, seen[id], id)
	}
	assert.Empty(t, r.Left)
	for _, f := range r.Findings {
		assert.NotContains(t, Rules(), f.Rule, f.Message)
	}
	require.Len(t, r.Changed, 2)
	for _, c := range r.Changed {
		require.NoError(t, c.Write())
	}
	again := run(t, dir, Options{})
	assert.Empty(t, again.Applied)
	assert.Empty(t, again.Changed)
}

func TestOnlyTheRulesChosen(t *testing.T) {
	dir := stackWith(t, map[string]string{boardFile: strings.Replace(board(`"id": 5`, reference(`{"uid": "prometeus"}`)), `"uid": "board",`, "", 1)})
	r := run(t, dir, Options{Rules: []string{"dashboard/id-set"}})
	require.Len(t, r.Applied, 1)
	assert.Equal(t, "dashboard/id-set", r.Applied[0].Rule)
	r = run(t, dir, Options{Severities: rule.Severities{"dashboard/id-set": rule.Off}})
	require.Len(t, r.Applied, 1, "a rule that is off has no finding to mend")
	assert.Equal(t, "datasource/uid-unknown", r.Applied[0].Rule)
	r = run(t, dir, Options{Choose: func(*stack.Board) bool { return false }})
	assert.Empty(t, r.Applied)
}

// A fix that brings another finding is left, and the others are made.
func TestAFixThatBringsAFinding(t *testing.T) {
	dir := stackWith(t, map[string]string{
		boardFile: board(`"id": 5`, cleanPanel),
		"grafana/provisioning/dashboards/boards/first.json":  board(`"id": null`, cleanPanel),
		"grafana/provisioning/dashboards/boards/second.json": `{"dashboard": ` + strings.Replace(board(`"id": null`, cleanPanel), "Board", "Another", 1) + `}`,
	})
	r := run(t, dir, Options{})
	require.Len(t, r.Left, 1)
	assert.Equal(t, "dashboard/api-wrapper", r.Left[0].Rule)
	assert.Contains(t, r.Left[0].Why, "it would bring dashboard/uid-duplicate")
	require.Len(t, r.Applied, 1)
	assert.Equal(t, "dashboard/id-set", r.Applied[0].Rule)
}

func TestFilesOutsideOfTheStackAreLeft(t *testing.T) {
	dir := stackWith(t, map[string]string{
		"deploy/docker-compose.yml":                      "services:\n  grafana:\n    image: grafana/grafana:13.2.1\n    volumes:\n      - ../boards:/boards\n      - ./provisioning:/etc/grafana/provisioning\n",
		"deploy/provisioning/dashboards/dashboards.yaml": "apiVersion: 1\nproviders:\n  - name: boards\n    type: file\n    options: {path: /boards}\n",
		"boards/board.json":                              board(`"id": 5`, cleanPanel),
	})
	r := run(t, filepath.Join(dir, "deploy"), Options{Rules: []string{"dashboard/id-set"}})
	assert.Empty(t, r.Applied)
	require.Len(t, r.Left, 1)
	assert.Contains(t, r.Left[0].Why, "outside of the stack's directory")
}

func TestSymbolicLinks(t *testing.T) {
	dir := stackWith(t, map[string]string{"kept/board.json": board(`"id": 5`, cleanPanel)})
	link := filepath.Join(dir, filepath.FromSlash(boardFile))
	require.NoError(t, os.Remove(link))
	require.NoError(t, os.Symlink(filepath.Join("..", "..", "..", "..", "kept", "board.json"), link))
	r := run(t, dir, Options{})
	require.Len(t, r.Changed, 1)
	require.NoError(t, r.Changed[0].Write())
	info, err := os.Lstat(link)
	require.NoError(t, err)
	assert.NotZero(t, info.Mode()&os.ModeSymlink, "the link is still one")
	text, err := os.ReadFile(filepath.Join(dir, "kept", "board.json"))
	require.NoError(t, err)
	assert.Contains(t, string(text), `"id": null`)
}

func TestOneFileByTwoNames(t *testing.T) {
	dir := stackWith(t, map[string]string{boardFile: board(`"id": 5`, cleanPanel)})
	require.NoError(t, os.Symlink("board.json", filepath.Join(dir, filepath.FromSlash(filepath.Dir(boardFile)), "again.json")))
	r := run(t, dir, Options{Rules: []string{"dashboard/id-set"}})
	assert.Len(t, r.Changed, 1)
}

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "board.json")
	require.NoError(t, os.WriteFile(file, []byte("old"), 0o640))
	require.NoError(t, os.Chmod(file, 0o640))
	c := Changed{Name: "board.json", Path: file, Before: []byte("old"), After: []byte("new")}
	require.NoError(t, c.Write())
	info, err := os.Stat(file)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o640), info.Mode().Perm())
	assert.ErrorContains(t, c.Write(), "changed it in the meantime")
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, "new", string(text))
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, entries, 1, "nothing is left beside it")
	require.Error(t, Changed{Name: "gone", Path: filepath.Join(dir, "gone")}.Write())
}
