package main

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/prometheus/prometheus/config"
	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/fakes/recording"
)

// cmdExporter serves an exporter on loopback and puts its address into a variable: exporter NAME FILE. /metrics is the file, with the
// number of the request in place of each @; other paths are what goes wrong.
func cmdExporter(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: exporter NAME FILE")
	}
	body := ts.ReadFile(args[1])
	var asked, flaky atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := asked.Add(1)
		text := strings.ReplaceAll(body, "@", fmt.Sprint(n))
		switch r.URL.Path {
		case "/secret":
			if r.Header.Get("Authorization") != "Bearer s3cret" {
				http.Error(w, "who are you?", http.StatusUnauthorized)
				return
			}
		case "/page":
			text = "<html>hello</html>"
			w.Header().Set("Content-Type", "text/html")
		case "/gone":
			http.Error(w, "gone", http.StatusServiceUnavailable)
			return
		case "/flaky":
			if flaky.Add(1) == 2 {
				http.Error(w, "later", http.StatusServiceUnavailable)
				return
			}
		case "/broken":
			text = "a 1\nb{c=\"d} 2\n"
		case "/empty":
			text = ""
		case "/slow": // its head comes at once, and nothing behind it
			w.WriteHeader(http.StatusOK)
			w.(http.Flusher).Flush()
			<-r.Context().Done()
			return
		}
		if w.Header().Get("Content-Type") == "" {
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		}
		w.Header().Set("Set-Cookie", "session=s3cret")
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		_, err := z.Write([]byte(text))
		if err = errors.Join(err, z.Close()); err != nil {
			ts.Logf("answer %s: %v", r.URL.Path, err)
		}
	}))
	ts.Defer(server.Close)
	ts.Setenv(args[0], server.URL)
}

func TestWhatIsRedactedStandsNowhereInTheFile(t *testing.T) {
	without(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, err := io.WriteString(w, "# TYPE DCGM_FI_DEV_GPU_UTIL gauge\n"+
			`DCGM_FI_DEV_GPU_UTIL{gpu="0",UUID="GPU-5fd4f087-86f3-7a43-b711-4771313afc50",Hostname="gpu-box-01"} 7`+"\n")
		assert.NoError(t, err)
	}))
	defer server.Close()
	file := filepath.Join(t.TempDir(), "dcgm.rec")
	args := []string{"record", "--from", server.URL + "/metrics", "--for", "100ms", "--every", "100ms", "--redact", "Hostname,UUID", "-o", file}
	require.Equal(t, exitClean, run(t.Context(), args, io.Discard, io.Discard))
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	r, err := recording.Read(data, recording.Limits{})
	require.NoError(t, err)
	assert.Equal(t, []string{"Hostname", "UUID"}, r.Redacted)
	require.Len(t, r.Scrapes, 2)
	assert.Regexp(t, `\{gpu="0",UUID="GPU-[0-9a-f]{8}-[0-9a-f-]{27}",Hostname="[a-z]{3}-[a-z]{3}-\d\d"\} 7`, string(r.Scrapes[1].Body))
	_, stream, _ := bytes.Cut(data, []byte("\n"))
	z, err := zstd.NewReader(nil)
	require.NoError(t, err)
	defer z.Close()
	text, err := z.DecodeAll(stream, nil)
	require.NoError(t, err)
	assert.Contains(t, string(text), "DCGM_FI_DEV_GPU_UTIL")
	for _, secret := range []string{"gpu-box-01", "5fd4f087", "4771313afc50", "127.0.0.1"} {
		assert.NotContains(t, string(text), secret)
	}
}

func TestAskedAsPrometheusAsks(t *testing.T) {
	accept := acceptedFormats()
	for i, p := range config.DefaultScrapeProtocols {
		assert.Contains(t, accept, config.ScrapeProtocolsHeaders[p])
		if i > 0 {
			assert.Less(t, strings.Index(accept, config.ScrapeProtocolsHeaders[config.DefaultScrapeProtocols[i-1]]), strings.Index(accept, config.ScrapeProtocolsHeaders[p]))
		}
	}
	assert.Contains(t, accept, "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.")
	assert.Regexp(t, `,\*/\*;q=0\.\d$`, accept)
}
