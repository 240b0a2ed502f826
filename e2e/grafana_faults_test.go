package e2e

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/e2e/config"
	"github.com/panelgate/panelgate/e2e/env/attach"
	"github.com/panelgate/panelgate/e2e/env/containers"
	"github.com/panelgate/panelgate/e2e/env/docker"
	"github.com/panelgate/panelgate/e2e/env/embedded"
	"github.com/panelgate/panelgate/internal/faultproxy"
	"github.com/panelgate/panelgate/stack"
)

// running is a stack in containers, running apart from any run.
type running struct {
	dir                 string
	prometheus, grafana string
	login               attach.Login
}

func runContainers(t *testing.T, dir string) running {
	t.Helper()
	opts := inDocker(t).Containers
	s, err := stack.Load(t.Context(), dir)
	require.NoError(t, err)
	scenario, err := LoadScenario("")
	require.NoError(t, err)
	opts.Past = embedded.Options{Scenario: scenario, History: 2 * time.Hour}
	started, err := docker.Start(t.Context(), s, opts)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, started.Close()) })
	i := started.Instance()
	require.Empty(t, i.Faults)
	up, ok := started.(*containers.Env)
	require.True(t, ok)
	return running{dir, i.PrometheusURL, i.Grafana.URL(), attach.Login{User: "admin", Password: up.Password()}}
}

// patience is for runs that are not expected to wait.
const patience = 30 * time.Second

// untilMet proves with as much time as a kind of fault needs to show, and with more where
// a busy machine had not come to the fault in that time.
func untilMet(proxy *faultproxy.Proxy, fault string, prove func(time.Duration) (*Report, error)) (*Report, error) {
	wait := patience
	if fault == "hang" || fault == "trickle" { // which last as long as the run does
		wait = 2 * time.Second
	}
	for {
		r, err := prove(wait)
		if proxy.Met() || wait >= patience {
			return r, err
		}
		wait *= 2
	}
}

// clean is a proxy that has seen a whole run without a fault, once the targets have been
// scraped: before that they are asked for again and again.
func (u running) clean(t *testing.T, prometheus string) *faultproxy.Proxy {
	t.Helper()
	proxy := faultproxy.New(t, u.grafana)
	for range 2 {
		proxy.Spoil("", nil)
		r, err := u.through(t, proxy.URL, prometheus, time.Minute)
		require.NoError(t, err)
		require.Empty(t, errorsOf(r), "without a fault it is clean")
	}
	return proxy
}

// through proves the stack by its Grafana as it is reached at a url, and by its Prometheus
// where that is named.
func (u running) through(t *testing.T, grafana, prometheus string, patience time.Duration) (*Report, error) {
	t.Helper()
	s, err := stack.Load(t.Context(), u.dir)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeoutCause(t.Context(), patience, errors.New("not finished in time"))
	defer cancel()
	return Verify(ctx, s, Options{Env: attach.Name, Config: &config.Config{}, Attach: attach.Options{
		Prometheus: prometheus, Grafana: grafana, GrafanaLogin: u.login,
	}})
}

// grafanaStages are the ends of the paths that Grafana was asked for, each once.
func grafanaStages(p *faultproxy.Proxy) []string {
	uid := regexp.MustCompile(`^/api/(dashboards|datasources|datasources/proxy)/uid/[^/]+`)
	var out []string
	for _, s := range p.Seen() {
		stage := s.Path
		if of := uid.FindString(stage); of != "" && of != stage {
			stage = strings.TrimPrefix(stage, of)
		}
		if !slices.Contains(out, stage) {
			out = append(out, stage)
		}
	}
	return out
}

// TestGrafanaFails has each kind of failure meet each kind of request, before a real
// Grafana through which everything is asked: never is there a clean verdict, nor one that
// blames a dashboard, and the message says what Grafana failed at.
func TestGrafanaFails(t *testing.T) {
	up := runContainers(t, copyShipped(t, faultyBoard))
	t.Run("stumbles", up.stumbles)
	t.Run("gone", up.gone)
	elsewhere := faultproxy.New(t, up.grafana)
	stages := grafanaStages(up.clean(t, ""))
	for _, stage := range []string{"/api/datasources", "/api/search", "/health", "/api/v1/query_range", "/api/ds/query"} {
		require.Contains(t, stages, stage)
	}

	replaced := func(old, with string) faultproxy.Fault {
		return faultproxy.Edited(func(body []byte) []byte { return bytes.ReplaceAll(body, []byte(old), []byte(with)) })
	}
	everywhere := map[string]faultproxy.Fault{
		"reset":              faultproxy.Reset,
		"half":               faultproxy.Half,
		"cut":                faultproxy.Cut,
		"500":                faultproxy.Says(500, "boom"),
		"502 page":           faultproxy.Says(502, "<html>Bad Gateway</html>"),
		"429":                faultproxy.Says(429, "slow down", "Retry-After", "60"),
		"401":                faultproxy.Says(401, `{"message":"Unauthorized"}`),
		"empty":              faultproxy.Says(200, ""),
		"garbage":            faultproxy.Says(200, "\x00\x1b[31m\xff"),
		"null":               faultproxy.Says(200, "null"),
		"redirect loop":      faultproxy.Says(307, "", "Location", "?again"),
		"redirect elsewhere": faultproxy.Says(302, "", "Location", elsewhere.URL+"/api/health"),
	}
	hang := map[string]faultproxy.Fault{"hang": faultproxy.Hang, "trickle": faultproxy.Trickle}
	of := map[string]map[string]faultproxy.Fault{"/api/search": hang, "/health": hang, "/api/v1/query_range": hang, "/api/ds/query": {
		"hang":              faultproxy.Hang,
		"trickle":           faultproxy.Trickle,
		"no results":        faultproxy.Says(200, `{"results":{}}`),
		"a null result":     faultproxy.Says(200, `{"results":{"A":null}}`),
		"another refId":     replaced(`"A":`, `"B":`),
		"cannot be reached": faultproxy.Says(200, `{"results":{"A":{"status":500,"error":"Post \"http://prometheus:9090/api/v1/query_range\": dial tcp: connection refused"}}}`),
		"an error":          faultproxy.Says(500, `{"message":"Query data error"}`),
	}}
	for _, stage := range stages {
		faults := map[string]faultproxy.Fault{}
		for _, some := range []map[string]faultproxy.Fault{everywhere, of[stage]} {
			maps.Copy(faults, some)
		}
		for name, fault := range faults {
			t.Run(name+" at "+stage, func(t *testing.T) {
				t.Parallel()
				proxy := faultproxy.New(t, up.grafana)
				proxy.Spoil(stage, fault)
				r, err := untilMet(proxy, name, func(wait time.Duration) (*Report, error) {
					return up.through(t, proxy.URL, "", wait)
				})
				words := said(r, err)
				assert.NotContains(t, words, up.login.Password)
				require.True(t, proxy.Met())
				if err == nil && spared(stage) {
					assert.Empty(t, errorsOf(r), words)
					return
				}
				require.Error(t, err, words)
				assert.Contains(t, words, "Grafana at "+proxy.URL)
				assert.Contains(t, words, stage)
			})
		}
	}
	t.Cleanup(func() { assert.Empty(t, elsewhere.Seen(), "nobody follows a redirect") })
}

// spared says whether a failure at a stage leaves a verdict as it is: that who asks may
// not see a list, or a server has no such page, is told in a note.
func spared(stage string) bool {
	switch stage {
	case "/api/v1/targets", "/api/v1/metadata", "/api/plugins", "/api/frontend/settings":
		return true
	}
	return false
}

// gone has Grafana answer so many requests and then no more, for each number of them.
func (u running) gone(t *testing.T) {
	for name, prometheus := range map[string]string{"Grafana alone": "", "both": u.prometheus} {
		t.Run(name, func(t *testing.T) {
			proxy := u.clean(t, prometheus)
			all := int64(len(proxy.Seen()))
			for n := int64(1); n <= all; n++ {
				proxy.Spoil("", faultproxy.From(n, faultproxy.Reset))
				r, err := u.through(t, proxy.URL, prometheus, patience)
				require.Error(t, err, "request %d of %d and all after it: %s", n, all, said(r, err))
				assert.Contains(t, err.Error(), "Grafana at "+proxy.URL)
			}
		})
	}
}

// stumbles holds that a failure of a moment changes nothing.
func (u running) stumbles(t *testing.T) {
	for _, stage := range grafanaStages(u.clean(t, "")) {
		for name, fault := range map[string]faultproxy.Fault{"half": faultproxy.Half, "cut": faultproxy.Cut} {
			proxy := faultproxy.New(t, u.grafana)
			proxy.Spoil(stage, faultproxy.Once(fault))
			r, err := u.through(t, proxy.URL, "", patience)
			require.NoError(t, err, "%s at %s", name, stage)
			assert.Empty(t, errorsOf(r), "%s at %s", name, stage)
		}
	}
}
