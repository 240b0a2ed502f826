package fakes

import "time"

// XID is the code of the last XID error that the driver has reported for the GPU as of a time; false while there is none, as it is
// before the first and once the GPU has been reset.
func (g *GPU) XID(at time.Time) (code int, ok bool) {
	now := g.world.tickAt(at)
	last := tick(-1)
	for i := range g.world.scenario.events {
		e := &g.world.scenario.events[i]
		if e.xid == 0 || !e.concernsGPU(g.index) {
			continue
		}
		if s, on := e.during(now); on && s.from > last {
			code, ok, last = e.xid, true, s.from
		}
	}
	return code, ok
}

// Throttle is the share of its clock that the GPU runs at, 1 where nothing throttles it.
func (g *GPU) Throttle(at time.Time) float64 {
	now := g.world.tickAt(at)
	slower := 1.0
	for i := range g.world.scenario.events {
		e := &g.world.scenario.events[i]
		if e.throttle != 1 && e.concernsGPU(g.index) {
			slower *= e.state(now).factor(1 / e.throttle).At(now.seconds())
		}
	}
	return 1 / slower
}
