package fakes

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// Limits of what events do.
const (
	maxEvents     = 32
	maxTraffic    = 1000.0 // times as many requests
	maxSlowdown   = 1e4    // times as long
	leastFactor   = 0.01
	leastThrottle = 0.05 // of the clock
	maxXID        = 999
	maxDelay      = 10 * time.Minute
)

// effects are the keys of an event that say what happens, each with the kind of thing that it happens to.
func effects() map[string]string {
	return map[string]string{
		"traffic": "models", "slowdown": "models", "failures_per_second": "models", "unload": "models",
		"throttle": "gpus", "xid": "gpus", "outage": "exporters", "delay": "exporters",
	}
}

// gradual says whether an effect can come and go little by little.
func gradual(effect string) bool {
	switch effect {
	case "traffic", "slowdown", "failures_per_second", "throttle":
		return true
	}
	return false
}

func (s *Scenario) addEvent(f field) error {
	if len(s.events) == maxEvents {
		return f.errorf("more than %d events", maxEvents)
	}
	e := eventSpec{traffic: 1, throttle: 1, at: f.at()}
	for i := range e.slowdown {
		e.slowdown[i] = 1
	}
	unload := ""
	outage := ""
	err := f.mapping(setters{
		"at":                  durationUpTo(&e.first, 0, lastEvent),
		"for":                 durationUpTo(&e.lasts, shortest, lastEvent),
		"every":               durationUpTo(&e.every, onceEvery, lastEvent),
		"rise":                durationUpTo(&e.rise, shortest, lastEvent),
		"fall":                durationUpTo(&e.fall, shortest, lastEvent),
		"models":              names(&e.models),
		"gpus":                func(f field) error { return f.items(e.addGPU) },
		"exporters":           names(&e.exporters, exporterNames()...),
		"traffic":             number(&e.traffic, 0, maxTraffic),
		"slowdown":            e.readSlowdown,
		"failures_per_second": func(f field) error { return readFailures(f, &e.failures) },
		"unload":              oneOf(&unload, "true"),
		"throttle":            number(&e.throttle, leastThrottle, 1),
		"xid":                 integer(&e.xid, 1, maxXID),
		"outage":              oneOf(&outage, string(outageRestart), string(outageRefused), string(outageLost)),
		"delay":               durationUpTo(&e.delay, time.Millisecond, maxDelay),
	})
	if err != nil {
		return err
	}
	e.unload, e.outage = unload != "", outageKind(outage)
	if err := e.checkEffects(f); err != nil {
		return err
	}
	if err := e.checkTimes(f); err != nil {
		return err
	}
	e.repeat = e.repeats()
	s.events = append(s.events, e)
	return nil
}

// repeats is how often the event begins.
func (e *eventSpec) repeats() int {
	limit := lastEvent
	if e.reloads() {
		limit = lastReload
	}
	if e.every == 0 || e.first > limit {
		return 1
	}
	return int((limit-e.first)/e.every) + 1
}

// checkEffects: something happens, and nobody is named to whom nothing does.
func (e *eventSpec) checkEffects(f field) error {
	concerned := map[string]bool{}
	some := false
	for effect, kind := range effects() {
		if f.has(effect) {
			some, concerned[kind] = true, true
		}
	}
	if !some {
		return f.errorf("nothing happens; say what with one of %s", strings.Join(slices.Sorted(maps.Keys(effects())), ", "))
	}
	for _, kind := range []string{"exporters", "gpus", "models"} {
		if f.has(kind) && !concerned[kind] {
			return f.errorf("it has %s, but nothing happens to them", kind)
		}
	}
	return nil
}

// checkTimes: what recurs ends before it begins again, and what comes or goes little by little has the time to.
func (e *eventSpec) checkTimes(f field) error {
	switch {
	case e.every > 0 && e.lasts == 0:
		return f.errorf("for is missing: what happens every %s must end", e.every)
	case e.every > 0 && e.lasts > e.every:
		return f.errorf("for is %s, longer than the %s after which it begins again", e.lasts, e.every)
	case e.outage == outageRestart && e.lasts == 0:
		return f.errorf("for is missing: a restart ends; outage: refused does not")
	case e.reloads() && e.every > 0 && e.every < reloadEvery:
		return f.errorf("every is %s; models can be loaded anew every %s at most", e.every, reloadEvery)
	case e.fall > 0 && e.lasts == 0:
		return f.errorf("it has fall, but no for: it never goes")
	case e.lasts > 0 && e.rise+e.fall > e.lasts:
		return f.errorf("rise and fall take %s, longer than the %s of for", e.rise+e.fall, e.lasts)
	}
	if e.rise == 0 && e.fall == 0 {
		return nil
	}
	for effect := range effects() {
		if f.has(effect) && !gradual(effect) {
			return f.errorf("%s comes and goes at once; it has neither rise nor fall", effect)
		}
	}
	if e.traffic < leastFactor {
		return f.errorf("traffic of less than %v comes and goes at once; it has neither rise nor fall", leastFactor)
	}
	return nil
}

func (e *eventSpec) addGPU(f field) error {
	var gpu int
	if err := integer(&gpu, 0, maxGPUs-1)(f); err != nil {
		return err
	}
	e.gpus = append(e.gpus, gpu)
	return nil
}

func (e *eventSpec) readSlowdown(f field) error {
	return f.mapping(setters{
		"queue":          number(&e.slowdown[stageQueue], leastFactor, maxSlowdown),
		"compute_input":  number(&e.slowdown[stageComputeInput], leastFactor, maxSlowdown),
		"compute_infer":  number(&e.slowdown[stageComputeInfer], leastFactor, maxSlowdown),
		"compute_output": number(&e.slowdown[stageComputeOutput], leastFactor, maxSlowdown),
	})
}

// check holds an event against the models and GPUs there are.
func (e *eventSpec) check(models map[string]*modelSpec, gpus int) error {
	for _, name := range e.models {
		if models[name] == nil {
			return e.at.errorf("an event of model %q, which there is not", name)
		}
	}
	for _, i := range e.gpus {
		if i >= gpus {
			return e.at.errorf("an event of GPU %d, but there %s", i, areGPUs(gpus))
		}
	}
	return nil
}
