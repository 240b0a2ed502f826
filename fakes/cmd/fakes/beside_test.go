package main

import (
	"archive/tar"
	"bytes"
	"context"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/fakes/beside"
)

// packed is an archive with one file.
func packed(t *testing.T, name, content string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	require.NoError(t, w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o640, Size: int64(len(content)), Uid: os.Getuid(), Gid: os.Getgid()}))
	_, err := w.Write([]byte(content))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return out.Bytes()
}

func TestUnpack(t *testing.T) {
	good := packed(t, "etc/x.yml", strings.Repeat("x", 2048))
	for name, tc := range map[string]struct {
		archive []byte
		code    int
		says    string
	}{
		"whole":     {good, exitOK, ""},
		"nothing":   {nil, exitCannotDo, "fakes: unpack: unexpected EOF"},
		"cut off":   {good[:1024], exitCannotDo, "fakes: unpack etc/x.yml: unexpected EOF"},
		"no tar":    {[]byte(strings.Repeat("x", 1024)), exitCannotDo, "fakes: unpack: archive/tar: invalid tar header"},
		"leads out": {packed(t, "../x", ""), exitCannotDo, "fakes: unpack ../x: the name leads out of the archive"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			file, into := filepath.Join(dir, "files.tar"), filepath.Join(dir, "into")
			require.NoError(t, os.WriteFile(file, tc.archive, 0o600))
			var stdout, stderr bytes.Buffer
			assert.Equal(t, tc.code, run(t.Context(), []string{"unpack", file, "--into", into}, nil, &stdout, &stderr))
			assert.Empty(t, stdout.String())
			assert.Contains(t, stderr.String(), tc.says)
			if name == "whole" {
				info, err := os.Stat(filepath.Join(into, "etc", "x.yml"))
				require.NoError(t, err)
				assert.Equal(t, os.FileMode(0o640), info.Mode().Perm())
			}
		})
	}
	var stdout, stderr bytes.Buffer
	assert.Equal(t, exitCannotDo, run(t.Context(), []string{"unpack", "./none.tar", "--into", t.TempDir()}, nil, &stdout, &stderr))
	assert.Contains(t, stderr.String(), "fakes: read the archive: open ./none.tar")
}

// freeAddress is one of this machine on which nobody listens yet.
func freeAddress(t *testing.T) string {
	t.Helper()
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, listener.Close()) }()
	return listener.Addr().String()
}

func TestBeside(t *testing.T) {
	t.Setenv(beside.TokenVariable, "secret")
	address, hosts := freeAddress(t), filepath.Join(t.TempDir(), "hosts")
	ctx, stop := context.WithCancel(t.Context())
	var stdout, stderr bytes.Buffer
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, []string{"beside", "--listen", address, "--hosts", hosts}, nil, &stdout, &stderr)
	}()
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	c := beside.New("http://"+address, "secret", transport)
	until := func(done func() bool) {
		t.Helper()
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for end := time.Now().Add(20 * time.Second); !done(); <-tick.C {
			require.True(t, time.Now().Before(end), "waited for in vain")
		}
	}
	until(func() bool { _, err := c.State(t.Context()); return err == nil })
	_, set := os.LookupEnv(beside.TokenVariable)
	assert.False(t, set, "nobody who is started is to have it")
	require.NoError(t, c.Hosts(t.Context(), "10.0.0.1\ta\n"))
	assert.FileExists(t, hosts)
	require.NoError(t, c.Start(t.Context(), beside.Start{Argv: []string{"/bin/sh", "-c", "env; exit 7"}}))
	var s beside.State
	until(func() bool {
		var err error
		s, err = c.State(t.Context())
		require.NoError(t, err)
		return s.Ended
	})
	assert.Equal(t, 7, s.ExitCode)
	lines, err := c.Log(t.Context(), 100)
	require.NoError(t, err)
	assert.NotContains(t, strings.Join(lines, "\n"), "secret")
	stop()
	assert.Equal(t, exitOK, <-ended)
	assert.Empty(t, stdout.String()+stderr.String())
}

func TestBesideOnATakenPort(t *testing.T) {
	t.Setenv(beside.TokenVariable, "secret")
	var config net.ListenConfig
	taken, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, taken.Close()) }()
	var stdout, stderr bytes.Buffer
	assert.Equal(t, exitCannotDo, run(t.Context(), []string{"beside", "--listen", taken.Addr().String()}, nil, &stdout, &stderr))
	assert.Contains(t, stderr.String(), "choose another address with --listen")
}
