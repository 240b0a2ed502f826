package embedded_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/e2e/env/embedded"
	"github.com/panelgate/panelgate/fakes"
)

func job(settings string) string {
	return "global: {scrape_interval: 15s}\nscrape_configs:\n  - job_name: triton\n    " + settings + "\n"
}

// TestWhoAnswers starts one job and looks at its only target.
func TestWhoAnswers(t *testing.T) {
	toTriton := []embedded.Mapping{{Match: map[string]string{"job": "triton"}, Fake: "triton"}}
	own := func(fake string) []embedded.Exporter {
		return []embedded.Exporter{{Addresses: []string{"h:7002", "h:9100"}, Fake: fake, Setup: fakes.Setup{Version: "26.06"}}}
	}
	for _, test := range []struct {
		name, job string
		targets   []embedded.Mapping
		exporters []embedded.Exporter
		self      []string

		ownLoopback bool
		answeredBy  string
		cause       env.Cause // "" for up
		error       string    // part of it
	}{
		{name: "standard port", job: "static_configs: [{targets: ['h:8002']}]", answeredBy: "triton"},
		{name: "the port decides, not the job", job: "static_configs: [{targets: ['h:9100']}]", answeredBy: "node"},
		{name: "mistyped port", job: "static_configs: [{targets: ['h:8003']}]", cause: env.CauseUnanswered, error: "h:8003"},
		{name: "no port", job: "static_configs: [{targets: ['h']}]", cause: env.CauseUnanswered, error: "h:80"},
		{name: "no port by https", job: "scheme: https\n    static_configs: [{targets: ['h']}]", cause: env.CauseUnanswered, error: "h:443"},
		{name: "IPv6", job: "static_configs: [{targets: ['[::1]:8002']}]", answeredBy: "triton"},
		{name: "loopback in a container", job: "static_configs: [{targets: ['localhost:8002']}]", ownLoopback: true,
			cause: env.CauseUnanswered, error: "Prometheus' own machine or container"},
		{name: "loopback in a container, mapped", job: "static_configs: [{targets: ['127.0.0.1:8002']}]", ownLoopback: true, targets: toTriton,
			answeredBy: "triton"},
		{name: "mapped by job", job: "static_configs: [{targets: ['h:8003']}]", targets: toTriton, answeredBy: "triton"},
		{name: "mapped by address", job: "static_configs: [{targets: ['h:8003']}]",
			targets: []embedded.Mapping{{Match: map[string]string{"address": "h:8003"}, Fake: "dcgm"}}, answeredBy: "dcgm"},
		{name: "mapped by address as written", job: "static_configs: [{targets: ['h']}]",
			targets: []embedded.Mapping{{Match: map[string]string{"address": "h"}, Fake: "dcgm"}}, answeredBy: "dcgm"},
		{name: "mapped by a relabelled label", job: "static_configs: [{targets: ['h:1']}]\n" +
			"    relabel_configs: [{target_label: instance, replacement: box}]",
			targets:    []embedded.Mapping{{Match: map[string]string{"job": "triton", "instance": "box"}, Fake: "node"}},
			answeredBy: "node"},
		{name: "every key must match", job: "static_configs: [{targets: ['h:1']}]",
			targets: []embedded.Mapping{{Match: map[string]string{"job": "triton", "instance": "box"}, Fake: "node"}},
			cause:   env.CauseUnanswered},
		{name: "a mapping outranks the port", job: "static_configs: [{targets: ['h:9100']}]", targets: toTriton, answeredBy: "triton"},
		{name: "the first mapping wins", job: "static_configs: [{targets: ['h:1']}]", answeredBy: "triton",
			targets: append(toTriton, embedded.Mapping{Match: map[string]string{"address": "h:1"}, Fake: "node"})},
		{name: "an empty match matches nothing", job: "static_configs: [{targets: ['h:1']}]",
			targets: []embedded.Mapping{{Fake: "node"}}, cause: env.CauseUnanswered},
		{name: "itself", job: "static_configs: [{targets: ['prometheus:9090']}]", self: []string{"prometheus:9090"}, answeredBy: "prometheus"},
		{name: "wrong path at Triton is an empty page", job: "metrics_path: /nope\n    static_configs: [{targets: ['h:8002']}]", answeredBy: "triton"},
		{name: "wrong path at dcgm", job: "metrics_path: /nope\n    static_configs: [{targets: ['h:9400']}]",
			answeredBy: "dcgm", cause: env.CauseNotFound, error: "404"},
		{name: "https", job: "scheme: https\n    static_configs: [{targets: ['h:9400']}]", answeredBy: "dcgm"},
		{name: "Triton speaks no TLS", job: "scheme: https\n    static_configs: [{targets: ['h:8002']}]",
			answeredBy: "triton", cause: env.CausePlainHTTP, error: "server gave HTTP response to HTTPS client"},
		{name: "the stack's own, at another port", job: "static_configs: [{targets: ['h:7002']}]", exporters: own("triton"), answeredBy: "triton"},
		{name: "the stack's own outranks the port", job: "static_configs: [{targets: ['h:9100']}]", exporters: own("triton"), answeredBy: "triton"},
		{name: "a mapping outranks the stack's own", job: "static_configs: [{targets: ['h:9100']}]", exporters: own("dcgm"), targets: toTriton, answeredBy: "triton"},
		{name: "the stack's own does not come up", job: "static_configs: [{targets: ['h:9100']}]", exporters: own(""), cause: env.CauseUnanswered},
		{name: "proxy", job: "proxy_url: http://proxy:3128\n    static_configs: [{targets: ['h:8002']}]", answeredBy: "triton"},
		{name: "CA file missing", job: "scheme: https\n    tls_config: {ca_file: /nowhere/ca.pem}\n    static_configs: [{targets: ['h:9400']}]",
			answeredBy: "dcgm", cause: env.CauseOther, error: "ca.pem"},
		{name: "token file missing", job: "authorization: {credentials_file: /nowhere/token}\n    static_configs: [{targets: ['h:8002']}]",
			answeredBy: "triton", cause: env.CauseOther, error: "token"},
		{name: "sample_limit", job: "sample_limit: 3\n    static_configs: [{targets: ['h:8002']}]",
			answeredBy: "triton", cause: env.CauseOther, error: "sample limit exceeded"},
		{name: "address that is none", job: "static_configs: [{targets: ['h:8002']}]\n" +
			"    relabel_configs: [{target_label: __address__, replacement: 'h/metrics'}]", cause: env.CauseOther, error: "h/metrics"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			i := start(t, job(test.job), embedded.Options{Targets: test.targets, Exporters: test.exporters, SelfAddresses: test.self, OwnLoopback: test.ownLoopback, History: 10 * time.Minute})
			require.Len(t, i.Targets, 1)
			got := i.Targets[0]
			assert.Equal(t, "triton", got.Job)
			assert.Equal(t, test.answeredBy, got.AnsweredBy)
			assert.Equal(t, test.cause, got.Cause, got.Error)
			assert.Equal(t, test.cause == env.CauseNone, got.Up)
			assert.Contains(t, got.Error, test.error)
			// The past says the same as the present.
			for _, up := range instant(t, i, "avg_over_time(up[10m])", i.Now) {
				assert.Equal(t, got.Up, up.Value == 1, "%s", up)
				assert.Equal(t, !got.Up, up.Value == 0, "%s", up)
			}
		})
	}
}

func TestWrongPathAtTritonHasNoSamples(t *testing.T) {
	i := start(t, job("metrics_path: /nope\n    static_configs: [{targets: ['h:8002']}]"), embedded.Options{History: 10 * time.Minute})
	assert.Empty(t, instant(t, i, `{__name__=~"nv_.*"}`, i.Now))
	assert.Empty(t, instant(t, i, `count_over_time({__name__=~"nv_.*"}[10m])`, i.Now))
	scraped := instant(t, i, `scrape_samples_scraped`, i.Now)
	require.Len(t, scraped, 1)
	assert.Zero(t, scraped[0].Value)
}

func TestLiveTargets(t *testing.T) {
	hang := make(chan struct{})
	mux := http.NewServeMux()
	mux.HandleFunc("/metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		_, _ = w.Write([]byte("# TYPE live_total counter\nlive_total 1\n"))
	})
	mux.HandleFunc("/broken", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		_, _ = w.Write([]byte("live_total one\n"))
	})
	mux.HandleFunc("/untyped", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<html></html>"))
	})
	mux.HandleFunc("/sick", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
	mux.HandleFunc("/slow", func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-hang:
		case <-r.Context().Done():
		}
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	defer close(hang)
	for _, test := range []struct {
		path  string
		cause env.Cause
	}{
		{"/metrics", env.CauseNone},
		{"/broken", env.CauseParse},
		{"/untyped", env.CauseParse},
		{"/sick", env.CauseStatus},
		{"/absent", env.CauseNotFound},
		{"/slow", env.CauseTimeout},
	} {
		t.Run(test.path, func(t *testing.T) {
			address := server.Listener.Addr().String()
			yml := job("scrape_interval: 200ms\n    scrape_timeout: 200ms\n    metrics_path: " + test.path +
				"\n    static_configs: [{targets: ['" + address + "']}]")
			i := start(t, yml, embedded.Options{
				History: time.Hour,
				Targets: []embedded.Mapping{{Match: map[string]string{"job": "triton"}, Live: true}},
			})
			require.Len(t, i.Targets, 1)
			assert.Equal(t, "live", i.Targets[0].AnsweredBy)
			assert.Equal(t, test.cause, i.Targets[0].Cause, i.Targets[0].Error)
			if test.cause == env.CauseNone { // without a past, rate needs two live scrapes
				assert.Len(t, instant(t, i, "rate(live_total[1m])", i.Now), 1)
			}
		})
	}
}

func TestLiveTargetThatIsNotThere(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := l.Addr().String()
	require.NoError(t, l.Close())
	i := start(t, job("static_configs: [{targets: ['"+address+"']}]"), embedded.Options{
		Targets: []embedded.Mapping{{Match: map[string]string{"address": address}, Live: true}},
	})
	require.Len(t, i.Targets, 1)
	assert.Equal(t, env.CauseRefused, i.Targets[0].Cause, i.Targets[0].Error)
}

func TestMappingsThatCannotBe(t *testing.T) {
	two := `
scrape_configs:
  - {job_name: a, static_configs: [{targets: ["h:1"]}]}
  - {job_name: b, static_configs: [{targets: ["h:1"]}]}
`
	for _, test := range []struct {
		name    string
		targets []embedded.Mapping
		want    string
	}{
		{"two answers for one address", []embedded.Mapping{
			{Match: map[string]string{"job": "a"}, Fake: "node"},
			{Match: map[string]string{"job": "b"}, Fake: "dcgm"},
		}, "targets at h:1 are mapped to two answers: node and dcgm"},
		{"unknown fake", []embedded.Mapping{{Match: map[string]string{"job": "a"}, Fake: "nodes"}}, `no fake exporter "nodes"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := embedded.Start(t.Context(), load(t, map[string]string{"prometheus.yml": two}),
				embedded.Options{Scenario: steady(t), Targets: test.targets})
			assert.ErrorContains(t, err, test.want)
		})
	}
}

// TestMappingHoldsForItsAddress: what one job's mapping says of an address is so
// for the other job that scrapes it.
func TestMappingHoldsForItsAddress(t *testing.T) {
	i := start(t, `
scrape_configs:
  - {job_name: a, static_configs: [{targets: ["h:9100"]}]}
  - {job_name: b, static_configs: [{targets: ["h:9100"]}]}
`, embedded.Options{Targets: []embedded.Mapping{{Match: map[string]string{"job": "b"}, Fake: "dcgm"}}})
	assert.Equal(t, "dcgm", byJob(i)["a"].AnsweredBy)
	assert.Equal(t, "dcgm", byJob(i)["b"].AnsweredBy)
}

// TestSlowTargetDoesNotHoldUpTheEnd cancels a start that waits for a live target.
func TestSlowTargetDoesNotHoldUpTheEnd(t *testing.T) {
	asked := make(chan struct{}, 10)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		<-r.Context().Done()
	}))
	defer server.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		<-asked
		cancel()
	}()
	address := server.Listener.Addr().String()
	began := time.Now()
	_, err := embedded.Start(ctx, load(t, map[string]string{
		"prometheus.yml": job("scrape_interval: 1m\n    scrape_timeout: 1m\n    static_configs: [{targets: ['" + address + "']}]"),
	}), embedded.Options{
		Scenario: steady(t),
		Targets:  []embedded.Mapping{{Match: map[string]string{"address": address}, Live: true}},
	})
	require.ErrorIs(t, err, context.Canceled)
	assert.Less(t, time.Since(began), 30*time.Second)
}
