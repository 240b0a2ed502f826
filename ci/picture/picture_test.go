package picture

import (
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/ci/report"
	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/e2e/grafana"
	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/internal/chromium"
	"github.com/panelgate/panelgate/stack"
	"github.com/panelgate/panelgate/stack/dashboard"
	"github.com/panelgate/panelgate/stack/source"
)

func open(t *testing.T, elem ...string) image.Image {
	t.Helper()
	f, err := os.Open(filepath.Join(elem...))
	require.NoError(t, err)
	defer func() { _ = f.Close() }()
	img, err := png.Decode(f)
	require.NoError(t, err)
	return img
}

func assertColor(t *testing.T, r, g, b uint8, img image.Image, x, y int) {
	t.Helper()
	assert.Equal(t, color.RGBA{R: r, G: g, B: b, A: 255}, color.RGBAModel.Convert(img.At(x, y)), "at %d,%d", x, y)
}

func fixture(w io.Writer) error {
	data, err := os.ReadFile(filepath.Join("testdata", "page.html"))
	if err == nil {
		_, err = w.Write(data)
	}
	return err
}

func files(t *testing.T, dir string) (out []string) {
	t.Helper()
	found, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, f := range found {
		out = append(out, f.Name())
	}
	return out
}

func TestEachDashboardIsDrawn(t *testing.T) {
	b := chromium.Start(t)
	d := &report.Document{Dashboards: []report.Dashboard{{UID: "gpu"}, {UID: "gpu"}, {File: "boards/../x y.json"}}}
	dir := t.TempDir()
	remarks, err := Draw(t.Context(), b, d, fixture, dir, false)
	require.NoError(t, err)
	assert.Empty(t, remarks)
	require.Equal(t, []string{"gpu-2.png", "gpu.png", "x-y.png"}, files(t, dir))
	for name, c := range map[string][3]uint8{"gpu.png": {255, 0, 0}, "gpu-2.png": {0, 255, 0}, "x-y.png": {0, 0, 255}} {
		img := open(t, dir, name)
		assert.Equal(t, image.Pt(2880, 2400), img.Bounds().Size())
		assertColor(t, c[0], c[1], c[2], img, 5, 5)
		assertColor(t, 255, 255, 255, img, 5, 2395)
	}

	_, err = Draw(t.Context(), b, &report.Document{Dashboards: d.Dashboards[:1]}, fixture, dir, true)
	require.NoError(t, err)
	assertColor(t, 0, 0, 0, open(t, dir, "gpu.png"), 5, 2395)
}

func TestWhatCannotBeDrawnIsSaid(t *testing.T) {
	b := chromium.Start(t)
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	d := &report.Document{Dashboards: []report.Dashboard{{Title: "one"}, {Title: "two"}, {Title: "three"}, {Title: "fo\x1bur"}}}
	dir := t.TempDir()
	_, err := Draw(t.Context(), b, d, fixture, filepath.Join(dir, "images"), false)
	require.ErrorContains(t, err, "draw fo")
	assert.NotContains(t, err.Error(), "\x1b")
	assert.Len(t, files(t, filepath.Join(dir, "images")), 3, "the others are drawn")

	_, err = Draw(t.Context(), b, d, func(io.Writer) error { return errors.New("no page") }, dir, false)
	require.ErrorContains(t, err, "no page")

	require.NoError(t, os.WriteFile(filepath.Join(dir, "file"), nil, 0o600))
	_, err = Draw(t.Context(), b, &report.Document{Dashboards: d.Dashboards[:1]}, fixture, filepath.Join(dir, "file"), false)
	require.ErrorContains(t, err, "write the image")
}

// server stands in for a Grafana with a front end.
type server struct {
	t      *testing.T
	panels int
	public http.HandlerFunc // what it serves of its front end

	mu    sync.Mutex
	seen  map[string]chan struct{} // panels that show that they are loading
	asked map[string]int           // by range
}

func (s *server) loading(panel string) chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seen[panel] == nil {
		s.seen[panel] = make(chan struct{})
	}
	return s.seen[panel]
}

// ServeHTTP implements http.Handler.
func (s *server) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	user, password, _ := req.BasicAuth()
	switch {
	case user != "ada" || password != "hunter2":
		s.t.Errorf("%s %s came without the login", req.Method, req.URL)
		http.Redirect(w, req, "/login", http.StatusFound)
	case strings.HasPrefix(req.URL.Path, "/d/"), strings.HasPrefix(req.URL.Path, "/public/"):
		assert.NotContains(s.t, req.URL.String(), "hunter2")
		s.public(w, req)
	case req.URL.Path == "/api/search":
		hits := []grafana.Hit{{UID: "gpu", Title: "GPUs"}, {UID: "made-up", Title: "No uid"}}
		assert.NoError(s.t, json.NewEncoder(w).Encode(hits))
	case req.URL.Path == "/api/panels":
		page, err := url.Parse(req.Referer())
		assert.NoError(s.t, err)
		var keys []string
		for i := range s.panels {
			keys = append(keys, fmt.Sprintf("%s-%d", filepath.Base(page.Path), i))
		}
		assert.NoError(s.t, json.NewEncoder(w).Encode(keys))
	case strings.HasPrefix(req.URL.Path, "/api/live/seen/"):
		close(s.loading(filepath.Base(req.URL.Path)))
	case req.URL.Path == "/api/ds/query" && req.Method == http.MethodPost:
		s.answer(w, req)
	default:
		http.NotFound(w, req)
	}
}

func (s *server) answer(w http.ResponseWriter, req *http.Request) {
	var asked struct{ From, To string }
	assert.NoError(s.t, json.NewDecoder(req.Body).Decode(&asked))
	s.mu.Lock()
	s.asked[asked.From+" "+asked.To]++
	s.mu.Unlock()
	select {
	case <-s.loading(req.URL.Query().Get("panel")):
	case <-req.Context().Done():
		return
	}
	_, err := io.WriteString(w, "rgb(0,0,255)")
	assert.NoError(s.t, err)
}

// frontEnd serves the files of testdata.
func frontEnd(w http.ResponseWriter, req *http.Request) {
	name := "grafana.html"
	if strings.HasPrefix(req.URL.Path, "/public/") {
		name = filepath.Base(req.URL.Path)
	}
	http.ServeFile(w, req, filepath.Join("testdata", name))
}

// running is a stack whose Grafana is a server of this test.
func running(t *testing.T, s *server) env.Instance {
	t.Helper()
	s.t, s.seen, s.asked = t, map[string]chan struct{}{}, map[string]int{}
	at := httptest.NewServer(s)
	t.Cleanup(at.Close)
	client, err := grafana.New(grafana.Options{URL: at.URL, User: "ada", Password: "hunter2"})
	require.NoError(t, err)
	t.Cleanup(client.Close)
	return env.Instance{Grafana: client, Now: time.UnixMilli(1_700_000_000_000)}
}

func board(t *testing.T, text string) *rule.Board {
	t.Helper()
	d, err := dashboard.Parse("boards/it.json", []byte(text), source.DefaultLimits())
	require.NoError(t, err)
	return &rule.Board{Board: &stack.Board{Dashboard: d}}
}

func TestGrafanasOwnRenderingIsTaken(t *testing.T) {
	b := chromium.Start(t)
	s := &server{panels: 12, public: frontEnd}
	instance := running(t, s)
	dir := t.TempDir()
	remarks, err := Screenshots(t.Context(), b, instance, []*rule.Board{
		board(t, `{"uid":"gpu","title":"GPUs","time":{"from":"now-30m","to":"now"},"panels":[{"id":1,"type":"timeseries"}]}`),
		board(t, `{"title":"No uid","time":{"from":"now-30m","to":"now"},"panels":[{"id":1,"type":"timeseries"}]}`),
		board(t, `{"uid":"gone","title":"Gone","panels":[]}`),
	}, dir)
	require.NoError(t, err)
	assert.Equal(t, []string{"no screenshot of Gone: Grafana does not serve it"}, remarks)
	require.Equal(t, []string{"gpu.png", "it.png"}, files(t, dir))
	for _, name := range files(t, dir) {
		img := open(t, dir, name)
		assert.Equal(t, image.Pt(2880, 2*12*400), img.Bounds().Size())
		for i := range 12 {
			assertColor(t, 0, 0, 255, img, 10, 800*i+400)
		}
	}
	assert.Equal(t, map[string]int{"1699998200000 1700000000000": 24}, s.asked, "the range that the panels were asked for")
}

func TestAGrafanaWithoutAFrontEndIsANote(t *testing.T) {
	b := chromium.Start(t)
	for want, public := range map[string]http.HandlerFunc{
		"no program in them": func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Type", "text/html") },
		"GET /d/gpu: HTTP 500 Internal Server Error": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusInternalServerError)
		},
		"GET /public/build/app.js: HTTP 404 Not Found": func(w http.ResponseWriter, req *http.Request) {
			if req.URL.Path == "/d/gpu" {
				frontEnd(w, req)
				return
			}
			http.NotFound(w, req)
		},
		"GET /d/gpu: HTTP 302 Found": func(w http.ResponseWriter, req *http.Request) { http.Redirect(w, req, "/login", http.StatusFound) },
		"the program of its pages is on another server, cdn.example": func(w http.ResponseWriter, _ *http.Request) {
			_, err := io.WriteString(w, `<script src="https://cdn.example/app.js"></script>`)
			assert.NoError(t, err)
		},
	} {
		t.Run(want, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "images")
			remarks, err := Screenshots(t.Context(), b, running(t, &server{public: public}), []*rule.Board{board(t, `{"uid":"gpu","title":"GPUs","panels":[]}`)}, dir)
			require.NoError(t, err)
			require.Len(t, remarks, 1)
			assert.Contains(t, remarks[0], "no screenshots: this Grafana serves no front end: ")
			assert.Contains(t, remarks[0], want)
			assert.NoDirExists(t, dir)
		})
	}
	remarks, err := Screenshots(t.Context(), b, env.Instance{}, nil, t.TempDir())
	require.NoError(t, err)
	assert.Equal(t, []string{"no screenshots: no Grafana is up"}, remarks)
}
