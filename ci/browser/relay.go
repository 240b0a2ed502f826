package browser

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/textproto"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/chromedp/cdproto/fetch"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/panelgate/panelgate/e2e/env"
)

// traffic is what a page has asked for and not been answered.
type traffic struct {
	under sync.WaitGroup

	mu      sync.Mutex
	pending int
	last    time.Time // that something began or ended
	closed  bool
}

// do answers a request on its way, unless the page is being closed.
func (t *traffic) do(answer func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return
	}
	t.pending++
	t.last = time.Now()
	t.under.Go(func() {
		answer()
		t.mu.Lock()
		defer t.mu.Unlock()
		t.pending--
		t.last = time.Now()
	})
}

// close waits for what is under way, and has nothing more begin.
func (t *traffic) close() {
	t.mu.Lock()
	t.closed = true
	t.mu.Unlock()
	t.under.Wait()
}

// idle says whether nothing has been under way for a while, which begins at the moment
// from which on the page had reason to ask.
func (t *traffic) idle(from time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.last.After(from) {
		from = t.last
	}
	return t.pending == 0 && time.Since(from) >= idleTime
}

// intercept has every request of the page handed over before it leaves the browser.
func (t *tab) intercept() chromedp.Action {
	return chromedp.ActionFunc(func(ctx context.Context) error {
		if t.Relay == nil {
			return nil
		}
		return fetch.Enable().Do(ctx)
	})
}

// relay takes in the events of requests.
func (t *tab) relay(event any) {
	paused, ok := event.(*fetch.EventRequestPaused)
	if !ok {
		return
	}
	t.traffic.do(func() {
		ctx := t.executor()
		answer, err := t.answer(ctx, paused)
		if err != nil {
			// The page learns that it failed, as it would of a broken network, and what
			// that means to it shows in the picture.
			_ = fetch.FailRequest(paused.RequestID, network.ErrorReasonFailed).Do(ctx)
			return
		}
		_ = answer.Do(ctx) // fails only where the page is gone
	})
}

// answer puts one request to who relays it.
func (t *tab) answer(ctx context.Context, paused *fetch.EventRequestPaused) (*fetch.FulfillRequestParams, error) {
	req, err := request(ctx, paused)
	if err != nil {
		return nil, err
	}
	resp, err := t.Relay(req)
	if err != nil {
		return nil, err
	}
	body, err := env.ReadAtMost(resp.Body, mostRelayed)
	if closeErr := resp.Body.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return nil, fmt.Errorf("relay %s: %w", req.URL.Path, err)
	}
	return fetch.FulfillRequest(paused.RequestID, int64(resp.StatusCode)).
		WithResponseHeaders(responseHeaders(resp.Header)).WithBody(base64.StdEncoding.EncodeToString(body)), nil
}

// mostRelayed is how much of an answer the page is given: the browser gets it in one piece,
// and written in base64.
const mostRelayed = 64 << 20

// ours are headers that are between this process and the server, by their canonical
// names, or between the browser and this process.
func ours() []string {
	return []string{
		"Accept-Encoding", "Authorization", "Connection", "Content-Encoding", "Content-Length", "Cookie", "Host", "Keep-Alive",
		"Proxy-Authorization", "Set-Cookie", "Transfer-Encoding", "Upgrade",
	}
}

// request is that of the page.
func request(ctx context.Context, paused *fetch.EventRequestPaused) (*http.Request, error) {
	body, err := postData(ctx, paused)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, paused.Request.Method, paused.Request.URL, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if len(body) == 0 {
		req.Body, req.GetBody = http.NoBody, nil
	}
	for name, value := range paused.Request.Headers {
		text, ok := value.(string)
		if ok && !slices.Contains(ours(), textproto.CanonicalMIMEHeaderKey(name)) {
			req.Header.Set(name, text)
		}
	}
	return req, nil
}

func postData(ctx context.Context, paused *fetch.EventRequestPaused) ([]byte, error) {
	if !paused.Request.HasPostData {
		return nil, nil
	}
	if len(paused.Request.PostDataEntries) == 0 { // too long for the event
		data, err := network.GetRequestPostData(paused.NetworkID).Do(ctx)
		if err != nil {
			return nil, fmt.Errorf("read what the page sends to %s: %w", paused.Request.URL, err)
		}
		return []byte(data), nil
	}
	var out []byte
	for _, part := range paused.Request.PostDataEntries {
		data, err := base64.StdEncoding.DecodeString(part.Bytes)
		if err != nil {
			return nil, fmt.Errorf("read what the page sends to %s: %w", paused.Request.URL, err)
		}
		out = append(out, data...)
	}
	return out, nil
}

func responseHeaders(from http.Header) []*fetch.HeaderEntry {
	var out []*fetch.HeaderEntry
	for name, values := range from {
		if slices.Contains(ours(), textproto.CanonicalMIMEHeaderKey(name)) {
			continue
		}
		out = append(out, &fetch.HeaderEntry{Name: name, Value: strings.Join(values, ", ")})
	}
	return out
}
