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

	"github.com/panelgate/panelgate/ci/report"
	"github.com/panelgate/panelgate/fakes/exposition"
	"github.com/panelgate/panelgate/fakes/recording"
)

const recordLong = `record scrapes a real exporter for a while, as Prometheus would, and keeps what it says
in one small file: to be played back in CI by "replay: FILE" in panelgate.yml, and to hold
the fakes against with verify-fake.

Of the URL neither login nor query is kept, of the answers' headers Content-Type,
Content-Encoding and Server. Values of the labels that --redact names are replaced
before anything is written, the same by the same, wherever they stand but in HELP texts.

ctrl-C ends it early and keeps what there is.`

const recordExample = `  go run ./ci record --from http://gpu-box:8002/metrics -o triton.rec
  go run ./ci record --from http://gpu-box:9400/metrics --for 10m --every 15s -o dcgm.rec
  go run ./ci record --from http://gpu-box:9400/metrics --redact Hostname,UUID -o dcgm.rec
  go run ./ci record --from https://gpu-box/metrics --header-env LOGIN -o box.rec`

const recordCodes = `  0  recorded
  2  wrong usage
  3  could not record; no file is left behind
`

// recordFlags are the flags of record.
type recordFlags struct {
	from      string
	period    time.Duration
	every     time.Duration
	output    string
	redact    []string
	headerEnv []string
}

func recordCommand(stdout, stderr io.Writer) *cobra.Command {
	var r recordFlags
	cmd := &cobra.Command{
		Use:         "record",
		Short:       "Record a real exporter, to be played back where there is none",
		Long:        recordLong,
		Example:     recordExample,
		Args:        cobra.NoArgs,
		Annotations: map[string]string{exitCodesOf: recordCodes},
		RunE: func(cmd *cobra.Command, _ []string) error {
			return r.run(cmd.Context(), stdout, stderr)
		},
	}
	f := cmd.Flags()
	f.StringVar(&r.from, "from", "", "scrape this `URL`, as http://gpu-box:8002/metrics")
	f.DurationVar(&r.period, "for", 2*time.Minute, "record for this long; 0 for a single scrape")
	f.DurationVar(&r.every, "every", 5*time.Second, "scrape every so often")
	f.StringVarP(&r.output, "output", "o", "", "write `FILE`")
	f.StringSliceVar(&r.redact, "redact", nil, "replace the values of these `labels`, as pod,namespace,Hostname")
	addHeaderEnv(cmd, &r.headerEnv)
	return cmd
}

// addHeaderEnv adds the flag by which secrets reach a scrape.
func addHeaderEnv(cmd *cobra.Command, names *[]string) {
	cmd.Flags().StringArrayVar(names, "header-env", nil, "send the header that the environment variable `NAME` holds, as 'Authorization: Bearer …'; may be repeated")
}

// fewestApart is how close together scrapes may be: a recording counts milliseconds, and the exporter has other work.
const fewestApart = 100 * time.Millisecond

func (r *recordFlags) check() error {
	switch {
	case r.from == "":
		return errors.New("--from is missing: the URL to scrape")
	case r.output == "":
		return errors.New("--output is missing: the file to write, as in -o triton.rec")
	case r.every < fewestApart:
		return fmt.Errorf("--every %s: scrapes are at least %s apart", r.every, fewestApart)
	case r.period < 0:
		return fmt.Errorf("--for %s: how long ago would that be?", r.period)
	case int(r.period/r.every) >= recording.DefaultLimits().Scrapes:
		return fmt.Errorf("--for %s --every %s: a recording has %d scrapes at most", r.period, r.every, recording.DefaultLimits().Scrapes)
	}
	if info, err := os.Stat(r.output); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("--output %s: it is there and no file", r.output)
	}
	if info, err := os.Stat(filepath.Dir(r.output)); err != nil || !info.IsDir() {
		return fmt.Errorf("--output %s: there is no directory %s", r.output, filepath.Dir(r.output))
	}
	return nil
}

func (r *recordFlags) run(ctx context.Context, stdout, stderr io.Writer) error {
	if err := r.check(); err != nil {
		return usage(err)
	}
	s, err := newScraper(r.from, r.headerEnv, r.every)
	if err != nil {
		return usage(err)
	}
	recorded, err := r.record(ctx, s, stderr)
	if err != nil {
		return notRun(fmt.Errorf("record %s: %w", report.Clean(s.public), err))
	}
	if err := warnOfUnseen(recorded, r.redact, stderr); err != nil {
		return notRun(err)
	}
	if err := recorded.Redact(r.redact); err != nil {
		return notRun(err)
	}
	size, err := r.write(recorded)
	if err != nil {
		return notRun(err)
	}
	whole := 0
	for i := range recorded.Scrapes {
		whole += len(recorded.Scrapes[i].Body)
	}
	if _, err := fmt.Fprintf(stdout, "%s: %s, %d bytes of %d scraped\n", report.Clean(r.output), scrapes(len(recorded.Scrapes)), size, whole); err != nil {
		return notRun(err)
	}
	return nil
}

// scrapes is a number of them.
func scrapes(n int) string {
	if n == 1 {
		return "1 scrape"
	}
	return fmt.Sprintf("%d scrapes", n)
}

// record scrapes until the time is over, ctx ends or a recording can hold no more. The first scrape has to succeed; of later ones some
// may fail.
func (r *recordFlags) record(ctx context.Context, s *scraper, stderr io.Writer) (*recording.Recording, error) {
	say := func(format string, args ...any) error {
		_, err := fmt.Fprintf(stderr, "panelgate: "+format+"\n", args...)
		return err
	}
	out := &recording.Recording{URL: s.public, Every: r.every}
	total := int(r.period/r.every) + 1
	if total == 1 {
		out.Every = 0
	}
	tick := time.NewTicker(r.every)
	defer tick.Stop()
	left := recording.DefaultLimits()
	for n := 1; n <= total; n++ {
		if n > 1 {
			select {
			case <-tick.C:
			case <-ctx.Done():
			}
		}
		one, err := s.scrape(ctx)
		switch {
		case ctx.Err() != nil && len(out.Scrapes) == 0:
			return nil, errors.New("interrupted before the first scrape was there")
		case ctx.Err() != nil:
			return out, say("interrupted: what there is by now is kept, %d of %d scrapes", len(out.Scrapes), total)
		case err != nil && len(out.Scrapes) == 0:
			return nil, err
		case err != nil:
			err = say("scrape %d of %d is left out: %s", n, total, report.Clean(err.Error()))
		case !r.fits(out, one, &left):
			return out, say("ended early: a recording can hold no more than %d scrapes of this size", len(out.Scrapes))
		default:
			out.Scrapes = append(out.Scrapes, *one)
			err = say("scrape %d of %d: %d bytes", n, total, len(one.Body))
		}
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// fits says whether a recording can take one more scrape, and counts it.
func (r *recordFlags) fits(out *recording.Recording, one *recording.Scrape, left *recording.Limits) bool {
	left.Bytes -= len(one.Body) + 1<<10 // what stands before each body
	left.Samples -= bytes.Count(one.Body, []byte("\n"))
	if n := len(out.Scrapes); n > 0 && !one.At.After(out.Scrapes[n-1].At) {
		one.At = out.Scrapes[n-1].At.Add(time.Millisecond) // the clock was set back
	}
	return left.Bytes > 0 && left.Samples > 0
}

// warnOfUnseen tells of labels to redact that nothing has: a misspelt one would show what it should not.
func warnOfUnseen(r *recording.Recording, redact []string, stderr io.Writer) error {
	if len(redact) == 0 {
		return nil
	}
	seen := map[string]bool{}
	for i := range r.Scrapes {
		lines, err := exposition.Parse(r.Scrapes[i].Body)
		if err != nil {
			return err
		}
		for _, line := range lines {
			for _, label := range line.Labels {
				seen[label.Name] = true
			}
		}
	}
	unseen := slices.DeleteFunc(slices.Clone(redact), func(name string) bool { return seen[name] })
	if len(unseen) == 0 {
		return nil
	}
	_, err := fmt.Fprintf(stderr, "panelgate: warning: --redact: no series has the label %s\n", strings.Join(unseen, ", "))
	return err
}

// write writes the file beside its place and puts it there when it is whole.
func (r *recordFlags) write(recorded *recording.Recording) (size int64, err error) {
	f, err := os.CreateTemp(filepath.Dir(r.output), "."+filepath.Base(r.output)+"-*")
	if err != nil {
		return 0, fmt.Errorf("write the recording: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	if err := errors.Join(recorded.Write(f), f.Chmod(0o644), f.Close()); err != nil {
		return 0, err
	}
	info, err := os.Stat(f.Name())
	if err != nil {
		return 0, fmt.Errorf("write the recording: %w", err)
	}
	if err := os.Rename(f.Name(), r.output); err != nil {
		return 0, fmt.Errorf("write the recording: %w", err)
	}
	return info.Size(), nil
}
