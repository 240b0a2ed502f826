package attach

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/panelgate/panelgate/e2e/env"
)

// Login is how a server is told who asks. The zero Login is nobody.
type Login struct {
	Token          string // bearer; wins
	User, Password string
}

// String keeps a login out of logs.
func (l Login) String() string {
	switch {
	case l.Token != "":
		return "a token"
	case l.User != "":
		return "user " + l.User
	}
	return "nobody"
}

// GoString keeps a login out of logs.
func (l Login) GoString() string { return l.String() }

// validate says what no server could be told.
func (l Login) validate(server string) error {
	name := "PANELGATE_" + strings.ToUpper(server)
	switch {
	case strings.ContainsFunc(l.Token, func(r rune) bool { return r <= ' ' || r == 0x7f }):
		return fmt.Errorf("%s_TOKEN has a blank or a line break in it: a token is one word", name)
	case l.Token == "" && strings.Contains(l.User, ":"):
		return fmt.Errorf("%s_USER has a colon in it, which basic auth cannot say", name)
	case l.Token == "" && l.User == "" && l.Password != "":
		return fmt.Errorf("%s_PASSWORD is set, %s_USER is not", name, name)
	case l.Token == "" && l.User != "" && l.Password == "":
		return fmt.Errorf("%s_USER is set, %s_PASSWORD is not", name, name)
	}
	return nil
}

// transport is the way to the servers: by the given authorities and proxy.
func transport(opts Options) (*http.Transport, error) {
	const connections = 8
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = connections
	if opts.Proxy != "" {
		u, err := proxyURL(opts.Proxy)
		if err != nil {
			return nil, err
		}
		t.Proxy = http.ProxyURL(u)
	}
	if opts.CAFile != "" {
		pool, err := x509.SystemCertPool()
		if err != nil {
			return nil, fmt.Errorf("read the system's certificate authorities: %w", err)
		}
		pem, err := os.ReadFile(opts.CAFile)
		if err != nil {
			return nil, fmt.Errorf("read --ca-file: %w", err)
		}
		if !pool.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("--ca-file %s: there is no PEM certificate in it", opts.CAFile)
		}
		t.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	return t, nil
}

// proxyURL reads --proxy, and does not repeat one that may have a password in it.
func proxyURL(text string) (*url.URL, error) {
	if text == "" {
		return nil, nil
	}
	u, err := url.Parse(text)
	switch {
	case strings.Contains(text, "@"):
		return nil, errors.New("--proxy: a login in the url would be seen by everybody on this machine: set HTTPS_PROXY and HTTP_PROXY in the environment instead")
	case err != nil || u.Host == "" || !slices.Contains([]string{"http", "https", "socks5", "socks5h"}, u.Scheme):
		return nil, fmt.Errorf("--proxy %q: want a url such as http://proxy:3128", text)
	}
	return u, nil
}

// readOnly lets nothing through that could change a server: GET and HEAD, and those
// POSTs that are questions too long for a url.
type readOnly struct{ base http.RoundTripper }

// questions are the paths that are asked by POST.
var questions = regexp.MustCompile(`/api/ds/query$|/api/v1/(?:query|query_range|query_exemplars|series|labels|format_query)$`)

// RoundTrip implements http.RoundTripper.
func (r *readOnly) RoundTrip(req *http.Request) (*http.Response, error) {
	switch {
	case req.Method == http.MethodGet, req.Method == http.MethodHead:
	case req.Method == http.MethodPost && questions.MatchString(req.URL.Path):
	default:
		return refuse(req, fmt.Errorf("panelgate only reads: %s %s is refused before it is sent", req.Method, req.URL.Path))
	}
	return r.base.RoundTrip(req)
}

// steady asks again where an answer breaks off on its way, as it does now and then
// behind a chain of proxies, and where a server says when it is to be asked again: what
// only reads may be asked twice.
type steady struct{ base http.RoundTripper }

const (
	// attempts is how often a question is put at the most.
	attempts = 3
	// mostWait is how long a server's Retry-After is waited for: of more than that the
	// reader is better told.
	mostWait = 10 * time.Second
	// most is how much of an answer is read.
	most = 256 << 20
)

// RoundTrip implements http.RoundTripper.
func (s *steady) RoundTrip(req *http.Request) (*http.Response, error) {
	for attempt := 1; ; attempt++ {
		resp, err := s.whole(req)
		wait, again := retryAfter(resp, time.Now())
		if err != nil {
			again = brokenOff(err)
		}
		if !again || attempt == attempts || req.Context().Err() != nil {
			return resp, err
		}
		if err := pause(req.Context(), wait); err != nil {
			return nil, err
		}
		if req.Body == nil || req.Body == http.NoBody {
			continue
		}
		if req.GetBody == nil {
			return resp, err
		}
		body, bodyErr := req.GetBody()
		if bodyErr != nil {
			return nil, errors.Join(err, bodyErr)
		}
		req = req.Clone(req.Context())
		req.Body = body
	}
}

// retryAfter is how long a server that is asked too much wants to be left alone, false
// where it does not say so, or longer than anybody waits.
func retryAfter(resp *http.Response, now time.Time) (time.Duration, bool) {
	if resp == nil || resp.StatusCode != http.StatusTooManyRequests && resp.StatusCode != http.StatusServiceUnavailable {
		return 0, false
	}
	text := resp.Header.Get("Retry-After")
	wait := mostWait + 1
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		wait = time.Duration(seconds) * time.Second
	} else if at, err := http.ParseTime(text); err == nil {
		wait = max(at.Sub(now), 0)
	}
	return wait, wait <= mostWait
}

// pause waits, unless the context ends first.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// whole is an answer with all of its body read.
func (s *steady) whole(req *http.Request) (*http.Response, error) {
	resp, err := s.base.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	body, err := env.ReadAtMost(resp.Body, most)
	_ = resp.Body.Close() // it is read, or of no use
	if err != nil {
		return nil, err
	}
	if err := complete(req, resp.StatusCode, body); err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

func brokenOff(err error) bool {
	return errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) ||
		errors.Is(err, syscall.EPIPE) || errors.Is(err, net.ErrClosed)
}

// refuse ends a request that is not sent, as a RoundTripper has to.
func refuse(req *http.Request, err error) (*http.Response, error) {
	if req.Body != nil {
		err = errors.Join(err, req.Body.Close())
	}
	return nil, err
}

// loggedIn adds a login and headers to each request, and follows no redirect: the
// login would go along, and a POST would lose its question.
type loggedIn struct {
	base    http.RoundTripper
	login   Login
	headers http.Header
}

// RoundTrip implements http.RoundTripper.
func (l *loggedIn) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	for name, values := range l.headers {
		req.Header[name] = values
	}
	req.Header.Set("User-Agent", "panelgate")
	switch {
	case l.login.Token != "":
		req.Header.Set("Authorization", "Bearer "+l.login.Token)
	case l.login.User != "":
		req.SetBasicAuth(l.login.User, l.login.Password)
	}
	resp, err := l.base.RoundTrip(req)
	if err != nil || resp.StatusCode/100 != 3 {
		return resp, err
	}
	to, err := resp.Location()
	if err != nil {
		return resp, nil //nolint:nilerr // a redirect to nowhere is a status like any other
	}
	return nil, errors.Join(&redirectError{shown(to)}, resp.Body.Close())
}

// redirectError is an answer that leads elsewhere.
type redirectError struct{ to string }

func (e *redirectError) Error() string { return "it redirects to " + e.to }

func orgHeader(id int64) http.Header {
	h := http.Header{}
	if id != 0 {
		h.Set("X-Grafana-Org-Id", strconv.FormatInt(id, 10))
	}
	return h
}

// servers are the ways to the servers by their base urls. A login is shown to
// nobody but the server that it is for, and requests elsewhere are refused.
type servers []way

type way struct {
	base string // without a slash at its end
	rt   http.RoundTripper
}

// add keeps the longest base first: one server may lie below the other.
func (s *servers) add(base string, rt http.RoundTripper) {
	*s = append(*s, way{base, rt})
	slices.SortStableFunc(*s, func(a, b way) int { return cmp.Compare(len(b.base), len(a.base)) })
}

// RoundTrip implements http.RoundTripper.
func (s *servers) RoundTrip(req *http.Request) (*http.Response, error) {
	plain := *req.URL
	plain.RawQuery, plain.Fragment, plain.User = "", "", nil
	for _, w := range *s {
		if strings.HasPrefix(plain.String(), w.base+"/") {
			return w.rt.RoundTrip(req)
		}
	}
	return refuse(req, fmt.Errorf("%s is none of the servers that were named: it is not asked", plain.Host))
}
