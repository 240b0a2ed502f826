package dcgm

import (
	"math"

	"github.com/panelgate/panelgate/fakes/internal/page"
)

// family is one field of the default counters.
type family struct {
	name, kind, help string
	format           page.Format
	value            func(*gpuState) float64
}

const (
	counter = "counter"
	gauge   = "gauge"
)

// Clocks of the fake GPU, in MHz: what it idles at and what it reaches under load.
const (
	idleSMClock, busySMClock   = 210, 2040
	idleMemClock, busyMemClock = 405, 6251
	// clockedUp is the load above which memory runs at full clock.
	clockedUp = 0.02
)

// How other activity goes with the share of time the GPU is busy.
const (
	memoryCopyPerLoad = 0.55 // share of time that memory is being read or written
	tensorPerLoad     = 0.38 // share of cycles that tensor pipes are busy
	dramPerLoad       = 0.46 // share of cycles that the memory interface is busy
)

// PCIe traffic in bytes per second: what idles by and what full load adds.
const (
	pcieIdleSent, pcieBusySent         = 112_603, 410e6
	pcieIdleReceived, pcieBusyReceived = 17_544, 1.3e9
)

// families are the fields of etc/default-counters.csv in print order, by ascending field id. DCGM_FI_DEV_XID_ERRORS is not among
// them, as a GPU without errors leaves it blank, and so is DCGM_FI_DEV_NVLINK_BANDWIDTH_TOTAL, as the GPUs have no NVLink.
func families() []family {
	zero := func(*gpuState) float64 { return 0 }
	return []family{
		{"DCGM_FI_DEV_SM_CLOCK", gauge, "SM clock frequency (in MHz).", whole, smClock},
		{"DCGM_FI_DEV_MEM_CLOCK", gauge, "Memory clock frequency (in MHz).", whole, memClock},
		{"DCGM_FI_DEV_MEMORY_TEMP", gauge, "Memory temperature (in C).", whole, zero},
		{"DCGM_FI_DEV_GPU_TEMP", gauge, "GPU temperature (in C).", whole, func(g *gpuState) float64 { return math.Round(g.temperature) }},
		{"DCGM_FI_DEV_POWER_USAGE", gauge, "Power draw (in W).", fraction, func(g *gpuState) float64 { return milli(g.powerWatts) }},
		{"DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION", counter, "Total energy consumption since boot (in mJ).", whole,
			func(g *gpuState) float64 { return math.Floor(g.energyJoules * 1000) }},
		{"DCGM_FI_DEV_PCIE_REPLAY_COUNTER", counter, "Total number of PCIe retries.", whole, zero},
		{"DCGM_FI_DEV_GPU_UTIL", gauge, "GPU utilization (in %).", whole, func(g *gpuState) float64 { return math.Round(100 * g.load) }},
		{"DCGM_FI_DEV_MEM_COPY_UTIL", gauge, "Memory utilization (in %).", whole,
			func(g *gpuState) float64 { return math.Round(100 * memoryCopyPerLoad * g.load) }},
		{"DCGM_FI_DEV_ENC_UTIL", gauge, "Encoder utilization (in %).", whole, zero},
		{"DCGM_FI_DEV_DEC_UTIL", gauge, "Decoder utilization (in %).", whole, zero},
		{"DCGM_FI_DEV_FB_FREE", gauge, "Framebuffer memory free (in MiB).", whole,
			func(g *gpuState) float64 { return g.totalMiB - g.reservedMiB - g.usedMiB }},
		{"DCGM_FI_DEV_FB_USED", gauge, "Framebuffer memory used (in MiB).", whole, func(g *gpuState) float64 { return g.usedMiB }},
		{"DCGM_FI_DEV_FB_RESERVED", gauge, "Framebuffer memory reserved (in MiB).", whole, func(g *gpuState) float64 { return g.reservedMiB }},
		{"DCGM_FI_DEV_UNCORRECTABLE_REMAPPED_ROWS", counter, "Number of remapped rows for uncorrectable errors", whole, zero},
		{"DCGM_FI_DEV_CORRECTABLE_REMAPPED_ROWS", counter, "Number of remapped rows for correctable errors", whole, zero},
		{"DCGM_FI_DEV_ROW_REMAP_FAILURE", gauge, "Whether remapping of rows has failed", whole, zero},
		{"DCGM_FI_DEV_VGPU_LICENSE_STATUS", gauge, "vGPU License status", whole, zero},
		{"DCGM_FI_PROF_GR_ENGINE_ACTIVE", gauge, "Ratio of time the graphics engine is active.", fraction,
			func(g *gpuState) float64 { return g.load }},
		{"DCGM_FI_PROF_PIPE_TENSOR_ACTIVE", gauge, "Ratio of cycles the tensor (HMMA) pipe is active.", fraction,
			func(g *gpuState) float64 { return tensorPerLoad * g.load }},
		{"DCGM_FI_PROF_DRAM_ACTIVE", gauge, "Ratio of cycles the device memory interface is active sending or receiving data.", fraction,
			func(g *gpuState) float64 { return dramPerLoad * g.load }},
		{"DCGM_FI_PROF_PCIE_TX_BYTES", gauge,
			"The rate of data transmitted over the PCIe bus - including both protocol headers and data payloads - in bytes per second.", whole,
			func(g *gpuState) float64 { return pcieIdleSent + pcieBusySent*g.load }},
		{"DCGM_FI_PROF_PCIE_RX_BYTES", gauge,
			"The rate of data received over the PCIe bus - including both protocol headers and data payloads - in bytes per second.", whole,
			func(g *gpuState) float64 { return pcieIdleReceived + pcieBusyReceived*g.load }},
	}
}

// milli rounds to the thousandths that the driver reports.
func milli(v float64) float64 { return math.Round(v*1000) / 1000 }

// smStep is the granularity of the SM clock, in MHz.
const smStep = 15

func smClock(g *gpuState) float64 {
	return idleSMClock + smStep*math.Round((busySMClock-idleSMClock)*g.load/smStep)
}

func memClock(g *gpuState) float64 {
	if g.load > clockedUp {
		return busyMemClock
	}
	return idleMemClock
}
