package dcgm

import (
	"math"
	"strconv"
	"strings"
)

// member is one NVSwitch, link, CPU or core: the labels that say which, and the field's value for it.
type member struct {
	labels []labelPair
	value  func(f field, s *snapshot) (float64, bool)
	unit   *unit // the GPU that a link is of, nil for the others
}

// memberGroup is the group of the entities that are no GPUs.
func (e *layout) memberGroup(members []member, has func(counterLine) bool) group {
	return e.group(func(line counterLine) bool { return !line.exp && has(line) }, func(line counterLine) []writer {
		all := make([]writer, len(members))
		for i, m := range members {
			labels := labelSet{fixed: joined(",", m.labels)}.with(e.fieldLabels(m.unit), nil)
			prefix := line.name + "{" + labels.String() + "} "
			if line.format == formatString {
				all[i] = blank
				if text, ok := e.texts(m.unit)[line.id]; ok {
					all[i] = constantLine(prefix + text + "\n")
				}
				continue
			}
			all[i] = func(dst []byte, s *snapshot) []byte {
				v, ok := m.value(line.field, s)
				if !ok || line.format == formatNone {
					return dst
				}
				return append(line.format.number(append(dst, prefix...), v), '\n')
			}
		}
		return all
	})
}

// hosted are an entity's own labels and that of the host's name.
func (e *layout) hosted(name string, pairs ...labelPair) []labelPair {
	if e.hostname != "" {
		pairs = append(pairs, labelPair{name, e.hostname})
	}
	return pairs
}

func (e *layout) switchGroup() group {
	members := make([]member, e.world.Host().NVSwitches())
	for i := range members {
		members[i] = member{labels: e.hosted(e.dialect.hostname, labelPair{"nvswitch", e.switchName(i)}), value: e.switchValue}
	}
	return e.memberGroup(members, func(line counterLine) bool { return line.entity == entitySwitch })
}

// switchName is how a line names an NVSwitch: by its number alone in releases without lines for NVLinks.
func (e *layout) switchName(i int) string {
	if e.dialect.gpuLinks {
		return "nvswitch" + strconv.Itoa(i)
	}
	return strconv.Itoa(i)
}

// What NVSwitches are like.
const (
	switchMillivolts = 870
	switchTemp       = 43 // °C, idle
	switchWarmer     = 14 // under load
)

// links is how many NVLinks the machine's GPUs have together.
func (e *layout) links() int {
	n := 0
	for _, gpu := range e.world.GPUs() {
		n += gpu.NVLinks()
	}
	return n
}

func (e *layout) switchValue(f field, s *snapshot) (float64, bool) {
	switches := float64(e.world.Host().NVSwitches())
	load := 0.0
	for i := range s.gpus {
		load += s.gpus[i].load / float64(len(s.gpus))
	}
	perGPU := float64(e.links()) / max(1, float64(len(s.gpus)))
	switch what := strings.TrimPrefix(f.name, "DCGM_FI_DEV_NVSWITCH_"); what {
	case "VOLTAGE_MVOLT":
		return switchMillivolts, true
	case "TEMPERATURE_CURRENT":
		return math.Round(switchTemp + switchWarmer*load), true
	case "TEMPERATURE_LIMIT_SLOWDOWN":
		return slowdownTemp, true
	case "TEMPERATURE_LIMIT_SHUTDOWN":
		return shutdownTemp, true
	case "THROUGHPUT_TX":
		return math.Floor(perGPU * linkBusyReceived * s.host.busyGPUs / switches / bytesPerKiB), true
	case "THROUGHPUT_RX":
		return math.Floor(perGPU * linkBusySent * s.host.busyGPUs / switches / bytesPerKiB), true
	case "FATAL_ERRORS", "NON_FATAL_ERRORS", "RESET_REQUIRED":
		return 0, true
	}
	return 0, false
}

// linkGroup is that of the links of NVSwitches and, in newer releases, of GPUs.
func (e *layout) linkGroup() group {
	var members []member
	hostLabel := e.dialect.hostname
	if e.dialect.gpuLinks {
		hostLabel = "hostname" // here it has been written so since there are such lines
		for _, gpu := range e.world.GPUs() {
			for l := range gpu.NVLinks() {
				i := gpu.Index()
				members = append(members, member{unit: &unit{gpu: gpu}, value: gpuLinkValue(i), labels: e.hosted(hostLabel,
					labelPair{"nvlink", strconv.Itoa(l)}, labelPair{"gpu", strconv.Itoa(i)}, labelPair{"gpu_uuid", gpu.UUID(e.id)},
					labelPair{"pci_bus_id", e.pciBus(i)}, labelPair{"device", "nvidia" + strconv.Itoa(i)}, labelPair{"model_name", gpu.ModelName()})})
			}
		}
	}
	for i := range e.world.Host().NVSwitches() {
		for l := range e.switchLinks() {
			members = append(members, member{value: e.switchLinkValue, labels: e.hosted(hostLabel,
				labelPair{"nvlink", strconv.Itoa(l)}, labelPair{"nvswitch", "nvswitch" + strconv.Itoa(i)})})
		}
	}
	return e.memberGroup(members, func(line counterLine) bool {
		return line.entity == entitySwitchLink || line.entity == entityGPULink && e.dialect.gpuLinks
	})
}

func (e *layout) switchLinks() int {
	switches := max(1, e.world.Host().NVSwitches())
	return (e.links() + switches - 1) / switches
}

func (e *layout) switchLinkValue(f field, s *snapshot) (float64, bool) {
	if f.entity != entitySwitchLink {
		return 0, false
	}
	links := float64(max(1, e.links()))
	perGPU := links / max(1, float64(len(s.gpus)))
	switch what := strings.TrimPrefix(f.name, "DCGM_FI_DEV_NVSWITCH_LINK_"); {
	case what == "THROUGHPUT_TX":
		return math.Floor(perGPU * linkBusyReceived * s.host.busyGPUs / links / bytesPerKiB), true
	case what == "THROUGHPUT_RX":
		return math.Floor(perGPU * linkBusySent * s.host.busyGPUs / links / bytesPerKiB), true
	case strings.Contains(what, "ERRORS"):
		return 0, true
	case what == "STATUS":
		return 2, true // active
	}
	return 0, false
}

// gpuLinkValue reads a field of one NVLink of a GPU.
func gpuLinkValue(gpu int) func(field, *snapshot) (float64, bool) {
	return func(f field, s *snapshot) (float64, bool) {
		if f.entity != entityGPULink {
			return 0, false
		}
		return s.gpus[gpu].ofLinks(f, 1), true
	}
}

// ofLinks is a field of NVLinks for some of a GPU's, which are all alike.
func (s *gpuState) ofLinks(f field, links float64) float64 {
	const packet = 144 // bytes
	switch strings.TrimPrefix(f.name, "DCGM_FI_DEV_NVLINK_") {
	case "COUNT_TX_BYTES":
		return math.Floor(links * s.total(0, linkBusySent))
	case "COUNT_RX_BYTES":
		return math.Floor(links * s.total(0, linkBusyReceived))
	case "COUNT_TX_PACKETS":
		return math.Floor(links * s.total(0, linkBusySent) / packet)
	case "COUNT_RX_PACKETS":
		return math.Floor(links * s.total(0, linkBusyReceived) / packet)
	case "GET_STATE":
		return 1
	}
	return 0
}

func (e *layout) cpuGroup() group {
	members := make([]member, e.world.Host().GraceCPUs())
	for i := range members {
		members[i] = member{labels: e.hosted(e.dialect.hostname, labelPair{"cpu", strconv.Itoa(i)}), value: cpuValue}
	}
	return e.memberGroup(members, func(line counterLine) bool {
		return line.entity == entityCPU || line.entity == entityCore && line.id != cpuClock
	})
}

func (e *layout) coreGroup() group {
	host := e.world.Host()
	var members []member
	if sockets := host.GraceCPUs(); sockets > 0 {
		for core := range host.CPUs() {
			socket := core * sockets / host.CPUs()
			members = append(members, member{value: cpuValue, labels: e.hosted(e.dialect.hostname,
				labelPair{"cpucore", strconv.Itoa(core)}, labelPair{"cpu", strconv.Itoa(socket)})})
		}
	}
	return e.memberGroup(members, func(line counterLine) bool { return line.entity == entityCore })
}

// cpuClock is the number of DCGM_FI_DEV_CPU_CLOCK_CURRENT, which only cores have.
const cpuClock = 1120

// What a Grace CPU is like.
const (
	cpuIdleTemp, cpuBusyTemp   = 41, 78 // °C
	cpuWarning, cpuCritical    = 95, 105
	cpuKHz                     = 3_375_000
	cpuIdlePower, cpuBusyPower = 62, 270 // W
	cpuLimit                   = 300
	userShare, sysShare        = 0.84, 0.15 // of the time that is not idle
)

func cpuValue(f field, s *snapshot) (float64, bool) {
	load := s.host.load
	power := milli(cpuIdlePower + (cpuBusyPower-cpuIdlePower)*load)
	values := map[int]float64{
		1100: load, 1101: userShare * load, 1102: 0, 1103: sysShare * load, 1104: (1 - userShare - sysShare) * load,
		1110: math.Round(cpuIdleTemp + (cpuBusyTemp-cpuIdleTemp)*load), 1111: cpuWarning, 1112: cpuCritical,
		cpuClock: cpuKHz, 1130: power, 1131: cpuLimit, 1132: milli(power / 8), 1133: milli(power * 9 / 8),
	}
	v, ok := values[f.id]
	return v, ok
}
