// Package picture writes images of dashboards into a directory: as the report draws
// them, and as a real Grafana does.
package picture

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/panelgate/panelgate/ci/browser"
)

const (
	width = 1440 // of the pages that are taken
	// scale is that of screens that show two pixels for one.
	scale = 2
	// patience is how long one dashboard may take.
	patience = time.Minute
)

// gallery is a directory of images on its way.
type gallery struct {
	browser *browser.Browser
	dir     string
	names   names
	remarks []string
}

// hang takes a picture and writes it as an image of that name.
func (g *gallery) hang(ctx context.Context, name string, s browser.Shot) error {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("it is not ready within %s", patience))
	defer cancel()
	s.Width, s.Scale = width, scale
	taken, err := g.browser.Take(ctx, s)
	if err != nil {
		return err
	}
	file := g.names.file(name)
	if err := write(g.dir, file, taken.PNG); err != nil {
		return err
	}
	shown := filepath.Join(g.dir, file)
	switch {
	case taken.Lost > 0:
		g.remarks = append(g.remarks, fmt.Sprintf("%s is cut: the dashboard goes on for %d pixels below it, which no image is tall enough for", shown, taken.Lost))
	case taken.Scale < scale:
		g.remarks = append(g.remarks, fmt.Sprintf("%s is at a scale of %s in place of %d: the dashboard is very tall", shown, strconv.FormatFloat(taken.Scale, 'g', 2, 64), scale))
	}
	return nil
}

// write writes a file of a directory, and never one outside of it.
func write(dir, name string, data []byte) (err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("write the image: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("write the image: %w", err)
	}
	defer func() { _ = root.Close() }() // the file has been closed
	if err := root.WriteFile(name, data, 0o644); err != nil {
		return fmt.Errorf("write the image: %w", err)
	}
	return nil
}
