package rule

import (
	"fmt"
	"slices"
	"strings"

	"github.com/panelgate/panelgate/e2e/nearest"
	"github.com/panelgate/panelgate/stack"
)

// prometheusRecordingRuleMissing finds queries for recorded series that nothing of the
// stack records.
func prometheusRecordingRuleMissing() Rule {
	return Rule{
		ID:       "prometheus/recording-rule-missing",
		Severity: Error,
		Summary:  "a query uses a level:metric:operations series that no shipped rule records",
		Static: func(in *Static) []Finding {
			if in.Stack.Prometheus == nil || takesSeries(in.Stack.Prometheus) {
				return nil
			}
			records := in.recordedNames()
			type place struct {
				from   *expression
				metric string
			}
			said := map[place]bool{}
			var out []Finding
			for _, n := range in.namedMetrics() {
				at := place{n.from, n.metric}
				_, _, printed := in.Metrics.Series(n.metric)
				if !recordedName(n.metric) || records.known[n.metric] || printed || otherwiseShown(n) || n.from != nil && said[at] {
					continue
				}
				said[at] = true
				out = append(out, missingRecord(in.Stack.Prometheus, n, records.names))
			}
			return out
		},
	}
}

// otherwiseShown says whether the query has something else to show, behind an "or".
func otherwiseShown(n named) bool {
	for name := range n.others {
		if name != "" && !recordedName(name) {
			return true
		}
	}
	return false
}

// recordedName says whether a name has the form level:metric:operations. With a single
// colon it may be an exporter's own name (vllm:…, sglang:…), so the level must be one
// that people aggregate to.
func recordedName(name string) bool {
	level, _, found := strings.Cut(name, ":")
	if !found || strings.Count(name, ":") >= 2 {
		return found
	}
	levels := strings.Split(level, "_")
	return !slices.ContainsFunc(levels, func(l string) bool {
		return !slices.Contains([]string{"job", "instance", "cluster", "node", "namespace", "pod", "container", "service", "path", "handler", "device",
			"model", "gpu", "method", "status", "workload", "deployment", "mode", "cpu", "region", "zone"}, l)
	})
}

// takesSeries says whether the stack's Prometheus gets series that were recorded
// elsewhere.
func takesSeries(p *stack.Prometheus) bool {
	if p.Service != nil {
		if _, set := p.Service.Flag("web.enable-remote-write-receiver"); set {
			return true
		}
	}
	return len(p.Node.Get("remote_read").Items()) > 0 ||
		slices.ContainsFunc(p.Jobs, func(j *stack.Job) bool { return strings.HasSuffix(j.MetricsPath, "/federate") })
}

func missingRecord(p *stack.Prometheus, n named, records []string) Finding {
	f := n.begin()
	f.Message = fmt.Sprintf("no rule of the stack records %s: there is no data of it", n.metric)
	if hint := nearest.Hint(n.metric, records); hint != "" {
		f.Message += hint
	}
	switch {
	case len(p.RuleFiles) == 0:
		f.Evidence = []string{fmt.Sprintf("%s loads no rule file", p.File)}
	default:
		f.Evidence = []string{fmt.Sprintf("%d rule files record %d series", len(p.RuleFiles), len(records))}
	}
	f.Fix = "ship a rule file that records it and name the file under rule_files, or write what it stands for into the query"
	return f
}
