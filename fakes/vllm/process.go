package vllm

import (
	"math"

	"github.com/panelgate/panelgate/fakes"
)

// bootSeconds is how long the server takes to load its model before it answers.
const bootSeconds = 76.7

// python is the Python of the images.
type python struct{ minor, patch string }

func (o options) python() python {
	if o.release.Before("0.5.5") {
		return python{"10", "12"}
	}
	if o.release.Before("0.17") {
		return python{"12", "11"}
	}
	return python{"12", "13"}
}

// process are the families of Python itself and of the process, which stand first.
func (s *state) process() []family {
	age := bootSeconds + s.at.Sub(s.started).Seconds()
	p := s.traits.python
	return append(s.garbage(age),
		family{name: "python_info", kind: gauge, help: "Python platform information", series: []series{{value: 1, labels: []label{
			{"implementation", "CPython"}, {"major", "3"}, {"minor", p.minor}, {"patchlevel", p.patch}, {"version", "3." + p.minor + "." + p.patch},
		}}}},
		s.one("process_virtual_memory_bytes", gauge, "Virtual memory size in bytes.", virtualBytes+float64(s.identity)*page),
		s.one("process_resident_memory_bytes", gauge, "Resident memory size in bytes.", residentBytes+float64(s.running)*bytesPerRequest),
		s.one("process_start_time_seconds", gauge, "Start time of the process since unix epoch in seconds.", math.Round((s.ready-bootSeconds)*100)/100),
		s.one("process_cpu_seconds", counter, "Total user and system CPU time spent in seconds.",
			math.Floor(100*(bootCPU+idleCPU*age+requestCPU*float64(s.Requests)))/100),
		s.one("process_open_fds", gauge, "Number of open file descriptors.", openFiles+float64(s.running+s.waiting)),
		s.one("process_max_fds", gauge, "Maximum number of open file descriptors.", 1<<20),
	)
}

// What the server's process needs.
const (
	virtualBytes    = 9_035_190_272
	residentBytes   = 1_126_473_728
	page            = 4096
	bytesPerRequest = 16 * page
	bootCPU         = 15.8
	idleCPU         = 0.004 // of a CPU
	requestCPU      = 0.006 // seconds
	openFiles       = 48
)

// How often Python collects garbage: each generation less often than the one before.
func (s *state) garbage(age float64) []family {
	collections := []float64{1200 + age/2 + 4*float64(s.Requests), 110 + age/24 + float64(s.Requests)/3, 8 + age/900 + float64(s.Requests)/400}
	objects := []float64{11.9, 18, 34} // of a collection
	generations := func(name, help string, value func(int) float64) family {
		f := family{name: name, kind: counter, help: help}
		for i := range collections {
			f.series = append(f.series, series{labels: []label{{"generation", integerText(int64(i))}}, value: math.Floor(value(i))})
		}
		return f
	}
	return []family{
		generations("python_gc_objects_collected", "Objects collected during gc", func(i int) float64 { return objects[i] * math.Floor(collections[i]) }),
		generations("python_gc_objects_uncollectable", "Uncollectable objects found during GC", func(int) float64 { return 0 }),
		generations("python_gc_collections", "Number of times this generation was collected", func(i int) float64 { return collections[i] }),
	}
}

// one is a family of a single series without labels.
func (s *state) one(name, kind, help string, value float64) family {
	return family{name: name, kind: kind, help: help, series: []series{{value: value}}}
}

// handler is where nearly all requests go.
const handler = "/v1/chat/completions"

// What a token takes in a request or a response, and what is around it, in bytes.
const (
	bytesPerToken = 4.5
	envelopeBytes = 320
)

// answered are the requests that the server has answered, by class of their status.
func (s *state) answered() []part {
	parts := []part{{"2xx", float64(s.Requests)}, {"4xx", float64(s.Rejected)}, {"5xx", float64(s.Failed)}}
	seen := parts[:0]
	for _, p := range parts {
		if p.count > 0 {
			seen = append(seen, p)
		}
	}
	return seen
}

// http are the families of prometheus-fastapi-instrumentator, which stand last. Only that of all requests together has series before
// the first of them.
func (s *state) http() []family {
	created := 0.0
	if !s.traits.firstEngine {
		created = s.ready + httpCreated
	}
	by := []label{{"handler", handler}}
	posted := with(by, label{"method", "POST"})
	total := family{name: "http_requests", kind: counter, help: "Total number of requests by method, status and handler."}
	in := family{name: "http_request_size_bytes", kind: summary,
		help: "Content length of incoming requests by handler. Only value of header is respected. Otherwise ignored. No percentile calculated. "}
	out := family{name: "http_response_size_bytes", kind: summary,
		help: "Content length of outgoing responses by handler. Only value of header is respected. Otherwise ignored. No percentile calculated. "}
	fine := family{name: "http_request_duration_highr_seconds", kind: histogram,
		help: "Latency with many buckets but no API specific labels. Made for more accurate percentile calculations. ",
		series: []series{{spread: s.Latency, created: created, bounds: []float64{0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 2.5, 3,
			3.5, 4, 4.5, 5, 7.5, 10, 30, 60}}}}
	coarse := family{name: "http_request_duration_seconds", kind: histogram,
		help: "Latency with only few buckets by handler. Made to be only used if aggregation by handler is important. "}
	for _, p := range s.answered() {
		total.series = append(total.series, series{labels: with(posted, label{"status", p.value}), value: p.count, created: created})
	}
	if n := s.Requests; n > 0 {
		in.series = []series{{labels: by, spread: sized(n, s.Prompt.Sum), created: created}}
		out.series = []series{{labels: by, spread: sized(n, s.Output.Sum), created: created}}
		coarse.series = []series{{labels: posted, spread: s.Latency, bounds: []float64{0.1, 0.5, 1}, created: created}}
	}
	return []family{total, in, out, fine, coarse}
}

// httpCreated is how long after the engine's metrics those of its server are made.
const httpCreated = 0.27939

// sized is the size of n messages of so many tokens.
func sized(n int64, tokens float64) fakes.Histogram {
	return fakes.Histogram{Count: n, Sum: math.Floor(float64(n)*envelopeBytes + tokens*bytesPerToken)}
}
