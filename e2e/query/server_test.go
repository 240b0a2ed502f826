package query

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/api"
	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/stretchr/testify/require"
)

// server answers for a fixed set of series, as the HTTP API of Prometheus does.
// Of PromQL it evaluates selectors, each series having the value of its position.
type server struct {
	series []labels.Labels
	mu     sync.Mutex
	asked  []string // path?start..end or time
}

// serve starts a server with the series and gives a client of it.
func serve(t *testing.T, series ...string) (*server, promv1.API) {
	t.Helper()
	s := &server{}
	for _, text := range series {
		metric, err := promParser().ParseMetric(text)
		require.NoError(t, err)
		s.series = append(s.series, metric)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/api/v1/labels", s.handle(s.labelNames))
	mux.HandleFunc("/api/v1/label/{name}/values", s.handle(s.labelValues))
	mux.HandleFunc("/api/v1/series", s.handle(s.find))
	mux.HandleFunc("/api/v1/query", s.handle(s.query))
	ts := httptest.NewServer(mux)
	t.Cleanup(ts.Close)
	client, err := api.NewClient(api.Config{Address: ts.URL})
	require.NoError(t, err)
	return s, promv1.NewAPI(client)
}

func (s *server) handle(answer func(*http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		s.mu.Lock()
		s.asked = append(s.asked, r.URL.Path+" "+r.Form.Get("start")+".."+r.Form.Get("end")+r.Form.Get("time"))
		s.mu.Unlock()
		body := map[string]any{"status": "success"}
		data, err := answer(r)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			body = map[string]any{"status": "error", "errorType": "bad_data", "error": err.Error()}
		} else {
			body["data"] = data
		}
		if err := json.NewEncoder(w).Encode(body); err != nil {
			panic(err)
		}
	}
}

// matching are the series that some match[] selects, all without one.
func (s *server) matching(r *http.Request) ([]labels.Labels, error) {
	if len(r.Form["match[]"]) == 0 {
		return s.series, nil
	}
	sets, err := promParser().ParseMetricSelectors(r.Form["match[]"])
	if err != nil {
		return nil, err
	}
	var found []labels.Labels
	for _, metric := range s.series {
		if slices.ContainsFunc(sets, func(set []*labels.Matcher) bool { return matches(metric, set) }) {
			found = append(found, metric)
		}
	}
	return found, nil
}

func matches(metric labels.Labels, set []*labels.Matcher) bool {
	return !slices.ContainsFunc(set, func(m *labels.Matcher) bool { return !m.Matches(metric.Get(m.Name)) })
}

func (s *server) labelNames(r *http.Request) (any, error) {
	found, err := s.matching(r)
	names := []string{}
	for _, metric := range found {
		metric.Range(func(l labels.Label) { names = append(names, l.Name) })
	}
	slices.Sort(names)
	return slices.Compact(names), err
}

func (s *server) labelValues(r *http.Request) (any, error) {
	found, err := s.matching(r)
	values := []string{}
	for _, metric := range found {
		if v := metric.Get(r.PathValue("name")); v != "" {
			values = append(values, v)
		}
	}
	slices.Sort(values)
	return slices.Compact(values), err
}

func (s *server) find(r *http.Request) (any, error) {
	found, err := s.matching(r)
	out := []map[string]string{}
	for _, metric := range found {
		out = append(out, metric.Map())
	}
	return out, err
}

func (s *server) query(r *http.Request) (any, error) {
	expr, err := promParser().ParseExpr(r.Form.Get("query"))
	if err != nil {
		return nil, err
	}
	if n, ok := expr.(*parser.NumberLiteral); ok {
		return map[string]any{"resultType": "scalar", "result": []any{1.5, json.Number(strings.TrimSpace(n.String())).String()}}, nil
	}
	var set []*labels.Matcher
	parser.Inspect(expr, func(n parser.Node, _ []parser.Node) error {
		if v, ok := n.(*parser.VectorSelector); ok {
			set = v.LabelMatchers
		}
		return nil
	})
	result := []map[string]any{}
	for i, metric := range s.series {
		if matches(metric, set) {
			result = append(result, map[string]any{"metric": metric.Map(), "value": []any{1.5, json.Number(strings.Repeat("1", i+1)).String()}})
		}
	}
	return map[string]any{"resultType": "vector", "result": result}, nil
}
