package main

import (
	"bytes"
	"flag"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestHelp(t *testing.T) {
	for _, cmd := range commandsOf(newRoot(io.Discard, io.Discard)) {
		if strings.HasPrefix(cmd.CommandPath(), "panelgate completion ") {
			continue // cobra's
		}
		t.Run(cmd.CommandPath(), func(t *testing.T) {
			args := slices.Concat(strings.Fields(cmd.CommandPath())[1:], []string{"--help"})
			var got, stderr bytes.Buffer
			require.Equal(t, exitClean, run(t.Context(), args, &got, &stderr))
			assert.Empty(t, stderr.String())
			for line := range strings.Lines(got.String()) {
				assert.LessOrEqual(t, utf8.RuneCountInString(strings.TrimSuffix(line, "\n")), 100, line)
			}
			assert.NotContains(t, got.String(), "\nOthers:", "every flag has its heading in flagGroups")
			assert.Contains(t, got.String(), "\nExit codes:\n")
			golden := filepath.Join("testdata", "help", strings.ReplaceAll(cmd.CommandPath(), " ", "-")+".txt")
			if *update {
				require.NoError(t, os.MkdirAll(filepath.Dir(golden), 0o755))
				require.NoError(t, os.WriteFile(golden, got.Bytes(), 0o644))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err, "go test ./ci -run TestHelp -update writes it")
			assert.Equal(t, string(want), got.String(), "go test ./ci -run TestHelp -update writes it anew")
		})
	}
}

// TestExamplesOfTheHelp wants an example of each command of ours, whose flags exist.
func TestExamplesOfTheHelp(t *testing.T) {
	for _, cmd := range newRoot(io.Discard, io.Discard).Commands() {
		if cmd.Name() != "help" && cmd.Name() != "completion" {
			assert.Contains(t, cmd.Example, "go run ./ci "+cmd.Name(), cmd.Name())
		}
	}
}
