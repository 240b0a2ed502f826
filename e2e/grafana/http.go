package grafana

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// reply is an answer of whatever status, read to its end.
type reply struct {
	method, path string
	status       int
	location     string // where to, of a redirect that was not followed
	body         []byte
}

// get asks for path and reads the answer into v, again where the server stumbles. Any
// status but 200 is a StatusError.
func (c *Client) get(ctx context.Context, path string, query url.Values, v any) error {
	err := c.getOnce(ctx, path, query, v)
	for _, pause := range []time.Duration{250 * time.Millisecond, time.Second} {
		if refused, ok := errors.AsType[*StatusError](err); !ok || !stumbled(refused.Status) {
			break
		}
		if cut := rest(ctx, pause); cut != nil {
			return fmt.Errorf("%w (%w)", err, cut)
		}
		err = c.getOnce(ctx, path, query, v)
	}
	return err
}

func (c *Client) getOnce(ctx context.Context, path string, query url.Values, v any) error {
	r, err := c.send(ctx, http.MethodGet, path, query, nil)
	if err != nil {
		return err
	}
	if r.status != http.StatusOK {
		return r.refused()
	}
	return r.decode(v)
}

// stumbled says whether a status is that of a server which may do better when it is
// asked again. A Grafana that is still writing what it was provisioned with, on a machine
// that is short of time, finds its SQLite locked and says no more than 500.
func stumbled(status int) bool {
	switch status {
	case http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// rest waits, unless the context ends first.
func rest(ctx context.Context, pause time.Duration) error {
	t := time.NewTimer(pause)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// send makes one request. An answer is one whatever its status; an error is
// where there is none, or one that cannot be read to its end.
func (c *Client) send(ctx context.Context, method, path string, query url.Values, body []byte) (reply, error) {
	slow := fmt.Errorf("no answer within %s: %w", c.patience, context.DeadlineExceeded)
	ctx, cancel := context.WithTimeoutCause(ctx, c.patience, slow)
	defer cancel()
	req, err := c.request(ctx, method, path, query, body)
	if err != nil {
		return reply{}, fmt.Errorf("%s %s: %w", method, path, err)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return reply{}, fmt.Errorf("%s %s: %w", method, path, reason(ctx, err))
	}
	defer func() { _ = resp.Body.Close() }() // read to its end, or given up
	r := reply{method: method, path: path, status: resp.StatusCode}
	if to, err := resp.Location(); err == nil && resp.StatusCode/100 == 3 {
		// Its query may carry a login's state.
		r.location = (&url.URL{Scheme: to.Scheme, Host: to.Host, Path: to.Path}).String()
	}
	if r.body, err = io.ReadAll(io.LimitReader(resp.Body, c.most+1)); err != nil {
		return reply{}, fmt.Errorf("%s %s: read the answer: %w", method, path, reason(ctx, err))
	}
	if int64(len(r.body)) > c.most {
		return reply{}, fmt.Errorf("%s %s: %w: over %d MiB", method, path, ErrTooLarge, c.most>>20)
	}
	return r, nil
}

// reason is why a request failed, without the URL that net/http puts before it:
// the caller names the path, and a base URL is not for every log.
func reason(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}

func (c *Client) request(ctx context.Context, method, path string, query url.Values, body []byte) (*http.Request, error) {
	target := c.base + path
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, target, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "panelgate")
	c.introduce(req)
	return req, nil
}

// stayHome follows a redirect only where the login may go along and the question
// stays the same: on the same host, not from https to http, and not from POST to
// GET. Any other is an answer, and not the one that was asked for.
func stayHome(next *http.Request, via []*http.Request) error {
	first := via[0]
	downgraded := first.URL.Scheme == "https" && next.URL.Scheme != "https"
	if next.URL.Host != first.URL.Host || downgraded || next.Method != first.Method || len(via) > 5 {
		return http.ErrUseLastResponse
	}
	return nil
}

// decode reads a reply's JSON.
func (r reply) decode(v any) error {
	err := json.Unmarshal(r.body, v)
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*json.SyntaxError](err); !ok {
		return fmt.Errorf("%s %s: read the answer: %w", r.method, r.path, err)
	}
	if len(bytes.TrimSpace(r.body)) == 0 {
		return fmt.Errorf("%s %s: HTTP %d: %w: it is empty", r.method, r.path, r.status, ErrNotJSON)
	}
	return fmt.Errorf("%s %s: HTTP %d: %w: %s", r.method, r.path, r.status, ErrNotJSON, clean(string(r.body)))
}

// segment is a uid as an element of a path. Grafana has no uid that a server
// would take for the directory above.
func segment(uid string) (string, error) {
	if uid == "" || uid == "." || uid == ".." {
		return "", fmt.Errorf("%q is no uid", uid)
	}
	return url.PathEscape(uid), nil
}
