package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/panelgate/panelgate/ci/page"
	"github.com/panelgate/panelgate/ci/report"
	"github.com/panelgate/panelgate/e2e"
	"github.com/panelgate/panelgate/e2e/rule"
)

// outputFlags say which reports are written, and where. All are made from the one
// stream of events of the run.
type outputFlags struct {
	files   map[string]*string // by format
	github  string
	noColor bool
	verbose bool
}

// format is a report that is written into a file when the run has ended.
type format struct {
	name, help string
	write      func(io.Writer, *report.Document) error
	matrix     func(io.Writer, report.MatrixResult) error // nil where it tells of one run
}

// formats are the reports besides the text, in the order of --help.
func formats() []format {
	return []format{
		{"json", "JSON, one document of a versioned schema", report.JSON, report.MatrixJSON},
		{"junit", "JUnit XML, a test suite a dashboard and a case a query", report.JUnit, report.MatrixJUnit},
		{"sarif", "SARIF 2.1.0, for code scanning", report.SARIF, nil},
		{"markdown", "Markdown, for a job's summary or a comment", report.Markdown, report.MatrixMarkdown},
		{"code-quality", "GitLab's code quality JSON", report.CodeQuality, nil},
		{"html", "a page for the browser, one file with every panel drawn", func(w io.Writer, d *report.Document) error { return page.Write(w, d, page.Options{}) }, nil},
	}
}

// eventStream is the one format that is written while the run goes on.
const eventStream = "ndjson"

// standardOutput is how a file name says that a report takes the place of the text.
const standardOutput = "-"

func (o *outputFlags) addTo(cmd *cobra.Command) {
	for _, x := range formats() {
		o.addFormat(cmd, x)
	}
	o.files[eventStream] = cmd.Flags().String(eventStream, "", "write `file` as the run goes on: what happens, one JSON event a line (- for standard output, in place of the text)")
	cmd.Flags().StringVar(&o.github, "github", githubAuto, "tell GitHub Actions, by annotations on standard error and the job's summary: `auto|on|off`; auto is where GITHUB_ACTIONS=true")
	completeFlag(cmd, "github", githubAuto, githubOn, githubOff)
	o.addTextTo(cmd)
}

// addTextTo adds the flags of the text.
func (o *outputFlags) addTextTo(cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVar(&o.noColor, "no-color", false, "no colour, as with NO_COLOR in the environment")
	f.BoolVarP(&o.verbose, "verbose", "v", false, "say more: every query, every finding of info, the time of each stage, Prometheus' log")
}

func (o *outputFlags) addFormat(cmd *cobra.Command, x format) {
	if o.files == nil {
		o.files = map[string]*string{}
	}
	o.files[x.name] = cmd.Flags().String(x.name, "", "write `file`: "+x.help+" (- for standard output, in place of the text)")
}

// file is where a report goes, "" for nowhere.
func (o *outputFlags) file(format string) string {
	if name := o.files[format]; name != nil {
		return *name
	}
	return ""
}

// shows says whether a report has the panels as they look.
func (o *outputFlags) shows() bool { return o.file("html") != "" || o.file(eventStream) != "" }

// jsonFile is where the JSON report goes, "" for nowhere.
func (o *outputFlags) jsonFile() string { return o.file("json") }

// ofOneRun is a format that was asked for and cannot tell of a matrix, "" for none.
func (o *outputFlags) ofOneRun() string {
	for _, name := range slices.Sorted(maps.Keys(o.files)) {
		i := slices.IndexFunc(formats(), func(x format) bool { return x.name == name })
		if o.file(name) != "" && (i < 0 || formats()[i].matrix == nil) {
			return name
		}
	}
	return ""
}

// onStandardOutput is the format that takes the place of the text, "" for none.
func (o *outputFlags) onStandardOutput() (string, error) {
	taken := ""
	for name := range o.files {
		if o.file(name) != standardOutput {
			continue
		}
		if taken != "" {
			return "", fmt.Errorf("--%s and --%s both write to standard output: give one of them a file", min(taken, name), max(taken, name))
		}
		taken = name
	}
	return taken, nil
}

// teller takes in the events of a run and writes the reports.
type teller struct {
	*outputFlags
	stdout   io.Writer
	stderr   io.Writer
	actions  bool   // whether GitHub Actions is told
	instead  string // the format that standard output has in place of the text
	document *report.Document
	stream   *report.NDJSON // nil where nobody reads along
	streamed *os.File       // that the stream is written to, nil for standard output
	reader   *reader        // of the stream, nil where nobody reads along
	stage    string
	ahead    bool  // whether dashboards and queries are told while they are asked
	err      error // the first one of the stream
}

// newTeller opens what is written as the run goes on.
func (o *outputFlags) newTeller(stdout, stderr io.Writer) (*teller, error) {
	t := &teller{outputFlags: o, stdout: stdout, stderr: stderr, document: &report.Document{}}
	var err error
	if t.actions, err = o.onActions(); err != nil {
		return nil, usage(err)
	}
	if t.instead, err = o.onStandardOutput(); err != nil {
		return nil, usage(err)
	}
	switch name := o.file(eventStream); name {
	case "":
		return t, nil
	case standardOutput:
		t.reader = &reader{pipe: stdout}
	default:
		if t.streamed, err = create(name); err != nil {
			return nil, notRun(fmt.Errorf("write the event stream: %w", err))
		}
		t.reader = &reader{pipe: t.streamed}
	}
	t.stream = report.NewNDJSON(t.reader)
	return t, nil
}

// emit takes in one event.
func (t *teller) emit(e report.Event) {
	t.document.Add(e)
	if t.stream != nil && t.err == nil {
		t.err = t.stream.Emit(e)
	}
}

// progress tells of a stage that has begun. It is called from one goroutine at a time.
func (t *teller) progress(stage string) {
	if stage != t.stage {
		t.stage = stage
		t.emit(report.Event{Type: report.EventProgress, Progress: &report.Progressed{Stage: stage}})
	}
}

// readAlong has a run tell what it asks as it goes on, where somebody reads along. The
// run waits for each event to be written: a slow reader slows it, and nothing piles up.
// It waits no longer than ctx, which is the run's; whoever calls the returned function
// has seen the run end in time, and what is told then has all the time it takes.
func (t *teller) readAlong(ctx context.Context, opts *e2e.Options, stackDir string) (ended func()) {
	if t.stream == nil {
		return func() {}
	}
	t.reader.until = ctx.Done()
	opts.Asking = func(boards []*rule.Board) {
		t.ahead = true
		for e := range report.Asking(stackDir, boards) {
			t.emit(e)
		}
	}
	opts.Answered = func(a *rule.Asked) { t.emit(report.Answered(stackDir, a)) }
	return func() { t.reader.until = nil }
}

// finish writes every report.
func (t *teller) finish(opts report.TextOptions) error {
	errs := []error{t.err}
	var err error
	if t.document.Checkout, err = checkoutOf(t.document.Stack); err != nil {
		errs = append(errs, err)
	}
	if t.streamed != nil {
		if err := t.streamed.Close(); err != nil {
			errs = append(errs, fmt.Errorf("write the event stream: %w", err))
		}
	}
	if t.instead == "" && t.document.Error == "" { // else the error says it all
		errs = append(errs, disarmed(t.stdout, t.actions, func(w io.Writer) error { return report.Text(w, t.document, opts) }))
	}
	for _, x := range formats() {
		switch name := t.file(x.name); name {
		case "":
		case standardOutput:
			errs = append(errs, x.write(t.stdout, t.document))
		default:
			errs = append(errs, writeFile(name, x.name, func(w io.Writer) error { return x.write(w, t.document) }))
		}
	}
	if t.actions {
		errs = append(errs, t.tellActions())
	}
	return errors.Join(errs...)
}

// create makes a report's file, and the directories that lead to it.
func create(name string) (*os.File, error) {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return nil, err
	}
	return os.Create(name)
}

func writeFile(name, kind string, write func(io.Writer) error) error {
	if err := replace(name, write); err != nil {
		return fmt.Errorf("write the %s report: %w", strings.ToUpper(kind), err)
	}
	return nil
}
