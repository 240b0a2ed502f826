package grafana

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// FuzzAnswer has a Grafana answer a query with anything. What is read of it holds
// together: columns of one length, and rows that can be looked at.
func FuzzAnswer(f *testing.F) {
	for _, seed := range []string{
		`{"results":{"A":{"status":200,"frames":[{"schema":{"refId":"A","meta":{"type":"timeseries-multi","executedQueryString":"Expr: up\nStep: 15s"},"fields":[{"name":"Time","type":"time","typeInfo":{"frame":"time.Time"}},{"name":"Value","type":"number","typeInfo":{"frame":"float64"},"labels":{"job":"j"},"config":{"displayNameFromDS":"x"}}]},"data":{"values":[[1,2],[1.5,null]],"nanos":[[0,1],null],"entities":[null,{"NaN":[1]}]}}]}}}`,
		`{"results":{"A":{"error":"bad_data: parse error","status":400,"errorSource":"downstream"}}}`,
		`{"results":{"A":{"frames":[{"schema":{"fields":[{"name":"s","type":"string"}]},"data":{"values":[["a",null,3]]}}]}}}`,
		`{"results":{"A":{"frames":[{"schema":{"fields":[]},"data":{"values":[[1]]}}]}}}`,
		`{"results":{"A":{"frames":[{"data":{"values":[],"entities":[{"Inf":[9,-1]}]}}]}}}`,
		`{"message":"\u001b[2Jno","error":"x"}`, `null`, `[]`, `{"results":null}`, `{"results":{"A":null}}`,
	} {
		f.Add([]byte(seed), uint8(0))
		f.Add([]byte(seed), uint8(7))
	}
	f.Fuzz(func(t *testing.T, body []byte, status uint8) {
		r := reply{method: http.MethodPost, path: "/api/ds/query", status: 200 + int(status), body: body}
		for _, c := range r.refused().Message {
			if unicode.IsControl(c) {
				t.Fatalf("%q is shown with %U", body, c)
			}
		}
		var wire struct {
			Results map[string]wireResult `json:"results"`
		}
		if r.decode(&wire) != nil {
			return
		}
		for id, w := range wire.Results {
			a, err := w.answer(id, r.status)
			if err != nil {
				continue
			}
			for _, frame := range a.Frames {
				// A frame's columns are of one length, or it is refused.
				for _, field := range frame.Fields {
					if field.Len() != frame.Fields[0].Len() {
						t.Fatalf("columns of %d and %d rows", field.Len(), frame.Fields[0].Len())
					}
					for i := range field.Len() {
						field.Number(i)
						field.Time(i)
						field.Text(i)
					}
				}
			}
			_, _ = a.Series()
		}
	})
}

// answering is a server that says the same to everything.
type answering []byte

func (a answering) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(a)), Request: r}, nil
}

// FuzzInventory has a Grafana tell of itself.
func FuzzInventory(f *testing.F) {
	for _, seed := range []string{
		`[{"uid":"p","name":"P","type":"prometheus","url":"http://p:9090","isDefault":true,"jsonData":{"timeInterval":"15s","httpMethod":"POST"}}]`,
		`[{"jsonData":{"timeInterval":15}}]`, `[{"jsonData":[]}]`, `{"database":"ok","version":"11.2.0"}`, `[null]`, `{"dashboard":{"uid":"u","title":3},"meta":{"folderTitle":null}}`, `<html>`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		c, err := New(Options{URL: "http://grafana:3000", Transport: answering(body)})
		if err != nil {
			t.Fatal(err)
		}
		all, err := c.Datasources(t.Context())
		if err != nil && strings.ContainsFunc(err.Error(), unicode.IsControl) {
			t.Fatalf("%q steers a terminal", err)
		}
		if err == nil && !json.Valid(body) {
			t.Fatalf("%q is a list of %d datasources", body, len(all))
		}
		if _, err := c.Dashboard(t.Context(), "u"); err != nil && strings.ContainsFunc(err.Error(), unicode.IsControl) {
			t.Fatalf("%q steers a terminal", err)
		}
	})
}

// FuzzClean makes a line of a report of whatever a server says: short, printable, and of
// a page its text alone.
func FuzzClean(f *testing.F) {
	for _, seed := range []string{
		"<!doctype html><script>alert('x')</script><style>p{}</style><p>Bad gateway", "\x1b[2J\u202eevil", " \n<", "<script", "a\xffb", "{\"message\":\"x\"}",
		strings.Repeat("é", 300), "<" + strings.Repeat("<b>", 6000), "plain < text",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := clean(text)
		switch page := strings.HasPrefix(strings.TrimSpace(text), "<"); {
		case !utf8.ValidString(got) || utf8.RuneCountInString(got) > 201:
			t.Fatalf("%q becomes %q", text, got)
		case strings.ContainsFunc(got, func(r rune) bool { return !unicode.IsPrint(r) }):
			t.Fatalf("%q becomes %q, which is not printable", text, got)
		case page && strings.Contains(got, "<"):
			t.Fatalf("%q becomes %q, which has tags", text, got)
		case !page && len(text) < 200 && strings.Join(strings.Fields(text), " ") == text && utf8.ValidString(text) &&
			!strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) && got != text:
			t.Fatalf("%q becomes %q, and nothing was wrong with it", text, got)
		}
	})
}
