package grafana

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/api"
	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/testcontainers/testcontainers-go"
	tcnetwork "github.com/testcontainers/testcontainers-go/network"
	"github.com/testcontainers/testcontainers-go/wait"

	"github.com/panelgate/panelgate/internal/engine"
)

// TestAgainstRealGrafana holds the client against a Grafana that has one
// Prometheus, provisioned by files as the stacks under test do it.
func TestAgainstRealGrafana(t *testing.T) {
	if testing.Short() {
		t.Skip("containers are left out with -short")
	}
	prometheusImage, grafanaImage := engine.Servers(t)
	net, err := tcnetwork.New(t.Context())
	testcontainers.CleanupNetwork(t, net)
	require.NoError(t, err)
	prom := startPrometheus(t, prometheusImage, net)
	c := startGrafana(t, grafanaImage, net)
	now := waitForSamples(t, prom)

	t.Run("what there is", func(t *testing.T) { checkInventory(t, c) })
	t.Run("the health of datasources", func(t *testing.T) { checkHealth(t, c) })
	t.Run("a login that is wrong", func(t *testing.T) {
		stranger, err := New(Options{URL: c.URL(), User: "admin", Password: "hunter2"})
		require.NoError(t, err)
		t.Cleanup(stranger.Close)
		_, err = stranger.Datasources(t.Context())
		var status *StatusError
		require.ErrorAs(t, err, &status)
		assert.Equal(t, http.StatusUnauthorized, status.Status)
		assert.NotContains(t, err.Error(), "hunter2")
	})
	t.Run("range queries", func(t *testing.T) { checkRange(t, c, prom, now) })
	t.Run("instant queries", func(t *testing.T) { checkInstant(t, c, prom, now) })
	t.Run("expressions", func(t *testing.T) { checkExpressions(t, c, now) })
	t.Run("failures", func(t *testing.T) { checkFailures(t, c, now) })
}

func startPrometheus(t *testing.T, image string, net *testcontainers.DockerNetwork) promv1.API {
	t.Helper()
	const config = `
global: {scrape_interval: 1s}
scrape_configs:
  - job_name: self
    static_configs: [{targets: ["localhost:9090"]}]
`
	ctr, err := testcontainers.Run(t.Context(), image,
		engine.OnLoopback("9090/tcp"),
		tcnetwork.WithNetwork([]string{"prometheus"}, net),
		testcontainers.WithFiles(file("/etc/prometheus/prometheus.yml", config)),
		testcontainers.WithCmd("--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus",
			"--scrape.discovery-reload-interval=100ms"),
		// Asked inside the container: how the host reaches it is another matter.
		testcontainers.WithWaitStrategy(wait.ForExec([]string{"wget", "-q", "-O", "-", "http://127.0.0.1:9090/-/ready"})),
	)
	testcontainers.CleanupContainer(t, ctr)
	require.NoError(t, err)
	client, err := api.NewClient(api.Config{Address: "http://" + engine.Addr(t, ctr, "9090/tcp")})
	require.NoError(t, err)
	return promv1.NewAPI(client)
}

func startGrafana(t *testing.T, image string, net *testcontainers.DockerNetwork) *Client {
	t.Helper()
	const datasources = `
apiVersion: 1
datasources:
  - {name: Good, uid: good, type: prometheus, access: proxy, url: "http://prometheus:9090", isDefault: true,
     jsonData: {timeInterval: 1s, httpMethod: POST}}
  - {name: Bad, uid: bad, type: prometheus, access: proxy, url: "http://127.0.0.1:1"}
  - {name: Unplugged, uid: unplugged, type: loki, access: proxy, url: "http://127.0.0.1:1"}
  - {name: Uncheckable, uid: uncheckable, type: testdata, access: proxy}
`
	const provider = `
apiVersion: 1
providers:
  - {name: stack, folder: Stack, type: file, options: {path: /etc/grafana/boards}}
`
	ctr, err := testcontainers.Run(t.Context(), image,
		engine.OnLoopback("3000/tcp"),
		tcnetwork.WithNetwork(nil, net),
		testcontainers.WithFiles(
			file("/etc/grafana/provisioning/datasources/stack.yml", datasources),
			file("/etc/grafana/provisioning/dashboards/stack.yml", provider),
			file("/etc/grafana/boards/gpu.json", `{"uid":"gpu","title":"GPU","schemaVersion":38,"panels":[]}`),
		),
		testcontainers.WithWaitStrategy(wait.ForExec([]string{"wget", "-q", "-O", "-", "http://127.0.0.1:3000/api/health"})),
	)
	testcontainers.CleanupContainer(t, ctr)
	require.NoError(t, err)
	c, err := New(Options{URL: "http://" + engine.Addr(t, ctr, "3000/tcp"), User: "admin", Password: "admin"})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

func file(path, content string) testcontainers.ContainerFile {
	return testcontainers.ContainerFile{Reader: strings.NewReader(content), ContainerFilePath: path, FileMode: 0o644}
}

// waitForSamples waits for a few scrapes, and gives a moment that lies behind
// them, so that what is asked as of then stays the same.
func waitForSamples(t *testing.T, prom promv1.API) time.Time {
	t.Helper()
	var at time.Time
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		// Prometheus may not have the scrapes of these very seconds yet.
		at = time.Now().Truncate(time.Second).Add(-2 * time.Second)
		v, _, err := prom.Query(t.Context(), "count_over_time(prometheus_http_requests_total[1m])", at)
		require.NoError(c, err)
		counts, ok := v.(model.Vector)
		require.True(c, ok)
		require.NotEmpty(c, counts)
		for _, s := range counts {
			require.GreaterOrEqual(c, float64(s.Value), 3.0)
		}
	}, 30*time.Second, 100*time.Millisecond)
	return at
}

func checkInventory(t *testing.T, c *Client) {
	h, err := c.Health(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 10, h.Major())
	assert.Equal(t, "ok", h.Database)
	assert.NotEmpty(t, h.Commit)

	all, err := c.Datasources(t.Context())
	require.NoError(t, err)
	byUID := map[string]Datasource{}
	for _, d := range all {
		byUID[d.UID] = d
	}
	require.Len(t, byUID, 4)
	good := byUID["good"]
	assert.NotZero(t, good.ID)
	good.ID = 0
	assert.Equal(t, Datasource{
		UID: "good", Name: "Good", Type: "prometheus", URL: "http://prometheus:9090", Access: "proxy",
		IsDefault: true, ReadOnly: true, OrgID: 1, JSONData: JSONData{TimeInterval: "1s", HTTPMethod: "POST"},
	}, good)

	hits, err := c.Dashboards(t.Context())
	require.NoError(t, err)
	require.Len(t, hits, 1)
	assert.Equal(t, "gpu GPU Stack", hits[0].UID+" "+hits[0].Title+" "+hits[0].FolderTitle)
	d, err := c.Dashboard(t.Context(), "gpu")
	require.NoError(t, err)
	assert.Equal(t, &Dashboard{
		UID: "gpu", Title: "GPU", Provisioned: true, ProvisionedFrom: "gpu.json",
		FolderUID: hits[0].FolderUID, FolderTitle: "Stack", Version: 1, SchemaVersion: 38,
	}, d)
	_, err = c.Dashboard(t.Context(), "cpu")
	require.ErrorIs(t, err, ErrUnknownDashboard)

	plugins, err := c.PanelPlugins(t.Context())
	require.NoError(t, err)
	for _, want := range []Plugin{
		{ID: "stat", Name: "Stat"}, {ID: "timeseries", Name: "Time series"}, {ID: "welcome", Name: "Welcome", Hidden: true},
	} {
		assert.Contains(t, plugins, want)
	}
}

func checkHealth(t *testing.T, c *Client) {
	good, err := c.DatasourceHealth(t.Context(), "good")
	require.NoError(t, err)
	assert.True(t, good.OK(), good.Message)
	bad, err := c.DatasourceHealth(t.Context(), "bad")
	require.NoError(t, err)
	assert.Equal(t, "ERROR", bad.Status)
	assert.Contains(t, bad.Message, "connection refused")
	for uid, want := range map[string]error{
		"unplugged": ErrNoHealthCheck, "uncheckable": ErrNoHealthCheck, "gone": ErrUnknownDatasource,
	} {
		_, err = c.DatasourceHealth(t.Context(), uid)
		require.ErrorIs(t, err, want, uid)
	}
}

// ask is a query of the good datasource over the 20 s up to now, in steps of a second.
func ask(refID, expr string) Query {
	return Query{
		RefID: refID, DatasourceUID: "good", DatasourceType: "prometheus", Expr: expr,
		IntervalMS: 1000, MaxDataPoints: 100,
	}
}

func request(now time.Time, queries ...Query) Request {
	return Request{From: now.Add(-20 * time.Second), To: now, Queries: queries}
}

func checkRange(t *testing.T, c *Client, prom promv1.API, now time.Time) {
	for _, expr := range []string{
		"up",
		"sum by (code, handler) (prometheus_http_requests_total)",
		"rate(prometheus_http_requests_total[$__interval])",
		"rate(prometheus_http_requests_total[$__rate_interval])",
		"up * 0 / 0 or label_replace(up / 0, 'to', 'inf', '', '') or label_replace(-up / 0, 'to', '-inf', '', '')",
	} {
		for _, format := range []string{"time_series", "table", "heatmap"} {
			t.Run(format+" "+expr, func(t *testing.T) {
				q := ask("A", expr)
				q.Range, q.Format = true, format
				answers, err := c.Query(t.Context(), request(now, q))
				require.NoError(t, err)
				require.NoError(t, answers["A"].Err)
				run := strings.NewReplacer("$__interval", "1s", "$__rate_interval", "4s").Replace(expr)
				want, _, err := prom.QueryRange(t.Context(), run, promv1.Range{Start: now.Add(-20 * time.Second), End: now, Step: time.Second})
				require.NoError(t, err)
				matrix, ok := want.(model.Matrix)
				require.True(t, ok)
				if !strings.Contains(expr, "$__interval") { // one second holds no two samples
					require.NotEmpty(t, matrix)
				}
				got, err := answers["A"].Series()
				require.NoError(t, err)
				requireSameAsPrometheus(t, matrix, got)
				assert.Equal(t, fmt.Sprintf("Expr: %s\nStep: 1s", run), answers["A"].Frames[0].ExecutedQuery)
			})
		}
	}
}

func requireSameAsPrometheus(t *testing.T, want model.Matrix, got []Series) {
	t.Helper()
	byMetric := map[string]Series{}
	for _, s := range got {
		byMetric[metric(s).String()] = s
	}
	require.Len(t, got, len(want))
	require.Len(t, byMetric, len(want))
	for _, w := range want {
		s, ok := byMetric[w.Metric.String()]
		require.True(t, ok, "%s is missing", w.Metric)
		require.Len(t, s.Points, len(w.Values))
		for i, v := range w.Values {
			require.Equal(t, v.Timestamp.Time().UTC(), s.Points[i].Time)
			require.InDelta(t, float64(v.Value), s.Points[i].Value, 0)
		}
	}
}

func metric(s Series) model.Metric {
	m := model.Metric{}
	for k, v := range s.Labels {
		m[model.LabelName(k)] = model.LabelValue(v)
	}
	return m
}

func checkInstant(t *testing.T, c *Client, prom promv1.API, now time.Time) {
	const expr = "prometheus_http_requests_total"
	want, _, err := prom.Query(t.Context(), expr, now)
	require.NoError(t, err)
	vector, ok := want.(model.Vector)
	require.True(t, ok)
	var matrix model.Matrix
	for _, s := range vector {
		matrix = append(matrix, &model.SampleStream{Metric: s.Metric, Values: []model.SamplePair{{Timestamp: s.Timestamp, Value: s.Value}}})
	}
	for _, format := range []string{"time_series", "table"} {
		q := ask("A", expr)
		q.Instant, q.Format = true, format
		answers, err := c.Query(t.Context(), request(now, q))
		require.NoError(t, err)
		got, err := answers["A"].Series()
		require.NoError(t, err)
		requireSameAsPrometheus(t, matrix, got)
	}

	both := ask("A", "up")
	both.Instant, both.Range = true, true
	scalar := ask("B", "1.5")
	scalar.Instant = true
	text := ask("C", `"hello"`)
	text.Instant = true
	none := ask("D", "nothing_has_this_name")
	answers, err := c.Query(t.Context(), request(now, both, scalar, text, none))
	require.NoError(t, err)
	series := map[string][]Series{}
	for refID, a := range answers {
		series[refID], err = a.Series()
		require.NoError(t, err)
	}
	assert.Len(t, series["A"], 2, "instant and range")
	assert.Equal(t, []Series{{Name: "1.5", Labels: map[string]string{}, Points: []Point{{now.UTC(), 1.5}}}}, series["B"])
	assert.Empty(t, series["C"])
	assert.Empty(t, series["D"])
	require.Len(t, answers["D"].Frames, 1, "no data is still a frame")
	assert.Empty(t, answers["D"].Frames[0].Fields)
}

func checkExpressions(t *testing.T, c *Client, now time.Time) {
	expression := func(refID, model string) Query {
		return Query{RefID: refID, DatasourceUID: "__expr__", DatasourceType: "__expr__", Model: json.RawMessage(model)}
	}
	a := ask("A", "sum(prometheus_http_requests_total)")
	a.Range = true
	answers, err := c.Query(t.Context(), request(now, a,
		expression("B", `{"type":"math","expression":"$A * 2"}`),
		expression("C", `{"type":"reduce","expression":"A","reducer":"last"}`)))
	require.NoError(t, err)
	plain, err := answers["A"].Series()
	require.NoError(t, err)
	doubled, err := answers["B"].Series()
	require.NoError(t, err)
	last, err := answers["C"].Series()
	require.NoError(t, err)
	require.Len(t, plain, 1)
	require.Len(t, doubled, 1)
	require.Len(t, doubled[0].Points, len(plain[0].Points))
	for i, p := range plain[0].Points {
		assert.Equal(t, Point{p.Time, 2 * p.Value}, doubled[0].Points[i])
	}
	require.Len(t, last, 1)
	assert.Equal(t, []Point{{Value: plain[0].Points[len(plain[0].Points)-1].Value}}, last[0].Points, "a number has no time")

	_, err = c.Query(t.Context(), request(now, expression("B", `{"type":"math","expression":"$A * 2"}`)))
	var status *StatusError
	require.ErrorAs(t, err, &status, "an expression over nothing fails the request in this version")
	assert.Equal(t, http.StatusInternalServerError, status.Status)
}

func checkFailures(t *testing.T, c *Client, now time.Time) {
	of := func(uid string) Query {
		q := ask("A", "up")
		q.DatasourceUID = uid
		return q
	}
	_, err := c.Query(t.Context(), request(now, of("gone"), ask("B", "up")))
	require.ErrorIs(t, err, ErrUnknownDatasource)
	_, err = c.Query(t.Context(), request(now, of("unplugged")))
	require.ErrorIs(t, err, ErrNoPlugin)

	answers, err := c.Query(t.Context(), request(now, ask("A", "sum("), ask("B", "up")))
	require.NoError(t, err)
	var failed *QueryError
	require.ErrorAs(t, answers["A"].Err, &failed)
	assert.Contains(t, failed.Message, "unclosed left parenthesis")
	require.NoError(t, answers["B"].Err)
	series, err := answers["B"].Series()
	require.NoError(t, err)
	assert.Len(t, series, 1, "one query's failure is not the other's")

	answers, err = c.Query(t.Context(), request(now, of("bad")))
	require.NoError(t, err)
	require.ErrorContains(t, answers["A"].Err, "connection refused")
}
