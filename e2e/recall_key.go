package e2e

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/discovery"
	"github.com/prometheus/prometheus/discovery/file"

	"github.com/panelgate/panelgate/e2e/env/embedded"
	"github.com/panelgate/panelgate/e2e/exporter"
	"github.com/panelgate/panelgate/e2e/kept"
	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/stack"
)

// uncacheable says why what a run finds depends on more than content.
func (r *run) uncacheable() error {
	switch {
	case r.report.Env != embedded.Name:
		return fmt.Errorf("the servers of %s are asked, and may answer otherwise the next time", r.report.Env)
	case r.WhileUp != nil:
		return errors.New("the panels are to be drawn, which takes their answers")
	case !r.Shard.Whole():
		return errors.New("the run is a part of one")
	case r.World != nil || !r.From.IsZero() || r.UpgradeFrom != nil || r.Brief:
		return errors.New("the run is one of several")
	case !Runnable(r.stack):
		return ErrNotRunnable
	}
	for _, t := range r.Config.Targets {
		if t.Live {
			return errors.New("panelgate.yml has a target scraped live, which may answer otherwise the next time")
		}
	}
	for _, one := range rule.PrometheusRules(r.stack) {
		if calendar.MatchString(one.Expr.Value) {
			return fmt.Errorf("the rule at %s asks for the time of the day", one.Pos)
		}
	}
	cfg, err := r.stack.Prometheus.Config(slog.New(slog.DiscardHandler))
	if err != nil {
		return fmt.Errorf("read prometheus.yml: %w", err)
	}
	return readsFilesAlone(cfg)
}

// readsFilesAlone says why a Prometheus asks somebody else for targets or for data.
func readsFilesAlone(cfg *config.Config) error {
	if len(cfg.RemoteReadConfigs) > 0 {
		return errors.New("remote_read has Prometheus read from elsewhere")
	}
	jobs, err := cfg.GetScrapeConfigs()
	if err != nil {
		return fmt.Errorf("read the jobs: %w", err)
	}
	for _, job := range jobs {
		for _, sd := range job.ServiceDiscoveryConfigs {
			switch sd.(type) {
			case discovery.StaticConfig, *file.SDConfig:
			default:
				return fmt.Errorf("job %q asks for its targets (%s_sd_configs)", job.JobName, sd.Name())
			}
		}
	}
	return nil
}

// sumUp makes the keys of the run.
func (k *recall) sumUp() error {
	program := k.Cache.Program
	if program == "" {
		var err error
		if program, err = kept.Program(); err != nil {
			return err
		}
	}
	scenario, err := LoadScenario(k.Config.Scenario)
	if err != nil {
		return err
	}
	named, err := k.stack.Prometheus.Named()
	if err != nil {
		return err
	}
	contents, err := stack.Contents(named)
	if err != nil {
		return err
	}
	now := time.Now()
	if k.Cache.Now != nil {
		now = k.Cache.Now()
	}
	zone, offset := now.Zone()
	values := map[string][]any{
		"the program":               {program},
		"the day":                   {now.UTC().Format(time.DateOnly), zone, offset}, // expectations end with one
		"panelgate.yml":             {*k.Config},
		"the scenario":              {*scenario},
		"the flags":                 {k.History, k.Releases, k.Instances, k.Lean},
		"the exporters":             {exporter.Of(k.stack, k.Releases)},
		"what prometheus.yml names": {contents},
		"the environment":           {variables(k.stack)},
	}
	for name, value := range k.stack.Besides() {
		values[name] = []any{value}
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		part, err := kept.PartOf(name, k.stack.Dir, values[name]...)
		if err != nil {
			return err
		}
		k.parts = append(k.parts, part)
	}
	k.around = kept.KeyOf("around", k.parts)
	return k.sumUpBoards()
}

// variables are those of the environment that the compose file takes in, with whether
// they are set.
func variables(s *stack.Stack) map[string][]string {
	out := map[string][]string{}
	if s.Compose == nil {
		return out
	}
	for _, name := range s.Compose.Variables {
		if value, set := os.LookupEnv(name); set {
			out[name] = []string{value}
		}
	}
	return out
}

// sumUpBoards sums up each dashboard: its file, and how it comes to Grafana. One that
// shares its file with another has no key, since findings are told apart by files.
func (k *recall) sumUpBoards() error {
	sums, times := k.stack.Sums(), map[string]int{}
	for _, b := range k.stack.Dashboards {
		times[b.File]++
	}
	k.sums = map[*stack.Board]kept.Part{}
	for _, b := range k.stack.Dashboards {
		sum, read := sums[b.Dashboard]
		if !read || times[b.File] > 1 {
			continue
		}
		part, err := kept.PartOf("dashboard", k.stack.Dir, sum, b.File, b.Folder, slices.Index(k.stack.Providers, b.Provider))
		if err != nil {
			return err
		}
		k.sums[b] = part
	}
	return nil
}

func (k *recall) keyOf(b *stack.Board) kept.Key { return k.around.Within("dashboard", k.sums[b]) }

// lastKey is where a stack's last run is noted, for changed alone.
func (k *recall) lastKey() (kept.Key, error) {
	part, err := kept.PartOf("directory", "", k.stack.Dir)
	return kept.KeyOf("last", []kept.Part{part}), err
}

// lastParts are a byte of the sum of each part: enough to see that one has changed, and
// too little to guess what a variable of the environment held.
type lastParts map[string]byte

func (k *recall) lastParts() *lastParts {
	out := lastParts{}
	for _, p := range k.parts {
		out[p.Name] = p.Sum[0]
	}
	return &out
}

// changed says which parts are not what they were in the last run.
func (k *recall) changed() string {
	key, err := k.lastKey()
	if err != nil {
		return err.Error()
	}
	last, _, err := get[lastParts](k.store, key)
	if err != nil {
		return "this stack was not run before"
	}
	var names []string
	for _, p := range k.parts {
		if was, there := (*last)[p.Name]; !there || was != p.Sum[0] {
			names = append(names, p.Name)
		}
	}
	if len(names) == 0 {
		return "the last run did not find all well with it"
	}
	return "changed since the last run: " + strings.Join(names, ", ")
}
