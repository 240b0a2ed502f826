package grafana

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestNewRefusesWhatCannotBeAsked(t *testing.T) {
	for url, want := range map[string]string{
		"":                                "should be like",
		"localhost:3000":                  "should be like",
		"unix:///run/grafana.sock":        "should be like",
		"http://":                         "should be like",
		"http://admin:hunter2@%zz":        "cannot be read",
		"ftp://admin:hunter2@g:3000":      "should be like",
		"http://admin:hunter2@g/?orgId=2": "has a query",
		"http://admin:hunter2@g/#x":       "has a query or a fragment",
		"http://a%3Ab:hunter2@g":          "colon",
	} {
		_, err := New(Options{URL: url})
		require.Error(t, err, url)
		assert.Contains(t, err.Error(), want, url)
		assert.NotContains(t, err.Error(), "hunter2", url)
	}
}

func TestRequestsSayWhoAsks(t *testing.T) {
	tests := []struct {
		name      string
		options   Options
		wantLogin string
		wantOrg   string
	}{
		{name: "nobody", options: Options{}},
		{name: "basic", options: Options{User: "ada", Password: "pw"}, wantLogin: "Basic YWRhOnB3"},
		{name: "a token wins", options: Options{User: "ada", Password: "pw", Token: "tok"}, wantLogin: "Bearer tok"},
		{name: "an organisation", options: Options{OrgID: 7}, wantOrg: "7"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var login, org, path string
			c := serve(t, func(w http.ResponseWriter, r *http.Request) {
				login, org, path = r.Header.Get("Authorization"), r.Header.Get("X-Grafana-Org-Id"), r.URL.Path
				_, _ = io.WriteString(w, `{"version":"11.2.0"}`)
			})
			tt.options.URL = c.URL() + "/sub/path//"
			asked, err := New(tt.options)
			require.NoError(t, err)
			t.Cleanup(asked.Close)
			h, err := asked.Health(t.Context())
			require.NoError(t, err)
			assert.Equal(t, "11.2.0", h.Version)
			assert.Equal(t, "/sub/path/api/health", path)
			assert.Equal(t, tt.wantLogin, login)
			assert.Equal(t, tt.wantOrg, org)
		})
	}
}

func TestALoginInTheURLIsUsedAndNotShown(t *testing.T) {
	var user, password string
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		user, password, _ = r.BasicAuth()
		w.WriteHeader(http.StatusUnauthorized)
	})
	asked, err := New(Options{URL: strings.Replace(c.URL(), "http://", "http://ada:hunter2@", 1)})
	require.NoError(t, err)
	t.Cleanup(asked.Close)
	_, err = asked.Health(t.Context())
	require.Error(t, err)
	assert.Equal(t, "ada hunter2", user+" "+password)
	assert.NotContains(t, err.Error()+asked.URL(), "hunter2")
}

func TestOtherStatusesAreErrorsThatSayWhatWasAsked(t *testing.T) {
	tests := []struct {
		name   string
		answer canned
		want   string
	}{
		{"Grafana's words", canned{401, `{"message":"Invalid username or password"}`}, "GET /api/datasources: HTTP 401 Unauthorized: Invalid username or password"},
		{"no words", canned{403, ``}, "GET /api/datasources: HTTP 403 Forbidden"},
		{"another key", canned{500, `{"error":"broken\u0007"}`}, "GET /api/datasources: HTTP 500 Internal Server Error: broken"},
		{
			"a proxy's page",
			canned{502, "<html><head><style>b{}</style><title>502 Bad\n Gateway</title></head><body><script>x<y()</script><h1>nginx</h1></body></html>"},
			"GET /api/datasources: HTTP 502 Bad Gateway: 502 Bad Gateway nginx",
		},
		{"a status of its own", canned{599, `{}`}, "GET /api/datasources: HTTP 599: {}"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := fake(t, map[string]canned{"GET /api/datasources": tt.answer})
			_, err := c.Datasources(t.Context())
			status, ok := errors.AsType[*StatusError](err)
			require.True(t, ok, "%v", err)
			assert.Equal(t, tt.answer.status, status.Status)
			assert.Equal(t, tt.want, status.Error())
		})
	}
}

func TestWhatIsNoJSONIsShownFromItsBeginning(t *testing.T) {
	c := fake(t, map[string]canned{"GET /api/health": {200, "<!doctype html>\n<title>Sign&nbsp;in</title>" + strings.Repeat("ä ", 5000)}})
	_, err := c.Health(t.Context())
	require.ErrorIs(t, err, ErrNotJSON)
	assert.Contains(t, err.Error(), "HTTP 200: the answer is not JSON: Sign&nbsp;in ä ä")
	assert.Less(t, len([]rune(err.Error())), 300)

	c = fake(t, map[string]canned{"GET /api/health": {200, " "}})
	_, err = c.Health(t.Context())
	require.ErrorIs(t, err, ErrNotJSON)
	assert.ErrorContains(t, err, "it is empty")

	c = fake(t, map[string]canned{"GET /api/health": {200, `[1]`}})
	_, err = c.Health(t.Context())
	require.NotErrorIs(t, err, ErrNotJSON)
	assert.ErrorContains(t, err, "GET /api/health: read the answer")
}

func TestAnAnswerIsNotReadWithoutEnd(t *testing.T) {
	c := fake(t, map[string]canned{"GET /api/health": {200, `{"version":"` + strings.Repeat("1", 1<<20) + `"}`}})
	c.most = 1 << 20
	_, err := c.Health(t.Context())
	require.ErrorIs(t, err, ErrTooLarge)
	assert.ErrorContains(t, err, "over 1 MiB")
}

func TestARequestHasADeadline(t *testing.T) {
	c := serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	c.patience = 20 * time.Millisecond
	_, err := c.Health(t.Context())
	require.ErrorIs(t, err, context.DeadlineExceeded)
	assert.ErrorContains(t, err, "GET /api/health: no answer within 20ms")

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = c.Health(ctx)
	require.ErrorIs(t, err, context.Canceled)
	assert.NotContains(t, err.Error(), c.URL())
}

func TestASlowBodyHasADeadline(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, `{"version":`)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	c.patience = time.Second // of which the head takes a part
	_, err := c.Health(t.Context())
	require.ErrorIs(t, err, context.DeadlineExceeded)
	assert.ErrorContains(t, err, "read the answer: no answer within 1s")
}

func TestNobodyListensIsSaidWithoutTheURL(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	s.Close()
	c, err := New(Options{URL: s.URL, User: "ada", Password: "hunter2"})
	require.NoError(t, err)
	_, err = c.Health(t.Context())
	require.Error(t, err)
	assert.Contains(t, err.Error(), "GET /api/health: dial tcp")
	assert.NotContains(t, err.Error(), "hunter2")
}

func TestRedirects(t *testing.T) {
	asked := false
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
	t.Cleanup(elsewhere.Close)
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/api/health":
			http.Redirect(w, r, "/grafana/api/health", http.StatusMovedPermanently)
		case "/grafana/api/health":
			_, _ = io.WriteString(w, `{"database":"ok"}`)
		case "/api/ds/query":
			http.Redirect(w, r, "/grafana/api/ds/query", http.StatusFound)
		default:
			http.Redirect(w, r, elsewhere.URL+"/login?state=secret", http.StatusFound)
		}
	})
	h, err := c.Health(t.Context())
	require.NoError(t, err, "on the same host it is followed")
	assert.Equal(t, "ok", h.Database)

	_, err = c.Datasources(t.Context())
	status, ok := errors.AsType[*StatusError](err)
	require.True(t, ok, "%v", err)
	assert.Equal(t, http.StatusFound, status.Status)
	assert.Equal(t, "it redirects to "+elsewhere.URL+"/login", status.Message)
	assert.False(t, asked, "the login stays home")

	_, err = c.Query(t.Context(), Request{Queries: []Query{{RefID: "A"}}})
	assert.ErrorContains(t, err, "POST /api/ds/query: HTTP 302 Found: it redirects to", "a query does not become a GET")
}

func TestAServerThatStumblesIsAskedAgain(t *testing.T) {
	for name, tt := range map[string]struct {
		answers []int
		asked   int
		want    int // the status that is told, 0 for an answer
	}{
		"once":              {answers: []int{500, 200}, asked: 2},
		"twice":             {answers: []int{503, 502, 200}, asked: 3},
		"for good":          {answers: []int{500, 500, 500, 200}, asked: 3, want: 500},
		"not, but it is no": {answers: []int{404, 200}, asked: 1, want: 404},
	} {
		t.Run(name, func(t *testing.T) {
			asked := 0
			c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(tt.answers[asked])
				asked++
				_, _ = io.WriteString(w, "[]")
			})
			_, err := c.Datasources(t.Context())
			assert.Equal(t, tt.asked, asked)
			if tt.want == 0 {
				require.NoError(t, err)
				return
			}
			var status *StatusError
			require.ErrorAs(t, err, &status)
			assert.Equal(t, tt.want, status.Status)
		})
	}
}

func TestNobodyWaitsForAServerThatStumblesAfterTheEnd(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusInternalServerError)
		cancel(errors.New("that was all the time"))
	})
	_, err := c.Datasources(ctx)
	assert.ErrorContains(t, err, "that was all the time")
}
