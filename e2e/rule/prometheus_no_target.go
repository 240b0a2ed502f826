package rule

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/discovery"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/scrape"

	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/stack"
	"github.com/panelgate/panelgate/stack/source"
)

// prometheusNoTarget proves that every job has something to scrape. Prometheus
// starts without a word about a job that has not.
func prometheusNoTarget() Rule {
	return Rule{
		ID:       "prometheus/no-target",
		Severity: Error,
		Summary:  "a job has no target, or its relabelling drops them all",
		Static: func(in *Static) []Finding {
			p := in.Stack.Prometheus
			jobs, ok := scrapeConfigs(p)
			if !ok {
				return nil
			}
			if len(jobs) == 0 {
				return noJob(p)
			}
			var out []Finding
			for _, job := range jobs {
				if f := noTarget(p, job); f != nil {
					out = append(out, *f)
				}
			}
			return out
		},
		Live: func(in *Live) []Finding {
			p := in.Stack.Prometheus
			jobs, ok := scrapeConfigs(p)
			if !ok || in.Instance.Name == "" || in.Instance.TargetsUnknown || in.down(env.RolePrometheus) { // nothing was run
				return nil
			}
			var out []Finding
			for _, job := range jobs {
				if noTarget(p, job) == nil && !hasTarget(in, job.JobName) {
					out = append(out, noneDiscovered(p, job, in.Instance.Name))
				}
			}
			return out
		},
	}
}

// scrapeConfigs are the jobs as Prometheus reads them; ok is false where it cannot,
// which prometheus/config-invalid says.
func scrapeConfigs(p *stack.Prometheus) (jobs []*config.ScrapeConfig, ok bool) {
	if p == nil {
		return nil, false
	}
	cfg, err := p.Config(slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, false
	}
	jobs, err = cfg.GetScrapeConfigs()
	return jobs, err == nil
}

// noJob is a Prometheus that scrapes nothing at all, unless others send to it.
func noJob(p *stack.Prometheus) []Finding {
	if p.Node.Get("remote_read").Exists() {
		return nil
	}
	if p.Service != nil && slices.ContainsFunc(p.Service.Command, func(arg string) bool { return strings.HasSuffix(arg, "-receiver") }) {
		return nil
	}
	return []Finding{{
		Pos:     source.Pos{File: p.File, Line: 1, Column: 1},
		Message: "there is no scrape_configs: Prometheus scrapes nothing, and every panel stays empty",
		Fix:     "add a job with the exporters as targets under scrape_configs",
	}}
}

// noTarget judges one job, as far as the files tell what it finds.
func noTarget(p *stack.Prometheus, job *config.ScrapeConfig) *Finding {
	var static discovery.StaticConfig
	for _, sd := range job.ServiceDiscoveryConfigs {
		groups, ok := sd.(discovery.StaticConfig)
		if !ok {
			return nil // only a running Prometheus knows what it discovers
		}
		static = append(static, groups...)
	}
	addresses := staticAddresses(static)
	pos, node := jobPlace(p, job.JobName)
	if len(addresses) == 0 {
		if targets := emptyTargets(node); !targets.IsZero() {
			pos = targets
		}
		return &Finding{
			Pos:     pos,
			Message: fmt.Sprintf("job %q has no target: nothing is scraped for it", job.JobName),
			Fix:     "list the exporter's host:port under static_configs, targets",
		}
	}
	kept, errs := keptTargets(static, job, len(job.RelabelConfigs))
	if kept > 0 {
		return nil
	}
	return droppedAll(job, static, addresses, errs, pos, node)
}

// droppedAll says which of a job's relabelling rules takes its last target away.
func droppedAll(job *config.ScrapeConfig, static discovery.StaticConfig, addresses []string, errs []error, pos source.Pos, node *source.Node) *Finding {
	f := &Finding{
		Pos: pos,
		Message: fmt.Sprintf("relabelling drops every target of job %q (%s): nothing is scraped for it",
			job.JobName, strings.Join(addresses, ", ")),
		Fix: "mend the relabelling, so that it keeps the targets that are meant",
	}
	for _, err := range errs {
		f.Evidence = append(f.Evidence, err.Error())
	}
	rules := node.Get("relabel_configs").Items()
	for n := 1; n <= len(job.RelabelConfigs); n++ {
		if kept, _ := keptTargets(static, job, n); kept > 0 {
			continue
		}
		if n <= len(rules) {
			f.Pos = rules[n-1].Pos()
		}
		r := job.RelabelConfigs[n-1]
		f.Evidence = append(f.Evidence, fmt.Sprintf("rule %d of relabel_configs leaves none: action %s, source_labels %v, regex %q",
			n, r.Action, r.SourceLabels, r.Regex.String()))
		break
	}
	return f
}

func staticAddresses(static discovery.StaticConfig) []string {
	var out []string
	for _, g := range static {
		for _, t := range g.Targets {
			out = append(out, string(t["__address__"]))
		}
	}
	return out
}

// keptTargets counts the targets that the first n relabelling rules leave, and
// says why some are no targets at all.
func keptTargets(static discovery.StaticConfig, job *config.ScrapeConfig, n int) (kept int, errs []error) {
	cut := *job
	cut.RelabelConfigs = job.RelabelConfigs[:n]
	lb := labels.NewBuilder(labels.EmptyLabels())
	for _, g := range static {
		for _, t := range g.Targets {
			found, err := scrape.PopulateLabels(lb, &cut, t, g.Labels)
			switch {
			case err != nil:
				errs = append(errs, fmt.Errorf("target %s: %w", t["__address__"], err))
			case !found.IsEmpty():
				kept++
			}
		}
	}
	return kept, errs
}

// jobPlace is where the stack's files have a job.
func jobPlace(p *stack.Prometheus, name string) (source.Pos, *source.Node) {
	for _, j := range p.Jobs {
		if j.Name.Value == name && !j.Pos.IsZero() {
			return j.Pos, j.Node
		}
	}
	return source.Pos{File: p.File}, nil
}

// emptyTargets is where a job's empty list of targets stands.
func emptyTargets(job *source.Node) source.Pos {
	for _, g := range job.Get("static_configs").Items() {
		if targets := g.Get("targets"); targets.Exists() {
			return targets.Pos()
		}
	}
	return job.Get("static_configs").Pos()
}
