package e2e

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/panelgate/panelgate/e2e/config"
	"github.com/panelgate/panelgate/stack"
)

// Source says where a stack's files are, and what of it is to be proven.
type Source struct {
	// Dir is the stack's directory: compose file, prometheus.yml, provisioning, dashboards.
	Dir string
	// Config is a panelgate.yml; "" searches one from Dir upward, and there may be none.
	Config string
	// Dashboards are globs of which one has to match a dashboard's uid, title or file
	// for it to be checked; none for all.
	Dashboards []string
	// Services name the compose service of a role, stack.RolePrometheus or
	// stack.RoleGrafana, over what panelgate.yml says.
	Services map[string]string
	// Scenario is what the fakes act out over what panelgate.yml says: the name of a
	// built-in one or a file, "" for the configuration's.
	Scenario string
	// Former is the stack as it was read before, nil for none: see stack.WithFormer.
	Former *stack.Stack
}

// Loaded is a stack that was read, with the options that its configuration asks for.
type Loaded struct {
	Stack *stack.Stack
	// Options hold the configuration and the choice of dashboards, and the usual
	// history; the caller adds to them.
	Options Options
	// Services load another revision of the stack with the same services.
	Services []stack.Option
}

// UsageError says that what was asked for, or what panelgate.yml or a .lint file says,
// cannot be understood. The stack itself is not to blame.
type UsageError struct{ Err error }

// Error implements error.
func (e *UsageError) Error() string { return e.Err.Error() }

// Unwrap gives what is wrong.
func (e *UsageError) Unwrap() error { return e.Err }

// ErrNoStack says that there is no directory to read a stack from.
var ErrNoStack = errors.New("want the directory with its compose file, prometheus.yml, provisioning and dashboards")

// Load reads the stack, its panelgate.yml and its .lint files. What is wrong with the
// stack is no error but for Verify and Lint to tell. An error is a *UsageError unless
// the files cannot be read.
func Load(ctx context.Context, from Source) (*Loaded, error) {
	if info, err := os.Stat(from.Dir); err != nil || !info.IsDir() {
		return nil, &UsageError{fmt.Errorf("no stack at %s: %w", from.Dir, ErrNoStack)}
	}
	choose, err := from.Choose()
	if err != nil {
		return nil, &UsageError{err}
	}
	cfg, err := from.Configuration()
	if err != nil {
		return nil, &UsageError{err}
	}
	cfg.Scenario = cmp.Or(from.Scenario, cfg.Scenario)
	if _, err := LoadScenario(cfg.Scenario); err != nil {
		return nil, &UsageError{err}
	}
	services := from.services(cfg)
	opts := services
	if from.Former != nil {
		opts = append(slices.Clone(services), stack.WithFormer(from.Former))
	}
	s, err := stack.Load(ctx, from.Dir, opts...)
	if errors.Is(err, stack.ErrService) {
		return nil, &UsageError{err}
	}
	if err != nil {
		return nil, fmt.Errorf("read the stack: %w", err)
	}
	foreign, err := config.Lint(s)
	if err != nil {
		return nil, &UsageError{err}
	}
	cfg.Exclude = append(cfg.Exclude, foreign...)
	return &Loaded{Stack: s, Options: Options{Config: cfg, Choose: choose, History: DefaultHistory}, Services: services}, nil
}

// Configuration reads the panelgate.yml that is named or found, else what holds without
// one.
func (from Source) Configuration() (*config.Config, error) {
	if from.Config == "" {
		found, err := config.Find(from.Dir)
		if err != nil {
			return nil, err
		}
		if found == "" {
			return &config.Config{}, nil
		}
		return config.Load(found)
	}
	// Positions that are relative are taken for ones below the stack's directory.
	file, err := filepath.Abs(from.Config)
	if err != nil {
		return nil, fmt.Errorf("read the configuration: %w", err)
	}
	return config.Load(file)
}

// services are those that panelgate.yml or the source name for a role; of two for one
// role the later holds.
func (from Source) services(cfg *config.Config) []stack.Option {
	roles := maps.Clone(cfg.Services)
	if roles == nil {
		roles = map[string]string{}
	}
	maps.Copy(roles, from.Services)
	var out []stack.Option
	for _, role := range slices.Sorted(maps.Keys(roles)) {
		out = append(out, stack.WithService(role, roles[role]))
	}
	return out
}

// Choose matches dashboards by uid, title, file or the file's last element. It is nil
// where all are chosen.
func (from Source) Choose() (func(*stack.Board) bool, error) {
	if len(from.Dashboards) == 0 {
		return nil, nil
	}
	for _, g := range from.Dashboards {
		if _, err := path.Match(g, ""); err != nil {
			return nil, fmt.Errorf("the glob %q of dashboards: %w", g, err)
		}
	}
	return func(b *stack.Board) bool {
		file := filepath.ToSlash(b.File)
		for _, g := range from.Dashboards {
			for _, name := range []string{b.UID.Value, b.Title.Value, file, path.Base(file), strings.TrimSuffix(path.Base(file), ".json")} {
				if ok, err := path.Match(g, name); err == nil && ok {
					return true
				}
			}
		}
		return false
	}, nil
}
