package e2e

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/e2e/config"
	"github.com/panelgate/panelgate/e2e/env/attach"
	"github.com/panelgate/panelgate/internal/faultproxy"
	"github.com/panelgate/panelgate/stack"
)

const faultToken = "s3cret-token"

// underFault proves a stack of one panel and one variable on what answers at a url.
func underFault(t *testing.T, dir, prometheus string, patience time.Duration) (r *Report, err error) {
	t.Helper()
	s, err := stack.Load(t.Context(), dir)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeoutCause(t.Context(), patience, errors.New("not finished in time"))
	defer cancel()
	return Verify(ctx, s, Options{Env: attach.Name, Config: &config.Config{}, Attach: attach.Options{
		Prometheus: prometheus, PrometheusLogin: attach.Login{Token: faultToken},
	}})
}

func said(r *Report, err error) string {
	if err != nil {
		return err.Error()
	}
	var all []string
	for _, f := range r.Findings {
		all = append(all, fmt.Sprintf("%s %s: %+v", f.Severity, f.Rule, f))
	}
	return strings.Join(append(all, r.Notes...), "\n")
}

// faultyBoard has a variable of each kind that asks, and a panel.
func faultyBoard(string) string {
	return `{"uid": "small", "title": "Small", "schemaVersion": 42, "time": {"from": "now-1h", "to": "now"},
		"templating": {"list": [{"name": "instance", "type": "query", "includeAll": true, "query": "label_values(nv_inference_count, instance)", "current": {"text": "All", "value": "$__all"}}]},
		"panels": [{"id": 1, "type": "timeseries", "title": "panel 1", "targets": [{"refId": "A", "expr": "sum(rate(nv_inference_count{instance=~\"$instance\"}[5m]))"}]}]}`
}

// TestPrometheusFails has each kind of failure meet each kind of request, before a real
// Prometheus: never is there a clean verdict, and no login goes anywhere else.
func TestPrometheusFails(t *testing.T) {
	dir := copyShipped(t, faultyBoard)
	proxy := faultproxy.New(t, runShipped(t))
	proxy.Spoil("", nil)
	r, err := underFault(t, dir, proxy.URL, patience)
	require.NoError(t, err)
	require.Empty(t, errorsOf(r), "without a fault it is clean")
	reached := map[string]bool{}
	for _, s := range proxy.Seen() {
		reached[s.Path] = true
	}
	elsewhere := faultproxy.New(t, proxy.URL)

	const success = `{"status":"success","data":`
	faults := map[string]faultproxy.Fault{
		"reset":              faultproxy.Reset,
		"hang":               faultproxy.Hang,
		"trickle":            faultproxy.Trickle,
		"half":               faultproxy.Half,
		"cut":                faultproxy.Cut,
		"500":                faultproxy.Says(500, "boom"),
		"502 page":           faultproxy.Says(502, "<html>Bad Gateway</html>"),
		"503":                faultproxy.Says(503, `{"status":"error","errorType":"unavailable","error":"shutting down"}`),
		"429":                faultproxy.Says(429, "slow down", "Retry-After", "60"),
		"401":                faultproxy.Says(401, "who are you"),
		"403":                faultproxy.Says(403, "not you"),
		"empty":              faultproxy.Says(200, ""),
		"garbage":            faultproxy.Says(200, "\x00\x1b[31m\xff"),
		"no data":            faultproxy.Says(200, `{"status":"success"}`),
		"null data":          faultproxy.Says(200, success+`null}`),
		"a number":           faultproxy.Says(200, success+`7}`),
		"another type":       faultproxy.Says(200, success+`{"resultType":"nonsense","result":[]}}`),
		"redirect loop":      faultproxy.Says(307, "", "Location", "?again"),
		"redirect elsewhere": faultproxy.Says(302, "", "Location", elsewhere.URL+"/api/v1/query"),
		"partial":            faultproxy.Adds(`"warnings":["receive series from store-2: rpc error: unavailable"],`),
		"partial by flag":    faultproxy.Adds(`"isPartial":true,`),
	}
	for _, stage := range []string{"/api/v1/query", "/api/v1/targets", "/api/v1/label/instance/values", "/api/v1/query_range"} {
		require.True(t, reached[stage], "%s is asked: %v", stage, reached)
		for name, fault := range faults {
			t.Run(name+" at "+stage, func(t *testing.T) {
				proxy.Spoil(stage, fault)
				r, err := untilMet(proxy, name, func(wait time.Duration) (*Report, error) {
					return underFault(t, dir, proxy.URL, wait)
				})
				words := said(r, err)
				assert.NotContains(t, words, faultToken)
				require.True(t, proxy.Met())
				if stage == "/api/v1/targets" && unlisting[name] {
					require.NoError(t, err)
					assert.Contains(t, words, "not checked", "what is not known is said")
					return
				}
				require.Error(t, err, "a server that fails is no fault of a dashboard: %s", words)
				assert.Contains(t, words, "Prometheus at "+proxy.URL)
				if stage != "/api/v1/targets" { // which says so in its own words
					assert.Contains(t, words, stage, "it says what was asked")
				}
			})
		}
	}
	assert.Empty(t, elsewhere.Seen(), "nobody follows a redirect")
}

// TestPrometheusDiesAtAnyMoment has it answer so many requests and then no more, for each
// number of them: with dashboards that are well, and with some that are not, for which the
// reasons are looked into.
func TestPrometheusDiesAtAnyMoment(t *testing.T) {
	for name, board := range map[string]func(string) string{
		"clean": faultyBoard,
		"empty": func(string) string {
			return strings.ReplaceAll(faultyBoard(""), "nv_inference_count", "nv_inference_counts")
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := copyShipped(t, board)
			proxy := faultproxy.New(t, runShipped(t))
			proxy.Spoil("", nil)
			r, err := underFault(t, dir, proxy.URL, patience)
			require.NoError(t, err)
			assert.Equal(t, name == "clean", len(errorsOf(r)) == 0)
			const asTold = 4
			all := int64(len(proxy.Seen()))
			require.Greater(t, all, int64(asTold))
			for n := int64(1); n <= all; n++ {
				proxy.Spoil("", faultproxy.From(n, faultproxy.Reset))
				r, err := underFault(t, dir, proxy.URL, patience)
				require.Error(t, err, "request %d of %d and all after it: %s", n, all, said(r, err))
				assert.Contains(t, err.Error(), "Prometheus at "+proxy.URL)
			}
		})
	}
}

// unlisting are the answers to the question for targets of servers that have none, as
// other servers than Prometheus give them.
var unlisting = map[string]bool{
	"401": true, "403": true, "no data": true, "null data": true, "a number": true, "another type": true, "garbage": true, "redirect loop": true, "redirect elsewhere": true,
}

// TestWhatPassesIsAskedForAgain holds that a failure of a moment changes nothing.
func TestWhatPassesIsAskedForAgain(t *testing.T) {
	dir := copyShipped(t, faultyBoard)
	proxy := faultproxy.New(t, runShipped(t))
	for name, fault := range map[string]faultproxy.Fault{"reset": faultproxy.Reset, "half": faultproxy.Half} {
		for _, stage := range []string{"/api/v1/query", "/api/v1/targets", "/api/v1/label/instance/values", "/api/v1/query_range"} {
			proxy.Spoil(stage, faultproxy.Once(fault))
			r, err := underFault(t, dir, proxy.URL, patience)
			require.NoError(t, err, "%s at %s", name, stage)
			assert.Empty(t, errorsOf(r), "%s at %s", name, stage)
			assert.Len(t, r.Targets, 3)
		}
	}
}

// TestAttachOnlyReads watches a whole run on a real Prometheus.
func TestAttachOnlyReads(t *testing.T) {
	proxy := faultproxy.New(t, runShipped(t))
	proxy.Spoil("", nil)
	r := verify(t, shippedDir, Options{Env: attach.Name, Attach: attach.Options{
		Prometheus: proxy.URL, PrometheusLogin: attach.Login{Token: faultToken},
	}})
	assert.Empty(t, errorsOf(r))
	require.NotEmpty(t, proxy.Seen())
	posted := map[string]bool{
		"/api/v1/query": true, "/api/v1/query_range": true, "/api/v1/series": true, "/api/v1/labels": true, "/api/v1/query_exemplars": true,
	}
	for _, s := range proxy.Seen() {
		assert.True(t, s.Method == http.MethodGet || s.Method == http.MethodPost && posted[s.Path], "%s %s", s.Method, s.Path)
		assert.Equal(t, "Bearer "+faultToken, s.Authorization)
	}
}
