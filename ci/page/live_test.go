package page

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	cdp "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
)

// TestLivePage has the gate run again while somebody looks at its page.
func TestLivePage(t *testing.T) {
	var run atomic.Int64
	again := make(chan struct{})
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		d := fixture()
		d.Version = fmt.Sprintf("v%d", run.Load())
		if err := Write(w, d, Options{Live: true}); err != nil {
			t.Error(err)
		}
	})
	mux.HandleFunc("GET /events", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		assert.NoError(t, http.NewResponseController(w).Flush())
		select {
		case <-again:
			_, err := fmt.Fprint(w, "data: run\n\n")
			assert.NoError(t, err)
		case <-r.Context().Done():
		}
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	t.Cleanup(server.CloseClientConnections) // else it waits for a page that still listens
	b := browse(t)
	b.size(820, 600, "light")
	b.run(chromedp.Navigate(server.URL + "/"))
	b.ready()
	b.run(chromedp.Click(`[data-filter="broken"]`, chromedp.ByQuery))
	shown := b.count(".panel")
	assert.Positive(t, shown)
	b.run(chromedp.Evaluate(`scrollTo(0, 40)`, nil))

	loaded := make(chan struct{}, 1)
	chromedp.ListenTarget(b.ctx, func(event any) {
		if _, ok := event.(*cdp.EventLoadEventFired); ok {
			select {
			case loaded <- struct{}{}:
			default: // it was waited for already
			}
		}
	})
	run.Add(1)
	again <- struct{}{}
	select {
	case <-loaded:
	case <-b.ctx.Done():
		t.Fatal("the page was not loaded again")
	}
	b.ready()
	assert.True(t, eval[bool](b, `document.body.innerText.includes("v1")`))
	assert.Equal(t, shown, b.count(".panel"), "the filter is kept")
	assert.Equal(t, 40, eval[int](b, `scrollY`), "and so is the place")
}
