// Package grafana asks a running Grafana what it made of a stack: whether it is
// up, which datasources, dashboards and panel plugins it has, and what a panel's
// queries answer through the datasource's uid. It speaks the HTTP API of Grafana
// 10 to 13; where these differ is in versions.go.
//
// It only reads. Nothing is retried: whether an answer is final is for the
// caller to know.
package grafana

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	// patience is how long one request may take, its body included, where the
	// caller's context allows no less.
	patience = 30 * time.Second
	// most is how much of an answer is read, after decompression.
	most = 256 << 20
)

// Options say which Grafana is asked, and as whom.
type Options struct {
	// URL is Grafana's base URL, the sub path it is served from included. A login
	// in it is used where no other is given.
	URL            string
	User, Password string            // basic auth
	Token          string            // a service account's token or API key; outranks User
	OrgID          int64             // the organisation to ask in; 0 is the login's own
	Transport      http.RoundTripper // nil is a transport of the client's own, like http.DefaultTransport
}

// Client asks one Grafana. It may be used from several goroutines at once.
type Client struct {
	base           string // without a slash at its end
	user, password string
	token          string
	orgID          int64
	http           *http.Client
	patience       time.Duration
	most           int64
}

// New is a client of the Grafana at o.URL. It fails where the URL or the login
// cannot be used; nothing is sent yet.
func New(o Options) (*Client, error) {
	// The error of url.Parse repeats the URL, and there may be a password in it.
	u, err := url.Parse(o.URL)
	switch {
	case err != nil:
		return nil, errors.New("the URL of Grafana cannot be read: it should be like http://localhost:3000")
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return nil, fmt.Errorf("the URL of Grafana is %q: it should be like http://localhost:3000", u.Redacted())
	case u.RawQuery != "" || u.Fragment != "":
		return nil, errors.New("the URL of Grafana has a query or a fragment: it should end with the path that Grafana is served from")
	}
	if o.User == "" && u.User != nil {
		o.User = u.User.Username()
		o.Password, _ = u.User.Password()
	}
	if o.Token == "" && strings.Contains(o.User, ":") {
		return nil, errors.New("the user has a colon in its name, which basic auth cannot say")
	}
	u.User = nil
	return &Client{
		base: strings.TrimRight(u.String(), "/"),
		user: o.User, password: o.Password, token: o.Token, orgID: o.OrgID,
		http:     &http.Client{Transport: transport(o.Transport), CheckRedirect: stayHome},
		patience: patience, most: most,
	}, nil
}

// transport keeps the client's connections apart from other people's, so that
// Close ends its own only.
func transport(given http.RoundTripper) http.RoundTripper {
	if given != nil {
		return given
	}
	if t, ok := http.DefaultTransport.(*http.Transport); ok {
		return t.Clone()
	}
	return http.DefaultTransport
}

// Close ends the connections that are kept for the next request. The client can
// still be used afterwards.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// URL is the base URL that is asked, without a login and without a slash at its end.
func (c *Client) URL() string { return c.base }
