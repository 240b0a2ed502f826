// Package dcgm is a fake dcgm-exporter: what release 4.5.3-4.8.2 prints with its default counters for the GPUs of a world.
package dcgm

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/fakes/internal/page"
)

// DefaultPort is where dcgm-exporter listens by default.
const DefaultPort = 9400

// collectInterval is how often dcgm-exporter asks its GPUs by default; scrapes in between see the values of the last time.
const collectInterval = 30 * time.Second

// driverVersion is the NVIDIA driver of every fake machine.
const driverVersion = "580.105.08"

// Exporter answers the scrapes of one dcgm-exporter. It is immutable and safe for concurrent use.
type Exporter struct {
	world *fakes.World
	page  *page.Page[snapshot]
}

// New is the dcgm-exporter of the machine at an address, "host:port" or "host". It runs in a container without a hostname of its
// own, so its Hostname label is the container's id, as with a compose file that says no more.
func New(w *fakes.World, instance string) *Exporter {
	id := fakes.IdentityOf(instance)
	labels := make([]string, len(w.GPUs()))
	for i, gpu := range w.GPUs() {
		labels[i] = gpuLabels(id, gpu)
	}
	var b page.Builder[snapshot]
	for _, f := range families() {
		b.Family(f.name, f.kind, f.help, f.format)
		for i := range labels {
			b.Sample(labels[i], func(s *snapshot) float64 { return f.value(&s.gpus[i]) })
		}
	}
	return &Exporter{world: w, page: b.Page()}
}

// pciSlots is how many slots the machine's GPUs are spread over; each takes the next free one after the first.
const pciSlots = 0x40

// gpuLabels are the labels of every line of a GPU. dcgm-exporter escapes nothing in them.
func gpuLabels(id fakes.Identity, gpu *fakes.GPU) string {
	i := gpu.Index()
	slot := (int(id.Number("pci", pciSlots)) + i) % 0x100
	var b strings.Builder
	for _, label := range [][2]string{
		{"gpu", strconv.Itoa(i)},
		{"UUID", id.GPUUUID(i)},
		{"pci_bus_id", fmt.Sprintf("00000000:%02X:00.0", slot)},
		{"device", "nvidia" + strconv.Itoa(i)},
		{"modelName", gpu.ModelName()},
		{"Hostname", id.ContainerID("dcgm-exporter")},
		{"DCGM_FI_DRIVER_VERSION", driverVersion},
	} {
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		b.WriteString(label[0] + `="` + label[1] + `"`)
	}
	return b.String()
}

// Name is "dcgm".
func (e *Exporter) Name() string { return "dcgm" }

// ContentType is what Go's server makes of the body, as dcgm-exporter sets none.
func (e *Exporter) ContentType() string { return "text/plain; charset=utf-8" }

// AppendScrape appends the body of GET /metrics at a time: the values of the last collection before it.
func (e *Exporter) AppendScrape(dst []byte, at time.Time) []byte {
	collected := e.world.Start()
	if since := at.Sub(collected); since > 0 {
		collected = collected.Add(since.Truncate(collectInterval))
	}
	s := snapshot{gpus: make([]gpuState, len(e.world.GPUs()))}
	for i, gpu := range e.world.GPUs() {
		s.gpus[i] = read(gpu, collected)
	}
	return e.page.Append(dst, &s)
}

// snapshot is what was last collected.
type snapshot struct {
	gpus []gpuState
}

// gpuState is what every value of one GPU is worked out from.
type gpuState struct {
	load         float64 // 0..1
	powerWatts   float64
	temperature  float64 // °C
	energyJoules float64 // since boot
	usedMiB      float64
	totalMiB     float64
	reservedMiB  float64
}

const bytesPerMiB = 1 << 20

func read(gpu *fakes.GPU, at time.Time) gpuState {
	return gpuState{
		load:         gpu.Utilization(at),
		powerWatts:   gpu.Power(at),
		temperature:  gpu.Temperature(at),
		energyJoules: gpu.EnergyBeforeStart() + gpu.Energy(at),
		usedMiB:      math.Round(gpu.MemoryUsed(at) / bytesPerMiB),
		totalMiB:     float64(gpu.MemoryTotal() / bytesPerMiB),
		reservedMiB:  float64(gpu.MemoryReserved() / bytesPerMiB),
	}
}

// whole writes an integer field, fraction one that dcgm-exporter holds as a double.
func whole(dst []byte, v float64) []byte    { return strconv.AppendInt(dst, int64(v), 10) }
func fraction(dst []byte, v float64) []byte { return strconv.AppendFloat(dst, v, 'f', 6, 64) }
