package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A server that is there and answers no panel: the run's time is over, and the message
// says who has taken it.
func TestAHangingServerIsNamed(t *testing.T) {
	t.Parallel()
	over := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data := `{"resultType":"vector","result":[]}`
		switch {
		case strings.HasSuffix(r.URL.Path, "/query_range"):
			_, _ = io.Copy(io.Discard, r.Body)
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
	cmd := exec.CommandContext(t.Context(), "panelgate", "--stack=../stack", "--env", "attach", "--prometheus", server.URL, "--timeout", "2s") // this very program: see TestMain
	out, err := cmd.CombinedOutput()
	require.Error(t, err)
	assert.Equal(t, exitNotRun, cmd.ProcessState.ExitCode(), string(out))
	assert.Contains(t, string(out), "not finished after 2s")
	assert.Contains(t, string(out), "while asking panels of "+server.URL)
	assert.Contains(t, string(out), "Prometheus at "+server.URL+" has not answered POST /api/v1/query_range for ")
}
