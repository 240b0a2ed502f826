package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/panelgate/panelgate/ci/browser"
	"github.com/panelgate/panelgate/ci/page"
	"github.com/panelgate/panelgate/ci/picture"
	"github.com/panelgate/panelgate/ci/report"
	"github.com/panelgate/panelgate/e2e"
	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/e2e/env/attach"
	"github.com/panelgate/panelgate/e2e/env/dagger"
	"github.com/panelgate/panelgate/e2e/env/embedded"
)

// pictureFlags say which images are made, and where they go.
type pictureFlags struct {
	png, theme  string
	scale       float64
	screenshots string

	program string  // the browser that takes them, "" where none is needed
	failed  []error // what kept screenshots from being taken
}

// The themes of images.
const (
	lightTheme = "light"
	darkTheme  = "dark"
)

func (p *pictureFlags) addTo(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&p.png, "png", "", "write an image of each dashboard, as the HTML report draws it, into `directory`; needs Chromium or Chrome on this machine (PANELGATE_CHROMIUM names one)")
	f.StringVar(&p.theme, "png-theme", lightTheme, "the `theme` of --png: light or dark")
	f.Float64Var(&p.scale, "png-scale", 2, "how many pixels --png has for each of the page's, a `number` from 0.5 to 4: 1 makes small files, 2 suits today's screens")
	f.StringVar(&p.screenshots, "screenshots", "", "docker, attach, dagger with --tunnel: write an image of each dashboard, as its own Grafana shows it, into `directory`; needs the same")
}

// screenshotFlags mean something where there is a real Grafana.
func screenshotFlags() []string { return []string{"screenshots"} }

func (p *pictureFlags) wanted() bool { return p.png != "" || p.screenshots != "" }

// possible says why there can be no pictures, and finds the browser that takes them:
// nobody waits for a stack to be told that there is none.
func (p *pictureFlags) possible(e *envFlags) (err error) {
	switch {
	case p.theme != lightTheme && p.theme != darkTheme:
		return usage(fmt.Errorf("--png-theme %q: want %s or %s", p.theme, lightTheme, darkTheme))
	case !(p.scale >= 0.5 && p.scale <= 4): // nor NaN
		return usage(fmt.Errorf("--png-scale %g: want 0.5 to 4", p.scale))
	case !p.wanted():
		return nil
	case p.screenshots == "":
	case e.name == embedded.Name:
		return usage(errors.New("--screenshots are a real Grafana's, and with --env embedded there is none: use --env docker, or --png for what the report draws"))
	case e.name == dagger.Name && e.piped():
		return usage(errors.New("--screenshots are taken by a browser of this machine, and from here the pipeline's Grafana cannot be seen: add --tunnel"))
	case e.name == attach.Name && e.grafana == "":
		return usage(errors.New("--screenshots are a real Grafana's: name it with --grafana URL"))
	case p.png != "" && filepath.Clean(p.png) == filepath.Clean(p.screenshots):
		return usage(errors.New("--png and --screenshots name their images alike: give each a directory of its own"))
	}
	if p.program, err = browser.Find(); err != nil {
		return notRun(err)
	}
	return nil
}

// whileUp takes the screenshots, nil where none are wanted. What keeps them from being
// taken does not keep the run from its verdict, and is told after it.
func (p *pictureFlags) whileUp(progress func(stage string, done, total int)) func(context.Context, env.Instance, *e2e.Report) error {
	if p.screenshots == "" {
		return nil
	}
	return func(ctx context.Context, instance env.Instance, proved *e2e.Report) error {
		progress("taking screenshots", 0, 0)
		var remarks []string
		err := p.browse(ctx, func(b *browser.Browser) (err error) {
			remarks, err = picture.Screenshots(ctx, b, instance, proved.Boards, p.screenshots)
			return err
		})
		if ctx.Err() != nil {
			return fmt.Errorf("take screenshots: %w", context.Cause(ctx))
		}
		proved.Notes = append(proved.Notes, remarks...)
		if err != nil {
			p.failed = append(p.failed, err)
		}
		return nil
	}
}

// browse has a browser for as long as use takes.
func (p *pictureFlags) browse(ctx context.Context, use func(*browser.Browser) error) (err error) {
	b, err := browser.Start(ctx, p.program)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	return use(b)
}

// finish draws what the run came to and says what could not be taken or drawn.
func (p *pictureFlags) finish(ctx context.Context, d *report.Document, stderr io.Writer) error {
	errs := p.failed
	if p.png != "" && len(d.Dashboards) > 0 {
		write := func(w io.Writer) error { return page.Write(w, d, page.Options{}) }
		err := p.browse(ctx, func(b *browser.Browser) error {
			remarks, err := picture.Draw(ctx, b, d, picture.Options{Dir: p.png, Page: write, Scale: p.scale, Dark: p.theme == darkTheme})
			for _, r := range remarks {
				_, printErr := fmt.Fprintln(stderr, "panelgate: "+r)
				err = errors.Join(err, printErr)
			}
			return err
		})
		if err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// pictured is a check, and the pictures of it.
func (c *checkFlags) pictured(cmd *cobra.Command, stdout, stderr io.Writer) error {
	if err := c.pictures.possible(&c.env); err != nil {
		return err
	}
	check := c.checkHere
	if c.env.piped() && !c.idleOutside(cmd.Context(), stderr) {
		check = c.checkInPipeline
		if c.env.shards > 0 {
			check = c.checkInShards
		}
	}
	checked := check(cmd, stdout, stderr)
	if c.tell == nil { // it was not begun
		return checked
	}
	if err := c.pictures.finish(cmd.Context(), c.tell.document, stderr); err != nil {
		return notRun(errors.Join(checked, err))
	}
	return checked
}
