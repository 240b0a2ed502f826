package attach

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/internal/leak"
	"github.com/panelgate/panelgate/stack"
)

func TestMain(m *testing.M) { leak.Main(m) }

// to answers requests without a network, and keeps them.
type to struct {
	seen   []*http.Request
	answer func(*http.Request) (*http.Response, error)
}

func (s *to) RoundTrip(req *http.Request) (*http.Response, error) {
	s.seen = append(s.seen, req)
	if s.answer != nil {
		return s.answer(req)
	}
	return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody, Request: req}, nil
}

type closing struct {
	io.Reader
	closed bool
}

func (c *closing) Close() error { c.closed = true; return nil }

func send(t *testing.T, rt http.RoundTripper, method, url string, body io.Reader) (string, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, body)
	require.NoError(t, err)
	resp, err := rt.RoundTrip(req)
	if err != nil {
		return "", err
	}
	defer func() { require.NoError(t, resp.Body.Close()) }()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return string(text), nil
}

func TestOnlyReadsAreSent(t *testing.T) {
	for _, tt := range []struct {
		request string
		passes  bool
	}{
		{"GET http://g/api/datasources", true},
		{"HEAD http://g/api/health", true},
		{"POST http://g/api/ds/query", true},
		{"POST http://g/grafana/api/ds/query", true},
		{"POST http://p/api/v1/query", true},
		{"POST http://p/prometheus/api/v1/query_range", true},
		{"POST http://g/api/datasources/proxy/uid/x/api/v1/series", true},
		{"POST http://p/api/v1/labels", true},
		{"POST http://p/api/v1/admin/tsdb/delete_series", false},
		{"POST http://p/api/v1/write", false},
		{"POST http://p/api/v1/query/", false},
		{"POST http://p/-/reload?x=/api/v1/query", false},
		{"POST http://p/-/quit#/api/v1/query", false},
		{"POST http://g/api/dashboards/db", false},
		{"POST http://g/api/datasources", false},
		{"PUT http://g/api/ds/query", false},
		{"PATCH http://g/api/v1/query", false},
		{"DELETE http://g/api/datasources/uid/x", false},
		{"OPTIONS http://g/api/ds/query", false},
	} {
		method, url, _ := strings.Cut(tt.request, " ")
		server, body := &to{}, &closing{Reader: strings.NewReader("x")}
		_, err := send(t, &readOnly{server}, method, url, body)
		assert.Equal(t, tt.passes, len(server.seen) == 1, tt.request)
		if !tt.passes {
			require.ErrorContains(t, err, "panelgate only reads", tt.request)
			assert.True(t, body.closed, tt.request)
		}
	}
}

func TestALoginIsShownToItsServerOnly(t *testing.T) {
	bases := map[string]string{
		"prom": "http://host:9090", "a": "http://host/a", "root": "http://one", "below": "http://one/grafana", "tls": "https://tls",
	}
	for url, want := range map[string]string{
		"http://host:9090/api/v1/query":     "prom",
		"http://host.evil:9090/api/v1/x":    "",
		"http://host:90901/api/v1/x":        "",
		"http://host:9090@evil/api/v1/x":    "",
		"http://host/a/api/v1/x":            "a",
		"http://host/a?x=/api":              "",
		"http://host/ab/api/v1/x":           "",
		"http://host/api/v1/x":              "",
		"http://one/api/v1/x":               "root",
		"http://one/grafana/api/ds/query":   "below",
		"http://one/grafanas/api/ds/query":  "root",
		"http://one.evil/grafana/api":       "",
		"http://tls/api/v1/x":               "",
		"https://tls/api/v1/x":              "tls",
		"http://evil/?http://host:9090/api": "",
	} {
		var s servers
		reached := map[string]*to{}
		for name, base := range bases {
			reached[name] = &to{}
			s.add(base, &loggedIn{base: reached[name], login: Login{Token: "token-of-" + name}})
		}
		_, err := send(t, &s, http.MethodGet, url, nil)
		if want == "" {
			require.ErrorContains(t, err, "none of the servers that were named", url)
		} else {
			require.NoError(t, err, url)
		}
		for name, server := range reached {
			if name != want {
				assert.Empty(t, server.seen, url)
				continue
			}
			require.Len(t, server.seen, 1, url)
			assert.Equal(t, "Bearer token-of-"+name, server.seen[0].Header.Get("Authorization"))
		}
	}
}

func TestNoRedirectIsFollowed(t *testing.T) {
	var elsewhere []string
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		elsewhere = append(elsewhere, r.Method+" "+r.Header.Get("Authorization"))
	}))
	defer other.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		for _, target := range []string{other.URL + "/login?state=secret-state", "/below"} {
			var asked []string
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked = append(asked, r.Method+" "+r.URL.Path)
				http.Redirect(w, r, target, status)
			}))
			for _, opts := range []Options{
				{Prometheus: server.URL, PrometheusLogin: Login{Token: "t0ken"}},
				{Grafana: server.URL, GrafanaLogin: Login{User: "me", Password: "t0ken"}},
			} {
				_, err := Start(t.Context(), &stack.Stack{}, opts)
				if opts.Grafana != "" && target == "/below" { // on the same host, for a GET: until it is too much
					require.Error(t, err)
					continue
				}
				require.ErrorContains(t, err, "redirect")
				assert.NotContains(t, err.Error(), "secret-state")
				assert.NotContains(t, err.Error(), "t0ken")
			}
			for _, a := range asked {
				assert.True(t, strings.HasPrefix(a, "GET "), a)
			}
			server.Close()
		}
	}
	assert.Empty(t, elsewhere)
}

func TestAnAnswerThatBreaksOffIsAskedForAgain(t *testing.T) {
	var bodies []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		bodies = append(bodies, string(body))
		if len(bodies)%attempts == 0 {
			_, _ = w.Write([]byte("whole"))
			return
		}
		w.Header().Set("Content-Length", "100")
		_, _ = w.Write([]byte("half"))
	}))
	defer server.Close()
	base := &http.Transport{}
	defer base.CloseIdleConnections()
	text, err := send(t, &steady{base}, http.MethodPost, server.URL, strings.NewReader("question"))
	require.NoError(t, err)
	assert.Equal(t, "whole", text)
	assert.Equal(t, []string{"question", "question", "question"}, bodies)
	text, err = send(t, &steady{base}, http.MethodGet, server.URL, nil)
	require.NoError(t, err)
	assert.Equal(t, "whole", text)

	broken := &to{answer: func(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF }}
	_, err = send(t, &steady{broken}, http.MethodGet, "http://x", nil)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	assert.Len(t, broken.seen, attempts)
}

// prometheus answers like one, after check has looked at each request.
func prometheus(check func(*http.Request)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if check != nil {
			check(r)
		}
		data := `{"resultType":"scalar","result":[1,"2"]}`
		if strings.HasSuffix(r.URL.Path, "/api/v1/targets") {
			data = `{"activeTargets":[]}`
		}
		_, _ = fmt.Fprintf(w, `{"status":"success","data":%s}`, data)
	})
}

func TestAuthoritiesOfAFile(t *testing.T) {
	server := httptest.NewTLSServer(prometheus(nil))
	defer server.Close()
	server.Config.ErrorLog = nil
	_, err := Start(t.Context(), &stack.Stack{}, Options{Prometheus: server.URL})
	require.ErrorContains(t, err, "trust the authority that signed its certificate with --ca-file FILE")

	dir := t.TempDir()
	ca := filepath.Join(dir, "ca.pem")
	require.NoError(t, os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600))
	e, err := Start(t.Context(), &stack.Stack{}, Options{Prometheus: server.URL, CAFile: ca})
	require.NoError(t, err)
	require.NoError(t, e.Close())

	_, err = Start(t.Context(), &stack.Stack{}, Options{Prometheus: server.URL, CAFile: filepath.Join(dir, "none")})
	require.ErrorContains(t, err, "read --ca-file")
	empty := filepath.Join(dir, "empty.pem")
	require.NoError(t, os.WriteFile(empty, []byte("nothing"), 0o600))
	_, err = Start(t.Context(), &stack.Stack{}, Options{Prometheus: server.URL, CAFile: empty})
	require.ErrorContains(t, err, "there is no PEM certificate in it")
	_, err = Start(t.Context(), &stack.Stack{}, Options{Prometheus: strings.Replace(server.URL, "https", "http", 1)})
	require.ErrorContains(t, err, "HTTP request to an HTTPS server")
	plain := httptest.NewServer(prometheus(nil))
	defer plain.Close()
	_, err = Start(t.Context(), &stack.Stack{}, Options{Prometheus: strings.Replace(plain.URL, "http", "https", 1)})
	require.ErrorContains(t, err, "it speaks no TLS")
}

func TestAProxyIsAskedForEverything(t *testing.T) {
	var mu sync.Mutex
	var seen []string
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		seen = append(seen, r.Method+" "+r.Host)
		mu.Unlock()
		if r.Method == http.MethodConnect {
			http.Error(w, "no", http.StatusForbidden)
			return
		}
		prometheus(nil).ServeHTTP(w, r)
	}))
	defer proxy.Close()
	e, err := Start(t.Context(), &stack.Stack{}, Options{Prometheus: "http://nowhere.invalid:9090", Proxy: proxy.URL})
	require.NoError(t, err)
	require.NoError(t, e.Close())
	assert.Equal(t, []string{"GET nowhere.invalid:9090", "GET nowhere.invalid:9090"}, seen)
	seen = nil
	_, err = Start(t.Context(), &stack.Stack{}, Options{Prometheus: "https://nowhere.invalid", Proxy: proxy.URL, PrometheusLogin: Login{Token: "t0ken"}})
	require.ErrorContains(t, err, "Forbidden")
	assert.NotContains(t, err.Error(), "t0ken")
	assert.Equal(t, []string{"CONNECT nowhere.invalid:443"}, seen)
	_, err = Start(t.Context(), &stack.Stack{}, Options{Prometheus: "http://nowhere.invalid", Proxy: "http://127.0.0.1:1"})
	require.ErrorContains(t, err, "connection refused")
}

func TestWhatEachServerIsSent(t *testing.T) {
	sent := map[string][]http.Header{}
	var mu sync.Mutex
	keep := func(name string) func(*http.Request) {
		return func(r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			sent[name] = append(sent[name], r.Header.Clone())
		}
	}
	prom := httptest.NewServer(prometheus(keep("prometheus")))
	defer prom.Close()
	graf := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		keep("grafana")(r)
		switch r.URL.Path {
		case "/api/health":
			_, _ = io.WriteString(w, `{"version":"13.0.0","database":"ok"}`)
		case "/api/datasources":
			_, _ = io.WriteString(w, `[{"uid":"a","name":"A","type":"prometheus","url":"http://elsewhere:9090"},{"uid":"b","name":"B","type":"prometheus","url":"`+prom.URL+`"}]`)
		default:
			prometheus(nil).ServeHTTP(w, r)
		}
	}))
	defer graf.Close()
	e, err := Start(t.Context(), &stack.Stack{}, Options{
		Prometheus: prom.URL, Grafana: graf.URL, Tenant: "team-a", OrgID: 7,
		PrometheusLogin: Login{Token: "for-prometheus"}, GrafanaLogin: Login{User: "me", Password: "for-grafana"},
	})
	require.NoError(t, err)
	through, err := e.Instance().Proxied("a")
	require.NoError(t, err)
	assert.Equal(t, graf.URL+"/api/datasources/proxy/uid/a", through)
	direct, err := e.Instance().Proxied("b")
	require.NoError(t, err)
	assert.Empty(t, direct)
	_, err = e.Instance().Proxied("c")
	require.ErrorContains(t, err, `no datasource of the uid "c"`)
	require.NoError(t, probe(t.Context(), e.Instance().Transport, through))
	require.NoError(t, e.Close())

	require.NotEmpty(t, sent["prometheus"])
	for _, h := range sent["prometheus"] {
		assert.Equal(t, "Bearer for-prometheus", h.Get("Authorization"))
		assert.Equal(t, "team-a", h.Get("X-Scope-OrgID"))
		assert.Empty(t, h.Get("X-Grafana-Org-Id"))
	}
	require.Len(t, sent["grafana"], 3)
	for _, h := range sent["grafana"] {
		req := http.Request{Header: h}
		user, password, ok := req.BasicAuth()
		assert.True(t, ok)
		assert.Equal(t, "me for-grafana", user+" "+password)
		assert.Equal(t, "7", h.Get("X-Grafana-Org-Id"))
		assert.Empty(t, h.Get("X-Scope-OrgID"))
	}
}

func TestASilentServerIsGivenUp(t *testing.T) {
	stop := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-stop }))
	defer server.Close()
	defer close(stop)
	for _, opts := range []Options{{Prometheus: server.URL}, {Grafana: server.URL}} {
		opts.patience = 50 * time.Millisecond
		_, err := Start(t.Context(), &stack.Stack{}, opts)
		require.ErrorContains(t, err, "no answer within 50ms")
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(fmt.Errorf("not finished after 1s"))
	_, err := Start(ctx, &stack.Stack{}, Options{Prometheus: server.URL})
	require.ErrorContains(t, err, "not finished after 1s")
}

// A server that is asked too much is asked again when it wants to be, where that is soon.
func TestRetryAfter(t *testing.T) {
	now := time.Now()
	for name, tt := range map[string]struct {
		status int
		after  string
		wait   time.Duration
		again  bool
	}{
		"in a moment":    {429, "0", 0, true},
		"in a second":    {503, "1", time.Second, true},
		"at a time":      {429, now.UTC().Add(-time.Hour).Format(http.TimeFormat), 0, true},
		"in a minute":    {429, "60", 0, false},
		"never said":     {429, "", 0, false},
		"nonsense":       {429, "soon", 0, false},
		"before":         {429, "-1", 0, false},
		"of no use":      {500, "0", 0, false},
		"beyond numbers": {429, "99999999999999999999", 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			wait, again := retryAfter(&http.Response{StatusCode: tt.status, Header: http.Header{"Retry-After": {tt.after}}}, now)
			assert.Equal(t, tt.again, again)
			if again {
				assert.Equal(t, tt.wait, wait)
			}
			asked := 0
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if asked++; asked == 1 && tt.wait == 0 {
					w.Header().Set("Retry-After", tt.after)
					w.WriteHeader(tt.status)
					return
				}
				body, err := io.ReadAll(r.Body)
				assert.NoError(t, err)
				assert.Equal(t, "query=up", string(body), "it is asked the same")
			}))
			defer server.Close()
			base := &http.Transport{}
			defer base.CloseIdleConnections()
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/x", strings.NewReader("query=up"))
			require.NoError(t, err)
			resp, err := (&steady{base: base}).RoundTrip(req)
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			assert.Equal(t, tt.again && tt.wait == 0, asked == 2)
		})
	}
}

func TestRetryAfterEndsWithTheRun(t *testing.T) {
	gone := errors.New("interrupted")
	ctx, cancel := context.WithCancelCause(t.Context())
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "9")
		w.WriteHeader(http.StatusTooManyRequests)
		cancel(gone)
	}))
	defer server.Close()
	base := &http.Transport{}
	defer base.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL, http.NoBody)
	require.NoError(t, err)
	resp, err := (&steady{base: base}).RoundTrip(req)
	if err == nil {
		require.NoError(t, resp.Body.Close())
		assert.Equal(t, http.StatusTooManyRequests, resp.StatusCode)
		return
	}
	assert.True(t, errors.Is(err, gone) || errors.Is(err, context.Canceled), err)
}
