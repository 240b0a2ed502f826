package why

import (
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	promparser "github.com/prometheus/prometheus/promql/parser"

	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/e2e/exporter"
	"github.com/panelgate/panelgate/e2e/nearest"
	"github.com/panelgate/panelgate/fakes/catalogue"
	"github.com/panelgate/panelgate/fakes/release"
	"github.com/panelgate/panelgate/fakes/standard"
)

// selector says why a selector finds nothing: its target, its metric, a label,
// a value, or all its matchers together. All that it asks for is the series of the
// metric, in one look-up.
func (d *diagnosing) selector(vs *promparser.VectorSelector, rangeSel time.Duration, out *Diagnosis) error {
	d.window(vs, rangeSel)
	name, rest := splitName(vs)
	if name == nil {
		return d.nameless(rest, rangeSel, out)
	}
	if d.lacks(name) {
		return d.metricMissing(name, rest, out)
	}
	found, more, err := d.series([]*labels.Matcher{name})
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return d.metricMissing(name, rest, out)
	}
	if more { // those that each matcher chooses may be among the ones that were not listed
		if found, err = d.narrowed(name, rest, found); err != nil {
			return err
		}
	}
	return d.matchers(name, rest, found, rangeSel, out)
}

// window sets the time in which a selector looks for samples.
func (d *diagnosing) window(vs *promparser.VectorSelector, rangeSel time.Duration) {
	back := max(rangeSel, lookback)
	d.from, d.to = d.Start.Add(-back-vs.OriginalOffset), d.End.Add(-vs.OriginalOffset)
}

// nameless explains a selector without a metric's name, whose matchers are all there is.
func (d *diagnosing) nameless(rest []*labels.Matcher, rangeSel time.Duration, out *Diagnosis) error {
	var each [][]*labels.Matcher
	for _, m := range rest {
		each = append(each, []*labels.Matcher{m})
	}
	found, _, err := d.series(each...)
	if err != nil {
		return err
	}
	return d.matchers(nil, rest, found, rangeSel, out)
}

// narrowed lists the series that each matcher chooses alone, for a metric that has
// more than are listed at once.
func (d *diagnosing) narrowed(name *labels.Matcher, rest []*labels.Matcher, found []model.LabelSet) ([]model.LabelSet, error) {
	for _, m := range rest {
		if anyMatches(found, m) {
			continue
		}
		alone, _, err := d.series([]*labels.Matcher{name, m})
		if err != nil {
			return nil, err
		}
		found = append(found, alone...)
	}
	return found, nil
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

func (d *diagnosing) metricMissing(name *labels.Matcher, rest []*labels.Matcher, out *Diagnosis) error {
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
	if stale, err := d.ended(name, rest, out); stale || err != nil {
		return err
	}
	d.asked++
	names, _, err := d.API.LabelValues(d.ctx, model.MetricNameLabel, nil, d.from, d.to)
	if err != nil {
		return fmt.Errorf("list metric names: %w", err)
	}
	known := strs(names)
	out.Reason = MetricMissing
	out.Message = fmt.Sprintf("no target exposes a metric %s", name.Value)
	if name.Type != labels.MatchEqual {
		out.Message = fmt.Sprintf("no target exposes a metric matching %s", name)
	}
	if exporter != "" && !d.answered(exporter) && !d.printed(exporter, known) {
		known = append(known, d.KnownMetrics...)
		out.Evidence = append(out.Evidence, fmt.Sprintf("%s is a metric of the %s exporter, which no target is answered by", name.Value, exporter))
		out.Fix = "add a job that scrapes that exporter to prometheus.yml"
	}
	d.fromCatalogue(name.Value, out)
	out.Absent = name.Value
	if near := nearest.Names(name.Value, known, 3); len(near) > 0 {
		out.Near = near[0]
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

// fromCatalogue says which versions of its exporter have a metric, and what has it printed.
func (d *diagnosing) fromCatalogue(name string, out *Diagnosis) {
	if d.Catalogue == nil {
		return
	}
	m, _, ok := d.Catalogue.Series(name)
	runs, older := d.tooOld(m)
	switch {
	case !ok:
	case older:
		out.Evidence = append(out.Evidence, fmt.Sprintf("%s has it since %s, and the one that is scraped is %s", m.Exporter, m.Since, runs))
		out.Fix = fmt.Sprintf("run %s %s or newer, or show a metric that %s has", standard.Title(m.Exporter), m.Since, runs)
	case m.Removed():
		out.Evidence = append(out.Evidence, fmt.Sprintf("%s has it no more since %s", m.Exporter, m.Until))
		if len(m.ReplacedBy) > 0 {
			out.Fix = "write " + strings.Join(m.ReplacedBy, ", or ") + ", which " + m.Exporter + " has in its place"
		}
	case m.Optional != "":
		out.Evidence = append(out.Evidence, fmt.Sprintf("%s prints it only with %s", m.Exporter, m.Optional))
		out.Fix = fmt.Sprintf("switch it on (%s), or show a metric that is printed by default", m.Optional)
	case m.Since != "":
		out.Evidence = append(out.Evidence, fmt.Sprintf("%s has it since %s", m.Exporter, m.Since))
	}
}

// tooOld says which release of a metric's exporter is scraped, the newest of them, where
// that does not have the metric yet.
func (d *diagnosing) tooOld(m catalogue.Metric) (release.Release, bool) {
	var newest release.Release
	found := false
	for _, t := range d.Targets {
		if !t.Up || t.AnsweredBy != m.Exporter || t.Setup == nil {
			continue
		}
		r, err := release.Parse(exporter.Acted(m.Exporter, *t.Setup))
		if err != nil {
			continue // its own name says nothing: that of a recording
		}
		if !found || r.Compare(newest) > 0 {
			newest, found = r, true
		}
	}
	return newest, found && m.Since != "" && newest.Before(m.Since)
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
	d.relabelledBy(exporter, out)
	return nil
}

// relabelledBy adds where the jobs that scrape an exporter relabel what they get.
func (d *diagnosing) relabelledBy(exporter string, out *Diagnosis) bool {
	found := false
	for _, t := range d.Targets {
		if at := d.Relabelled[t.Job]; at != "" && t.AnsweredBy == exporter {
			found = true
			said := fmt.Sprintf("job %q has metric_relabel_configs at %s", t.Job, at)
			if !slices.Contains(out.Evidence, said) {
				out.Evidence = append(out.Evidence, said)
				out.Fix = fmt.Sprintf("mend the metric_relabel_configs at %s, or show what they leave", at)
			}
		}
	}
	return found
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

// printed says whether some of the metrics that there are is the exporter's, whoever
// answers for it: a recording, or a live one.
func (d *diagnosing) printed(exporter string, metrics []string) bool {
	return d.Catalogue != nil && slices.ContainsFunc(metrics, func(name string) bool {
		m, _, known := d.Catalogue.Series(name)
		return known && m.Exporter == exporter
	})
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

// matchers holds each matcher alone against the series that are there.
func (d *diagnosing) matchers(name *labels.Matcher, rest []*labels.Matcher, found []model.LabelSet, window time.Duration, out *Diagnosis) error {
	metric := "the selector"
	if name != nil {
		metric = name.Value
	}
	for _, m := range rest {
		if anyMatches(found, m) {
			continue
		}
		if down := d.namedDown(rest); len(down) > 0 {
			targetDown(metric, down, out)
			return nil
		}
		if name == nil { // then what the rest of the selector chooses says what there is
			found = matching(found, without(rest, m))
		}
		if d.takenAway(metric, m, out) {
			if there := valueList(found, m.Name); len(there) > 0 {
				out.Evidence = append(out.Evidence, fmt.Sprintf("what Prometheus has of %s: %s", m.Name, values(found, m.Name)))
			}
			return nil
		}
		d.matcherMissing(metric, m, found, out)
		return nil
	}
	if all := matching(found, rest); len(all) > 0 {
		return d.unseen(metric, withName(name, rest...), all, window, out)
	}
	out.Reason = MatchersJointlyEmpty
	out.Message = fmt.Sprintf("each label matcher of %s matches series, but no series matches all of them", metric)
	for _, m := range rest {
		out.Evidence = append(out.Evidence, fmt.Sprintf("%s has the values %s", m.Name, values(found, m.Name)))
	}
	out.Fix = "choose values that occur together on one series"
	if m := loosest(found, rest); m != nil {
		together := matching(found, without(rest, m))
		out.Evidence = append(out.Evidence, fmt.Sprintf("without %s there are %d series, with %s = %s", m, len(together), m.Name, values(together, m.Name)))
	}
	return nil
}

// loosest is the one matcher without which the others choose something, nil where there is none.
func loosest(found []model.LabelSet, ms []*labels.Matcher) *labels.Matcher {
	for i := len(ms) - 1; i >= 0; i-- {
		if len(matching(found, without(ms, ms[i]))) > 0 {
			return ms[i]
		}
	}
	return nil
}

// matching are the label sets that all matchers match.
func matching(found []model.LabelSet, ms []*labels.Matcher) []model.LabelSet {
	var out []model.LabelSet
	for _, ls := range found {
		if !slices.ContainsFunc(ms, func(m *labels.Matcher) bool { return !m.Matches(string(ls[model.LabelName(m.Name)])) }) {
			out = append(out, ls)
		}
	}
	return out
}

func anyMatches(found []model.LabelSet, m *labels.Matcher) bool {
	return slices.ContainsFunc(found, func(ls model.LabelSet) bool { return m.Matches(string(ls[model.LabelName(m.Name)])) })
}

// takenAway says whether an exporter prints the metric with what a matcher wants, so
// that only relabelling can have taken it away.
func (d *diagnosing) takenAway(metric string, m *labels.Matcher, out *Diagnosis) bool {
	exporter := d.exporterOf(metric)
	if d.Printed == nil || m.Name == "job" || m.Name == "instance" || m.Matches("") || !d.answered(exporter) {
		return false
	}
	if !anyMatches(d.Printed(metric), m) || !d.relabelledBy(exporter, out) {
		return false
	}
	out.Reason = DroppedByRelabel
	out.Message = fmt.Sprintf("the %s exporter prints %s with %s, and Prometheus has no such series", exporter, metric, m)
	return true
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
		out.Absent = m.Name
		if near := nearest.Names(m.Name, names, 1); len(near) > 0 {
			out.Near = near[0]
			out.Fix = fmt.Sprintf("write %s in place of %s, if that is what is meant", near[0], m.Name)
		}
	case m.Type == labels.MatchEqual && strings.HasPrefix(m.Value, "(") && strings.Contains(m.Value, "|"):
		out.Reason = ValueMissing
		out.Message = fmt.Sprintf("%s compares with all values of a variable as one", m)
		out.Evidence = append(out.Evidence, fmt.Sprintf("values of %s: %s", m.Name, values(found, m.Name)))
		out.Fix = "write =~ in place of =: the variable can hold several values"
	case slices.ContainsFunc(valueList(found, model.ExportedLabelPrefix+m.Name), m.Matches):
		own := model.ExportedLabelPrefix + m.Name
		out.Reason = ValueMissing
		out.Message = fmt.Sprintf("%s of %s is a label that prometheus.yml gives the targets, and the exporter's own is called %s", m.Name, metric, own)
		out.Evidence = append(out.Evidence,
			fmt.Sprintf("values of %s: %s", m.Name, values(found, m.Name)), fmt.Sprintf("values of %s: %s", own, values(found, own)))
		out.Fix = fmt.Sprintf("give the targets' label %s another name, or set honor_labels: true in the job", m.Name)
	default:
		out.Reason = ValueMissing
		out.Message = fmt.Sprintf("no series of %s matches %s", metric, m)
		out.Evidence = append(out.Evidence, fmt.Sprintf("values of %s: %s", m.Name, values(found, m.Name)))
		out.Fix = "choose a value that is there"
		out.Absent, out.Label = m.Value, m.Name
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
func (d *diagnosing) unseen(metric string, ms []*labels.Matcher, all []model.LabelSet, window time.Duration, out *Diagnosis) error {
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
	until, err := d.lastSample(ms)
	if err != nil {
		return err
	}
	if !until.IsZero() {
		out.Evidence = append(out.Evidence, fmt.Sprintf("its last sample is of %s, %s before the end of the range",
			until.Format(time.DateTime), model.Duration(d.End.Sub(until).Round(time.Second))))
	}
	return nil
}

// before is how far back a metric is looked for that is not there any more.
const before = 24 * time.Hour

// ended says whether a metric that has no series in the query's window had some in the
// time before.
func (d *diagnosing) ended(name *labels.Matcher, rest []*labels.Matcher, out *Diagnosis) (bool, error) {
	if d.lacks(name) {
		return false, nil
	}
	window := d.from
	d.from = window.Add(-before)
	defer func() { d.from = window }()
	found, _, err := d.series([]*labels.Matcher{name})
	if err != nil || len(found) == 0 {
		return false, err
	}
	if chosen := matching(found, rest); len(chosen) > 0 {
		found = chosen
	} else {
		rest = nil
	}
	return true, d.unseen(name.Value, withName(name, rest...), found, 0, out)
}

// lastSample is when the series that matchers choose had their last sample before the
// end of the range, the zero time where none is found.
func (d *diagnosing) lastSample(ms []*labels.Matcher) (time.Time, error) {
	const steps = 500 // a selector looks back five minutes, so that no step of less misses a sample
	back := max(d.to.Sub(d.from), time.Hour)
	step := max(back/steps, time.Second)
	d.asked++
	v, _, err := d.API.Query(d.ctx, fmt.Sprintf("max(max_over_time(timestamp(%s)[%s:%s]))", selectorOf(ms), model.Duration(back.Round(time.Second)), model.Duration(step.Round(time.Second))), d.to)
	if err != nil {
		return time.Time{}, fmt.Errorf("look for the last sample of %s: %w", selectorOf(ms), err)
	}
	m := asMatrix(v)
	if len(m) == 0 {
		return time.Time{}, nil
	}
	return time.UnixMilli(int64(1000 * highest(m))), nil
}

// series lists the label sets of the series that any of several selectors chooses, in
// one look-up, and whether there are more than were listed.
func (d *diagnosing) series(selectors ...[]*labels.Matcher) (found []model.LabelSet, more bool, err error) {
	var asked []string
	for _, ms := range selectors {
		if slices.ContainsFunc(ms, func(m *labels.Matcher) bool { return !m.Matches("") }) {
			asked = append(asked, selectorOf(ms)) // Prometheus refuses one that could match anything
		}
	}
	if len(asked) == 0 {
		return nil, false, nil
	}
	d.asked++
	found, _, err = d.API.Series(d.ctx, asked, d.from, d.to, promv1.WithLimit(maxSeries))
	if err != nil {
		return nil, false, fmt.Errorf("look up series %s: %w", strings.Join(asked, ", "), err)
	}
	return found, len(found) >= maxSeries, nil
}

func selectorOf(ms []*labels.Matcher) string {
	parts := make([]string, len(ms))
	for i, m := range ms {
		parts[i] = m.String()
	}
	return "{" + strings.Join(parts, ",") + "}"
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
