package grafana

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

// canned is one answer of the server that stands in for a Grafana.
type canned struct {
	status int
	body   string
}

// fake is a server that gives the answer of a request's "METHOD path?query" or
// "METHOD path", and a client of it. What it has no answer for fails the test.
func fake(t *testing.T, answers map[string]canned) *Client {
	t.Helper()
	return serve(t, func(w http.ResponseWriter, r *http.Request) {
		a, ok := answers[r.Method+" "+r.URL.RequestURI()]
		if !ok {
			a, ok = answers[r.Method+" "+r.URL.EscapedPath()]
		}
		if !assert.True(t, ok, "asked for %s %s", r.Method, r.URL) {
			w.WriteHeader(http.StatusTeapot)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(a.status)
		_, err := io.WriteString(w, a.body)
		assert.NoError(t, err)
	})
}

func serve(t *testing.T, h http.HandlerFunc) *Client {
	t.Helper()
	running := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, running) })
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	c, err := New(Options{URL: s.URL})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}
