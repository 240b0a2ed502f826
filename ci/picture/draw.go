package picture

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/panelgate/panelgate/ci/browser"
	"github.com/panelgate/panelgate/ci/report"
	"github.com/panelgate/panelgate/internal/scratch"
)

// Options say how dashboards are drawn, and where their images go.
type Options struct {
	Dir   string
	Page  func(io.Writer) error // writes the report's page
	Scale float64               // the images' pixels for each of the page's
	Dark  bool
}

// Draw writes an image of each dashboard of a report, as the report's page draws it.
// Remarks say what an image does not show. What cannot be drawn does not keep
// the others from it.
func Draw(ctx context.Context, b *browser.Browser, d *report.Document, opts Options) (remarks []string, err error) {
	file, remove, err := written(opts.Page)
	defer func() { err = errors.Join(err, remove()) }()
	if err != nil {
		return nil, fmt.Errorf("draw the dashboards: %w", err)
	}
	g := gallery{browser: b, dir: opts.Dir, scale: opts.Scale, names: names{}}
	var errs []error
	for i, board := range d.Dashboards {
		err := g.hang(ctx, called(board.UID, board.File), browser.Shot{
			URL: fmt.Sprintf("%s#picture=%d", file, i), Dark: opts.Dark,
			Ready:   `document.documentElement.dataset.ready === "true"`,
			Element: fmt.Sprintf(`[data-dashboard="%d"]`, i),
		})
		if err != nil {
			errs = append(errs, fmt.Errorf("draw %s: %w", report.Clean(board.Name()), err))
		}
		if ctx.Err() != nil {
			break
		}
	}
	return g.remarks, errors.Join(errs...)
}

// written is the URL of a file with the page. The returned function removes it; it is
// never nil.
func written(page func(io.Writer) error) (_ string, remove func() error, err error) {
	dir, err := scratch.Dir()
	if err != nil {
		return "", func() error { return nil }, err
	}
	remove = func() error { return os.RemoveAll(dir) }
	name := filepath.Join(dir, "report.html")
	f, err := os.Create(name) //nolint:gosec // in a directory of its own
	if err != nil {
		return "", remove, err
	}
	if err := errors.Join(page(f), f.Close()); err != nil {
		return "", remove, err
	}
	slashed := filepath.ToSlash(name)
	if !strings.HasPrefix(slashed, "/") { // C:/
		slashed = "/" + slashed
	}
	return (&url.URL{Scheme: "file", Path: slashed}).String(), remove, nil
}
