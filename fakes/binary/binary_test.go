package binary

import (
	"context"
	"crypto/sha256"
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// maxSize is what copying the binary into a container may cost.
const maxSize = 15 << 20

func TestBuild(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles")
	}
	// What a user may have set must not matter.
	t.Setenv("GOFLAGS", "-mod=vendor")
	t.Setenv("GOWORK", filepath.Join(t.TempDir(), "go.work"))
	t.Setenv("CGO_ENABLED", "1")
	t.Setenv("GO111MODULE", "off")
	for arch, machine := range map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64} {
		t.Run(arch, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "fakes")
			require.NoError(t, Build(t.Context(), Fakes, out, "linux", arch))
			info, err := os.Stat(out)
			require.NoError(t, err)
			assert.Less(t, info.Size(), int64(maxSize))
			t.Logf("%d bytes", info.Size())
			file, err := elf.Open(out)
			require.NoError(t, err)
			defer func() { require.NoError(t, file.Close()) }()
			assert.Equal(t, machine, file.Machine)
			for _, program := range file.Progs {
				assert.NotEqual(t, elf.PT_INTERP, program.Type, "it wants a dynamic linker")
			}
			if runtime.GOOS == "linux" && runtime.GOARCH == arch {
				help, err := exec.CommandContext(t.Context(), out, "--help").Output()
				require.NoError(t, err)
				assert.Contains(t, string(help), "fakes serve")
			}
		})
	}
}

func TestBuildErrors(t *testing.T) {
	out := filepath.Join(t.TempDir(), "fakes")
	t.Run("no such platform", func(t *testing.T) {
		err := Build(t.Context(), Fakes, out, "linux", "z80")
		require.ErrorContains(t, err, "build fakes for linux/z80: go build: exit status")
		assert.ErrorContains(t, err, "unsupported GOOS/GOARCH pair linux/z80")
	})
	t.Run("a directory", func(t *testing.T) {
		assert.ErrorContains(t, Build(t.Context(), Fakes, t.TempDir(), "linux", "amd64"), "is a directory")
	})
	t.Run("stopped", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		assert.ErrorIs(t, Build(ctx, Fakes, out, "linux", "amd64"), context.Canceled)
	})
	t.Run("no go", func(t *testing.T) {
		t.Setenv("PATH", t.TempDir())
		assert.ErrorIs(t, Build(t.Context(), Fakes, out, "linux", "amd64"), ErrNoGo)
	})
	assert.NoFileExists(t, out)
}

func TestFindSource(t *testing.T) {
	goCommand, err := exec.LookPath("go")
	require.NoError(t, err)
	root := recordedRoot()
	require.FileExists(t, filepath.Join(root, "go.mod"))

	elsewhere := t.TempDir()
	t.Setenv("GOWORK", "off")
	t.Setenv("GOFLAGS", "-mod=vendor")
	writeModule := func(t *testing.T, requirement string) string {
		dir := t.TempDir()
		text := "module example.com/dashboards\n\ngo 1.26.0\n" + requirement
		require.NoError(t, os.WriteFile(filepath.Join(dir, "go.mod"), []byte(text), 0o600))
		return dir
	}
	for _, tc := range []struct {
		name, recorded, from string
		err                  error
	}{
		{"where it was compiled", root, elsewhere, nil},
		{"in the working directory", "", filepath.Join(root, "fakes", "plan"), nil},
		{"compiled in a place that is gone", filepath.Join(elsewhere, "gone"), root, nil},
		{"compiled where something else is now", elsewhere, root, nil},
		{"required", "", writeModule(t, "\nrequire "+modulePath+" v0.0.0\n\nreplace "+modulePath+" => "+root+"\n"), nil},
		{"no module", "", elsewhere, ErrNoSource},
		{"another module", "", writeModule(t, ""), ErrNoSource},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Chdir(tc.from)
			found, err := findSource(t.Context(), goCommand, tc.recorded)
			require.ErrorIs(t, err, tc.err)
			if tc.err == nil {
				assert.Equal(t, root, found)
			}
		})
	}
}

func TestTailKeepsTheEnd(t *testing.T) {
	assert.Equal(t, "short", tail("short\n"))
	long := tail(strings.Repeat("x", 2*tailSize) + "end")
	assert.True(t, strings.HasSuffix(long, "end"))
	assert.Less(t, len(long), tailSize+10)
}

func TestKeyTellsBuildsApart(t *testing.T) {
	one, err := Key(t.Context(), Fakes, "linux", "amd64")
	require.NoError(t, err)
	again, err := Key(t.Context(), Fakes, "linux", "amd64")
	require.NoError(t, err)
	assert.Equal(t, one, again)
	other, err := Key(t.Context(), Fakes, "linux", "arm64")
	require.NoError(t, err)
	assert.NotEqual(t, one, other)
	gate, err := Key(t.Context(), Gate, "linux", "amd64")
	require.NoError(t, err)
	assert.NotEqual(t, one, gate)
	t.Setenv("PATH", "")
	_, err = Key(t.Context(), Fakes, "linux", "amd64")
	require.ErrorIs(t, err, ErrNoGo)
}

func TestHashTree(t *testing.T) {
	root := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		file := filepath.Join(root, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
	}
	sum := func() string {
		t.Helper()
		h := sha256.New()
		require.NoError(t, hashTree(h, root, "fakes"))
		return string(h.Sum(nil))
	}
	write("fakes/a.go", "package fakes")
	before := sum()
	write("fakes/a_test.go", "package fakes")
	write("fakes/testdata/x", "x")
	assert.Equal(t, before, sum(), "tests are not built")
	write("fakes/b.yaml", "x: 1")
	assert.NotEqual(t, before, sum())
	require.Error(t, hashTree(sha256.New(), root, "gone"))
}

func TestPrograms(t *testing.T) {
	assert.Equal(t, "fakes", Fakes.Name())
	assert.Equal(t, "panelgate", Gate.Name())
	for _, p := range []Program{Fakes, Gate} {
		assert.FileExists(t, filepath.Join(recordedRoot(), filepath.FromSlash(string(p)), "main.go"))
		_, ok := Own(p, runtime.GOOS, runtime.GOARCH)
		assert.False(t, ok, "a test is neither")
	}
}

func TestBuildGate(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles")
	}
	out := filepath.Join(t.TempDir(), Gate.Name())
	require.NoError(t, Build(t.Context(), Gate, out, runtime.GOOS, runtime.GOARCH))
	help, err := exec.CommandContext(t.Context(), out, "--help").CombinedOutput()
	require.NoError(t, err, string(help))
	assert.Contains(t, string(help), "panelgate")
}

func TestHashTreeOfAll(t *testing.T) {
	root := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		file := filepath.Join(root, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o700))
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	}
	sum := func() string {
		t.Helper()
		h := sha256.New()
		require.NoError(t, hashTree(h, root, "."))
		return string(h.Sum(nil))
	}
	write("go.mod", "module x")
	write("ci/main.go", "package main")
	before := sum()
	for _, name := range []string{".git/HEAD", "_old/a.go", "tools/go.mod", "ci/.cache/x", "e2e/testdata/x", "ci/main_test.go"} {
		write(name, "x")
		assert.Equal(t, before, sum(), name)
	}
	seen := map[string]string{before: "nothing"}
	for _, name := range []string{"go.sum", "stack/compose.yml", "docs/rules/x.md", "ci/other.go"} {
		write(name, "x")
		now := sum()
		assert.Empty(t, seen[now], name)
		seen[now] = name
	}
	write("ci/main.go", "package other")
	assert.NotContains(t, seen, sum(), "what is in a file")
}
