package vllm

import "github.com/panelgate/panelgate/fakes"

// lengths are the bounds of histograms of tokens: 1, 2, 5, 10 and so on, as far as a prompt and its output may reach.
func lengths(o options) []float64 {
	var bounds []float64
	for power := 1.0; ; power *= 10 {
		for _, digit := range []float64{1, 2, 5} {
			if digit*power > float64(o.contextTokens) {
				return bounds
			}
			bounds = append(bounds, digit*power)
		}
	}
}

func choices() []float64 { return []float64{1, 2, 5, 10, 20} }

// stepTokens are the bounds of a step's tokens: powers of two, but for the first.
func stepTokens() []float64 {
	return []float64{1, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384}
}

// The bounds of times have grown with the models: the slow ones came later.

func firstTokens(o options) []float64 {
	bounds := []float64{0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10}
	if o.release.Since("0.9") {
		bounds = append(bounds, 20, 40, 80, 160, 640, 2560)
	}
	return bounds
}

func tokenTimes(o options) []float64 {
	bounds := []float64{0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5}
	if o.release.Since("0.9") {
		bounds = append(bounds, 5, 7.5, 10, 20, 40, 80)
	}
	return bounds
}

func latencies(o options) []float64 {
	if o.release.Before("0.6.5") {
		return []float64{1, 2.5, 5, 10, 15, 20, 30, 40, 50, 60}
	}
	bounds := []float64{0.3, 0.5, 0.8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 50, 60}
	if o.release.Since("0.7") {
		bounds = append(bounds, 120, 240, 480, 960, 1920, 7680)
	}
	return bounds
}

// Where the histograms' values come from.
func ofPrompt(s *state) fakes.Histogram     { return s.Prompt }
func ofOutput(s *state) fakes.Histogram     { return s.Output }
func ofSteps(s *state) fakes.Histogram      { return s.StepTokens }
func ofChoices(s *state) fakes.Histogram    { return s.Choices }
func ofMaxTokens(s *state) fakes.Histogram  { return s.MaxTokens }
func ofFirstToken(s *state) fakes.Histogram { return s.FirstToken }
func ofTokenTime(s *state) fakes.Histogram  { return s.TokenTime }
func ofPerToken(s *state) fakes.Histogram   { return s.PerToken }
func ofLatency(s *state) fakes.Histogram    { return s.Latency }
func ofQueue(s *state) fakes.Histogram      { return s.Queue }
func ofInference(s *state) fakes.Histogram  { return s.Inference }
func ofPrefill(s *state) fakes.Histogram    { return s.Prefill }
func ofDecode(s *state) fakes.Histogram     { return s.Decode }
func ofComputed(s *state) fakes.Histogram   { return s.Computed }

func lengthDefinitions(o options) []definition {
	return []definition{
		{name: "vllm:request_prompt_tokens", kind: histogram, help: "Number of prefill tokens processed.", spread: ofPrompt, bounds: lengths(o)},
		{name: "vllm:request_generation_tokens", kind: histogram, help: "Number of generation tokens processed.", spread: ofOutput,
			bounds: lengths(o)},
		{name: "vllm:iteration_tokens_total", kind: histogram, help: "Histogram of number of tokens per engine_step.", spread: ofSteps,
			bounds: stepTokens()},
		{name: "vllm:request_max_num_generation_tokens", kind: histogram,
			help: "Histogram of maximum number of requested generation tokens.", spread: ofOutput, bounds: lengths(o)},
		{name: "vllm:request_params_n", kind: histogram, help: "Histogram of the n request parameter.", spread: ofChoices, bounds: choices()},
		{name: "vllm:request_params_max_tokens", kind: histogram, help: "Histogram of the max_tokens request parameter.", spread: ofMaxTokens,
			bounds: lengths(o)},
	}
}

func timeDefinitions(o options) []definition {
	const betweenTokens = "Histogram of time per output token in seconds."
	return []definition{
		{name: "vllm:time_to_first_token_seconds", kind: histogram, help: "Histogram of time to first token in seconds.",
			spread: ofFirstToken, bounds: firstTokens(o)},
		{name: "vllm:time_per_output_token_seconds", kind: histogram, until: "0.11", help: betweenTokens,
			spread: ofTokenTime, bounds: tokenTimes(o)},
		{name: "vllm:time_per_output_token_seconds", kind: histogram, since: "0.11", hidden: "0.12", until: "0.13",
			help: betweenTokens + "DEPRECATED: Use vllm:inter_token_latency_seconds instead.", spread: ofTokenTime, bounds: tokenTimes(o)},
		{name: "vllm:inter_token_latency_seconds", kind: histogram, since: "0.11", help: "Histogram of inter-token latency in seconds.",
			spread: ofTokenTime, bounds: tokenTimes(o)},
		{name: "vllm:request_time_per_output_token_seconds", kind: histogram, since: "0.11",
			help: "Histogram of time_per_output_token_seconds per request.", spread: ofPerToken, bounds: tokenTimes(o)},
		{name: "vllm:e2e_request_latency_seconds", kind: histogram, help: "Histogram of e2e request latency in seconds.",
			spread: ofLatency, bounds: latencies(o)},
		{name: "vllm:request_queue_time_seconds", kind: histogram, help: "Histogram of time spent in WAITING phase for request.",
			spread: ofQueue, bounds: latencies(o)},
		{name: "vllm:request_inference_time_seconds", kind: histogram, help: "Histogram of time spent in RUNNING phase for request.",
			spread: ofInference, bounds: latencies(o)},
		{name: "vllm:request_prefill_time_seconds", kind: histogram, help: "Histogram of time spent in PREFILL phase for request.",
			spread: ofPrefill, bounds: latencies(o)},
		{name: "vllm:request_decode_time_seconds", kind: histogram, help: "Histogram of time spent in DECODE phase for request.",
			spread: ofDecode, bounds: latencies(o)},
		{name: "vllm:request_prefill_kv_computed_tokens", kind: histogram, since: "0.13",
			help: "Histogram of new KV tokens computed during prefill (excluding cached tokens).", spread: ofComputed, bounds: lengths(o)},
	}
}
