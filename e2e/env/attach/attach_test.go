package attach

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/stack"
	"github.com/panelgate/panelgate/stack/source"
)

func TestOptionsThatCannotBe(t *testing.T) {
	for want, opts := range map[string]Options{
		"needs --prometheus URL":               {},
		"want a url such as":                   {Prometheus: "localhost:9090"},
		"--grafana \"ftp://x\"":                {Grafana: "ftp://x"},
		"without a query":                      {Prometheus: "http://x/?a=b"},
		"--tenant is for":                      {Grafana: "http://g", Tenant: "a"},
		"--org-id is an organisation":          {Prometheus: "http://p", OrgID: 1},
		"is a positive number":                 {Grafana: "http://g", OrgID: -1},
		"set PANELGATE_GRAFANA_TOKEN":          {Grafana: "http://me:s3cret@g"},
		"PANELGATE_PROMETHEUS_PASSWORD":        {Prometheus: "http://me:s3cret%zz@p"},
		"would be seen by everybody":           {Prometheus: "me:s3cret@p:9090"},
		"PANELGATE_PROMETHEUS_USER and":        {Prometheus: "http://s3cret@p"},
		"--proxy: a login":                     {Prometheus: "http://p", Proxy: "http://me:s3cret@proxy"},
		"--proxy \"proxy:3128\"":               {Prometheus: "http://p", Proxy: "proxy:3128"},
		"PANELGATE_GRAFANA_TOKEN has a blank":  {Grafana: "http://g", GrafanaLogin: Login{Token: "s3cret\ns3cret"}},
		"PANELGATE_GRAFANA_USER has a colon":   {Grafana: "http://g", GrafanaLogin: Login{User: "a:b", Password: "s3cret"}},
		"PANELGATE_GRAFANA_USER is not":        {Grafana: "http://g", GrafanaLogin: Login{Password: "s3cret"}},
		"PANELGATE_PROMETHEUS_PASSWORD is not": {Prometheus: "http://p", PrometheusLogin: Login{User: "me"}},
	} {
		err := opts.Validate()
		require.ErrorContains(t, err, want)
		assert.NotContains(t, err.Error(), "s3cret")
	}
	require.NoError(t, Options{Prometheus: "https://p/prometheus/", Grafana: "http://g", Tenant: "a|b", OrgID: 2}.Validate())
	assert.NotContains(t, fmt.Sprintf("%v %+v %#v %s", Options{GrafanaLogin: Login{Token: "s3cret"}}, Options{GrafanaLogin: Login{User: "u", Password: "s3cret"}},
		Options{PrometheusLogin: Login{Token: "s3cret"}}, Login{Password: "s3cret"}), "s3cret")
}

func TestWhatHelpsIsSaid(t *testing.T) {
	token, nobody := Login{Token: "s3cret"}, Login{}
	for _, tt := range []struct {
		name    string
		grafana bool
		login   Login
		status  int
		body    string
		want    []string
	}{
		{"prometheus 401, nobody", false, nobody, 401, "", []string{"HTTP 401 Unauthorized", "set PANELGATE_PROMETHEUS_TOKEN, or PANELGATE_PROMETHEUS_USER"}},
		{"prometheus 401, token", false, token, 401, "", []string{"it does not take the token of PANELGATE_PROMETHEUS_TOKEN"}},
		{"prometheus 403", false, Login{User: "me", Password: "s3cret"}, 403, "no", []string{"the login of PANELGATE_PROMETHEUS_USER may not ask queries"}},
		{"prometheus 404", false, nobody, 404, "404 page not found", []string{"Mimir has it below /prometheus"}},
		{"prometheus 502", false, nobody, 502, "<html>bad gateway", []string{"HTTP 502 Bad Gateway", "bad gateway"}},
		{"prometheus 407", false, nobody, 407, "", []string{"the proxy wants a login"}},
		{"prometheus, a page", false, nobody, 200, "<html>Sign in</html>", []string{"not JSON", "Sign in", "check --prometheus"}},
		{"prometheus, another's JSON", false, nobody, 200, `{"hello":"world"}`, []string{"not one of Prometheus' API"}},
		{"prometheus, another's list", false, nobody, 200, `[1]`, []string{"not one of Prometheus' API"}},
		{"grafana 401", true, token, 401, `{"message":"Invalid API key"}`, []string{"Invalid API key", "it does not take the token of PANELGATE_GRAFANA_TOKEN"}},
		{"grafana 403", true, token, 403, `{"message":"You'll need additional permissions"}`, []string{"lacks a permission", "datasources:read, datasources:query and dashboards:read"}},
		{"grafana 404", true, nobody, 404, "nothing here", []string{"no Grafana below that url"}},
		{"grafana, a page", true, nobody, 200, "<html><body>Sign in</body></html>", []string{"not JSON", "Sign in", "check --grafana"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(tt.status)
				_, _ = io.WriteString(w, tt.body)
			}))
			defer server.Close()
			opts := Options{Prometheus: server.URL, PrometheusLogin: tt.login}
			if tt.grafana {
				opts = Options{Grafana: server.URL, GrafanaLogin: tt.login}
			}
			_, err := Start(t.Context(), &stack.Stack{}, opts)
			require.Error(t, err)
			for _, want := range append(tt.want, server.URL) {
				assert.Contains(t, err.Error(), want)
			}
			assert.NotContains(t, err.Error(), "s3cret")
		})
	}
	for _, opts := range []Options{{Prometheus: "http://127.0.0.1:1"}, {Grafana: "http://127.0.0.1:1"}} {
		_, err := Start(t.Context(), &stack.Stack{}, opts)
		require.ErrorContains(t, err, "connection refused")
		require.ErrorContains(t, err, "is it up")
	}
}

// served is a Grafana with datasources, whose proxy answers targets with status and body.
func served(t *testing.T, datasources string, status int, body string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/api/health":
			_, _ = io.WriteString(w, `{"version":"12.0.0"}`)
		case "/api/datasources":
			_, _ = io.WriteString(w, datasources)
		default:
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestThroughGrafanaOnly(t *testing.T) {
	const one = `[{"uid":"a","name":"A","type":"prometheus","url":"http://p:9090"}]`
	start := func(datasources string, status int, body string) (*Env, error) {
		return Start(t.Context(), &stack.Stack{}, Options{Grafana: served(t, datasources, status, body), GrafanaLogin: Login{Token: "s3cret"}})
	}
	_, err := start(`[{"uid":"l","name":"L","type":"loki"}]`, 200, "")
	require.ErrorContains(t, err, "has no Prometheus datasource that the login may see")
	_, err = start(`[]`, 200, "")
	require.ErrorContains(t, err, "there is nobody to ask")
	_, err = start(one, 403, `{"accessErrorId":"ACE1","message":"You'll need additional permissions to perform this action. Permissions needed: datasources:query","title":"Access denied"}`)
	require.ErrorContains(t, err, "datasources:query")
	require.ErrorContains(t, err, "lacks a permission")
	// That what is behind the datasource does not answer is a finding, not the end.
	for status, body := range map[int]string{502: "Bad Gateway", 403: `{"error":"upstream says no"}`, 404: "404 page not found"} {
		e, err := start(one, status, body)
		require.NoError(t, err, status)
		assert.True(t, e.Instance().TargetsUnknown)
		require.Len(t, e.Instance().Notes, 1)
		assert.Contains(t, e.Instance().Notes[0], "lists no scrape targets")
		require.NoError(t, e.Close())
	}
}

func TestServersThatListNoTargets(t *testing.T) {
	for name, answer := range map[string]struct {
		status int
		body   string
	}{
		"Mimir has no such path":             {404, "404 page not found\n"},
		"not implemented":                    {501, ""},
		"an error in JSON":                   {400, `{"status":"error","errorType":"bad_data","error":"unknown path"}`},
		"another shape":                      {200, `{"status":"success","data":[]}`},
		"numbers for texts":                  {200, `{"status":"success","data":{"activeTargets":[{"labels":{"job":1}}]}}`},
		"a page":                             {200, "<html>Thanos</html>"},
		"Thanos and vmselect may have none":  {200, `{"status":"success","data":{"activeTargets":[],"droppedTargets":[]}}`},
		"null":                               {200, `{"status":"success","data":null}`},
		"not allowed to see them":            {403, "forbidden"},
		"VictoriaMetrics without a scraping": {200, `{"status":"success","data":{"activeTargets":[]}}`},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if !strings.HasPrefix(r.URL.Path, "/prometheus/api/v1/targets") {
					prometheus(nil).ServeHTTP(w, r)
					return
				}
				w.WriteHeader(answer.status)
				_, _ = io.WriteString(w, answer.body)
			}))
			defer server.Close()
			e, err := Start(t.Context(), &stack.Stack{}, Options{Prometheus: server.URL + "/prometheus/"})
			require.NoError(t, err)
			i := e.Instance()
			assert.Equal(t, server.URL+"/prometheus", i.PrometheusURL)
			assert.True(t, i.TargetsUnknown)
			assert.Empty(t, i.Targets)
			assert.Len(t, i.Notes, 1)
			assert.True(t, i.From.IsZero())
			assert.Nil(t, i.World)
			require.NoError(t, e.Close())
		})
	}
}

func TestTargetsAtTheirPlaces(t *testing.T) {
	at := func(line int) source.Pos { return source.Pos{File: "prometheus.yml", Line: line, Column: 1} }
	s := &stack.Stack{Prometheus: &stack.Prometheus{File: "prometheus.yml", Jobs: []*stack.Job{
		{Name: source.Text{Value: "triton"}, Pos: at(3), Targets: []stack.Target{{Address: source.Text{Value: "triton:8002", Pos: at(5)}}}},
		{Name: source.Text{Value: "nodes"}, Pos: at(7), ScrapeInterval: 300 * time.Millisecond},
	}}}
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/targets") {
			prometheus(nil).ServeHTTP(w, r)
			return
		}
		asked++
		second := "unknown"
		if asked > 1 {
			second = "up"
		}
		_, _ = fmt.Fprintf(w, `{"status":"success","data":{"activeTargets":[
			{"scrapePool":"triton","scrapeUrl":"http://triton:8002/metrics","health":"down","lastError":"Get \"http://triton:8002/metrics\": dial tcp: connect: connection refused","labels":{"job":"gpu","instance":"i"},"discoveredLabels":{"__address__":"triton:8002"}},
			{"scrapeUrl":"http://node:9100/metrics","health":%q,"labels":{"job":"nodes","instance":"node:9100"},"discoveredLabels":{"__address__":"node:9100"}},
			{"scrapePool":"nodes","scrapeUrl":"http://late:9999/metrics","health":"unknown","labels":{"job":"nodes","instance":"late:9999"}},
			{"scrapePool":"another team's","scrapeUrl":"http://x:1/metrics","health":"down","lastError":"no","labels":{"job":"x"}}]}}`, second)
	}))
	defer server.Close()
	e, err := Start(t.Context(), s, Options{Prometheus: server.URL})
	require.NoError(t, err)
	require.NoError(t, e.Close())
	i := e.Instance()
	require.Len(t, i.Targets, 3)
	triton, node, late := i.Targets[0], i.Targets[1], i.Targets[2]
	assert.Equal(t, at(5), triton.Pos, "its own place")
	assert.Equal(t, env.CauseRefused, triton.Cause)
	assert.Equal(t, "triton", triton.AnsweredBy)
	assert.Equal(t, "triton:8002", triton.Address)
	assert.Equal(t, at(7), node.Pos, "its job's place")
	assert.True(t, node.Up, "waited for")
	assert.False(t, late.Up, "not for ever")
	assert.Contains(t, late.Error, "has not been scraped")
	require.Len(t, i.Others, 1)
	assert.Equal(t, []string{"of jobs that the stack's files do not have, the server scrapes 1 more, 1 of them down: they are not judged"}, i.Notes)
	assert.False(t, i.TargetsUnknown)
}

func TestGrafanasDatasourcesTakeThePlaceOfTheFiles(t *testing.T) {
	pos := source.Pos{File: "ds.yml", Line: 3}
	s := &stack.Stack{Compose: &stack.Compose{}, Datasources: []*stack.Datasource{
		{Name: source.Text{Value: "Same"}, UID: source.Text{Value: "same"}, EffectiveUID: "same", URL: source.Text{Value: "http://old", Pos: pos}, IsDefault: true, Pos: pos},
		{Name: source.Text{Value: "Old"}, EffectiveUID: "P123", Pos: pos},
		{Name: source.Text{Value: "Gone"}, EffectiveUID: "gone", Pos: pos},
	}}
	e, err := Start(t.Context(), s, Options{Grafana: served(t, `[
		{"uid":"other","name":"Other","type":"prometheus","url":"http://other","isDefault":true},
		{"uid":"same","name":"Same","type":"prometheus","url":"http://new","jsonData":{"timeInterval":"30s"}},
		{"uid":"made-up","name":"Old","type":"prometheus","url":"http://old"}]`, 404, "")})
	require.NoError(t, err)
	require.NoError(t, e.Close())
	got := map[string]*stack.Datasource{}
	for _, ds := range e.Stack().Datasources {
		got[ds.EffectiveUID] = ds
	}
	require.Len(t, got, 4)
	assert.Equal(t, "http://new 30s", got["same"].URL.Value+" "+got["same"].TimeInterval.Value)
	assert.Equal(t, pos, got["same"].URL.Pos)
	assert.Equal(t, "Old", got["made-up"].Name.Value, "an old version made up its uid")
	assert.Contains(t, got, "gone")
	assert.Equal(t, "other", e.Stack().DefaultDatasource().EffectiveUID)
	assert.Nil(t, e.Stack().Compose)
	assert.Equal(t, "http://old", s.Datasources[0].URL.Value, "the stack of the files is left as it is")
	assert.NotNil(t, s.Compose)
}

func TestWithoutGrafanaTheFilesModelIt(t *testing.T) {
	server := httptest.NewServer(prometheus(nil))
	defer server.Close()
	s := &stack.Stack{Compose: &stack.Compose{}}
	e, err := Start(t.Context(), s, Options{Prometheus: server.URL})
	require.NoError(t, err)
	require.NoError(t, e.Close())
	assert.Same(t, s, e.Stack())
	assert.Nil(t, e.Instance().Proxied)
	assert.Nil(t, e.Instance().Grafana)
}

func TestWhichDatasourcesAreDirect(t *testing.T) {
	const here = `{"uid":"a","name":"A","type":"prometheus","url":"http://P:9090/"}`
	for want, datasources := range map[string]string{
		"the only one": `[{"uid":"a","name":"A","type":"prometheus","url":"http://inside:9090"},{"uid":"l","name":"L","type":"loki","url":"http://l"}]`,
		"its url":      `[` + here + `,{"uid":"b","name":"B","type":"prometheus","url":"http://p:9091"}]`,
		"none":         `[{"uid":"b","name":"B","type":"prometheus","url":"http://p:9090/b"},{"uid":"c","name":"C","type":"prometheus","url":""}]`,
	} {
		e := &Env{opts: Options{Grafana: served(t, datasources, 404, ""), Prometheus: "http://p:9090", patience: time.Second}}
		way, err := transport(e.opts)
		require.NoError(t, err)
		e.way = way
		require.NoError(t, e.grafana(t.Context(), &stack.Stack{}))
		require.NoError(t, e.Close())
		got := map[string]bool{}
		for _, d := range e.sources {
			if through, err := e.instance.Proxied(d.UID); err == nil && through == "" {
				got[d.UID] = true
			}
		}
		assert.Equal(t, want != "none", got["a"], want)
		assert.False(t, got["b"] || got["c"] || got["l"], want)
	}
}

// TestAServerThatFailsToListItsTargets holds that a failing is not taken for a server
// that has no such list: its targets would go unchecked in a run that passes.
func TestAServerThatFailsToListItsTargets(t *testing.T) {
	for want, answer := range map[string]http.HandlerFunc{
		"server error: 500":       func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "boom", http.StatusInternalServerError) },
		"server error: 502":       func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "<html>", http.StatusBadGateway) },
		"client error: 429":       func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "slow down", http.StatusTooManyRequests) },
		"the answer is cut short": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"status":"suc`) },
		"EOF":                     func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"no answer within 200ms":  func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"partial: store-2 is away": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"status":"success","data":{},"warnings":["store-2 is away"]}`)
		},
		"the answer is partial": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"status":"success","data":{},"isPartial":true}`)
		},
	} {
		t.Run(want, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if strings.HasSuffix(r.URL.Path, "/targets") {
					answer(w, r)
					return
				}
				prometheus(nil).ServeHTTP(w, r)
			}))
			t.Cleanup(server.Close)
			_, err := Start(t.Context(), &stack.Stack{}, Options{Prometheus: server.URL, patience: 200 * time.Millisecond})
			require.ErrorContains(t, err, "list the targets: Prometheus at "+server.URL)
			require.ErrorContains(t, err, want)
		})
	}
}

// TestRemarksOfPromQLAreNoGaps holds that what PromQL says of an expression does not
// make its answer a partial one.
func TestRemarksOfPromQLAreNoGaps(t *testing.T) {
	req := httptest.NewRequest(http.MethodGet, "http://p/api/v1/query", http.NoBody)
	for body, want := range map[string]bool{
		`{"warnings":["PromQL warning: bucket label"],"infos":["PromQL info: no counter"]}`: true,
		`{"isPartial":false}`:                 true,
		`{"data":{"label":"\"warnings\""}}`:   true,
		`{"warnings":["PromQL info: a","b"]}`: false,
		`{"isPartial":true}`:                  false,
		`{"data":`:                            false,
		``:                                    false,
	} {
		assert.Equal(t, want, complete(req, http.StatusOK, []byte(body)) == nil, body)
	}
}
