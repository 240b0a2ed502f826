package watch_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/ci/report"
	"github.com/panelgate/panelgate/ci/watch"
)

func listen(t *testing.T) *watch.Server {
	t.Helper()
	s, err := watch.Listen(t.Context(), "127.0.0.1:0", func(w io.Writer, d *report.Document) error {
		_, err := fmt.Fprintf(w, "<title>%s</title>", d.Stack)
		return err
	})
	require.NoError(t, err)
	return s
}

func TestListenOnLoopbackAlone(t *testing.T) {
	t.Parallel()
	for _, addr := range []string{"0.0.0.0:0", ":0", "[::]:0", "192.0.2.1:0", "example.org:0"} {
		_, err := watch.Listen(t.Context(), addr, nil)
		require.ErrorIs(t, err, watch.ErrNotLoopback, addr)
	}
	_, err := watch.Listen(t.Context(), "8080", nil)
	require.Error(t, err)
}

func TestServe(t *testing.T) {
	t.Parallel()
	s := listen(t)
	defer func() { require.NoError(t, s.Close()) }()
	u, err := url.Parse(s.URL())
	require.NoError(t, err)
	get := func(method, path, host string) (int, string) {
		req, err := http.NewRequestWithContext(t.Context(), method, s.URL()+path, nil)
		require.NoError(t, err)
		req.Host = host
		resp, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		defer func() { _ = resp.Body.Close() }() // it was only read
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		assert.Equal(t, "no-store", resp.Header.Get("Cache-Control"))
		return resp.StatusCode, string(body)
	}
	status, body := get("GET", "", "")
	assert.Equal(t, 200, status)
	assert.Contains(t, body, "under way")
	status, _ = get("GET", "report.json", "")
	assert.Equal(t, http.StatusServiceUnavailable, status)

	s.Publish(&report.Document{Schema: report.Schema, Stack: "mine", Verdict: report.Pass})
	for _, c := range []struct {
		method, path, host string
		status             int
		body               string
	}{
		{"GET", "", "", 200, "<title>mine</title>"},
		{"GET", "", "localhost:" + u.Port(), 200, "<title>mine</title>"},
		{"GET", "", "[::1]:" + u.Port(), 200, "<title>mine</title>"},
		{"GET", "report.json", "", 200, `"stack": "mine"`},
		{"GET", "", "rebound.example", 403, "loopback"},
		{"GET", "report.json", "127.0.0.1.example:" + u.Port(), 403, "loopback"},
		{"GET", "events", "rebound.example:" + u.Port(), 403, "loopback"},
		{"POST", "", "", 405, ""},
		{"PUT", "report.json", "", 405, ""},
		{"GET", "etc/passwd", "", 404, ""},
	} {
		status, body := get(c.method, c.path, c.host)
		assert.Equal(t, c.status, status, "%+v", c)
		assert.Contains(t, body, c.body, "%+v", c)
	}
}

// Each run is told, also one between the page and the listening, and closing does not
// wait for who listens.
func TestServeEvents(t *testing.T) {
	t.Parallel()
	s := listen(t)
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	client := &http.Client{Jar: jar, Transport: &http.Transport{}}
	open := func() (*bufio.Scanner, func()) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL()+"events", nil)
		require.NoError(t, err)
		resp, err := client.Do(req)
		require.NoError(t, err)
		require.Equal(t, "text/event-stream", resp.Header.Get("Content-Type"))
		return bufio.NewScanner(resp.Body), func() { _ = resp.Body.Close() }
	}
	message := func(lines *bufio.Scanner) (id string) {
		for lines.Scan() {
			if after, ok := strings.CutPrefix(lines.Text(), "id: "); ok {
				id = after
			}
			if strings.HasPrefix(lines.Text(), "data: ") {
				return id
			}
		}
		return ""
	}
	run := func() { s.Publish(&report.Document{Schema: report.Schema, Verdict: report.Pass}) }
	run()
	page, err := client.Get(s.URL())
	require.NoError(t, err)
	require.NoError(t, page.Body.Close())
	first, gone := open()
	require.True(t, first.Scan(), "it is listening")
	run()
	assert.Equal(t, "2", message(first))
	gone()
	again, done := open() // the page is of run 1
	defer done()
	assert.Equal(t, "2", message(again))
	run()
	assert.Equal(t, "3", message(again))

	require.NoError(t, s.Close())
	assert.Empty(t, message(again), "the stream has ended")
	u, err := url.Parse(s.URL())
	require.NoError(t, err)
	l, err := net.Listen("tcp", u.Host)
	require.NoError(t, err, "the port is free again")
	require.NoError(t, l.Close())
}
