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

	"github.com/panelgate/panelgate/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

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
				ended <- run(ctx, []string{name, "--listen", "127.0.0.1:0", "--machine", "box", "--scenario", "steady"}, nil, write, &stderr)
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

// An exporter is set up as a compose file would: a release, the real one's command line, its environment, files that it reads.
func TestServesAnExporterThatIsSetUp(t *testing.T) {
	csv := filepath.Join(t.TempDir(), "counters.csv")
	require.NoError(t, os.WriteFile(csv, []byte("DCGM_FI_DEV_SM_CLOCK, gauge, Clock of the multiprocessors.\n"), 0o600))
	for name, tc := range map[string]struct {
		args     []string
		has, not string
	}{
		"triton's release": {[]string{"triton", "--version", "24.05"}, "nv_inference_request_failure{model=", "reason="},
		"triton's command line": {
			[]string{"triton", "--version", "24.07", "--", "--metrics-config", "summary_latencies=true"},
			"# TYPE nv_inference_request_summary_us summary", "nv_model_load_duration_secs",
		},
		"a program's name before it": {
			[]string{"triton", "--", "tritonserver", "--metrics-config=summary_latencies=true"}, "nv_inference_request_summary_us{", "Cummulative",
		},
		"dcgm's release":        {[]string{"dcgm", "--version", "main"}, `hostname="`, `Hostname="`},
		"dcgm's own counters":   {[]string{"dcgm", "--", "-f", csv}, "# HELP DCGM_FI_DEV_SM_CLOCK Clock of the multiprocessors.", "DCGM_FI_DEV_GPU_UTIL"},
		"…, in one word":        {[]string{"dcgm", "--", "--collectors=" + csv}, "# HELP DCGM_FI_DEV_SM_CLOCK Clock of the multiprocessors.", "DCGM_FI_DEV_GPU_UTIL"},
		"… and by a variable":   {[]string{"dcgm", "--env", "DCGM_EXPORTER_COLLECTORS=" + csv}, "Clock of the multiprocessors.", "DCGM_FI_DEV_GPU_UTIL"},
		"node_exporter's":       {[]string{"node", "--version=1.3.1", "--", "--no-collector.cpu"}, "node_load1 ", "node_cpu_seconds_total"},
		"vllm's, by a variable": {[]string{"vllm", "--version", "0.9.2", "--env", "VLLM_USE_V1=0"}, "vllm:num_requests_swapped{", "nv_"},
	} {
		t.Run(name, func(t *testing.T) {
			args := append([]string{tc.args[0], "--listen", "127.0.0.1:0"}, tc.args[1:]...)
			body := served(t, args)
			assert.Contains(t, body, tc.has)
			assert.NotContains(t, body, tc.not)
		})
	}
}

// served is what a command line has the first of its exporters print.
func served(t *testing.T, args []string) string {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	read, write := io.Pipe()
	var stderr bytes.Buffer
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, args, nil, write, &stderr)
		_ = write.Close() // never fails
	}()
	line, err := bufio.NewReader(read).ReadString('\n')
	if err != nil {
		require.FailNow(t, "it does not serve", "%d: %s", <-ended, stderr.String())
	}
	body := get(t, regexp.MustCompile(`http://127\.0\.0\.1:\d+/metrics`).FindString(line))
	stop()
	assert.Equal(t, exitOK, <-ended)
	return body
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
		assert.Equal(t, exitOK, run(t.Context(), args, nil, &stdout, &stderr), args)
		assert.Empty(t, stderr.String())
		for _, wants := range []string{"--listen", "--scenario", "--machine", "burst, diurnal, failing, idle,", "throttling, xid", "Examples:", "fakes all", "fakes serve", "Exit code",
			"--version", "--env", "fakes triton --version 24.07 -- --metrics-config summary_latencies=true"} {
			assert.Contains(t, stdout.String(), wants)
		}
	}
}

func TestWrongUsageIsTold(t *testing.T) {
	broken := filepath.Join(t.TempDir(), "broken.yaml")
	require.NoError(t, os.WriteFile(broken, []byte("version: 1\nmodles: []\n"), 0o600))
	for want, args := range map[string][]string{
		"which exporter? triton, dcgm, node, vllm, all, serve":                    {},
		`no exporter "tritn"; there are triton, dcgm, node, vllm, all, serve`:     {"tritn"},
		"flag provided but not defined: -port":                                    {"triton", "--port", "1"},
		`"now" is one word too many`:                                              {"triton", "now"},
		"--listen 8002: want HOST:PORT or :PORT":                                  {"triton", "--listen", "8002"},
		`--listen :http: "http" is no port number`:                                {"triton", "--listen", ":http"},
		`--listen :70000: "70000" is no port number`:                              {"triton", "--listen", ":70000"},
		`give the host alone, as in --listen "127.0.0.1"`:                         {"all", "--listen", "127.0.0.1:80"},
		`no built-in scenario "hectic"; there are burst, diurnal, failing, idle,`: {"node", "--scenario", "hectic"},
		"no such file":                        {"node", "--scenario", "./none.yaml"},
		broken + `:2:1: unknown key "modles"`: {"node", "--scenario", broken},
		"--machine wants a name":              {"node", "--machine", ""},
		// What the real one would not start with is told in its words.
		"Triton 17.01":                                       {"triton", "--version", "17.01"},
		"unknown long flag '--collector.cpus'":               {"node", "--", "--collector.cpus"},
		`invalid value "FOO" for flag -env: want NAME=VALUE`: {"dcgm", "--env", "FOO"},
		"--version, --env and a command line behind":         {"all", "--version", "24.07"},
		"are of one exporter, and all serves several":        {"all", "--", "--metrics-config", "summary_latencies=true"},
		"flag provided but not defined: -metrics-config; the exporter's own command line stands behind --": {"triton", "--metrics-config", "x"},
		"flag needs an argument: -version":    {"triton", "--version"},
		"serve wants --plan FILE":             {"serve"},
		"read the plan: open ./none.json":     {"serve", "--plan", "./none.json"},
		broken + ":1:1: the plan: no JSON":    {"serve", "--plan", broken},
		"beside wants --listen HOST:PORT":     {"beside"},
		"or :PORT":                            {"beside", "--listen", "17357"},
		"beside wants a token in FAKES_TOKEN": {"beside", "--listen", "127.0.0.1:0"},
		`"too" is one word too many`:          {"beside", "--listen", ":0", "too"},
		"unpack wants FILE --into DIR":        {"unpack"},
		"unpack wants FILE --into":            {"unpack", "--into", "x"},
		"unpack wants --into DIR":             {"unpack", "x.tar"},
		`"y.tar" is one word too many`:        {"unpack", "x.tar", "--into", "x", "y.tar"},
	} {
		var stdout, stderr bytes.Buffer
		assert.Equal(t, exitUsage, run(t.Context(), args, nil, &stdout, &stderr), args)
		assert.Contains(t, stderr.String(), want)
		assert.Contains(t, stderr.String(), "fakes --help")
		assert.Empty(t, stdout.String())
	}
}

func TestAllServesEachOnItsOwnPort(t *testing.T) {
	for _, tc := range []struct {
		args []string
		want []string
	}{
		{[]string{"all", "--listen", "10.0.0.7"}, []string{"triton 10.0.0.7:8002", "dcgm 10.0.0.7:9400", "node 10.0.0.7:9100"}},
		{[]string{"all", "--listen", "::1"}, []string{"triton [::1]:8002", "dcgm [::1]:9400", "node [::1]:9100"}},
		{[]string{"all"}, []string{"triton :8002", "dcgm :9400", "node :9100"}},
		{[]string{"dcgm"}, []string{"dcgm :9400"}},
		{[]string{"vllm"}, []string{"vllm :8000"}},
	} {
		o, err := parse(t.Context(), tc.args, nil)
		require.NoError(t, err)
		var got []string
		for _, l := range o.plan.Listeners {
			got = append(got, l.Name()+" "+l.Listen)
		}
		assert.Equal(t, tc.want, got)
		assert.False(t, o.ready)
	}
}

func TestPortTaken(t *testing.T) {
	var config net.ListenConfig
	other, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, other.Close()) }()
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), []string{"triton", "--listen", other.Addr().String()}, nil, &stdout, &stderr)
	assert.Equal(t, exitCannotDo, code)
	assert.Contains(t, stderr.String(), "serve triton: port taken: something listens on "+other.Addr().String())
	assert.Contains(t, stderr.String(), "choose another address with --listen")
	assert.Empty(t, stdout.String())
}

const planText = `{
  "version": 1,
  "start": "2026-01-31T15:04:05Z",
  "scenario_name": "quiet",
  "scenario": "version: 1\nmodels: [{name: m}]\n",
  "listeners": [
    {"listen": "127.0.0.1:0", "routes": [{"host": "triton:8002", "exporter": "triton", "instance": "triton:8002"},
                                         {"exporter": "node", "instance": "box:9100"}]},
    {"listen": "127.0.0.1:0", "forward": "127.0.0.1:9"}
  ]
}`

func TestServesAPlan(t *testing.T) {
	file := filepath.Join(t.TempDir(), "plan.json")
	require.NoError(t, os.WriteFile(file, []byte(planText), 0o600))
	for name, tc := range map[string]struct {
		file  string
		stdin io.Reader
	}{"a file": {file, nil}, "standard input": {"-", strings.NewReader(planText)}} {
		t.Run(name, func(t *testing.T) {
			ctx, stop := context.WithCancel(t.Context())
			read, write := io.Pipe()
			var stderr bytes.Buffer
			ended := make(chan int, 1)
			go func() {
				ended <- run(ctx, []string{"serve", "--plan", tc.file}, tc.stdin, write, &stderr)
			}()
			var lines []string
			for scanner := bufio.NewScanner(read); len(lines) < 3 && scanner.Scan(); {
				lines = append(lines, scanner.Text())
			}
			require.Len(t, lines, 3)
			assert.Regexp(t, `^triton,node  http://127\.0\.0\.1:\d+/metrics  scenario quiet$`, lines[0])
			assert.Regexp(t, `^forward  127\.0\.0\.1:\d+ to 127\.0\.0\.1:9$`, lines[1])
			assert.Equal(t, "ready", lines[2])
			assert.Contains(t, get(t, strings.Fields(lines[0])[1]), "node_cpu_seconds_total{")
			stop()
			assert.Equal(t, exitOK, <-ended)
			assert.Empty(t, stderr.String())
		})
	}
}

func TestPlanWhosePortIsTaken(t *testing.T) {
	var config net.ListenConfig
	other, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, other.Close()) }()
	var stdout, stderr bytes.Buffer
	stdin := strings.NewReader(strings.Replace(planText, "127.0.0.1:0", other.Addr().String(), 1))
	assert.Equal(t, exitCannotDo, run(t.Context(), []string{"serve", "--plan", "-"}, stdin, &stdout, &stderr))
	assert.Contains(t, stderr.String(), "serve triton,node: port taken")
	assert.Contains(t, stderr.String(), "plan for another address")
	assert.Empty(t, stdout.String())
}

// A standard input that stays open must not keep the program from ending.
func TestEndsWhileItWaitsForThePlan(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	read, write := io.Pipe()
	var stdout, stderr bytes.Buffer
	ended := make(chan int, 1)
	go func() { ended <- run(ctx, []string{"serve", "--plan", "-"}, read, &stdout, &stderr) }()
	_, err := write.Write([]byte("{")) // returns once it is being read
	require.NoError(t, err)
	stop()
	assert.Equal(t, exitOK, <-ended)
	assert.Empty(t, stderr.String())
	require.NoError(t, write.Close())
}

func TestReachable(t *testing.T) {
	for want, addr := range map[string]string{"localhost:8002": "[::]:8002", "127.0.0.1:80": "127.0.0.1:80"} {
		tcp, err := net.ResolveTCPAddr("tcp", addr)
		require.NoError(t, err)
		assert.Equal(t, want, reachable(tcp))
	}
	assert.True(t, strings.HasPrefix(help(), "fakes serves"))
}
