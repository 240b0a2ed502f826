package boards

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// question is what one target asks, with what a panel needs to know to show it.
type question struct {
	expr   string
	legend string
	format string // "heatmap" and "table" panels only
}

// subject is a thing that panels are about. Questions drawn from one subject have one unit, so that a panel can hold several of them.
type subject struct {
	title string
	unit  string
	kinds []string // panel types that show it well; those that come often stand here often
	top   float64  // the largest value possible; 0 where there is none
	draw  func(d draw) question
}

// draw chooses at random what a question is made of.
type draw struct{ *rand.Rand }

func one[T any](d draw, of ...T) T { return of[d.IntN(len(of))] }

// window is what a rate is taken over: mostly what Grafana proposes, sometimes what the author was used to.
func (d draw) window() string {
	if d.IntN(5) < 3 {
		return "$__rate_interval"
	}
	return one(d, "5m", "10m", "15m", "20m", "30m", "1h", "$window")
}

// span is what gauges are smoothed over.
func (d draw) span() string {
	return one(d, "$__interval", "$__rate_interval", "5m", "10m", "15m", "30m", "1h", "$window")
}

// offset is mostly nothing; else as long ago as panels look back that compare with before.
func (d draw) offset() string {
	return one(d, "", "", "", "", " offset 5m", " offset 10m", " offset 15m", " offset 30m", " offset 1h")
}

func (d draw) phi() string {
	return one(d, "0.5", "0.75", "0.9", "0.95", "0.99", "0.999", "$quantile")
}

// gauge asks a metric that goes up and down, plain or smoothed, with the labels told.
func (d draw) gauge(metric, by, match string) string {
	selector := fmt.Sprintf("%s{%s}", metric, match)
	switch d.IntN(6) {
	case 0, 1:
		return fmt.Sprintf("%s by (%s) (%s%s)", one(d, "max", "min", "avg"), by, selector, d.offset())
	case 2:
		return fmt.Sprintf("max by (%s) (quantile_over_time(%s, %s[%s]%s))", by, d.phi(), selector, d.span(), d.offset())
	default:
		f := one(d, "avg", "max", "min")
		return fmt.Sprintf("%s by (%s) (%s_over_time(%s[%s]%s))", f, by, f, selector, d.span(), d.offset())
	}
}

// rate asks how fast a counter rises, summed by the labels told.
func (d draw) rate(metric, by, match string) string {
	w := d.window()
	return fmt.Sprintf("sum by (%s) (rate(%s{%s}[%s]%s))", by, metric, match, w, d.offset())
}

// ratio divides the rates of two counters over the same window, of the same moment.
func (d draw) ratio(part, whole, by, match string) string {
	w, o := d.window(), d.offset()
	return fmt.Sprintf("sum by (%[3]s) (rate(%[1]s{%[4]s}[%[5]s]%[6]s))\n/\nsum by (%[3]s) (rate(%[2]s{%[4]s}[%[5]s]%[6]s))", part, whole, by, match, w, o)
}

// labels writes a legend of the labels that a question is taken by.
func labels(by string) string {
	var b strings.Builder
	for i, l := range strings.Split(by, ", ") {
		if i > 0 {
			b.WriteString(" · ")
		}
		fmt.Fprintf(&b, "{{%s}}", l)
	}
	return b.String()
}

const (
	graph   = "timeseries"
	stat    = "stat"
	gauge   = "gauge"
	bars    = "bargauge"
	table   = "table"
	heatmap = "heatmap"
)

// areas are what teams watch, each with the variables that its selectors use.
func areas() []area {
	return []area{
		{"Triton", triton()},
		{"GPU", gpus()},
		{"Host", hosts()},
		{"vLLM", models()},
	}
}

type area struct {
	name     string
	subjects []subject
}

func triton() []subject {
	match := func(d draw) string {
		return one(d, `instance=~"$triton",model=~"$model"`, `model=~"$model",instance=~"$triton"`, `instance=~"$triton",model="inference"`,
			`instance=~"$triton",model=~"inference|reranker"`, `instance=~"$triton",model!="ensemble"`, `job="triton",instance=~"$triton",model=~"$model"`)
	}
	by := func(d draw) string { return one(d, "model", "instance, model", "model, version") }
	return []subject{
		{"Request rate", "reqps", []string{graph, graph, stat, bars}, 0, func(d draw) question {
			b := by(d)
			return question{expr: d.rate("nv_inference_request_success", b, match(d)), legend: labels(b)}
		}},
		{"Time per request", "µs", []string{graph, graph, graph, stat}, 0, func(d draw) question {
			b := by(d)
			return question{expr: d.ratio("nv_inference_request_duration_us", "nv_inference_request_success", b, match(d)), legend: labels(b)}
		}},
		{"Queue delay", "µs", []string{graph, graph, stat}, 0, func(d draw) question {
			b := by(d)
			return question{expr: d.ratio("nv_inference_queue_duration_us", "nv_inference_request_success", b, match(d)), legend: labels(b)}
		}},
		{"Batch size", "short", []string{graph, stat}, 0, func(d draw) question {
			b := by(d)
			return question{expr: d.ratio("nv_inference_count", "nv_inference_exec_count", b, match(d)), legend: labels(b)}
		}},
		{"Inferences", "ops", []string{graph, table}, 0, func(d draw) question {
			b := by(d)
			return question{expr: d.rate("nv_inference_count", b, match(d)), legend: labels(b)}
		}},
		{"Executions", "ops", []string{graph, table}, 0, func(d draw) question {
			b := by(d)
			return question{expr: d.rate("nv_inference_exec_count", b, match(d)), legend: labels(b)}
		}},
		{"Pending requests", "short", []string{graph, bars}, 0, func(d draw) question {
			b := by(d)
			return question{expr: d.gauge("nv_inference_pending_request_count", b, match(d)), legend: labels(b)}
		}},
		{"Failed requests", "reqps", []string{graph}, 0, func(d draw) question {
			b := one(d, "model, reason", "reason", "instance, model, reason")
			return question{expr: d.rate("nv_inference_request_failure", b, `instance=~"$triton",model!="ensemble"`), legend: labels(b)}
		}},
	}
}

func gpus() []subject {
	match := func(d draw) string {
		return one(d, `instance=~"$host",gpu=~"$gpu"`, `gpu=~"$gpu",instance=~"$host"`, `instance=~"$host",gpu="0"`, `instance=~"$host",gpu="1"`,
			`instance=~"$host",modelName=~"NVIDIA.+",gpu=~"$gpu"`, `job="dcgm",instance=~"$host",gpu=~"$gpu"`)
	}
	by := func(d draw) string {
		return one(d, "instance, gpu", "gpu, instance", "instance, gpu, modelName", "Hostname, gpu", "gpu, UUID, instance")
	}
	of := func(metric string) func(d draw) question {
		return func(d draw) question {
			b := by(d)
			return question{expr: d.gauge(metric, b, match(d)), legend: labels(b)}
		}
	}
	return []subject{
		{"GPU utilisation", "percent", []string{graph, graph, gauge, bars, stat}, 100, of("DCGM_FI_DEV_GPU_UTIL")},
		{"Memory copy", "percent", []string{graph, gauge}, 100, of("DCGM_FI_DEV_MEM_COPY_UTIL")},
		{"Temperature", "celsius", []string{graph, gauge, stat}, 0, of("DCGM_FI_DEV_GPU_TEMP")},
		{"Power", "watt", []string{graph, stat, bars}, 0, of("DCGM_FI_DEV_POWER_USAGE")},
		{"Framebuffer", "mbytes", []string{graph, stat, table}, 0, func(d draw) question {
			return of(one(d, "DCGM_FI_DEV_FB_USED", "DCGM_FI_DEV_FB_FREE"))(d)
		}},
		{"Engine activity", "percentunit", []string{graph, gauge}, 1, func(d draw) question {
			return of(one(d, "DCGM_FI_PROF_GR_ENGINE_ACTIVE", "DCGM_FI_PROF_PIPE_TENSOR_ACTIVE", "DCGM_FI_PROF_DRAM_ACTIVE"))(d)
		}},
		{"Framebuffer in use", "percentunit", []string{graph, gauge}, 1, func(d draw) question {
			b, m, o := by(d), match(d), d.offset()
			f := one(d, "max", "min", "avg")
			return question{expr: fmt.Sprintf("%[4]s by (%[1]s) (DCGM_FI_DEV_FB_USED{%[2]s}%[3]s)\n/\n(%[4]s by (%[1]s) (DCGM_FI_DEV_FB_USED{%[2]s}%[3]s) + %[4]s by (%[1]s) (DCGM_FI_DEV_FB_FREE{%[2]s}%[3]s))", b, m, o, f), legend: labels(b)}
		}},
	}
}

func hosts() []subject {
	match := func(d draw, more ...string) string {
		own := one(d, `instance=~"$node"`, `job="node",instance=~"$node"`, `instance="gpu-01:9100"`, `instance=~"gpu-.+"`)
		return strings.Join(append([]string{own}, more...), ",")
	}
	gauges := func(by string, metrics ...string) func(d draw) question {
		return func(d draw) question {
			b := one(d, by, by+", job")
			return question{expr: d.gauge(one(d, metrics...), b, match(d)), legend: labels(b)}
		}
	}
	rates := func(by string, metrics ...string) func(d draw) question {
		return func(d draw) question {
			b := one(d, by, by+", job")
			return question{expr: d.rate(one(d, metrics...), b, match(d)), legend: labels(b)}
		}
	}
	memory := []string{
		"node_memory_MemAvailable_bytes", "node_memory_MemFree_bytes", "node_memory_Cached_bytes", "node_memory_Buffers_bytes",
		"node_memory_Active_bytes", "node_memory_Inactive_bytes", "node_memory_AnonPages_bytes", "node_memory_Slab_bytes",
		"node_memory_SReclaimable_bytes", "node_memory_SUnreclaim_bytes", "node_memory_PageTables_bytes", "node_memory_Mapped_bytes",
		"node_memory_Dirty_bytes", "node_memory_KernelStack_bytes", "node_memory_Shmem_bytes",
		"node_memory_Active_anon_bytes", "node_memory_Active_file_bytes", "node_memory_Inactive_anon_bytes", "node_memory_Inactive_file_bytes",
	}
	return []subject{
		{"Memory", "bytes", []string{graph, graph, graph, stat, table}, 0, gauges("instance", memory...)},
		{"Memory by kind", "percentunit", []string{graph, gauge, bars}, 1, func(d draw) question {
			m, o := match(d), d.offset()
			// The first is what is available, whose share would be understood as a claim of how much is in use.
			return question{expr: fmt.Sprintf("%s{%s}%s\n/ on (instance) group_left ()\nnode_memory_MemTotal_bytes{%s}%s", one(d, memory[1:]...), m, o, m, o), legend: "{{instance}}"}
		}},
		{"Load", "short", []string{graph, stat}, 0, gauges("instance", "node_load1", "node_load5", "node_load15")},
		{"Open things", "short", []string{graph, stat, table}, 0,
			gauges("instance", "node_filefd_allocated", "node_sockstat_sockets_used", "node_sockstat_TCP_alloc", "node_sockstat_TCP_inuse", "node_netstat_Tcp_CurrEstab", "node_procs_running", "node_nf_conntrack_entries")},
		{"CPU by mode", "short", []string{graph}, 0, func(d draw) question {
			m := match(d, one(d, `mode!="idle"`, `mode=~"user|system"`, `mode="user"`, `mode="system"`, `mode="iowait"`, `mode!~"idle|iowait|steal"`))
			b := one(d, "instance, mode", "mode, instance", "instance, mode, job")
			return question{expr: d.rate("node_cpu_seconds_total", b, m), legend: labels(b)}
		}},
		{"CPU busy", "percent", []string{graph, graph, gauge, stat}, 100, func(d draw) question {
			b := one(d, "instance", "instance, job")
			return question{expr: fmt.Sprintf("100 * (1 - avg by (%s) (rate(node_cpu_seconds_total{%s}[%s]%s)))", b, match(d, `mode="idle"`), d.window(), d.offset()), legend: labels(b)}
		}},
		{"Network", "Bps", []string{graph, graph, stat}, 0, rates("instance, device", "node_network_receive_bytes_total", "node_network_transmit_bytes_total")},
		{"Packets", "pps", []string{graph}, 0, rates("instance, device", "node_network_receive_packets_total", "node_network_transmit_packets_total")},
		{"Network by machine", "Bps", []string{graph, table}, 0, func(d draw) question {
			m := match(d, `device!="lo"`)
			return question{expr: fmt.Sprintf("sum by (instance, nodename) (\n  rate(%s{%s}[%s]%s)\n  * on (instance) group_left (nodename) node_uname_info{%s}\n)",
				one(d, "node_network_receive_bytes_total", "node_network_transmit_bytes_total"), m, d.window(), d.offset(), match(d)), legend: "{{nodename}}"}
		}},
		{"Disk", "Bps", []string{graph, stat}, 0, rates("instance, device", "node_disk_read_bytes_total", "node_disk_written_bytes_total")},
		{"Disk operations", "iops", []string{graph}, 0, rates("instance, device", "node_disk_reads_completed_total", "node_disk_writes_completed_total")},
		{"Filesystem", "bytes", []string{graph, table}, 0, func(d draw) question {
			b := one(d, "instance, mountpoint", "instance, device, mountpoint", "instance, mountpoint, fstype")
			return question{expr: d.gauge(one(d, "node_filesystem_avail_bytes", "node_filesystem_free_bytes", "node_filesystem_size_bytes"), b,
				match(d, one(d, `fstype!="tmpfs"`, `mountpoint="/"`, `fstype=~"ext4|xfs"`))), legend: labels(b)}
		}},
		{"Kernel", "ops", []string{graph, table}, 0, rates("instance", "node_context_switches_total", "node_intr_total", "node_forks_total", "node_vmstat_pgfault")},
	}
}

func models() []subject {
	match := func(d draw) string {
		return one(d, `instance=~"$server",model_name=~"$llm"`, `model_name=~"$llm",instance=~"$server"`, `job="vllm",instance=~"$server",model_name=~"$llm"`,
			`instance=~"$server"`, `engine="0",instance=~"$server",model_name=~"$llm"`)
	}
	by := func(d draw) string { return one(d, "model_name", "instance, model_name", "model_name, engine") }
	times := []string{
		"vllm:time_to_first_token_seconds", "vllm:e2e_request_latency_seconds", "vllm:inter_token_latency_seconds",
		"vllm:request_queue_time_seconds", "vllm:request_prefill_time_seconds", "vllm:request_decode_time_seconds", "vllm:request_inference_time_seconds",
	}
	return []subject{
		{"Latency quantiles", "s", []string{graph, graph, graph, stat}, 0, func(d draw) question {
			b := by(d)
			return question{expr: fmt.Sprintf("histogram_quantile(%s, %s)", d.phi(), d.rate(one(d, times...)+"_bucket", "le, "+b, match(d))), legend: labels(b)}
		}},
		{"Mean latency", "s", []string{graph, graph, stat}, 0, func(d draw) question {
			b, of := by(d), one(d, times...)
			return question{expr: d.ratio(of+"_sum", of+"_count", b, match(d)), legend: labels(b)}
		}},
		{"Latency spread", "short", []string{heatmap}, 0, func(d draw) question {
			return question{expr: fmt.Sprintf("sum by (le) (increase(%s_bucket{%s}[%s]))", one(d, times...), match(d), one(d, "$__rate_interval", "5m", "10m", "15m")), legend: "{{le}}", format: heatmap}
		}},
		{"Tokens", "short", []string{graph, graph, stat}, 0, func(d draw) question {
			b := by(d)
			return question{expr: d.rate(one(d, "vllm:prompt_tokens_total", "vllm:generation_tokens_total"), b, match(d)), legend: labels(b)}
		}},
		{"Requests", "short", []string{graph, stat, bars}, 0, func(d draw) question {
			b := by(d)
			return question{expr: d.gauge("vllm:num_requests_running", b, match(d)), legend: labels(b)}
		}},
		{"KV cache", "percentunit", []string{graph, gauge}, 1, func(d draw) question {
			b := by(d)
			return question{expr: d.gauge("vllm:kv_cache_usage_perc", b, match(d)), legend: labels(b)}
		}},
		{"Prefix cache hits", "percentunit", []string{graph, gauge}, 1, func(d draw) question {
			b := by(d)
			return question{expr: d.ratio("vllm:prefix_cache_hits_total", "vllm:prefix_cache_queries_total", b, match(d)), legend: labels(b)}
		}},
	}
}
