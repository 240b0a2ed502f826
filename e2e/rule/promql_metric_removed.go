package rule

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/panelgate/panelgate/fakes/catalogue"
	"github.com/panelgate/panelgate/fakes/release"
	"github.com/panelgate/panelgate/fakes/standard"
	"github.com/panelgate/panelgate/fakes/triton"
	"github.com/panelgate/panelgate/stack"
)

// promqlMetricRemoved finds metrics that their exporters printed once.
func promqlMetricRemoved() Rule {
	return Rule{
		ID:       "promql/metric-removed",
		Severity: Error,
		Summary:  "the exporter has removed or renamed the metric, or has it only later; says at which version, and what to ask for instead",
		Static: func(in *Static) []Finding {
			type place struct {
				from   *expression
				metric string
			}
			all := in.asked()
			said := map[place]bool{}
			var out []Finding
			for _, n := range in.namedMetrics() {
				if f, missing := in.notYet(n, all); missing && (n.from == nil || !said[place{n.from, n.metric}]) {
					said[place{n.from, n.metric}] = true
					out = append(out, f)
					continue
				}
				m, gone := in.removed(n, all)
				at := place{n.from, n.metric}
				if !gone || n.from != nil && said[at] {
					continue
				}
				said[at] = true
				out = append(out, in.removedMetric(n, m, all))
			}
			return out
		},
	}
}

// removed says whether a place asks for what its exporter has no more.
func (in *Static) removed(n named, all askedMetrics) (catalogue.Metric, bool) {
	m, _, known := in.Metrics.Series(n.metric)
	gone := known && m.Removed() && !in.recorded(n.metric) && !in.hadStill(m) && !in.askedBeside(n, m, all) && !in.printedByTriton(n, m, all)
	return m, gone
}

// notYet says of a place that asks for what the releases that the stack runs do not have
// yet since when there is such a metric.
func (in *Static) notYet(n named, all askedMetrics) (Finding, bool) {
	m, _, known := in.Metrics.Series(n.metric)
	if !known || in.recorded(n.metric) {
		return Finding{}, false
	}
	runs, missing := in.tooOld(m)
	if !missing || in.askedForOlder(n, m, runs, all) {
		return Finding{}, false
	}
	f := n.begin()
	f.Message = fmt.Sprintf("%s %s has no %s yet, which came with %s: there is no data of it", standard.Title(m.Exporter), runs, n.metric, m.Since)
	f.Fix = fmt.Sprintf("run %s %s or newer", standard.Title(m.Exporter), m.Since)
	if older := in.predecessors(m, runs); len(older) > 0 {
		f.Fix += ", or ask for what there was before: " + strings.Join(older, ", ")
	}
	if m.Exporter == "dcgm" { // a counters file of one's own may name it already
		f.Severity = Warning
	}
	return f, true
}

// predecessors are the metrics of a release that a later one has replaced by m.
func (in *Static) predecessors(m catalogue.Metric, runs release.Release) []string {
	var out []string
	for _, other := range in.Metrics.Of(m.Exporter) {
		if slices.Contains(other.ReplacedBy, m.Name) && other.In(runs) {
			out = append(out, other.Name)
		}
	}
	return out
}

// askedForOlder says whether the same query, behind an "or", asks for something that a
// release has, or another one of the panel for what the metric has replaced: it is made
// for exporters of both ages.
func (in *Static) askedForOlder(n named, m catalogue.Metric, runs release.Release, all askedMetrics) bool {
	for name := range n.others {
		if other, _, known := in.Metrics.Series(name); !known || other.Exporter != m.Exporter || other.In(runs) {
			return true
		}
	}
	there := func(asked map[string]bool) bool {
		for name := range asked {
			other, _, known := in.Metrics.Series(name)
			if known && slices.Contains(other.ReplacedBy, m.Name) {
				return true
			}
		}
		return false
	}
	return n.from != nil && n.from.question != nil && there(all.panels[panelKeyOf(n.begin())])
}

// panelKey tells one panel from another.
type panelKey struct {
	file string
	id   int64
	name string
}

func panelKeyOf(f Finding) panelKey { return panelKey{f.Pos.File, f.PanelID, f.Panel} }

// askedMetrics are the metrics that queries ask for, in each panel and in each file.
type askedMetrics struct {
	panels map[panelKey]map[string]bool
	files  map[string]map[string]bool
	// labelled are the files whose queries speak of vLLM's label model_name.
	labelled map[string]bool
}

func (in *Static) asked() askedMetrics {
	out := askedMetrics{map[panelKey]map[string]bool{}, map[string]map[string]bool{}, map[string]bool{}}
	for _, e := range in.expressions() {
		at := panelKeyOf(e.begin())
		if out.panels[at] == nil {
			out.panels[at] = map[string]bool{}
		}
		if out.files[at.file] == nil {
			out.files[at.file] = map[string]bool{}
		}
		for _, vs := range Selectors(e.root) {
			name := e.metric(vs)
			out.panels[at][name], out.files[at.file][name] = true, true
			if strings.HasPrefix(name, "vllm:") && strings.Contains(e.text, "model_name") {
				out.labelled[at.file] = true
			}
		}
	}
	return out
}

// askedBeside says whether the same query, behind an "or", or another one of the panel
// asks for what has replaced a metric: it is made for exporters of both ages.
func (in *Static) askedBeside(n named, m catalogue.Metric, all askedMetrics) bool {
	there := func(asked map[string]bool) bool {
		for name := range asked {
			other, _, known := in.Metrics.Series(name)
			if known && slices.Contains(m.ReplacedBy, other.Name) {
				return true
			}
		}
		return false
	}
	if there(n.others) {
		return true
	}
	if len(m.ReplacedBy) == 0 && len(n.others) > 0 {
		return true
	}
	return n.from != nil && n.from.question != nil && there(all.panels[panelKeyOf(n.begin())])
}

// printedByTriton says whether a metric that vLLM has dropped may come from Triton's
// back end for vLLM, which has kept it: nothing in the file asks for what only a vLLM
// server of its own has, and the stack scrapes a Triton.
func (in *Static) printedByTriton(n named, m catalogue.Metric, all askedMetrics) bool {
	if m.Exporter != "vllm" || !keptByTriton(m.Name) || in.Stack.Prometheus == nil {
		return false
	}
	if !slices.ContainsFunc(in.Stack.Prometheus.Jobs, func(j *stack.Job) bool { return scrapes(j, triton.DefaultPort) }) {
		return false
	}
	file := n.begin().Pos.File
	for name := range all.files[file] {
		if other, _, known := in.Metrics.Series(name); known && other.Exporter == "vllm" && !keptByTriton(other.Name) {
			return false
		}
	}
	return !all.labelled[file] // Triton's label is model
}

// keptByTriton knows what Triton's back end for vLLM prints.
func keptByTriton(name string) bool {
	return slices.Contains([]string{"vllm:prompt_tokens_total", "vllm:generation_tokens_total", "vllm:num_preemptions_total", "vllm:num_requests_running",
		"vllm:num_requests_waiting", "vllm:gpu_cache_usage_perc", "vllm:iteration_tokens_total", "vllm:time_to_first_token_seconds",
		"vllm:time_per_output_token_seconds", "vllm:e2e_request_latency_seconds", "vllm:request_queue_time_seconds", "vllm:request_inference_time_seconds",
		"vllm:request_prefill_time_seconds", "vllm:request_decode_time_seconds", "vllm:request_prompt_tokens", "vllm:request_generation_tokens",
		"vllm:request_params_n"}, name)
}

func (in *Static) removedMetric(n named, m catalogue.Metric, all askedMetrics) Finding {
	f := n.begin()
	f.Message = fmt.Sprintf("%s has no %s since %s", standard.Title(m.Exporter), n.metric, m.Until)
	if strings.HasPrefix(m.Name, "DCGM_") { // a counters file of one's own may still name it
		f.Severity = Warning
		f.Message = fmt.Sprintf("%s is not among the default counters of dcgm-exporter since %s", n.metric, m.Until)
	}
	f.Message += ": there is no data of it"
	_, part, _ := in.Metrics.Series(n.metric)
	switch len(m.ReplacedBy) {
	case 0:
		f.Fix = "take the query out, or ask for something else: nothing has replaced the metric"
	case 1:
		f.Fix = "ask for " + withPart(m.ReplacedBy[0], part)
		if by, _, _ := in.Metrics.Series(m.ReplacedBy[0]); by.Unit != m.Unit {
			f.Fix += fmt.Sprintf(", which is in %s rather than %s", cmp.Or(by.Unit, "another unit"), cmp.Or(m.Unit, "this one"))
		} else if by.Type != m.Type {
			f.Fix += fmt.Sprintf(", which is a %s rather than a %s", by.Type, m.Type)
		}
	default:
		f.Fix = "ask for what has replaced it: " + strings.Join(m.ReplacedBy, ", ")
	}
	f.Mended = in.renamedMetrics(n, all)
	return f
}

// renamedMetrics is an expression with every metric that has been renamed by its new
// name, "" where one has been replaced by something else.
func (in *Static) renamedMetrics(n named, all askedMetrics) string {
	if n.from == nil {
		return ""
	}
	var edits []edit
	for _, other := range namedIn(n.from) {
		m, gone := in.removed(other, all)
		if !gone {
			continue
		}
		if len(m.ReplacedBy) != 1 || other.node.Name == "" {
			return ""
		}
		by, _, _ := in.Metrics.Series(m.ReplacedBy[0])
		start, _, ok := n.from.span(other.node)
		if !ok || by.Unit != m.Unit || by.Type != m.Type {
			return ""
		}
		_, part, _ := in.Metrics.Series(other.metric)
		edits = append(edits, edit{start, start + len(other.node.Name), withPart(by.Name, part)})
	}
	return n.from.mended(edits...)
}

func withPart(name string, part catalogue.Part) string {
	if part == catalogue.Whole {
		return name
	}
	return name + "_" + string(part)
}
