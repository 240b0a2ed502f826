package grafana

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// ErrElsewhere is what comes of a request that is not for this Grafana.
var ErrElsewhere = errors.New("it is not asked: it is another server than the Grafana that was named")

// Relay passes on a request of Grafana's own front end, with the client's login in
// place of any other. A request of anything else than this Grafana is refused: nobody
// else is to see the login. An answer is one whatever its status, and a redirect is
// not followed.
func (c *Client) Relay(req *http.Request) (*http.Response, error) {
	if !c.below(req.URL) {
		return nil, fmt.Errorf("%s: %w", req.URL.Host, ErrElsewhere)
	}
	req = req.Clone(req.Context())
	req.Header.Del("Authorization")
	req.Header.Del("Cookie")
	c.introduce(req)
	resp, err := c.http.Transport.RoundTrip(req)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", req.Method, req.URL.Path, reason(req.Context(), err))
	}
	return resp, nil
}

// below says whether a URL is that of this Grafana or of something in it.
func (c *Client) below(u *url.URL) bool {
	plain := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}
	path := plain.String()
	return u.User == nil && (path == c.base || strings.HasPrefix(path, c.base+"/")) && !strings.Contains(u.Path, "/../")
}

// introduce says who asks.
func (c *Client) introduce(req *http.Request) {
	switch {
	case c.token != "":
		req.Header.Set("Authorization", "Bearer "+c.token)
	case c.user != "":
		req.SetBasicAuth(c.user, c.password)
	}
	if c.orgID != 0 {
		req.Header.Set("X-Grafana-Org-Id", strconv.FormatInt(c.orgID, 10))
	}
}
