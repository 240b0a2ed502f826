package fakes

import (
	"bytes"
	"embed"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/panelgate/panelgate/fakes/internal/curve"
)

// Scenario is what the fakes act out: models and their traffic, GPUs, the host, and what happens to them. It comes from YAML and is
// valid once it exists; the keys are described in docs/scenarios.md. A Scenario is immutable and may be used by many Worlds.
type Scenario struct {
	name   string
	source []byte      // what it was parsed from
	models []modelSpec // in load order: parts before the ensembles made of them, later-loaded models last
	gpus   []gpuSpec
	host   hostSpec
	events []eventSpec

	limited bool // devices are kept from being busier than they can be, which no scenario that was read asks for
}

// Name is the built-in scenario's name or the file it was read from.
func (s *Scenario) Name() string { return s.name }

// YAML is the text that the scenario was parsed from, so that it can be acted out elsewhere. The caller may do with it as it likes.
func (s *Scenario) YAML() []byte { return bytes.Clone(s.source) }

// modelSpec is one model of a scenario. Times are microseconds per request, rates are per second.
type modelSpec struct {
	name        string
	version     string
	kind        string
	gpu         int // index of the GPU it runs on, cpuOnly for none
	loadedAfter time.Duration
	loadSeconds float64
	decoupled   bool
	steps       []string // of an ensemble

	requests      curve.Curve // arriving from outside; an ensemble's steps get its traffic beside their own
	batchSize     int
	execsPerReq   curve.Curve // executions per request that is not answered from the cache, 0..1
	stages        [stageCount]curve.Curve
	overhead      curve.Curve
	failures      [reasonCount]curve.Curve
	cache         *cacheSpec // nil where the response cache is off
	custom        []customSpec
	at            position
	gpuAt, loadAt position

	llm     *llmSpec // of a language model, see llm.go
	llmAt   position
	kvGiven bool // the scenario says what its KV cache holds
}

// cpuOnly is the GPU index of a model without one.
const cpuOnly = -1

// ensembleKind is the kind of a model that only passes requests on.
const ensembleKind = "ensemble"

type cacheSpec struct {
	hitRatio float64
	hitUS    float64 // microseconds a hit's lookup takes
	missUS   float64 // microseconds a miss's lookup and insertion take
}

type gpuSpec struct {
	model                       string
	load                        curve.Curve // utilisation 0..1 that no model causes
	memoryTotal, memoryReserved int64       // MiB
	memoryIdle, memoryBusy      float64     // MiB
	powerLimit                  float64     // W
	powerIdle, powerBusy        float64     // W
	temperatureIdle, tempBusy   float64     // °C
	parts                       gpuParts
	at                          position
}

type hostSpec struct {
	cpus      int
	memoryMiB int64
	cpuLoad   curve.Curve // utilisation 0..1 of all CPUs that no model causes
	memory    curve.Curve // share of memory in use, 0..1
	uptime    time.Duration
	parts     hostParts
	at        position
}

// maxScenarioBytes is far above any scenario a person writes; a larger file is a mistake.
const maxScenarioBytes = 1 << 20

// LoadScenario reads a scenario file. Unknown keys and values out of range are errors that say file, line and column.
func LoadScenario(path string) (*Scenario, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("read scenario: %w", err)
	}
	if !info.Mode().IsRegular() { // a pipe would be waited for
		return nil, fmt.Errorf("read scenario: %s is no regular file", path)
	}
	if info.Size() > maxScenarioBytes {
		return nil, fmt.Errorf("read scenario: %s has %d bytes, more than the %d a scenario may have", path, info.Size(), maxScenarioBytes)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read scenario: %w", err)
	}
	return ParseScenario(path, data)
}

//go:embed scenarios/*.yaml
var builtin embed.FS

// DefaultScenario is the name of the scenario acted out when none is asked for.
const DefaultScenario = "steady"

// BuiltinScenario is the scenario of that name among those that come with the package.
func BuiltinScenario(name string) (*Scenario, error) {
	if !slices.Contains(BuiltinScenarios(), name) {
		return nil, fmt.Errorf("no built-in scenario %q; there are %s", name, strings.Join(BuiltinScenarios(), ", "))
	}
	data, err := builtin.ReadFile("scenarios/" + name + ".yaml")
	if err != nil {
		return nil, fmt.Errorf("read built-in scenario: %w", err)
	}
	scenario, err := ParseScenario(name+".yaml", data)
	if err != nil {
		return nil, err
	}
	scenario.name = name
	return scenario, nil
}

// BuiltinScenarios names the scenarios that come with the package, in alphabetical order.
func BuiltinScenarios() []string {
	entries, err := builtin.ReadDir("scenarios")
	if err != nil {
		panic("fakes: embedded scenarios are missing: " + err.Error()) // go:embed makes this impossible
	}
	var names []string
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), path.Ext(e.Name())))
	}
	return names
}
