package main

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/e2e"
	"github.com/panelgate/panelgate/e2e/env/embedded"
	"github.com/panelgate/panelgate/internal/faultproxy"
	"github.com/panelgate/panelgate/stack"
)

// runningPrometheus is the shipped stack's, running apart from any run.
func runningPrometheus(t *testing.T) string {
	t.Helper()
	s, err := stack.Load(t.Context(), filepath.Join("..", "stack"))
	require.NoError(t, err)
	scenario, err := e2e.LoadScenario("")
	require.NoError(t, err)
	running, err := embedded.Start(t.Context(), s.Prometheus, embedded.Options{Scenario: scenario, History: 2 * time.Hour})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, running.Close()) })
	return running.Instance().PrometheusURL
}

// TestAFailingServerIsNamed runs the command before a Prometheus that fails, in each way
// at each kind of question: it ends with 3, and says who failed at what.
func TestAFailingServerIsNamed(t *testing.T) {
	at := runningPrometheus(t)
	args := func(url string, wait time.Duration) []string {
		return []string{"--stack", "../stack", "--env", "attach", "--prometheus", url, "--timeout", wait.String()}
	}
	patience := func(fault string) time.Duration {
		if fault == "hang" { // which lasts as long as the run does
			return 3 * time.Second
		}
		return time.Minute
	}
	first := faultproxy.New(t, at)
	first.Spoil("", nil)
	out := gate(t, args(first.URL, time.Minute)...)
	require.Equal(t, exitClean, out.code, out.said)
	stages := stagesOf(first)
	require.Contains(t, stages, "/api/v1/query_range")
	require.Contains(t, stages, "/api/v1/targets")

	for name, fault := range map[string]faultproxy.Fault{
		"reset":    faultproxy.Reset,
		"hang":     faultproxy.Hang,
		"half":     faultproxy.Half,
		"cut":      faultproxy.Cut,
		"500":      faultproxy.Says(500, "boom"),
		"429":      faultproxy.Says(429, "slow down"),
		"garbage":  faultproxy.Says(200, "\x00\x1b[31m\xff"),
		"redirect": faultproxy.Says(307, "", "Location", "?again"),
	} {
		for _, stage := range stages {
			t.Run(name+" at "+stage, func(t *testing.T) {
				t.Parallel()
				proxy := faultproxy.New(t, at)
				proxy.Spoil(stage, fault)
				out := gate(t, args(proxy.URL, patience(name))...)
				for wait := patience(name); name == "hang" && !strings.Contains(out.stderr, stage) && wait < time.Minute; wait *= 3 {
					out = gate(t, args(proxy.URL, 3*wait)...) // a busy machine was not there yet
				}
				if optional := slices.Contains([]string{"/api/v1/targets", "/api/v1/metadata"}, stage); optional && name == "redirect" || stage == "/api/v1/targets" && name == "garbage" {
					assert.Equal(t, exitClean, out.code, "some servers have no such page: %s", out.said)
					return
				}
				assert.Equal(t, exitNotRun, out.code, out.said)
				assert.Equal(t, "error", out.report.Verdict)
				assert.Empty(t, out.report.Findings)
				assert.Contains(t, out.stderr, "Prometheus at "+proxy.URL)
				assert.Contains(t, out.stderr, stage)
				assert.NotContains(t, out.stderr, "\x1b")
			})
		}
	}
}

// stagesOf are the paths that were asked, each once.
func stagesOf(p *faultproxy.Proxy) []string {
	var out []string
	for _, s := range p.Seen() {
		if !slices.Contains(out, s.Path) {
			out = append(out, s.Path)
		}
	}
	return out
}
