package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/panelgate/panelgate/ci/report"
	"github.com/panelgate/panelgate/e2e/env/dagger"
	"github.com/panelgate/panelgate/e2e/matrix"
)

// reachEngines opens a session with each engine. A cell runs wherever there is a place.
func (m *matrixRun) reachEngines(ctx context.Context) error {
	addresses := m.env.engines
	if len(addresses) == 0 {
		addresses = []string{""} // that of the session, or Dagger's own choice
	}
	m.places = make(chan *dagger.Session, len(addresses)*m.parallel)
	var log io.Writer
	if m.verbose {
		log = m.stderr
	}
	for _, address := range addresses {
		m.progress.Show("reaching the Dagger engine "+address, 0, 0)
		session, err := dagger.Connect(ctx, address, log)
		if err != nil {
			return errors.Join(err, m.closeEngines())
		}
		m.sessions = append(m.sessions, session)
		for range m.parallel {
			m.places <- session
		}
	}
	m.parallel *= len(addresses)
	return nil
}

func (m *matrixRun) closeEngines() error {
	var err error
	for _, s := range m.sessions {
		err = errors.Join(err, s.Close())
	}
	m.sessions = nil
	return err
}

// inPipeline proves a cell by the gate in a container of the pipeline.
func (m *matrixRun) inPipeline(ctx context.Context, cell matrix.Cell) *report.Document {
	began := time.Now()
	document, err := m.proveThere(ctx, cell)
	if err != nil {
		return report.NewDocument(m.result(m.env.name, began, nil, m.failOn, err))
	}
	return document
}

func (m *matrixRun) proveThere(ctx context.Context, cell matrix.Cell) (_ *report.Document, err error) {
	began := time.Now()
	p, err := m.prepare(ctx, io.Discard)
	if err != nil {
		return nil, ended(ctx, err, "reading the files")
	}
	p.opts.History = m.base.History
	p.opts.Containers = m.containers(cell, p.stack)
	p.opts.Releases = cell.Releases()
	stage := report.NewProgress(io.Discard)
	p.opts.Progress = func(what string, done, total int) {
		stage.Show(what, done, total)
		m.progress.Show(fmt.Sprintf("%d of %d cells, %s: %s", m.finished(), len(m.cells), cell.Label, what), done, total)
	}
	gate, err := m.gate(p)
	if err != nil {
		return nil, notRun(err)
	}
	select {
	case gate.Session = <-m.places:
	case <-ctx.Done():
		return nil, ended(ctx, context.Cause(ctx), "waiting for an engine")
	}
	defer func() { m.places <- gate.Session }()
	gate.Began = began
	ran, err := gate.Run(ctx)
	if err != nil {
		return nil, ended(ctx, err, stage.Stage())
	}
	defer func() { err = errors.Join(err, os.RemoveAll(ran.Dir)) }()
	if err := copyLogs(ran, p.opts.Containers.Logs); err != nil {
		return nil, notRun(err)
	}
	document, err := readPiped(ran, nil)
	if err != nil {
		return nil, notRun(err)
	}
	if len(m.sessions) > 1 {
		document.Notes = append(document.Notes, "ran in the Dagger engine at "+gate.Session.Engine)
	}
	return document, nil
}
