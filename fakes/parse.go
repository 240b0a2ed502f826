package fakes

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/panelgate/panelgate/fakes/internal/curve"
)

// scenarioVersion is the version of the scenario format that this package reads.
const scenarioVersion = 1

// Limits that keep a scenario's page to what a scrape can carry and its numbers to what float64 counts exactly.
const (
	maxModels      = 500
	maxGPUs        = 64
	maxCPUs        = 1024
	maxRate        = 1e5      // per second
	smallestRate   = 1e-6     // per second; below it float64 loses a millisecond's growth
	maxMicros      = 600e6    // ten minutes
	maxLoadSeconds = 3600.0   // to load a model
	maxBatch       = 1 << 16  // inferences, or requests of an execution
	maxMemoryMiB   = 64 << 20 // 64 TiB
	maxWatts       = 1e5
	maxCelsius     = 150
)

// modelKinds are the kinds of model that Triton ships a backend for, and ensembles.
func modelKinds() []string {
	return []string{"python", "onnxruntime", "tensorrt", "pytorch", "tensorflow", "openvino", "tensorrtllm", "vllm", "dali", "fil", ensembleKind}
}

// labelSafe is what a model name or version may look like: what Triton takes as a directory name, without anything to escape.
var labelSafe = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]*$`)

// ParseScenario reads a scenario from YAML; name stands for the file in errors. Unknown keys and values out of range are errors
// that say file, line and column.
func ParseScenario(name string, data []byte) (*Scenario, error) {
	if len(data) > maxScenarioBytes {
		return nil, fmt.Errorf("%s: %d bytes, more than the %d a scenario may have", name, len(data), maxScenarioBytes)
	}
	root, err := parseYAML(name, data)
	if err != nil {
		return nil, err
	}
	scenario := &Scenario{name: name, source: bytes.Clone(data), host: defaultHost()}
	version := 0
	err = root.mapping(setters{
		"version": formatVersion(&version),
		"models":  func(f field) error { return f.items(scenario.addModel) },
		"gpus":    func(f field) error { return f.items(scenario.addGPU) },
		"host":    func(f field) error { return scenario.host.read(f) },
		"events":  func(f field) error { return f.items(scenario.addEvent) },
	})
	if err != nil {
		return nil, err
	}
	if version == 0 {
		return nil, root.errorf("version is missing; this is version %d of the format", scenarioVersion)
	}
	if err := scenario.check(); err != nil {
		return nil, err
	}
	return scenario, nil
}

func parseYAML(name string, data []byte) (field, error) {
	var document yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	if err := decoder.Decode(&document); err != nil {
		if errors.Is(err, io.EOF) {
			return field{}, position{file: name, line: 1, column: 1}.errorf("scenario is empty")
		}
		return field{}, brokenYAML(name, err)
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return field{}, position{file: name, line: 1, column: 1}.errorf("want one YAML document, have more or a broken second one")
	}
	return field{file: name}.child("the scenario", document.Content[0]), nil
}

// formatVersion sets the version of the format, which there is one of.
func formatVersion(to *int) func(field) error {
	return func(f field) error {
		if err := integer(to, math.MinInt, math.MaxInt)(f); err != nil {
			return err
		}
		if *to != scenarioVersion {
			return f.errorf("%d is none that this program reads; this is version %d of the format", *to, scenarioVersion)
		}
		return nil
	}
}

// ofReader is how the YAML reader tells of a line, where it does.
var ofReader = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

// brokenYAML says of what is no YAML where it is so, as an editor jumps to it. The reader knows no column.
func brokenYAML(file string, err error) error {
	text := err.Error()
	if m := ofReader.FindStringSubmatch(text); m != nil {
		text = strings.TrimPrefix(text, m[0])
		if m[1] != "" {
			file += ":" + m[1]
		}
	}
	if strings.Contains(text, "cannot start any token") {
		text += "; YAML is indented by spaces, not by tabs"
	}
	return fmt.Errorf("%s: %s", file, text)
}

func defaultHost() hostSpec {
	return hostSpec{
		cpus: 4, memoryMiB: 16 << 10, uptime: 24 * time.Hour,
		cpuLoad: curve.Constant(0.05), memory: curve.Constant(0.3),
	}
}

func (s *Scenario) addModel(f field) error {
	if len(s.models) == maxModels {
		return f.errorf("more than %d models", maxModels)
	}
	m := modelSpec{version: "1", kind: "python", gpu: cpuOnly, loadSeconds: 1.5, batchSize: 1, at: f.at(), gpuAt: f.at(), loadAt: f.at()}
	var requests wave
	perExec := wave{mean: 1}
	overhead := wave{mean: defaultOverhead}
	err := f.mapping(setters{
		"name":    name(&m.name),
		"version": name(&m.version),
		"kind":    oneOf(&m.kind, modelKinds()...),
		"gpu": func(f field) error {
			m.gpuAt = f.at()
			return integer(&m.gpu, 0, maxGPUs-1)(f)
		},
		"decoupled": boolean(&m.decoupled),
		"loaded_after": func(f field) error {
			m.loadAt = f.at()
			return duration(&m.loadedAfter, 0)(f)
		},
		"load_seconds":           number(&m.loadSeconds, 0, maxLoadSeconds),
		"steps":                  func(f field) error { return f.items(m.addStep) },
		"requests_per_second":    rate(&requests),
		"batch_size":             integer(&m.batchSize, 1, maxBatch),
		"requests_per_execution": waveform(&perExec, 1, maxBatch),
		"stages_us":              m.readStages,
		"overhead_us":            waveform(&overhead, 1, maxMicros),
		"failures_per_second":    m.readFailures,
		"response_cache":         m.readCache,
		"llm":                    m.readLLM,
		"custom_metrics":         func(f field) error { return f.items(func(f field) error { return m.addCustom(f, s.models) }) },
	})
	if err != nil {
		return err
	}
	if m.name == "" {
		return f.errorf("name is missing")
	}
	if err := m.settleLLM(); err != nil {
		return err
	}
	m.requests, m.overhead = requests.curve(), overhead.curve()
	// Executions per request swing against requests per execution: a fuller batch needs fewer of them.
	for i := range perExec.sines {
		perExec.sines[i].Phase += 0.5
	}
	m.execsPerReq = curve.Wave(1/perExec.mean, perExec.sines...)
	s.models = append(s.models, m)
	return nil
}

// defaultOverhead is what a request takes beyond its stages, in microseconds, in a backend written in C++.
const defaultOverhead = 2.2

func name(to *string) func(field) error {
	return func(f field) error {
		if err := text(to)(f); err != nil {
			return err
		}
		if !labelSafe.MatchString(*to) {
			return f.errorf("%q is not a name that Triton takes: letters, digits, _ . - only", *to)
		}
		return nil
	}
}

// rate is a wave of events per second: none at all, or enough of them for a counter to grow measurably.
func rate(to *wave) func(field) error {
	return func(f field) error {
		if err := waveform(to, 0, maxRate)(f); err != nil {
			return err
		}
		if to.mean > 0 && to.mean < smallestRate {
			return f.errorf("%v is above zero but below %v", to.mean, smallestRate)
		}
		return nil
	}
}

func (m *modelSpec) addStep(f field) error {
	var step string
	if err := name(&step)(f); err != nil {
		return err
	}
	m.steps = append(m.steps, step)
	return nil
}

func (m *modelSpec) readStages(f field) error {
	var stages [stageCount]wave
	err := f.mapping(setters{
		"queue":          waveform(&stages[stageQueue], 0, maxMicros),
		"compute_input":  waveform(&stages[stageComputeInput], 0, maxMicros),
		"compute_infer":  waveform(&stages[stageComputeInfer], 0, maxMicros),
		"compute_output": waveform(&stages[stageComputeOutput], 0, maxMicros),
	})
	if err != nil {
		return err
	}
	for i := range stages {
		m.stages[i] = stages[i].curve()
	}
	return nil
}

func (m *modelSpec) readFailures(f field) error { return readFailures(f, &m.failures) }

func readFailures(f field, to *[reasonCount]curve.Curve) error {
	var failures [reasonCount]wave
	set := setters{}
	for _, reason := range Reasons() {
		set[reason.String()] = rate(&failures[reason])
	}
	if err := f.mapping(set); err != nil {
		return err
	}
	for i := range failures {
		to[i] = failures[i].curve()
	}
	return nil
}

func (m *modelSpec) readCache(f field) error {
	m.cache = &cacheSpec{hitUS: 40, missUS: 120}
	return f.mapping(setters{
		"hit_ratio": number(&m.cache.hitRatio, 0, 1),
		"hit_us":    number(&m.cache.hitUS, 1, maxMicros),
		"miss_us":   number(&m.cache.missUS, 1, maxMicros),
	})
}

func (s *Scenario) addGPU(f field) error {
	count := 1
	g := gpuSpec{model: "NVIDIA L4", memoryTotal: 23034, memoryReserved: 470, memoryIdle: 512, memoryBusy: 1024,
		powerLimit: 72, powerIdle: 17, powerBusy: 70, temperatureIdle: 36, tempBusy: 68, at: f.at()}
	var load wave
	err := f.mapping(g.parts.setters(setters{
		"count": integer(&count, 1, maxGPUs),
		"model": text(&g.model),
		"load":  waveform(&load, 0, 1),
		"memory_mib": func(f field) error {
			return f.mapping(setters{
				"total":    integer(&g.memoryTotal, 1, maxMemoryMiB),
				"reserved": integer(&g.memoryReserved, 0, maxMemoryMiB),
				"idle":     number(&g.memoryIdle, 0, maxMemoryMiB),
				"busy":     number(&g.memoryBusy, 0, maxMemoryMiB),
			})
		},
		"power_watts": func(f field) error {
			return f.mapping(setters{
				"limit": number(&g.powerLimit, 1, maxWatts),
				"idle":  number(&g.powerIdle, 1, maxWatts),
				"busy":  number(&g.powerBusy, 1, maxWatts),
			})
		},
		"temperature_celsius": func(f field) error {
			return f.mapping(setters{
				"idle": number(&g.temperatureIdle, 0, maxCelsius),
				"busy": number(&g.tempBusy, 0, maxCelsius),
			})
		},
	}))
	if err != nil {
		return err
	}
	if strconv.Quote(g.model) != `"`+g.model+`"` {
		return f.errorf("model: %q has characters that a label would have to escape", g.model)
	}
	g.load = load.curve()
	for range count {
		s.gpus = append(s.gpus, g)
	}
	if len(s.gpus) > maxGPUs {
		return f.errorf("more than %d GPUs", maxGPUs)
	}
	return nil
}

func (h *hostSpec) read(f field) error {
	h.at = f.at()
	load, memory := wave{mean: h.cpuLoad.Mean()}, wave{mean: h.memory.Mean()}
	err := f.mapping(h.parts.setters(setters{
		"cpus":        integer(&h.cpus, 1, maxCPUs),
		"memory_mib":  integer(&h.memoryMiB, 64, maxMemoryMiB),
		"cpu_load":    waveform(&load, 0, 1),
		"memory_used": waveform(&memory, 0.01, 0.99),
		"uptime":      duration(&h.uptime, 0),
	}))
	if err != nil {
		return err
	}
	h.cpuLoad, h.memory = load.curve(), memory.curve()
	if _, high := h.memory.Bounds(); high > 0.99 || math.IsNaN(high) {
		return f.errorf("memory_used reaches %.3g; at most 0.99 of the memory can be in use", high)
	}
	return nil
}
