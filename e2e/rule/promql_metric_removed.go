package rule

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/panelgate/panelgate/fakes/catalogue"
)

// promqlMetricRemoved finds metrics that their exporters printed once.
func promqlMetricRemoved() Rule {
	return Rule{
		ID:       "promql/metric-removed",
		Severity: Error,
		Summary:  "the exporter has removed or renamed the metric; says at which version, and what replaced it",
		Static: func(in *Static) []Finding {
			var out []Finding
			panels := in.askedByPanels()
			for _, n := range in.namedMetrics() {
				m, part, known := in.Metrics.Series(n.metric)
				if !known || !m.Removed() || in.recorded(n.metric) || in.runsOlder(m) || in.printedByTriton(m) || in.askedBeside(n, m, panels) {
					continue
				}
				out = append(out, removedMetric(n, m, part))
			}
			return out
		},
	}
}

// panelKey tells one panel from another.
type panelKey struct {
	file string
	id   int64
	name string
}

func panelKeyOf(f Finding) panelKey { return panelKey{f.Pos.File, f.PanelID, f.Panel} }

// askedByPanels are the metrics that each panel asks for.
func (in *Static) askedByPanels() map[panelKey]map[string]bool {
	out := map[panelKey]map[string]bool{}
	for _, e := range in.expressions() {
		at := panelKeyOf(e.begin())
		if out[at] == nil {
			out[at] = map[string]bool{}
		}
		for _, vs := range selectorsIn(e.root) {
			out[at][e.metric(vs)] = true
		}
	}
	return out
}

// askedBeside says whether the same query, behind an "or", or another one of the panel
// asks for what has replaced a metric: it is made for exporters of both ages.
func (in *Static) askedBeside(n named, m catalogue.Metric, panels map[panelKey]map[string]bool) bool {
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
	return n.from != nil && n.from.question != nil && there(panels[panelKeyOf(n.begin())])
}

// printedByTriton says whether a metric that vLLM has dropped is asked of a stack with
// Triton, whose back end for vLLM goes by names of its own.
func (in *Static) printedByTriton(m catalogue.Metric) bool {
	if m.Exporter != "vllm" {
		return false
	}
	if in.Stack.Prometheus != nil {
		for _, j := range in.Stack.Prometheus.Jobs {
			if scrapes(j, ":8002") {
				return true
			}
		}
	}
	return false
}

func removedMetric(n named, m catalogue.Metric, part catalogue.Part) Finding {
	f := n.begin()
	f.Message = fmt.Sprintf("%s has no %s since %s", exporterTitle(m.Exporter), n.metric, m.Until)
	if m.Exporter == "dcgm" { // a counters file of one's own may still name it
		f.Severity = Warning
		f.Message = fmt.Sprintf("%s is not among the default counters of dcgm-exporter since %s", n.metric, m.Until)
	}
	f.Message += ": there is no data of it"
	switch len(m.ReplacedBy) {
	case 0:
		f.Fix = "take the query out, or ask for something else: nothing has replaced the metric"
		return f
	case 1:
		f.Fix = "ask for " + withPart(m.ReplacedBy[0], part)
	default:
		f.Fix = "ask for what has replaced it: " + strings.Join(m.ReplacedBy, ", ")
		return f
	}
	if n.from != nil && n.node.Name != "" {
		if start, _, ok := n.from.span(n.node); ok {
			f.Mended = n.from.mended(edit{start, start + len(n.node.Name), withPart(m.ReplacedBy[0], part)})
		}
	}
	return f
}

func withPart(name string, part catalogue.Part) string {
	if part == catalogue.Whole {
		return name
	}
	return name + "_" + string(part)
}

// runsOlder says whether the compose file runs an exporter of a version that has the
// metric still.
func (in *Static) runsOlder(m catalogue.Metric) bool {
	if in.Stack.Compose == nil {
		return false
	}
	image := map[string]string{"triton": "tritonserver", "dcgm": "dcgm-exporter", "node": "node-exporter", "vllm": "vllm-openai"}[m.Exporter]
	for _, s := range in.Stack.Compose.Services {
		_, tag, found := strings.Cut(s.Image.Value, image+":")
		if found && image != "" && older(tag, m.Until) {
			return true
		}
	}
	return false
}

var numbers = regexp.MustCompile(`\d+`)

// older compares versions by their numbers; what has none is not older than anything.
func older(version, than string) bool {
	as, bs := numbers.FindAllString(version, -1), numbers.FindAllString(than, -1)
	for i := range min(len(as), len(bs)) {
		a, _ := strconv.Atoi(as[i]) // too many digits for a version: taken for the largest
		b, _ := strconv.Atoi(bs[i])
		if a != b {
			return a < b
		}
	}
	return false
}
