// Package vllm is a fake vLLM: what its OpenAI-compatible server prints at /metrics of the language model that it serves, by release
// and command line. The server is a Python process, and its page that of Python's prometheus_client.
//
// Of a world it serves the first model of kind vllm. In a world without one it serves a model of its own, which gets as many requests
// as all models of the world together, so that it is as busy or idle as the world is.
package vllm

import (
	"time"

	"github.com/panelgate/panelgate/fakes"
)

// DefaultPort is where the server listens by default. Many others listen there too, Triton's HTTP side among them.
const DefaultPort = 8000

// name is the exporter's own, as the world's outages and restarts know it.
const name = "vllm"

// Exporter answers the scrapes of one vLLM server. It is immutable and safe for concurrent use.
type Exporter struct {
	world    *fakes.World
	llm      *fakes.LLM
	id       fakes.Identity
	options  options
	traits   traits
	families []definition // of the release, in print order
}

// New is the newest vLLM that is acted out, started without a word, on the machine at an address, "host:port" or "host".
func New(w *fakes.World, instance string) *Exporter {
	return newExporter(w, instance, defaultOptions())
}

func newExporter(w *fakes.World, instance string, o options) *Exporter {
	llm := w.ServedLLM()
	if o.model == "" {
		o.model = llm.Name()
	}
	if o.contextTokens == 0 {
		o.contextTokens = llm.ContextTokens()
	}
	if o.blockSize == "" {
		o.blockSize = integerText(llm.BlockTokens())
	}
	e := &Exporter{world: w, llm: llm, id: fakes.IdentityOf(instance), options: o, traits: o.traits(llm.KVBlocks())}
	if !o.disableLogStats {
		e.families = definitions(o)
	}
	return e
}

// Name is "vllm".
func (e *Exporter) Name() string { return name }

// The names of the text format in prometheus_client: the new one came with its release 0.23, and means the same.
const (
	textFormat    = "text/plain; version=0.0.4; charset=utf-8"
	newTextFormat = "text/plain; version=1.0.0; charset=utf-8"
)

// ContentType is what prometheus_client calls the text format.
func (e *Exporter) ContentType() string { return e.traits.contentType }

// AppendScrape appends the body of GET /metrics at a time.
func (e *Exporter) AppendScrape(dst []byte, at time.Time) []byte {
	w := writer{dst: dst, multiprocess: e.traits.multiprocess}
	e.write(&w, at)
	return w.dst
}

// appendOpenMetrics appends the page in the other format, which not every path of the server knows.
func (e *Exporter) appendOpenMetrics(dst []byte, at time.Time) []byte {
	w := writer{dst: dst, openMetrics: true, multiprocess: e.traits.multiprocess}
	e.write(&w, at)
	return append(w.dst, "# EOF\n"...)
}

func (e *Exporter) write(w *writer, at time.Time) {
	s := e.read(at)
	if !e.traits.multiprocess {
		for _, f := range s.process() {
			w.family(f)
		}
	}
	for i := range e.families {
		w.family(e.families[i].family(s, i))
	}
	if e.traits.instrumented {
		for _, f := range s.http() {
			w.family(f)
		}
	}
}

// state is what the server knows at a moment.
type state struct {
	fakes.LLMCounters
	options *options
	traits  *traits
	at      time.Time
	started time.Time // the counters are 0 then
	ready   float64   // when the counters were made, in Unix time
	running int64
	waiting int64
	usage   float64 // of the KV cache, 0..1
	// A scrape's rates are those of the last ten seconds.
	promptRate, outputRate float64
	identity               uint64 // tells one machine's process from another's
}

// throughputWindow is over how long the first engine took its averages.
const throughputWindow = 10 * time.Second

// identities is how many processes can be told apart.
const identities = 1000

func (e *Exporter) read(at time.Time) *state {
	if at.Before(e.world.Start()) {
		at = e.world.Start()
	}
	started := e.world.Started(name, at)
	s := &state{
		LLMCounters: e.llm.Since(started, at), options: &e.options, traits: &e.traits, at: at, started: started, ready: seconds(started),
		running: e.llm.Running(at), waiting: e.llm.Waiting(at), usage: e.llm.KVCacheUsage(at), identity: e.id.Number("vllm", identities),
	}
	s.promptRate = e.llm.PromptTokens(at.Add(-throughputWindow), at) / throughputWindow.Seconds()
	s.outputRate = e.llm.OutputTokens(at.Add(-throughputWindow), at) / throughputWindow.Seconds()
	return s
}

// seconds is a moment as Python's time.time() has it.
func seconds(t time.Time) float64 { return float64(t.UnixMicro()) / 1e6 }
