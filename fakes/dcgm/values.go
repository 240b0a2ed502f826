package dcgm

import (
	"maps"
	"math"
	"strconv"
	"strings"
)

// Clocks of the fake GPU, in MHz: what it idles at and what it reaches under load.
const (
	idleSMClock, busySMClock       = 210, 2040
	idleMemClock, busyMemClock     = 405, 6251
	idleVideoClock, busyVideoClock = 795, 1770
	// clockedUp is the load above which memory runs at full clock.
	clockedUp = 0.02
	smStep    = 15 // granularity of the SM clock
)

// How other activity goes with the share of time the GPU is busy: shares of time or of cycles.
const (
	memoryCopyPerLoad = 0.55
	smPerLoad         = 0.82
	occupancyPerLoad  = 0.35
	tensorPerLoad     = 0.38
	hmmaPerLoad       = 0.33
	immaPerLoad       = 0.05
	dramPerLoad       = 0.46
	fp32PerLoad       = 0.09
	fp16PerLoad       = 0.12
	intPerLoad        = 0.07
)

// Traffic in bytes per second: what idles by and what full load adds.
const (
	pcieIdleSent, pcieBusySent         = 112_603, 410e6
	pcieIdleReceived, pcieBusyReceived = 17_544, 1.3e9
	linkBusySent, linkBusyReceived     = 2.1e9, 2.0e9 // of each NVLink
)

// Temperatures of the fake GPU at which something happens, in °C.
const (
	slowdownTemp, shutdownTemp, maxMemTemp, maxTemp = 92, 97, 95, 87
	stackedWarmer                                   = 6 // memory on the chip, above the chip
)

// Bits of DCGM_FI_DEV_CLOCKS_EVENT_REASONS.
const (
	reasonIdle      = 0x01
	reasonPowerCap  = 0x04
	reasonSlowdown  = 0x08
	reasonSWThermal = 0x20
	reasonHWThermal = 0x40
)

// nearLimit is the share of its power limit at which a GPU is held back.
const nearLimit = 0.995

// hardThrottle is the share of its clock below which it is the hardware that slows a GPU down, not the driver.
const hardThrottle = 0.5

func (s *gpuState) reasons() float64 {
	reasons := 0
	if s.load <= clockedUp {
		reasons |= reasonIdle
	}
	if s.powerWatts >= nearLimit*s.gpu.PowerLimit() {
		reasons |= reasonPowerCap
	}
	switch {
	case s.throttle <= hardThrottle:
		reasons |= reasonSlowdown | reasonHWThermal
	case s.throttle < 1:
		reasons |= reasonSWThermal
	}
	return float64(reasons)
}

func (s *gpuState) smClock() float64 {
	return idleSMClock + smStep*math.Round(max(0, busySMClock*s.throttle-idleSMClock)*s.load/smStep)
}

// clockedUp is one of two values, by whether the GPU has work.
func (s *gpuState) clockedUp(busy, idle float64) float64 {
	if s.load > clockedUp {
		return busy
	}
	return idle
}

// milli rounds to the thousandths that the driver reports.
func milli(v float64) float64 { return math.Round(v*1000) / 1000 }

// total is what has come together since boot of something that idles by at one rate and grows with the load by another.
func (s *gpuState) total(idle, busy float64) float64 { return idle*s.upSeconds + busy*s.busySeconds }

func (s *gpuState) rate(idle, busy float64) float64 { return idle + busy*s.load }

// gpuNumbers are the values of a GPU by number of the field. What is not there is blank.
func gpuNumbers() map[int]func(*gpuState) float64 {
	all := map[int]func(*gpuState) float64{}
	for _, part := range []func() map[int]func(*gpuState) float64{
		identityNumbers, clockNumbers, powerNumbers, useNumbers, memoryNumbers, activityNumbers,
	} {
		maps.Copy(all, part())
	}
	zero := constant(0)
	for _, span := range [][2]int{{310, 346}, {386, 396}, {1017, 1034}, {240, 240}, {242, 247}} {
		for id := span[0]; id <= span[1]; id++ {
			all[id] = zero
		}
	}
	for _, id := range []int{202, 206, 207, 450, 497, 498, 499, 1220, 1420, 1421, 1424, 1501, 1507, 1523} {
		all[id] = zero
	}
	return all
}

func constant(v float64) func(*gpuState) float64 { return func(*gpuState) float64 { return v } }

func identityNumbers() map[int]func(*gpuState) float64 {
	index := func(s *gpuState) float64 { return float64(s.gpu.Index()) }
	return map[int]func(*gpuState) float64{
		4: func(s *gpuState) float64 { return float64(s.count) },
		5: constant(13000), 52: index, 55: index,
		63: constant(8<<16 | 9), 65: constant(0), 66: constant(1), 69: constant(maxMIGSlices), 74: constant(0), 83: constant(0),
		84: constant(1), 91: constant(0), 94: constant(0),
		67:  func(s *gpuState) float64 { return boolean(len(s.gpu.Instances()) > 0) },
		235: constant(4), 236: constant(16), 238: constant(16),
		237: func(s *gpuState) float64 { return s.clockedUp(4, 1) },
		300: constant(1), 301: constant(1), 385: constant(640),
		500: func(s *gpuState) float64 { return boolean(s.gpu.Virtual()) },
		526: func(s *gpuState) float64 { return boolean(s.gpu.Virtual()) },
	}
}

const maxMIGSlices = 7

func boolean(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

func clockNumbers() map[int]func(*gpuState) float64 {
	return map[int]func(*gpuState) float64{
		100: (*gpuState).smClock,
		101: func(s *gpuState) float64 { return s.clockedUp(busyMemClock, idleMemClock) },
		102: func(s *gpuState) float64 { return s.clockedUp(busyVideoClock, idleVideoClock) },
		110: constant(busySMClock), 111: constant(busyMemClock),
		112: (*gpuState).reasons,
		113: constant(busySMClock), 114: constant(busyMemClock), 115: constant(busyVideoClock),
		190: func(s *gpuState) float64 { return s.clockedUp(0, 8) },
		241: func(s *gpuState) float64 { return s.hotSeconds * 1e9 },
		// The driver says only how long in all; what the hardware had a part in is not told apart here.
		1422: func(s *gpuState) float64 { return s.hotSeconds * 1e9 },
		1423: constant(0),
	}
}

func powerNumbers() map[int]func(*gpuState) float64 {
	limit := func(s *gpuState) float64 { return s.gpu.PowerLimit() }
	power := func(s *gpuState) float64 { return milli(s.powerWatts) }
	return map[int]func(*gpuState) float64{
		140: func(s *gpuState) float64 {
			if chipOf(s.gpu).stackedMemory() {
				return math.Round(s.temperature) + stackedWarmer
			}
			return 0
		},
		150: func(s *gpuState) float64 { return math.Round(s.temperature) },
		151: constant(maxMemTemp), 152: constant(maxTemp),
		153: func(s *gpuState) float64 { return maxTemp - math.Round(s.temperature) },
		155: power, 157: power,
		156: func(s *gpuState) float64 { return math.Floor(s.energyJoules * 1000) },
		158: constant(slowdownTemp), 159: constant(shutdownTemp),
		160: limit, 161: func(s *gpuState) float64 { return math.Round(s.gpu.PowerLimit() / 2) }, 162: limit, 163: limit, 164: limit,
		191: func(s *gpuState) float64 { return math.Round(30 + 50*s.load) },
	}
}

func useNumbers() map[int]func(*gpuState) float64 {
	return map[int]func(*gpuState) float64{
		200: func(s *gpuState) float64 { return math.Floor(s.total(pcieIdleSent, pcieBusySent) / bytesPerKiB) },
		201: func(s *gpuState) float64 {
			return math.Floor(s.total(pcieIdleReceived, pcieBusyReceived) / bytesPerKiB)
		},
		203:  func(s *gpuState) float64 { return math.Round(100 * s.load) },
		204:  func(s *gpuState) float64 { return math.Round(100 * memoryCopyPerLoad * s.load) },
		230:  func(s *gpuState) float64 { return float64(s.xid) },
		1009: func(s *gpuState) float64 { return s.rate(pcieIdleSent, pcieBusySent) },
		1010: func(s *gpuState) float64 { return s.rate(pcieIdleReceived, pcieBusyReceived) },
	}
}

func memoryNumbers() map[int]func(*gpuState) float64 {
	const bar1, bar1Used = 32768, 2
	return map[int]func(*gpuState) float64{
		90: constant(bar1), 92: constant(bar1Used), 93: constant(bar1 - bar1Used),
		250: func(s *gpuState) float64 { return s.totalMiB },
		251: func(s *gpuState) float64 { return s.totalMiB - s.reservedMiB - s.usedMiB },
		252: func(s *gpuState) float64 { return s.usedMiB },
		253: func(s *gpuState) float64 { return s.reservedMiB },
		254: func(s *gpuState) float64 { return s.usedMiB / (s.totalMiB - s.reservedMiB) },
	}
}

func activityNumbers() map[int]func(*gpuState) float64 {
	all := map[int]func(*gpuState) float64{}
	for id, perLoad := range map[int]float64{
		1001: 1, 1002: smPerLoad, 1003: occupancyPerLoad, 1004: tensorPerLoad, 1005: dramPerLoad, 1006: 0, 1007: fp32PerLoad, 1008: fp16PerLoad,
		1013: immaPerLoad, 1014: hmmaPerLoad, 1015: 0, 1016: intPerLoad,
	} {
		all[id] = func(s *gpuState) float64 { return perLoad * s.load }
	}
	return all
}

// runningTotals are what a GPU has counted since boot of what is a rate in its field. A counters file may call such a field a counter,
// as those of the image once did.
func runningTotals() map[int]func(*gpuState) float64 {
	return map[int]func(*gpuState) float64{
		1009: func(s *gpuState) float64 { return math.Floor(s.total(pcieIdleSent, pcieBusySent)) },
		1010: func(s *gpuState) float64 { return math.Floor(s.total(pcieIdleReceived, pcieBusyReceived)) },
		1011: func(s *gpuState) float64 { return math.Floor(float64(s.gpu.NVLinks()) * s.total(0, linkBusySent)) },
		1012: func(s *gpuState) float64 { return math.Floor(float64(s.gpu.NVLinks()) * s.total(0, linkBusyReceived)) },
	}
}

// linkField is what the name of a field says of a GPU's NVLinks: which of them, -1 for all together, and what.
type linkField struct {
	link int
	what linkValue
}

type linkValue int

const (
	linkErrors linkValue = iota
	linkSent
	linkReceived
	linkBoth
	linkSendRate
	linkReceiveRate
)

// linkFieldOf reads the name of a field; false where it is not about NVLinks. Those of 1.x go by the number that they share.
func linkFieldOf(f field) (linkField, bool) {
	name := f.name
	switch f.id {
	case 409, 419, 429, 439:
		return linkField{-1, linkErrors}, true
	case 449:
		return linkField{-1, linkBoth}, true
	case 1011:
		return linkField{-1, linkSendRate}, true
	case 1012:
		return linkField{-1, linkReceiveRate}, true
	}
	l := linkField{link: -1}
	if rest, ok := strings.CutPrefix(name, "DCGM_FI_PROF_NVLINK_L"); ok {
		number, direction, _ := strings.Cut(rest, "_")
		l.link, _ = strconv.Atoi(number) // names of the table: a test reads them all
		l.what = linkSendRate
		if strings.HasPrefix(direction, "RX") {
			l.what = linkReceiveRate
		}
		return l, true
	}
	rest, ok := strings.CutPrefix(name, "DCGM_FI_DEV_NVLINK_")
	if !ok || f.entity != entityGPU {
		return linkField{}, false
	}
	what, number, some := cutLast(rest, "_L")
	if some {
		l.link, _ = strconv.Atoi(number)
	}
	switch what = strings.TrimSuffix(what, "_TOTAL"); {
	case strings.HasPrefix(what, "TX_BANDWIDTH"):
		l.what = linkSent
	case strings.HasPrefix(what, "RX_BANDWIDTH"):
		l.what = linkReceived
	case strings.HasPrefix(what, "BANDWIDTH"):
		l.what = linkBoth
	}
	return l, true
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// value is the field's number for a GPU; false where the GPU has no such link.
func (l linkField) value(s *gpuState) (float64, bool) {
	links := float64(s.gpu.NVLinks())
	if links == 0 || float64(l.link) >= links {
		return 0, false
	}
	if l.link >= 0 {
		links = 1
	}
	switch l.what {
	case linkSent:
		return math.Floor(links * s.total(0, linkBusySent) / bytesPerKiB), true
	case linkReceived:
		return math.Floor(links * s.total(0, linkBusyReceived) / bytesPerKiB), true
	case linkBoth:
		return math.Floor(links * s.total(0, linkBusySent+linkBusyReceived) / bytesPerKiB), true
	case linkSendRate:
		return links * s.rate(0, linkBusySent), true
	case linkReceiveRate:
		return links * s.rate(0, linkBusyReceived), true
	}
	return 0, true
}
