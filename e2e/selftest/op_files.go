package selftest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	promparser "github.com/prometheus/prometheus/promql/parser"

	"github.com/prometheus/common/model"

	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/stack"
)

// composeOperators break the compose file.
func composeOperators() []Operator {
	return []Operator{
		{
			Name: "compose-broken", Does: "the compose file is no YAML any more",
			Ought: by("stack/compose-invalid"), Outside: true,
			Mutants: onServices(func(s *Subject, svc *stack.Service) []Mutant {
				return []Mutant{s.before(svc.Pos, "  - [")}
			}),
		},
		{
			Name: "mount-removed", Does: "Grafana's or Prometheus' files are not mounted",
			Ought: by("stack/mount-missing"), Outside: true,
			Mutants: onMounts(func(s *Subject, m stack.Mount) Mutant { return s.cut(m.Pos) }),
		},
		{
			Name: "mount-source-wrong", Does: "a mount's source is not there",
			Ought: by("stack/mount-missing", "stack/compose-invalid", "prometheus/config-invalid"), Outside: true,
			Mutants: onMounts(func(s *Subject, m stack.Mount) Mutant {
				return s.at(m.Pos, swapOnce(s.raw(m.Pos), "./", "./old-"))
			}),
		},
		{
			Name: "mount-target-wrong", Does: "a mount leads to another place in the container",
			Ought: by("stack/mount-missing"), Outside: true,
			Mutants: onMounts(func(s *Subject, m stack.Mount) Mutant {
				return s.at(m.Pos, swapOnce(s.raw(m.Pos), ":"+m.Target, ":/srv"+m.Target))
			}),
		},
		{
			Name: "port-conflict", Does: "two services publish the same port",
			Ought: by("stack/port-conflict"), Outside: true,
			Mutants: func(s *Subject) []Mutant { return s.portConflicts() },
		},
		{
			Name: "image-unpinned", Does: "an image has no version",
			Ought: by("stack/image-unpinned"), Outside: true,
			Mutants: onServices(func(s *Subject, svc *stack.Service) []Mutant {
				raw := s.raw(svc.Image.Pos)
				if at := strings.LastIndexByte(raw, ':'); at > 0 {
					return []Mutant{s.at(svc.Image.Pos, raw[:at]), s.at(svc.Image.Pos, raw[:at]+":latest")}
				}
				return nil
			}),
		},
	}
}

// prometheusOperators break what Prometheus reads.
func prometheusOperators() []Operator {
	return []Operator{
		{
			Name: "prometheus-yml-broken", Does: "prometheus.yml has a key that Prometheus does not know",
			Ought: by("prometheus/config-invalid"),
			Mutants: onJobs(func(s *Subject, j *stack.Job) []Mutant {
				return []Mutant{s.jobKey(j, "scrape_intervall: 15s")}
			}),
		},
		{
			Name: "scrape-timeout-too-long", Does: "a job's timeout is longer than its interval",
			Ought: by("prometheus/config-invalid"),
			Mutants: onJobs(func(s *Subject, j *stack.Job) []Mutant {
				return []Mutant{s.jobKey(j, "scrape_timeout: "+model.Duration(2*j.ScrapeInterval).String())}
			}),
		},
		{
			Name: "target-port-wrong", Does: "a job scrapes a port on which nobody answers",
			Ought: by("prometheus/target-down"),
			Mutants: onScraped(func(t stack.Target) string {
				host, port, ok := strings.Cut(t.Address.Value, ":")
				n, err := strconv.Atoi(port)
				if !ok || err != nil {
					return ""
				}
				return host + ":" + strconv.Itoa(n+40000)
			}),
		},
		{
			Name: "target-localhost", Does: "a job looks for its exporter inside Prometheus' own container",
			Ought: by("prometheus/target-down"),
			Mutants: onScraped(func(t stack.Target) string {
				_, port, ok := strings.Cut(t.Address.Value, ":")
				if !ok {
					return ""
				}
				return "localhost:" + port
			}),
		},
		{
			Name: "target-placeholder", Does: "a placeholder is left for a target's host",
			Ought: by("stack/placeholder"),
			Mutants: onScraped(func(t stack.Target) string {
				_, port, ok := strings.Cut(t.Address.Value, ":")
				if !ok {
					return ""
				}
				return `"<YOUR_HOST_IP>:` + port + `"`
			}),
		},
		{
			Name: "exporter-stopped", Does: "an exporter does not serve its metrics where they are looked for",
			Ought: slices.Concat(by("prometheus/target-down"), empty("target-down")), // some exporters answer every path
			Mutants: onJobs(func(s *Subject, j *stack.Job) []Mutant {
				return []Mutant{s.jobKey(j, "metrics_path: /not-here")}
			}),
		},
		{
			Name: "sample-limit", Does: "a job takes fewer samples than its exporter prints",
			Ought: by("prometheus/target-down"),
			Mutants: onJobs(func(s *Subject, j *stack.Job) []Mutant {
				return []Mutant{s.jobKey(j, "sample_limit: 1")}
			}),
		},
		{
			Name: "targets-emptied", Does: "a job has no target",
			Ought: by("prometheus/no-target"),
			Mutants: onJobs(func(s *Subject, j *stack.Job) []Mutant {
				key := s.key(j.Node, "static_configs")
				if key.Line == 0 {
					return nil
				}
				start, end := s.block(key)
				indent := strings.Repeat(" ", s.offset(key)-start)
				return []Mutant{s.mutant(splice{file: key.File, start: start, end: end, text: indent + "static_configs: []\n"})}
			}),
		},
		{
			Name: "targets-dropped", Does: "relabelling drops a job's targets",
			Ought: by("prometheus/no-target"),
			Mutants: onJobs(func(s *Subject, j *stack.Job) []Mutant {
				return []Mutant{s.jobKey(j, "relabel_configs:", "  - source_labels: [__address__]", "    regex: .+", "    action: drop")}
			}),
		},
		{
			Name: "job-removed", Does: "a job is not scraped any more",
			Ought: slices.Concat(empty("metric-missing"), by("variable/empty")),
			Mutants: onJobs(func(s *Subject, j *stack.Job) []Mutant {
				if s.Stack.Prometheus != nil && len(s.Stack.Prometheus.Jobs) < 2 {
					return nil
				}
				return []Mutant{s.cut(j.Pos)}
			}),
		},
		{
			Name: "scrape-interval-raised", Does: "the scrape interval is four times what the dashboards count on",
			Ought: by("datasource/time-interval", "promql/rate-window"),
			Mutants: onJobs(func(s *Subject, j *stack.Job) []Mutant {
				out := []Mutant{s.jobKey(j, "scrape_interval: "+model.Duration(4*j.ScrapeInterval).String())}
				if n := s.Stack.Prometheus.Node.At("global", "scrape_interval"); n.Exists() {
					out = append(out, s.value(n, model.Duration(4*s.Stack.Prometheus.ScrapeInterval).String()))
				}
				return out
			}),
		},
		{
			Name: "metric-dropped", Does: "metric_relabel_configs drop a metric that a panel reads",
			Ought: slices.Concat(empty("dropped-by-relabel", "metric-missing"), by("variable/empty", untrue)),
			Mutants: func(s *Subject) []Mutant {
				return s.perMetric(func(metric string) []string {
					return []string{"metric_relabel_configs:", "  - source_labels: [__name__]", "    regex: " + metric, "    action: drop"}
				})
			},
		},
		{
			Name: "label-dropped", Does: "metric_relabel_configs rename a label that a panel names",
			Ought: slices.Concat(empty("label-missing", "dropped-by-relabel"), by("variable/empty", "panel/legend-label-missing", untrue)),
			Mutants: func(s *Subject) []Mutant {
				var out []Mutant
				for _, l := range s.labels() {
					out = append(out, s.jobKey(l.job, "metric_relabel_configs:", "  - source_labels: ["+l.name+"]", "    target_label: the_"+l.name,
						"  - regex: "+l.name, "    action: labeldrop"))
				}
				return out
			},
		},
		{
			Name: "record-renamed", Does: "a recording rule writes another series than the dashboards read",
			Ought: slices.Concat(by("prometheus/recording-rule-missing"), empty("metric-missing")),
			Mutants: func(s *Subject) []Mutant {
				var out []Mutant
				if s.Stack.Prometheus == nil {
					return nil
				}
				for _, f := range s.Stack.Prometheus.RuleFiles {
					for _, r := range f.Records {
						if s.reads(r.Value) {
							out = append(out, s.at(r.Pos, misspelled(r.Value)))
						}
					}
				}
				return out
			},
		},
	}
}

// datasourceOperators break the provisioning of datasources.
func datasourceOperators() []Operator {
	return []Operator{
		{
			Name: "datasource-yaml-broken", Does: "the datasource's file is no YAML any more",
			Ought:   by("datasource/invalid"),
			Mutants: onDatasources(func(s *Subject, d *stack.Datasource) Mutant { return s.before(s.key(d.Node, "type"), "]") }),
		},
		{
			Name: "datasource-url-port", Does: "the datasource asks a port on which nobody listens",
			Ought: by("datasource/url-unreachable"),
			Mutants: onDatasources(func(s *Subject, d *stack.Datasource) Mutant {
				raw := s.raw(d.URL.Pos)
				if at := strings.LastIndexByte(raw, ':'); at > len("https:") {
					return s.at(d.URL.Pos, raw[:at]+":9099"+strings.TrimLeft(raw[at+1:], "0123456789"))
				}
				return Mutant{}
			}),
		},
		{
			Name: "datasource-url-host", Does: "the datasource asks a service that the compose file has not",
			Ought: by("datasource/url-unreachable"),
			Mutants: onDatasources(func(s *Subject, d *stack.Datasource) Mutant {
				return s.at(d.URL.Pos, swapOnce(s.raw(d.URL.Pos), "://", "://old-"))
			}),
		},
		{
			Name: "datasource-url-localhost", Does: "the datasource looks for Prometheus inside Grafana's own container",
			Ought: by("datasource/url-unreachable"),
			Mutants: onDatasources(func(s *Subject, d *stack.Datasource) Mutant {
				raw := s.raw(d.URL.Pos)
				scheme, rest, ok := strings.Cut(raw, "://")
				if !ok {
					return Mutant{}
				}
				at := strings.IndexAny(rest+"/", ":/")
				return s.at(d.URL.Pos, scheme+"://localhost"+rest[at:])
			}),
		},
		{
			Name: "datasource-uid-removed", Does: "the datasource's uid is left to Grafana",
			Ought:   by("datasource/uid-implicit", "datasource/uid-unknown"),
			Mutants: onDatasources(func(s *Subject, d *stack.Datasource) Mutant { return s.cut(s.key(d.Node, "uid")) }),
		},
		{
			Name: "datasource-uid-changed", Does: "the datasource has another uid than dashboards name",
			Ought:   by("datasource/uid-unknown", "variable/default-missing"),
			Mutants: onDatasources(func(s *Subject, d *stack.Datasource) Mutant { return s.value(d.Node.Get("uid"), "metrics-2") }),
		},
		{
			Name: "datasource-not-default", Does: "no datasource is the default one",
			Ought:   by("datasource/uid-unknown"),
			Mutants: onDatasources(func(s *Subject, d *stack.Datasource) Mutant { return s.cut(s.key(d.Node, "isDefault")) }),
		},
		{
			Name: "datasource-type-changed", Does: "the datasource is of another type than dashboards expect",
			Ought:   by("datasource/type-mismatch", "datasource/uid-unknown", "variable/empty", "variable/default-missing", "gate/nothing-checked"),
			Mutants: onDatasources(func(s *Subject, d *stack.Datasource) Mutant { return s.value(d.Node.Get("type"), "loki") }),
		},
		{
			Name: "datasource-duplicate", Does: "a second datasource has the same name, or is default too",
			Ought: by("datasource/duplicate"), Outside: true,
			Mutants: onDatasources(func(s *Subject, d *stack.Datasource) Mutant {
				start, end := s.block(d.Pos)
				return s.mutant(splice{file: d.Pos.File, start: end, end: end, text: s.text(d.Pos.File)[start:end]})
			}),
		},
		{
			Name: "time-interval-removed", Does: "the datasource does not say how often Prometheus scrapes",
			Ought: by("datasource/time-interval"), Outside: true,
			Mutants: onDatasources(func(s *Subject, d *stack.Datasource) Mutant {
				return s.cut(s.key(d.Node.Get("jsonData"), "timeInterval"))
			}),
		},
		{
			Name: "time-interval-changed", Does: "the datasource says another scrape interval than Prometheus has",
			Ought: by("datasource/time-interval", "promql/rate-window"), Outside: true,
			Mutants: func(s *Subject) []Mutant {
				var out []Mutant
				for _, d := range s.Stack.Datasources {
					for _, t := range []time.Duration{5 * time.Second, time.Minute} {
						out = append(out, s.value(d.Node.At("jsonData", "timeInterval"), model.Duration(t).String()))
					}
				}
				return out
			},
		},
		{
			Name: "time-interval-misplaced", Does: "timeInterval stands where Grafana does not look",
			Ought: by("datasource/unknown-key"), Outside: true,
			Mutants: onDatasources(func(s *Subject, d *stack.Datasource) Mutant {
				return s.before(s.key(d.Node, "type"), "timeInterval: 15s")
			}),
		},
	}
}

// providerOperators break the provisioning of dashboards.
func providerOperators() []Operator {
	return []Operator{
		{
			Name: "provider-yaml-broken", Does: "the provider's file is no YAML any more",
			Ought:   by("dashboard/provider-invalid"),
			Mutants: onProviders(func(s *Subject, p *stack.Provider) Mutant { return s.before(s.key(p.Node, "type"), "]") }),
		},
		{
			Name: "provider-path-wrong", Does: "a provider looks for dashboards where none are",
			Ought: by("stack/mount-missing", "gate/nothing-checked", "dashboard/provider-invalid"),
			Mutants: onProviders(func(s *Subject, p *stack.Provider) Mutant {
				return s.at(p.Path.Pos, p.Path.Value+"-old")
			}),
		},
		{
			Name: "provider-path-removed", Does: "a provider says no path",
			Ought:   by("dashboard/provider-invalid", "gate/nothing-checked"),
			Mutants: onProviders(func(s *Subject, p *stack.Provider) Mutant { return s.cut(s.key(p.Node.Get("options"), "path")) }),
		},
		{
			Name: "provider-type-wrong", Does: "a provider is of a type that Grafana does not know",
			Ought:   by("dashboard/provider-invalid"),
			Mutants: onProviders(func(s *Subject, p *stack.Provider) Mutant { return s.at(p.Type.Pos, "directory") }),
		},
		{
			Name: "provider-removed", Does: "the provider's file is gone",
			Ought:   by("gate/nothing-checked", "stack/mount-missing"),
			Mutants: onProviders(func(s *Subject, p *stack.Provider) Mutant { return s.without(p.Pos.File) }),
		},
		{
			Name: "dashboard-removed", Does: "the only dashboard's file is gone",
			Ought: by("gate/nothing-checked"),
			Mutants: func(s *Subject) []Mutant {
				if len(s.Stack.Dashboards) != 1 {
					return nil
				}
				return []Mutant{s.without(s.Stack.Dashboards[0].File)}
			},
		},
	}
}

func onServices(change func(*Subject, *stack.Service) []Mutant) func(*Subject) []Mutant {
	return func(s *Subject) []Mutant {
		var out []Mutant
		if s.Stack.Compose == nil {
			return nil
		}
		for _, svc := range s.Stack.Compose.Services {
			if len(svc.Profiles) == 0 {
				out = append(out, change(s, svc)...)
			}
		}
		return out
	}
}

// onMounts changes the mounts that bring the stack's own files into the containers of
// Prometheus and Grafana.
func onMounts(change func(*Subject, stack.Mount) Mutant) func(*Subject) []Mutant {
	return func(s *Subject) []Mutant {
		return onServices(func(s *Subject, svc *stack.Service) []Mutant {
			var out []Mutant
			isServer := s.Stack.Prometheus != nil && svc == s.Stack.Prometheus.Service || s.Stack.Grafana != nil && svc == s.Stack.Grafana.Service
			for _, m := range svc.Mounts {
				if isServer && m.Type == "bind" && m.Relative && !m.SourceMissing {
					out = append(out, change(s, m))
				}
			}
			return out
		})(s)
	}
}

func onJobs(change func(*Subject, *stack.Job) []Mutant) func(*Subject) []Mutant {
	return func(s *Subject) []Mutant {
		var out []Mutant
		if s.Stack.Prometheus == nil || s.Stack.Prometheus.Inline {
			return nil
		}
		for _, j := range s.Stack.Prometheus.Jobs {
			out = append(out, change(s, j)...)
		}
		return out
	}
}

// onScraped changes the address of a target; "" leaves it.
func onScraped(change func(stack.Target) string) func(*Subject) []Mutant {
	return onJobs(func(s *Subject, j *stack.Job) []Mutant {
		var out []Mutant
		for _, t := range j.Targets {
			if to := change(t); to != "" && t.Address.Pos.Line > 0 {
				out = append(out, s.at(t.Address.Pos, to))
			}
		}
		return out
	})
}

func onDatasources(change func(*Subject, *stack.Datasource) Mutant) func(*Subject) []Mutant {
	return func(s *Subject) []Mutant {
		var out []Mutant
		for _, d := range s.Stack.Datasources {
			if d.Type.Value == "prometheus" && d.Pos.Line > 0 {
				out = append(out, change(s, d))
			}
		}
		return out
	}
}

func onProviders(change func(*Subject, *stack.Provider) Mutant) func(*Subject) []Mutant {
	return func(s *Subject) []Mutant {
		var out []Mutant
		for _, p := range s.Stack.Providers {
			if p.Pos.Line > 0 {
				out = append(out, change(s, p))
			}
		}
		return out
	}
}

// jobKey adds a key to a job that has not got it.
func (s *Subject) jobKey(j *stack.Job, lines ...string) Mutant {
	name, _, _ := strings.Cut(lines[0], ":")
	if j.Node.Get(name).Exists() {
		return Mutant{}
	}
	for _, f := range j.Node.Fields() {
		if key := s.key(j.Node, f.Key); key.Line > 0 {
			return s.before(key, lines...)
		}
	}
	return Mutant{}
}

// portConflicts publish each service on the port of another.
func (s *Subject) portConflicts() []Mutant {
	return onServices(func(s *Subject, svc *stack.Service) []Mutant {
		var out []Mutant
		for _, p := range svc.Ports {
			for _, other := range s.Stack.Compose.Services {
				if other == svc || len(other.Profiles) > 0 || !strings.Contains(s.raw(p.Pos), ":") {
					continue
				}
				for _, taken := range other.Ports {
					if taken.Published != 0 && taken.Published != p.Published {
						out = append(out, s.at(p.Pos, fmt.Sprintf(`"%d:%d"`, taken.Published, p.Target)))
					}
				}
			}
		}
		return out
	})(s)
}

// perMetric adds keys to the job of a panel's metric, for every metric that panels
// read. Whose job it is is not known from the files: all have a try.
func (s *Subject) perMetric(lines func(metric string) []string) []Mutant {
	var names []string
	for _, at := range s.sites {
		for _, vs := range rule.Selectors(at.root) {
			if vs.Name != "" && !slices.Contains(names, vs.Name) {
				names = append(names, vs.Name)
			}
		}
	}
	var out []Mutant
	for _, name := range names {
		job := s.jobOf(s.metrics.Exporter(name))
		if job != nil {
			out = append(out, s.jobKey(job, lines(name)...))
		}
	}
	return out
}

// jobOf is the job whose name, or whose targets' port, tells that it scrapes an
// exporter; nil where none does.
func (s *Subject) jobOf(exporter string) *stack.Job {
	if s.Stack.Prometheus == nil || s.Stack.Prometheus.Inline || exporter == "" {
		return nil
	}
	port := map[string]string{"triton": ":8002", "dcgm": ":9400", "node": ":9100"}[exporter]
	for _, j := range s.Stack.Prometheus.Jobs {
		if strings.Contains(j.Name.Value, exporter) || slices.ContainsFunc(j.Targets, func(t stack.Target) bool {
			return port != "" && strings.HasSuffix(t.Address.Value, port)
		}) {
			return j
		}
	}
	return nil
}

// jobLabel is a label that a job's exporter prints.
type jobLabel struct {
	job  *stack.Job
	name string
}

// labels are those that expressions name, each with the job it comes from, where the
// catalogue tells both.
func (s *Subject) labels() []jobLabel {
	var out []jobLabel
	for _, at := range s.sites {
		named := at.names()
		for _, vs := range rule.Selectors(at.root) {
			m, _, ok := s.metrics.Series(vs.Name)
			job := s.jobOf(m.Exporter)
			if !ok || job == nil {
				continue
			}
			for _, l := range m.Labels {
				if each := (jobLabel{job, l}); slices.Contains(named, l) && !slices.Contains(out, each) {
					out = append(out, each)
				}
			}
		}
	}
	return out
}

// names are the labels that an expression's selectors and aggregations name.
func (s *site) names() []string {
	var out []string
	promparser.Inspect(s.root, func(n promparser.Node, _ []promparser.Node) error {
		switch n := n.(type) {
		case *promparser.VectorSelector:
			for _, m := range n.LabelMatchers {
				out = append(out, m.Name)
			}
		case *promparser.AggregateExpr:
			out = append(out, n.Grouping...)
		}
		return nil
	})
	return out
}

// reads says whether a panel reads a metric.
func (s *Subject) reads(metric string) bool {
	return slices.ContainsFunc(s.sites, func(at *site) bool {
		return slices.ContainsFunc(rule.Selectors(at.root), func(vs *promparser.VectorSelector) bool { return vs.Name == metric })
	})
}

// swapOnce puts one text in the place of another that stands there once or more.
func swapOnce(text, old, new string) string { return strings.Replace(text, old, new, 1) }
