package rule

import (
	"slices"
	"strings"

	"github.com/prometheus/common/model"

	"github.com/panelgate/panelgate/fakes/catalogue"
	"github.com/panelgate/panelgate/stack"
	"github.com/panelgate/panelgate/stack/source"
)

// printed is what is known of the labels that series of a metric carry, as Prometheus
// keeps them: what scraping adds, and what the exporter prints.
func (in *Static) printed(metric string) labelSet {
	out := labelSet{}.copied()
	if metric == "" || in.recorded(metric) || in.dropsLabels() {
		return out
	}
	m, part, known := in.Metrics.Series(metric)
	if !known {
		if plainName(metric) {
			out = out.having(model.JobLabel, true)
		}
		return out
	}
	out = out.having(model.JobLabel, true).having(model.InstanceLabel, true)
	for _, l := range m.Labels {
		out = out.having(l, alwaysThere(m, l))
	}
	switch {
	case part == catalogue.Bucket:
		out = out.having(model.BucketLabel, true)
	case m.Type == catalogue.Summary && part == catalogue.Whole:
		out = out.having(model.QuantileLabel, true)
	}
	out.closed = in.knowsAllLabels(m)
	if m.Exporter == "dcgm" {
		for _, l := range addedByDCGM() {
			out.only[l] = true
		}
	}
	return out
}

// plainName says whether a name is an exporter's rather than one that a rule, here or
// on another server, has given: those have a colon, and Prometheus' own are in capitals.
func plainName(name string) bool {
	return !strings.Contains(name, ":") && name != "ALERTS" && name != "ALERTS_FOR_STATE"
}

// alwaysThere says whether every series of a metric has a label, at every version and
// whatever is switched on.
func alwaysThere(m catalogue.Metric, label string) bool {
	switch m.Exporter {
	case "triton":
		onDevice := strings.HasPrefix(m.Name, "nv_gpu_") || m.Name == "nv_energy_consumption"
		return label != "namespace" && label != "reason" && (label != "gpu_uuid" || onDevice)
	case "dcgm":
		return (label == "gpu" || label == "UUID") && !strings.Contains(m.Name, "NVLINK")
	case "node":
		return !strings.HasSuffix(m.Name, "_info") // whose labels may be empty
	}
	return false
}

// addedByDCGM are labels that dcgm-exporter adds in some installations.
func addedByDCGM() []string {
	return []string{"GPU_I_PROFILE", "GPU_I_ID", "hostname", "container", "namespace", "pod", "pod_uid", "vgpu", "hpc_job", "err_code", "err_msg",
		"uuid", "container_name", "pod_name", "pod_namespace"}
}

// knowsAllLabels says whether nothing but the exporter and plain scraping decides which
// labels a metric's series have: no relabelling, no label of a target, no discovery.
func (in *Static) knowsAllLabels(m catalogue.Metric) bool {
	if in.Stack.Prometheus == nil || len(in.Stack.Prometheus.Jobs) == 0 || strings.Contains(m.Name, "NVLINK") {
		return false
	}
	if m.Exporter != "triton" && m.Exporter != "dcgm" {
		return false
	}
	return !slices.ContainsFunc(in.Stack.Prometheus.Jobs, func(j *stack.Job) bool {
		return len(j.Discoveries) > 0 || relabels(j) || j.Node.Get("honor_labels").Bool() ||
			slices.ContainsFunc(j.Node.Get("static_configs").Items(), hasLabels)
	})
}

// dropsLabels says whether relabelling may take labels away that scraping has added.
func (in *Static) dropsLabels() bool {
	return in.Stack.Prometheus != nil && slices.ContainsFunc(in.Stack.Prometheus.Jobs, takesLabels)
}

func hasLabels(static *source.Node) bool { return static.Get("labels").Exists() }

// relabels says whether a job rewrites labels of its targets or of what they print.
func relabels(j *stack.Job) bool {
	return len(j.Node.Get("relabel_configs").Items())+len(j.Node.Get("metric_relabel_configs").Items()) > 0
}

// takesLabels says whether a job takes labels away by their names.
func takesLabels(j *stack.Job) bool {
	configs := append(j.Node.Get("relabel_configs").Items(), j.Node.Get("metric_relabel_configs").Items()...)
	return slices.ContainsFunc(configs, func(c *source.Node) bool {
		action := strings.ToLower(c.Get("action").Str())
		return action == "labeldrop" || action == "labelkeep" ||
			c.Get("replacement").Exists() && c.Get("replacement").Str() == "" // which empties a label
	})
}
