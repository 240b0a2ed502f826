package leak

import (
	"go/build"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/internal/material"
)

// left names, in the environment, how the run of this test binary in another process
// is to end.
const left = "PANELGATE_TEST_LEFT"

func TestMain(m *testing.M) { Main(m) }

// TestInAnotherProcess is what the runs in other processes consist of.
func TestInAnotherProcess(t *testing.T) {
	switch os.Getenv(left) {
	case "nothing":
	case "goroutine":
		started := make(chan struct{})
		go func() { close(started); select {} }()
		<-started
	case "failure":
		go func() { select {} }()
		t.Error("as it was told")
	default:
		t.Skip("it is started by TestGoroutinesThatAreLeft")
	}
}

func TestGoroutinesThatAreLeft(t *testing.T) {
	for what, want := range map[string]struct{ code, says string }{
		"nothing":   {"", "^PASS\n"},
		"goroutine": {"exit status 1", "leave goroutines behind: .*\n.*TestInAnotherProcess"},
		"failure":   {"exit status 1", "as it was told"},
	} {
		t.Run(what, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestInAnotherProcess$")
			cmd.Env = append(os.Environ(), left+"="+what)
			out, err := cmd.CombinedOutput()
			if want.code == "" {
				require.NoError(t, err, string(out))
			} else {
				require.EqualError(t, err, want.code, string(out))
			}
			assert.Regexp(t, want.says, string(out))
		})
	}
}

// looks is a TestMain that goes through this package.
var looks = regexp.MustCompile(`(?s)func TestMain\(m \*testing\.M\) \{.*\b(leak\.)?(Main\(m\)|Checked\{M: m\})`)

// checksLeaks says whether the tests of a package, if it has any, look for what they
// leave.
func checksLeaks(dir string) (bool, error) {
	p, err := build.ImportDir(dir, 0)
	if err != nil {
		return false, err
	}
	files := slices.Concat(p.TestGoFiles, p.XTestGoFiles)
	for _, name := range files {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return false, err
		}
		if looks.Match(text) {
			return true, nil
		}
	}
	return len(files) == 0, nil
}

func TestEveryPackageLooksForLeaks(t *testing.T) {
	root := material.ModuleRoot(t)
	cmd := exec.CommandContext(t.Context(), "go", "list", "-f", "{{.Dir}}", "./...")
	cmd.Dir = root
	cmd.Stderr = io.Discard
	out, err := cmd.Output()
	require.NoError(t, err)
	dirs := regexp.MustCompile(`\S.*`).FindAllString(string(out), -1)
	require.Greater(t, len(dirs), 50)
	for _, dir := range dirs {
		checked, err := checksLeaks(dir)
		require.NoError(t, err)
		assert.True(t, checked, "%s has tests and no leak check: give it func TestMain(m *testing.M) { leak.Main(m) }", dir)
	}
}

func TestAPackageWithoutACheckIsSeen(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	write("a.go", "package a\n")
	checked, err := checksLeaks(dir)
	require.NoError(t, err)
	assert.True(t, checked, "it has no tests")

	write("a_test.go", "package a\n\nfunc TestMain(m *testing.M) { os.Exit(m.Run()) }\n")
	checked, err = checksLeaks(dir)
	require.NoError(t, err)
	assert.False(t, checked)
}
