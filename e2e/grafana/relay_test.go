package grafana

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestARelayedRequestHasTheLoginOfTheClientAlone(t *testing.T) {
	at := serve(t, func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "Bearer tok", r.Header.Get("Authorization"))
		assert.Equal(t, "7", r.Header.Get("X-Grafana-Org-Id"))
		assert.Empty(t, r.Header.Get("Cookie"))
		assert.Equal(t, "kept", r.Header.Get("X-Mine"))
		if r.URL.Path == "/sub/moved" {
			http.Redirect(w, r, "/sub/login", http.StatusFound)
			return
		}
		_, _ = io.Copy(w, r.Body)
	})
	c, err := New(Options{URL: at.URL() + "/sub", Token: "tok", OrgID: 7})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	for path, want := range map[string]int{"/sub/api/ds/query": http.StatusOK, "/sub/moved": http.StatusFound} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, at.URL()+path, strings.NewReader("asked"))
		require.NoError(t, err)
		req.Header = http.Header{"Authorization": {"Basic other"}, "Cookie": {"session=1"}, "X-Mine": {"kept"}}
		resp, err := c.Relay(req)
		require.NoError(t, err)
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		assert.Equal(t, want, resp.StatusCode, path)
		if want == http.StatusOK {
			assert.Equal(t, "asked", string(body))
		}
		assert.Equal(t, "Basic other", req.Header.Get("Authorization"), "the request is the caller's")
	}
}

func TestNobodyElseIsShownTheLogin(t *testing.T) {
	at := serve(t, func(_ http.ResponseWriter, r *http.Request) { t.Errorf("%s was asked", r.URL) })
	c, err := New(Options{URL: at.URL() + "/sub", Token: "tok"})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	host := strings.TrimPrefix(at.URL(), "http://")
	for _, url := range []string{
		at.URL() + "/", at.URL() + "/subway", at.URL() + "/other/sub/", at.URL() + "/sub/../other", at.URL() + "/sub/%2e%2e/other", at.URL() + "/sub/..",
		"https://" + host + "/sub/", "http://me@" + host + "/sub/", "http://localhost.example/sub/", "http://127.0.0.1:1/sub/",
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
		require.NoError(t, err)
		resp, err := c.Relay(req)
		if err == nil {
			require.NoError(t, resp.Body.Close())
		}
		require.ErrorIs(t, err, ErrElsewhere, url)
	}
}
