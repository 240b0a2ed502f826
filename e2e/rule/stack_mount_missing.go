package rule

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/panelgate/panelgate/stack"
	"github.com/panelgate/panelgate/stack/source"
)

// stackMountMissing proves that what the containers look for is where the mounts
// of the compose file put it. Both programs start without it and say nothing.
func stackMountMissing() Rule {
	return Rule{
		ID:       "stack/mount-missing",
		Severity: Error,
		Summary:  "a provider's path, a rule file or a configuration folder is not where the compose file mounts it",
		Static: func(in *Static) []Finding {
			out := missingSources(in.Stack)
			out = append(out, unmountedByConvention(in.Stack)...)
			out = append(out, missingProviderPaths(in.Stack)...)
			return append(out, missingRuleFiles(in.Stack)...)
		},
	}
}

// missingSources are the mounts of Grafana's provisioning whose source is not
// there, of which loading the stack has taken note.
func missingSources(s *stack.Stack) []Finding {
	var out []Finding
	seen := map[source.Pos]bool{}
	for _, p := range s.Problems {
		if !aboutMount(s, p) || seen[p.Pos] {
			continue
		}
		seen[p.Pos] = true // one mount may bring datasources and dashboards
		out = append(out, Finding{
			Pos:     p.Pos,
			Message: p.Message,
			Fix:     "mount the folder that holds datasources/ and dashboards/; compose makes an empty one where there is none",
		})
	}
	return out
}

// aboutMount says whether a problem of Grafana's provisioning is about a mount,
// and so belongs to this rule and to no other.
func aboutMount(s *stack.Stack, p stack.Problem) bool {
	if p.Area != stack.AreaDatasource && p.Area != stack.AreaProvider && p.Area != stack.AreaAlerting || s.Grafana == nil || s.Grafana.Service == nil {
		return false
	}
	for _, m := range s.Grafana.Service.Mounts {
		if m.SourceMissing && m.Pos == p.Pos {
			return true
		}
	}
	return false
}

// unmountedByConvention are configurations that lie in the stack where people
// keep them, and that no mount brings into the container that should read them.
func unmountedByConvention(s *stack.Stack) []Finding {
	var out []Finding
	if p := s.Prometheus; p != nil && p.ByConvention && p.Service != nil && !p.Service.HasBuild {
		out = append(out, Finding{
			Pos: p.Service.Pos,
			Message: fmt.Sprintf("no mount brings %s into the container of %q: Prometheus runs with the configuration of its image",
				p.File, p.Service.Name),
			Fix: fmt.Sprintf("mount it: ./%s:%s:ro", p.File, p.ContainerPath),
		})
	}
	if g := s.Grafana; g != nil && g.ByConvention && g.Service != nil && !g.Service.HasBuild {
		dir := relativeTo(s, g.ProvisioningDir)
		out = append(out, Finding{
			Pos: g.Service.Pos,
			Message: fmt.Sprintf("no mount brings %s into the container of %q: Grafana starts without a datasource and without a dashboard",
				dir, g.Service.Name),
			Fix: fmt.Sprintf("mount it: ./%s:%s:ro", dir, g.Env["GF_PATHS_PROVISIONING"]),
		})
	}
	return out
}

// missingProviderPaths are providers whose path leads to nothing. Grafana logs
// it and goes on.
func missingProviderPaths(s *stack.Stack) []Finding {
	var out []Finding
	for _, p := range s.Providers {
		if p.Type.Value != "file" || p.Path.IsZero() {
			continue // dashboard/provider-invalid says so
		}
		f := Finding{Pos: p.Path.Pos}
		switch {
		case p.Path.Value == "":
			f.Message = fmt.Sprintf("the path of provider %q is empty once its variables are filled in", p.Name.Value)
			f.Fix = "set options.path to the folder of the dashboards inside Grafana's container"
		case p.Dir == "":
			if !filesTell(s) {
				continue
			}
			f.Message = fmt.Sprintf("provider %q reads %s, and no mount of the Grafana service brings files of the stack there", p.Name.Value, p.Path.Value)
			f.Fix = mountFix(s, p.Path.Value)
		case !onDisk(p.Dir):
			f.Message = fmt.Sprintf("provider %q reads %s, which would be %s, and that is not there", p.Name.Value, p.Path.Value, relativeTo(s, p.Dir))
			f.Fix = mountFix(s, p.Path.Value)
		default:
			continue
		}
		out = append(out, f)
	}
	return out
}

// filesTell says whether the mounts are known that bring dashboards into
// Grafana: not without a compose file, and not of an image built with them inside.
func filesTell(s *stack.Stack) bool {
	return s.Grafana != nil && s.Grafana.Service != nil && !s.Grafana.Service.HasBuild
}

// mountFix names the mounts there are, among which the right path usually is.
func mountFix(s *stack.Stack, want string) string {
	if s.Grafana == nil || s.Grafana.Service == nil {
		return fmt.Sprintf("set options.path to the folder that holds the dashboards instead of %s", want)
	}
	var targets []string
	for _, m := range s.Grafana.Service.Mounts {
		if m.Type == "bind" {
			targets = append(targets, m.Target)
		}
	}
	if len(targets) == 0 {
		return fmt.Sprintf("mount the folder of the dashboards at %s", want)
	}
	return fmt.Sprintf("mount the folder of the dashboards at %s, or set options.path to where they are: something is mounted at %s",
		want, strings.Join(targets, ", "))
}

// missingRuleFiles are entries of rule_files that find nothing, which Prometheus
// passes over. A pattern in a folder that is there may be empty on purpose.
func missingRuleFiles(s *stack.Stack) []Finding {
	p := s.Prometheus
	if p == nil || p.Service != nil && p.Service.HasBuild {
		return nil
	}
	var out []Finding
	for _, r := range p.RuleFiles {
		if r.Path != "" {
			continue
		}
		name := r.Pattern.Value
		if !path.IsAbs(name) {
			name = path.Join(path.Dir(p.ContainerPath), name)
		}
		f := Finding{
			Pos:     r.Pattern.Pos,
			Message: fmt.Sprintf("rule_files names %s, and no such file gets there: its rules are never evaluated", name),
			Fix:     "put the file into the folder that is mounted there, or take the entry out",
		}
		if strings.ContainsAny(r.Pattern.Value, "*?[") {
			f.Severity = Warning
			f.Message = fmt.Sprintf("rule_files asks for %s, and no file matches: no rule of it is evaluated", name)
		}
		if beside := filepath.Join(filepath.Dir(p.Path), filepath.FromSlash(r.Pattern.Value)); !path.IsAbs(r.Pattern.Value) && onDisk(beside) {
			f.Evidence = []string{fmt.Sprintf("%s is there, but no mount brings it into the container", relativeTo(s, beside))}
			f.Fix = fmt.Sprintf("mount it: ./%s:%s:ro", relativeTo(s, beside), name)
		}
		out = append(out, f)
	}
	return out
}

func onDisk(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

// relativeTo is a path of this machine as the stack's own files would name it.
func relativeTo(s *stack.Stack, name string) string {
	rel, err := filepath.Rel(s.Dir, name)
	if err != nil {
		return filepath.ToSlash(name)
	}
	return filepath.ToSlash(rel)
}
