package docker

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/e2e/env/embedded"
	"github.com/panelgate/panelgate/stack"
)

// watching is a run whose Prometheus lists the targets of a JSON text, and what is
// expected of it.
func watching(t *testing.T, list string, wanted ...env.Target) *scrapes {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, err := w.Write([]byte(`{"status":"success","data":{"droppedTargets":[],"activeTargets":[` + list + `]}}`))
		assert.NoError(t, err)
	}))
	t.Cleanup(server.Close)
	r := &run{stack: &stack.Stack{Prometheus: &stack.Prometheus{}}, hurried: true, past: &embedded.Past{Targets: wanted},
		opts: Options{Past: embedded.Options{Progress: func(string, int, int) {}}}}
	w := newScrapes(r, server.URL)
	t.Cleanup(w.close)
	return w
}

func TestTargetWhoseJobIsRelabelled(t *testing.T) {
	labels := map[string]string{"job": "renamed", "instance": "box:9100"}
	w := watching(t, `{"scrapePool":"node","scrapeUrl":"http://box:9100/metrics","labels":{"job":"renamed","instance":"box:9100"},
		"health":"up","lastScrape":"2026-01-02T03:04:05Z"}`,
		env.Target{Job: "renamed", Instance: "box:9100", URL: "http://box:9100/metrics", Labels: labels, AnsweredBy: "node"})
	_, err := w.settled(t.Context())
	require.NoError(t, err)
	states := w.states()
	require.Len(t, states, 1, "it is the one that was expected")
	assert.True(t, states[0].Up)
	assert.Equal(t, "node", states[0].AnsweredBy)
}
