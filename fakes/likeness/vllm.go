package likeness

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/panelgate/panelgate/fakes/exposition"
	"github.com/panelgate/panelgate/fakes/release"
)

// vllm derives setups of a vLLM server: its model and cache from labels, and what else there is to choose by trying.
func vllm(p *page) []Likeness {
	base := Likeness{Scenario: p.served().text()}
	add := func(l *Likeness, flags ...string) {
		l.Setup.Args = append(slices.Clone(l.Setup.Args), flags...)
		l.Told = append(slices.Clone(l.Told), strings.Join(flags, " "))
	}
	if names := p.values("model_name", nil); len(names) > 0 {
		add(&base, "--model", names[0])
	}
	if n := longest(p.byName["vllm:request_prompt_tokens"]); n != "" {
		add(&base, "--max-model-len", n)
	}
	if !p.any("vllm:") {
		add(&base, "--disable-log-stats")
	}
	for flag, label := range map[string]string{"--block-size": "block_size", "--kv-cache-dtype": "cache_dtype", "--gpu-memory-utilization": "gpu_memory_utilization"} {
		if v := p.values(label, is("vllm:cache_config_info")); len(v) == 1 {
			base.Setup.Args = append(base.Setup.Args, flag, v[0])
		}
	}
	if v := p.values("enable_prefix_caching", is("vllm:cache_config_info")); len(v) == 1 && v[0] == "False" {
		base.Setup.Args = append(base.Setup.Args, "--no-enable-prefix-caching")
	}
	return p.tried(base, add)
}

// tried are the setups that come into question: with either engine, with one process and with several, with metrics that are hidden
// and without.
func (p *page) tried(base Likeness, add func(*Likeness, ...string)) []Likeness {
	out := []Likeness{base}
	vary := func(change func(*Likeness)) {
		for _, l := range slices.Clone(out) {
			change(&l)
			l.rank++
			out = append(out, l)
		}
	}
	r, err := release.Parse(cmp.Or(p.version, "0.17.1"))
	if err != nil {
		return out
	}
	if r.Since("0.7") && r.Before("0.11") {
		other := "1"
		if r.Since("0.8") {
			other = "0"
		}
		vary(func(l *Likeness) {
			l.Setup.Env = map[string]string{"VLLM_USE_V1": other}
			l.Told = append(slices.Clone(l.Told), "VLLM_USE_V1="+other)
		})
	}
	if p.any("process_") {
		if r.Before("0.11") {
			vary(func(l *Likeness) { add(l, "--disable-frontend-multiprocessing") })
		}
	} else {
		vary(func(l *Likeness) { add(l, "--api-server-count", "2") })
	}
	if _, minor, ok := strings.Cut(r.String(), "."); ok {
		minor, _, _ = strings.Cut(minor, ".")
		if n, err := strconv.Atoi(minor); err == nil && n > 0 {
			vary(func(l *Likeness) { add(l, fmt.Sprintf("--show-hidden-metrics-for-version=0.%d", n-1)) })
		}
	}
	return out
}

// longest is the last bound of a histogram of tokens, which is no longer than a prompt can be.
func longest(f *exposition.Family) string {
	if f == nil {
		return ""
	}
	best := 0.0
	for _, s := range f.Samples {
		if v, err := exposition.ParseValue(s.Label("le")); err == nil && v < 1e9 {
			best = max(best, v)
		}
	}
	if best < 1 {
		return ""
	}
	return strconv.Itoa(int(best))
}

// served is the machine with its model.
func (p *page) served() scenario {
	m := model{Name: "served", Kind: "vllm", LLM: &llm{}}
	if blocks := p.values("num_gpu_blocks", is("vllm:cache_config_info")); len(blocks) == 1 {
		if n, err := strconv.ParseInt(blocks[0], 10, 64); err == nil && n > 0 {
			m.LLM.KVCache = map[string]int64{"blocks": n}
		}
	}
	for _, name := range []string{"vllm:generation_tokens_total", "vllm:request_success_total"} {
		if f := p.byName[name]; f != nil && slices.ContainsFunc(f.Samples, func(s *exposition.Line) bool {
			v, err := exposition.ParseValue(s.Value)
			return err == nil && v > 0
		}) {
			m.Requests = 1
		}
	}
	return scenario{Models: []model{m}}
}
