package node

import "math"

const buildLabels = `branch="HEAD",goarch="amd64",goos="linux",goversion="go1.26.8",revision="unknown",` +
	`tags="unknown",version="1.12.1"`

// gcPeriod is how often the exporter's garbage is collected, in seconds.
const gcPeriod = 118

// usualInterval stands for the scrape interval where scrapes are counted: a page that follows from the time alone cannot know how
// often it was read.
const usualInterval = 15

func scrapes(s *snapshot) float64 { return math.Floor(s.elapsed / usualInterval) }

// collectors are those of the default ones that this exporter fakes.
func collectors() []string {
	return []string{"conntrack", "cpu", "diskstats", "entropy", "filefd", "filesystem", "loadavg", "meminfo", "netclass", "netdev",
		"netstat", "pressure", "sockstat", "stat", "textfile", "time", "timex", "uname", "vmstat"}
}

func perCollector(value func(s *snapshot, i int) float64) []sample {
	var samples []sample
	for i, name := range collectors() {
		samples = append(samples, sample{`collector="` + name + `"`, func(s *snapshot) float64 { return value(s, i) }})
	}
	return samples
}

// duration is how long the i-th collector took, in seconds, to the nanosecond: some longer than others, all longer on a busy host.
func duration(s *snapshot, i int) float64 {
	return math.Round(80e3*float64(1+i*i%7)*(1+0.4*s.load)) / 1e9
}

// processFamilies are what node_exporter says of itself.
func processFamilies() []family {
	return []family{
		{"go_goroutines", gauge, "Number of goroutines that currently exist.",
			single(func(s *snapshot) float64 { return 9 })},
		{"go_info", gauge, "Information about the Go environment.",
			[]sample{{`version="go1.26.8"`, one}}},
		{"go_memstats_alloc_bytes", gauge, "Number of bytes allocated in heap and currently in use. Equals to /memory/classes/heap/objects:bytes.",
			single(func(s *snapshot) float64 { return 2.1e6 + 1.8e6*math.Mod(s.elapsed/gcPeriod, 1) })},
		{"go_threads", gauge, "Number of OS threads created.",
			single(func(s *snapshot) float64 { return 7 })},
		{"node_exporter_build_info", gauge, "A metric with a constant '1' value labeled by version, revision, branch, goversion from which node_exporter was built, and the goos and goarch for the build.",
			[]sample{{buildLabels, one}}},
		{"node_scrape_collector_duration_seconds", gauge, "node_exporter: Duration of a collector scrape.",
			perCollector(duration)},
		{"node_scrape_collector_success", gauge, "node_exporter: Whether a collector succeeded.",
			perCollector(func(*snapshot, int) float64 { return 1 })},
		{"node_textfile_scrape_error", gauge, "1 if there was an error opening or reading a file, 0 otherwise",
			single(func(s *snapshot) float64 { return 0 })},
		{"process_cpu_seconds_total", counter, "Total user and system CPU time spent in seconds.",
			single(func(s *snapshot) float64 { return hundredths(0.0021 * s.elapsed) })},
		{"process_max_fds", gauge, "Maximum number of open file descriptors.",
			single(func(s *snapshot) float64 { return 524288 })},
		{"process_network_receive_bytes_total", counter, "Number of bytes received by the process over the network.",
			single(func(s *snapshot) float64 { return math.Floor(5200*s.uptime + 148_000*s.requests) })},
		{"process_network_transmit_bytes_total", counter, "Number of bytes sent by the process over the network.",
			single(func(s *snapshot) float64 { return math.Floor(7400*s.uptime + 9_600*s.requests) })},
		{"process_open_fds", gauge, "Number of open file descriptors.",
			single(func(s *snapshot) float64 { return 10 })},
		{"process_resident_memory_bytes", gauge, "Resident memory size in bytes.",
			single(func(s *snapshot) float64 { return 24 << 20 })},
		{"process_start_time_seconds", gauge, "Start time of the process since unix epoch in seconds.",
			single(func(s *snapshot) float64 { return s.start })},
		{"process_virtual_memory_bytes", gauge, "Virtual memory size in bytes.",
			single(func(s *snapshot) float64 { return 1.27e9 })},
		{"process_virtual_memory_max_bytes", gauge, "Maximum amount of virtual memory available in bytes.",
			single(func(s *snapshot) float64 { return math.MaxUint64 })},
		{"promhttp_metric_handler_errors_total", counter, "Total number of internal errors encountered by the promhttp metric handler.",
			[]sample{{`cause="encoding"`, none}, {`cause="gathering"`, none}}},
		{"promhttp_metric_handler_requests_in_flight", gauge, "Current number of scrapes being served.",
			single(func(s *snapshot) float64 { return 1 })},
		{"promhttp_metric_handler_requests_total", counter, "Total number of scrapes by HTTP status code.",
			[]sample{{`code="200"`, scrapes}, {`code="500"`, none}, {`code="503"`, none}}},
	}
}
