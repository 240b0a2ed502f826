package rule

import "github.com/panelgate/panelgate/stack"

// records are the names that a Prometheus' rules record: each selector of the stack is
// held against them.
type records struct {
	of    *stack.Prometheus
	names []string // each once, in the order of the files
	known map[string]bool
}

func recordsOf(p *stack.Prometheus) *records {
	out := &records{of: p, known: map[string]bool{}}
	if p == nil {
		return out
	}
	for _, f := range p.RuleFiles {
		for _, r := range f.Records {
			if !out.known[r.Value] {
				out.known[r.Value] = true
				out.names = append(out.names, r.Value)
			}
		}
	}
	return out
}

// recordedNames are those of the stack, found once for all parts of it.
func (in *Static) recordedNames() *records {
	if in.records != nil && in.records.of == in.Stack.Prometheus {
		return in.records
	}
	return recordsOf(in.Stack.Prometheus)
}

// recorded says whether a rule of the stack makes the series.
func (in *Static) recorded(name string) bool { return in.recordedNames().known[name] }
