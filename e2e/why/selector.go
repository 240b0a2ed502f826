package why

import (
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	promparser "github.com/prometheus/prometheus/promql/parser"

	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/e2e/nearest"
)

// selector says why a selector finds nothing: its target, its metric, a label,
// a value, or all its matchers together.
func (d *diagnosing) selector(vs *promparser.VectorSelector, rangeSel time.Duration, out *Diagnosis) error {
	from, to := d.window(vs, rangeSel)
	name, rest := splitName(vs)
	if name != nil {
		found, err := d.series([]*labels.Matcher{name}, from, to)
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return d.metricMissing(name, rest, from, to, out)
		}
		return d.matchers(name, rest, found, rangeSel, from, to, out)
	}
	return d.matchers(nil, rest, nil, rangeSel, from, to, out)
}

// window is the time in which a selector looks for samples.
func (d *diagnosing) window(vs *promparser.VectorSelector, rangeSel time.Duration) (from, to time.Time) {
	back := max(rangeSel, lookback)
	return d.Start.Add(-back - vs.OriginalOffset), d.End.Add(-vs.OriginalOffset)
}

func splitName(vs *promparser.VectorSelector) (name *labels.Matcher, rest []*labels.Matcher) {
	for _, m := range vs.LabelMatchers {
		if m.Name == model.MetricNameLabel && name == nil {
			name = m
		} else {
			rest = append(rest, m)
		}
	}
	return name, rest
}

func (d *diagnosing) metricMissing(name *labels.Matcher, rest []*labels.Matcher, from, to time.Time, out *Diagnosis) error {
	exporter := d.exporterOf(name.Value)
	switch down := d.downTargets(name.Value, rest); {
	case len(down) > 0:
		targetDown(name.Value, down, out)
		return nil
	case d.answered(exporter) && slices.Contains(d.KnownMetrics, name.Value):
		return d.printedButNotKept(exporter, name.Value, out)
	case d.Recorded[name.Value] != "":
		out.Reason = MetricMissing
		out.Message = fmt.Sprintf("%s is recorded at %s, but has no sample", name.Value, d.Recorded[name.Value])
		out.Fix = "check that what the rule reads exists, and that it does not fail: Prometheus' /rules page shows its last error"
		return nil
	case name.Value == "ALERTS" || name.Value == "ALERTS_FOR_STATE":
		out.Reason = MetricMissing
		out.Message = name.Value + " is written by alerting rules, and none has been pending or firing"
		out.Fix = "declare the panel as expected to be empty, or ship the alerting rules it shows"
		return nil
	}
	names, _, err := d.API.LabelValues(d.ctx, model.MetricNameLabel, nil, from, to)
	if err != nil {
		return fmt.Errorf("list metric names: %w", err)
	}
	known := strs(names)
	out.Reason = MetricMissing
	out.Message = fmt.Sprintf("no target exposes a metric %s", name.Value)
	if name.Type != labels.MatchEqual {
		out.Message = fmt.Sprintf("no target exposes a metric matching %s", name)
	}
	if exporter != "" && !d.answered(exporter) {
		known = append(known, d.KnownMetrics...)
		out.Evidence = append(out.Evidence, fmt.Sprintf("%s is a metric of the %s exporter, which no target is answered by", name.Value, exporter))
		out.Fix = "add a job that scrapes that exporter to prometheus.yml"
	}
	if near := nearest.Names(name.Value, known, 3); len(near) > 0 {
		out.Evidence = append(out.Evidence, "nearest names: "+strings.Join(near, ", "))
		if out.Fix == "" && nearest.Likely(name.Value, near[0]) {
			out.Fix = fmt.Sprintf("write %s, if that is what is meant", near[0])
		}
	}
	if out.Fix == "" {
		out.Fix = "use a metric that one of the stack's exporters has, or add a job for the exporter that has this one"
	}
	return nil
}

// printedButNotKept explains a metric that an exporter which is up would print:
// its page is empty, because another path was scraped, or the job drops it.
func (d *diagnosing) printedButNotKept(exporter, metric string, out *Diagnosis) error {
	empty, err := d.query("max by (job, instance) (scrape_samples_scraped) == 0")
	if err != nil {
		return err
	}
	for _, t := range d.Targets {
		blank := func(s *model.SampleStream) bool {
			return string(s.Metric["job"]) == t.Labels["job"] && string(s.Metric["instance"]) == t.Labels["instance"]
		}
		if t.AnsweredBy == exporter && slices.ContainsFunc(empty, blank) {
			out.Reason = TargetDown
			out.Message = fmt.Sprintf("the scrape of %s succeeds, but its page is empty", t.URL)
			out.Fix = fmt.Sprintf("check metrics_path of job %q: the %s exporter answers any other path with nothing", t.Job, exporter)
			return nil
		}
	}
	out.Reason = DroppedByRelabel
	out.Message = fmt.Sprintf("the %s exporter prints %s, but Prometheus has not got it", exporter, metric)
	out.Fix = "look at the metric_relabel_configs and limits of the job that scrapes it"
	return nil
}

func targetDown(what string, down []env.Target, out *Diagnosis) {
	out.Reason = TargetDown
	out.Message = fmt.Sprintf("no series of %s, and the target that would have it is down", what)
	for _, t := range down {
		out.Evidence = append(out.Evidence, fmt.Sprintf("job %q, instance %q: %s", t.Job, t.Instance, t.Error))
	}
	out.Fix = "mend the target first: see the finding prometheus/target-down"
}

// answered says whether a target that is up is answered by the exporter.
func (d *diagnosing) answered(exporter string) bool {
	return slices.ContainsFunc(d.Targets, func(t env.Target) bool { return t.Up && t.AnsweredBy == exporter })
}

// downTargets are the targets that are down and would have had the metric. Of
// a known exporter these are its own, or where none of the targets is its own
// those of which nobody knows what they are; of an unknown one, those that the selector's
// own job and instance matchers name.
func (d *diagnosing) downTargets(metric string, rest []*labels.Matcher) []env.Target {
	exporter := d.exporterOf(metric)
	if exporter != "" && d.answered(exporter) {
		return nil
	}
	var own, unanswered, named []env.Target
	for _, t := range d.Targets {
		switch {
		case t.Up:
		case exporter != "" && t.AnsweredBy == exporter:
			own = append(own, t)
		case exporter != "" && (t.AnsweredBy == "" || t.AnsweredBy == env.AnsweredLive): // either may be that exporter
			unanswered = append(unanswered, t)
		case exporter == "" && chosen(t, rest):
			named = append(named, t)
		}
	}
	return slices.Concat(named, firstOf(own, unanswered))
}

// firstOf is the first of two lists that is not empty.
func firstOf(a, b []env.Target) []env.Target {
	if len(a) > 0 {
		return a
	}
	return b
}

// chosen says whether matchers on job or instance are there and choose t.
func chosen(t env.Target, ms []*labels.Matcher) bool {
	named := false
	for _, m := range ms {
		if m.Name != "job" && m.Name != "instance" {
			continue
		}
		if !m.Matches(t.Labels[m.Name]) {
			return false
		}
		named = named || m.Type == labels.MatchEqual
	}
	return named
}

func (d *diagnosing) exporterOf(metric string) string {
	if d.ExporterOf == nil {
		return ""
	}
	return d.ExporterOf(metric)
}

// matchers tries each matcher alone against the metric's series.
func (d *diagnosing) matchers(name *labels.Matcher, rest []*labels.Matcher, found []model.LabelSet, window time.Duration, from, to time.Time, out *Diagnosis) error {
	metric := "the selector"
	if name != nil {
		metric = name.Value
	}
	for _, m := range rest {
		alone, err := d.series(withName(name, m), from, to)
		if err != nil {
			return err
		}
		if len(alone) > 0 {
			continue
		}
		if down := d.namedDown(rest); len(down) > 0 {
			targetDown(metric, down, out)
			return nil
		}
		if name == nil { // then the rest of the selector says what there is
			if found, err = d.series(without(rest, m), from, to); err != nil {
				return err
			}
		}
		d.matcherMissing(metric, m, found, out)
		return nil
	}
	if all, err := d.series(withName(name, rest...), from, to); err != nil {
		return err
	} else if len(all) > 0 {
		return d.unseen(metric, all, window, out)
	}
	out.Reason = MatchersJointlyEmpty
	out.Message = fmt.Sprintf("each label matcher of %s matches series, but no series matches all of them", metric)
	for _, m := range rest {
		out.Evidence = append(out.Evidence, fmt.Sprintf("%s has the values %s", m.Name, values(found, m.Name)))
	}
	out.Fix = "choose values that occur together on one series"
	return nil
}

// namedDown are the targets that are down and that matchers on job or instance
// choose, while no target that is up is chosen by them.
func (d *diagnosing) namedDown(ms []*labels.Matcher) []env.Target {
	var down []env.Target
	for _, t := range d.Targets {
		switch {
		case !chosen(t, ms):
		case t.Up:
			return nil
		default:
			down = append(down, t)
		}
	}
	return down
}

func without(ms []*labels.Matcher, m *labels.Matcher) []*labels.Matcher {
	return slices.DeleteFunc(slices.Clone(ms), func(other *labels.Matcher) bool { return other == m })
}

func (d *diagnosing) matcherMissing(metric string, m *labels.Matcher, found []model.LabelSet, out *Diagnosis) {
	names := labelNames(found)
	switch {
	case d.emptied(m):
		out.Reason = VariableEmpty
		out.Message = fmt.Sprintf("%s is filled from a variable that has no value", m)
		out.Evidence = append(out.Evidence, fmt.Sprintf("variables with no value: %s", strings.Join(d.EmptyVariables, ", ")))
		out.Fix = "mend the variable's query first: see the finding variable/empty"
	case len(found) > 0 && !slices.Contains(names, m.Name):
		out.Reason = LabelMissing
		out.Message = fmt.Sprintf("no series of %s has a label %s", metric, m.Name)
		out.Evidence = append(out.Evidence, fmt.Sprintf("labels of %s: %s", metric, strings.Join(names, ", ")))
		out.Fix = "use a label that the metric has"
		if near := nearest.Names(m.Name, names, 1); len(near) > 0 {
			out.Fix = fmt.Sprintf("write %s in place of %s, if that is what is meant", near[0], m.Name)
		}
	case m.Type == labels.MatchEqual && strings.HasPrefix(m.Value, "(") && strings.Contains(m.Value, "|"):
		out.Reason = ValueMissing
		out.Message = fmt.Sprintf("%s compares with all values of a variable as one", m)
		out.Evidence = append(out.Evidence, fmt.Sprintf("values of %s: %s", m.Name, values(found, m.Name)))
		out.Fix = "write =~ in place of =: the variable can hold several values"
	default:
		out.Reason = ValueMissing
		out.Message = fmt.Sprintf("no series of %s matches %s", metric, m)
		out.Evidence = append(out.Evidence, fmt.Sprintf("values of %s: %s", m.Name, values(found, m.Name)))
		out.Fix = "choose a value that is there"
		if near := nearest.Names(m.Value, valueList(found, m.Name), 1); len(near) > 0 {
			out.Fix = fmt.Sprintf("write %q in place of %q, if that is what is meant", near[0], m.Value)
		}
	}
}

// emptied says whether a matcher's value is what an empty variable leaves
// behind: nothing at all, or a group of nothing.
func (d *diagnosing) emptied(m *labels.Matcher) bool {
	return len(d.EmptyVariables) > 0 && (m.Value == "" || m.Value == "()")
}

// unseen explains series that exist near the range while no sample of theirs is
// in it: the window misses them, or they have ended. window is 0 for a plain
// selector.
func (d *diagnosing) unseen(metric string, all []model.LabelSet, window time.Duration, out *Diagnosis) error {
	interval := d.Intervals[string(all[0]["job"])]
	if window > 0 && window < 2*interval {
		out.Reason = WindowTooShort
		out.Message = fmt.Sprintf("a window of %s falls between two scrapes of job %q, which are %s apart",
			model.Duration(window), all[0]["job"], model.Duration(interval))
		out.Fix = fmt.Sprintf("take a window of at least %s", model.Duration(4*interval))
		return nil
	}
	out.Reason = Stale
	out.Message = fmt.Sprintf("%s has %d series near the panel's range, but no sample inside it", metric, len(all))
	out.Fix = "check that the exporter still prints it, and that the panel's range reaches to where it does"
	return nil
}

// series lists the label sets of the series that matchers choose.
func (d *diagnosing) series(ms []*labels.Matcher, from, to time.Time) ([]model.LabelSet, error) {
	parts := make([]string, len(ms))
	matchesAll := true
	for i, m := range ms {
		parts[i] = m.String()
		matchesAll = matchesAll && m.Matches("")
	}
	if matchesAll {
		return nil, nil // Prometheus refuses a selector that could match anything
	}
	found, _, err := d.API.Series(d.ctx, []string{"{" + strings.Join(parts, ",") + "}"}, from, to)
	if err != nil {
		return nil, fmt.Errorf("look up series {%s}: %w", strings.Join(parts, ","), err)
	}
	return found, nil
}

func withName(name *labels.Matcher, ms ...*labels.Matcher) []*labels.Matcher {
	if name == nil {
		return ms
	}
	return append([]*labels.Matcher{name}, ms...)
}

func labelNames(found []model.LabelSet) []string {
	set := map[string]bool{}
	for _, ls := range found {
		for n := range ls {
			if n != model.MetricNameLabel {
				set[string(n)] = true
			}
		}
	}
	return sortedKeys(set)
}

func valueList(found []model.LabelSet, name string) []string {
	set := map[string]bool{}
	for _, ls := range found {
		if v, ok := ls[model.LabelName(name)]; ok {
			set[string(v)] = true
		}
	}
	return sortedKeys(set)
}

// values are what a label is seen to hold, shortened for a message.
func values(found []model.LabelSet, name string) string {
	list := valueList(found, name)
	if len(list) == 0 {
		return "none"
	}
	more := ""
	if len(list) > maxEvidenceValues {
		more = fmt.Sprintf(" and %d more", len(list)-maxEvidenceValues)
		list = list[:maxEvidenceValues]
	}
	for i, v := range list {
		list[i] = fmt.Sprintf("%q", v)
	}
	return strings.Join(list, ", ") + more
}

func sortedKeys(set map[string]bool) []string {
	out := make([]string, 0, len(set))
	for k := range set {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}

func strs(vs model.LabelValues) []string {
	out := make([]string, len(vs))
	for i, v := range vs {
		out[i] = string(v)
	}
	return out
}
