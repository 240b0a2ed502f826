package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"path/filepath"
	"time"

	"github.com/panelgate/panelgate/ci/report"
	"github.com/panelgate/panelgate/e2e"
	"github.com/panelgate/panelgate/e2e/env/containers"
	"github.com/panelgate/panelgate/e2e/matrix"
	"github.com/panelgate/panelgate/stack"
)

// prover is that of the environment.
func (m *matrixRun) prover() prover {
	if m.env.piped() {
		return m.inPipeline
	}
	return m.inProcess
}

// inProcess proves a cell from here, on a stack of its own.
func (m *matrixRun) inProcess(ctx context.Context, cell matrix.Cell) *report.Document {
	began := time.Now()
	proved, err := m.proveHere(ctx, cell)
	return report.NewDocument(m.result(m.env.name, began, proved, m.failOn, err))
}

func (m *matrixRun) proveHere(ctx context.Context, cell matrix.Cell) (*e2e.Report, error) {
	p, err := m.prepare(ctx, m.stderr)
	if err != nil {
		return nil, ended(ctx, err, "reading the files")
	}
	stage := report.NewProgress(io.Discard)
	p.opts.Progress = func(what string, done, total int) {
		stage.Show(what, done, total)
		m.progress.Show(fmt.Sprintf("%d of %d cells, %s: %s", m.finished(), len(m.cells), cell.Label, what), done, total)
	}
	if p.opts.Logger == nil {
		p.opts.Logger = slog.New(slog.DiscardHandler)
	}
	p.opts.Logger = p.opts.Logger.With("cell", cell.Label)
	p.opts.History, p.opts.Env = m.base.History, m.base.Env
	p.opts.Releases = cell.Releases()
	p.opts.Containers = m.containers(cell, p.stack)
	if v, ok := cell.Value(matrix.Grafana); ok && v.Image != "" && p.stack.Grafana != nil {
		p.stack.Grafana.Version = stack.ImageVersion(v.Image)
	}
	if len(m.sessions) > 0 {
		p.opts.Dagger = m.base.Dagger
		p.opts.Dagger.Session = <-m.places
		defer func() { m.places <- p.opts.Dagger.Session }()
	}
	result, err := e2e.Verify(ctx, p.stack, p.opts)
	return result, ended(ctx, err, stage.Stage())
}

// containers are the options of a cell in docker: its images, which win over those
// of the environment, its settings, and a directory of its own for logs.
func (m *matrixRun) containers(cell matrix.Cell, s *stack.Stack) containers.Options {
	opts := m.base.Containers
	opts.Images.Override, opts.Environment = maps.Clone(opts.Images.Override), maps.Clone(opts.Environment)
	if opts.Environment == nil {
		opts.Environment = map[string]map[string]string{}
	}
	if opts.Images.Override == nil {
		opts.Images.Override = map[string]string{}
	}
	for role, service := range services(s) {
		v, ok := cell.Value(role)
		if !ok {
			continue
		}
		settings := maps.Clone(opts.Environment[role])
		if settings == nil {
			settings = map[string]string{}
		}
		maps.Copy(settings, v.Environment)
		opts.Environment[role] = settings
		if v.Image != "" {
			delete(opts.Images.Override, service)
			opts.Images.Override[role] = v.Image
		}
	}
	if opts.Logs != "" {
		opts.Logs = filepath.Join(opts.Logs, cell.Dir())
	}
	return opts
}

// services are the names of the servers' services, by role.
func services(s *stack.Stack) map[string]string {
	out := map[string]string{}
	if s.Prometheus != nil && s.Prometheus.Service != nil {
		out[stack.RolePrometheus] = s.Prometheus.Service.Name
	}
	if s.Grafana != nil && s.Grafana.Service != nil {
		out[stack.RoleGrafana] = s.Grafana.Service.Name
	}
	return out
}
