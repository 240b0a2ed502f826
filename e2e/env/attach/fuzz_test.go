package attach

import (
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
