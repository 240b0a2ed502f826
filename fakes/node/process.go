package node

import (
	"math"
	"slices"
)

const buildLabels = `branch="HEAD",goarch="amd64",goos="linux",goversion="go1.26.8",revision="unknown",` +
	`tags="unknown",version="1.12.1"`

// usualInterval stands for the scrape interval where scrapes are counted: a page that follows from the time alone cannot know how
// often it was read.
const usualInterval = 15

func scrapes(s *snapshot) float64 { return math.Floor(s.elapsed / usualInterval) }

// collectors are those that are enabled by default.
func collectors() []string {
	return []string{"arp", "bcache", "bcachefs", "bonding", "btrfs", "conntrack", "cpu", "cpufreq", "diskstats", "dmi", "dmmultipath",
		"edac", "entropy", "fibrechannel", "filefd", "filesystem", "hwmon", "infiniband", "ipvs", "kernel_hung", "loadavg", "mdadm",
		"meminfo", "netclass", "netdev", "netstat", "nfs", "nfsd", "nvme", "os", "powersupplyclass", "pressure", "rapl", "schedstat",
		"selinux", "sockstat", "softnet", "stat", "tapestats", "textfile", "thermal_zone", "time", "timex", "udp_queues", "uname",
		"vmstat", "watchdog", "xfs", "zfs"}
}

// idle are the collectors that say they have failed where the kernel has nothing for them; others find nothing and call it success.
func idle() []string {
	return []string{"bcachefs", "bonding", "fibrechannel", "infiniband", "ipvs", "nfs", "nfsd", "rapl", "tapestats", "zfs"}
}

func successSamples() []sample {
	names := collectors()
	success := make([]float64, len(names))
	for i, name := range names {
		if !slices.Contains(idle(), name) {
			success[i] = 1
		}
	}
	return labelled("collector", names, func(_ *snapshot, i int) float64 { return success[i] })
}

// duration is how long the i-th collector took, in seconds, to the nanosecond: some longer than others, all longer on a busy host.
func duration(s *snapshot, i int) float64 {
	return math.Round(80e3*float64(1+i*i%7)*(1+0.4*s.load)) / 1e9
}

// exporterFamilies are what node_exporter says of its collectors and its handler.
func exporterFamilies() []family {
	return []family{
		{"node_exporter_build_info", gauge, "A metric with a constant '1' value labeled by version, revision, branch, goversion from which node_exporter was built, and the goos and goarch for the build.",
			[]sample{{buildLabels, one}}},
		{"node_scrape_collector_duration_seconds", gauge, "node_exporter: Duration of a collector scrape.",
			labelled("collector", collectors(), duration)},
		{"node_scrape_collector_success", gauge, "node_exporter: Whether a collector succeeded.",
			successSamples()},
		{"node_textfile_scrape_error", gauge, "1 if there was an error opening or reading a file, 0 otherwise",
			single(none)},
		{"promhttp_metric_handler_errors_total", counter, "Total number of internal errors encountered by the promhttp metric handler.",
			[]sample{{`cause="encoding"`, none}, {`cause="gathering"`, none}}},
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
			single(func(s *snapshot) float64 { return hundredths(0.0021 * s.elapsed) })},
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
