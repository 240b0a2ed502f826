package node

import (
	"strings"

	"github.com/panelgate/panelgate/fakes/catalogue"
	"github.com/panelgate/panelgate/fakes/release"
)

// span is a run of releases: from since on, before until, "" for as far as 1.x goes.
type span struct{ since, until string }

func (s span) has(r release.Release) bool {
	return (s.since == "" || r.Since(s.since)) && (s.until == "" || r.Before(s.until))
}

// history knows which releases print a family.
type history struct {
	printed map[string]span
	gaps    map[string]span // in which releases a family is missing between two that have it
}

// newHistory reads the catalogue for what collectors print, and adds what the catalogue of metrics has no room for.
func newHistory() history {
	h := history{printed: ownSpans(), gaps: map[string]span{
		// 1.9.0 took a fixed list of fields for what the kernel says; these came back, the first with a slip of the pen, the second when it
		// was read, too.
		"node_memory_Zswap_bytes":    {"1.9.0", "1.10.2"},
		"node_memory_Zswapped_bytes": {"1.9.0", "1.11.0"},
	}}
	for _, m := range catalogue.New().Of("node") {
		h.printed[m.Name] = span{m.Since, m.Until}
	}
	// 1.11 looks for namespaces only where the kernel has more than one path to them, as nvme0c0n1; this machine has one.
	for _, of := range []string{"capacity_bytes", "info", "logical_block_size_bytes", "size_bytes", "used_bytes"} {
		h.gaps["node_nvme_namespace_"+of] = span{"1.11.0", "1.12.0"}
	}
	return h
}

// ownSpans are of the families that every program in Go has with the Prometheus client that node_exporter was built with, and of the
// slip of the pen.
func ownSpans() map[string]span {
	return map[string]span{
		"go_gc_gogc_percent":                   {since: "1.9.0"},
		"go_gc_gomemlimit_bytes":               {since: "1.9.0"},
		"go_memstats_gc_cpu_fraction":          {until: "1.4.0"},
		"go_memstats_lookups_total":            {until: "1.9.0"},
		"go_sched_gomaxprocs_threads":          {since: "1.9.0"},
		"process_network_receive_bytes_total":  {since: "1.9.0"},
		"process_network_transmit_bytes_total": {since: "1.9.0"},
		"node_memory_Zswap_ytes":               {"1.10.1", "1.10.2"},
	}
}

func (h history) has(name string, r release.Release) bool {
	gap, gapped := h.gaps[name]
	return h.printed[name].has(r) && (!gapped || !gap.has(r))
}

// newLabels are the labels that families got, each with the release that brought it, by the beginning of the families' names.
func newLabels() []struct{ family, label, since string } {
	return []struct{ family, label, since string }{
		{"node_disk_info", "model", "1.4.0"},
		{"node_disk_info", "path", "1.4.0"},
		{"node_disk_info", "revision", "1.4.0"},
		{"node_disk_info", "serial", "1.4.0"},
		{"node_disk_info", "wwn", "1.4.0"},
		{"node_disk_info", "rotational", "1.9.0"},
		{"node_filesystem_", "device_error", "1.8.0"},
		{"node_network_info", "adminstate", "1.6.0"},
		{"node_nvme_info", "cntlid", "1.11.0"},
		{"node_systemd_version", "version", "1.4.0"},
	}
}

// labelsAt is the text between a series' braces in a release.
func labelsAt(r release.Release, family, labels string) string {
	for _, n := range newLabels() {
		if strings.HasPrefix(family, n.family) && r.Before(n.since) {
			labels = without(labels, n.label)
		}
	}
	return labels
}

// betweenLabels ends a label's value and leads to the next label. No value here has it in it.
const betweenLabels = `",`

// without takes a label out of the text between a series' braces.
func without(labels, name string) string {
	var kept []string
	for label := range strings.SplitSeq(strings.TrimSuffix(labels, `"`), betweenLabels) {
		if !strings.HasPrefix(label, name+"=") {
			kept = append(kept, label)
		}
	}
	if len(kept) == 0 {
		return ""
	}
	return strings.Join(kept, betweenLabels) + `"`
}

// labelValue is what a label says in the text between a series' braces, "" where it is not there.
func labelValue(labels, name string) string {
	for label := range strings.SplitSeq(strings.TrimSuffix(labels, `"`), betweenLabels) {
		if value, ok := strings.CutPrefix(label, name+`="`); ok {
			return value
		}
	}
	return ""
}

// propertyHelp begins the HELP of every number of a network interface's properties.
const propertyHelp = "Network device property: "

// helpAt is the HELP of a family in a release; help is that in the newest.
func helpAt(r release.Release, family, help string) string {
	switch {
	case strings.HasPrefix(help, propertyHelp) && r.Before("1.5.0"):
		return strings.TrimPrefix(help, propertyHelp) + " value of /sys/class/net/<iface>."
	case strings.HasPrefix(family, "node_cpu_frequency_") && r.Before("1.6.0"):
		return strings.Replace(help, "CPU", "cpu", 1)
	case strings.HasPrefix(family, "node_cpu_") && !strings.HasPrefix(family, "node_cpu_frequency_") && r.Before("1.1.0"):
		return strings.Replace(help, "CPU", "cpu", 1)
	case family == "node_exporter_build_info" && r.Before("1.6.0"):
		return "A metric with a constant '1' value labeled by version, revision, branch, and goversion from which node_exporter was built."
	case strings.HasPrefix(family, "go_") && r.Before("1.10.0"):
		help = strings.TrimSuffix(help, sourcedEnd(help))
	}
	if strings.HasPrefix(family, "go_") && r.Before("1.9.0") {
		return runtimeHelpBefore19(family, help)
	}
	return help
}

// sourcedEnd is the full stop that ends the sentence about where a number of the runtime comes from, "" in other texts.
func sourcedEnd(help string) string {
	if strings.Contains(help, " Sourced from /") {
		return "."
	}
	return ""
}

// runtimeHelpBefore19 is the HELP of a number of Go's runtime while the client did not yet say which measure of the runtime it equals.
func runtimeHelpBefore19(family, help string) string {
	other := map[string]string{
		"go_gc_duration_seconds":           "A summary of the pause duration of garbage collection cycles.",
		"go_memstats_alloc_bytes":          "Number of bytes allocated and still in use.",
		"go_memstats_alloc_bytes_total":    "Total number of bytes allocated, even if freed.",
		"go_memstats_frees_total":          "Total number of frees.",
		"go_memstats_heap_alloc_bytes":     "Number of heap bytes allocated and still in use.",
		"go_memstats_heap_inuse_bytes":     "Number of heap bytes that are in use.",
		"go_memstats_heap_objects":         "Number of allocated objects.",
		"go_memstats_mallocs_total":        "Total number of mallocs.",
		"go_memstats_stack_inuse_bytes":    "Number of bytes in use by the stack allocator.",
		"go_memstats_last_gc_time_seconds": help,
	}
	if text, ok := other[family]; ok {
		return text
	}
	text, _, _ := strings.Cut(help, " Equals to ")
	return text
}
