package triton

import (
	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/fakes/catalogue"
)

// Memory that the engine of TensorRT-LLM says it has at run time, in bytes.
const (
	runtimeGPUBytes    = 1_610_236
	runtimePinnedBytes = 75_497_472
)

func nothing(*engine) float64 { return 0 }

// tensorrtllmFamilies are those of the TensorRT-LLM back end with in-flight batching, in the order in which it makes them.
func tensorrtllmFamilies() []backendFamily {
	const first, newer, newest = "23.11", "24.04", "25.03"
	return []backendFamily{
		{name: "nv_trt_llm_request_metrics", help: "TRT LLM request metrics", kind: catalogue.Gauge, since: first, category: "request_type",
			values: []backendItem{
				{"active", "", func(e *engine) float64 { return float64(e.running + e.waiting) }},
				{"max", "", func(e *engine) float64 { return float64(e.llm.MaxRunning()) }},
				{"scheduled", "", func(e *engine) float64 { return float64(e.running) }},
				{"context", "", func(e *engine) float64 { return float64(e.context) }},
				{"waiting", newest, func(e *engine) float64 { return float64(e.waiting) }},
			}},
		{name: "nv_trt_llm_runtime_memory_metrics", help: "TRT LLM runtime memory metrics", kind: catalogue.Gauge, since: first,
			category: "memory_type", values: []backendItem{
				{"cpu", "", nothing},
				{"gpu", "", func(*engine) float64 { return runtimeGPUBytes }},
				{"pinned", "", func(*engine) float64 { return runtimePinnedBytes }},
			}},
		{name: "nv_trt_llm_kv_cache_block_metrics", help: "TRT LLM KV cache block metrics", kind: catalogue.Gauge, since: first,
			category: "kv_cache_block_type", values: []backendItem{
				{"max", "", func(e *engine) float64 { return float64(e.llm.KVBlocks()) }},
				{"free", "", func(e *engine) float64 { return float64(e.llm.KVBlocks() - e.blocks) }},
				{"used", "", func(e *engine) float64 { return float64(e.blocks) }},
				{"tokens_per", "", func(e *engine) float64 { return float64(e.llm.BlockTokens()) }},
				{"reused", newest, func(e *engine) float64 { return float64(e.CachedTokens / e.llm.BlockTokens()) }},
				{"fraction", newest, func(e *engine) float64 { return float64(e.blocks) / float64(e.llm.KVBlocks()) }},
			}},
		{name: "nv_trt_llm_disaggregated_serving_metrics", help: "TRT LLM disaggregated serving metrics", kind: catalogue.Counter, since: newest,
			category: "disaggregated_serving_type", values: []backendItem{{"kv_cache_transfer_ms", "", nothing}, {"request_count", "", nothing}}},
		{name: "nv_trt_llm_inflight_batcher_metrics", help: "TRT LLM inflight_batcher-specific metrics", kind: catalogue.Gauge, since: first,
			category: "inflight_batcher_specific_metric", values: []backendItem{
				{"total_context_tokens", "", func(e *engine) float64 { return float64(e.context) * e.Prompt.Spread().Mean }},
				{"generation_requests", "", func(e *engine) float64 { return float64(e.running - e.context) }},
				{"micro_batch_id", "", nothing},
				{"paused_requests", newer, nothing},
			}},
		{name: "nv_trt_llm_general_metrics", help: "General TRT LLM metrics", kind: catalogue.Gauge, since: first, category: "general_type",
			values: []backendItem{
				{"timestamp", "", func(e *engine) float64 { return e.stamp }},
				{"iteration_counter", "", func(e *engine) float64 { return float64(e.Steps) }},
			}},
		{name: "nv_llm_output_token_len", help: "TRT LLM response metrics", kind: catalogue.Histogram, since: newest,
			category: "response_metric_type", values: []backendItem{{"total_output_tokens", "", nil}}, spread: ofOutput, bounds: tokenBounds()},
		{name: "nv_llm_input_token_len", help: "TRT LLM response metrics", kind: catalogue.Histogram, since: newest,
			category: "response_metric_type", values: []backendItem{{"total_input_tokens", "", nil}}, spread: ofPrompt, bounds: tokenBounds()},
	}
}

func tokenBounds() []float64 { return []float64{10, 50, 100, 500, 1000} }

func ofPrompt(e *engine) fakes.Histogram { return e.Prompt }
func ofOutput(e *engine) fakes.Histogram { return e.Output }

// vllmFamilies are those of the vLLM back end, in the order in which it makes them. A model's configuration has to ask for them; here
// all do. The names are those of vLLM's first engine, whichever runs.
func vllmFamilies() []backendFamily {
	counter := func(name, help string, value func(*engine) float64) backendFamily {
		return backendFamily{name: name, help: help, kind: catalogue.Counter, since: "24.08", values: []backendItem{{"", "", value}}}
	}
	gauge := func(name, help string, value func(*engine) float64) backendFamily {
		return backendFamily{name: name, help: help, kind: catalogue.Gauge, since: "25.02", values: []backendItem{{"", "", value}}}
	}
	return append([]backendFamily{
		counter("vllm:prompt_tokens_total", "Number of prefill tokens processed.", func(e *engine) float64 { return float64(e.PromptTokens) }),
		counter("vllm:generation_tokens_total", "Number of generation tokens processed.", func(e *engine) float64 { return float64(e.OutputTokens) }),
		counter("vllm:num_preemptions_total", "Number of preemption tokens processed.", func(e *engine) float64 { return float64(e.Preemptions) }),
		gauge("vllm:num_requests_running", "Number of requests currently running on GPU.", func(e *engine) float64 { return float64(e.running) }),
		gauge("vllm:num_requests_waiting", "Number of requests waiting to be processed.", func(e *engine) float64 { return float64(e.waiting) }),
		gauge("vllm:gpu_cache_usage_perc", "GPU KV-cache usage. 1 means 100 percent usage.",
			func(e *engine) float64 { return float64(e.blocks) / float64(e.llm.KVBlocks()) }),
	}, vllmHistograms()...)
}

func vllmHistograms() []backendFamily {
	histogram := func(name, help, since string, bounds []float64, spread func(*engine) fakes.Histogram) backendFamily {
		return backendFamily{name: name, help: help, kind: catalogue.Histogram, since: since, bounds: bounds, spread: spread}
	}
	const first, second, third = "24.08", "24.10", "25.02"
	latencies := []float64{0.3, 0.5, 0.8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 50, 60, 120, 240, 480, 960, 1920, 7680}
	lengths := []float64{1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000}
	return []backendFamily{
		histogram("vllm:iteration_tokens_total", "Histogram of number of tokens per engine_step.", third,
			[]float64{1, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384}, func(e *engine) fakes.Histogram { return e.StepTokens }),
		histogram("vllm:time_to_first_token_seconds", "Histogram of time to first token in seconds.", first,
			[]float64{0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10},
			func(e *engine) fakes.Histogram { return e.FirstToken }),
		histogram("vllm:time_per_output_token_seconds", "Histogram of time per output token in seconds.", first,
			[]float64{0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5}, func(e *engine) fakes.Histogram { return e.TokenTime }),
		histogram("vllm:e2e_request_latency_seconds", "Histogram of end to end request latency in seconds.", second, latencies,
			func(e *engine) fakes.Histogram { return e.Latency }),
		histogram("vllm:request_queue_time_seconds", "Histogram of time spent in WAITING phase for request.", third, latencies,
			func(e *engine) fakes.Histogram { return e.Queue }),
		histogram("vllm:request_inference_time_seconds", "Histogram of time spent in RUNNING phase for request.", third, latencies,
			func(e *engine) fakes.Histogram { return e.Inference }),
		histogram("vllm:request_prefill_time_seconds", "Histogram of time spent in PREFILL phase for request.", third, latencies,
			func(e *engine) fakes.Histogram { return e.Prefill }),
		histogram("vllm:request_decode_time_seconds", "Histogram of time spent in DECODE phase for request.", third, latencies,
			func(e *engine) fakes.Histogram { return e.Decode }),
		histogram("vllm:request_prompt_tokens", "Number of prefill tokens processed.", second, lengths, ofPrompt),
		histogram("vllm:request_generation_tokens", "Number of generation tokens processed.", second, lengths, ofOutput),
		histogram("vllm:request_params_n", "Histogram of the n request parameter.", second, []float64{1, 2, 5, 10, 20},
			func(e *engine) fakes.Histogram { return e.Choices }),
	}
}
