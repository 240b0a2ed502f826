package main

import (
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// canary begins every secret of these tests, and nothing else does.
const canary = "s3cret"

// afterLine puts more text after the first line of a file that has the given one in it.
func afterLine(t *testing.T, file, line, more string) {
	t.Helper()
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	at := strings.Index(string(data), line)
	require.GreaterOrEqual(t, at, 0, "%s has no %q", file, line)
	at += strings.Index(string(data[at:]), "\n") + 1
	require.NoError(t, os.WriteFile(file, []byte(string(data[:at])+more+string(data[at:])), 0o600))
}

// withSecrets is a copy of the shipped stack that has a secret in each place where stacks
// have them.
func withSecrets(t *testing.T) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "stack")
	require.NoError(t, copyStack(filepath.Join("..", "stack"), dir))
	compose := filepath.Join(dir, "docker-compose.yml")
	afterLine(t, compose, "GF_USERS_ALLOW_SIGN_UP", "      GF_DATABASE_PASSWORD: s3cret-compose\n      GF_SMTP_PASSWORD: ${SMTP_PASSWORD:-s3cret-default}\n      GF_DATABASE_URL: postgres://grafana:s3cret-dsn@db/grafana\n")
	require.NoError(t, os.WriteFile(filepath.Join(dir, ".env"), []byte("GF_SECURITY_ADMIN_PASSWORD=s3cret-dotenv\n"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "prometheus", "token"), []byte("s3cret-file\n"), 0o600))

	prometheus := filepath.Join(dir, "prometheus", "prometheus.yml")
	afterLine(t, prometheus, "- job_name: triton", "    basic_auth: {username: someone, password: s3cret-scrape}\n")
	afterLine(t, prometheus, "- job_name: dcgm", "    authorization: {credentials: s3cret-bearer}\n    params: {token: [s3cret-param]}\n")
	afterLine(t, prometheus, "- job_name: node", "    authorization: {credentials_file: token}\n    proxy_url: http://someone:s3cret-scrapeproxy@proxy.invalid:3128\n")
	afterLine(t, prometheus, "time: 15d", "\nremote_write:\n  - url: http://someone:s3cret-remote@remote.invalid/push\n    oauth2: {client_id: me, client_secret: s3cret-oauth, token_url: http://login.invalid}\n")

	afterLine(t, filepath.Join(dir, "grafana", "provisioning", "datasources", "prometheus.yaml"), "timeInterval: 15s",
		"      httpHeaderName1: Authorization\n    secureJsonData:\n      httpHeaderValue1: Bearer s3cret-header\n"+
			"  - name: Other\n    uid: other\n    type: prometheus\n    access: proxy\n    url: http://someone:s3cret-url@localhost:9090\n    basicAuth: true\n    basicAuthUser: me\n"+
			"    password: s3cret-misplaced\n    secureJsonData:\n      basicAuthPassword: s3cret-basic\n")
	return dir
}

// panelgate is the command as a program of its own, as testscript has it.
func panelgate(t *testing.T) string {
	t.Helper()
	exe, err := os.Executable()
	require.NoError(t, err)
	program := filepath.Join(t.TempDir(), "panelgate")
	require.NoError(t, os.Symlink(exe, program))
	return program
}

// reports are the flags that write a report of each kind into a directory.
func reports(dir string) []string {
	var out []string
	for _, kind := range []string{"json", "ndjson", "junit", "sarif", "markdown", "code-quality", "html"} {
		out = append(out, "--"+kind, filepath.Join(dir, kind))
	}
	return out
}

// TestNoSecretOfTheStackIsSaid runs the command on a stack with a secret in each place
// where stacks have them, whole and broken, and looks through all that it says, writes
// and starts.
func TestNoSecretOfTheStackIsSaid(t *testing.T) {
	program := panelgate(t)
	board := filepath.Join("grafana", "provisioning", "dashboards", "boards", "triton.json")
	for name, c := range map[string]struct {
		args  []string
		edit  map[string][2]string
		codes []int
		wants string // that the run came to what the case is for
	}{
		"check":        {args: []string{"check"}, codes: []int{exitClean, exitFindings}, wants: "16 panels, 19 queries"},
		"lint":         {args: []string{"lint"}, codes: []int{exitClean, exitFindings}},
		"other source": {args: []string{"check"}, edit: map[string][2]string{board: {`"uid": "${datasource}"`, `"uid": "other"`}}, codes: []int{exitFindings}},
		"broken provisioning": {args: []string{"check"}, codes: []int{exitFindings}, edit: map[string][2]string{
			"grafana/provisioning/datasources/prometheus.yaml": {"basicAuthPassword: s3cret-basic", "basicAuthPassword: {s3cret-basic: [s3cret-x}"}}},
		"mistyped provisioning": {args: []string{"check"}, codes: []int{exitClean, exitFindings}, edit: map[string][2]string{
			"grafana/provisioning/datasources/prometheus.yaml": {"secureJsonData:\n      httpHeaderValue1: Bearer s3cret-header", "secureJsonData: s3cret-text"}}},
		"broken prometheus.yml": {args: []string{"check"}, codes: []int{exitFindings}, edit: map[string][2]string{
			"prometheus/prometheus.yml": {"authorization: {credentials: s3cret-bearer}", "authorization: s3cret-bearer"}}},
		"misspelt prometheus.yml": {args: []string{"check"}, codes: []int{exitFindings}, edit: map[string][2]string{
			"prometheus/prometheus.yml": {"password: s3cret-scrape", "pasword: s3cret-scrape"}}},
		"url that is none": {args: []string{"check"}, codes: []int{exitFindings}, edit: map[string][2]string{
			"prometheus/prometheus.yml": {"http://someone:s3cret-remote@remote.invalid/push", "'http://someone:s3cret-remote@rem ote:x/%zz'"}}},
		"broken compose file": {args: []string{"check"}, codes: []int{exitFindings, exitUsage, exitNotRun}, edit: map[string][2]string{
			"docker-compose.yml": {"GF_DATABASE_PASSWORD: s3cret-compose", "GF_DATABASE_PASSWORD: {s3cret-compose: 1}"}}},
		"broken .env": {args: []string{"check"}, codes: []int{exitClean, exitFindings, exitUsage, exitNotRun}, edit: map[string][2]string{
			".env": {"GF_SECURITY_ADMIN_PASSWORD=s3cret-dotenv", "GF SECURITY=s3cret-dotenv\n'=s3cret-two"}}},
		"why": {args: []string{"why", "up"}, codes: []int{exitClean, exitFindings}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, tmp, out := withSecrets(t), t.TempDir(), t.TempDir()
			for file, texts := range c.edit {
				replaceIn(t, filepath.Join(dir, filepath.FromSlash(file)), texts[0], texts[1])
			}
			args := append(slices.Clone(c.args), "--stack", dir, "-v")
			if c.args[0] == "check" {
				args = append(args, reports(out)...)
			}
			said := overseen(t, program, c.codes, []string{"TMPDIR=" + tmp, "HTTPS_PROXY=http://someone:s3cret-proxy@127.0.0.1:1", "XDG_CACHE_HOME=" + tmp + "-cache",
				"PANELGATE_GRAFANA_TOKEN=s3cret-token", "SMTP_PASSWORD=s3cret-smtp"}, args...)
			assert.Contains(t, said, c.wants)
			assert.NotRegexp(t, ".{0,60}"+canary+".{0,20}", said)
			quietIn(t, out)
			quietIn(t, tmp)
			if _, err := os.Stat(tmp + "-cache"); err == nil {
				quietIn(t, tmp+"-cache")
			}
		})
	}
}

func replaceIn(t *testing.T, file, from, to string) {
	t.Helper()
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Contains(t, string(data), from)
	require.NoError(t, os.WriteFile(file, []byte(strings.ReplaceAll(string(data), from, to)), 0o600))
}

// quietIn looks for secrets in all files below a directory.
func quietIn(t *testing.T, dir string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(file)
		assert.NotRegexp(t, ".{0,60}"+canary+".{0,20}", string(data), "%s", filepath.Base(file))
		return err
	}))
}

// overseen runs the program and returns what it says on both streams. While it runs, the
// command lines of it and of what it starts are looked at.
func overseen(t *testing.T, program string, codes []int, env []string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Env = append(os.Environ(), env...)
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &said
	require.NoError(t, cmd.Start())
	ended := make(chan struct{})
	looked := make(chan struct{})
	go func() {
		defer close(looked)
		for {
			for _, line := range commandLines(cmd.Process.Pid) {
				assert.NotContains(t, line, canary)
			}
			select {
			case <-ended:
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	}()
	_ = cmd.Wait() // its exit code says more
	close(ended)
	<-looked
	assert.Contains(t, codes, cmd.ProcessState.ExitCode(), said.String())
	return said.String()
}

// commandLines are those of a process and of its children, as everybody on the machine
// sees them.
func commandLines(pid int) []string {
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil
	}
	parents := map[string]string{}
	for _, file := range files {
		if m := parentOf.FindStringSubmatch(textOf(file)); m != nil {
			parents[m[1]] = m[2]
		}
	}
	var out []string
	for child := range parents {
		for up := child; up != "" && up != "1"; up = parents[up] {
			if up == strconv.Itoa(pid) {
				out = append(out, textOf("/proc/"+child+"/cmdline"))
				break
			}
		}
	}
	return out
}

var parentOf = regexp.MustCompile(`(?s)^(\d+) \(.*\) \S+ (\d+) `)

// textOf is a file's content, nothing where its process has ended.
func textOf(file string) string {
	data, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	return string(data)
}

// TestNoSecretOnTheCommandLine: what would be seen by everybody is refused, and not
// repeated.
func TestNoSecretOnTheCommandLine(t *testing.T) {
	program := panelgate(t)
	for _, args := range [][]string{
		{"--env", "attach", "--prometheus", "http://someone:s3cret@127.0.0.1:1"},
		{"--env", "attach", "--grafana", "http://someone:s3cret@127.0.0.1:1"},
		{"--env", "attach", "--grafana", "http://127.0.0.1:1", "--proxy", "http://someone:s3cret@127.0.0.1:1"},
		{"--env", "docker", "--setting", "grafana:GF_DATABASE_PASSWORD=s3cret"},
		{"--env", "docker", "--setting", "grafana:GF_AUTH_GITHUB_CLIENT_SECRET=s3cret"},
		{"--env", "docker", "--setting", "grafana:GF_DATABASE_URL=postgres://me:s3cret@db/grafana"},
		{"record", "--from", "http://someone:s3cret@127.0.0.1:1/metrics", "--for", "0s", "-o", filepath.Join(t.TempDir(), "a.rec")},
		{"verify-fake", "--against", "http://someone:s3cret@127.0.0.1:1/metrics"},
	} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), program, append(args, "--stack=../stack")...)
			if args[0] == "record" || args[0] == "verify-fake" {
				cmd = exec.CommandContext(t.Context(), program, args...)
			}
			cmd.Env = append(os.Environ(), "PANELGATE_ENV=")
			out, err := cmd.CombinedOutput()
			require.Error(t, err)
			assert.Equal(t, exitUsage, cmd.ProcessState.ExitCode(), string(out))
			assert.NotContains(t, string(out), canary)
			assert.Contains(t, string(out), "environment", "it says where else")
		})
	}
	t.Run("beside the variable", func(t *testing.T) {
		cmd := exec.CommandContext(t.Context(), program, "--env", "docker", "--setting", "grafana:GF_DATABASE_PASSWORD=s3cret", "--stack=../stack")
		cmd.Env = append(os.Environ(), "PANELGATE_ENV=", "PANELGATE_SETTING=grafana:GF_LOG_LEVEL=debug", "DOCKER_HOST=tcp://127.0.0.1:1")
		out, err := cmd.CombinedOutput()
		require.Error(t, err)
		assert.Equal(t, exitUsage, cmd.ProcessState.ExitCode(), string(out))
		assert.Contains(t, string(out), "seen by everybody")
	})
}

// TestNoSecretIsSaidWhereServersFail has servers refuse, hang up, answer garbage and
// show a certificate that nobody vouches for.
func TestNoSecretIsSaidWhereServersFail(t *testing.T) {
	program := panelgate(t)
	hangs := make(chan struct{})
	answers := map[string]http.HandlerFunc{
		"echoes the login": func(w http.ResponseWriter, r *http.Request) {
			http.Error(w, "no such login", http.StatusUnauthorized)
		},
		"garbage": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>\x1b[31m")) },
		"hangs up": func(w http.ResponseWriter, _ *http.Request) {
			if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
				_ = conn.Close()
			}
		},
		"hangs": func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-hangs:
			case <-r.Context().Done():
			}
		},
	}
	servers := map[string]string{}
	for name, h := range answers {
		s := httptest.NewServer(h)
		defer s.Close()
		servers[name] = s.URL
	}
	defer close(hangs)
	s := httptest.NewTLSServer(http.NotFoundHandler())
	defer s.Close()
	servers["certificate of nobody"] = s.URL
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, closed.Close())
	servers["refused"] = "http://" + closed.Addr().String()

	token := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(token, []byte("s3cret-in-a-file\n"), 0o600))
	for name, address := range servers {
		t.Run(name, func(t *testing.T) {
			out, tmp := t.TempDir(), t.TempDir()
			args := append([]string{"--stack", "../stack", "-v", "--env", "attach", "--prometheus", address, "--grafana", address, "--timeout", "3s"}, reports(out)...)
			said := overseen(t, program, []int{exitNotRun}, []string{"TMPDIR=" + tmp, "PANELGATE_PROMETHEUS_USER=someone", "PANELGATE_PROMETHEUS_PASSWORD=s3cret-password",
				"PANELGATE_GRAFANA_TOKEN_FILE=" + token}, args...)
			assert.NotRegexp(t, ".{0,60}"+canary+".{0,20}", said)
			assert.NotContains(t, said, basicAuth("someone", "s3cret-password"))
			quietIn(t, out)
			quietIn(t, tmp)
		})
	}
}

// TestNoFlagTakesASecret: a flag that is named like one would be seen by everybody on
// the machine.
func TestNoFlagTakesASecret(t *testing.T) {
	secrets := regexp.MustCompile(`(?i)token|password|secret|credential|api-?key|login`)
	for _, cmd := range commandsOf(newRoot(os.Stdout, os.Stderr)) {
		for _, line := range strings.Split(cmd.Flags().FlagUsages(), "\n") {
			if fields := strings.Fields(line); len(fields) > 0 && slices.ContainsFunc(fields[:min(2, len(fields))], func(f string) bool {
				return strings.HasPrefix(f, "--") && secrets.MatchString(f)
			}) {
				t.Errorf("%s takes a secret by %s", cmd.CommandPath(), fields[0])
			}
		}
	}
}
