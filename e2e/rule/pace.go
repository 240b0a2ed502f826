package rule

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	promparser "github.com/prometheus/prometheus/promql/parser"

	"github.com/panelgate/panelgate/fakes/catalogue"
	"github.com/panelgate/panelgate/fakes/standard"
	"github.com/panelgate/panelgate/stack"
)

// pace knows how often series get a sample.
type pace struct {
	jobs       []*stack.Job
	recorded   map[string]bool // by recording rules, whose groups have a pace of their own
	metrics    *catalogue.Catalogue
	evaluation time.Duration // global evaluation_interval, the step of a subquery that names none
}

// pace is that of the stack. Without a Prometheus nothing is known.
func (in *Static) pace() pace {
	p := in.Stack.Prometheus
	out := pace{recorded: in.recordedNames().known, metrics: in.Metrics}
	if p == nil {
		return out
	}
	out.evaluation = p.EvalInterval
	for _, j := range p.Jobs {
		if j.ScrapeInterval > 0 {
			out.jobs = append(out.jobs, j)
		}
	}
	return out
}

// of is the scrape interval behind a selector, and whose it is in words. Where
// several jobs may be meant it is the shortest of theirs, so that what is too
// short for it is too short for all; 0 where the files do not tell.
func (p pace) of(vs *promparser.VectorSelector) (time.Duration, string) {
	jobs, _ := p.jobsOf(vs)
	if len(jobs) == 0 {
		return 0, ""
	}
	fastest := slices.MinFunc(jobs, func(a, b *stack.Job) int { return int(a.ScrapeInterval - b.ScrapeInterval) })
	if len(jobs) == 1 {
		return fastest.ScrapeInterval, fmt.Sprintf("job %q is scraped", fastest.Name.Value)
	}
	return fastest.ScrapeInterval, "no job of the stack is scraped more often than"
}

// jobsOf are the jobs whose series a selector may mean, none for what a recording
// rule makes. told says that the selector itself tells them, by a matcher or by a
// metric that only one exporter has, or that there is no other job.
func (p pace) jobsOf(vs *promparser.VectorSelector) (jobs []*stack.Job, told bool) {
	metric := metricOf(vs)
	if p.recorded[metric] || strings.Contains(metric, ":") {
		return nil, false
	}
	jobs, told = p.jobs, len(p.jobs) == 1
	if slices.ContainsFunc(vs.LabelMatchers, func(m *labels.Matcher) bool { return m.Name == "job" }) {
		jobs, told = narrowJobs(jobs, told, func(j *stack.Job) bool { return chosenBy(vs, j) })
	}
	if port, ok := standard.Port(p.metrics.Exporter(metric)); ok {
		jobs, told = narrowJobs(jobs, told, func(j *stack.Job) bool { return scrapes(j, port) })
	}
	return jobs, told
}

// narrowJobs keeps the jobs that fit and says that they are told, or leaves all as
// it was where none does: relabelling may have given them other names.
func narrowJobs(jobs []*stack.Job, told bool, fits func(*stack.Job) bool) ([]*stack.Job, bool) {
	kept := slices.DeleteFunc(slices.Clone(jobs), func(j *stack.Job) bool { return !fits(j) })
	if len(kept) == 0 {
		return jobs, told
	}
	return kept, true
}

func metricOf(vs *promparser.VectorSelector) string {
	for _, m := range vs.LabelMatchers {
		if m.Name == model.MetricNameLabel && m.Type == labels.MatchEqual {
			return m.Value
		}
	}
	return vs.Name
}

func chosenBy(vs *promparser.VectorSelector, j *stack.Job) bool {
	return !slices.ContainsFunc(vs.LabelMatchers, func(m *labels.Matcher) bool {
		return m.Name == "job" && !m.Matches(j.Name.Value)
	})
}

// scrapes says whether a job has a target at a port.
func scrapes(j *stack.Job, port int) bool {
	return slices.ContainsFunc(j.Targets, func(t stack.Target) bool { return strings.HasSuffix(t.Address.Value, fmt.Sprintf(":%d", port)) })
}
