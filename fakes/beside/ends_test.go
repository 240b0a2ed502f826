//go:build unix

package beside

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What a program has left behind ends with it, as it would with a container: it would keep its port from the next start.
func TestHeirsEndWithTheProgram(t *testing.T) {
	held := filepath.Join(t.TempDir(), "held")
	require.NoError(t, syscall.Mkfifo(held, 0o600))
	c, _ := supervised(t)
	require.NoError(t, c.Start(t.Context(), shell("sleep 1000 >"+held+" & echo left")))
	f, err := os.Open(held) // waits for the heir, which holds the other end
	require.NoError(t, err)
	defer func() { require.NoError(t, f.Close()) }()
	assert.Zero(t, ended(t, c).ExitCode)
	_, err = io.ReadAll(f) // until nobody holds it
	require.NoError(t, err)
	assert.Equal(t, []string{"left"}, printed(t, c))
}

// Who has asked for a stop may go: the program has its time all the same.
func TestStopWhoseClientGoes(t *testing.T) {
	word := filepath.Join(t.TempDir(), "go")
	require.NoError(t, syscall.Mkfifo(word, 0o600))
	c, _ := supervised(t)
	require.NoError(t, c.Start(t.Context(), shell(`trap 'echo asked; read x <`+word+`; exit 5' TERM; echo ready; while :; do sleep 0.01; done`)))
	await(t, func() bool { return len(printed(t, c)) == 1 })
	asking, cancel := context.WithCancel(t.Context())
	gone := make(chan error, 1)
	go func() {
		_, err := c.Stop(asking, 20*time.Second)
		gone <- err
	}()
	await(t, func() bool { return len(printed(t, c)) == 2 })
	cancel()
	require.ErrorIs(t, <-gone, context.Canceled)
	require.NoError(t, os.WriteFile(word, []byte("on\n"), 0o600))
	assert.Equal(t, 5, ended(t, c).ExitCode, "and is not killed")
}

func TestTokenWithoutItsScheme(t *testing.T) {
	c, _ := supervised(t)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.url+pathState, http.NoBody)
	require.NoError(t, err)
	request.Header.Set("Authorization", token)
	response, err := c.http.Do(request)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	assert.Equal(t, http.StatusUnauthorized, response.StatusCode)
}

func TestPathWhereTheImageHasNone(t *testing.T) {
	c, _ := supervised(t)
	require.NoError(t, c.Start(t.Context(), Start{Argv: []string{"/bin/sh", "-c", "env"}}))
	ended(t, c)
	assert.Contains(t, printed(t, c), "PATH="+usualPath)
}

// An archive of which the end is missing is not whole, wherever it was cut.
func TestUnpackWhatIsCut(t *testing.T) {
	whole := archive(t, file("a", strings.Repeat("a", 512), 0o600), file("b", "b", 0o600))
	require.NoError(t, Unpack(bytes.NewReader(whole), t.TempDir()))
	for _, size := range []int{0, 100, 512, 700, 1024, 1536, 2048} { // within and between entries
		require.ErrorIs(t, Unpack(bytes.NewReader(whole[:size]), t.TempDir()), io.ErrUnexpectedEOF, "cut after %d bytes", size)
	}
}

// Lines that are dropped are let go.
func TestTailLetsGo(t *testing.T) {
	var log tail
	line := strings.Repeat("x", lineBytes-1) + "\n"
	for range 3 * tailBytes / lineBytes {
		_, err := log.Write([]byte(line))
		require.NoError(t, err)
	}
	held := 0
	for _, l := range log.lines[:cap(log.lines)] {
		held += len(l)
	}
	assert.LessOrEqual(t, held, tailBytes)
}
