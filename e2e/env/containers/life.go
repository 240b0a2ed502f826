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
