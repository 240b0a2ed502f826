package fakes

import "time"

// GPU is one GPU of a world. Everything about it follows its load: what the scenario gives it by itself, and the compute time of
// its models' executions.
type GPU struct {
	world *World
	index int
	spec  *gpuSpec
	load  load
	draw  load // of its busy power; less than load where the GPU is throttled
}

// bytesPerMiB turns the MiB of scenarios and dcgm-exporter into the bytes of Triton.
const bytesPerMiB = 1 << 20

// thermalInertia is how far back the load counts for the temperature.
const thermalInertia = 60 * ticksPerSecond

// Index is the GPU's place in CUDA order, counted from 0.
func (g *GPU) Index() int { return g.index }

// ModelName is the GPU's product name.
func (g *GPU) ModelName() string { return g.spec.model }

// MemoryTotal is the GPU's memory in bytes.
func (g *GPU) MemoryTotal() int64 { return g.spec.memoryTotal * bytesPerMiB }

// MemoryReserved is the memory that the driver keeps for itself, in bytes.
func (g *GPU) MemoryReserved() int64 { return g.spec.memoryReserved * bytesPerMiB }

// PowerLimit is the power management limit in watts.
func (g *GPU) PowerLimit() float64 { return g.spec.powerLimit }

// Utilization is the share of the GPU that is busy at a time, 0..1.
func (g *GPU) Utilization(at time.Time) float64 { return g.load.at(g.world.tickAt(at)) }

// MeanUtilization is the average Utilization over a window, 0..1.
func (g *GPU) MeanUtilization(from, to time.Time) float64 {
	return g.load.mean(g.world.tickAt(from), g.world.tickAt(to))
}

// MemoryUsed is the memory in use at a time, in bytes.
func (g *GPU) MemoryUsed(at time.Time) float64 { return g.memory(g.Utilization(at)) }

// MeanMemoryUsed is the average MemoryUsed over a window, in bytes.
func (g *GPU) MeanMemoryUsed(from, to time.Time) float64 {
	return g.memory(g.MeanUtilization(from, to))
}

func (g *GPU) memory(load float64) float64 {
	return (g.spec.memoryIdle + (g.spec.memoryBusy-g.spec.memoryIdle)*load) * bytesPerMiB
}

// Power is what the GPU draws at a time, in watts.
func (g *GPU) Power(at time.Time) float64 { return g.power(g.draw.at(g.world.tickAt(at))) }

// MeanPower is the average Power over a window, in watts.
func (g *GPU) MeanPower(from, to time.Time) float64 {
	return g.power(g.draw.mean(g.world.tickAt(from), g.world.tickAt(to)))
}

func (g *GPU) power(load float64) float64 {
	return g.spec.powerIdle + (g.spec.powerBusy-g.spec.powerIdle)*load
}

// Energy is what the GPU has used since the world's start, in joules: the integral of its power.
func (g *GPU) Energy(at time.Time) float64 {
	t := g.world.tickAt(at)
	return g.spec.powerIdle*t.seconds() + (g.spec.powerBusy-g.spec.powerIdle)*g.draw.integral(t)
}

// EnergyBeforeStart is what the GPU had used between the machine's boot and the world's start, in joules, all of it idle.
func (g *GPU) EnergyBeforeStart() float64 {
	return g.spec.powerIdle * g.world.host.spec.uptime.Seconds()
}

// Temperature is the GPU's temperature at a time, in °C. It follows the mean load of the last minute.
func (g *GPU) Temperature(at time.Time) float64 {
	t := g.world.tickAt(at)
	return g.temperature(g.load.mean(max(0, t-thermalInertia), t))
}

// MeanTemperature is the temperature that the mean load of a window stands for, in °C; for windows of many minutes it is the
// average Temperature.
func (g *GPU) MeanTemperature(from, to time.Time) float64 {
	return g.temperature(g.MeanUtilization(from, to))
}

func (g *GPU) temperature(load float64) float64 {
	return g.spec.temperatureIdle + (g.spec.tempBusy-g.spec.temperatureIdle)*load
}
