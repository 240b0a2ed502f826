package containers

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

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
	w, err := newScrapes(r, server.URL)
	require.NoError(t, err)
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

// A job that Prometheus refuses at start is a target that is down, also where it is
// the only one.
func TestTargetThatIsNeverListed(t *testing.T) {
	w := watching(t, "", env.Target{Job: "node", URL: "http://box:9100/metrics"})
	done, err := w.settled(t.Context())
	require.NoError(t, err)
	assert.False(t, done, "discovery may only be slow")
	w.asked = time.Now().Add(-emptyPatience)
	done, err = w.settled(t.Context())
	require.NoError(t, err)
	assert.True(t, done)
	states := w.states()
	require.Len(t, states, 1)
	assert.False(t, states[0].Up)
	assert.Contains(t, states[0].Error, "not scraped")
}

func TestScrapeTime(t *testing.T) {
	r := &run{past: &embedded.Past{Targets: []env.Target{{AnsweredBy: "node"}}},
		stack: &stack.Stack{Prometheus: &stack.Prometheus{Jobs: []*stack.Job{{ScrapeInterval: 5 * time.Minute}, {ScrapeInterval: time.Second}}}}}
	assert.Equal(t, bootTime+10*time.Minute, r.scrapeTime(), "as the stack configures it")
	r.hurried = true
	assert.Equal(t, bootTime, r.scrapeTime())
	r.past.Targets[0].AnsweredBy = liveTarget
	assert.Equal(t, bootTime+10*time.Minute, r.scrapeTime(), "jobs with live targets are not hurried")
}
