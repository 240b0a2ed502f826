package containers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/api"
	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"

	"github.com/panelgate/panelgate/e2e/env"
)

// log is what a server has printed so far.
func (r *run) log(ctx context.Context, role env.Role) ([]string, error) {
	r.mu.Lock()
	c := r.servers[role]
	r.mu.Unlock()
	if c == nil {
		return nil, nil
	}
	return c.Log(ctx)
}

// died says which server has ended since it was ready. One that never was is a fault.
func (r *run) died(ctx context.Context) error {
	for _, role := range []env.Role{env.RolePrometheus, env.RoleGrafana} {
		r.mu.Lock()
		c, up := r.servers[role], r.up[role]
		r.mu.Unlock()
		if !up { // a fault of the instance
			continue
		}
		code, ended, err := c.Exited(ctx)
		if err != nil {
			return err
		}
		if ended {
			return r.exitOf(ctx, c, code)
		}
	}
	return nil
}

// failed says which server does not answer any more. One that takes too long over a
// question may be busy with that alone: they are asked whether they are there.
func (r *run) failed(ctx context.Context, instance *env.Instance) error {
	silent := r.silence.Longest()
	switch {
	case silent == nil:
		return nil
	case ctx.Err() != nil:
		return silent
	case !silent.Bounded:
		return nil
	}
	const patience = 5 * time.Second
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("no answer within %s", patience))
	defer cancel()
	if err := there(ctx, instance); err != nil {
		return fmt.Errorf("%w, and is gone since: %w", silent, err)
	}
	return nil
}

// there asks each server something that costs it nothing.
func there(ctx context.Context, instance *env.Instance) error {
	if instance.Grafana != nil {
		if _, err := instance.Grafana.Health(ctx); err != nil {
			return err
		}
	}
	if instance.PrometheusURL == "" {
		return nil
	}
	client, err := api.NewClient(api.Config{Address: instance.PrometheusURL, RoundTripper: instance.Transport})
	if err != nil {
		return fmt.Errorf("reach Prometheus at %s: %w", instance.PrometheusURL, err)
	}
	_, _, err = promv1.NewAPI(client).Query(ctx, "1", time.Now())
	switch {
	case err == nil, errors.As(err, new(*promv1.Error)): // whatever it says, it answers
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	}
	return fmt.Errorf("ask Prometheus at %s: %w", instance.PrometheusURL, err)
}

// keepTime bounds the writing of logs at the end of a run, whose context has often
// ended by then.
const keepTime = time.Minute

// keepLogs writes what each container has printed to a file of its own.
func (r *run) keepLogs() error {
	if r.opts.Logs == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), keepTime)
	defer cancel()
	if err := os.MkdirAll(r.opts.Logs, 0o755); err != nil {
		return fmt.Errorf("keep the containers' logs: %w", err)
	}
	r.mu.Lock()
	containers := slices.Clone(r.made)
	r.mu.Unlock()
	var errs []error
	for _, c := range containers {
		lines, err := c.Log(ctx)
		if err == nil {
			err = os.WriteFile(filepath.Join(r.opts.Logs, volumeName(c.Name())+".log"), []byte(strings.Join(append(lines, ""), "\n")), 0o644)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("keep the log of %s: %w", c.Name(), err))
		}
	}
	return errors.Join(errs...)
}

// lastLines are the lines at the end of a log that a person needs first.
func lastLines(lines []string, n int) []string { return lines[max(0, len(lines)-cmp.Or(n, 1)):] }
