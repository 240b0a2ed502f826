package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/panelgate/panelgate/ci/report"
	"github.com/panelgate/panelgate/e2e/env/dagger"
	"github.com/panelgate/panelgate/e2e/shard"
)

// sharding is a check by several gates side by side in the pipeline, each of which has a
// shard of the dashboards and servers of its own.
type sharding struct {
	*checkFlags
	base   dagger.Gate // what all of them have in common
	p      *prepared
	shards []shard.Shard

	mu   sync.Mutex
	done int
}

// checkInShards is check, run by several gates in containers of the pipeline.
func (c *checkFlags) checkInShards(cmd *cobra.Command, stdout, stderr io.Writer) (err error) {
	began := time.Now()
	if c.tell, err = c.newTeller(stdout, stderr); err != nil {
		return err
	}
	c.tell.emit(report.Start(version(), c.stackDir, c.env.name, began))
	told, err := c.pipeShards(cmd, stderr, began)
	if err != nil {
		return c.tellOut(c.result(c.env.name, began, nil, 0, err), err)
	}
	whole, err := report.Merge(told)
	if err != nil {
		err = notRun(err)
		return c.tellOut(c.result(c.env.name, began, nil, 0, err), err)
	}
	return c.tellWhole(whole)
}

// pipeShards runs a gate for each shard.
func (c *checkFlags) pipeShards(cmd *cobra.Command, stderr io.Writer, began time.Time) (_ []report.Told, err error) {
	ctx, cancel, p, err := c.begin(cmd, stderr)
	defer cancel()
	if err != nil {
		return nil, err
	}
	defer p.progress.Clear()
	x := &sharding{checkFlags: c, p: p}
	if x.shards, err = shard.All(c.env.shards); err != nil {
		return nil, usage(fmt.Errorf("--shards %w", err))
	}
	session, err := c.session(ctx, p)
	if err != nil {
		return nil, ended(ctx, err, p.progress.Stage())
	}
	defer func() { err = errors.Join(err, session.Close()) }()
	if x.base, err = c.gate(p); err != nil {
		return nil, notRun(err)
	}
	x.base.Session, x.base.Began = session, began
	told := make([]report.Told, len(x.shards))
	var gates errgroup.Group
	running, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	for i, s := range x.shards {
		gates.Go(func() error {
			d, err := x.run(running, s)
			if err != nil {
				err = fmt.Errorf("shard %s: %w", s, err)
				stop(err) // without it there is no whole
				return err
			}
			told[i] = report.Told{From: "shard " + s.String(), Document: d}
			return nil
		})
	}
	err = gates.Wait()
	var exit *exitError
	if errors.As(err, &exit) && ctx.Err() == nil {
		return nil, &exitError{code: exit.code, err: err}
	}
	return told, ended(ctx, err, p.progress.Stage())
}

// run is the gate of one shard, and what it has told.
func (x *sharding) run(ctx context.Context, s shard.Shard) (_ *report.Document, err error) {
	gate := x.base
	p := *x.p
	p.opts.Shard = s
	gate.Args = x.pipedArgs(&p)
	gate.Progress = func(stage string, done, total int) { x.progress(s, stage, done, total) }
	if gate.Logger != nil {
		gate.Logger = gate.Logger.With("shard", s.String())
	}
	ran, err := gate.Run(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(ran.Dir)) }()
	if x.env.logs != "" {
		if err := copyLogs(ran, filepath.Join(x.env.logs, fmt.Sprintf("shard-%d", s.Number))); err != nil {
			return nil, err
		}
	}
	d, err := readPiped(ran, nil)
	if err != nil {
		return nil, err
	}
	if d.Verdict == report.Failed {
		return nil, &exitError{code: d.ExitCode, err: errors.New(strings.TrimSpace(d.Error))}
	}
	x.mu.Lock()
	x.done++
	x.mu.Unlock()
	x.progress(s, "done", 0, 0)
	return d, nil
}

// progress says what a shard is doing, and how many are done.
func (x *sharding) progress(s shard.Shard, stage string, done, total int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.p.opts.Progress(fmt.Sprintf("%d of %d shards, %s: %s", x.done, len(x.shards), s, stage), done, total)
}

// shardable says whether the gates of a sharded run can be.
func (e *envFlags) shardable(given func(flag string) bool) error {
	switch {
	case !given("shards"):
		return nil
	case e.tunnel:
		return errors.New("--shards runs gates in the pipeline, and --tunnel asks from here: leave out one of them")
	case given("shard"):
		return errors.New("--shard is one part and --shards has all of them run: give one of the two")
	}
	_, err := shard.All(e.shards)
	if err != nil {
		return fmt.Errorf("--shards %w", err)
	}
	return nil
}
