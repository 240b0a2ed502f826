package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestServesUntilToldToStop(t *testing.T) {
	for name, wants := range map[string]string{
		"triton": "nv_inference_request_success{", "dcgm": "DCGM_FI_DEV_GPU_UTIL{", "node": "node_cpu_seconds_total{",
	} {
		t.Run(name, func(t *testing.T) {
			ctx, stop := context.WithCancel(t.Context())
			read, write := io.Pipe()
			var stderr bytes.Buffer
			ended := make(chan int, 1)
			go func() {
				ended <- run(ctx, []string{name, "--listen", "127.0.0.1:0", "--machine", "box", "--scenario", "steady"}, write, &stderr)
			}()
			line, err := bufio.NewReader(read).ReadString('\n')
			require.NoError(t, err)
			url := regexp.MustCompile(`http://127\.0\.0\.1:\d+/metrics`).FindString(line)
			require.NotEmpty(t, url, line)

			assert.Contains(t, get(t, url), wants)
			stop()
			assert.Equal(t, exitOK, <-ended)
			assert.Empty(t, stderr.String())
		})
	}
}

func get(t *testing.T, url string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	require.NoError(t, err)
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	assert.Equal(t, http.StatusOK, response.StatusCode)
	return string(body)
}

func TestHelp(t *testing.T) {
	for _, args := range [][]string{{"--help"}, {"-h"}, {"help"}, {"triton", "--help"}, {"all", "-h"}} {
		var stdout, stderr bytes.Buffer
		assert.Equal(t, exitOK, run(t.Context(), args, &stdout, &stderr), args)
		assert.Empty(t, stderr.String())
		for _, wants := range []string{"--listen", "--scenario", "--machine", "idle, steady", "Examples:", "fakes all", "Exit code"} {
			assert.Contains(t, stdout.String(), wants)
		}
	}
}

func TestWrongUsageIsTold(t *testing.T) {
	broken := filepath.Join(t.TempDir(), "broken.yaml")
	require.NoError(t, os.WriteFile(broken, []byte("version: 1\nmodles: []\n"), 0o600))
	for want, args := range map[string][]string{
		"which exporter? triton, dcgm, node, all":                {},
		`no exporter "tritn"; there are triton, dcgm, node, all`: {"tritn"},
		"flag provided but not defined: -port":                   {"triton", "--port", "1"},
		`"now" is one word too many`:                             {"triton", "now"},
		"--listen 8002: want HOST:PORT or :PORT":                 {"triton", "--listen", "8002"},
		`--listen :http: "http" is no port number`:               {"triton", "--listen", ":http"},
		`--listen :70000: "70000" is no port number`:             {"triton", "--listen", ":70000"},
		`give the host alone, as in --listen "127.0.0.1"`:        {"all", "--listen", "127.0.0.1:80"},
		`no built-in scenario "hectic"; there are idle, steady`:  {"node", "--scenario", "hectic"},
		"no such file":                        {"node", "--scenario", "./none.yaml"},
		broken + `:2:1: unknown key "modles"`: {"node", "--scenario", broken},
	} {
		var stdout, stderr bytes.Buffer
		assert.Equal(t, exitUsage, run(t.Context(), args, &stdout, &stderr), args)
		assert.Contains(t, stderr.String(), want)
		assert.Contains(t, stderr.String(), "fakes --help")
		assert.Empty(t, stdout.String())
	}
}

func TestAllServesEachOnItsOwnPort(t *testing.T) {
	o, err := parse([]string{"all", "--listen", "10.0.0.7"})
	require.NoError(t, err)
	assert.Equal(t, []endpoint{{"triton", "10.0.0.7:8002"}, {"dcgm", "10.0.0.7:9400"}, {"node", "10.0.0.7:9100"}}, o.listen)
	o, err = parse([]string{"all", "--listen", "::1"})
	require.NoError(t, err)
	assert.Equal(t, "[::1]:8002", o.listen[0].address)
	o, err = parse([]string{"all"})
	require.NoError(t, err)
	assert.Equal(t, ":9100", o.listen[2].address)
	o, err = parse([]string{"dcgm"})
	require.NoError(t, err)
	assert.Equal(t, []endpoint{{"dcgm", ":9400"}}, o.listen)
}

func TestPortTaken(t *testing.T) {
	var config net.ListenConfig
	other, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, other.Close()) }()
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), []string{"triton", "--listen", other.Addr().String()}, &stdout, &stderr)
	assert.Equal(t, exitCannotDo, code)
	assert.Contains(t, stderr.String(), "port taken: something listens on "+other.Addr().String())
	assert.Empty(t, stdout.String())
}

// A port that is taken must not leave the listeners opened before it open.
func TestListenersAreClosedWhenOneFails(t *testing.T) {
	var config net.ListenConfig
	other, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, other.Close()) }()
	free, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := free.Addr().String()
	require.NoError(t, free.Close())

	_, err = listenAll(t.Context(), []endpoint{{"triton", address}, {"dcgm", other.Addr().String()}})
	require.ErrorContains(t, err, "serve dcgm: port taken")
	again, err := config.Listen(t.Context(), "tcp", address)
	require.NoError(t, err, "the first listener is still open")
	require.NoError(t, again.Close())
}

func TestReachable(t *testing.T) {
	for want, addr := range map[string]string{"localhost:8002": "[::]:8002", "127.0.0.1:80": "127.0.0.1:80"} {
		tcp, err := net.ResolveTCPAddr("tcp", addr)
		require.NoError(t, err)
		assert.Equal(t, want, reachable(tcp))
	}
	assert.True(t, strings.HasPrefix(help(), "fakes serves"))
}
