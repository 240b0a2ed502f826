package browser

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// Shot is a picture to take.
type Shot struct {
	URL   string
	Width int     // of the window, in the page's pixels
	Scale float64 // the picture's pixels for each of the page's
	Dark  bool    // what the page is told that its reader prefers
	// Ready is a JavaScript expression that becomes true when all is drawn.
	Ready string
	// Element is the CSS selector of what is taken; "" for all of the page, the window
	// made as tall as that.
	Element string
	// Inside is the CSS selector of those parts of a page that may scroll, which does
	// not make the page any taller.
	Inside string
	// Relay answers the page's requests; the page is a file where it is nil. An answer
	// is a redirect where the server says so.
	Relay func(*http.Request) (*http.Response, error)
}

// Picture is one that was taken.
type Picture struct {
	PNG   []byte
	Scale float64 // that it was taken at: less than was asked for where it had become too tall
	Lost  int     // how many of the page's pixels it is cut by at the bottom
}

const (
	firstHeight = 900
	// tallest is the height from which on Chromium draws no more.
	tallest = 16384
	// smallest is the scale below which nobody can read a picture.
	smallest = 0.5
	// idleTime is for how long a page asks for nothing until it has all it wants.
	idleTime = 500 * time.Millisecond
	lookTime = 50 * time.Millisecond
)

// tab is a page that is open.
type tab struct {
	Shot
	ctx     context.Context //nolint:containedctx // chromedp knows a page by its context
	traffic traffic

	mu     sync.Mutex
	thrown string // the first exception that the page did not catch
}

// Take takes a picture. The context bounds how long that may take.
func (b *Browser) Take(ctx context.Context, s Shot) (*Picture, error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	tabCtx, closeTab := chromedp.NewContext(b.ctx)
	defer context.AfterFunc(ctx, closeTab)()
	t := &tab{Shot: s, ctx: tabCtx}
	defer t.traffic.close()
	defer closeTab() // ends what the traffic waits for
	picture, err := t.take()
	switch {
	case err == nil:
		return picture, nil
	case ctx.Err() != nil && t.exception() != "":
		return nil, fmt.Errorf("%w; an error in the page: %s", context.Cause(ctx), t.exception())
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case b.ctx.Err() != nil:
		return nil, fmt.Errorf("the browser has ended: %w", context.Cause(b.ctx))
	case b.hasEnded():
		return nil, fmt.Errorf("the browser has ended: %s", b.heard.last())
	default:
		return nil, err
	}
}

func (t *tab) take() (*Picture, error) {
	chromedp.ListenTarget(t.ctx, t.hear)
	if err := chromedp.Run(t.ctx, t.prefer(), t.window(firstHeight, t.Scale), t.intercept(), chromedp.Navigate(t.URL)); err != nil {
		return nil, fmt.Errorf("open the page: %w", err)
	}
	if err := t.settle(); err != nil {
		return nil, err
	}
	area, err := t.grow()
	if err != nil {
		return nil, err
	}
	scale, height := fit(area.Height, t.Scale)
	picture := &Picture{Scale: scale, Lost: int(math.Ceil(area.Height - height))}
	if err := t.resize(height, scale); err != nil {
		return nil, err
	}
	if t.Element != "" { // it may have moved
		if area, err = t.element(); err != nil {
			return nil, err
		}
	}
	area.Height = height
	err = chromedp.Run(t.ctx, chromedp.ActionFunc(func(ctx context.Context) (err error) {
		picture.PNG, err = page.CaptureScreenshot().WithFormat(page.CaptureScreenshotFormatPng).WithCaptureBeyondViewport(true).WithClip(area).Do(ctx)
		return err
	}))
	if err != nil {
		return nil, fmt.Errorf("take the picture: %w", err)
	}
	return picture, nil
}

// resize makes the window so tall, at least, and waits until that is drawn.
func (t *tab) resize(height, scale float64) error {
	if err := chromedp.Run(t.ctx, t.window(max(height, firstHeight), scale)); err != nil {
		return fmt.Errorf("resize the window: %w", err)
	}
	return t.settle()
}

// fit is the scale at which something so tall can be taken, and how much of its height.
func fit(height, scale float64) (_, fitting float64) {
	scale = max(min(scale, tallest/height), min(scale, smallest))
	return scale, min(height, math.Floor(tallest/scale))
}

// hear takes in what happens in the page. It must not wait for anything.
func (t *tab) hear(event any) {
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		t.mu.Lock()
		defer t.mu.Unlock()
		if t.thrown == "" {
			t.thrown = e.ExceptionDetails.Error()
		}
	default:
		t.relay(event)
	}
}

func (t *tab) exception() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.thrown
}

func (t *tab) prefer() chromedp.Action {
	theme := "light"
	if t.Dark {
		theme = "dark"
	}
	return emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: theme}, {Name: "prefers-reduced-motion", Value: "reduce"},
	})
}

func (t *tab) window(height, scale float64) chromedp.Action {
	return emulation.SetDeviceMetricsOverride(int64(t.Width), int64(math.Ceil(height)), scale, false)
}

// settle waits until the page is ready and asks for nothing more.
func (t *tab) settle() error {
	began := time.Now()
	tick := time.NewTicker(lookTime)
	defer tick.Stop()
	for {
		ready := false
		if err := t.evaluate("!!("+t.Ready+")", &ready); err != nil {
			return err
		}
		if ready && (t.Relay == nil || t.traffic.idle(began)) {
			return nil
		}
		select {
		case <-tick.C:
		case <-t.ctx.Done():
			return context.Cause(t.ctx)
		}
	}
}

// grow is the area that is taken. For the whole of a page the window is made so tall
// that nothing of it scrolls: what is out of sight may not have been loaded.
func (t *tab) grow() (*page.Viewport, error) {
	if t.Element != "" {
		return t.element()
	}
	height := float64(firstHeight)
	for range 5 { // what is loaded may make it taller yet
		var needed float64
		if err := t.evaluate(fmt.Sprintf(neededHeight, strconv.Quote(t.Inside)), &needed); err != nil {
			return nil, err
		}
		if needed <= height {
			break
		}
		height = needed
		scale, fitting := fit(height, t.Scale)
		if err := t.resize(fitting, scale); err != nil {
			return nil, err
		}
		if fitting < height { // no window is tall enough
			break
		}
	}
	return &page.Viewport{Width: float64(t.Width), Height: height, Scale: 1}, nil
}

// element is where in the page the element is.
func (t *tab) element() (*page.Viewport, error) {
	var area page.Viewport
	if err := t.evaluate(fmt.Sprintf(areaOfElement, strconv.Quote(t.Element)), &area); err != nil {
		return nil, err
	}
	if area.Width < 1 || area.Height < 1 {
		return nil, fmt.Errorf("look at the page: of %s nothing is to be seen", t.Element)
	}
	return &area, nil
}

// areaOfElement is where in the page the first element of a selector is.
const areaOfElement = `(selector => {
	const element = document.querySelector(selector);
	if (!element) throw new Error("the page has no " + selector);
	const r = element.getBoundingClientRect();
	return {x: r.left + scrollX, y: r.top + scrollY, width: r.width, height: r.height, scale: 1};
})(%s)`

// neededHeight is how tall the window would be in which neither the page scrolls nor
// one of its large parts that contain the rest.
const neededHeight = `(inside => {
	const root = document.scrollingElement || document.documentElement;
	let over = root.scrollHeight - innerHeight;
	for (const e of document.body.querySelectorAll("*")) {
		const hidden = e.scrollHeight - e.clientHeight;
		if (hidden <= over || e.clientWidth < innerWidth / 2 || e.clientHeight < innerHeight / 2) continue;
		if (inside && e.closest(inside) || !/auto|scroll/.test(getComputedStyle(e).overflowY)) continue;
		over = hidden;
	}
	return innerHeight + Math.max(over, 0);
})(%s)`

// evaluate runs an expression in the page.
func (t *tab) evaluate(expression string, result any) error {
	err := chromedp.Run(t.ctx, chromedp.Evaluate(expression, result))
	if thrown, ok := errors.AsType[*runtime.ExceptionDetails](err); ok {
		return fmt.Errorf("look at the page: %s", thrown.Error())
	}
	if err != nil {
		return fmt.Errorf("look at the page: %w", err)
	}
	return nil
}

// executor is the context in which the page is told something from outside of a Run.
func (t *tab) executor() context.Context {
	return cdp.WithExecutor(t.ctx, chromedp.FromContext(t.ctx).Target)
}
