//go:build unix

package beside

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLookUp(t *testing.T) {
	root := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(root, "etc"), 0o700))
	write := func(name, text string) {
		require.NoError(t, os.WriteFile(filepath.Join(root, "etc", name), []byte(text), 0o600))
	}
	write("passwd", "root:x:0:0:root:/root:/bin/sh\n\nbroken\ngrafana:x:472:0:g:/home/grafana:/sbin/nologin\nhomeless:x:473:7:::\nnogroup:x:474:many::/:\n")
	write("group", "root:x:0:\ndocker:x:999:other,grafana\nmetrics:x:50:grafana\n")
	tests := map[string]struct {
		want    identity
		wantErr string
	}{
		"":                {want: identity{home: "/root"}},
		"root":            {want: identity{home: "/root"}},
		"grafana":         {want: identity{uid: 472, groups: []uint32{999, 50}, home: "/home/grafana"}},
		"472":             {want: identity{uid: 472, groups: []uint32{999, 50}, home: "/home/grafana"}},
		"grafana:metrics": {want: identity{uid: 472, gid: 50, home: "/home/grafana"}},
		"472:7":           {want: identity{uid: 472, gid: 7, home: "/home/grafana"}},
		"grafana:":        {want: identity{uid: 472, groups: []uint32{999, 50}, home: "/home/grafana"}},
		":metrics":        {want: identity{gid: 50, home: "/root"}},
		"homeless":        {want: identity{uid: 473, gid: 7, home: "/"}},
		"nogroup":         {wantErr: `user nogroup has the group "many" in /etc/passwd`},
		"-1":              {wantErr: "unable to find user -1"},
		"65534":           {want: identity{uid: 65534, home: "/"}},
		"nobody":          {wantErr: "unable to find user nobody"},
		"grafana:nobody":  {wantErr: "unable to find group nobody"},
	}
	for user, tt := range tests {
		t.Run(user, func(t *testing.T) {
			got, err := lookUp(root, user)
			if tt.wantErr != "" {
				require.ErrorContains(t, err, tt.wantErr)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, tt.want, got)
		})
	}
	got, err := lookUp(t.TempDir(), "")
	require.NoError(t, err, "an image from scratch lists nobody")
	assert.Equal(t, identity{home: "/"}, got)
}

func TestAnotherUser(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root becomes somebody else")
	}
	c, _ := supervised(t)
	start := shell("id -u; id -g; exec sleep 1000")
	start.User = "12345:54321"
	require.NoError(t, c.Start(t.Context(), start))
	await(t, func() bool { return len(printed(t, c)) == 2 })
	assert.Equal(t, []string{"12345", "54321"}, printed(t, c))
	d, err := c.Exec(t.Context(), Exec{Argv: []string{"id", "-u"}})
	require.NoError(t, err)
	assert.Equal(t, "12345\n", d.Output)
}

func TestBecomeWithGroups(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root becomes somebody else")
	}
	command := exec.CommandContext(t.Context(), "/bin/sh", "-c", "id -u; id -g; id -G")
	require.NoError(t, become(command, identity{uid: 472, gid: 50, groups: []uint32{999, 998}}))
	out, err := command.Output()
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	require.Len(t, lines, 3)
	assert.Equal(t, []string{"472", "50"}, lines[:2])
	assert.ElementsMatch(t, []string{"50", "998", "999"}, strings.Fields(lines[2]), "and none of root's")
}

// owners are those of a file.
func owners(t *testing.T, name string) (uid, gid uint32) {
	t.Helper()
	info, err := os.Lstat(name)
	require.NoError(t, err)
	stat, ok := info.Sys().(*syscall.Stat_t)
	require.True(t, ok)
	return stat.Uid, stat.Gid
}
