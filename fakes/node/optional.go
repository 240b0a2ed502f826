package node

import (
	"math"
	"strconv"
	"strings"
)

// limits of the kernel.
const (
	maxProcesses = 4_194_304
	maxThreads   = 1_030_518
)

// sleeping is how many processes wait for something to do, idle how many of the kernel's threads do, of which there are some a CPU.
const (
	sleeping   = 214
	idlePerCPU = 9
	threads    = 1_180
)

// processFamiliesOfHost are what the processes collector prints.
func processFamiliesOfHost(cpus int) []family {
	idle := float64(idlePerCPU * cpus)
	running := func(s *snapshot) float64 { return 1 + math.Round(s.load*float64(s.cpus)) }
	states := func(label string, sleepers float64) []sample {
		return []sample{
			{label + `="I"`, constant(idle)}, {label + `="R"`, running}, {label + `="S"`, constant(sleepers)},
		}
	}
	all := func(sleepers float64) []sample {
		return single(func(s *snapshot) float64 { return idle + sleepers + running(s) })
	}
	return []family{
		{"node_processes_max_processes", gauge, "Number of max PIDs limit", single(constant(maxProcesses))},
		{"node_processes_max_threads", gauge, "Limit of threads in the system", single(constant(maxThreads))},
		{"node_processes_pids", gauge, "Number of PIDs", all(sleeping)},
		{"node_processes_state", gauge, "Number of processes in each state.", states("state", sleeping)},
		{"node_processes_threads", gauge, "Allocated threads in system", all(threads)},
		{"node_processes_threads_state", gauge, "Number of threads in each state.", states("thread_state", threads)},
	}
}

// tcpFamilies are what the tcpstat collector prints. Only states that a connection is in have a series.
func tcpFamilies() []family {
	return []family{{"node_tcp_connection_states", gauge, "Number of connection states.", []sample{
		{`state="established"`, withTraffic(24, 0.5)},
		{`state="listen"`, constant(14)},
		{`state="rx_queued_bytes"`, none},
		{`state="time_wait"`, withTraffic(0, 0.25)},
		{`state="tx_queued_bytes"`, none},
	}}}
}

// interrupt is a line of /proc/interrupts.
type interrupt struct {
	kind, info, devices      string
	perSecond, perBusySecond float64 // of the average CPU
	perRequest               float64
	onlyOn                   int // the CPU that is interrupted, everyCPU for all
}

const everyCPU = -1

func interrupts() []interrupt {
	return []interrupt{
		{kind: "CAL", info: "Function call interrupts", perSecond: 3, perBusySecond: 0.4, onlyOn: everyCPU},
		{kind: "LOC", info: "Local timer interrupts", perSecond: 180, perBusySecond: 70, onlyOn: everyCPU},
		{kind: "MCE", info: "Machine check exceptions", onlyOn: everyCPU},
		{kind: "MCP", info: "Machine check polls", perSecond: 1.0 / 300, onlyOn: everyCPU},
		{kind: "NMI", info: "Non-maskable interrupts", perSecond: 0.01, onlyOn: everyCPU},
		{kind: "RES", info: "Rescheduling interrupts", perSecond: 1.5, perBusySecond: 4, onlyOn: everyCPU},
		{kind: "TLB", info: "TLB shootdowns", perSecond: 0.6, perBusySecond: 1.1, onlyOn: everyCPU},
		{kind: "130", info: "PCI-MSIX-0000:01:00.0", devices: "0-edge nvme0q0", perSecond: 0.02, onlyOn: 0},
		{kind: "142", info: "PCI-MSIX-0000:41:00.0", devices: "1-edge eth0-0", perSecond: 6, perRequest: 22, onlyOn: 0},
	}
}

// interruptFamilies are what the interrupts collector prints.
func interruptFamilies(cpus int) []family {
	var samples []sample
	for _, line := range interrupts() {
		for cpu := range cpus {
			value := counts(line.perSecond, line.perBusySecond*weight(cpu, cpus), line.perRequest)
			if line.onlyOn != everyCPU && line.onlyOn != cpu {
				value = none
			}
			samples = append(samples, sample{`cpu="` + strconv.Itoa(cpu) + `",devices="` + line.devices + `",info="` + line.info +
				`",type="` + line.kind + `"`, value})
		}
	}
	return []family{{"node_interrupts_total", counter, "Interrupt details.", samples}}
}

// processorInfo is the family that --collector.cpu.info adds.
const processorInfo = "node_cpu_info"

// processorSamples name the processor, once for each CPU.
func processorSamples(cpus int) []sample {
	var samples []sample
	for _, cpu := range numbers(cpus) {
		samples = append(samples, sample{`cachesize="46080 KB",core="` + cpu + `",cpu="` + cpu + `",family="6",microcode="0x2b000661",model="143",` +
			`model_name="Intel(R) Xeon(R) Gold 6426Y",package="0",stepping="8",vendor="GenuineIntel"`, one})
	}
	return samples
}

// unit is a unit of systemd, as the collector names it: the type is a service's own.
type unit struct{ name, kind, state string }

func units() []unit {
	return []unit{
		{"cron.service", "simple", "active"}, {"docker.service", "notify", "active"}, {"docker.socket", "", "active"},
		{"fstrim.service", "oneshot", "inactive"}, {"fstrim.timer", "", "active"}, {"logrotate.timer", "", "active"},
		{"multi-user.target", "", "active"}, {"nvidia-persistenced.service", "forking", "active"}, {"ssh.service", "notify", "active"},
		{"systemd-journald.service", "notify", "active"}, {"systemd-journald.socket", "", "active"},
	}
}

func unitStates() []string {
	return []string{"activating", "active", "deactivating", "failed", "inactive"}
}

// perUnit is one series for each of the units of a kind, told by what its name ends with.
func perUnit(suffix string, value func(*snapshot) float64) []sample {
	var samples []sample
	for _, u := range units() {
		if strings.HasSuffix(u.name, suffix) {
			samples = append(samples, sample{`name="` + u.name + `"`, value})
		}
	}
	return samples
}

// onlyAsked are the families of systemd that have a flag of their own.
func onlyAsked() map[string]string {
	return map[string]string{
		"node_systemd_service_restart_total":   "collector.systemd.enable-restarts-metrics",
		"node_systemd_unit_start_time_seconds": "collector.systemd.enable-start-time-metrics",
		"node_systemd_unit_tasks_current":      "collector.systemd.enable-task-metrics",
		"node_systemd_unit_tasks_max":          "collector.systemd.enable-task-metrics",
	}
}

// systemdFamilies are what the systemd collector prints. Everything has been started with the machine and runs since.
func systemdFamilies() []family {
	states := map[string]float64{}
	var perState, summary []sample
	for _, u := range units() {
		states[u.state]++
		for _, state := range unitStates() {
			is := constant(0)
			if state == u.state {
				is = one
			}
			perState = append(perState, sample{`name="` + u.name + `",state="` + state + `",type="` + u.kind + `"`, is})
		}
	}
	for _, state := range unitStates() {
		summary = append(summary, sample{`state="` + state + `"`, constant(states[state])})
	}
	booted := func(s *snapshot) float64 { return s.boot + 12 }
	midnight := func(s *snapshot) float64 { return max(s.boot, whole(s.now, 24*3600)) }
	return []family{
		{"node_systemd_service_restart_total", counter, "Service unit count of Restart triggers", perUnit(".service", none)},
		{"node_systemd_socket_accepted_connections_total", counter, "Total number of accepted socket connections", perUnit(".socket", none)},
		{"node_systemd_socket_current_connections", gauge, "Current number of socket connections", perUnit(".socket", none)},
		{"node_systemd_socket_refused_connections_total", gauge, "Total number of refused socket connections", perUnit(".socket", none)},
		{"node_systemd_system_running", gauge, "Whether the system is operational (see 'systemctl is-system-running')", single(one)},
		{"node_systemd_timer_last_trigger_seconds", gauge, "Seconds since epoch of last trigger.", perUnit(".timer", midnight)},
		{"node_systemd_unit_start_time_seconds", gauge, "Start time of the unit since unix epoch in seconds.", perUnit(".service", booted)},
		{"node_systemd_unit_state", gauge, "Systemd unit", perState},
		{"node_systemd_unit_tasks_current", gauge, "Current number of tasks per Systemd unit", perUnit(".service", constant(9))},
		{"node_systemd_unit_tasks_max", gauge, "Maximum number of tasks per Systemd unit", perUnit(".service", constant(154_577))},
		{"node_systemd_units", gauge, "Summary of systemd unit states", summary},
		{"node_systemd_version", gauge, "Detected systemd version", []sample{{`version="255.4-1ubuntu8.11"`, constant(255)}}},
		{"node_systemd_virtualization_info", gauge, "Detected virtualization technology", []sample{{`virtualization_type="none"`, one}}},
	}
}
