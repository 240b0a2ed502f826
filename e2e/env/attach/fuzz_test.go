package attach

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"unicode"
)

// FuzzComplete has a server answer anything: nothing is shown raw, and an answer that
// says of itself that it is a part is never taken for a whole.
func FuzzComplete(f *testing.F) {
	for _, seed := range []string{
		`{"status":"success","data":{}}`, `{"status":"success","isPartial":true}`, `{"status":"success","warnings":["PromQL info: x"]}`,
		"{\"status\":\"success\",\"warnings\":[\"store \\u001b[2J away\"]}", `{"status":"success","data":`, ``, `[`, `{"isPartial":true,"isPartial":false}`,
	} {
		f.Add([]byte(seed))
	}
	req, err := http.NewRequest(http.MethodGet, "http://p:9090/api/v1/query", http.NoBody)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		err := complete(req, http.StatusOK, body)
		if err != nil && strings.ContainsFunc(err.Error(), unicode.IsControl) {
			t.Fatalf("%q steers a terminal", err)
		}
		if err == nil && strings.HasSuffix(strings.TrimSpace(string(body)), `"isPartial":true}`) && strings.HasPrefix(string(body), `{"status":"success",`) && strings.Count(string(body), `"`) == 6 {
			t.Fatalf("%q is taken for a whole answer", body)
		}
		if shown := snippet(string(body)); strings.ContainsFunc(shown, unicode.IsControl) {
			t.Fatalf("%q steers a terminal", shown)
		}
	})
}

// FuzzFailed judges any answer to what attach asks: one that is not JSON, or has nothing
// for a query that was put, is no server's that is well, and nothing is shown raw.
func FuzzFailed(f *testing.F) {
	paths := []string{
		"/api/v1/query_range", "/api/v1/labels", "/api/v1/metadata", "/api/ds/query", "/api/datasources", "/api/dashboards/uid/x",
		"/api/datasources/uid/x/health", "/api/frontend/settings", "/api/datasources/proxy/uid/x/api/v1/query",
	}
	for at, body := range []string{
		`{"status":"success","data":{"resultType":"matrix","result":[]}}`, `{"status":"success","data":[]}`, `{"status":"error","errorType":"internal","error":"x"}`,
		`{"results":{"A":{"status":200,"frames":[]}}}`, `[]`, `{"dashboard":{},"meta":{}}`, `{"status":"OK"}`, `null`, "<html>\x1b[2J",
	} {
		f.Add(uint8(at), 200, []byte(body))
		f.Add(uint8(at), 502, []byte(body))
	}
	f.Fuzz(func(t *testing.T, at uint8, status int, body []byte) {
		path := paths[int(at)%len(paths)]
		if status < 200 || status > 599 || status/100 == 3 {
			t.Skip("no status that comes with such an answer")
		}
		question := []byte(`{"queries":[{"refId":"A","datasource":{"uid":"x"}}]}`)
		req, err := http.NewRequest(http.MethodPost, "http://g:3000"+path, bytes.NewReader(question))
		if err != nil {
			t.Fatal(err)
		}
		a := asked{req: req, body: question}
		_, failed := a.failed(&http.Response{StatusCode: status, Request: req}, body)
		if failed == nil && status == http.StatusOK && !json.Valid(body) {
			t.Fatalf("%s: %q is taken for an answer", path, body)
		}
		if failed == nil && status == http.StatusOK && path == "/api/ds/query" && !named(body) {
			t.Fatalf("%q answers a query that it does not name", body)
		}
		if failed == nil && status == http.StatusBadGateway && len(body) == 0 {
			t.Fatalf("%s: a gateway's failure passes", path)
		}
		if failed != nil && strings.ContainsFunc(failed.Error(), unicode.IsControl) {
			t.Fatalf("%q steers a terminal", failed)
		}
	})
}

// named says whether an answer of Grafana may have one for query A.
func named(body []byte) bool {
	var answer struct{ Results map[string]json.RawMessage }
	return json.Unmarshal(body, &answer) == nil && len(answer.Results["A"]) > 0
}
