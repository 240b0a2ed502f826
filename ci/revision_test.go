package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// repository is a git repository of the test.
type repository struct {
	t   *testing.T
	dir string
}

func newRepository(t *testing.T) *repository {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("needs git")
	}
	t.Setenv("TMPDIR", t.TempDir())
	r := &repository{t, t.TempDir()}
	r.git("init", "--quiet", "--initial-branch=main")
	return r
}

// git runs git in the repository.
func (r *repository) git(args ...string) {
	r.t.Helper()
	cmd := exec.Command("git", append([]string{"-C", r.dir, "-c", "user.name=A Name", "-c", "user.email=name@example.org",
		"-c", "commit.gpgsign=false", "-c", "protocol.file.allow=always"}, args...)...)
	out, err := cmd.CombinedOutput()
	require.NoError(r.t, err, "git %v: %s", args, out)
}

func (r *repository) write(name, content string) {
	r.t.Helper()
	file := filepath.Join(r.dir, name)
	require.NoError(r.t, os.MkdirAll(filepath.Dir(file), 0o755))
	require.NoError(r.t, os.WriteFile(file, []byte(content), 0o644))
}

// commit commits all there is, under a tag.
func (r *repository) commit(tag string) {
	r.t.Helper()
	r.git("add", "--all")
	r.git("commit", "--quiet", "--message", tag)
	r.git("tag", tag)
}

// untouched wants that nothing was left behind and the work tree is as it was.
func (r *repository) untouched() {
	r.t.Helper()
	entries, err := os.ReadDir(os.TempDir())
	require.NoError(r.t, err)
	assert.Empty(r.t, entries, "left in the temporary directory")
	out, err := exec.Command("git", "-C", r.dir, "status", "--porcelain").CombinedOutput()
	require.NoError(r.t, err)
	assert.Empty(r.t, string(out))
}

func TestCheckout(t *testing.T) {
	r := newRepository(t)
	r.write("infra/stack/docker-compose.yml", "one")
	r.write("infra/shared/prometheus.yml", "beside the stack")
	r.write(".gitattributes", "infra/shared export-ignore\n")
	r.write("infra/stack/.env", "PORT=1")
	require.NoError(t, os.Symlink("../shared/prometheus.yml", filepath.Join(r.dir, "infra/stack/link.yml")))
	r.commit("v1")
	r.write("infra/stack/docker-compose.yml", "two")
	r.commit("v2")

	dir, remove, err := checkout(t.Context(), filepath.Join(r.dir, "infra", "stack"), "v1")
	require.NoError(t, err)
	for name, want := range map[string]string{
		"docker-compose.yml": "one", "../shared/prometheus.yml": "beside the stack", "link.yml": "beside the stack", ".env": "PORT=1",
	} {
		got, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		assert.Equal(t, want, string(got), name)
	}
	require.NoError(t, remove())
	r.untouched()

	t.Run("where a hook has another repository in its environment", func(t *testing.T) {
		t.Setenv("GIT_DIR", "/nowhere")
		t.Setenv("GIT_INDEX_FILE", "/nowhere/index")
		dir, remove, err := checkout(t.Context(), filepath.Join(r.dir, "infra", "stack"), "HEAD~1")
		require.NoError(t, err)
		assert.FileExists(t, filepath.Join(dir, "docker-compose.yml"))
		require.NoError(t, remove())
	})
	t.Run("at the top of the repository", func(t *testing.T) {
		dir, remove, err := checkout(t.Context(), r.dir, "v1")
		require.NoError(t, err)
		assert.FileExists(t, filepath.Join(dir, "infra/stack/docker-compose.yml"))
		require.NoError(t, remove())
	})
}

// A hook of the repository is somebody's program, and none is run.
func TestCheckoutRunsNoHook(t *testing.T) {
	r := newRepository(t)
	r.write("stack/a", "a")
	r.commit("v1")
	for _, hook := range []string{"post-checkout", "post-index-change"} {
		file := filepath.Join(r.dir, ".git", "hooks", hook)
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, []byte("#!/bin/sh\ntouch \""+r.dir+"/ran\"\n"), 0o755))
	}
	_, remove, err := checkout(t.Context(), filepath.Join(r.dir, "stack"), "v1")
	require.NoError(t, err)
	require.NoError(t, remove())
	r.untouched()
}

func TestCheckoutOfSubmodule(t *testing.T) {
	inner := newRepository(t)
	inner.write("docker-compose.yml", "one")
	inner.commit("v1")
	inner.write("docker-compose.yml", "two")
	inner.commit("v2")
	outer := newRepository(t)
	outer.git("submodule", "--quiet", "add", inner.dir, "stack")
	outer.commit("v1")

	dir, remove, err := checkout(t.Context(), filepath.Join(outer.dir, "stack"), "v1")
	require.NoError(t, err, "the submodule is the repository that the stack lies in")
	got, err := os.ReadFile(filepath.Join(dir, "docker-compose.yml"))
	require.NoError(t, err)
	assert.Equal(t, "one", string(got))
	require.NoError(t, remove())
	outer.untouched()
}

func TestCheckoutOfNothing(t *testing.T) {
	r := newRepository(t)
	r.write("README", "no stack yet")
	r.commit("v1")
	r.write("stack/docker-compose.yml", "")
	r.commit("v2")
	stackDir := filepath.Join(r.dir, "stack")
	for rev, want := range map[string]string{
		"v1":      "the repository has no stack at that revision",
		"v3":      "neither a directory nor a revision of the repository",
		"--help":  "neither a directory nor a revision of the repository",
		"v1:READ": "neither a directory nor a revision of the repository",
		"":        "neither a directory nor a revision of the repository",
	} {
		_, remove, err := checkout(t.Context(), stackDir, rev)
		require.ErrorContains(t, err, want, rev)
		require.NoError(t, remove())
	}
	r.untouched()

	shallow := &repository{t, filepath.Join(t.TempDir(), "clone")}
	out, err := exec.Command("git", "clone", "--quiet", "--depth=1", "--no-tags", "file://"+r.dir, shallow.dir).CombinedOutput()
	require.NoError(t, err, string(out))
	_, _, err = checkout(t.Context(), filepath.Join(shallow.dir, "stack"), "v1")
	require.ErrorContains(t, err, "fetch-depth: 0")

	t.Setenv("GIT_CEILING_DIRECTORIES", os.TempDir())
	plain := filepath.Join(os.TempDir(), "plain")
	require.NoError(t, os.Mkdir(plain, 0o755))
	_, _, err = checkout(t.Context(), plain, "v1")
	require.ErrorContains(t, err, "not a git repository")
	t.Setenv("PATH", "")
	_, _, err = checkout(t.Context(), stackDir, "v1")
	require.ErrorContains(t, err, "there is no git")
}
