package fakes

import (
	"time"

	"github.com/panelgate/panelgate/fakes/internal/curve"
)

// Host is the machine of a world: its CPUs and memory. The CPUs do what the scenario gives them by itself, and the compute time of
// models that run on no GPU.
type Host struct {
	world    *World
	spec     *hostSpec
	load     load // utilisation of all CPUs together, 0..1
	requests load // requests per second that arrive from outside
}

func newHost(w *World, spec *hostSpec) *Host {
	return &Host{
		world: w, spec: spec,
		load:     load{w.timeline, func(s *segment) (curve.Curve, area) { return s.cpus, s.cpuArea }},
		requests: load{w.timeline, func(s *segment) (curve.Curve, area) { return s.arrivals, s.arrivalsArea }},
	}
}

// CPUs is how many CPUs the host has.
func (h *Host) CPUs() int { return h.spec.cpus }

// MemoryTotal is the host's memory in bytes.
func (h *Host) MemoryTotal() int64 { return h.spec.memoryMiB * bytesPerMiB }

// MemoryUsed is the memory in use at a time, in bytes.
func (h *Host) MemoryUsed(at time.Time) float64 {
	return h.spec.memory.At(h.world.tickAt(at).seconds()) * float64(h.MemoryTotal())
}

// Boot is when the host was booted.
func (h *Host) Boot() time.Time { return h.world.start.Add(-h.spec.uptime) }

// CPUUtilization is the share of all CPUs that is busy at a time, 0..1.
func (h *Host) CPUUtilization(at time.Time) float64 { return h.load.at(h.world.tickAt(at)) }

// MeanCPUUtilization is the average CPUUtilization over a window, 0..1.
func (h *Host) MeanCPUUtilization(from, to time.Time) float64 {
	return h.load.mean(h.world.tickAt(from), h.world.tickAt(to))
}

// BusySeconds is the integral of CPUUtilization since the world's start, in seconds: what the average CPU has worked.
func (h *Host) BusySeconds(at time.Time) float64 { return h.load.integral(h.world.tickAt(at)) }

// Requests is how many inference requests have arrived from outside since the world's start.
func (h *Host) Requests(at time.Time) float64 { return h.requests.integral(h.world.tickAt(at)) }

// RequestRate is how many inference requests arrive from outside at a time, per second.
func (h *Host) RequestRate(at time.Time) float64 { return h.requests.at(h.world.tickAt(at)) }
