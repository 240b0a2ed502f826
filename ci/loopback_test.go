package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/internal/listening"
)

// TestEverythingListensOnLoopback looks at what the command listens on as long as it
// runs. What fakes and containers do in an engine is for the tests of that.
func TestEverythingListensOnLoopback(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("it reads Linux' tables")
	}
	program := panelgate(t)
	exporter := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("up_and_well 1\n"))
	}))
	defer exporter.Close()
	for name, c := range map[string]struct {
		args    []string
		listens bool
		stays   bool // until it is told to end
	}{
		"check":  {args: []string{"check", "--stack", "../stack"}, listens: true},
		"why":    {args: []string{"why", "up", "--stack", "../stack"}, listens: true},
		"watch":  {args: []string{"watch", "--stack", "../stack"}, listens: true, stays: true},
		"record": {args: []string{"record", "--from", exporter.URL, "--for", "300ms", "--every", "100ms", "-o", filepath.Join(t.TempDir(), "a.rec")}},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), program, c.args...)
			cmd.Env = append(os.Environ(), "TMPDIR="+t.TempDir())
			var said strings.Builder
			cmd.Stdout, cmd.Stderr = &said, &said
			require.NoError(t, cmd.Start())
			ended := make(chan error, 1)
			go func() { ended <- cmd.Wait() }()
			most, times := 0, 0
			for running := true; running; {
				now := listening.OnLoopback(t, cmd.Process.Pid)
				if most = max(most, now); now > 0 {
					times++
				}
				const enough = 50 // looks, of a server that stays
				if c.stays && times == enough {
					require.NoError(t, cmd.Process.Signal(syscall.SIGINT))
				}
				select {
				case err := <-ended:
					require.NoError(t, err, said.String())
					running = false
				case <-time.After(5 * time.Millisecond):
				}
			}
			assert.Equal(t, c.listens, most > 0, "it was seen to listen on %d addresses", most)
		})
	}
}
