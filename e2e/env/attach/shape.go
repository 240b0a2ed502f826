package attach

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/panelgate/panelgate/e2e/env"
)

// failed says why an answer is none: its status is that of a server or of something in
// front of it that is not well, or its body is not what it should be. uid is the datasource
// behind Grafana that is to blame, "" where it is the server that was asked.
//
// What a server says of the question is an answer, as that a query does not parse or takes
// too long, and so is what other servers than Prometheus say that lack a part of its API.
func (a asked) failed(resp *http.Response, body []byte) (uid string, err error) {
	status := resp.StatusCode
	switch {
	case status == http.StatusOK, status == http.StatusMultiStatus:
		return a.misshapen(status, body)
	case status/100 == 3:
		return "", a.astray(resp)
	case a.optional() && status != http.StatusTooManyRequests && (status/100 != 5 || status == http.StatusNotImplemented):
		return "", nil
	case a.ofQuestion(status, body):
		if a.isGrafanaQuery() {
			return a.misshapen(status, body)
		}
		return "", nil
	case status/100 == 5, status == http.StatusTooManyRequests, status == http.StatusUnauthorized, status == http.StatusForbidden:
		refused := &statusError{status: status, body: string(body)}
		if !refused.byGrafana() {
			uid = a.proxied()
		}
		return uid, refused
	}
	return "", nil
}

// optional says whether others than Prometheus and an administrator's Grafana need not answer.
func (a asked) optional() bool {
	p := a.req.URL.Path
	return strings.HasSuffix(p, "/api/frontend/settings") || strings.HasSuffix(p, "/api/plugins") ||
		strings.Contains(p, "/api/v1/") && slices.Contains([]string{"targets", "metadata", "rules", "alerts", "buildinfo"}, path.Base(p))
}

func (a asked) isGrafanaQuery() bool { return strings.HasSuffix(a.req.URL.Path, "/api/ds/query") }

func (a asked) isHealth() bool {
	return strings.HasSuffix(a.req.URL.Path, "/health") && a.after("/api/datasources/uid/") != ""
}

// ofQuestion says whether a status that is not 200 is about what was asked.
func (a asked) ofQuestion(status int, body []byte) bool {
	var said struct {
		ErrorType, MessageID, Message string
		Results                       map[string]json.RawMessage
	}
	if json.Unmarshal(body, &said) != nil {
		return false
	}
	switch {
	case a.isGrafanaQuery():
		// Expressions that cannot be computed are 500 in Grafana 10, and so is what a
		// plugin panics over.
		return len(said.Results) > 0 || status == http.StatusInternalServerError && said.Message != "" &&
			(strings.HasPrefix(said.MessageID, "plugin.") || bytes.Contains(a.body, []byte("__expr__")))
	case a.isHealth():
		return status == http.StatusInternalServerError || status == http.StatusBadRequest
	}
	return slices.Contains([]string{"bad_data", "execution", "timeout", "canceled", "not_found", "too_many_samples"}, said.ErrorType)
}

// astray says of a redirect that it is not followed, nil of one that the client may follow.
func (a asked) astray(resp *http.Response) error {
	to, err := resp.Location()
	if err != nil {
		return &statusError{status: resp.StatusCode}
	}
	const most = 5
	for n, from := 0, a.req; from.Response != nil && from.Response.Request != nil; from = from.Response.Request {
		if n++; n >= most {
			return &redirectError{shown(to)}
		}
	}
	if a.req.Method != http.MethodPost && to.Host == a.req.URL.Host && to.Scheme == a.req.URL.Scheme {
		return nil
	}
	return &redirectError{shown(to)}
}

// shown is a url without its query, which may carry a login's state.
func shown(u *url.URL) string {
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

// pathOf is the path of a url that has been read before.
func pathOf(base string) string {
	u, err := url.Parse(base)
	if err != nil {
		return ""
	}
	return u.Path
}

// misshapen says what is wrong with an answer that is one by its status.
func (a asked) misshapen(status int, body []byte) (uid string, err error) {
	p := a.req.URL.Path
	switch {
	case strings.HasSuffix(p, "/api/v1/targets"), !strings.Contains(p, "/api/"), a.isHealth() && status != http.StatusOK:
		return "", nil // whoever asks makes of it what it can
	case !json.Valid(body):
		return "", fmt.Errorf("%w: %s", errNotJSON, snippet(string(body)))
	case a.isGrafanaQuery():
		return a.incomplete(body)
	case strings.Contains(p, "/api/v1/"):
		return "", ofPrometheus(p, body)
	}
	return "", ofGrafana(p, body)
}

// ofPrometheus says why an answer is none of Prometheus' API.
func ofPrometheus(p string, body []byte) error {
	var answer struct {
		Status string
		Data   json.RawMessage
	}
	wrong := fmt.Errorf("%w: %s", errNoAPI, snippet(string(body)))
	if json.Unmarshal(body, &answer) != nil || answer.Status != "success" || answer.Data == nil {
		return wrong
	}
	kind := answer.Data[0]
	switch path.Base(p) {
	case "query", "query_range":
		var data struct{ ResultType string }
		if json.Unmarshal(answer.Data, &data) != nil || !slices.Contains([]string{"matrix", "vector", "scalar", "string"}, data.ResultType) {
			return wrong
		}
	case "series", "labels", "values":
		if kind != '[' {
			return wrong
		}
	case "metadata", "rules":
		if kind != '{' && kind != 'n' {
			return wrong
		}
	}
	return nil
}

var errNoGrafana = errors.New("the answer is not one of Grafana's API")

// ofGrafana says why an answer is none of Grafana's API.
func ofGrafana(p string, body []byte) error {
	starts := func(json []byte, with string) bool { return bytes.HasPrefix(bytes.TrimSpace(json), []byte(with)) }
	has := func(key string) bool {
		var object map[string]json.RawMessage
		return json.Unmarshal(body, &object) == nil && starts(object[key], "{")
	}
	ok := true
	switch {
	case strings.HasSuffix(p, "/health"):
		ok = starts(body, "{")
	case strings.HasSuffix(p, "/api/datasources"), strings.HasSuffix(p, "/api/search"), strings.HasSuffix(p, "/api/plugins"):
		ok = starts(body, "[")
	case strings.Contains(p, "/api/dashboards/uid/"):
		ok = has("dashboard") && has("meta")
	case strings.HasSuffix(p, "/api/frontend/settings"):
		ok = has("panels")
	}
	if !ok {
		return fmt.Errorf("%w: %s", errNoGrafana, snippet(string(body)))
	}
	return nil
}

// incomplete says which of the queries that a panel has put to Grafana has no answer, or
// was not taken to the datasource's server.
func (a asked) incomplete(body []byte) (uid string, err error) {
	var answer struct {
		Results map[string]*struct {
			Error  string
			Status int
		}
	}
	wanted, err := a.queries()
	if err != nil {
		return "", err
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return "", fmt.Errorf("%w: %s", errNoGrafana, snippet(string(body)))
	}
	for _, q := range wanted {
		got := answer.Results[q.RefID]
		switch {
		case got == nil && bytes.Contains(a.body, []byte("__expr__")) && len(answer.Results) > 0:
			// of what an expression is fed with, its own answer tells
		case got == nil:
			return "", fmt.Errorf("%w: it has nothing for query %s", errPartial, q.RefID)
		case got.Status == http.StatusTooManyRequests, env.Unreachable(errors.New(got.Error)) != "":
			return q.Datasource.UID, fmt.Errorf("query %s: %s", q.RefID, snippet(got.Error))
		}
	}
	return "", nil
}
