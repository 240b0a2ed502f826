package vllm

import (
	"slices"

	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/fakes/release"
)

// definition is a family of vLLM's own: since when and until when it is there, and where its series come from.
type definition struct {
	name, kind, help    string
	since, until        string // releases; "" for as far as is acted out
	hidden              string // the release that shows it only when asked to
	value               func(*state) float64
	split               func(*state) []part // of a family with a label more than the others
	splitBy             string
	spread              func(*state) fakes.Histogram
	bounds              []float64
	config, neverFilled bool // the cache's configuration; or a family that has no series as the server is set up
}

// part is one value of the label that a family has more than the others.
type part struct {
	value string
	count float64
}

// definitions are the families that a release prints of its engine, in print order.
func definitions(o options) []definition {
	all := slices.Concat(workloadDefinitions(), schedulerDefinitions(), cacheDefinitions(), counterDefinitions(), lengthDefinitions(o),
		timeDefinitions(o), []definition{configDefinition(o)})
	if o.v0() {
		all = firstEngineDefinitions(o)
	}
	all = slices.DeleteFunc(all, func(d definition) bool { return !d.in(o.release) || !o.shows(d.hidden) })
	if !o.multiprocess() {
		return all
	}
	// Values of several processes stand in one file a kind. What nobody has counted yet has no line in it.
	all = slices.DeleteFunc(all, func(d definition) bool { return d.neverFilled })
	slices.SortStableFunc(all, func(a, b definition) int { return rankOf(a.kind) - rankOf(b.kind) })
	return all
}

func rankOf(kind string) int { return slices.Index([]string{histogram, counter, gauge}, kind) }

func (d definition) in(r release.Release) bool {
	return (d.since == "" || r.Since(d.since)) && (d.until == "" || r.Before(d.until))
}

// secondsBetween is how long the server takes from making one metric to making the next.
const secondsBetween = 1.3e-5

// family is what the definition says at a moment, as the i-th of the page.
func (d definition) family(s *state, i int) family {
	f := family{name: d.name, kind: d.kind, help: d.help}
	created := 0.0
	if !s.traits.firstEngine && d.kind != gauge {
		created = s.ready + float64(i)*secondsBetween // the first engine switched this off
	}
	switch base := s.traits.labels; {
	case d.neverFilled:
	case d.config:
		f.series = []series{{labels: s.traits.config, value: 1}}
	case d.split != nil:
		for j, p := range d.split(s) {
			f.series = append(f.series, series{labels: with(base, label{d.splitBy, p.value}), value: p.count})
			if created != 0 {
				f.series[j].created = created + float64(j)*secondsBetween/2
			}
		}
	case d.spread != nil:
		f.series = []series{{labels: base, spread: d.spread(s), bounds: d.bounds, created: created}}
	default:
		f.series = []series{{labels: base, value: d.value(s), created: created}}
	}
	return f
}

// What each token of a model of eight thousand million parameters costs, in operations and in bytes read and written.
const (
	flopsPerToken   = 16e9
	readPerStep     = 16e9
	writtenPerToken = 131072
)

// workloadDefinitions are estimates that stay 0 until they are switched on.
func workloadDefinitions() []definition {
	estimate := func(value func(*state) float64) func(*state) float64 {
		return func(s *state) float64 {
			if !s.options.flops {
				return 0
			}
			return value(s)
		}
	}
	tokens := func(s *state) float64 { return float64(s.PromptTokens - s.CachedTokens + s.OutputTokens) }
	return []definition{
		{name: "vllm:estimated_flops_per_gpu", kind: counter, since: "0.14",
			help:  "Estimated number of floating point operations per GPU (for Model Flops Utilization calculations).",
			value: estimate(func(s *state) float64 { return tokens(s) * flopsPerToken })},
		{name: "vllm:estimated_read_bytes_per_gpu", kind: counter, since: "0.14",
			help:  "Estimated number of bytes read from memory per GPU (for Model Flops Utilization calculations).",
			value: estimate(func(s *state) float64 { return float64(s.Steps) * readPerStep })},
		{name: "vllm:estimated_write_bytes_per_gpu", kind: counter, since: "0.14",
			help:  "Estimated number of bytes written to memory per GPU (for Model Flops Utilization calculations).",
			value: estimate(func(s *state) float64 { return tokens(s) * writtenPerToken })},
	}
}

func schedulerDefinitions() []definition {
	return []definition{
		{name: "vllm:num_requests_running", kind: gauge, help: "Number of requests in model execution batches.", value: running},
		{name: "vllm:num_requests_waiting", kind: gauge, help: "Number of requests waiting to be processed.", value: waiting},
		{name: "vllm:engine_sleep_state", kind: gauge, since: "0.12",
			help: "Engine sleep state; awake = 0 means engine is sleeping; awake = 1 means engine is awake; " +
				"weights_offloaded = 1 means sleep level 1; discard_all = 1 means sleep level 2.",
			splitBy: "sleep_state",
			split:   func(*state) []part { return []part{{"awake", 1}, {"weights_offloaded", 0}, {"discard_all", 0}} }},
	}
}

func running(s *state) float64    { return float64(s.running) }
func waiting(s *state) float64    { return float64(s.waiting) }
func cacheUsage(s *state) float64 { return s.usage }
func none(*state) float64         { return 0 }

func prefixQueries(s *state) float64 {
	if !s.options.prefixCaching {
		return 0
	}
	return float64(s.PromptTokens)
}

func prefixHits(s *state) float64 { return float64(s.cached()) }

// cached is how many prompt tokens the prefix cache knew.
func (s *state) cached() int64 {
	if !s.options.prefixCaching {
		return 0
	}
	return s.CachedTokens
}

// Until 0.11 the names of the first engine stood beside those that have taken their place; then they were hidden for a release.
func cacheDefinitions() []definition {
	const renamed, hidden, gone = "0.9.2", "0.11", "0.12"
	return []definition{
		{name: "vllm:gpu_cache_usage_perc", kind: gauge, until: renamed, value: cacheUsage,
			help: "GPU KV-cache usage. 1 means 100 percent usage."},
		{name: "vllm:gpu_prefix_cache_queries", kind: counter, until: renamed, value: prefixQueries,
			help: "GPU prefix cache queries, in terms of number of queried blocks."},
		{name: "vllm:gpu_prefix_cache_hits", kind: counter, until: renamed, value: prefixHits,
			help: "GPU prefix cache hits, in terms of number of cached blocks."},
		{name: "vllm:gpu_cache_usage_perc", kind: gauge, since: renamed, hidden: hidden, until: gone, value: cacheUsage,
			help: "GPU KV-cache usage. 1 means 100 percent usage.DEPRECATED: Use vllm:kv_cache_usage_perc instead."},
		{name: "vllm:gpu_prefix_cache_queries", kind: counter, since: renamed, hidden: hidden, until: gone, value: prefixQueries,
			help: "GPU prefix cache queries, in terms of number of queriedtokens. DEPRECATED: Use vllm:prefix_cache_queries instead."},
		{name: "vllm:gpu_prefix_cache_hits", kind: counter, since: renamed, hidden: hidden, until: gone, value: prefixHits,
			help: "GPU prefix cache hits, in terms of number of cached tokens. DEPRECATED: Use vllm:prefix_cache_hits instead."},
		{name: "vllm:kv_cache_usage_perc", kind: gauge, since: renamed, value: cacheUsage,
			help: "KV-cache usage. 1 means 100 percent usage."},
		{name: "vllm:prefix_cache_queries", kind: counter, since: renamed, value: prefixQueries,
			help: "Prefix cache queries, in terms of number of queried tokens."},
		{name: "vllm:prefix_cache_hits", kind: counter, since: renamed, value: prefixHits,
			help: "Prefix cache hits, in terms of number of cached tokens."},
		{name: "vllm:external_prefix_cache_queries", kind: counter, since: "0.11.1", value: none,
			help: "External prefix cache queries from KV connector cross-instance cache sharing, in terms of number of queried tokens."},
		{name: "vllm:external_prefix_cache_hits", kind: counter, since: "0.11.1", value: none,
			help: "External prefix cache hits from KV connector cross-instance cache sharing, in terms of number of cached tokens."},
		{name: "vllm:mm_cache_queries", kind: counter, since: "0.11.1", value: none,
			help: "Multi-modal cache queries, in terms of number of queried items."},
		{name: "vllm:mm_cache_hits", kind: counter, since: "0.11.1", value: none,
			help: "Multi-modal cache hits, in terms of number of cached items."},
	}
}

func preemptions(s *state) float64  { return float64(s.Preemptions) }
func promptTokens(s *state) float64 { return float64(s.PromptTokens) }
func outputTokens(s *state) float64 { return float64(s.OutputTokens) }

func counterDefinitions() []definition {
	return []definition{
		{name: "vllm:num_preemptions", kind: counter, help: "Cumulative number of preemption from the engine.", value: preemptions},
		{name: "vllm:prompt_tokens", kind: counter, help: "Number of prefill tokens processed.", value: promptTokens},
		{name: "vllm:prompt_tokens_by_source", kind: counter, help: "Number of prompt tokens by source.", since: "0.17", splitBy: "source",
			split: func(s *state) []part {
				return []part{
					{"local_compute", float64(s.PromptTokens - s.cached())}, {"local_cache_hit", float64(s.cached())}, {"external_kv_transfer", 0},
				}
			}},
		{name: "vllm:prompt_tokens_cached", kind: counter, help: "Number of cached prompt tokens (local + external).", since: "0.17",
			value: prefixHits},
		{name: "vllm:prompt_tokens_recomputed", kind: counter, help: "Number of cached tokens recomputed for forward pass.", since: "0.17",
			value: none},
		{name: "vllm:generation_tokens", kind: counter, help: "Number of generation tokens processed.", value: outputTokens},
		{name: "vllm:request_success", kind: counter, help: "Count of successfully processed requests.", splitBy: "finished_reason",
			split: finished},
	}
}

// finished are the reasons for which requests ended. The first engine knows a reason once it has happened.
func finished(s *state) []part {
	counts := map[string]int64{"stop": s.Requests - s.AtLength, "length": s.AtLength, "abort": s.Aborted, "error": s.Failed}
	var parts []part
	for _, reason := range s.traits.reasons {
		if n := counts[reason]; n > 0 || !s.traits.firstEngine {
			parts = append(parts, part{reason, float64(n)})
		}
	}
	return parts
}

func configDefinition(o options) definition {
	d := definition{name: "vllm:cache_config_info", kind: gauge, help: "Information of the LLMEngine CacheConfig", config: true}
	if o.release.Before("0.6") {
		d.help = "information of cache_config"
	}
	return d
}

// setting is a label of vllm:cache_config_info.
type setting struct{ name, value, since, until string }

// cacheConfig are the labels of vllm:cache_config_info: what the engine was told of its cache, as Python writes it.
func (o options) cacheConfig(kvBlocks int64) []label {
	caching := "False"
	if o.prefixCaching && !o.v0() {
		caching = "True"
	}
	var labels []label
	for _, c := range []setting{
		{"block_size", o.blockSize, "", ""}, {"cache_dtype", o.cacheType, "", ""}, {"calculate_kv_scales", "False", "0.7", ""},
		{"cpu_kvcache_space_bytes", "None", "0.9.2", ""}, {"cpu_offload_gb", "0", "0.5.4", ""}, {"cpu_offload_params", "set()", "0.17", ""},
		{"enable_prefix_caching", caching, "", ""}, {"engine", "0", "0.9", ""}, {"gpu_memory_utilization", o.memoryShare, "", ""},
		{"is_attention_free", "False", "0.6.3", ""}, {"kv_cache_memory_bytes", "None", "0.11", ""}, {"kv_offloading_backend", "native", "0.12", ""},
		{"kv_offloading_size", "None", "0.11.1", ""}, {"kv_sharing_fast_prefill", "False", "0.10", ""}, {"mamba_block_size", "None", "0.11", ""},
		{"mamba_cache_dtype", "auto", "0.10.1", ""}, {"mamba_cache_mode", "none", "0.15", ""}, {"mamba_page_size_padded", "None", "0.10.1", ""},
		{"mamba_ssm_cache_dtype", "auto", "0.10.1", ""}, {"num_cpu_blocks", "None", "0.9", ""}, {"num_cpu_blocks", "2048", "", "0.9"},
		{"num_gpu_blocks", integerText(kvBlocks), "", ""}, {"num_gpu_blocks_override", "None", "", ""},
		{"prefix_caching_hash_algo", "builtin", "0.8.3", "0.11"}, {"prefix_caching_hash_algo", "sha256", "0.11", ""},
		{"sliding_window", "None", "", ""}, {"swap_space", "4.0", "0.9", ""}, {"swap_space_bytes", "4294967296", "", "0.9"},
	} {
		if (definition{since: c.since, until: c.until}).in(o.release) {
			labels = append(labels, label{c.name, c.value})
		}
	}
	return labels
}
