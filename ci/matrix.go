package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/panelgate/panelgate/ci/report"
	"github.com/panelgate/panelgate/e2e"
	"github.com/panelgate/panelgate/e2e/env/attach"
	"github.com/panelgate/panelgate/e2e/env/dagger"
	"github.com/panelgate/panelgate/e2e/env/embedded"
	"github.com/panelgate/panelgate/e2e/matrix"
	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/stack"
)

// defaultMatrix is what --matrix default reads.
//
//go:embed matrix.yml
var defaultMatrix []byte

// matrixFlags say which versions are tried, and how.
type matrixFlags struct {
	file               string
	combine            string
	parallel           int
	triton, dcgm, node string
	vllm               string
}

func (m *matrixFlags) addTo(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&m.file, "matrix", "", "check the stack with each combination of the versions in `FILE|default`, and say which panel breaks where. default is built in. --grafana, --prometheus, --triton, --dcgm, --node and --vllm name versions here, in place of the file's")
	f.StringVar(&m.triton, "triton", "", "`versions` of Triton to try, of those that its fake acts out, as 22.01,26.06, or 20.06..24.07 for all from one to the other")
	f.StringVar(&m.dcgm, "dcgm", "", "`versions` of dcgm-exporter to try, as 3.3.5,4.8.2,main")
	f.StringVar(&m.node, "node", "", "`versions` of node_exporter to try, as 1.9.1")
	f.StringVar(&m.vllm, "vllm", "", "`versions` of vLLM to try, as 0.11.0")
	f.StringVar(&m.combine, "combine", "", "of a matrix, run `all|pairwise`: every combination, or so many that every two versions meet (default: all of up to 16)")
	f.IntVar(&m.parallel, "parallel", 0, "of a matrix, run `N` cells at once (default: half as many as there are processors)")
	completeFlag(cmd, "combine", "all", "pairwise")
}

// matrixFlagNames mean something with a matrix only.
func matrixFlagNames() []string {
	return append(append([]string{"matrix"}, matrix.Exporters()...), howMatrixRuns()...)
}

// varies says whether versions are to be tried: --prometheus and --grafana are URLs
// with --env attach, and versions elsewhere.
func (c *checkFlags) varies(given func(flag string) bool) bool {
	if c.env.name == attach.Name {
		return false
	}
	return varied(given)
}

// varied says whether a flag names versions to try.
func varied(given func(flag string) bool) bool {
	return slices.ContainsFunc(append(matrix.Names(), "matrix"), given)
}

// howMatrixRuns are the flags that mean something only beside one that names versions.
func howMatrixRuns() []string { return []string{"combine", "parallel"} }

// needless refuses flags that only say how a matrix is run.
func (m *matrixFlags) needless(given func(flag string) bool) error {
	for _, name := range matrixFlagNames() {
		if given(name) {
			return fmt.Errorf("--%s says how a matrix is run: name one with --matrix FILE, or versions with --grafana, --prometheus, --triton, --dcgm, --node or --vllm", name)
		}
	}
	return nil
}

// prover proves the stack with the versions of one cell, wherever it runs, and tells
// of it as a report does: also of why it could not be run.
type prover func(ctx context.Context, cell matrix.Cell) *report.Document

// matrixRun is a matrix on its way.
type matrixRun struct {
	*checkFlags
	base     e2e.Options // what every cell has in common
	plan     *matrix.Plan
	cells    []matrix.Cell
	failOn   rule.Severity
	stderr   io.Writer
	progress *report.Progress
	parallel int
	sessions []*dagger.Session    // of dagger
	places   chan *dagger.Session // one for each cell that a session takes at once

	mu        sync.Mutex
	documents map[string]*report.Document // by the cell's key
	done      int
}

// checkMatrix runs a matrix and tells of it, a failure to begin it included.
func (c *checkFlags) checkMatrix(cmd *cobra.Command, stdout, stderr io.Writer) error {
	began := time.Now()
	actions, err := c.onActions()
	if err != nil {
		return usage(err)
	}
	if _, err := c.onStandardOutput(); err != nil {
		return usage(err)
	}
	result, err := c.runMatrix(cmd, stderr)
	result.Version, result.StackDir, result.Where, result.Took = version(), c.stackDir, c.env.name, time.Since(began)
	result.Shard = c.shard.text
	if err != nil {
		result.Verdict, result.Err, result.ExitCode = report.Failed, err, codeOf(err)
	}
	if writeErr := c.writeMatrix(stdout, stderr, result, actions); writeErr != nil {
		return notRun(writeErr)
	}
	if err != nil {
		return err
	}
	if result.ExitCode != exitClean {
		return &exitError{code: result.ExitCode}
	}
	return nil
}

// writeMatrix writes every report.
func (c *checkFlags) writeMatrix(stdout, stderr io.Writer, result report.MatrixResult, actions bool) (err error) {
	if result.Checkout, err = checkoutOf(result.StackDir); err != nil {
		return err
	}
	instead, err := c.onStandardOutput()
	errs := []error{err}
	if instead == "" && result.Err == nil { // else the error says it all
		errs = append(errs, disarmed(stdout, actions, func(w io.Writer) error { return report.Matrix(w, result, c.textOptions(stdout)) }))
	}
	for _, x := range formats() {
		switch name := c.file(x.name); {
		case name == "" || x.matrix == nil:
		case name == standardOutput:
			errs = append(errs, x.matrix(stdout, result))
		default:
			errs = append(errs, writeFile(name, x.name, func(w io.Writer) error { return x.matrix(w, result) }))
		}
	}
	if actions {
		annotated := result
		annotated.Checkout = onWorkspace(result.Checkout)
		errs = append(errs, report.MatrixAnnotations(stderr, annotated), summarize(func(w io.Writer) error { return report.MatrixMarkdown(w, result) }))
	}
	return errors.Join(errs...)
}

// runMatrix runs every cell. An error means that none was begun.
func (c *checkFlags) runMatrix(cmd *cobra.Command, stderr io.Writer) (_ report.MatrixResult, err error) {
	m, err := c.newMatrix(cmd, stderr)
	if err != nil {
		return report.MatrixResult{}, err
	}
	timeout := c.timeout
	if !cmd.Flags().Changed("timeout") {
		timeout *= time.Duration((len(m.cells) + m.parallel - 1) / m.parallel)
	}
	ctx, cancel := context.WithTimeoutCause(cmd.Context(), timeout,
		fmt.Errorf("not finished after %s: raise --timeout, name fewer versions, or share the matrix among several runs with --shard", timeout))
	defer cancel()
	if m.env.name == dagger.Name {
		if err := m.reachEngines(ctx); err != nil {
			return report.MatrixResult{}, ended(ctx, err, "reaching the Dagger engines")
		}
		defer func() { err = errors.Join(err, m.closeEngines()) }()
	} else if err := m.unpack(ctx); err != nil {
		return report.MatrixResult{}, ended(ctx, err, "loading images")
	}
	results := matrix.Run(ctx, m.cells, m.parallel, func(ctx context.Context, cell matrix.Cell) matrix.Outcome {
		d := m.prover()(ctx, cell)
		m.mu.Lock()
		defer m.mu.Unlock()
		m.documents[cell.Key()] = d
		return report.Outcome(d, m.failOn)
	}, m.tell)
	m.progress.Clear()
	out := report.MatrixResult{Plan: m.plan, Results: results}
	for _, r := range results {
		out.Documents = append(out.Documents, m.documents[r.Cell.Key()])
	}
	out.Verdict, out.ExitCode = m.verdict(out)
	return out, nil
}

// newMatrix understands the flags and reads the files: everything that can be wrong
// usage is told before anything is started.
func (c *checkFlags) newMatrix(cmd *cobra.Command, stderr io.Writer) (*matrixRun, error) {
	given := cmd.Flags().Changed
	m := &matrixRun{checkFlags: c, stderr: stderr, progress: report.NewProgress(stderr), documents: map[string]*report.Document{}}
	if name := c.ofOneRun(); name != "" {
		return nil, usage(fmt.Errorf("--%s tells of one run: a matrix writes text, --json, --junit and --markdown", name))
	}
	if given("shards") {
		return nil, usage(errors.New("--shards shares the dashboards of one run: a matrix runs several cells at once with --parallel"))
	}
	if c.pictures.wanted() {
		return nil, usage(errors.New("--png and --screenshots are of one run: a matrix writes text and --json"))
	}
	c.shard.cells = true
	var err error
	if err := c.env.options(&m.base, func(flag string) bool {
		return flag != matrix.Prometheus && flag != matrix.Grafana && given(flag) // they are versions here
	}); err != nil {
		return nil, usage(err)
	}
	if m.plan, err = c.plan(given); err != nil {
		return nil, usage(err)
	}
	if err := m.possible(); err != nil {
		return nil, usage(err)
	}
	if m.base.History, err = c.times(); err != nil {
		return nil, err
	}
	p, err := c.prepare(cmd.Context(), io.Discard)
	if err != nil {
		return nil, ended(cmd.Context(), err, "reading the files")
	}
	m.failOn = p.failOn
	if c.verbose {
		m.progress = report.NewProgress(io.Discard)
	}
	if err := m.resolve(p.stack); err != nil {
		return nil, usage(err)
	}
	if m.parallel, err = c.matrix.atOnce(given("parallel")); err != nil {
		return nil, usage(err)
	}
	if m.cells, err = m.plan.Cells(); err != nil {
		return nil, usage(err)
	}
	return m, m.choose()
}

// plan is the file's, with the axes of the command line in place of its own.
func (c *checkFlags) plan(given func(flag string) bool) (*matrix.Plan, error) {
	p := &matrix.Plan{}
	var err error
	switch file := c.matrix.file; {
	case given("matrix") && file == "":
		return nil, errors.New("--matrix names no file: --matrix default is built in")
	case file == "default":
		p, err = matrix.Parse("ci/matrix.yml", defaultMatrix)
	case file != "":
		p, err = matrix.Read(file)
	}
	if err != nil {
		return nil, err
	}
	for _, axis := range []struct{ name, text string }{
		{matrix.Grafana, c.env.grafana}, {matrix.Prometheus, c.env.prometheus},
		{matrix.Triton, c.matrix.triton}, {matrix.DCGM, c.matrix.dcgm}, {matrix.Node, c.matrix.node}, {matrix.VLLM, c.matrix.vllm},
	} {
		if !given(axis.name) {
			continue
		}
		if strings.Contains(axis.text, "://") {
			return nil, fmt.Errorf("--%s: a URL is that of a server that runs, which --env attach asks; with --env docker or dagger it takes versions, as 12.4.5,13.2.3", axis.name)
		}
		a, err := matrix.ParseAxis(axis.name, axis.text)
		if err != nil {
			return nil, fmt.Errorf("--%s: %w", axis.name, err)
		}
		p.Set(a)
	}
	if given("combine") {
		if p.Combine, err = matrix.ParseCombine(c.matrix.combine); err != nil {
			return nil, fmt.Errorf("--combine %w", err)
		}
	}
	return p, nil
}

// possible says whether the environment can vary what the plan does.
func (m *matrixRun) possible() error {
	if m.env.upgradeFrom != "" {
		return errors.New("--upgrade-from and --matrix do not go together: an upgrade is from one version to another")
	}
	for _, name := range matrix.Servers() {
		if m.plan.Axis(name) != nil && m.env.name == embedded.Name {
			return fmt.Errorf("--env embedded has no other %s than its own: its versions are tried with --env docker or dagger", name)
		}
	}
	return nil
}

// resolve gives each tag its image.
func (m *matrixRun) resolve(s *stack.Stack) error {
	images := map[string]string{}
	if s.Prometheus != nil && s.Prometheus.Service != nil {
		images[matrix.Prometheus] = s.Prometheus.Service.Image.Value
	}
	if s.Grafana != nil && s.Grafana.Service != nil {
		images[matrix.Grafana] = s.Grafana.Service.Image.Value
	}
	if err := m.plan.On(images); err != nil {
		return err
	}
	for role, service := range services(s) {
		if m.plan.Axis(role) == nil {
			continue
		}
		for _, image := range strings.Split(strings.Join(m.env.images, ","), ",") {
			if name, _, _ := strings.Cut(strings.TrimSpace(image), "="); name == role || name == service {
				return fmt.Errorf("--image %s and the versions of %s both say which image runs: give one of them", image, role)
			}
		}
	}
	return m.plan.Mirrored(m.base.Containers.Images.Mirrored)
}

// choose leaves the cells of this shard.
func (m *matrixRun) choose() error {
	part, err := m.shard.parse()
	if err != nil || part.Whole() {
		return err
	}
	all := len(m.cells)
	if m.cells = matrix.Part(m.cells, part); len(m.cells) == 0 {
		return notRun(fmt.Errorf("--shard %s: nothing to check, since the matrix has no more than %d cells", part, all))
	}
	return nil
}

// atOnce is how many cells run at the same time. Each has two servers that start on
// a processor of their own, and the rest of the machine has to be asked by somebody.
func (m *matrixFlags) atOnce(given bool) (int, error) {
	const most = 64
	switch {
	case !given:
		return max(runtime.NumCPU()/2, 1), nil
	case m.parallel < 1 || m.parallel > most:
		return 0, fmt.Errorf("--parallel %d: want between 1 and %d cells at once", m.parallel, most)
	}
	return m.parallel, nil
}

func (m *matrixRun) finished() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.done
}

// tell prints a line as soon as a cell has come out.
func (m *matrixRun) tell(r matrix.Result) {
	m.mu.Lock()
	m.done++
	done := m.done
	m.mu.Unlock()
	m.progress.Clear()
	report.CellLine(m.stderr, done, len(m.cells), r)
}

// verdict is that of all cells: what could not be run outranks what failed.
func (m *matrixRun) verdict(out report.MatrixResult) (report.Verdict, int) {
	code := exitClean
	for i, r := range out.Results {
		switch d := out.Documents[i]; {
		case d != nil && r.Outcome.Err == d.Error:
			code = max(code, d.ExitCode)
		default:
			code = exitNotRun
		}
	}
	switch code {
	case exitClean:
		return report.Pass, code
	case exitFindings:
		return report.Fail, code
	}
	return report.Failed, code
}
