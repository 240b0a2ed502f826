package rule

import (
	"strings"

	"github.com/panelgate/panelgate/stack"
	"github.com/panelgate/panelgate/stack/source"
)

// prometheusConfigInvalid proves that Prometheus takes its configuration and the
// rule files it names: it exits on the first one that it refuses.
func prometheusConfigInvalid() Rule {
	return Rule{
		ID:       "prometheus/config-invalid",
		Severity: Error,
		Summary:  "prometheus.yml or a rule file is missing or does not load",
		Static: func(in *Static) []Finding {
			out := problems(in.Stack, stack.AreaPrometheus)
			if len(out) > 0 || in.Stack.Prometheus != nil || missingConfigMount(in.Stack) {
				return out
			}
			f := Finding{
				Pos: source.Pos{File: "."},
				Message: "no prometheus.yml was found, so no panel can be asked: looked in the mounts of the compose file, " +
					"in prometheus/ and in the folders of the stack",
				Fix: "put prometheus.yml into prometheus/, or name the stack's folder with --stack",
			}
			if in.Stack.Compose != nil {
				f.Pos.File = in.Stack.Compose.File
			}
			return []Finding{f}
		},
		Live: func(in *Live) []Finding {
			var out []Finding
			for _, r := range refusals(in, "prometheus/config-invalid") {
				if in.said("", "prometheus/config-invalid") {
					continue
				}
				pos, named := r.place(in.Stack)
				if p := in.Stack.Prometheus; !named && p != nil {
					pos = atLine(r.words, p.File)
				}
				out = append(out, Finding{
					Pos: r.orService(pos), Message: "Prometheus does not start: " + r.words, Evidence: r.tail(),
					Fix: "mend what is named, or run an image that knows it: another release of Prometheus may take it",
				})
			}
			return out
		},
	}
}

// missingConfigMount says whether a mount should bring prometheus.yml and has
// nothing to bring, which stack/compose-invalid says better.
func missingConfigMount(s *stack.Stack) bool {
	if s.Compose == nil {
		return false
	}
	for _, svc := range s.Compose.Services {
		for _, m := range svc.Mounts {
			if m.SourceMissing && strings.HasPrefix(m.Target, "/etc/prometheus") {
				return true
			}
		}
	}
	return false
}
