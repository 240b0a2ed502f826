package rule

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/e2e/exporter"
	"github.com/panelgate/panelgate/fakes/standard"
	"github.com/panelgate/panelgate/stack/source"
)

// prometheusTargetDown proves that every target is scraped, and says in the
// words of a troubleshooting table why one is not.
func prometheusTargetDown() Rule {
	return Rule{
		ID:       "prometheus/target-down",
		Severity: Error,
		Summary:  "a target is down or its scrape fails; says refused, timeout, not found or parse error",
		Live: func(in *Live) []Finding {
			if in.down(env.RolePrometheus) {
				return nil // nobody scrapes
			}
			var out []Finding
			for _, t := range in.Instance.Targets {
				if !t.Up {
					out = append(out, targetDown(in, t))
				}
			}
			return out
		},
	}
}

func targetDown(in *Live, t env.Target) Finding {
	f := Finding{Pos: t.Pos}
	if f.Pos.IsZero() && in.Stack.Prometheus != nil {
		f.Pos = source.Pos{File: in.Stack.Prometheus.File}
	}
	about := fmt.Sprintf("target %s of job %q is down: ", t.Address, t.Job)
	if t.Error != "" && t.Cause != env.CauseUnanswered {
		f.Evidence = append(f.Evidence, "Prometheus: "+t.Error)
	}
	if t.URL != "" {
		f.Evidence = append(f.Evidence, "scraped: "+t.URL)
	}
	switch t.Cause {
	case env.CauseUnanswered:
		in.nobodyThere(&f, about, t)
	case env.CauseRefused:
		f.Message = about + "the connection is refused, no exporter listens on that port"
		f.Fix = "start the exporter, or set the target to the port on which it listens"
	case env.CauseTimeout:
		f.Message = about + "the scrape takes longer than scrape_timeout"
		f.Fix = "find out what keeps the exporter, or raise scrape_timeout of the job"
	case env.CauseNotFound:
		f.Message = about + "the exporter answers 404, its metrics are at another path"
		f.Fix = "set metrics_path of the job to where the exporter serves its metrics, which is /metrics for most"
	case env.CauseStatus:
		f.Message = about + "the exporter answers with an error"
		f.Fix = "ask the url by hand: the answer says what the exporter lacks"
	case env.CausePlainHTTP:
		f.Message = about + "it is scraped by https, and the exporter answers in plain HTTP"
		f.Fix = "take scheme: https out of the job, or have the exporter speak TLS"
		if t.AnsweredBy == "triton" {
			f.Message = about + "it is scraped by https, and Triton's metrics port speaks plain HTTP alone"
			f.Fix = "take scheme: https out of the job, or scrape a proxy that speaks TLS before Triton"
		}
	case env.CauseParse:
		f.Message = about + "what the exporter answers cannot be parsed, and none of it is stored"
		f.Fix = "mend the line that the exporter prints wrongly, or point the target at an exporter's metrics"
	default:
		f.Message = about + "the scrape fails"
		f.Fix = "mend what Prometheus reports"
		if key := limitOf(t.Error); key != "" {
			f.Message = about + "the exporter prints more than " + key + " allows"
			f.Fix = "raise " + key + " of the job or of global, or have the exporter print less"
		}
	}
	return f
}

// limitOf is the key of prometheus.yml whose limit a scrape has exceeded, by Prometheus'
// words for it; "" for another failure.
func limitOf(failure string) string {
	if !strings.Contains(failure, "limit exceeded") {
		return ""
	}
	for _, key := range []string{"body_size_limit", "sample_limit", "label_limit", "label_name_length_limit", "label_value_length_limit", "target_limit"} {
		if strings.Contains(failure, key) || strings.Contains(failure, strings.ReplaceAll(key, "_", " ")) {
			return key
		}
	}
	return ""
}

// nobodyThere says why nobody answers at the address of a target: what the compose file
// runs there, else who could answer.
func (in *Static) nobodyThere(f *Finding, about string, t env.Target) {
	f.Message = about + "nobody answers at that address"
	if own, known := in.endedAt(t.Address); known {
		f.Message = fmt.Sprintf("%s%s of service %q, which would answer there, does not come up", about, standard.Title(own.Name), own.Service.Name)
		f.Fix = "mend the service: see the finding stack/server-failed"
		return
	}
	own, known := in.silentAt(t.Address)
	switch {
	case !known:
		unanswered(f, t)
	case len(own.Addresses) == 0:
		f.Message = fmt.Sprintf("%s%s of service %q is started with --allow-metrics=false, and listens for no scrape", about, standard.Title(own.Name), own.Service.Name)
		f.Fix = "take that flag out of the service's command"
	default:
		f.Message = fmt.Sprintf("%sno metrics of service %q are at that address: %s listens elsewhere", about, own.Service.Name, standard.Title(own.Name))
		f.Evidence = append(f.Evidence, "it answers at "+strings.Join(own.Addresses, ", "))
		f.Fix = "set the target to where it answers, or its listening and published port to the one that is scraped"
	}
}

// endedAt is the exporter of the compose file that would answer at an address, and does
// not come up.
func (in *Static) endedAt(address string) (exporter.Running, bool) {
	i := slices.IndexFunc(in.Exporters, func(own exporter.Running) bool {
		return own.Refused != nil && slices.Contains(own.Addresses, address)
	})
	if i < 0 {
		return exporter.Running{}, false
	}
	return in.Exporters[i], true
}

// silentAt is the exporter of the compose file that an address leads to, and that does not
// listen there.
func (in *Static) silentAt(address string) (exporter.Running, bool) {
	i := slices.IndexFunc(in.Exporters, func(own exporter.Running) bool { return slices.Contains(own.Silent, address) })
	if i < 0 {
		return exporter.Running{}, false
	}
	return in.Exporters[i], true
}

// unanswered says who could answer: the exporter of a standard port that is
// meant, else whoever panelgate.yml names.
func unanswered(f *Finding, t env.Target) {
	_, port, err := net.SplitHostPort(t.Address)
	if err != nil {
		port = ""
	}
	if host, _, err := net.SplitHostPort(t.Address); err == nil && (host == "localhost" || net.ParseIP(host).IsLoopback()) {
		f.Message = fmt.Sprintf("target %s of job %q is down: in Prometheus' container that is the container itself", t.Address, t.Job)
		f.Fix = "name the exporter's service, or host.docker.internal for the host"
		return
	}
	meant := exporterMeant(t.Job)
	f.Evidence = append(f.Evidence, "answered by themselves are the standard ports "+standardPorts())
	if usual, _ := standard.Port(meant); meant != "" && port == fmt.Sprint(usual) { // which alone says nothing, else it were answered
		f.Fix = fmt.Sprintf("say in panelgate.yml that this is %s: targets: [{match: {job: %s}, fake: %s}]", standard.Title(meant), yamlWord(t.Job), meant)
		return
	}
	if meant == "" {
		f.Fix = fmt.Sprintf("say in panelgate.yml who answers: targets: [{match: {job: %s}, fake: NAME}] where it is one of %s, or live: true in place of fake to scrape the address itself",
			yamlWord(t.Job), strings.Join(standard.Names(), ", "))
		return
	}
	usual, _ := standard.Port(meant) // of a name that is known
	f.Evidence = append(f.Evidence, fmt.Sprintf("%s listens on port %d by default, the target names %s", standard.Title(meant), usual, port))
	f.Fix = fmt.Sprintf("set the target's port to %d, or say in panelgate.yml that this is %s: targets: [{match: {job: %s}, fake: %s}]",
		usual, standard.Title(meant), yamlWord(t.Job), meant)
}

// exporterMeant is the exporter that a job's name speaks of, "" for none.
func exporterMeant(job string) string {
	low := strings.ToLower(job)
	for _, name := range standard.Names() {
		if strings.Contains(low, name) {
			return name
		}
	}
	return ""
}

func standardPorts() string {
	var out []string
	for _, name := range standard.Names() {
		port, _ := standard.Port(name)
		if _, own := standard.OfPort(port); !own {
			continue
		}
		out = append(out, fmt.Sprintf("%d (%s)", port, standard.Title(name)))
	}
	return strings.Join(out, ", ")
}

// yamlWord is a job's name as it can stand in a YAML flow mapping.
func yamlWord(name string) string {
	if name == "" {
		return `""`
	}
	for _, c := range name {
		if !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.", c) {
			return strconv.Quote(name)
		}
	}
	return name
}
