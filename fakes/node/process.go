package node

import (
	"math"
	"slices"

	"github.com/panelgate/panelgate/fakes/release"
)

// usualInterval stands for the scrape interval where scrapes are counted: a page that follows from the time alone cannot know how
// often it was read.
const usualInterval = 15

func scrapes(s *snapshot) float64 { return math.Floor(s.age / usualInterval) }

// finds says whether a collector is content with what this machine has. Some say they have failed where the kernel has nothing for them;
// others find nothing and call it success.
func finds(collector string, r release.Release) bool {
	switch collector {
	case "rapl", "zfs":
		return r.Before("1.1.0")
	case "bcachefs", "bonding", "fibrechannel", "infiniband", "ipvs", "nfs", "nfsd", "tapestats":
		return false
	}
	return !slices.Contains(notActedOut(), collector)
}

// notActedOut are the collectors that are off unless asked for and of which this fake shows nothing: it says that they have failed.
func notActedOut() []string {
	return []string{"buddyinfo", "cgroups", "cpu_vulnerabilities", "drbd", "drm", "ethtool", "ksmd", "lnstat", "logind",
		"meminfo_numa", "mountstats", "network_route", "ntp", "nvmesubsystem", "pcidevice", "perf", "qdisc", "runit", "slabinfo",
		"softirqs", "supervisord", "swap", "sysctl", "wifi", "xfrm", "zoneinfo"}
}

// duration is how long the i-th collector took, in seconds, to the nanosecond: some longer than others, all longer on a busy host.
func duration(s *snapshot, i int) float64 {
	return math.Round(80e3*float64(1+i*i%7)*(1+0.4*s.load)) / 1e9
}

// buildFamily is what node_exporter says of the release it is.
func buildFamily(r release.Release) family {
	const name = "node_exporter_build_info"
	const help = "A metric with a constant '1' value labeled by version, revision, branch, goversion from which node_exporter was built, " +
		"and the goos and goarch for the build."
	return family{name, gauge, helpAt(r, name, help), []sample{{buildLabels(r), one}}}
}

// scrapeFamilies are what node_exporter says of the collectors that a scrape has asked.
func scrapeFamilies(collectors []string, r release.Release) []family {
	slices.Sort(collectors)
	return []family{
		{"node_scrape_collector_duration_seconds", gauge, "node_exporter: Duration of a collector scrape.",
			labelled("collector", collectors, duration)},
		{"node_scrape_collector_success", gauge, "node_exporter: Whether a collector succeeded.",
			labelled("collector", collectors, func(_ *snapshot, i int) float64 {
				if finds(collectors[i], r) {
					return 1
				}
				return 0
			})},
	}
}

// textfileFamilies are what the textfile collector prints of a directory without files.
func textfileFamilies() []family {
	return []family{
		{"node_textfile_scrape_error", gauge, "1 if there was an error opening or reading a file, 0 otherwise", single(none)},
	}
}

func handlerErrors() family {
	return family{"promhttp_metric_handler_errors_total", counter, "Total number of internal errors encountered by the promhttp metric handler.",
		[]sample{{`cause="encoding"`, none}, {`cause="gathering"`, none}}}
}

// handlerFamilies are what node_exporter says of those who answer scrapes.
func handlerFamilies() []family {
	return []family{
		handlerErrors(),
		{"promhttp_metric_handler_requests_in_flight", gauge, "Current number of scrapes being served.",
			single(one)},
		{"promhttp_metric_handler_requests_total", counter, "Total number of scrapes by HTTP status code.",
			[]sample{{`code="200"`, scrapes}, {`code="500"`, none}, {`code="503"`, none}}},
	}
}

// processFamilies are what node_exporter says of its process. The bytes are those of its network namespace, the whole host's.
func processFamilies() []family {
	return []family{
		{"process_cpu_seconds_total", counter, "Total user and system CPU time spent in seconds.",
			single(func(s *snapshot) float64 { return hundredths(0.0021 * s.age) })},
		{"process_max_fds", gauge, "Maximum number of open file descriptors.",
			single(constant(524288))},
		{"process_network_receive_bytes_total", counter, "Number of bytes received by the process over the network.",
			single(receivedOctets())},
		{"process_network_transmit_bytes_total", counter, "Number of bytes sent by the process over the network.",
			single(sentOctets())},
		{"process_open_fds", gauge, "Number of open file descriptors.",
			single(constant(10))},
		{"process_resident_memory_bytes", gauge, "Resident memory size in bytes.",
			single(constant(24 << 20))},
		{"process_start_time_seconds", gauge, "Start time of the process since unix epoch in seconds.",
			single(func(s *snapshot) float64 { return s.start })},
		{"process_virtual_memory_bytes", gauge, "Virtual memory size in bytes.",
			single(constant(1.27e9))},
		{"process_virtual_memory_max_bytes", gauge, "Maximum amount of virtual memory available in bytes.",
			single(constant(math.MaxUint64))},
	}
}
