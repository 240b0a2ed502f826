package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/panelgate/panelgate/ci/report"
	"github.com/panelgate/panelgate/e2e"
	"github.com/panelgate/panelgate/e2e/drift"
	"github.com/panelgate/panelgate/e2e/exporter"
	"github.com/panelgate/panelgate/e2e/nearest"
	"github.com/panelgate/panelgate/fakes/standard"
)

const driftLong = `Say which panel breaks at which release of an exporter, before anyone upgrades.

The stack is proven as it is, and then with other releases of its exporters, one
at a time: those of --exporter, or those at which what an exporter prints
changes. A table says of each panel with which releases it is ok and with which
it is broken, and below it why, since when, and what to write instead.

A panel is broken with a release where the gate finds something of --fail-on or
above that it does not find with the releases that the stack has. What is broken
with those as well is shown as such, and check is what fails on it. Releases
with which an exporter prints the same for this stack are proven once.`

const driftExample = `  go run ./ci drift                             the releases at which something changes
  go run ./ci drift --exporter triton=20.06..26.06 --exporter dcgm=3.3.5,4.8.2,main
  go run ./ci drift --exporter triton=26.06.. --fail-on error     may we upgrade?
  go run ./ci drift --stack ../infra --markdown drift.md --json drift.json`

const driftCodes = `  0  nothing breaks with any of the releases
  1  something breaks with a release, and not with the stack's own
  2  wrong usage or configuration
  3  could not run
`

// driftFlags are those of drift.
type driftFlags struct {
	checkFlags
	exporters []string
}

func driftCommand(stdout, stderr io.Writer) *cobra.Command {
	var c driftFlags
	cmd := &cobra.Command{
		Use:         "drift",
		Short:       "Which panel breaks at which release of an exporter",
		Long:        driftLong,
		Example:     driftExample,
		Annotations: map[string]string{exitCodesOf: driftCodes},
		Args:        cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.drift(cmd, stdout, stderr)
		},
	}
	f := cmd.Flags()
	c.addChoiceTo(cmd)
	f.StringArrayVar(&c.exporters, "exporter", nil, "try these releases of an exporter, as triton=20.06..26.06 or dcgm=3.3.5,4.8.2,main for `NAME=RELEASES`; may be repeated")
	completeFlag(cmd, "exporter", exporterCompletions()...)
	c.addScenarioTo(cmd)
	f.StringVar(&c.failOn, "fail-on", "warning", "the mildest `severity` that breaks a panel: error, warning or info")
	completeFlag(cmd, "fail-on", "error", "warning", "info")
	f.IntVar(&c.matrix.parallel, "parallel", 0, "run `N` proofs at once (default: as many as there are processors)")
	f.DurationVar(&c.timeout, "timeout", 5*time.Minute, "give up, with exit code 3, after this `duration`")
	for _, x := range formats() {
		if x.name == "json" || x.name == "markdown" {
			c.addFormat(cmd, format{name: x.name, help: x.help})
		}
	}
	c.addTextTo(cmd)
	return cmd
}

func exporterCompletions() []string {
	var out []string
	for _, name := range standard.Names() {
		out = append(out, name+"=\t"+standard.Title(name))
	}
	return out
}

func (c *driftFlags) drift(cmd *cobra.Command, stdout, stderr io.Writer) error {
	began := time.Now()
	if _, err := c.onStandardOutput(); err != nil {
		return usage(err)
	}
	out := report.DriftResult{Version: version(), StackDir: c.stackDir}
	out.Result, out.Err = c.run(cmd, stderr)
	out.Took = time.Since(began)
	switch {
	case out.Err != nil:
		out.Verdict, out.ExitCode = report.Failed, codeOf(out.Err)
	case out.Result.Broken():
		out.Verdict, out.ExitCode = report.Fail, exitFindings
	default:
		out.Verdict, out.ExitCode = report.Pass, exitClean
	}
	if err := c.writeDrift(stdout, out); err != nil {
		return notRun(err)
	}
	switch {
	case out.Err != nil:
		return out.Err
	case out.ExitCode != exitClean:
		return &exitError{code: out.ExitCode}
	}
	return nil
}

// run understands the flags, reads the files and proves the stack.
func (c *driftFlags) run(cmd *cobra.Command, stderr io.Writer) (*drift.Result, error) {
	axes, err := c.axes()
	if err != nil {
		return nil, usage(fmt.Errorf("--exporter %w", err))
	}
	const most = 64
	switch given := cmd.Flags().Changed("parallel"); {
	case given && (c.matrix.parallel < 1 || c.matrix.parallel > most):
		return nil, usage(fmt.Errorf("--parallel %d: want between 1 and %d proofs at once", c.matrix.parallel, most))
	case c.timeout <= 0:
		return nil, usage(fmt.Errorf("--timeout %s: want a time to run for", c.timeout))
	}
	ctx, cancel := context.WithTimeoutCause(cmd.Context(), c.timeout, fmt.Errorf("not finished after %s: raise --timeout or name fewer releases", c.timeout))
	defer cancel()
	p, err := c.prepare(ctx, stderr)
	if err != nil {
		return nil, ended(ctx, err, "reading the files")
	}
	p.opts.History, p.opts.Logger = e2e.DefaultHistory, nil // of many runs at once nobody reads a log
	result, err := drift.Run(ctx, p.stack, drift.Options{
		Verify: p.opts, Axes: axes, FailOn: p.failOn, Parallel: c.matrix.parallel,
		Progress: func(done, total int) { p.progress.Show("trying releases", done, total) },
	})
	p.progress.Clear()
	var wrong *drift.UsageError
	if errors.As(err, &wrong) {
		return nil, usage(fmt.Errorf("--exporter: %w", err))
	}
	return result, ended(ctx, err, p.progress.Stage())
}

// axes are the releases that the flags name, none for the usual ones.
func (c *driftFlags) axes() ([]drift.Axis, error) {
	var out []drift.Axis
	for _, text := range c.exporters {
		name, versions, ok := strings.Cut(text, "=")
		switch {
		case !ok || versions == "":
			return nil, fmt.Errorf("%q: want NAME=RELEASES, as triton=20.06..26.06", text)
		case !slices.Contains(standard.Names(), name):
			return nil, fmt.Errorf("%q: no exporter is called %q%s (there are %s)", text, name,
				nearest.Hint(name, standard.Names()), strings.Join(standard.Names(), ", "))
		}
		tried, err := exporter.Versions(name, versions)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", text, err)
		}
		if i := slices.IndexFunc(out, func(a drift.Axis) bool { return a.Exporter == name }); i >= 0 {
			out[i].Versions = append(out[i].Versions, tried...)
			continue
		}
		out = append(out, drift.Axis{Exporter: name, Versions: tried})
	}
	return out, nil
}

func (c *driftFlags) writeDrift(stdout io.Writer, out report.DriftResult) error {
	instead, err := c.onStandardOutput()
	errs := []error{err}
	if instead == "" && out.Err == nil { // else the error says it all
		errs = append(errs, report.Drift(stdout, out, report.TextOptions{Color: c.paints(stdout), Verbose: c.verbose}))
	}
	for name, write := range map[string]func(io.Writer, report.DriftResult) error{"json": report.DriftJSON, "markdown": report.DriftMarkdown} {
		switch file := c.file(name); file {
		case "":
		case standardOutput:
			errs = append(errs, write(stdout, out))
		default:
			errs = append(errs, writeFile(file, name, func(w io.Writer) error { return write(w, out) }))
		}
	}
	return errors.Join(errs...)
}
