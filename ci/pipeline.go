package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/panelgate/panelgate/ci/report"
	"github.com/panelgate/panelgate/e2e/env/containers"
	"github.com/panelgate/panelgate/e2e/env/dagger"
)

// What the gate in the pipeline brings back.
const (
	pipedEvents = "report.ndjson"
	pipedLogs   = "logs"
)

// piped says whether the gate is to run in a container of the pipeline: where the stack
// runs there, and this is not that container, nor asks through tunnels.
func (e *envFlags) piped() bool {
	return e.name == dagger.Name && e.inside == "" && !e.tunnel
}

// session reaches the Dagger engine.
func (c *checkFlags) session(ctx context.Context, p *prepared) (*dagger.Session, error) {
	if len(c.env.engines) > 1 {
		return nil, usage(errors.New("several --engine are for a matrix, whose cells they share"))
	}
	address := ""
	if len(c.env.engines) == 1 {
		address = c.env.engines[0]
	}
	p.opts.Progress("reaching the Dagger engine", 0, 0)
	var log io.Writer
	if c.verbose {
		log = os.Stderr
	}
	return dagger.Connect(ctx, address, log)
}

// checkInPipeline is check, run by this very program in a container of the pipeline.
// What that has told is told on.
func (c *checkFlags) checkInPipeline(cmd *cobra.Command, stdout, stderr io.Writer) (err error) {
	began := time.Now()
	if c.tell, err = c.newTeller(stdout, stderr); err != nil {
		return err
	}
	c.tell.emit(report.Start(version(), c.stackDir, c.env.name, began))
	ran, err := c.pipe(cmd, stderr, began)
	if err == nil {
		err = errors.Join(c.bringBack(ran), os.RemoveAll(ran.Dir))
	}
	if err != nil {
		for e := range report.Events(c.result(c.env.name, began, nil, 0, err)) {
			c.tell.emit(e)
		}
	}
	if writeErr := c.tell.finish(c.textOptions(stdout)); writeErr != nil {
		return notRun(writeErr)
	}
	switch d := c.tell.document; {
	case err != nil:
		return err
	case d.ExitCode == exitClean:
		return nil
	case d.Error != "":
		return &exitError{code: d.ExitCode, err: errors.New(d.Error)}
	default:
		return &exitError{code: d.ExitCode}
	}
}

// pipe runs the gate in the pipeline.
func (c *checkFlags) pipe(cmd *cobra.Command, stderr io.Writer, began time.Time) (ran *dagger.Ran, err error) {
	ctx, cancel, p, err := c.begin(cmd, stderr)
	defer cancel()
	if err != nil {
		return nil, err
	}
	defer p.progress.Clear()
	session, err := c.session(ctx, p)
	if err != nil {
		return nil, ended(ctx, err, p.progress.Stage())
	}
	defer func() { err = errors.Join(err, session.Close()) }()
	gate, err := c.gate(p)
	if err != nil {
		return nil, notRun(err)
	}
	gate.Session = session
	gate.Began = began
	ran, err = gate.Run(ctx)
	return ran, ended(ctx, err, p.progress.Stage())
}

// gate is the run in the pipeline that does what the flags say.
func (c *checkFlags) gate(p *prepared) (dagger.Gate, error) {
	dir, err := os.Getwd()
	if err != nil {
		return dagger.Gate{}, fmt.Errorf("find the working directory: %w", err)
	}
	g := dagger.Gate{Dir: filepath.ToSlash(dir), Variables: map[string]string{}, Progress: p.opts.Progress, Logger: p.opts.Logger}
	further := append([]string{p.opts.Config.File}, p.opts.Config.Files...)
	if strings.ContainsAny(p.opts.Config.Scenario, `/\.`) {
		further = append(further, p.opts.Config.Scenario)
	}
	if g.Files, err = dagger.Files(p.stack, further...); err != nil {
		return g, err
	}
	images := p.opts.Containers.Images.Override
	for name, image := range images {
		file, archived := strings.CutPrefix(image, containers.FromFile)
		if !archived {
			continue
		}
		if file, err = filepath.Abs(file); err != nil {
			return g, err
		}
		images[name] = containers.FromFile + file
		g.Archives = append(g.Archives, file)
	}
	g.Args = c.pipedArgs(p)
	var settings []string // by the variable, which is secret: they may hold secrets
	for service, variables := range p.opts.Containers.Environment {
		for name, value := range variables {
			if strings.Contains(value, "\n") {
				return g, usage(fmt.Errorf("--setting %s:%s: a value of several lines cannot be handed to a Dagger pipeline", service, name))
			}
			settings = append(settings, service+":"+name+"="+value)
		}
	}
	if len(settings) > 0 {
		g.Variables[envName("setting")] = strings.Join(settings, "\n")
	}
	if p.stack.Compose != nil {
		for _, name := range p.stack.Compose.Variables {
			if value, set := os.LookupEnv(name); set {
				g.Variables[name] = value
			}
		}
	}
	return g, nil
}

// pipedArgs are the flags of the gate in the pipeline: those of this one, as they were
// understood.
func (c *checkFlags) pipedArgs(p *prepared) []string {
	args := []string{
		"check", "--env", dagger.Name, "--inside", dagger.FakesFile, "--" + eventStream, path.Join(dagger.OutDir, pipedEvents),
		"--stack", filepath.ToSlash(c.stackDir), "--fail-on", c.failOn, "--history", c.history,
	}
	add := func(flag string, values ...string) {
		for _, v := range values {
			if v != "" {
				args = append(args, "--"+flag, v)
			}
		}
	}
	add("scenario", filepath.ToSlash(c.scenario))
	for name, v := range p.opts.Releases {
		add("acted", name+"="+v)
	}
	add("config", filepath.ToSlash(c.configFile))
	add("dashboard", c.dashboards...)
	add("touched", c.since.told())
	add("shard", p.opts.Shard.String())
	add("service", c.services...)
	for name, image := range p.opts.Containers.Images.Override {
		add("image", name+"="+image)
	}
	add("registry-prefix", c.env.registryPrefix)
	if p.opts.Containers.Logs != "" {
		add("logs", path.Join(dagger.OutDir, pipedLogs))
	}
	args = append(args, "--as-configured="+strconv.FormatBool(c.env.asConfigured), "--verbose="+strconv.FormatBool(c.verbose))
	return args
}

// readPiped is what the gate in the pipeline has told.
func readPiped(ran *dagger.Ran, tell func(report.Event)) (*report.Document, error) {
	f, err := os.Open(ran.File(pipedEvents))
	if err != nil {
		return nil, fmt.Errorf("the gate in the pipeline ended with exit code %d and without a report (%w): %s", ran.ExitCode, err, ran.Said())
	}
	defer func() { _ = f.Close() }() // it was only read
	d, err := report.ReadEvents(f, tell)
	if err != nil {
		return nil, fmt.Errorf("the gate in the pipeline ended with exit code %d: %w: %s", ran.ExitCode, err, ran.Said())
	}
	return d, nil
}

// bringBack tells what the gate in the pipeline has told.
func (c *checkFlags) bringBack(ran *dagger.Ran) error {
	_, err := readPiped(ran, func(e report.Event) {
		if e.Run == nil { // this one's own has been told
			c.tell.emit(e)
		}
	})
	if err == nil {
		err = copyLogs(ran, c.env.logs)
	}
	if err != nil {
		return notRun(err)
	}
	return nil
}

// copyLogs puts the containers' logs where they were asked for.
func copyLogs(ran *dagger.Ran, to string) error {
	if to == "" {
		return nil
	}
	from := ran.File(pipedLogs)
	if _, err := os.Stat(from); errors.Is(err, os.ErrNotExist) {
		return nil // nothing was started
	}
	if err := os.MkdirAll(to, 0o755); err != nil {
		return fmt.Errorf("keep the containers' logs: %w", err)
	}
	logs, err := os.ReadDir(from)
	if err != nil {
		return fmt.Errorf("keep the containers' logs: %w", err)
	}
	for _, l := range logs {
		data, err := os.ReadFile(filepath.Join(from, l.Name()))
		if err == nil {
			err = os.WriteFile(filepath.Join(to, l.Name()), data, 0o644)
		}
		if err != nil {
			return fmt.Errorf("keep the containers' logs: %w", err)
		}
	}
	return nil
}

// paints says whether the text is in colour.
func (c *checkFlags) paints(stdout io.Writer) bool {
	return !c.noColor && os.Getenv("NO_COLOR") == "" && report.IsTerminal(stdout)
}
