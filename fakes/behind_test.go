package fakes

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestOutagesAreSeenByWhoAsks(t *testing.T) {
	w := world(t, `version: 1
events:
  - {at: 1m, for: 1m, exporters: [node], outage: refused}
  - {at: 3m, for: 1m, outage: lost}
  - {at: 5m, for: 1m, delay: 60ms}
  - {at: 7m, for: 1m, delay: 10m}
`)
	var now atomic.Int64
	clock := func() time.Time { return after(time.Duration(now.Load())) }
	asked := http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "text/plain")
		rw.WriteHeader(http.StatusTeapot)
		_, _ = fmt.Fprint(rw, "as of ", clock().Sub(start))
	})
	for _, secure := range []bool{false, true} {
		server := httptest.NewUnstartedServer(w.Behind("node", asked, clock))
		if secure {
			server.EnableHTTP2 = true
			server.StartTLS()
		} else {
			server.Start()
		}
		defer server.Close()
		get := func(at, patience time.Duration) (string, time.Duration, error) {
			now.Store(int64(at))
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			request, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL, http.NoBody)
			require.NoError(t, err)
			begun := time.Now()
			response, err := server.Client().Do(request)
			if err != nil {
				return "", time.Since(begun), err
			}
			defer func() { assert.NoError(t, response.Body.Close()) }()
			body, err := io.ReadAll(response.Body)
			assert.Equal(t, http.StatusTeapot, response.StatusCode)
			assert.Equal(t, "text/plain", response.Header.Get("Content-Type"))
			return string(body), time.Since(begun), err
		}
		body, _, err := get(0, time.Minute)
		require.NoError(t, err)
		assert.Equal(t, "as of 0s", body)
		_, _, err = get(90*time.Second, time.Minute)
		require.Error(t, err)
		require.NotErrorIs(t, err, context.DeadlineExceeded, "refused at once")
		_, _, err = get(210*time.Second, 50*time.Millisecond)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		body, took, err := get(330*time.Second, time.Minute)
		require.NoError(t, err)
		assert.Equal(t, "as of 5m30s", body)
		assert.GreaterOrEqual(t, took, 60*time.Millisecond)
		_, _, err = get(450*time.Second, 50*time.Millisecond)
		require.ErrorIs(t, err, context.DeadlineExceeded)
	}
}
