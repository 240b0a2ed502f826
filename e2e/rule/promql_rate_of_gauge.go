package rule

import (
	"fmt"
	"slices"
	"strings"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	promparser "github.com/prometheus/prometheus/promql/parser"

	"github.com/panelgate/panelgate/fakes/catalogue"
	"github.com/panelgate/panelgate/fakes/standard"
)

// promqlRateOfGauge finds rates of what goes up and down: each fall is taken for a
// restart of the exporter.
func promqlRateOfGauge() Rule {
	return Rule{
		ID:       "promql/rate-of-gauge",
		Severity: Error,
		Summary:  "rate, irate or increase is taken of a gauge",
		Static:   ratesOfGauges,
		Live:     func(in *Live) []Finding { return in.withTypes(ratesOfGauges) },
	}
}

func ratesOfGauges(in *Static) []Finding {
	var out []Finding
	for _, e := range in.expressions() {
		promparser.Inspect(e.root, func(n promparser.Node, _ []promparser.Node) error {
			if call, ok := n.(*promparser.Call); ok && takesRate(call.Func.Name) {
				if g := in.gaugeUnder(e, call); g != nil {
					out = append(out, g.finding(e, call))
				}
			}
			return nil
		})
	}
	return out
}

// gauge is a gauge that a rate is taken of.
type gauge struct {
	selector *promparser.VectorSelector
	name     string
	unit     string // "" where it is not known
	how      string // why it is one
	whole    bool   // the rate is taken of the selector itself
}

// gaugeUnder is the gauge that a rate is taken of, nil for none.
func (in *Static) gaugeUnder(e *expression, call *promparser.Call) *gauge {
	vs := ranged(call.Args[0])
	whole := vs != nil
	if sub, ok := bare(call.Args[0]).(*promparser.SubqueryExpr); ok {
		vs = aggregatedSelector(sub.Expr)
	}
	if vs == nil {
		return nil
	}
	g := in.gaugeOf(e, vs)
	if g != nil {
		g.whole = whole
	}
	return g
}

// aggregatedSelector is what is summed, averaged or chosen from, nil for anything else.
func aggregatedSelector(e promparser.Expr) *promparser.VectorSelector {
	switch e := bare(e).(type) {
	case *promparser.VectorSelector:
		return e
	case *promparser.AggregateExpr:
		switch e.Op {
		case promparser.SUM, promparser.AVG, promparser.MIN, promparser.MAX, promparser.TOPK, promparser.BOTTOMK:
			return aggregatedSelector(e.Expr)
		}
	}
	return nil
}

// gaugeOf says of a selector's metric that it is a gauge, nil where it is none or
// nobody knows.
func (in *Static) gaugeOf(e *expression, vs *promparser.VectorSelector) *gauge {
	name := e.metric(vs)
	if name == "" || in.recorded(name) {
		return nil
	}
	m, part, known := in.Metrics.Series(name)
	switch {
	case known && m.Type == catalogue.Gauge && !countsUp(m, vs):
		return &gauge{selector: vs, name: name, unit: m.Unit, how: "is a gauge of " + standard.Title(m.Exporter)}
	case known && m.Type == catalogue.Summary && part == catalogue.Whole:
		return &gauge{selector: vs, name: name, unit: "level", how: "is a quantile of a summary, which goes up and down"}
	case !known && chooses(vs, model.QuantileLabel):
		return &gauge{selector: vs, name: name, unit: "level", how: "is a quantile of a summary, which goes up and down"}
	case !known && in.toldType(name) == catalogue.Gauge && !strings.HasSuffix(name, "_total") && !strings.HasSuffix(name, "_count"):
		return &gauge{selector: vs, name: name, how: "is a gauge, as its target says"}
	case !known && levelByName(name):
		g := &gauge{selector: vs, name: name, how: "is by its name a gauge"}
		if !strings.HasSuffix(name, "_bytes") && !strings.Contains(name, "time") {
			g.unit = "level"
		}
		return g
	}
	return nil
}

// countsUp knows gauges that are only ever added to, whatever their TYPE line says.
func countsUp(m catalogue.Metric, vs *promparser.VectorSelector) bool {
	switch m.Name {
	case "nv_trt_llm_general_metrics": // its iteration_counter and timestamp, and which of them only the matchers tell
		return !slices.ContainsFunc(vs.LabelMatchers, func(lm *labels.Matcher) bool {
			return lm.Name == "general_type" && !lm.Matches("iteration_counter") && !lm.Matches("timestamp")
		})
	case "node_time_seconds", "node_time":
		return true
	}
	if m.Exporter == "node" && m.Unit == "" { // many collectors pass a kernel's counters on as gauges
		return !slices.ContainsFunc([]string{"node_procs_", "node_filefd_allocated", "node_entropy_", "node_nf_conntrack_entries", "node_sockstat_",
			"node_hwmon_", "node_cpu_scaling_", "node_processes_"}, func(prefix string) bool { return strings.HasPrefix(m.Name, prefix) })
	}
	return m.Exporter == "node" && (strings.Contains(m.Name, "_stat_") || strings.HasSuffix(m.Name, "_errors") || strings.HasSuffix(m.Name, "_count"))
}

// chooses says whether a selector has a matcher for a label.
func chooses(vs *promparser.VectorSelector, label string) bool {
	return slices.ContainsFunc(vs.LabelMatchers, func(m *labels.Matcher) bool { return m.Name == label })
}

// levelByName says whether nothing but a gauge would have such a name.
func levelByName(name string) bool {
	switch name {
	case "up", "scrape_duration_seconds", "scrape_samples_scraped", "scrape_series_added",
		"process_resident_memory_bytes", "process_virtual_memory_bytes", "process_open_fds", "process_max_fds", "process_start_time_seconds",
		"go_goroutines", "go_threads", "go_memstats_alloc_bytes", "go_memstats_heap_alloc_bytes", "go_memstats_heap_inuse_bytes":
		return true
	}
	return slices.ContainsFunc([]string{"_celsius", "_volts", "_watts", "_timestamp_seconds"}, func(suffix string) bool { return strings.HasSuffix(name, suffix) })
}

// isLevel says whether a gauge of a unit is read as it is, rather than by how fast it
// changes.
func isLevel(unit string) bool {
	return slices.Contains([]string{"level", "percent", "ratio", "celsius", "watts", "volts", "MHz", "hertz", "bytes/s", "state"}, unit)
}

func (g *gauge) finding(e *expression, call *promparser.Call) Finding {
	f := e.finding(call)
	f.Message = fmt.Sprintf("%s of %s, which %s: every time it falls is taken for a restart and counted as growth", call.Func.Name, g.name, g.how)
	slope := map[string]string{"increase": "delta"}[call.Func.Name]
	if slope == "" {
		slope = "deriv"
	}
	if isLevel(g.unit) {
		f.Fix = fmt.Sprintf("show %s itself, or avg_over_time of it to smooth it; %s where its change is meant", g.name, slope)
		f.Mended = g.itself(e, call)
		return f
	}
	f.Fix = fmt.Sprintf("take %s, which may be negative, or show %s itself", slope, g.name)
	if start, _, ok := e.span(call); ok {
		f.Mended = e.mended(edit{start, start + len(call.Func.Name), slope})
	}
	return f
}

// itself is the expression with the gauge in the place of its rate.
func (g *gauge) itself(e *expression, call *promparser.Call) string {
	if !g.whole || g.selector.OriginalOffset != 0 || g.selector.Timestamp != nil || g.selector.StartOrEnd != 0 {
		return ""
	}
	start, end, ok := e.span(call)
	first, last, also := e.span(g.selector)
	if !ok || !also {
		return ""
	}
	return e.mended(edit{start, first, ""}, edit{last, end, ""})
}
