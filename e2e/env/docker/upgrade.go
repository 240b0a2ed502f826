package docker

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/e2e/grafana"
	"github.com/panelgate/panelgate/stack"
)

// Upgrade starts an older revision of the stack, stops it as `docker compose up`
// would before it starts a newer one, and starts s on what the older one kept: its
// Grafana's database and its Prometheus' blocks. What Grafana had then is in the
// instance as Before.
func Upgrade(ctx context.Context, older, s *stack.Stack, opts Options) (_ env.Env, err error) {
	data, err := NewData(ctx, opts.Past.Logger)
	if err != nil {
		return nil, err
	}
	e := &upgraded{data: data}
	started := false
	defer func() {
		if !started {
			err = errors.Join(err, e.Close())
		}
	}()
	opts.Data = data
	before, err := e.runOlder(ctx, older, &opts)
	if err != nil {
		return nil, fmt.Errorf("start the older revision: %w", err)
	}
	e.Env, err = Start(ctx, s, opts)
	if err != nil {
		return nil, err
	}
	e.before = before
	started = true
	return e, nil
}

// upgraded is a stack that runs on what an older one kept.
type upgraded struct {
	env.Env
	data   *Data
	before *env.Before
	once   sync.Once
	err    error
}

// Instance implements env.Env.
func (e *upgraded) Instance() env.Instance {
	i := e.Env.Instance()
	i.Before = e.before
	return i
}

// Close implements env.Env.
func (e *upgraded) Close() error {
	e.once.Do(func() {
		if e.Env != nil {
			e.err = e.Env.Close()
		}
		e.err = errors.Join(e.err, e.data.Close())
	})
	return e.err
}

// runOlder brings the older revision up, takes down what its Grafana serves, and
// stops it in good order. The newer one goes on in the same world.
func (e *upgraded) runOlder(ctx context.Context, older *stack.Stack, opts *Options) (_ *env.Before, err error) {
	running, err := Start(ctx, older, *opts)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, running.Close()) }()
	instance := running.Instance()
	if len(instance.Faults) > 0 {
		f := instance.Faults[0]
		return nil, &ExitError{Service: f.Service.Name, Code: f.ExitCode, Log: f.Log}
	}
	before := &env.Before{}
	if g := instance.Grafana; g != nil {
		if err := takeDown(ctx, g, before); err != nil {
			return nil, err
		}
	}
	opts.Past.World, opts.Past.From = instance.World, instance.From
	opts.Data.laid = true
	return before, running.(*Env).run.stop(ctx)
}

func takeDown(ctx context.Context, g *grafana.Client, before *env.Before) error {
	var err error
	if before.Datasources, err = g.Datasources(ctx); err != nil {
		return fmt.Errorf("list the datasources of the older revision: %w", err)
	}
	if before.Dashboards, err = g.Dashboards(ctx); err != nil {
		return fmt.Errorf("list the dashboards of the older revision: %w", err)
	}
	return nil
}

// stop ends the servers so that what they keep is whole.
func (r *run) stop(ctx context.Context) error {
	for _, c := range r.servers {
		if err := c.stop(ctx); err != nil {
			return err
		}
	}
	return nil
}
