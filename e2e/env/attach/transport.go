package attach

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
)

// Login is how a server is told who asks. The zero Login is nobody.
type Login struct {
	Token          string // bearer; wins
	User, Password string
}

// hint says where a login comes from, for errors.
func (l Login) hint(server string) string {
	name := "PANELGATE_" + server
	switch {
	case l.Token != "":
		return "with the token of " + name + "_TOKEN"
	case l.User != "":
		return "with the login of " + name + "_USER"
	}
	return "without a login: " + name + "_TOKEN, or " + name + "_USER and " + name + "_PASSWORD, give one"
}

// transport is the way to a server: bounded, by the given authorities and proxy,
// and for reading only.
func (e *Env) transport(opts Options) (http.RoundTripper, error) {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = 8
	if opts.Proxy != "" {
		u, err := url.Parse(opts.Proxy)
		if err != nil || u.Host == "" {
			return nil, fmt.Errorf("--proxy %q: want a url such as http://proxy:3128", opts.Proxy)
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
	e.idle = append(e.idle, t.CloseIdleConnections)
	return &readOnly{t}, nil
}

// readOnly lets nothing through that could change a server: GET and HEAD, and those
// POSTs that are questions too long for a url.
type readOnly struct{ base http.RoundTripper }

// questions are the paths that are asked by POST.
var questions = regexp.MustCompile(`/api/ds/query$|/api/v1/(?:query|query_range|query_exemplars|series|labels|format_query)$`)

// RoundTrip implements http.RoundTripper.
func (r *readOnly) RoundTrip(req *http.Request) (*http.Response, error) {
	switch req.Method {
	case http.MethodGet, http.MethodHead:
	case http.MethodPost:
		if !questions.MatchString(req.URL.Path) {
			return nil, fmt.Errorf("panelgate only reads: POST %s is refused before it is sent", req.URL.Path)
		}
	default:
		return nil, fmt.Errorf("panelgate only reads: %s %s is refused before it is sent", req.Method, req.URL.Path)
	}
	return r.base.RoundTrip(req)
}

// loggedIn adds a login and headers to each request.
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
	switch {
	case l.login.Token != "":
		req.Header.Set("Authorization", "Bearer "+l.login.Token)
	case l.login.User != "":
		req.SetBasicAuth(l.login.User, l.login.Password)
	}
	return l.base.RoundTrip(req)
}

func orgHeader(id int64) http.Header {
	h := http.Header{}
	if id != 0 {
		h.Set("X-Grafana-Org-Id", strconv.FormatInt(id, 10))
	}
	return h
}

// byServer sends requests to one server with its login, and the rest with another:
// a token is shown to nobody but the server it is for.
type byServer struct {
	prefix        string
	server, other http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (b *byServer) RoundTrip(req *http.Request) (*http.Response, error) {
	if strings.HasPrefix(req.URL.String(), b.prefix+"/") {
		return b.server.RoundTrip(req)
	}
	return b.other.RoundTrip(req)
}
