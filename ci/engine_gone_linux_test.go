package main

import (
	"bufio"
	"bytes"
	"cmp"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/internal/engine"
)

// TestTheEngineGoesAway takes the engine's socket away at stages of a run: that ends with
// the exit code of a run that could not be, names the engine, and the engine's own
// sweeper takes what the run can no longer stop.
func TestTheEngineGoesAway(t *testing.T) {
	prometheus, grafana := engine.Servers(t)
	engineSocket, local := strings.CutPrefix(cmp.Or(os.Getenv("DOCKER_HOST"), "unix:///var/run/docker.sock"), "unix://")
	if !local {
		t.Skip("the engine is reached by another way than a socket, which is what is taken away")
	}
	for _, tt := range []struct {
		name, method string
		path         *regexp.Regexp
		nth          int
	}{
		{"before anything is made", http.MethodPost, regexp.MustCompile(`/networks/create$`), 1},
		{"when a server is started", http.MethodPost, regexp.MustCompile(`/start$`), 3}, // of the sweeper, the fakes, and so on
		{"while tidying up", http.MethodDelete, regexp.MustCompile(`/containers/`), 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFaulty(t)
			way := newEngineProxy(t, engineSocket, filepath.Join(f.dir, "engine.sock"), func(r *http.Request) bool {
				return r.Method == tt.method && tt.path.MatchString(r.URL.Path)
			}, tt.nth)
			cmd := f.command("", "check", "--env", "docker", "-v", "--image", "prometheus="+prometheus, "--image", "grafana="+grafana, "--json", "result.json")
			// The sweeper is a container: it keeps the engine that this run loses.
			cmd.Env = append(cmd.Env, "DOCKER_HOST=unix://"+way.socket, "TESTCONTAINERS_DOCKER_SOCKET_OVERRIDE="+engineSocket)
			require.NoError(t, cmd.Start())
			code := f.wait(cmd)
			assert.Equal(t, exitNotRun, code, "%s\nafter\n%s", &f.stderr, &way.seen)
			assert.Contains(t, f.stderr.String(), way.socket)
			if result := f.result("result.json", exitNotRun); assert.NotNil(t, result) {
				assert.Equal(t, "error", result.Verdict)
			}
			for run := range way.runs {
				assert.Contains(t, f.stderr.String(), "with the label org.panelgate.run="+run)
				require.Eventually(t, func() bool {
					left, err := engine.Labelled("org.panelgate.run=" + run)
					require.NoError(t, err)
					return len(left) == 0
				}, time.Minute, time.Second, "the run's containers stay")
			}
		})
	}
}

// engineProxy passes on what an engine is asked, up to a request of a kind: that is not
// answered, and nothing is any more.
type engineProxy struct {
	engine, socket string
	last           func(*http.Request) bool
	nth            int             // of those that are the last
	runs           map[string]bool // that had something made

	mu    sync.Mutex
	seen  bytes.Buffer
	gone  bool
	conns map[net.Conn]bool
}

func newEngineProxy(t *testing.T, engine, socket string, last func(*http.Request) bool, nth int) *engineProxy {
	t.Helper()
	p := &engineProxy{engine: engine, socket: socket, last: last, nth: nth, runs: map[string]bool{}, conns: map[net.Conn]bool{}}
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "unix", socket)
	require.NoError(t, err)
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { p.pass(conn, listener) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close() // it may be already
		p.leave()
		serving.Wait()
	})
	return p
}

// runLabel is what the run marks all with that it makes.
var runLabel = regexp.MustCompile(`"org\.panelgate\.run":"([^"]+)"`)

func (p *engineProxy) pass(conn net.Conn, listener net.Listener) {
	defer conn.Close() //nolint:errcheck // of a test
	up, err := net.Dial("unix", p.engine)
	if err != nil {
		return
	}
	defer up.Close() //nolint:errcheck // of a test
	if !p.hold(conn, up) {
		return
	}
	go func() {
		_, _ = io.Copy(conn, up)
		_ = conn.Close()
	}()
	in := bufio.NewReader(conn)
	for {
		req, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		if p.ends(req) {
			_ = listener.Close()
			p.leave()
			return
		}
		if req.Header.Get("Upgrade") == "" {
			body, err := io.ReadAll(req.Body)
			if err != nil {
				return
			}
			for _, m := range runLabel.FindAllSubmatch(body, -1) {
				p.mu.Lock()
				p.runs[string(m[1])] = true
				p.mu.Unlock()
			}
			req.Body, req.ContentLength, req.TransferEncoding = http.NoBody, int64(len(body)), nil
			if len(body) > 0 {
				req.Body = io.NopCloser(bytes.NewReader(body))
			}
		}
		if req.Write(up) != nil {
			return
		}
		if req.Header.Get("Upgrade") != "" { // what follows is no request
			_, _ = io.Copy(up, in)
			return
		}
	}
}

func (p *engineProxy) hold(conns ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		p.conns[c] = true
	}
	return !p.gone
}

func (p *engineProxy) ends(req *http.Request) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seen.WriteString(req.Method + " " + req.URL.String() + "\n")
	if p.last(req) {
		p.nth--
	}
	return p.nth == 0
}

func (p *engineProxy) leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.gone = true
	for c := range p.conns {
		_ = c.Close()
	}
}
