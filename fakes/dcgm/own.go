package dcgm

import (
	"maps"
	"slices"
	"strconv"
	"time"
)

// ownWriter writes one of the metrics that dcgm-exporter works out itself.
func (e *layout) ownWriter(line counterLine, u *unit, labels labelSet) writer {
	write := func(dst []byte, fields []labelPair, value int) []byte {
		dst = append(append(append(append(dst, line.name...), '{'), labels.with(fields, nil).String()...), "} "...)
		return append(strconv.AppendInt(dst, int64(value), 10), '\n')
	}
	switch line.name {
	case xidCount:
		return func(dst []byte, s *snapshot) []byte { return e.countXIDs(dst, s.at, u, write) }
	case clockEvents:
		return func(dst []byte, s *snapshot) []byte { return e.countClockEvents(dst, s.at, u, write) }
	case gpuHealth:
		return func(dst []byte, s *snapshot) []byte { return health(dst, u.state(s), write) }
	case p2pStatus:
		return func(dst []byte, s *snapshot) []byte { return peers(dst, u.state(s), write) }
	}
	return blank
}

type lineWriter func(dst []byte, fields []labelPair, value int) []byte

func windowLabel(window time.Duration) labelPair {
	return labelPair{"window_size_in_ms", strconv.FormatInt(window.Milliseconds(), 10)}
}

// collections are the moments within a window at which values were collected, the earliest first.
func (e *layout) collections(at time.Time, window time.Duration) []time.Time {
	var all []time.Time
	started := e.world.Started(exporterName, at)
	for t := at; at.Sub(t) < window && !t.Before(started); t = t.Add(-e.options.interval) {
		all = append(all, t)
	}
	slices.Reverse(all)
	return all
}

// xidReading is the last error of a GPU at a moment, if there was one.
type xidReading struct {
	code int
	some bool
}

// newErrors counts by code the readings that differ from the one before them: errors that came in between.
func newErrors(readings []xidReading) map[int]int {
	counts := map[int]int{}
	for i := 1; i < len(readings); i++ {
		if r := readings[i]; r.some && r != readings[i-1] {
			counts[r.code]++
		}
	}
	return counts
}

// countXIDs counts the errors of a window by their code. A GPU that had none gets one line that names none.
func (e *layout) countXIDs(dst []byte, at time.Time, u *unit, write lineWriter) []byte {
	var readings []xidReading
	for _, t := range append([]time.Time{at.Add(-e.options.xidWindow)}, e.collections(at, e.options.xidWindow)...) {
		code, some := u.gpu.XID(t)
		readings = append(readings, xidReading{code, some})
	}
	counts := newErrors(readings)
	window := windowLabel(e.options.xidWindow)
	if len(counts) == 0 {
		return write(dst, []labelPair{window}, 0)
	}
	for _, code := range slices.Sorted(maps.Keys(counts)) {
		dst = write(dst, []labelPair{window, {"xid", strconv.Itoa(code)}}, counts[code])
	}
	return dst
}

// clockEvent is a reason for a clock below its highest: its bit, and what dcgm-exporter calls it.
type clockEvent struct {
	bit  int
	name string
}

func clockEventNames() []clockEvent {
	return []clockEvent{
		{reasonIdle, "gpu_idle"}, {reasonPowerCap, "power_cap"}, {reasonSlowdown, "hw_slowdown"},
		{reasonSWThermal, "sw_thermal"}, {reasonHWThermal, "hw_thermal"},
	}
}

// countClockEvents counts by reason how many of the values collected within the window named it. A GPU that nothing has held back has
// no line.
func (e *layout) countClockEvents(dst []byte, at time.Time, u *unit, write lineWriter) []byte {
	window := windowLabel(e.options.clockWindow)
	counts := make([]int, len(clockEventNames()))
	for _, t := range e.collections(at, e.options.clockWindow) {
		state := read(u.gpu, t)
		reasons := int(state.reasons())
		for i, event := range clockEventNames() {
			if reasons&event.bit != 0 {
				counts[i]++
			}
		}
	}
	for i, event := range clockEventNames() {
		if counts[i] > 0 {
			dst = write(dst, []labelPair{{"clock_event", event.name}, window}, counts[i])
		}
	}
	return dst
}

// Results of a health check.
const (
	healthy   = 0
	warned    = 10
	unhealthy = 20
)

// health says of each part of a GPU whether it is well.
func health(dst []byte, s *gpuState, write lineWriter) []byte {
	for _, watch := range []string{"PCIE", "NVLINK", "PMU", "MCU", "MEM", "SM", "INFOROM", "THERMAL", "POWER", "DRIVER"} {
		result, code := healthy, "DCGM_FR_OK"
		switch {
		case watch == "THERMAL" && s.throttle < 1:
			result, code = warned, "DCGM_FR_CLOCK_THROTTLE_THERMAL"
		case watch == "MEM" && s.failed && s.xid == 48:
			result, code = unhealthy, "DCGM_FR_VOLATILE_DBE_DETECTED"
		case watch == "MEM" && s.failed && s.xid == 95:
			result, code = unhealthy, "DCGM_FR_UNCONTAINED_ERROR"
		case watch == "NVLINK" && s.failed && s.xid == 74:
			result, code = unhealthy, "DCGM_FR_NVLINK_DOWN"
		}
		dst = write(dst, []labelPair{{"health_error_code", code}, {"health_watch", watch}}, result)
	}
	return dst
}

// peers says of each other GPU whether this one reaches its memory over NVLink.
func peers(dst []byte, s *gpuState, write lineWriter) []byte {
	const notSupported = 5
	for peer := range s.count {
		if peer == s.gpu.Index() {
			continue
		}
		status, value := "OK", 0
		if s.gpu.NVLinks() == 0 {
			status, value = "NotSupported", notSupported
		}
		dst = write(dst, []labelPair{{"link_status", status}, {"peer_gpu", strconv.Itoa(peer)}}, value)
	}
	return dst
}
