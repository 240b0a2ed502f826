package e2e

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/e2e/config"
	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/internal/material"
	"github.com/panelgate/panelgate/stack"
)

var update = flag.Bool("update", false, "write the golden files of the corpus anew, keeping the notes of lines that stay")

// filled is what an import would put in for the inputs of an exported dashboard.
var filled = regexp.MustCompile(`\$\{DS_[A-Za-z0-9_-]+\}`)

// TestCorpus holds the findings for dashboards of others against golden files. Each
// line is one finding, and says after the bar what reading the dashboard makes of it.
// Dashboards that were exported for import are read once as they are, and once with
// what an import fills in, so that their panels are asked.
func TestCorpus(t *testing.T) {
	root := material.Path(t, "corpus", "dashboards")
	files, err := filepath.Glob(filepath.Join(root, "*", "*.json"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		t.Run(name, func(t *testing.T) {
			data, err := os.ReadFile(file)
			require.NoError(t, err)
			var lines []string
			if filled.Match(data) {
				s := withBoard(t, string(data))
				lines = append(lines, toldOf("as it is", Lint(s, Options{Config: &config.Config{}}).Findings, "datasource/", "dashboard/")...)
			}
			r, err := Verify(t.Context(), withBoard(t, filled.ReplaceAllString(string(data), "prometheus")), Options{Config: &config.Config{}, History: time.Hour})
			require.NoError(t, err)
			lines = append(lines, toldOf("asked", r.Findings)...)
			golden(t, filepath.Join("testdata", "corpus", name+".golden"), lines)
		})
	}
}

// TestCorpusStack is the same for a whole stack of somebody else's.
func TestCorpusStack(t *testing.T) {
	dir := material.Path(t, "corpus", "stacks", "triton-mlops-deployment", "configs")
	s, err := stack.Load(t.Context(), dir)
	require.NoError(t, err)
	r, err := Verify(t.Context(), s, Options{Config: &config.Config{}, History: time.Hour})
	require.NoError(t, err)
	golden(t, filepath.Join("testdata", "corpus", "stack.golden"), toldOf("asked", r.Findings))
}

// withBoard is the shipped stack with another dashboard in the place of its own.
func withBoard(t *testing.T, board string) *stack.Stack {
	t.Helper()
	s, err := stack.Load(t.Context(), copyShipped(t, func(string) string { return board }))
	require.NoError(t, err)
	return s
}

// toldOf is a line for each finding of warning and above, of areas where some are named.
func toldOf(when string, found []rule.Finding, areas ...string) []string {
	var out []string
	missing := 0
	for _, f := range found {
		if f.Rule == "panel/no-data" && f.Reason == "metric-missing" {
			missing++ // of which there are hundreds, and one reason for all
			continue
		}
		if f.Severity < rule.Info || strings.HasPrefix(f.Rule, "stack/") && len(f.Pos.File) > 0 && !strings.HasSuffix(f.Pos.File, ".yaml") ||
			len(areas) > 0 && !slices.ContainsFunc(areas, func(a string) bool { return strings.HasPrefix(f.Rule, a) }) {
			continue
		}
		line := fmt.Sprintf("%s: %s %s %d:%d", when, f.Severity, f.Rule, f.Pos.Line, f.Pos.Column)
		if !strings.HasSuffix(f.Pos.File, ".json") {
			line = fmt.Sprintf("%s: %s %s %s:%d:%d", when, f.Severity, f.Rule, filepath.Base(f.Pos.File), f.Pos.Line, f.Pos.Column)
		}
		if f.PanelID != 0 {
			line += fmt.Sprintf(" panel %d %s", f.PanelID, f.RefID)
		}
		if f.Reason != "" {
			line += " " + f.Reason
		}
		out = append(out, strings.TrimSpace(line))
	}
	slices.Sort(out)
	if missing > 0 {
		out = append(out, fmt.Sprintf("%s: %d times error panel/no-data metric-missing", when, missing))
	}
	return out
}

// golden compares lines with those of a file, whose notes behind a bar are people's.
func golden(t *testing.T, file string, lines []string) {
	t.Helper()
	notes := map[string]string{}
	var want []string
	data, err := os.ReadFile(file)
	if err != nil && !*update {
		require.NoError(t, err)
	}
	for _, line := range strings.Split(strings.TrimRight(string(data), "\n"), "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		finding, note, _ := strings.Cut(line, " | ")
		notes[finding] = note
		want = append(want, finding)
	}
	if *update {
		var b strings.Builder
		for _, l := range lines {
			b.WriteString(l + " | " + notes[l] + "\n")
		}
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, []byte(b.String()), 0o644))
		return
	}
	assert.Equal(t, want, lines)
	for finding, note := range notes {
		assert.NotEmpty(t, note, "nobody has said yet whether this is right: %s", finding)
	}
}
