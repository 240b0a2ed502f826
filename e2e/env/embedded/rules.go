package embedded

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"path/filepath"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/rules"
)

// ruleSet is the stack's recording and alerting rules.
type ruleSet struct {
	manager *rules.Manager
	run     sync.Once
	running sync.WaitGroup
}

// loadRules reads the rule files as Prometheus does; a broken one is an error.
func (e *Env) loadRules(cfg *config.Config, s *store, logger *slog.Logger, registry *prometheus.Registry) (*ruleSet, error) {
	ctx, cancel := context.WithCancel(context.Background())
	externalURL := &url.URL{Scheme: "http", Host: "localhost:9090"}
	r := &ruleSet{manager: rules.NewManager(&rules.ManagerOptions{
		Context:     ctx,
		ExternalURL: externalURL,
		Appendable:  s,
		Queryable:   s,
		QueryFunc:   rules.EngineQueryFunc(s.engine, s),
		NotifyFunc:  func(context.Context, string, ...*rules.Alert) {}, // nobody is to be woken
		Logger:      component(logger, "rule manager"),
		Registerer:  registry,
		Parser:      s.parser,
		DefaultRuleQueryOffset: func() time.Duration {
			return time.Duration(cfg.GlobalConfig.RuleQueryOffset)
		},
	})}
	e.onClose(func() error {
		cancel()
		r.start() // a manager that never ran cannot be stopped
		r.manager.Stop()
		r.running.Wait()
		return nil
	})
	files, err := ruleFiles(cfg)
	if err != nil {
		return nil, err
	}
	interval := time.Duration(cfg.GlobalConfig.EvaluationInterval)
	external := cfg.GlobalConfig.ExternalLabels
	// The groups of a manager's first update restore alerts from the database
	// before they record any. There is nothing to restore, so let that update be
	// an empty one.
	if err := r.manager.Update(interval, nil, external, externalURL.String(), nil); err != nil {
		return nil, fmt.Errorf("prepare the rule manager: %w", err)
	}
	if err := r.manager.Update(interval, files, external, externalURL.String(), nil); err != nil {
		// The error says no more than that there is one.
		if _, errs := r.manager.LoadGroups(interval, external, externalURL.String(), nil, false, files...); len(errs) > 0 {
			err = errors.Join(errs...)
		}
		return nil, fmt.Errorf("load the rule files: %w", err)
	}
	return r, nil
}

func ruleFiles(cfg *config.Config) ([]string, error) {
	var files []string
	for _, pattern := range cfg.RuleFiles {
		found, err := filepath.Glob(pattern)
		if err != nil {
			return nil, fmt.Errorf("find rule files %q: %w", pattern, err)
		}
		files = append(files, found...)
	}
	return files, nil
}

// start lets the groups evaluate at their intervals from now on.
func (r *ruleSet) start() {
	r.run.Do(func() { r.running.Go(r.manager.Run) })
}

// evaluate evaluates every group once, so that each rule has a result and a
// health, and then lets them go on by themselves.
func (r *ruleSet) evaluate(ctx context.Context, at time.Time) error {
	for _, g := range r.manager.RuleGroups() {
		rules.DefaultEvalIterationFunc(ctx, g, at)
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
	}
	r.start()
	return nil
}
