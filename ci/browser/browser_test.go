package browser_test

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"image/png"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/ci/browser"
	"github.com/panelgate/panelgate/internal/chromium"
)

// page is the URL of a file with a page.
func page(t *testing.T, html string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "page.html")
	require.NoError(t, os.WriteFile(name, []byte(html), 0o600))
	return "file://" + filepath.ToSlash(name)
}

func take(t *testing.T, b *browser.Browser, s browser.Shot) (*browser.Picture, image.Image) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	picture, err := b.Take(ctx, s)
	require.NoError(t, err)
	img, err := png.Decode(bytes.NewReader(picture.PNG))
	require.NoError(t, err)
	return picture, img
}

func assertColor(t *testing.T, want color.RGBA, img image.Image, x, y int) {
	t.Helper()
	assert.Equal(t, want, color.RGBAModel.Convert(img.At(x, y)), "at %d,%d", x, y)
}

func red() color.RGBA  { return color.RGBA{R: 255, A: 255} }
func blue() color.RGBA { return color.RGBA{B: 255, A: 255} }

// late is a page that is drawn some time after it is loaded, taller than any window.
const late = `<!doctype html><body style="margin:7px"><p>no part of it</p><script>
requestAnimationFrame(() => requestAnimationFrame(() => {
	document.body.insertAdjacentHTML("beforeend", '<div id=it style="width:200px;background:#f00;height:HEIGHTpx;position:relative">' +
		'<b style="position:absolute;bottom:0;background:#00f;width:100%;height:20px"></b></div>');
	document.documentElement.dataset.ready = true;
}));
</script>`

const isReady = `document.documentElement.dataset.ready === "true"`

func TestAnElementIsTakenInFullWhenItIsReady(t *testing.T) {
	b := chromium.Start(t)
	for name, c := range map[string]struct {
		height string
		scale  float64
		want   browser.Picture
		size   image.Point
	}{
		"taller than the window":  {"3000", 2, browser.Picture{Scale: 2}, image.Pt(400, 6000)},
		"too tall at its scale":   {"16000", 2, browser.Picture{Scale: 1.024}, image.Pt(204, 16384)},
		"too tall for any window": {"40000", 1, browser.Picture{Scale: 0.5, Lost: 7232}, image.Pt(100, 16384)},
	} {
		t.Run(name, func(t *testing.T) {
			got, img := take(t, b, browser.Shot{
				URL: page(t, strings.Replace(late, "HEIGHT", c.height, 1)), Width: 800, Scale: c.scale, Ready: isReady, Element: "#it",
			})
			got.PNG = nil
			assert.Equal(t, &c.want, got)
			assert.InDelta(t, c.size.X, img.Bounds().Dx(), 1)
			assert.InDelta(t, c.size.Y, img.Bounds().Dy(), 1)
			assertColor(t, red(), img, 1, 1)
			bottom := blue()
			if c.want.Lost > 0 {
				bottom = red()
			}
			assertColor(t, bottom, img, 1, img.Bounds().Dy()-3)
		})
	}
}

func TestAPageIsToldWhichThemeIsPreferred(t *testing.T) {
	b := chromium.Start(t)
	url := page(t, `<!doctype html><style>#it{height:20px;background:#f00}@media(prefers-color-scheme:dark){#it{background:#00f}}</style><div id=it></div>`)
	_, img := take(t, b, browser.Shot{URL: url, Width: 100, Scale: 1, Ready: "true", Element: "#it"})
	assertColor(t, red(), img, 1, 1)
	_, img = take(t, b, browser.Shot{URL: url, Width: 100, Scale: 1, Ready: "true", Element: "#it", Dark: true})
	assertColor(t, blue(), img, 1, 1)
}

func TestWhatIsWrongWithAPageIsSaid(t *testing.T) {
	b := chromium.Start(t)
	thrown := make(chan struct{})
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() {
		<-thrown
		cancel(errors.New("enough waited"))
	}()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.URL.Path == "/after" {
			close(thrown)
			return
		}
		_, err := io.WriteString(w, `<script>let looks = 0</script><script>throw new Error("nothing goes")</script>`)
		assert.NoError(t, err)
	}))
	defer server.Close()
	_, err := b.Take(ctx, browser.Shot{URL: server.URL, Width: 100, Scale: 1, Ready: `++looks === 3 && fetch("/after") && false`, Relay: http.DefaultTransport.RoundTrip})
	require.ErrorContains(t, err, "enough waited; an error in the page: ")
	require.ErrorContains(t, err, "nothing goes")

	url := page(t, "<p>hello")
	_, err = b.Take(t.Context(), browser.Shot{URL: url, Width: 100, Scale: 1, Ready: "true", Element: "#it"})
	require.ErrorContains(t, err, "the page has no #it")
	_, err = b.Take(t.Context(), browser.Shot{URL: url + "x", Width: 100, Scale: 1, Ready: "true", Element: "#it"})
	require.ErrorContains(t, err, "open the page")
}

// asked notes the requests that a server gets.
type asked struct {
	mu   sync.Mutex
	what []string
}

func (a *asked) note(req *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.what = append(a.what, req.Method+" "+req.URL.Path)
}

func (a *asked) all() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]string{}, a.what...)
}

// application is a page that fetches what it shows from whom it is told to.
const application = `<!doctype html><title>app</title><body style="margin:0"><div id=it style="height:40px;background:#f00"></div><script>
(async () => {
	const failed = [];
	const socket = new WebSocket("ws://" + location.host + "/socket");
	await new Promise(done => { socket.onerror = socket.onopen = done });
	if (socket.readyState === WebSocket.OPEN) failed.push("socket");
	const r = await fetch("/echo", {method: "POST", body: "ä".repeat(100000), headers: {"X-Mine": "yes"}});
	if ((await r.text()) !== "ä".repeat(100000)) failed.push("echo");
	if ((await (await fetch("/moved")).text()) !== "here") failed.push("moved");
	if (!(await fetch("http://127.0.0.1:1/elsewhere").catch(() => null)) === false) failed.push("elsewhere");
	if (failed.length) throw new Error(failed.join());
	document.getElementById("it").style.background = "#00f";
	window.done = true;
})();
</script>`

func TestEveryRequestOfAPageIsRelayed(t *testing.T) {
	b := chromium.Start(t)
	var reached, relayed asked
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		reached.note(req)
		switch {
		case req.Header.Get("Authorization") != "Bearer secret":
			w.WriteHeader(http.StatusUnauthorized)
		case req.URL.Path == "/":
			_, _ = io.WriteString(w, application)
		case req.URL.Path == "/echo":
			assert.Equal(t, "yes", req.Header.Get("X-Mine"))
			sent, err := io.ReadAll(req.Body)
			assert.NoError(t, err)
			_, _ = w.Write(sent)
		case req.URL.Path == "/moved":
			http.Redirect(w, req, "/here", http.StatusFound)
		default:
			_, _ = io.WriteString(w, strings.TrimPrefix(req.URL.Path, "/"))
		}
	}))
	defer server.Close()
	_, img := take(t, b, browser.Shot{URL: server.URL + "/#part", Width: 100, Scale: 1, Ready: "window.done", Element: "#it",
		Relay: func(req *http.Request) (*http.Response, error) {
			relayed.note(req)
			if "http://"+req.URL.Host != server.URL {
				return nil, errors.New("not that one")
			}
			req.Header.Set("Authorization", "Bearer secret")
			return http.DefaultTransport.RoundTrip(req)
		}})
	assertColor(t, blue(), img, 1, 1)
	ours := []string{"GET /", "POST /echo", "GET /moved", "GET /here"}
	assert.Subset(t, relayed.all(), append(ours, "GET /elsewhere"))
	assert.Subset(t, reached.all(), ours)
	assert.Subset(t, relayed.all(), reached.all(), "something went another way than through the relay")
}

// scrolling is a page that loads its parts as they come into sight, in a part of its own
// that scrolls, and with a table in it that scrolls too.
const scrolling = `<!doctype html><body style="margin:0"><div style="height:100vh;overflow-y:auto"><div id=all></div></div><script>
for (let i = 0; i < 10; i++) {
	const part = document.createElement("div");
	part.className = "part";
	part.style = "height:300px";
	all.append(part);
	new IntersectionObserver(async (seen, observer) => {
		if (!seen.some(s => s.isIntersecting)) return;
		observer.disconnect();
		const color = await (await fetch("/color")).text();
		part.style.background = color;
		part.innerHTML = '<div style="overflow-y:auto;height:100%"><div style="height:9000px"></div></div>';
	}).observe(part);
}
</script>`

func TestTheWholeOfAPageIsTakenWithWhatIsLoadedAsItIsSeen(t *testing.T) {
	b := chromium.Start(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		text := scrolling
		if req.URL.Path == "/color" {
			text = "#00f"
		}
		_, err := io.WriteString(w, text)
		assert.NoError(t, err)
	}))
	defer server.Close()
	_, img := take(t, b, browser.Shot{URL: server.URL, Width: 100, Scale: 1, Ready: "true", Inside: ".part", Relay: http.DefaultTransport.RoundTrip})
	assert.Equal(t, image.Pt(100, 3000), img.Bounds().Size())
	for i := range 10 {
		assertColor(t, blue(), img, 1, 300*i+150)
	}
}
