package dcgm

import (
	"math"
	"time"

	"github.com/panelgate/panelgate/fakes"
)

// snapshot is what was last collected.
type snapshot struct {
	at   time.Time
	gpus []gpuState // by index
	host hostState
}

// gpuState is what every value of one GPU, or of one of its instances, is worked out from.
type gpuState struct {
	gpu          *fakes.GPU
	load         float64 // 0..1
	busySeconds  float64 // its integral since the world's start
	upSeconds    float64 // since boot
	powerWatts   float64
	temperature  float64 // °C
	energyJoules float64 // since boot
	usedMiB      float64
	totalMiB     float64
	reservedMiB  float64
	throttle     float64 // share of the clock that is left
	xid          int
	failed       bool // there was an XID error
	hotSeconds   float64
	count        int // GPUs of the machine
}

// hostState is what the values of CPUs and NVSwitches are worked out from.
type hostState struct {
	load      float64 // 0..1
	busyGPUs  float64 // seconds that all GPUs together were busy
	upSeconds float64
}

const (
	bytesPerMiB = 1 << 20
	bytesPerKiB = 1 << 10
)

// hotStep is how finely the time is counted that a GPU has been throttled for.
const hotStep = 30 * time.Second

// snapshot collects from the world. What takes long is left out unless it is shown.
func (e *Exporter) snapshot(at time.Time) *snapshot {
	w := e.world
	s := &snapshot{at: at, gpus: make([]gpuState, len(w.GPUs()))}
	s.host = hostState{load: w.Host().CPUUtilization(at), upSeconds: at.Sub(w.Host().Boot()).Seconds()}
	for i, gpu := range w.GPUs() {
		s.gpus[i] = read(gpu, at)
		s.gpus[i].upSeconds = s.host.upSeconds
		s.gpus[i].count = len(s.gpus)
		if e.showsHot {
			s.gpus[i].hotSeconds = hotSeconds(gpu, w.Start(), at)
		}
		s.host.busyGPUs += s.gpus[i].busySeconds
	}
	return s
}

func read(gpu *fakes.GPU, at time.Time) gpuState {
	s := gpuState{
		gpu:          gpu,
		load:         gpu.Utilization(at),
		busySeconds:  gpu.BusySeconds(at),
		temperature:  gpu.Temperature(at),
		energyJoules: gpu.EnergyBeforeStart() + gpu.Energy(at),
		usedMiB:      math.Round(gpu.MemoryUsed(at) / bytesPerMiB),
		totalMiB:     float64(gpu.MemoryTotal() / bytesPerMiB),
		reservedMiB:  float64(gpu.MemoryReserved() / bytesPerMiB),
		throttle:     gpu.Throttle(at),
	}
	s.powerWatts = gpu.Power(at)
	s.xid, s.failed = gpu.XID(at)
	return s
}

// of is the state of a GPU instance, which has its share of the GPU's memory and is as busy as the GPU is.
func (s *gpuState) of(instance fakes.Instance) gpuState {
	part := *s
	total := float64(instance.Memory() / bytesPerMiB)
	share := total / s.totalMiB
	part.totalMiB = total
	part.reservedMiB = math.Round(s.reservedMiB * share)
	part.usedMiB = math.Round(min(s.usedMiB*share, total-part.reservedMiB))
	return part
}

// hotSeconds is how long a GPU has been throttled between two moments.
func hotSeconds(gpu *fakes.GPU, from, to time.Time) float64 {
	var hot float64
	for t := from; t.Before(to); t = t.Add(hotStep) {
		if gpu.Throttle(t) < 1 {
			hot += hotStep.Seconds()
		}
	}
	return hot
}
