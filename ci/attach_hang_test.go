package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A server that is there and answers no panel: the run's time is over, and the message
// says who has taken it.
func TestAHangingServerIsNamed(t *testing.T) {
	t.Parallel()
	var asked atomic.Bool
	over := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data := `{"resultType":"vector","result":[]}`
		switch {
		case strings.HasSuffix(r.URL.Path, "/query_range"):
			_, _ = io.Copy(io.Discard, r.Body)
			asked.Store(true)
			<-over
		case strings.HasSuffix(r.URL.Path, "/targets"):
			data = `{"activeTargets":[]}`
		case strings.Contains(r.URL.Path, "/label"), strings.HasSuffix(r.URL.Path, "/series"):
			data = `[]`
		}
		_, _ = io.WriteString(w, `{"status":"success","data":`+data+`}`)
	}))
	defer server.Close()
	defer close(over)
	var out []byte
	for wait := 2 * time.Second; ; wait *= 3 {
		cmd := exec.CommandContext(t.Context(), "panelgate", "--stack=../stack", "--env", "attach", "--prometheus", server.URL, "--timeout", wait.String()) // this very program: see TestMain
		var err error
		out, err = cmd.CombinedOutput()
		require.Error(t, err)
		require.Equal(t, exitNotRun, cmd.ProcessState.ExitCode(), string(out))
		require.Contains(t, string(out), "not finished after "+wait.String())
		if asked.Load() || wait > time.Minute {
			break
		} // else a busy machine was not there yet
	}
	assert.Contains(t, string(out), "while asking panels of "+server.URL)
	assert.Contains(t, string(out), "Prometheus at "+server.URL+" has not answered POST /api/v1/query_range for ")
}
