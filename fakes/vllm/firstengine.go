package vllm

// firstEngineDefinitions are the families of the first engine, V0, in the order in which it makes them.
func firstEngineDefinitions(o options) []definition {
	all := []definition{}
	if o.release.Before("0.6") {
		all = append(all, configDefinition(o))
	}
	all = append(all, firstSchedulerDefinitions()...)
	all = append(all, firstCounterDefinitions()...)
	all = append(all, firstTimeDefinitions(o)...)
	all = append(all, firstRequestDefinitions(o)...)
	if o.release.Since("0.6") {
		all = append(all, configDefinition(o))
	}
	return all
}

func firstSchedulerDefinitions() []definition {
	return []definition{
		{name: "vllm:num_requests_running", kind: gauge, help: "Number of requests currently running on GPU.", value: running},
		{name: "vllm:num_requests_waiting", kind: gauge, help: "Number of requests waiting to be processed.", value: waiting},
		{name: "vllm:lora_requests_info", kind: gauge, help: "Running stats on lora requests.", since: "0.6.4", neverFilled: true},
		{name: "vllm:num_requests_swapped", kind: gauge, help: "Number of requests swapped to CPU.", value: none},
		{name: "vllm:gpu_cache_usage_perc", kind: gauge, help: "GPU KV-cache usage. 1 means 100 percent usage.", value: cacheUsage},
		{name: "vllm:cpu_cache_usage_perc", kind: gauge, help: "CPU KV-cache usage. 1 means 100 percent usage.", value: none},
		{name: "vllm:cpu_prefix_cache_hit_rate", kind: gauge, help: "CPU prefix cache block hit rate.", since: "0.6", value: unused},
		{name: "vllm:gpu_prefix_cache_hit_rate", kind: gauge, help: "GPU prefix cache block hit rate.", since: "0.6", value: unused},
	}
}

// unused is what the rates of a prefix cache stand at that is not switched on, as it was by default.
func unused(*state) float64 { return -1 }

func firstCounterDefinitions() []definition {
	return []definition{
		{name: "vllm:num_preemptions", kind: counter, help: "Cumulative number of preemption from the engine.", value: preemptions},
		{name: "vllm:prompt_tokens", kind: counter, help: "Number of prefill tokens processed.", value: promptTokens},
		{name: "vllm:generation_tokens", kind: counter, help: "Number of generation tokens processed.", value: outputTokens},
		{name: "vllm:tokens", kind: counter, help: "Number of prefill plus generation tokens processed.", since: "0.6.6", until: "0.8",
			value: func(s *state) float64 { return float64(s.PromptTokens + s.OutputTokens) }},
		{name: "vllm:iteration_tokens_total", kind: histogram, help: "Histogram of number of tokens per engine_step.", since: "0.6.5",
			spread: ofSteps, bounds: stepTokens()},
	}
}

func firstTimeDefinitions(o options) []definition {
	const detailed = "0.6" // with --collect-detailed-traces alone they have series
	return []definition{
		{name: "vllm:time_to_first_token_seconds", kind: histogram, help: "Histogram of time to first token in seconds.",
			spread: ofFirstToken, bounds: firstTokens(o)},
		{name: "vllm:time_per_output_token_seconds", kind: histogram, help: "Histogram of time per output token in seconds.",
			spread: ofTokenTime, bounds: tokenTimes(o)},
		{name: "vllm:e2e_request_latency_seconds", kind: histogram, help: "Histogram of end to end request latency in seconds.",
			spread: ofLatency, bounds: latencies(o)},
		{name: "vllm:request_queue_time_seconds", kind: histogram, since: "0.6.5",
			help: "Histogram of time spent in WAITING phase for request.", spread: ofQueue, bounds: latencies(o)},
		{name: "vllm:request_inference_time_seconds", kind: histogram, since: "0.6.5",
			help: "Histogram of time spent in RUNNING phase for request.", spread: ofInference, bounds: latencies(o)},
		{name: "vllm:request_prefill_time_seconds", kind: histogram, since: "0.6.5",
			help: "Histogram of time spent in PREFILL phase for request.", spread: ofPrefill, bounds: latencies(o)},
		{name: "vllm:request_decode_time_seconds", kind: histogram, since: "0.6.5",
			help: "Histogram of time spent in DECODE phase for request.", spread: ofDecode, bounds: latencies(o)},
		{name: "vllm:time_in_queue_requests", kind: histogram, since: "0.6", hidden: "0.8", until: "0.9",
			help: "Histogram of time the request spent in the queue in seconds.", spread: ofQueue, bounds: latencies(o)},
		{name: "vllm:model_forward_time_milliseconds", kind: histogram, since: detailed, hidden: "0.8", until: "0.9", neverFilled: true,
			help: "Histogram of time spent in the model forward pass in ms."},
		{name: "vllm:model_execute_time_milliseconds", kind: histogram, since: detailed, hidden: "0.8", until: "0.9", neverFilled: true,
			help: "Histogram of time spent in the model execute function in ms."},
	}
}

func firstRequestDefinitions(o options) []definition {
	return []definition{
		{name: "vllm:request_prompt_tokens", kind: histogram, help: "Number of prefill tokens processed.", spread: ofPrompt, bounds: lengths(o)},
		{name: "vllm:request_generation_tokens", kind: histogram, help: "Number of generation tokens processed.", spread: ofOutput,
			bounds: lengths(o)},
		{name: "vllm:request_max_num_generation_tokens", kind: histogram, since: "0.6.6",
			help: "Histogram of maximum number of requested generation tokens.", spread: ofOutput, bounds: lengths(o)},
		{name: "vllm:request_params_best_of", kind: histogram, help: "Histogram of the best_of request parameter.", until: "0.6.3",
			spread: ofChoices, bounds: choices()},
		{name: "vllm:request_params_n", kind: histogram, help: "Histogram of the n request parameter.", spread: ofChoices, bounds: choices()},
		{name: "vllm:request_params_max_tokens", kind: histogram, since: "0.6.6",
			help: "Histogram of the max_tokens request parameter.", spread: ofMaxTokens, bounds: lengths(o)},
		{name: "vllm:request_success", kind: counter, help: "Count of successfully processed requests.", splitBy: "finished_reason",
			split: finished},
		{name: "vllm:avg_prompt_throughput_toks_per_s", kind: gauge, help: "Average prefill throughput in tokens/s.", until: "0.7",
			value: func(s *state) float64 { return s.promptRate }},
		{name: "vllm:avg_generation_throughput_toks_per_s", kind: gauge, help: "Average generation throughput in tokens/s.", until: "0.7",
			value: func(s *state) float64 { return s.outputRate }},
	}
}
