package containers

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/e2e/env/embedded"
	"github.com/panelgate/panelgate/e2e/grafana"
	"github.com/panelgate/panelgate/stack"
)

// olderImage begins the names of overrides that are for the older revision alone.
const olderImage = "old."

// Revision is a stack as it was at a time, and what surrounds its Prometheus.
type Revision struct {
	Stack *stack.Stack
	Past  embedded.Options
}

// Upgrade starts an older revision of the stack, stops it as `docker compose up`
// does before it starts a newer one, and starts s on what the older one kept: its
// Grafana's database and its Prometheus' blocks. What Grafana had then is in the
// instance as Before. A server that ends, and comes up where it begins with nothing,
// is a fault that says so. That the older revision does not start is an error:
// nothing is proven of s then.
func Upgrade(ctx context.Context, older Revision, s *stack.Stack, opts Options) (_ env.Env, err error) {
	before, after, err := opts.Images.split(older.Stack, s)
	if err != nil {
		return nil, err
	}
	data, err := newData(ctx, opts)
	if err != nil {
		return nil, err
	}
	e := &upgraded{data: data, before: &env.Before{}}
	started := false
	defer func() { // on errors, and on panics too
		if !started {
			err = errors.Join(err, e.Close())
		}
	}()
	first := opts
	first.Past, first.Images, first.Data = older.Past, before, data
	running, err := e.runOlder(ctx, older.Stack, first)
	if err != nil {
		return nil, fmt.Errorf("the older revision does not start, so nothing can be upgraded from it: %w", err)
	}
	was := data.places()
	// The newer one goes on in the same world.
	opts.Past.World, opts.Past.From = running.World, running.From
	opts.Images = after
	alone := opts
	opts.Data = data
	if e.Env, err = Start(ctx, s, opts); err != nil {
		return nil, fmt.Errorf("on the data that the older revision has kept: %w", err)
	}
	e.instance = e.Env.Instance()
	if err := tellApart(ctx, s, alone, e.instance.Faults); err != nil {
		return nil, err
	}
	e.before.Left = leftBehind(s, was, data.places())
	e.instance.Before = e.before
	started = true
	return e, nil
}

// upgraded is a stack that runs on what an older one kept.
type upgraded struct {
	env.Env
	instance env.Instance
	data     *Data
	before   *env.Before
	once     sync.Once
	err      error
}

// Instance implements env.Env.
func (e *upgraded) Instance() env.Instance { return e.instance }

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
// stops it in good order.
func (e *upgraded) runOlder(ctx context.Context, older *stack.Stack, opts Options) (_ env.Instance, err error) {
	running, err := Start(ctx, older, opts)
	if err != nil {
		return env.Instance{}, err
	}
	defer func() { err = errors.Join(err, running.Close()) }()
	instance := running.Instance()
	for _, f := range instance.Faults {
		err = errors.Join(err, &ExitError{Service: f.Service.Name, Code: f.ExitCode, Log: f.Log})
	}
	if err != nil {
		return instance, err
	}
	if g := instance.Grafana; g != nil {
		if err := takeDown(ctx, g, e.before); err != nil {
			return instance, err
		}
	}
	e.data.scraped(instance.Targets, instance.Laid)
	r := running.(*Env).run
	r.progress("stopping the older revision", 0, 0)
	return instance, r.stop(ctx)
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

// stop ends the servers so that what they keep is whole, each in the time that the
// compose file gives it.
func (r *run) stop(ctx context.Context) error {
	for _, role := range slices.Sorted(maps.Keys(r.servers)) {
		c := r.servers[role]
		patience := stopTime
		for _, s := range r.startedServices() {
			if s.Name == c.Name() && s.StopGracePeriod > 0 {
				patience = s.StopGracePeriod
			}
		}
		if err := c.Stop(ctx, patience); err != nil {
			return err
		}
	}
	return nil
}

// stopTime is how long a server may take to end. Compose's own ten seconds are
// too few for a machine that does much else.
const stopTime = 30 * time.Second

// tellApart finds out which servers would have come up on nothing: those are the
// upgrade's fault.
func tellApart(ctx context.Context, s *stack.Stack, opts Options, faults []env.Fault) (err error) {
	if len(faults) == 0 {
		return nil
	}
	opts.Past.World, opts.Past.From = nil, time.Time{}
	fresh, err := Start(ctx, s, opts)
	if err != nil {
		return fmt.Errorf("start the stack on nothing, to see whether the older revision's data is what it fails on: %w", err)
	}
	defer func() { err = errors.Join(err, fresh.Close()) }()
	for i := range faults {
		faults[i].OnOldData = !slices.ContainsFunc(fresh.Instance().Faults, func(f env.Fault) bool { return f.Role == faults[i].Role })
	}
	return nil
}

// leftBehind are the servers that do not find the data that the older revision has
// kept for them.
func leftBehind(s *stack.Stack, was, is map[env.Role]keeping) []env.Left {
	services := map[env.Role]*stack.Service{env.RolePrometheus: s.Prometheus.Service}
	if s.Grafana != nil {
		services[env.RoleGrafana] = s.Grafana.Service
	}
	var out []env.Left
	for _, role := range []env.Role{env.RolePrometheus, env.RoleGrafana} {
		if service := services[role]; service != nil && was[role].volume != "" && was[role].volume != is[role].volume {
			out = append(out, env.Left{Role: role, Service: service, Was: was[role].text, Is: is[role].text, Pos: is[role].pos})
		}
	}
	return out
}

// split are the overrides for each of two revisions: a name is that of a service or
// role in either, "old.NAME" in the older one alone.
func (i Images) split(older, newer *stack.Stack) (before, after Images, err error) {
	before, after = i, i
	before.Override, after.Override = map[string]string{}, map[string]string{}
	was, is := containers(older), containers(newer)
	known := maps.Clone(was)
	maps.Copy(known, is)
	only := map[string]string{}
	for name, image := range i.Override {
		if old, ok := strings.CutPrefix(name, olderImage); ok && !known[name] {
			only[old] = image
			name = old
		} else if is[name] {
			after.Override[name] = image
		}
		if was[name] {
			before.Override[name] = image
		}
		if !known[name] {
			return before, after, Images{Override: map[string]string{name: image}}.unused(known)
		}
	}
	maps.Copy(before.Override, only)
	return before, after, nil
}

// containers are the names that a run's containers go by in --image.
func containers(s *stack.Stack) map[string]bool {
	r := run{stack: s}
	out := map[string]bool{fakesName: true}
	for role, service := range r.roles() {
		out[role], out[service.Name] = true, true
	}
	return out
}
