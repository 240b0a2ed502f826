package e2e

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/e2e/config"
	"github.com/panelgate/panelgate/e2e/env/attach"
	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/e2e/shard"
	"github.com/panelgate/panelgate/stack"
)

// listener has what a run has told while it went on.
type listener struct {
	t       *testing.T
	boards  []*rule.Board
	queries []*rule.Asked
	then    []outcome
}

// outcome is what reports say of a query besides its reasons.
type outcome struct {
	status                         rule.Status
	skip, why                      string
	sent                           bool
	series, samples, finite, every int
	took                           time.Duration
	recalled                       time.Time
}

func outcomeOf(a *rule.Asked) outcome {
	out := outcome{a.Status, a.Skip, "", a.Sent, a.Series, a.Samples, a.Finite, a.Every, a.Duration, a.Recalled}
	if a.Err != nil {
		out.why = a.Err.Error()
	}
	return out
}

// listen has a run tell, one thing at a time.
func listen(t *testing.T, opts *Options) *listener {
	x := &listener{t: t}
	var busy atomic.Bool
	alone := func(do func()) {
		assert.True(t, busy.CompareAndSwap(false, true), "two were told at a time")
		do()
		busy.Store(false)
	}
	opts.Progress = func(string, int, int) { alone(func() {}) }
	opts.Asking = func(boards []*rule.Board) {
		alone(func() {
			assert.Nil(t, x.boards, "it is told twice what is asked")
			x.boards = boards
		})
	}
	opts.Answered = func(a *rule.Asked) {
		alone(func() {
			assert.NotNil(t, x.boards, "a query comes before its dashboard")
			x.queries, x.then = append(x.queries, a), append(x.then, outcomeOf(a))
		})
	}
	return x
}

// holds says that what was told is what the report says, in its order.
func (x *listener) holds(r *Report) {
	x.t.Helper()
	require.NotEmpty(x.t, r.Queries)
	assert.Equal(x.t, r.Boards, x.boards)
	require.Len(x.t, x.queries, len(r.Queries))
	for i, a := range r.Queries {
		require.Same(x.t, a, x.queries[i], "query %d", i)
		assert.Equal(x.t, outcomeOf(a), x.then[i], "%q has changed since it was told", a.Request.Expr)
	}
}

// What is told while a run goes on is what its report says, each query once: with panels
// that are asked again, come to prove nothing, fail, and are not asked.
func TestWhatIsToldIsWhatIsReported(t *testing.T) {
	good := `rate(nv_inference_count[5m])`
	dir := copyShipped(t, onlyPanels(good, `nv_no_such_metric`, `nv_inference_count offset 1w`, `nv_no_such_metric offset 1w`, `0 * `+good, `sum(`, good+` > 1e9`,
		good+` or nv_no_such_metric`, good+` unless on () nv_no_such_metric`, `up * on () up`, good+` * 100`, `${nobody}`))
	for name, opts := range map[string]Options{
		"in full": {}, "lean": {Lean: true},
		"a shard without dashboards": {Shard: shard.Shard{Number: 2, Of: 2}}, "a shard with all": {Shard: shard.Shard{Number: 1, Of: 2}},
	} {
		t.Run(name, func(t *testing.T) {
			opts.History = time.Hour
			x := listen(t, &opts)
			r := verify(t, dir, opts)
			if len(r.Boards) == 0 {
				assert.Empty(t, x.queries)
				return
			}
			x.holds(r)
			seen := map[rule.Status]bool{}
			for _, a := range r.Queries {
				seen[a.Status] = true
			}
			assert.Equal(t, map[rule.Status]bool{rule.StatusOK: true, rule.StatusFailed: true, rule.StatusUnchecked: true}, seen)
		})
	}
	t.Run("of a Prometheus that does not start", func(t *testing.T) {
		editFile(t, dir, "prometheus/prometheus.yml", "scrape_configs:", "scrape_confogs:")
		opts := Options{}
		x := listen(t, &opts)
		x.holds(verify(t, dir, opts))
	})
}

// held is the shipped stack's Prometheus behind a door, through which each range query
// comes.
func held(t *testing.T, door func(ctx context.Context, query string)) string {
	t.Helper()
	to, err := url.Parse(runShipped(t))
	require.NoError(t, err)
	own := &http.Transport{}
	proxy := &httputil.ReverseProxy{Transport: own, Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) }}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/query_range") {
			body, err := io.ReadAll(r.Body)
			assert.NoError(t, err)
			form, err := url.ParseQuery(string(body))
			assert.NoError(t, err)
			r.Body = io.NopCloser(bytes.NewReader(body))
			door(r.Context(), form.Get("query"))
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(func() { server.Close(); own.CloseIdleConnections() })
	return server.URL
}

// manyPanels is a stack whose panels each ask something else.
func manyPanels(t *testing.T, n int) *stack.Stack {
	t.Helper()
	var exprs []string
	for i := range n {
		exprs = append(exprs, `nv_inference_count * `+strconv.Itoa(i+1))
	}
	s, err := stack.Load(t.Context(), copyShipped(t, onlyPanels(exprs...)))
	require.NoError(t, err)
	return s
}

// A Prometheus that answers the last panel only when the first was told.
func TestQueriesAreToldBeforeAllAreAsked(t *testing.T) {
	const panels = 12
	first := make(chan struct{})
	at := held(t, func(ctx context.Context, query string) {
		if !strings.HasSuffix(query, " * "+strconv.Itoa(panels)) {
			return
		}
		select {
		case <-first:
		case <-ctx.Done():
		}
	})
	opts := Options{Env: attach.Name, Attach: attach.Options{Prometheus: at}, Config: &config.Config{}}
	x := listen(t, &opts)
	answered := opts.Answered
	opts.Answered = func(a *rule.Asked) {
		if answered(a); len(x.queries) == 1 {
			close(first)
		}
	}
	r, err := Verify(t.Context(), manyPanels(t, panels), opts)
	require.NoError(t, err)
	x.holds(r)
	for _, a := range r.Queries {
		assert.Equal(t, rule.StatusOK, a.Status, "%v", a.Err)
	}
}

// Who is told of the first query and takes as long over it as fifty more would is waited
// for: nobody asks on but those who have begun.
func TestWhoeverIsToldIsWaitedFor(t *testing.T) {
	const panels = 50
	var asked atomic.Int64
	at := held(t, func(context.Context, string) { asked.Add(1) })
	opts := Options{Env: attach.Name, Attach: attach.Options{Prometheus: at}, Config: &config.Config{}}
	x := listen(t, &opts)
	answered := opts.Answered
	opts.Answered = func(a *rule.Asked) {
		answered(a)
		if len(x.queries) > 1 {
			return
		}
		before := asked.Load()
		for range panels {
			resp, err := http.Get(at + "/api/v1/query?query=sum(rate(nv_inference_count[5m]))")
			if assert.NoError(t, err) {
				assert.NoError(t, resp.Body.Close())
			}
		}
		assert.LessOrEqual(t, asked.Load(), before+int64(workers()))
		assert.Less(t, asked.Load(), int64(panels))
	}
	r, err := Verify(t.Context(), manyPanels(t, panels), opts)
	require.NoError(t, err)
	x.holds(r)
	assert.EqualValues(t, panels, asked.Load())
}

// A run that is stopped tells of no query that it did not wait for.
func TestAStoppedRunTellsNothingMore(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	at := held(t, func(ctx context.Context, query string) {
		if strings.HasSuffix(query, " * 3") {
			stop()
			<-ctx.Done()
		}
	})
	opts := Options{Env: attach.Name, Attach: attach.Options{Prometheus: at}, Config: &config.Config{}}
	x := listen(t, &opts)
	_, err := Verify(ctx, manyPanels(t, 12), opts)
	require.ErrorIs(t, err, context.Canceled)
	assert.LessOrEqual(t, len(x.queries), 2)
	for _, was := range x.then {
		assert.Equal(t, rule.StatusOK, was.status, was.why)
	}
}
