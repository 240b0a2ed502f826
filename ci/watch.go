package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/panelgate/panelgate/ci/page"
	"github.com/panelgate/panelgate/ci/report"
	"github.com/panelgate/panelgate/ci/watch"
	"github.com/panelgate/panelgate/e2e"
	"github.com/panelgate/panelgate/e2e/env/embedded"
	"github.com/panelgate/panelgate/stack"
)

const watchLong = `watch checks the stack, and again whenever one of its files changes, until ctrl-C.

The embedded Prometheus stays up for as long as what it reads stays the same, and
only the dashboards that were edited are asked anew: the verdict on an edit of a
panel is there in well under a second. All runs are as of the moment at which that
Prometheus was started. After an edit of prometheus.yml, of a rule file or of who
answers for the targets, and half an hour after its start, it is started anew.

The same is shown as a page that reloads itself, on this machine alone.`

const watchExample = `  go run ./ci watch
  go run ./ci watch --dashboard 'gpu-*'         one dashboard alone
  go run ./ci watch --listen 127.0.0.1:8080     the page at a port of your choice
  go run ./ci watch --listen off                no page`

const watchCodes = `  0  ended by ctrl-C, whatever was found
  2  wrong usage
  3  the files cannot be watched, or the page not be served
`

// off is for --listen: serve nothing.
const off = "off"

// watchFlags are the flags of watch.
type watchFlags struct {
	checkFlags
	listen string
	where  string
}

func watchCommand(stdout, stderr io.Writer) *cobra.Command {
	var c watchFlags
	cmd := &cobra.Command{
		Use:         "watch",
		Short:       "Check again with every edit, on a Prometheus that stays up",
		Long:        watchLong,
		Example:     watchExample,
		Annotations: map[string]string{exitCodesOf: watchCodes, runsIn: embedded.Name},
		Args:        cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.watch(cmd.Context(), stdout, stderr)
		},
	}
	f := cmd.Flags()
	c.addChoiceTo(cmd)
	c.addFailOnTo(cmd)
	c.addHistoryTo(cmd)
	c.addTextTo(cmd)
	f.StringVar(&c.listen, "listen", "127.0.0.1:0", "serve the page at this `address` of loopback, port 0 for any that is free; off for no page")
	f.StringVar(&c.where, "env", embedded.Name, "the `environment` that the stack runs in: embedded, and nowhere else")
	completeFlag(cmd, "env", embedded.Name)
	return cmd
}

// watch runs until ctx ends.
func (c *watchFlags) watch(ctx context.Context, stdout, stderr io.Writer) (err error) {
	if c.where != embedded.Name {
		return usage(fmt.Errorf("--env %s: watch keeps a Prometheus of its own warm, which is embedded: run check for the others", c.where))
	}
	if _, err := c.gravity(); err != nil {
		return err
	}
	if _, err := (e2e.Source{Dashboards: c.dashboards}).Choose(); err != nil {
		return usage(err)
	}
	history, err := c.past()
	if err != nil {
		return err
	}
	roots, err := watch.Roots(c.stackDir, c.configFile)
	if err != nil {
		return notRun(err)
	}
	s := &screen{watchFlags: c, out: stdout, terminal: report.IsTerminal(stdout)}
	if c.listen != off {
		s.server, err = watch.Listen(ctx, c.listen, livePage)
		if errors.Is(err, watch.ErrNotLoopback) || err != nil && !strings.Contains(c.listen, ":") {
			return usage(fmt.Errorf("--listen %s: want an address of loopback, as 127.0.0.1:8080, or off: %w", c.listen, err))
		}
		if err != nil {
			return notRun(err)
		}
		defer func() { err = errors.Join(err, s.server.Close()) }()
	}
	w := &watch.Watcher{
		Roots: roots, Show: s.show,
		Say: s.say,
		Read: func(ctx context.Context, former *stack.Stack) (*watch.Input, error) {
			c.former = former
			p, err := c.prepare(ctx, stderr)
			if err != nil {
				return nil, err
			}
			p.opts.History = history
			s.progress = p.progress
			return &watch.Input{Stack: p.stack, Options: p.opts}, nil
		},
	}
	if err := w.Watch(ctx); err != nil {
		return notRun(err)
	}
	return nil
}

// screen shows the runs of watch: on a terminal the last one, elsewhere one after the
// other.
type screen struct {
	*watchFlags
	out      io.Writer
	terminal bool
	server   *watch.Server // nil without a page
	progress *report.Progress
	document *report.Document // the last one that had a verdict, nil before
}

// say tells of what takes a while.
func (s *screen) say(text string) {
	// A terminal that is gone is noticed when the run is shown.
	_, _ = fmt.Fprintln(s.out, report.Clean(text)+" …")
}

// show shows a run, and what differs from the one before.
func (s *screen) show(run *watch.Run) error {
	if s.progress != nil {
		s.progress.Clear()
	}
	failOn, err := s.gravity()
	if err != nil {
		return err
	}
	result := s.result(embedded.Name, run.Began, run.Report, failOn, run.Err)
	result.Undrawn = s.server == nil
	d := report.NewDocument(result)
	if s.server != nil {
		s.server.Publish(d)
	}
	var b bytes.Buffer
	if s.terminal {
		b.WriteString("\x1b[H\x1b[2J\x1b[3J")
	}
	s.head(&b, run)
	if run.Err != nil {
		fmt.Fprintf(&b, "error: %s\n", report.Clean(run.Err.Error()))
	} else if err := report.Text(&b, d, s.textOptions(s.out)); err != nil {
		return err
	}
	if run.Err == nil {
		s.differences(&b, d)
		s.document = d
	}
	s.foot(&b, run)
	if _, err := s.out.Write(b.Bytes()); err != nil {
		return fmt.Errorf("show the verdict: %w", err)
	}
	return nil
}

// head says why there is another run.
func (s *screen) head(w *bytes.Buffer, run *watch.Run) {
	if run.Changed == nil {
		return
	}
	fmt.Fprintf(w, "%s  changed: %s\n", run.Began.Format(time.TimeOnly), report.Clean(s.changed(run.Changed)))
	if run.Restarted != "" {
		fmt.Fprintf(w, "          Prometheus was started anew: %s\n", run.Restarted)
	}
	fmt.Fprintln(w)
}

// changed names the files that changed. What editors put beside them for a moment is
// left out where there is something else.
func (s *screen) changed(files []string) string {
	const most = 3
	files = slices.Clone(files)
	if kept := slices.DeleteFunc(slices.Clone(files), aside); len(kept) > 0 {
		files = kept
	}
	for i, file := range files {
		if dir, err := filepath.Abs(s.stackDir); err == nil {
			if rel, err := filepath.Rel(dir, file); err == nil && filepath.IsLocal(rel) {
				files[i] = filepath.Join(s.stackDir, rel)
			}
		}
	}
	if more := len(files) - most; more > 0 {
		return strings.Join(files[:most], ", ") + fmt.Sprintf(" and %d more", more)
	}
	return strings.Join(files, ", ")
}

// aside says whether a file is an editor's own, or a directory.
func aside(file string) bool {
	name := filepath.Base(file)
	info, err := os.Stat(file)
	if err == nil && info.IsDir() || err != nil && !slices.Contains([]string{".json", ".yml", ".yaml"}, filepath.Ext(name)) {
		return true
	}
	return strings.HasSuffix(name, "~") || strings.HasPrefix(name, "#") || strings.HasPrefix(name, ".#") ||
		slices.Contains([]string{".swp", ".swx", ".swo", ".tmp"}, filepath.Ext(name)) || name == "4913" // vim's, to try whether it may write
}

// differences says which findings are gone and which are new.
func (s *screen) differences(w *bytes.Buffer, d *report.Document) {
	gone, come := watch.Compare(s.document, d)
	for _, x := range []struct {
		word     string
		findings []report.Finding
	}{{"fixed", gone}, {"new", come}} {
		const most = 10
		for i, f := range x.findings {
			if i == most {
				fmt.Fprintf(w, "%-7s… and %d more\n", x.word, len(x.findings)-most)
				break
			}
			at := f.DashboardTitle
			if f.Panel != "" {
				at += " › " + f.Panel
			}
			if at == "" {
				at = f.File
			}
			fmt.Fprintf(w, "%-7s%s %s  %s\n", x.word, f.Severity, f.Rule, report.Clean(strings.Join(strings.Fields(at), " ")))
		}
	}
}

// foot says of when the data is, where else it is shown, and that more is to come.
func (s *screen) foot(w *bytes.Buffer, run *watch.Run) {
	if !run.AsOf.IsZero() {
		fmt.Fprintf(w, "data as of %s, %s old", run.AsOf.Format(time.TimeOnly), time.Since(run.AsOf).Round(time.Second))
	} else {
		fmt.Fprint(w, "waiting for the files to be mended")
	}
	if s.server != nil {
		fmt.Fprintf(w, "; %s", s.server.URL())
	}
	fmt.Fprint(w, "; ctrl-C ends\n\n")
}

// livePage writes a document as a page that reloads itself.
func livePage(w io.Writer, d *report.Document) error {
	return page.Write(w, d, page.Options{Live: true})
}
