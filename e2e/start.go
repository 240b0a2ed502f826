package e2e

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/e2e/env/containers"
	"github.com/panelgate/panelgate/e2e/env/dagger"
	"github.com/panelgate/panelgate/e2e/env/docker"
	"github.com/panelgate/panelgate/e2e/env/embedded"
	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/stack"
)

// unloadable says whether Prometheus would not start: it refuses a broken
// prometheus.yml and broken rule files. Their findings already say why.
func unloadable(s *stack.Stack) bool {
	return slices.ContainsFunc(s.Problems, func(p stack.Problem) bool {
		isRules := func(f *stack.RuleFile) bool { return f.File == p.Pos.File }
		return p.Area == stack.AreaPrometheus &&
			(p.Pos.File == s.Prometheus.File || slices.ContainsFunc(s.Prometheus.RuleFiles, isRules))
	})
}

// start brings the stack up where the options say.
func (r *run) start(ctx context.Context, in *rule.Static) (env.Env, error) {
	around, err := r.surroundings(in)
	if err != nil {
		return nil, err
	}
	if r.report.Env == docker.Name || r.report.Env == dagger.Name {
		return r.startContainers(ctx, around)
	}
	r.progress("starting Prometheus", 0, 0)
	running, err := embedded.Start(ctx, r.stack.Prometheus, around)
	if err != nil {
		return nil, fmt.Errorf("start the embedded Prometheus: %w", err)
	}
	r.done("start")
	return running, nil
}

// startContainers starts the stack's containers, on what an older revision of it left
// behind where there is one.
func (r *run) startContainers(ctx context.Context, around embedded.Options) (env.Env, error) {
	r.progress("starting containers", 0, 0)
	opts := r.Containers
	opts.Past = around
	start := docker.Start
	switch {
	case r.report.Env == dagger.Name && r.UpgradeFrom != nil:
		return nil, &containers.UsageError{Err: errors.New("an older revision's data is kept in volumes, which Dagger cannot remove again: use --env docker for an upgrade")}
	case r.report.Env == dagger.Name:
		start = func(ctx context.Context, s *stack.Stack, opts containers.Options) (env.Env, error) {
			return dagger.Start(ctx, s, opts, r.Dagger)
		}
	case r.UpgradeFrom != nil:
		start = func(ctx context.Context, s *stack.Stack, opts containers.Options) (env.Env, error) {
			past := around
			past.SelfAddresses, past.OwnLoopback = selfAddresses(r.UpgradeFrom), ownLoopback(r.UpgradeFrom)
			return docker.Upgrade(ctx, containers.Revision{Stack: r.UpgradeFrom, Past: past}, s, opts)
		}
	}
	running, err := start(ctx, r.stack, opts)
	if err != nil {
		return nil, fmt.Errorf("start the stack's containers: %w", err)
	}
	r.started(running.Instance().Steps)
	return running, nil
}

// started closes the stages of a start. Its steps overlap: each is shown with how
// long after the beginning it was done.
func (r *run) started(steps []env.Step) {
	for _, s := range steps {
		r.report.Stages = append(r.report.Stages, Stage{Name: "start: " + s.Name + " after", Duration: s.Duration})
	}
	r.done("start")
}

// surroundings are what surrounds Prometheus: who answers for its targets, and what
// was before.
func (r *run) surroundings(in *rule.Static) (embedded.Options, error) {
	scenario, err := LoadScenario(r.Config.Scenario)
	if err != nil {
		return embedded.Options{}, err
	}
	needed := max(neededHistory(in), r.alsoNeeded)
	r.noteHistory(needed)
	history := r.pastOf(needed)
	var mappings []embedded.Mapping
	for _, t := range r.Config.Targets {
		mappings = append(mappings, embedded.Mapping{Match: t.Match, Fake: t.Fake, Live: t.Live, Setup: t.Setup})
	}
	return embedded.Options{
		Scenario: scenario, World: r.World, From: r.From, Targets: mappings, Exporters: r.exporters(), Releases: r.Releases,
		Instances: r.Instances, History: history,
		SelfAddresses: selfAddresses(r.stack), SelfPrefix: r.stack.Prometheus.Service.RoutePrefix(), OwnLoopback: ownLoopback(r.stack), Logger: r.Logger,
		Progress: func(stage string, done, total int) { r.progress(stageName(stage), done, total) },
	}, nil
}

// stageName says what an environment is doing in words that a person would use.
func stageName(stage string) string {
	switch stage {
	case "history":
		return "laying down history"
	case "scrape":
		return "scraping targets"
	case "provisioning":
		return "waiting for dashboards"
	}
	return stage
}

// LoadScenario finds a scenario by a built-in name or as a file; "" is the
// default one.
func LoadScenario(name string) (*fakes.Scenario, error) {
	if name == "" {
		name = "steady"
	}
	sc, err := fakes.BuiltinScenario(name)
	if err == nil {
		return sc, nil
	}
	fromFile, fileErr := fakes.LoadScenario(name)
	if fileErr == nil {
		return fromFile, nil
	}
	if strings.ContainsAny(name, `/\.`) { // meant as a file
		return nil, fmt.Errorf("load the scenario: %w", fileErr)
	}
	return nil, fmt.Errorf("load the scenario: %w", err)
}
