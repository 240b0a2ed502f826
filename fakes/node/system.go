package node

import (
	"math"
	"strconv"

	"github.com/panelgate/panelgate/fakes"
)

// modeShare is how a CPU's time that is not idle is divided.
type modeShare struct {
	mode  string
	share float64
}

func busyModes() []modeShare {
	return []modeShare{
		{"iowait", 0.012}, {"irq", 0}, {"nice", 0.006}, {"softirq", 0.022}, {"steal", 0}, {"system", 0.17}, {"user", 0.79},
	}
}

// spread is how far CPUs are apart: the busiest and the idlest differ by this share from the average, both ways. It is small enough
// for the busiest to have idle time left when the average reaches its limit.
const spread = 0.04

// weight is how much of the average work CPU i of n does. The weights of all CPUs average 1.
func weight(i, n int) float64 {
	if n == 1 {
		return 1
	}
	return 1 + spread*(1-2*float64(i)/float64(n-1))
}

// loadBeforeStart is how busy the CPUs were between boot and the start of the world.
const loadBeforeStart = 0.08

func (s *snapshot) busyOf(weight float64) float64 {
	return weight * (loadBeforeStart*(s.uptime-s.elapsed) + s.busy)
}

func cpuSamples(cpus int) []sample {
	var samples []sample
	for i := range cpus {
		w := weight(i, cpus)
		labels := `cpu="` + strconv.Itoa(i) + `",mode="`
		samples = append(samples, sample{labels + `idle"`, func(s *snapshot) float64 { return hundredths(s.uptime - s.busyOf(w)) }})
		for _, m := range busyModes() {
			samples = append(samples, sample{labels + m.mode + `"`, func(s *snapshot) float64 { return hundredths(m.share * s.busyOf(w)) }})
		}
	}
	return samples
}

func guestSamples(cpus int) []sample {
	var samples []sample
	for i := range cpus {
		for _, mode := range []string{"nice", "user"} {
			samples = append(samples, sample{`cpu="` + strconv.Itoa(i) + `",mode="` + mode + `"`, func(*snapshot) float64 { return 0 }})
		}
	}
	return samples
}

func unameLabels(id fakes.Identity) string {
	return `domainname="(none)",machine="x86_64",nodename="` + id.NodeName() +
		`",release="6.8.0-101-generic",sysname="Linux",version="#101-Ubuntu SMP PREEMPT_DYNAMIC"`
}

// hundredths rounds down to the clock ticks in which the kernel counts CPU time.
func hundredths(v float64) float64 { return math.Floor(v*100) / 100 }

// micros rounds down to the microseconds in which the kernel counts stalls.
func micros(v float64) float64 { return math.Floor(v*1e6) / 1e6 }

// systemFamilies are what the cpu, stat, loadavg, pressure, time, uname and small collectors print.
func systemFamilies(cpus int, id fakes.Identity) []family {
	return []family{
		{"node_boot_time_seconds", gauge, "Node boot time, in unixtime.",
			single(func(s *snapshot) float64 { return s.boot })},
		{"node_context_switches_total", counter, "Total number of context switches.",
			single(func(s *snapshot) float64 { return math.Floor(2900*s.uptime + 95*s.requests) })},
		{"node_cpu_guest_seconds_total", counter, "Seconds the CPUs spent in guests (VMs) for each mode.",
			guestSamples(cpus)},
		{"node_cpu_seconds_total", counter, "Seconds the CPUs spent in each mode.",
			cpuSamples(cpus)},
		{"node_entropy_available_bits", gauge, "Bits of available entropy.",
			single(func(s *snapshot) float64 { return 256 })},
		{"node_entropy_pool_size_bits", gauge, "Bits of entropy pool.",
			single(func(s *snapshot) float64 { return 256 })},
		{"node_forks_total", counter, "Total number of forks.",
			single(func(s *snapshot) float64 { return math.Floor(3.1 * s.uptime) })},
		{"node_intr_total", counter, "Total number of interrupts serviced.",
			single(func(s *snapshot) float64 { return math.Floor(2100*s.uptime + 60*s.requests) })},
		{"node_load1", gauge, "1m load average.",
			single(func(s *snapshot) float64 { return hundredths(s.load1) })},
		{"node_load15", gauge, "15m load average.",
			single(func(s *snapshot) float64 { return hundredths(s.load15) })},
		{"node_load5", gauge, "5m load average.",
			single(func(s *snapshot) float64 { return hundredths(s.load5) })},
		{"node_nf_conntrack_entries", gauge, "Number of currently allocated flow entries for connection tracking.",
			single(func(s *snapshot) float64 { return 90 + math.Round(s.requestRate) })},
		{"node_nf_conntrack_entries_limit", gauge, "Maximum size of connection tracking table.",
			single(func(s *snapshot) float64 { return 262144 })},
		{"node_pressure_cpu_waiting_seconds_total", counter, "Total time in seconds that processes have waited for CPU time",
			single(func(s *snapshot) float64 { return micros(0.002*s.uptime + 0.06*s.busy) })},
		{"node_pressure_io_stalled_seconds_total", counter, "Total time in seconds no process could make progress due to IO congestion",
			single(func(s *snapshot) float64 { return micros(0.0008*s.uptime + 0.004*s.busy) })},
		{"node_pressure_io_waiting_seconds_total", counter, "Total time in seconds that processes have waited due to IO congestion",
			single(func(s *snapshot) float64 { return micros(0.001*s.uptime + 0.009*s.busy) })},
		{"node_pressure_memory_stalled_seconds_total", counter, "Total time in seconds no process could make progress due to memory congestion",
			single(func(s *snapshot) float64 { return micros(0.00001 * s.uptime) })},
		{"node_pressure_memory_waiting_seconds_total", counter, "Total time in seconds that processes have waited for memory",
			single(func(s *snapshot) float64 { return micros(0.00002 * s.uptime) })},
		{"node_procs_blocked", gauge, "Number of processes blocked waiting for I/O to complete.",
			single(func(s *snapshot) float64 { return 0 })},
		{"node_procs_running", gauge, "Number of processes in runnable state.",
			single(func(s *snapshot) float64 { return 1 + math.Round(s.load*float64(s.cpus)) })},
		{"node_time_seconds", gauge, "System time in seconds since epoch (1970).",
			single(func(s *snapshot) float64 { return s.now })},
		{"node_timex_offset_seconds", gauge, "Time offset in between local system and reference clock.",
			single(func(s *snapshot) float64 { return 0.000021 })},
		{"node_timex_sync_status", gauge, "Is clock synchronized to a reliable server (1 = yes, 0 = no).",
			single(func(s *snapshot) float64 { return 1 })},
		{"node_uname_info", gauge, "Labeled system information as provided by the uname system call.",
			[]sample{{unameLabels(id), one}}},
	}
}
