package node

import (
	"math"
	"strconv"
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
			samples = append(samples, sample{`cpu="` + strconv.Itoa(i) + `",mode="` + mode + `"`, none})
		}
	}
	return samples
}

// throttleSamples are one series a core; every CPU is a core of its own, all in one package.
func throttleSamples(cpus int) []sample {
	var samples []sample
	for _, core := range numbers(cpus) {
		samples = append(samples, sample{`core="` + core + `",package="0"`, none})
	}
	return samples
}

// guestTime is the family that --no-collector.cpu.guest leaves out.
const guestTime = "node_cpu_guest_seconds_total"

// cpuFamilies are what the cpu collector prints.
func cpuFamilies(cpus int) []family {
	return []family{
		{"node_cpu_core_throttles_total", counter, "Number of times this CPU core has been throttled.",
			throttleSamples(cpus)},
		{guestTime, counter, "Seconds the CPUs spent in guests (VMs) for each mode.",
			guestSamples(cpus)},
		{processorInfo, gauge, "CPU information from /proc/cpuinfo.", processorSamples(cpus)},
		{"node_cpu_online", gauge, "CPUs that are online and being scheduled.",
			perCPU(cpus, func(*snapshot, int) float64 { return 1 })},
		{"node_cpu_package_throttles_total", counter, "Number of times this CPU package has been throttled.",
			[]sample{{`package="0"`, none}}},
		{"node_cpu_seconds_total", counter, "Seconds the CPUs spent in each mode.",
			cpuSamples(cpus)},
	}
}

// Limits of the CPUs' clock, in hertz.
const (
	slowest = 0.8e9
	fastest = 3.9e9
)

// frequency is a CPU's clock, in hertz to the kilohertz: under the governor "performance" high when idle, and lower the more cores
// of the package work.
func frequency(s *snapshot, cpu int) float64 {
	return whole(fastest-0.7e9*s.load-1e6*float64(cpu*cpu%5), 1e3)
}

func governorSamples(cpus int) []sample {
	var samples []sample
	for _, cpu := range numbers(cpus) {
		labels := `cpu="` + cpu + `",governor="`
		samples = append(samples, sample{labels + `performance"`, one}, sample{labels + `powersave"`, none})
	}
	return samples
}

// frequencyFamilies are what the cpufreq collector prints where the kernel has the driver intel_pstate.
func frequencyFamilies(cpus int) []family {
	slow := perCPU(cpus, func(*snapshot, int) float64 { return slowest })
	fast := perCPU(cpus, func(*snapshot, int) float64 { return fastest })
	now := perCPU(cpus, frequency)
	return []family{
		{"node_cpu_frequency_avg_hertz", gauge, "Average CPU thread frequency in hertz.", now},
		{"node_cpu_frequency_max_hertz", gauge, "Maximum CPU thread frequency in hertz.", fast},
		{"node_cpu_frequency_min_hertz", gauge, "Minimum CPU thread frequency in hertz.", slow},
		{"node_cpu_scaling_frequency_hertz", gauge, "Current scaled CPU thread frequency in hertz.", now},
		{"node_cpu_scaling_frequency_max_hertz", gauge, "Maximum scaled CPU thread frequency in hertz.", fast},
		{"node_cpu_scaling_frequency_min_hertz", gauge, "Minimum scaled CPU thread frequency in hertz.", slow},
		{"node_cpu_scaling_governor", gauge, "Current enabled CPU frequency governor.", governorSamples(cpus)},
	}
}

// schedulerFamilies are what the schedstat collector prints.
func schedulerFamilies(cpus int) []family {
	share := func(share float64) []sample {
		return perCPU(cpus, func(s *snapshot, cpu int) float64 { return nanos(share * s.busyOf(weight(cpu, cpus))) })
	}
	return []family{
		{"node_schedstat_running_seconds_total", counter, "Number of seconds CPU spent running a process.", share(0.96)},
		{"node_schedstat_timeslices_total", counter, "Number of timeslices executed by CPU.",
			perCPU(cpus, func(s *snapshot, cpu int) float64 { return math.Floor(1900 * s.busyOf(weight(cpu, cpus))) })},
		{"node_schedstat_waiting_seconds_total", counter, "Number of seconds spent by processing waiting for this CPU.", share(0.07)},
	}
}

// softnetFamilies are what the softnet collector prints. The network card spreads what it receives over all CPUs.
func softnetFamilies(cpus int) []family {
	zero := perCPU(cpus, func(*snapshot, int) float64 { return 0 })
	nics := interfaces()
	processed := perCPU(cpus, func(s *snapshot, cpu int) float64 {
		var packets float64
		for _, n := range nics {
			packets += n.received.packets(s)
		}
		return math.Floor(packets * weight(cpu, cpus) / float64(cpus))
	})
	return []family{
		{"node_softnet_backlog_len", gauge, "Softnet backlog status", zero},
		{"node_softnet_cpu_collision_total", counter, "Number of collision occur while obtaining device lock while transmitting", zero},
		{"node_softnet_dropped_total", counter, "Number of dropped packets", zero},
		{"node_softnet_flow_limit_count_total", counter, "Number of times flow limit has been reached", zero},
		{"node_softnet_processed_total", counter, "Number of processed packets", processed},
		{"node_softnet_received_rps_total", counter, "Number of times cpu woken up received_rps", zero},
		{"node_softnet_times_squeezed_total", counter, "Number of times processing packets ran out of quota",
			perCPU(cpus, func(s *snapshot, cpu int) float64 { return math.Floor(0.002 * s.busyOf(weight(cpu, cpus))) })},
	}
}
