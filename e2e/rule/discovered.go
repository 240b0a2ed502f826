package rule

import (
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"

	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/discovery/http"

	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/stack"
	"github.com/panelgate/panelgate/stack/source"
)

// hasTarget says whether the running Prometheus has a target of a job. Relabelling
// may have given the target another job label, so its place in the file counts too.
func hasTarget(in *Live, job string) bool {
	places := map[source.Pos]bool{}
	for _, j := range in.Stack.Prometheus.Jobs {
		if j.Name.Value != job {
			continue
		}
		places[j.Pos] = true
		for _, t := range j.Targets {
			places[t.Address.Pos] = true
		}
	}
	delete(places, source.Pos{})
	return slices.ContainsFunc(in.Instance.Targets, func(t env.Target) bool { return t.Job == job || places[t.Pos] })
}

// noneDiscovered is a job whose discovery found nothing in the running stack. Where
// that is one which the environment does not run, the job may be in order.
func noneDiscovered(p *stack.Prometheus, job *config.ScrapeConfig, environment string) Finding {
	pos, node := jobPlace(p, job.JobName)
	f := Finding{Pos: pos}
	if addresses := written(p, job.JobName); len(addresses) > 0 {
		f.Message = fmt.Sprintf("job %q has no target left: relabelling drops all that are discovered (%s)", job.JobName, strings.Join(addresses, ", "))
		f.Fix = "mend the relabelling, so that it keeps the targets that are meant"
		return f
	}
	notRun, run := discoveries(job)
	switch {
	case len(notRun) > 0:
		f.Severity = Warning
		f.Message = fmt.Sprintf("job %q has no target here: its discovery (%s) finds nothing in the %s environment, and panels that show the job cannot be proven",
			job.JobName, strings.Join(notRun, ", "), environment)
		f.Evidence = []string{"discovered here are static_configs, file_sd_configs, and http_sd_configs of a server on loopback"}
		f.Fix = "give panelgate a prometheus.yml that lists a target of this job under static_configs or file_sd_configs"
	case slices.Contains(run, "file"):
		noFile(&f, job.JobName, node)
	default:
		f.Message = fmt.Sprintf("job %q has no target: its discovery (%s) finds nothing", job.JobName, strings.Join(run, ", "))
		f.Fix = "make what it asks answer with targets, or list them under static_configs"
	}
	return f
}

// noFile explains a file discovery without targets, at its first pattern.
func noFile(f *Finding, job string, node *source.Node) {
	var patterns []string
	for _, sd := range node.Get("file_sd_configs").Items() {
		for _, n := range sd.Get("files").Items() {
			if len(patterns) == 0 {
				f.Pos = n.Pos()
			}
			patterns = append(patterns, n.Scalar())
		}
	}
	names := strings.Join(patterns, ", ")
	f.Message = fmt.Sprintf("job %q has no target: the files that match %s name no target, or there is no such file where Prometheus looks", job, names)
	f.Evidence = []string{"file_sd_configs are looked for inside the container, through its mounts; a relative path begins at prometheus.yml"}
	f.Fix = fmt.Sprintf("put a file with targets where %s finds it, and keep it with the stack", names)
}

// discoveries are the mechanisms of a job besides static_configs: those that need
// something which no environment without the real network has, and the rest.
func discoveries(job *config.ScrapeConfig) (notRun, run []string) {
	for _, sd := range job.ServiceDiscoveryConfigs {
		switch name := sd.Name(); name {
		case "static":
		case "file":
			run = append(run, name)
		case "http":
			if h, ok := sd.(*http.SDConfig); ok && onLoopback(h.URL) {
				run = append(run, name)
				continue
			}
			notRun = append(notRun, name)
		default:
			notRun = append(notRun, name)
		}
	}
	return notRun, run
}

func onLoopback(text string) bool {
	u, err := url.Parse(text)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

// written are the addresses that the files list for a job, whatever the mechanism.
func written(p *stack.Prometheus, job string) []string {
	var out []string
	for _, j := range p.Jobs {
		if j.Name.Value == job {
			for _, t := range j.Targets {
				out = append(out, t.Address.Value)
			}
		}
	}
	return out
}
