//go:build unix

package stack

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const oneProvider = "apiVersion: 1\nproviders: [{name: p, options: {path: /var/lib/grafana/dashboards}}]\n"

// boardsDir is a stack with one provider, and the directory that it reads.
func boardsDir(t *testing.T) (dir, boards string) {
	t.Helper()
	dir = t.TempDir()
	write(t, filepath.Join(dir, "provisioning/dashboards/p.yaml"), oneProvider)
	boards = filepath.Join(dir, "dashboards")
	write(t, filepath.Join(boards, "fine.json"), `{"uid": "fine", "title": "Fine", "panels": []}`)
	return dir, boards
}

// TestOddFiles puts one thing that is no plain file among good dashboards: it is
// reported, and the good one is read.
func TestOddFiles(t *testing.T) {
	outside := t.TempDir()
	write(t, filepath.Join(outside, "secret.json"), `{"uid": "secret"}`)
	tests := []struct {
		name string
		make func(t *testing.T, boards string)
		want string // "" for nothing to report
	}{
		{"link to itself", func(t *testing.T, b string) { link(t, "a.json", filepath.Join(b, "a.json")) },
			"dashboards/a.json: cannot be read: EvalSymlinks: too many links"},
		{"dangling link", func(t *testing.T, b string) { link(t, "none", filepath.Join(b, "a.json")) },
			"dashboards/a.json: cannot be read: no such file or directory"},
		{"link out of the stack", func(t *testing.T, b string) {
			link(t, filepath.Join(outside, "secret.json"), filepath.Join(b, "a.json"))
		},
			"dashboards/a.json: lies outside of the stack's directory"},
		{"link to a directory outside", func(t *testing.T, b string) { link(t, outside, filepath.Join(b, "sub")) }, ""},
		{"directory that holds itself", func(t *testing.T, b string) { link(t, ".", filepath.Join(b, "loop")) },
			"dashboards/loop: is a symbolic link to a directory: Grafana does not follow it"},
		{"link to a directory, named like a file", func(t *testing.T, b string) { link(t, ".", filepath.Join(b, "loop.json")) },
			"dashboards/loop.json: is a directory, a file is expected"},
		{"pipe", func(t *testing.T, b string) { require.NoError(t, syscall.Mkfifo(filepath.Join(b, "a.json"), 0o644)) },
			"dashboards/a.json: is not a regular file"},
		{"too large", func(t *testing.T, b string) {
			write(t, filepath.Join(b, "a.json"), "")
			require.NoError(t, os.Truncate(filepath.Join(b, "a.json"), 1<<40)) // holes: takes no space
		}, "dashboards/a.json: the file has 1099511627776 bytes, the limit is"},
		{"not UTF-8", func(t *testing.T, b string) { write(t, filepath.Join(b, "a.json"), "{\n\"title\": \"\xff\"}") },
			"dashboards/a.json:2:11: not valid JSON"},
		{"deep", func(t *testing.T, b string) { write(t, filepath.Join(b, "a.json"), strings.Repeat("[", 100_000)) },
			"dashboards/a.json:1:202: nested deeper than"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir, boards := boardsDir(t)
			tt.make(t, boards)
			s := load(t, dir)
			got := problems(s)
			if tt.want == "" {
				assert.Empty(t, got)
			} else if assert.Len(t, got, 1) {
				assert.Contains(t, got[0], tt.want)
			}
			require.Len(t, s.Dashboards, 1)
			assert.Equal(t, "fine", s.Dashboards[0].UID.Value)
		})
	}
}

func link(t *testing.T, target, path string) {
	t.Helper()
	require.NoError(t, os.Symlink(target, path))
}

func TestUnreadableFiles(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may read everything")
	}
	dir, boards := boardsDir(t)
	write(t, filepath.Join(boards, "a.json"), "{}")
	require.NoError(t, os.Chmod(filepath.Join(boards, "a.json"), 0))
	require.NoError(t, os.Mkdir(filepath.Join(boards, "locked"), 0))
	s := load(t, dir)
	assert.Equal(t, []string{"dashboards/a.json: cannot be read: permission denied", "dashboards/locked: cannot be read: permission denied"}, problems(s))
}

func TestLinkedStack(t *testing.T) {
	dir, boards := boardsDir(t)
	real := boards + "-real"
	require.NoError(t, os.Rename(boards, real))
	link(t, "dashboards-real", boards)
	alias := filepath.Join(t.TempDir(), "alias")
	link(t, dir, alias)
	s := load(t, alias)
	require.Empty(t, problems(s))
	require.Len(t, s.Dashboards, 1)
	assert.Equal(t, "dashboards/fine.json", s.Dashboards[0].File, "named as the stack names it")
}

func TestFileExpansionDoesNotFollowLinksOut(t *testing.T) {
	dir := t.TempDir()
	outside := filepath.Join(t.TempDir(), "secret")
	write(t, outside, "secret")
	link(t, outside, filepath.Join(dir, "token"))
	write(t, filepath.Join(dir, "compose.yaml"), "services:\n  grafana:\n    image: grafana/grafana:13.0.0\n    volumes: [./p:/etc/grafana/provisioning, ./token:/token, .:/all]\n")
	write(t, filepath.Join(dir, "p/datasources/d.yaml"), "apiVersion: 1\ndatasources:\n  - {name: a, url: \"$__file{/token}\"}\n  - {name: b, url: \"$__file{/all/token}\"}\n")
	s := load(t, dir)
	got := problems(s)
	require.Len(t, got, 2)
	assert.Contains(t, got[0], "p/datasources/d.yaml:3:20: cannot be expanded: $__file{/token}: lies outside of the stack's directory")
	assert.Contains(t, got[1], "p/datasources/d.yaml:4:20: cannot be expanded: $__file{/all/token}: no mount")
	for _, ds := range s.Datasources {
		assert.Empty(t, ds.URL.Value)
	}
}

func TestOtherServicesOnTheUsualPorts(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "compose.yaml"), "services:\n  web: {image: node, ports: [\"3000:3000\"]}\n  store: {image: minio, ports: [\"9090:9090\"]}\n  logs: {image: grafana/loki, command: -config.file=/etc/loki/loki.yml}\n")
	s := load(t, dir)
	assert.Empty(t, problems(s))
	assert.Nil(t, s.Prometheus)
	assert.Nil(t, s.Grafana)
}
