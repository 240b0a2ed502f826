package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/panelgate/panelgate/bench/boards"
)

// settings are what the flags say.
type settings struct {
	boards.Options
	limit   time.Duration // of each contestant
	compare string        // the revision to compare with, "" for a contest
	count   int
	bench   string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop() // os.Exit runs nothing that is deferred
	switch {
	case errors.Is(err, flag.ErrHelp):
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run is the contest or the comparison. "serve" and "sweep" before DIR are the peer's two processes, which a contest starts.
func run(ctx context.Context, args []string) error {
	switch {
	case len(args) == 2 && args[0] == "serve":
		return serve(ctx, args[1], os.Stdin, os.Stdout)
	case len(args) == 4 && args[0] == "sweep":
		limit, err := time.ParseDuration(args[3])
		if err != nil {
			return fmt.Errorf("sweep: %w", err)
		}
		return sweepAll(ctx, args[1], args[2], limit, os.Stdout)
	}
	var s settings
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.IntVar(&s.Dashboards, "dashboards", 1000, "how many `dashboards` the stack has")
	flags.IntVar(&s.Targets, "targets", 20000, "how many `targets` they have in all")
	flags.Float64Var(&s.Distinct, "distinct", 1, "the `share` of the targets, 0..1, whose query occurs once")
	flags.Uint64Var(&s.Seed, "seed", 1, "of the generated stack")
	flags.DurationVar(&s.limit, "limit", 5*time.Minute, "how long the sweep may ask; what the rest would take is told from what it did")
	flags.StringVar(&s.compare, "compare", "", "compare the benchmarks with those of the command at this git `revision`")
	flags.IntVar(&s.count, "count", 6, "with --compare: how often each benchmark runs")
	flags.StringVar(&s.bench, "bench", "Shipped|Thousand|Corpus", "with --compare: which benchmarks, a regular `expression`")
	if err := flags.Parse(args); err != nil {
		return err //nolint:wrapcheck // flag has told it
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("%s is not understood: there are flags only", strconv.Quote(flags.Arg(0)))
	}
	work, err := os.MkdirTemp("", "panelgate-bench-")
	if err != nil {
		return fmt.Errorf("make a directory to work in: %w", err)
	}
	defer os.RemoveAll(work) //nolint:errcheck // a temporary directory
	if s.compare != "" {
		return compare(ctx, s, work)
	}
	return contest(ctx, s, work, os.Stdout)
}

// contest generates the stack, builds what takes part, and prints what each took.
func contest(ctx context.Context, s settings, work string, out io.Writer) error {
	dir := filepath.Join(work, "stack")
	if err := boards.Write(dir, s.Options); err != nil {
		return fmt.Errorf("generate the stack: %w", err)
	}
	fmt.Fprintf(os.Stderr, "bench: %d dashboards, %d targets, %.0f %% of the queries occur once; building\n", s.Dashboards, s.Targets, 100*s.Distinct)
	gate := filepath.Join(work, "panelgate")
	if err := build(ctx, ".", gate, "./ci"); err != nil {
		return err
	}
	c := &contestants{dir: dir, work: work, gate: gate, limit: s.limit}
	var rows []row
	for _, each := range []func(context.Context) row{c.whole, c.lint, c.sweep, c.dashboardLinter, c.promtool, c.pint} {
		r := each(ctx)
		if ctx.Err() != nil { // what is known took minutes
			return errors.Join(printTable(out, rows), fmt.Errorf("measure: %w", ctx.Err()))
		}
		fmt.Fprintf(os.Stderr, "bench: measured %s\n", r.name)
		rows = append(rows, r)
	}
	return printTable(out, rows)
}
