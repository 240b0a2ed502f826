package page

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	cdp "github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/ci/report"
	"github.com/panelgate/panelgate/internal/chromium"
)

// browser is a tab of a headless browser, which notes what a page ought not to do.
type browser struct {
	testing.TB
	ctx context.Context
	*noted
}

type noted struct {
	mu   sync.Mutex
	said []string
}

// in is the same tab for a part of the test.
func (b *browser) in(t *testing.T) *browser { return &browser{TB: t, ctx: b.ctx, noted: b.noted} }

// browse starts a browser for a test, and ends it with the test.
func browse(tb testing.TB) *browser {
	tb.Helper()
	opts := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]), chromedp.ExecPath(chromium.Require(tb)), chromedp.NoSandbox,
		chromedp.Flag("force-color-profile", "srgb"), chromedp.WSURLReadTimeout(time.Minute))
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	tb.Cleanup(cancel)
	alloc, end := chromedp.NewExecAllocator(ctx, opts...)
	tb.Cleanup(end)
	b := &browser{TB: tb, noted: &noted{}}
	var closeTab context.CancelFunc
	b.ctx, closeTab = chromedp.NewContext(alloc, chromedp.WithErrorf(tb.Logf)) // of events of a newer browser that it does not know
	tb.Cleanup(closeTab)
	chromedp.ListenTarget(b.ctx, b.listen)
	b.run(network.Enable(), log.Enable())
	tb.Cleanup(func() {
		if err := chromedp.Cancel(b.ctx); err != nil && !errors.Is(err, context.Canceled) {
			tb.Errorf("end the browser: %v", err)
		}
	})
	return b
}

// listen notes errors, and requests for anything but the page itself.
func (b *noted) listen(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *cdp.EventExceptionThrown:
		b.said = append(b.said, "exception: "+e.ExceptionDetails.Error())
	case *cdp.EventConsoleAPICalled:
		for _, arg := range e.Args {
			b.said = append(b.said, "console: "+string(arg.Value))
		}
	case *log.EventEntryAdded:
		b.said = append(b.said, "log: "+e.Entry.Text)
	case *network.EventRequestWillBeSent:
		if e.Type != network.ResourceTypeDocument {
			b.said = append(b.said, "request: "+e.Request.URL)
		}
	}
}

// quiet fails the test where the page did what it ought not to.
func (b *browser) quiet() {
	b.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	require.Empty(b, b.said)
}

func (b *browser) run(actions ...chromedp.Action) {
	b.Helper()
	require.NoError(b, chromedp.Run(b.ctx, actions...))
}

// size sets the width of the view, and the theme.
func (b *browser) size(width, height int64, theme string) {
	b.Helper()
	b.run(chromedp.EmulateViewport(width, height), emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}}))
}

// open shows a page and waits until what is in view is drawn.
func (b *browser) open(file, fragment string) {
	b.Helper()
	address := url.URL{Scheme: "file", Path: filepath.ToSlash(file)}
	b.run(chromedp.Navigate("about:blank"), chromedp.Navigate(address.String()+fragment))
	b.ready()
}

func (b *browser) ready() {
	b.Helper()
	b.run(chromedp.WaitReady(`html[data-ready="true"]`, chromedp.ByQuery))
}

// eval is the value of an expression in the page.
func eval[T any](b *browser, expression string) T {
	b.Helper()
	var out T
	b.run(chromedp.Evaluate(expression, &out))
	return out
}

// until waits for an expression to hold.
func (b *browser) until(expression string) {
	b.Helper()
	b.run(chromedp.Poll(expression, nil, chromedp.WithPollingTimeout(20*time.Second)))
}

// count is how many elements a selector finds that are not hidden.
func (b *browser) count(selector string) int {
	b.Helper()
	return eval[int](b, fmt.Sprintf(`[...document.querySelectorAll(%q)].filter(e => e.checkVisibility()).length`, selector))
}

// key presses one on the page.
func (b *browser) key(keys string) {
	b.Helper()
	b.run(chromedp.KeyEvent(keys))
}

// text is what is to be read in the first element that a selector finds.
func (b *browser) text(selector string) string {
	b.Helper()
	return eval[string](b, fmt.Sprintf(`document.querySelector(%q).innerText`, selector))
}

// written is the file of a document's page.
func written(tb testing.TB, d *report.Document, opts Options) string {
	tb.Helper()
	file := filepath.Join(tb.TempDir(), "page.html")
	f, err := os.Create(file)
	require.NoError(tb, err)
	require.NoError(tb, Write(f, d, opts))
	require.NoError(tb, f.Close())
	return file
}
