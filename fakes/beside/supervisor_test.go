//go:build unix

package beside

import (
	"archive/tar"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// serving starts a supervisor and returns its client, and what ends it and waits for that.
func serving(t *testing.T) (c *Client, end func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	address := freeAddress(t)
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", address)
	require.NoError(t, err)
	done := make(chan error, 1)
	dir := t.TempDir()
	go func() {
		done <- Serve(ctx, listener, Options{Token: token, HostsFile: filepath.Join(dir, "hosts"), Root: dir})
	}()
	transport := &http.Transport{}
	ended := false
	end = func() {
		if ended {
			return
		}
		ended = true
		cancel()
		assert.NoError(t, <-done)
		transport.CloseIdleConnections()
	}
	t.Cleanup(end)
	return New("http://"+address, token, transport), end
}

// status is what the supervisor answers to a request as it is.
func status(t *testing.T, c *Client, method, path, authorization, body string) int {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, c.url+path, strings.NewReader(body))
	require.NoError(t, err)
	request.Header.Set("Authorization", authorization)
	response, err := c.http.Do(request)
	require.NoError(t, err)
	_, err = io.Copy(io.Discard, response.Body)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	return response.StatusCode
}

func TestStatus(t *testing.T) {
	c, _ := serving(t)
	require.NoError(t, c.Start(t.Context(), shell("exec sleep 1000")))
	for name, tc := range map[string]struct {
		method, path, authorization, body string
		want                              int
	}{
		"no token":              {http.MethodGet, pathState, "", "", http.StatusUnauthorized},
		"a wrong token":         {http.MethodGet, pathState, "Bearer other", "", http.StatusUnauthorized},
		"a longer token":        {http.MethodGet, pathState, "Bearer " + token + "x", "", http.StatusUnauthorized},
		"no token, no path":     {http.MethodGet, "/", "", "", http.StatusUnauthorized},
		"no token, a command":   {http.MethodPost, pathExec, "", `{"argv":["true"]}`, http.StatusUnauthorized},
		"no path":               {http.MethodGet, "/", "Bearer " + token, "", http.StatusNotFound},
		"a wrong method":        {http.MethodGet, pathStart, "Bearer " + token, "", http.StatusMethodNotAllowed},
		"no JSON":               {http.MethodPost, pathExec, "Bearer " + token, "x", http.StatusBadRequest},
		"an unknown key":        {http.MethodPost, pathExec, "Bearer " + token, `{"args":[]}`, http.StatusBadRequest},
		"no number":             {http.MethodGet, pathLog + "?lines=many", "Bearer " + token, "", http.StatusBadRequest},
		"a negative number":     {http.MethodGet, pathLog + "?lines=-1", "Bearer " + token, "", http.StatusBadRequest},
		"no archive":            {http.MethodPost, pathFiles, "Bearer " + token, strings.Repeat("x", 1024), http.StatusBadRequest},
		"started already":       {http.MethodPost, pathStart, "Bearer " + token, `{"argv":["true"]}`, http.StatusConflict},
		"a port that is none":   {http.MethodPost, pathForwards, "Bearer " + token, `[{"listen":"x","to":"y"}]`, http.StatusUnprocessableEntity},
		"what it does, at last": {http.MethodGet, pathState, "Bearer " + token, "", http.StatusOK},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, tc.want, status(t, c, tc.method, tc.path, tc.authorization, tc.body))
		})
	}
}

// alive says whether there is a process, as a program has printed its id.
func alive(t *testing.T, pid string) bool {
	t.Helper()
	_, err := strconv.Atoi(pid)
	require.NoError(t, err)
	stat, err := os.ReadFile(filepath.Join("/proc", pid, "stat"))
	if err != nil {
		return false
	}
	_, after, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(after, "Z") // who reaps it is no matter of the supervisor's
}

func needProc(t *testing.T) {
	t.Helper()
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("no /proc")
	}
}

func TestEndOfServingEndsTheProgram(t *testing.T) {
	needProc(t)
	c, end := serving(t)
	require.NoError(t, c.Start(t.Context(), shell("echo $$; exec sleep 1000")))
	await(t, func() bool { return len(printed(t, c)) == 1 })
	pid := printed(t, c)[0]
	require.True(t, alive(t, pid))
	end()
	assert.False(t, alive(t, pid))
	_, err := c.State(t.Context())
	require.ErrorContains(t, err, "ask the supervisor: ")
}

func TestForceKillsTheGroup(t *testing.T) {
	needProc(t)
	c, _ := serving(t)
	require.NoError(t, c.Start(t.Context(), shell(`trap "" TERM; sleep 1000 & echo $!; while :; do wait; done`)))
	await(t, func() bool { return len(printed(t, c)) == 1 })
	pid := printed(t, c)[0]
	require.True(t, alive(t, pid))
	s, err := c.Stop(t.Context(), time.Millisecond)
	require.NoError(t, err)
	assert.Equal(t, 128+9, s.ExitCode)
	await(t, func() bool { return !alive(t, pid) })
}

func TestExecIsKilledWithItsRequest(t *testing.T) {
	needProc(t)
	c, _ := serving(t)
	file := filepath.Join(t.TempDir(), "pids")
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := c.Exec(ctx, Exec{Argv: []string{"/bin/sh", "-c", "sleep 1000 & echo $$ $! >" + file + ".new; mv " + file + ".new " + file + "; wait"}})
		done <- err
	}()
	await(t, func() bool { _, err := os.Stat(file); return err == nil })
	cancel()
	require.ErrorIs(t, <-done, context.Canceled)
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	pids := strings.Fields(string(data))
	require.Len(t, pids, 2)
	for _, pid := range pids {
		await(t, func() bool { return !alive(t, pid) })
	}
}

func TestExecErrors(t *testing.T) {
	c, _ := serving(t)
	for name, tc := range map[string]struct {
		argv []string
		code int
		says string
	}{
		"no command":     {nil, 126, "no command is given"},
		"not found":      {[]string{"no-such-program"}, 127, "not found in $PATH"},
		"a directory":    {[]string{"/"}, 126, "is a directory"},
		"killed":         {[]string{"/bin/sh", "-c", "kill -TERM $$"}, 128 + 15, ""},
		"no interpreter": {[]string{script(t, "#!/no/such/interpreter\n")}, 127, "no such file"},
		"no format":      {[]string{script(t, "\x7fnonsense")}, 126, "exec format error"},
		"an heir":        {[]string{"/bin/sh", "-c", "sleep 2 & echo done"}, 0, "done"},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := c.Exec(t.Context(), Exec{Argv: tc.argv})
			require.NoError(t, err)
			assert.Equal(t, tc.code, d.ExitCode, d.Output)
			assert.Contains(t, d.Output, tc.says)
		})
	}
}

// script is an executable file.
func script(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "script")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	require.NoError(t, os.Chmod(file, 0o700))
	return file
}

func TestFindsByTheProgramsOwnPath(t *testing.T) {
	c, _ := serving(t)
	own := script(t, "#!/bin/sh\necho own\n")
	require.NoError(t, os.Rename(own, filepath.Join(filepath.Dir(own), "true")))
	for name, start := range map[string]Start{
		"an absolute path":  {Argv: []string{"true"}, Env: []string{"PATH=/no/such:" + filepath.Dir(own) + ":/bin"}, Dir: "/"},
		"a relative path":   {Argv: []string{"true"}, Env: []string{"PATH=."}, Dir: filepath.Dir(own)},
		"a relative name":   {Argv: []string{"./true"}, Dir: filepath.Dir(own)},
		"the last of two":   {Argv: []string{"true"}, Env: []string{"PATH=/bin", "PATH=" + filepath.Dir(own)}},
		"an absolute name":  {Argv: []string{filepath.Join(filepath.Dir(own), "true")}, Env: []string{"PATH=/no/such"}},
		"without directory": {Argv: []string{"true"}, Env: []string{"PATH=" + filepath.Dir(own)}},
	} {
		t.Run(name, func(t *testing.T) {
			before := len(printed(t, c))
			require.NoError(t, c.Start(t.Context(), start))
			assert.Zero(t, ended(t, c).ExitCode)
			assert.Equal(t, []string{"own"}, printed(t, c)[before:])
		})
	}
}

func TestHome(t *testing.T) {
	c, _ := serving(t)
	for _, tc := range []struct{ env, user, want string }{
		{"HOME=/given", "", "/given"},
		{"HOME=", "", ""},
		{"HOMER=simpson", "54321", "/"},
	} {
		if tc.user != "" && os.Getuid() != 0 {
			continue // only root becomes somebody else
		}
		before := len(printed(t, c))
		require.NoError(t, c.Start(t.Context(), Start{Argv: []string{"/bin/sh", "-c", `echo "home=$HOME"`}, Env: []string{tc.env}, User: tc.user}))
		assert.Zero(t, ended(t, c).ExitCode)
		assert.Equal(t, []string{"home=" + tc.want}, printed(t, c)[before:])
	}
}

// An archive that takes its time keeps nobody from asking what has become of the program.
func TestStateWhileFilesArrive(t *testing.T) {
	c, dir := supervised(t)
	read, write := io.Pipe()
	sent := make(chan error, 1)
	go func() {
		sent <- c.Files(t.Context(), func(w io.Writer) error {
			_, err := io.Copy(w, read)
			return err
		})
	}()
	content := archive(t, file("x", strings.Repeat("x", 4096), 0o600))
	_, err := write.Write(content[:1024])
	require.NoError(t, err)
	await(t, func() bool { _, err := os.Stat(filepath.Join(dir, "x")); return err == nil })
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	_, err = c.State(ctx)
	require.NoError(t, err)
	_, err = write.Write(content[1024:])
	require.NoError(t, err)
	require.NoError(t, write.Close())
	require.NoError(t, <-sent)
}

// What the supervisor has against an archive is told, however much of it was still to come.
func TestFilesRefusedEarly(t *testing.T) {
	c, _ := serving(t)
	for range 10 {
		err := c.Files(t.Context(), func(w io.Writer) error {
			if _, err := w.Write(archive(t, &tar.Header{Typeflag: tar.TypeFifo, Name: "pipe"})); err != nil {
				return err
			}
			chunk := make([]byte, 1<<20)
			for range 16 {
				if _, err := w.Write(chunk); err != nil {
					return err
				}
			}
			return nil
		})
		require.ErrorContains(t, err, "it is neither file")
	}
}

// A request that arrives with the end of serving starts nothing that nobody would end.
func TestNothingStartsAfterTheEnd(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := &supervisor{Options: Options{Token: token}, ctx: ctx, forwards: map[string]*forwarding{}}
	cancel()
	s.end()
	s.running.Wait()
	for path, body := range map[string]string{
		pathStart:    `{"argv":["sleep","1000"]}`,
		pathForwards: `[{"listen":"127.0.0.1:0","to":"127.0.0.1:1"}]`,
		pathExec:     `{"argv":["true"]}`,
	} {
		request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, strings.NewReader(body))
		request.Header.Set("Authorization", "Bearer "+token)
		answer := httptest.NewRecorder()
		s.handler().ServeHTTP(answer, request)
		assert.Equal(t, http.StatusServiceUnavailable, answer.Code, path)
	}
	s.end()
	s.running.Wait()
}

// A port that is passed on no more is not taken for one that is.
func TestForwardAgainAfterItsEnd(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	at, one := freeAddress(t), greeter(t, "one")
	over := &forwarding{to: one, cancel: func() {}, closed: make(chan struct{})}
	close(over.closed)
	s := &supervisor{ctx: ctx, forwards: map[string]*forwarding{at: over}}
	require.NoError(t, s.passOn(Forward{Listen: at, To: one}))
	assert.Equal(t, "one", heard(t, at))
	cancel()
	s.running.Wait()
}

func TestForwardThatFailsIsForgotten(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	taken, one := greeter(t, "taken"), greeter(t, "one")
	closed := make(chan struct{})
	old := &forwarding{to: one, cancel: func() { close(closed) }, closed: closed}
	s := &supervisor{ctx: ctx, forwards: map[string]*forwarding{taken: old}}
	require.Error(t, s.passOn(Forward{Listen: taken, To: "127.0.0.1:1"}))
	require.Error(t, s.passOn(Forward{Listen: taken, To: one}), "it is not passed on")
}

func TestBadPlan(t *testing.T) {
	c, _ := serving(t)
	err := c.send(t.Context(), pathStart, map[string]any{"argv": []string{"true"}, "plan": map[string]any{"version": 1}}, nil)
	require.ErrorContains(t, err, "start is missing")
	s, err := c.State(t.Context())
	require.NoError(t, err)
	assert.False(t, s.Running || s.Ended, "nothing was started")
}

func TestAnswersThatAreNone(t *testing.T) {
	for name, tc := range map[string]struct {
		status int
		body   string
		want   string
	}{
		"no supervisor":    {http.StatusBadGateway, "<html>", "the supervisor answers 502 Bad Gateway"},
		"no reason":        {http.StatusBadRequest, "{}", "the supervisor answers 400 Bad Request"},
		"a reason":         {http.StatusBadRequest, `{"error":"why"}`, "why"},
		"no JSON":          {http.StatusOK, "<html>", "read the supervisor's answer: "},
		"an answer's half": {http.StatusOK, `{"running"`, "read the supervisor's answer: unexpected EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(tc.status)
				_, _ = io.WriteString(w, tc.body) // the client says what arrived
			}))
			defer server.Close()
			_, err := New(server.URL, token, server.Client().Transport).State(t.Context())
			require.ErrorContains(t, err, tc.want)
		})
	}
	_, err := New("://", token, nil).State(t.Context())
	require.ErrorContains(t, err, "ask the supervisor: ")
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	err = New("http://"+freeAddress(t), token, transport).Files(t.Context(), func(w io.Writer) error {
		_, err := w.Write(make([]byte, 1<<20))
		return err
	})
	require.ErrorContains(t, err, "ask the supervisor: ")
	require.ErrorContains(t, err, "connection refused")
}
