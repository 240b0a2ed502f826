package dcgm

import (
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/fakes"
)

// linesOf are the lines of a metric.
func linesOf(body, name string) []string {
	var lines []string
	for line := range strings.Lines(body) {
		if strings.HasPrefix(line, name+"{") {
			lines = append(lines, strings.TrimSuffix(line, "\n"))
		}
	}
	return lines
}

const migYAML = `gpus:
  - {model: NVIDIA H100 80GB HBM3, load: 0.5, memory_mib: {total: 81559, reserved: 600, idle: 1000, busy: 60000}}
  - model: NVIDIA H100 80GB HBM3
    load: 0.5
    memory_mib: {total: 81559, reserved: 600, idle: 1000, busy: 60000}
    mig:
      - {profile: 3g.40gb, id: 1, pod: {name: trainer-0, container: main, namespace: ml, uid: u-1}}
      - {profile: 1g.10gb, id: 9}
`

func TestGPUInMIGModeShowsItsInstances(t *testing.T) {
	w := worldOf(t, migYAML)
	body, _ := scrapeOf(t, w, fakes.Setup{})
	used := linesOf(body, "DCGM_FI_DEV_FB_USED")
	require.Len(t, used, 3)
	assert.NotContains(t, used[0], "GPU_I_")
	assert.Contains(t, used[1], `modelName="NVIDIA H100 80GB HBM3",GPU_I_PROFILE="3g.40gb",GPU_I_ID="1",Hostname=`)
	assert.Contains(t, used[2], `GPU_I_PROFILE="1g.10gb",GPU_I_ID="9"`)
	value := func(line string) int {
		n, err := strconv.Atoi(line[strings.LastIndex(line, " ")+1:])
		require.NoError(t, err)
		return n
	}
	assert.Less(t, value(used[2]), value(used[1]))
	assert.Less(t, value(used[1]), value(used[0]))
	for i := range used {
		total := value(used[i]) + value(linesOf(body, "DCGM_FI_DEV_FB_FREE")[i]) + value(linesOf(body, "DCGM_FI_DEV_FB_RESERVED")[i])
		assert.Equal(t, []int{81559, 40960, 10240}[i], total)
	}
	assert.Len(t, linesOf(body, "DCGM_FI_DEV_GPU_UTIL"), 1, "no utilisation of a GPU in MIG mode")
	assert.Len(t, linesOf(body, "DCGM_FI_PROF_PCIE_TX_BYTES"), 1, "the bus is the GPU's")
	assert.Len(t, linesOf(body, "DCGM_FI_PROF_GR_ENGINE_ACTIVE"), 3)
	assert.Len(t, linesOf(body, "DCGM_FI_DEV_POWER_USAGE"), 3)

	for args, want := range map[string]int{"f": 3, "g": 2, "i": 2, "g+i": 4, "g:0": 1, "i:9": 1, "g:1+i:1": 2} {
		body, _ := scrapeOf(t, w, fakes.Setup{Args: []string{"-d", args}})
		assert.Len(t, linesOf(body, "DCGM_FI_DEV_SM_CLOCK"), want, args)
	}
}

func TestVirtualGPUKnowsLess(t *testing.T) {
	w := worldOf(t, "gpus: [{model: GRID A100-40C, vgpu: true, memory_mib: {total: 40960, reserved: 3220}}]\n")
	_, s := scrapeOf(t, w, fakes.Setup{})
	assert.Equal(t, []string{
		"DCGM_FI_DEV_SM_CLOCK", "DCGM_FI_DEV_MEM_CLOCK", "DCGM_FI_DEV_MEMORY_TEMP", "DCGM_FI_DEV_GPU_UTIL", "DCGM_FI_DEV_MEM_COPY_UTIL", "DCGM_FI_DEV_ENC_UTIL",
		"DCGM_FI_DEV_DEC_UTIL", "DCGM_FI_DEV_FB_FREE", "DCGM_FI_DEV_FB_USED", "DCGM_FI_DEV_FB_RESERVED", "DCGM_FI_DEV_VGPU_LICENSE_STATUS",
	}, s.Order)
}

func TestWhatAChipDoesNotHave(t *testing.T) {
	for _, tc := range []struct {
		model, memoryTemp         string
		remaps, retires, measures bool
	}{
		{"NVIDIA L4", "0", true, false, true},
		{"NVIDIA A100-SXM4-80GB", "42", true, false, true},
		{"Tesla V100-SXM2-32GB", "42", false, true, true},
		{"Tesla T4", "0", false, true, true},
		{"NVIDIA GeForce RTX 4090", "0", false, true, false},
	} {
		w := worldOf(t, "gpus: [{model: "+tc.model+"}]\n")
		body, _ := scrapeOf(t, w, fakes.Setup{Args: []string{"-f", imageDir + "/dcp-metrics-included.csv"}})
		for metric, has := range map[string]bool{
			"DCGM_FI_DEV_ROW_REMAP_FAILURE": tc.remaps, "DCGM_FI_DEV_RETIRED_DBE": tc.retires, "DCGM_FI_PROF_GR_ENGINE_ACTIVE": tc.measures, "DCGM_FI_DEV_GPU_UTIL": true,
		} {
			assert.Equal(t, has, len(linesOf(body, metric)) == 1, "%s: %s", tc.model, metric)
		}
		assert.True(t, strings.HasSuffix(linesOf(body, "DCGM_FI_DEV_MEMORY_TEMP")[0], "} "+tc.memoryTemp), tc.model)
	}
}

const podYAML = `gpus:
  - pod: {name: triton-0, namespace: serving, container: triton, uid: 0f3a-77, labels: {app.kubernetes.io/name: triton, team: vision}}
  - {}
`

func TestPodsOfKubernetes(t *testing.T) {
	w := worldOf(t, podYAML)
	for _, tc := range []struct {
		name, version string
		args          []string
		first, second string // what lines of the two GPUs end with
	}{
		{"not asked for", "4.8.2", nil, `VERSION="580.105.08"}`, `VERSION="580.105.08"}`},
		{"by now", "4.8.2", []string{"-k"}, `08",container="triton",namespace="serving",pod="triton-0",pod_uid=""}`, `08"}`},
		{"with the UID", "4.8.2", []string{"-k", "--kubernetes-enable-pod-uid"}, `,pod="triton-0",pod_uid="0f3a-77"}`, `08"}`},
		{"before UIDs", "4.3.1-4.4.0", []string{"-k"}, `,pod="triton-0"}`, `08"}`},
		{"of the development branch", "main", []string{"-k"}, `,pod="triton-0"}`, `08"}`},
		{"empty where there is none", "3.1.8-3.1.5", []string{"--kubernetes"}, `,container="triton",namespace="serving",pod="triton-0"}`, `,container="",namespace="",pod=""}`},
		{"by their old names", "3.3.9-3.6.1", []string{"-k", "-o"}, `,container_name="triton",pod_name="triton-0",pod_namespace="serving"}`, `08"}`},
		{"with labels", "4.2.3-4.1.3", []string{"-k", "--kubernetes-enable-pod-labels"},
			`,DCGM_FI_DRIVER_VERSION="580.105.08",app_kubernetes_io_name="triton",team="vision",container="triton",namespace="serving",pod="triton-0"}`, `08"}`},
		{"with some labels", "main", []string{"-k", "--kubernetes-enable-pod-labels", "--kubernetes-pod-label-allowlist-regex", "^team$"},
			`08",team="vision",container="triton",namespace="serving",pod="triton-0"}`, `08"}`},
	} {
		body, _ := scrapeOf(t, w, fakes.Setup{Version: tc.version, Args: tc.args})
		lines := linesOf(body, "DCGM_FI_DEV_GPU_UTIL")
		require.Len(t, lines, 2, tc.name)
		assert.Contains(t, lines[0], tc.first+" ", tc.name)
		assert.Contains(t, lines[1], tc.second+" ", tc.name)
	}
	body, _ := scrapeOf(t, w, fakes.Setup{Version: "4.8.2", Args: []string{"-k", "-o"}})
	assert.Contains(t, body, `{gpu="0",uuid="GPU-`)

	mig, _ := scrapeOf(t, worldOf(t, migYAML), fakes.Setup{Version: "4.3.1-4.4.0", Args: []string{"-k"}})
	lines := linesOf(mig, "DCGM_FI_DEV_FB_USED")
	assert.Contains(t, lines[1], `container="main",namespace="ml",pod="trainer-0"}`)
	assert.NotContains(t, lines[2], "pod=")
}

func TestJobsOfABatchSystem(t *testing.T) {
	w := worldOf(t, "gpus: [{count: 2}]\n")
	body, _ := scrapeOf(t, w, fakes.Setup{
		Env: map[string]string{"DCGM_HPC_JOB_MAPPING_DIR": "/run/jobs"}, Files: map[string]string{"/run/jobs/1": "4711\n4712\n", "/run/jobs/readme": "x"},
	})
	lines := linesOf(body, "DCGM_FI_DEV_GPU_UTIL")
	require.Len(t, lines, 3)
	assert.NotContains(t, lines[0], "hpc_job")
	assert.Contains(t, lines[1], `,hpc_job="4711"} `)
	assert.Contains(t, lines[2], `,hpc_job="4712"} `)
}

func TestErrorsHaveTheirNames(t *testing.T) {
	w := worldOf(t, podYAML)
	lines := func(version string, args ...string) []string {
		e := build(t, w, fakes.Setup{Version: version, Args: args})
		s := e.snapshot(start.Add(time.Hour))
		s.gpus[0].failed, s.gpus[0].xid = true, 79
		return linesOf(string(e.groups[0].append(nil, s)), "DCGM_FI_DEV_XID_ERRORS")
	}
	by := lines("4.8.2", "-k")
	require.Len(t, by, 1, "the GPU that is well leaves it blank")
	assert.Regexp(t, `,container="triton",err_code="79",err_msg="GPU has fallen off the bus",namespace="serving",pod="triton-0",pod_uid=""\} 79$`, by[0])

	by = lines("4.3.1-4.4.0")
	require.Len(t, by, 2)
	assert.Contains(t, by[0], `,err_code="79",err_msg="GPU has fallen off the bus"} 79`)
	assert.Contains(t, by[1], `,err_code="0",err_msg="No Error"} 0`)
	by = lines("3.3.5")
	require.Len(t, by, 2)
	assert.Regexp(t, `DCGM_FI_DRIVER_VERSION="580\.105\.08"\} 79$`, by[0])
}

func TestMetricsOfTheExportersOwn(t *testing.T) {
	csv := "DCGM_FI_DRIVER_VERSION,label,x\nDCGM_EXP_XID_ERRORS_COUNT,gauge,x\nDCGM_EXP_CLOCK_EVENTS_COUNT,gauge,x\nDCGM_EXP_GPU_HEALTH_STATUS,gauge,x\nDCGM_EXP_P2P_STATUS,gauge,x\n"
	setup := fakes.Setup{Args: []string{"-f", "c"}, Files: map[string]string{"c": csv}}
	w := worldOf(t, "gpus: [{nvlinks: 12, load: 0.5}, {nvlinks: 12}]\n")
	body, s := scrapeOf(t, w, setup)
	assert.Equal(t, []string{"DCGM_EXP_XID_ERRORS_COUNT", "DCGM_EXP_CLOCK_EVENTS_COUNT", "DCGM_EXP_GPU_HEALTH_STATUS", "DCGM_EXP_P2P_STATUS"}, s.Order)
	assert.Contains(t, linesOf(body, xidCount)[0], `,DCGM_FI_DRIVER_VERSION="580.105.08",window_size_in_ms="300000"} 0`)
	events := linesOf(body, clockEvents)
	require.Len(t, events, 1, "nothing holds the busy one back")
	assert.Regexp(t, `gpu="1".*,clock_event="gpu_idle",window_size_in_ms="300000"\} 10$`, events[0])
	assert.Len(t, linesOf(body, gpuHealth), 20)
	assert.Contains(t, body, `,health_error_code="DCGM_FR_OK",health_watch="THERMAL"} 0`)
	assert.Contains(t, linesOf(body, p2pStatus)[0], `,link_status="OK",peer_gpu="1"} 0`)

	e := build(t, w, setup)
	snap := e.snapshot(start.Add(time.Hour))
	snap.gpus[0].throttle = 0.6
	snap.gpus[1].failed, snap.gpus[1].xid = true, 95
	body = string(e.groups[0].append(nil, snap))
	assert.Contains(t, body, `,health_error_code="DCGM_FR_CLOCK_THROTTLE_THERMAL",health_watch="THERMAL"} 10`)
	assert.Contains(t, body, `,health_error_code="DCGM_FR_UNCONTAINED_ERROR",health_watch="MEM"} 20`)
}

func TestNewErrorsAreCountedOnce(t *testing.T) {
	none := xidReading{}
	assert.Equal(t, map[int]int{79: 1, 31: 2}, newErrors([]xidReading{none, {31, true}, {31, true}, {79, true}, none, {31, true}}))
	assert.Empty(t, newErrors([]xidReading{{79, true}, {79, true}}), "it came before the window")
}

func TestThrottlingShowsInClockAndReasons(t *testing.T) {
	w := worldOf(t, "gpus: [{load: 0.8}]\n")
	s := read(w.GPUs()[0], start)
	full := s.smClock()
	assert.Zero(t, s.reasons())
	s.throttle = 0.7
	assert.Less(t, s.smClock(), 0.8*full)
	assert.InDelta(t, reasonSWThermal, s.reasons(), 0)
	s.throttle = 0.3
	assert.InDelta(t, reasonSlowdown|reasonHWThermal, s.reasons(), 0)
	s.throttle, s.powerWatts = 1, w.GPUs()[0].PowerLimit()
	assert.InDelta(t, reasonPowerCap, s.reasons(), 0)
	s.load = 0
	assert.InDelta(t, reasonPowerCap|reasonIdle, s.reasons(), 0)
}

func TestNVLinksSwitchesAndCPUs(t *testing.T) {
	csv := `DCGM_FI_DEV_NVLINK_BANDWIDTH_TOTAL,counter,x
DCGM_FI_DEV_NVLINK_TX_BANDWIDTH_L3,counter,x
DCGM_FI_DEV_NVLINK_TX_BANDWIDTH_L4,counter,x
DCGM_FI_DEV_NVLINK_COUNT_TX_BYTES,counter,x
DCGM_FI_DEV_NVSWITCH_TEMPERATURE_CURRENT,gauge,x
DCGM_FI_DEV_NVSWITCH_LINK_THROUGHPUT_TX,counter,x
DCGM_FI_DEV_CPU_UTIL_TOTAL,gauge,x
DCGM_FI_DEV_CPU_TEMP_CURRENT,gauge,x
DCGM_FI_DEV_CPU_CLOCK_CURRENT,gauge,x
DCGM_FI_DRIVER_VERSION,label,x
`
	setup := func(version string) fakes.Setup {
		return fakes.Setup{Version: version, Hostname: "h", Args: []string{"-f", "c"}, Files: map[string]string{"c": csv}}
	}
	w := worldOf(t, "gpus: [{count: 2, nvlinks: 4, load: 0.5}]\nhost: {cpus: 4, grace_cpus: 2, nvswitches: 2}\n")
	body := string(build(t, w, setup("4.8.2")).AppendScrape(nil, start.Add(time.Hour)))
	driver := `DCGM_FI_DRIVER_VERSION="580.105.08"`
	for _, tc := range []struct {
		metric string
		lines  int
		first  string
	}{
		{"DCGM_FI_DEV_NVLINK_BANDWIDTH_TOTAL", 2, `\{gpu="0",UUID=.* [1-9]\d+$`},
		{"DCGM_FI_DEV_NVLINK_TX_BANDWIDTH_L3", 2, `\{gpu="0",UUID=.* [1-9]\d+$`},
		{"DCGM_FI_DEV_NVLINK_TX_BANDWIDTH_L4", 0, ``},
		{"DCGM_FI_DEV_NVLINK_COUNT_TX_BYTES", 8, `\{nvlink="0",gpu="0",gpu_uuid="GPU-.*",pci_bus_id=".*",device="nvidia0",model_name="NVIDIA L4",hostname="h",` + driver + `\} [1-9]\d+$`},
		{"DCGM_FI_DEV_NVSWITCH_TEMPERATURE_CURRENT", 2, `\{nvswitch="nvswitch0",Hostname="h",` + driver + `\} \d\d$`},
		{"DCGM_FI_DEV_NVSWITCH_LINK_THROUGHPUT_TX", 8, `\{nvlink="0",nvswitch="nvswitch0",hostname="h",` + driver + `\} [1-9]\d+$`},
		{"DCGM_FI_DEV_CPU_UTIL_TOTAL", 6, `\{cpu="0",Hostname="h",` + driver + `\} 0\.\d{6}$`},
		{"DCGM_FI_DEV_CPU_TEMP_CURRENT", 2, `\{cpu="0",Hostname="h",` + driver + `\} \d\d\.000000$`},
		{"DCGM_FI_DEV_CPU_CLOCK_CURRENT", 4, `\{cpucore="0",cpu="0",Hostname="h",` + driver + `\} \d+$`},
	} {
		lines := linesOf(body, tc.metric)
		if assert.Len(t, lines, tc.lines, tc.metric) && tc.lines > 0 {
			assert.Regexp(t, regexp.MustCompile(tc.first), lines[0])
		}
	}
	assert.Contains(t, linesOf(body, "DCGM_FI_DEV_CPU_UTIL_TOTAL")[5], `{cpucore="3",cpu="1"`)

	older := string(build(t, w, setup("4.3.1-4.4.0")).AppendScrape(nil, start.Add(time.Hour)))
	assert.Contains(t, older, `DCGM_FI_DEV_NVSWITCH_LINK_THROUGHPUT_TX{nvlink="0",nvswitch="nvswitch0",Hostname="h"`)
	assert.Contains(t, older, `DCGM_FI_DEV_NVSWITCH_TEMPERATURE_CURRENT{nvswitch="0",Hostname="h"`)
	assert.Contains(t, older, `DCGM_FI_DEV_NVLINK_COUNT_TX_BYTES{gpu="0"`, "a field of the GPU until its links had lines")
	assert.NotContains(t, string(build(t, w, setup("3.1.8")).AppendScrape(nil, start)), "{cpu=")
}
