//go:build unix

package beside

import (
	"archive/tar"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/fakes/plan"
	"github.com/panelgate/panelgate/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

const token = "secret"

// supervised starts a supervisor, which the test's end ends, and returns its client and the directory that its files go to.
func supervised(t *testing.T) (*Client, string) {
	t.Helper()
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ended := make(chan error, 1)
	go func() {
		ended <- Serve(ctx, listener, Options{Token: token, HostsFile: filepath.Join(dir, "hosts"), Root: dir})
	}()
	transport := &http.Transport{}
	t.Cleanup(func() {
		cancel()
		assert.NoError(t, <-ended)
		transport.CloseIdleConnections()
	})
	return New("http://"+listener.Addr().String(), token, transport), dir
}

// shell is a program for /bin/sh.
func shell(script string) Start {
	return Start{Argv: []string{"/bin/sh", "-c", script}, Env: []string{"PATH=/usr/bin:/bin"}, Dir: "/"}
}

// ended waits until the program has ended.
func ended(t *testing.T, c *Client) State {
	t.Helper()
	var s State
	await(t, func() bool {
		var err error
		s, err = c.State(t.Context())
		require.NoError(t, err)
		return s.Ended
	})
	return s
}

func await(t *testing.T, done func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(20 * time.Second); !done(); <-tick.C {
		require.True(t, time.Now().Before(end), "waited for in vain")
	}
}

func printed(t *testing.T, c *Client) []string {
	t.Helper()
	lines, err := c.Log(t.Context(), 100)
	require.NoError(t, err)
	return lines
}

func TestProgramsThatEnd(t *testing.T) {
	notExecutable := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(notExecutable, []byte("x"), 0o600))
	tests := map[string]struct {
		start Start
		code  int
		says  string
	}{
		"well, with both streams":  {shell("echo out; echo err >&2"), 0, "out\nerr"},
		"with a code":              {shell("exit 7"), 7, ""},
		"by a signal":              {shell("kill -KILL $$"), 137, ""},
		"not found":                {Start{Argv: []string{"no-such-program"}}, 127, "exec no-such-program: executable file not found in $PATH"},
		"no such file":             {Start{Argv: []string{"/no/such/program"}}, 127, "no such file"},
		"not executable":           {Start{Argv: []string{notExecutable}}, 126, "permission denied"},
		"no command":               {Start{}, 126, "no command is given"},
		"nobody's":                 {Start{Argv: []string{"/bin/true"}, User: "no-such-user"}, 126, "unable to find user no-such-user"},
		"with a line that is open": {shell("printf open"), 0, "open"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c, _ := supervised(t)
			before, err := c.State(t.Context())
			require.NoError(t, err)
			assert.False(t, before.Running || before.Ended)
			require.NoError(t, c.Start(t.Context(), tt.start))
			s := ended(t, c)
			assert.Equal(t, tt.code, s.ExitCode)
			assert.False(t, s.Running)
			lines := printed(t, c)
			assert.Contains(t, strings.Join(lines, "\n"), tt.says)
		})
	}
}

func TestEnvironment(t *testing.T) {
	t.Setenv(TokenVariable, token)
	c, _ := supervised(t)
	dir := filepath.Join(t.TempDir(), "made", "for it")
	start := shell("pwd; env; echo end")
	start.Dir, start.Env = dir, append(start.Env, "A=b c")
	require.NoError(t, c.Start(t.Context(), start))
	ended(t, c)
	lines := printed(t, c)
	assert.Equal(t, dir, lines[0])
	assert.Contains(t, lines, "A=b c")
	assert.NotContains(t, strings.Join(lines, "\n"), TokenVariable)
	home := ""
	for _, l := range lines {
		if h, ok := strings.CutPrefix(l, "HOME="); ok {
			home = h
		}
	}
	assert.NotEmpty(t, home)
}

func TestStartAgain(t *testing.T) {
	c, _ := supervised(t)
	require.NoError(t, c.Start(t.Context(), shell("echo first; exec sleep 1000")))
	require.ErrorContains(t, c.Start(t.Context(), shell("echo no")), "runs already")
	await(t, func() bool { return len(printed(t, c)) == 1 })
	s, err := c.Stop(t.Context(), 10*time.Second)
	require.NoError(t, err)
	assert.Equal(t, 128+15, s.ExitCode)
	assert.True(t, s.Ended)
	require.NoError(t, c.Start(t.Context(), shell("echo second")))
	assert.Zero(t, ended(t, c).ExitCode)
	assert.Equal(t, []string{"first", "second"}, printed(t, c))
}

// Who does not end when asked is killed, with all that it has started.
func TestStopByForce(t *testing.T) {
	c, _ := supervised(t)
	require.NoError(t, c.Start(t.Context(), shell(`trap "" TERM; echo ready; while :; do sleep 1000; done`)))
	await(t, func() bool { return len(printed(t, c)) > 0 })
	s, err := c.Stop(t.Context(), time.Millisecond)
	require.NoError(t, err)
	assert.Equal(t, 128+9, s.ExitCode)
	_, err = c.Stop(t.Context(), time.Millisecond)
	require.NoError(t, err, "stopping again does nothing")
}

func TestExec(t *testing.T) {
	c, _ := supervised(t)
	start := shell("exec sleep 1000")
	start.Env = append(start.Env, "GREETING=hello")
	require.NoError(t, c.Start(t.Context(), start))
	d, err := c.Exec(t.Context(), Exec{Argv: []string{"sh", "-c", "echo $GREETING; pwd; exit 3"}})
	require.NoError(t, err)
	assert.Equal(t, Done{ExitCode: 3, Output: "hello\n/\n"}, d)
	d, err = c.Exec(t.Context(), Exec{Argv: []string{"sh", "-c", "yes | head -c 100000"}})
	require.NoError(t, err)
	assert.Len(t, d.Output, MaxOutput)
	d, err = c.Exec(t.Context(), Exec{Argv: []string{"no-such-program"}})
	require.NoError(t, err)
	assert.Equal(t, 127, d.ExitCode)
	limited, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = c.Exec(limited, Exec{Argv: []string{"sleep", "1000"}})
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestToken(t *testing.T) {
	c, _ := supervised(t)
	other := &http.Transport{}
	defer other.CloseIdleConnections()
	for _, wrong := range []string{"", "wrong"} {
		_, err := New(c.url, wrong, other).State(t.Context())
		require.ErrorContains(t, err, "answers only who knows its token")
	}
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.ErrorContains(t, Serve(t.Context(), listener, Options{}), "no token")
}

func TestSupervisorThatIsNotThere(t *testing.T) {
	_, err := New("http://127.0.0.1:1", token, nil).State(t.Context())
	require.ErrorContains(t, err, "ask the supervisor: ")
	cancelled, cancel := context.WithCancelCause(t.Context())
	cancel(io.ErrUnexpectedEOF)
	_, err = New("http://127.0.0.1:1", token, nil).State(cancelled)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF, "why it was cancelled")
}

func archive(t testing.TB, headers ...*tar.Header) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, h := range headers {
		content := h.PAXRecords["content"]
		h.PAXRecords, h.Size = nil, int64(len(content))
		require.NoError(t, w.WriteHeader(h))
		_, err := w.Write([]byte(content))
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return out.Bytes()
}

func file(name, content string, mode int64) *tar.Header {
	return &tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: mode, Uid: os.Getuid(), Gid: os.Getgid(), PAXRecords: map[string]string{"content": content}}
}

func TestFiles(t *testing.T) {
	c, dir := supervised(t)
	send := func(data []byte) error {
		return c.Files(t.Context(), func(w io.Writer) error {
			_, err := w.Write(data)
			return err
		})
	}
	require.NoError(t, send(archive(t,
		&tar.Header{Typeflag: tar.TypeDir, Name: "etc/", Mode: 0o777, Uid: os.Getuid(), Gid: os.Getgid()},
		file("etc/x.yml", "first", 0o640), file("deep/er/y", "y", 0o600),
		&tar.Header{Typeflag: tar.TypeSymlink, Name: "link", Linkname: "etc/x.yml", Uid: os.Getuid(), Gid: os.Getgid()},
	)))
	info, err := os.Stat(filepath.Join(dir, "etc"))
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o777), info.Mode().Perm(), "whatever the umask is")
	held, err := os.Open(filepath.Join(dir, "etc/x.yml"))
	require.NoError(t, err)
	defer func() { require.NoError(t, held.Close()) }()
	require.NoError(t, send(archive(t, file("etc/x.yml", "second", 0o644))))
	data, err := io.ReadAll(held)
	require.NoError(t, err)
	assert.Equal(t, "second", string(data), "the file is the same one")
	// A link is replaced, and not what it leads to.
	require.NoError(t, send(archive(t, file("link", "third", 0o644))))
	data, err = os.ReadFile(filepath.Join(dir, "etc/x.yml"))
	require.NoError(t, err)
	assert.Equal(t, "second", string(data))

	require.ErrorContains(t, send(archive(t, file("../x", "x", 0o600))), "the name leads out of the archive")
	require.ErrorContains(t, send(archive(t, &tar.Header{Typeflag: tar.TypeFifo, Name: "pipe"})), "it is neither file")
	require.ErrorContains(t, send(archive(t, file("z", strings.Repeat("z", 4096), 0o600))[:1024]), "unpack z: unexpected EOF")
	broken := c.Files(t.Context(), func(io.Writer) error { return os.ErrClosed })
	require.ErrorIs(t, broken, os.ErrClosed, "what the writer says")
}

func TestHosts(t *testing.T) {
	c, dir := supervised(t)
	name := filepath.Join(dir, "hosts")
	require.NoError(t, os.WriteFile(name, []byte("127.0.0.1 localhost"), 0o644))
	before, err := os.Stat(name)
	require.NoError(t, err)
	require.NoError(t, c.Hosts(t.Context(), "10.0.0.1\ta\n10.0.0.2\tb"))
	require.NoError(t, c.Hosts(t.Context(), "10.0.0.3\tc\n"))
	data, err := os.ReadFile(name)
	require.NoError(t, err)
	assert.Equal(t, "127.0.0.1 localhost\n# told by the gate\n10.0.0.3\tc\n# end of what the gate told\n", string(data))
	after, err := os.Stat(name)
	require.NoError(t, err)
	assert.True(t, os.SameFile(before, after), "a hosts file in a container is a mount")
}

// freeAddress is one of this machine on which nobody listens yet.
func freeAddress(t *testing.T) string {
	t.Helper()
	var config net.ListenConfig
	l, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, l.Close()) }()
	return l.Addr().String()
}

// greeter answers each connection with a word.
func greeter(t *testing.T, word string) string {
	t.Helper()
	var config net.ListenConfig
	l, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(conn, word) // the reader says what arrived
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() {
		assert.NoError(t, l.Close())
		<-done
	})
	return l.Addr().String()
}

func heard(t *testing.T, address string) string {
	t.Helper()
	var dialer net.Dialer
	conn, err := dialer.DialContext(t.Context(), "tcp", address)
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close()) }()
	data, err := io.ReadAll(conn)
	require.NoError(t, err)
	return string(data)
}

func TestForwards(t *testing.T) {
	c, _ := supervised(t)
	at, one, two := freeAddress(t), greeter(t, "one"), greeter(t, "two")
	for range 2 { // asked again, it stays
		require.NoError(t, c.Forwards(t.Context(), []Forward{{Listen: at, To: one}}))
		assert.Equal(t, "one", heard(t, at))
	}
	require.NoError(t, c.Forwards(t.Context(), []Forward{{Listen: at, To: two}}))
	assert.Equal(t, "two", heard(t, at))
	require.ErrorContains(t, c.Forwards(t.Context(), []Forward{{Listen: one, To: two}}), "pass on "+one)
}

func TestPlanBesideAProgram(t *testing.T) {
	c, _ := supervised(t)
	scenario, err := fakes.BuiltinScenario("steady")
	require.NoError(t, err)
	at := freeAddress(t)
	start := shell("echo runs; exec sleep 1000")
	start.Plan = &plan.Plan{Version: plan.Version, Start: time.Now(), ScenarioName: scenario.Name(), Scenario: string(scenario.YAML()),
		Listeners: []plan.Listener{{Listen: at, Routes: []plan.Route{{Exporter: "triton", Instance: "here:8002"}}}}}
	require.NoError(t, c.Start(t.Context(), start))
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+at+"/metrics", http.NoBody)
	require.NoError(t, err)
	transport := &http.Transport{DisableKeepAlives: true}
	response, err := transport.RoundTrip(request)
	require.NoError(t, err)
	page, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	assert.Contains(t, string(page), "nv_inference_request_success")
	_, err = c.Stop(t.Context(), 10*time.Second)
	require.NoError(t, err)
	require.NoError(t, c.Start(t.Context(), start), "the plan is served already")
}

func TestTail(t *testing.T) {
	var log tail
	write := func(text string) {
		n, err := log.Write([]byte(text))
		require.NoError(t, err)
		require.Len(t, text, n)
	}
	write("a\r\nb")
	assert.Equal(t, []string{"a", "b"}, log.last(10))
	write("c\n\nd\n")
	assert.Equal(t, []string{"a", "bc", "", "d"}, log.last(10))
	assert.Equal(t, []string{"d"}, log.last(1))
	assert.Empty(t, log.last(0))
	write(strings.Repeat("x", 10<<20)) // a line that does not end
	assert.LessOrEqual(t, log.bytes, tailBytes)
	for range tailLines + 10 {
		write("y\n")
	}
	assert.Len(t, log.last(2*tailLines), tailLines)
}
