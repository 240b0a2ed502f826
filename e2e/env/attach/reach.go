package attach

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"unicode"

	"github.com/panelgate/panelgate/e2e/grafana"
)

// probe asks a Prometheus API the question of Grafana's health check. A server that
// answers as it should is one, whatever else it can do.
func probe(ctx context.Context, rt http.RoundTripper, base string) error {
	const path = "/api/v1/query"
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+path+"?query="+url.QueryEscape("1+1"), http.NoBody)
	if err != nil {
		return err
	}
	if err := probeBy(rt, req); err != nil {
		return fmt.Errorf("GET %s: %w", path, err)
	}
	return nil
}

func probeBy(rt http.RoundTripper, req *http.Request) error {
	const most = 64 << 10
	resp, err := rt.RoundTrip(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }() // read to its end, or given up
	body, err := io.ReadAll(io.LimitReader(resp.Body, most))
	if err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	var answer struct{ Status string }
	switch shape := json.Unmarshal(body, &answer); {
	case resp.StatusCode/100 != 2:
		return &statusError{status: resp.StatusCode, body: string(body)}
	case !json.Valid(body):
		return fmt.Errorf("%w: %s", errNotJSON, snippet(string(body)))
	case shape != nil, answer.Status != "success":
		return fmt.Errorf("%w: %s", errNoAPI, snippet(string(body)))
	}
	return nil
}

var (
	errNotJSON = errors.New("the answer is not JSON")
	errNoAPI   = errors.New("the answer is not one of Prometheus' API")
)

// statusError is an answer with another status than was asked for.
type statusError struct {
	status int
	body   string
}

func (e *statusError) Error() string {
	text := fmt.Sprintf("HTTP %d %s", e.status, http.StatusText(e.status))
	if said := snippet(e.body); said != "" {
		text += ": " + said
	}
	return text
}

// byGrafana says whether Grafana itself refuses what it was asked, rather than the
// server behind a datasource of it.
func (e *statusError) byGrafana() bool {
	var said struct {
		Message, AccessErrorID, MessageID string
	}
	if json.Unmarshal([]byte(e.body), &said) != nil {
		return false
	}
	switch e.status {
	case http.StatusUnauthorized:
		return said.Message != ""
	case http.StatusForbidden:
		return said.AccessErrorID != "" || strings.Contains(said.Message, "ermission")
	}
	return false
}

// snippet is the beginning of a foreign text, fit for a line of a report.
func snippet(s string) string {
	const longest = 160
	s = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return ' '
		}
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	runes := []rune(strings.Join(strings.Fields(s), " "))
	if len(runes) > longest {
		return string(runes[:longest]) + "…"
	}
	return string(runes)
}

// server is one of the two, as errors speak of it.
type server struct {
	title, flag, env string
	base             string
	login            Login
}

// unreached says of an error what was asked, as whom, and what helps.
func (s server) unreached(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	out := fmt.Errorf("%s at %s: %w", s.title, s.base, bare(err))
	if fix := s.remedy(err); fix != "" {
		out = fmt.Errorf("%w: %s", out, fix)
	}
	return out
}

// bare is an error without the url that net/http puts before it, which is long and
// says nothing that is not said already.
func bare(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}

func (s server) remedy(err error) string {
	if status := statusOf(err); status != 0 {
		return s.remedyOf(status)
	}
	var (
		redirect  *redirectError
		authority x509.UnknownAuthorityError
		names     x509.HostnameError
		invalid   x509.CertificateInvalidError
		noTLS     tls.RecordHeaderError
	)
	switch {
	case errors.As(err, &redirect):
		return s.elsewhere()
	case errors.As(err, &authority):
		return "trust the authority that signed its certificate with --ca-file FILE"
	case errors.As(err, &names):
		return fmt.Sprintf("write %s with a name that the certificate is for", s.flag)
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired: // or not valid yet
		return "renew its certificate, or set this machine's clock right"
	case errors.As(err, &invalid):
		return "give it a certificate that is fit for a server"
	case errors.Is(err, http.ErrSchemeMismatch), errors.As(err, &noTLS):
		return fmt.Sprintf("it speaks no TLS: write %s http://…", s.flag)
	case errors.Is(err, errNotJSON), errors.Is(err, grafana.ErrNotJSON), errors.Is(err, errNoAPI):
		return fmt.Sprintf("a page of something in front of it, or a url that is not its API's: check %s", s.flag)
	}
	return fmt.Sprintf("is it up, and is %s the url by which it is reached from here?", s.flag)
}

func statusOf(err error) int {
	var own *statusError
	var theirs *grafana.StatusError
	switch {
	case errors.As(err, &own):
		return own.status
	case errors.As(err, &theirs):
		return theirs.Status
	}
	return 0
}

func (s server) remedyOf(status int) string {
	switch {
	case status == http.StatusUnauthorized && s.login == Login{}:
		return fmt.Sprintf("it wants a login: set %s_TOKEN, or %s_USER and %s_PASSWORD, or the _FILE of each", s.env, s.env, s.env)
	case status == http.StatusUnauthorized:
		return fmt.Sprintf("it does not take %s: set one that is valid and has not expired", s.who())
	case status == http.StatusForbidden && s.title == "Grafana":
		return fmt.Sprintf("%s lacks a permission: give its service account datasources:read, datasources:query and dashboards:read, which the role Admin has", s.who())
	case status == http.StatusForbidden:
		return fmt.Sprintf("%s may not ask queries: allow it to read, or use another login", s.who())
	case status == http.StatusProxyAuthRequired:
		return "the proxy wants a login: set HTTPS_PROXY and HTTP_PROXY with one, in the environment and without --proxy"
	case status == http.StatusNotFound && s.title == "Prometheus":
		return fmt.Sprintf("there is no Prometheus API below that url: Mimir has it below /prometheus, a VictoriaMetrics cluster below /select/0/prometheus, others below their own prefix: check %s", s.flag)
	case status == http.StatusNotFound:
		return fmt.Sprintf("there is no Grafana below that url: write %s with the path that it is served from", s.flag)
	case status/100 == 3:
		return s.elsewhere()
	}
	return ""
}

func (s server) elsewhere() string {
	return fmt.Sprintf("redirects are not followed, as a login would go along: write %s with the url that it leads to, and if that is a login page, one behind it that takes %s_TOKEN", s.flag, s.env)
}

// who asks, by where the login comes from.
func (s server) who() string {
	switch {
	case s.login.Token != "":
		return "the token of " + s.env + "_TOKEN"
	case s.login.User != "":
		return "the login of " + s.env + "_USER"
	}
	return "a visitor without a login"
}
