package truth

import "sync"

// about is what kind of thing a quantity belongs to.
type about uint8

const (
	aboutModel about = iota
	aboutGPU
	aboutHost
)

// part is what a metric measures, as far as its truth is known.
type part uint8

const (
	unknown part = iota
	// Of models.
	requestTime
	queueTime
	inputTime
	inferTime
	outputTime
	successes
	failures
	inferences
	executions
	cacheHits
	cacheMisses
	pending
	// Of GPUs.
	utilization
	otherUtilization // of a part of the GPU
	memoryUsed
	memoryFree
	memoryReserved
	memoryTotal
	power
	powerLimit
	energy
	temperature
	otherTemperature
	// Of hosts.
	cpuSeconds
	cpuUtilization
	hostMemoryUsed
	hostMemoryAvailable
	hostMemoryTotal
)

// metric is a metric of an exporter whose truth is known.
type metric struct {
	exporter string
	of       about
	part     part
}

var metrics = sync.OnceValue(knownMetrics) //nolint:gochecknoglobals // it never changes, and is looked into for every panel

func knownMetrics() map[string]metric {
	model := func(p part) metric { return metric{"triton", aboutModel, p} }
	triton := func(p part) metric { return metric{"triton", aboutGPU, p} }
	dcgm := func(p part) metric { return metric{"dcgm", aboutGPU, p} }
	node := func(p part) metric { return metric{"node", aboutHost, p} }
	return map[string]metric{
		"nv_inference_request_duration_us":        model(requestTime),
		"nv_inference_queue_duration_us":          model(queueTime),
		"nv_inference_compute_input_duration_us":  model(inputTime),
		"nv_inference_compute_infer_duration_us":  model(inferTime),
		"nv_inference_compute_output_duration_us": model(outputTime),
		"nv_inference_request_success":            model(successes),
		"nv_inference_request_failure":            model(failures),
		"nv_inference_count":                      model(inferences),
		"nv_inference_exec_count":                 model(executions),
		"nv_cache_num_hits_per_model":             model(cacheHits),
		"nv_cache_num_misses_per_model":           model(cacheMisses),
		"nv_inference_pending_request_count":      model(pending),
		"nv_gpu_utilization":                      triton(utilization),
		"nv_gpu_memory_used_bytes":                triton(memoryUsed),
		"nv_gpu_memory_total_bytes":               triton(memoryTotal),
		"nv_gpu_power_usage":                      triton(power),
		"nv_gpu_power_limit":                      triton(powerLimit),
		"nv_energy_consumption":                   triton(energy),
		"nv_cpu_utilization":                      {"triton", aboutHost, cpuUtilization},
		"nv_cpu_memory_used_bytes":                {"triton", aboutHost, hostMemoryUsed},
		"nv_cpu_memory_total_bytes":               {"triton", aboutHost, hostMemoryTotal},
		"DCGM_FI_DEV_GPU_UTIL":                    dcgm(utilization),
		"DCGM_FI_PROF_GR_ENGINE_ACTIVE":           dcgm(utilization),
		"DCGM_FI_DEV_MEM_COPY_UTIL":               dcgm(otherUtilization),
		"DCGM_FI_DEV_ENC_UTIL":                    dcgm(otherUtilization),
		"DCGM_FI_DEV_DEC_UTIL":                    dcgm(otherUtilization),
		"DCGM_FI_PROF_PIPE_TENSOR_ACTIVE":         dcgm(otherUtilization),
		"DCGM_FI_PROF_DRAM_ACTIVE":                dcgm(otherUtilization),
		"DCGM_FI_DEV_FB_USED":                     dcgm(memoryUsed),
		"DCGM_FI_DEV_FB_FREE":                     dcgm(memoryFree),
		"DCGM_FI_DEV_FB_RESERVED":                 dcgm(memoryReserved),
		"DCGM_FI_DEV_POWER_USAGE":                 dcgm(power),
		"DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION":    dcgm(energy),
		"DCGM_FI_DEV_GPU_TEMP":                    dcgm(temperature),
		"DCGM_FI_DEV_MEMORY_TEMP":                 dcgm(otherTemperature),
		"node_cpu_seconds_total":                  node(cpuSeconds),
		"node_memory_MemTotal_bytes":              node(hostMemoryTotal),
		"node_memory_MemAvailable_bytes":          node(hostMemoryAvailable),
	}
}

// isTime says whether a part is a time that requests spend.
func (p part) isTime() bool { return p >= requestTime && p <= outputTime }
