package likeness

import (
	"fmt"

	"go.yaml.in/yaml/v3"
)

// scenario is a scenario as its YAML has it, as far as a scrape tells one.
type scenario struct {
	Version int     `yaml:"version"`
	Models  []model `yaml:"models,omitempty"`
	GPUs    []gpu   `yaml:"gpus,omitempty"`
	Host    host    `yaml:"host,omitempty"`
	Events  []event `yaml:"events,omitempty"`
}

type model struct {
	Name        string             `yaml:"name"`
	Version     string             `yaml:"version,omitempty"`
	Kind        string             `yaml:"kind,omitempty"`
	GPU         *int               `yaml:"gpu,omitempty"`
	LoadedAfter string             `yaml:"loaded_after,omitempty"`
	Decoupled   bool               `yaml:"decoupled,omitempty"`
	Requests    float64            `yaml:"requests_per_second,omitempty"`
	Stages      map[string]float64 `yaml:"stages_us,omitempty"`
	Cache       map[string]float64 `yaml:"response_cache,omitempty"`
	Custom      []custom           `yaml:"custom_metrics,omitempty"`
	LLM         *llm               `yaml:"llm,omitempty"`
}

type custom struct {
	Name       string            `yaml:"name"`
	Type       string            `yaml:"type"`
	Help       string            `yaml:"help"`
	Labels     map[string]string `yaml:"labels,omitempty"`
	PerRequest float64           `yaml:"per_request,omitempty"`
	Value      float64           `yaml:"value,omitempty"`
}

type llm struct {
	KVCache map[string]int64 `yaml:"kv_cache,omitempty"`
}

type gpu struct {
	Model   string     `yaml:"model,omitempty"`
	UUID    string     `yaml:"uuid,omitempty"`
	NVLinks int        `yaml:"nvlinks,omitempty"`
	VGPU    bool       `yaml:"vgpu,omitempty"`
	Memory  *memory    `yaml:"memory_mib,omitempty"`
	MIG     []instance `yaml:"mig,omitempty"`
	Pod     *pod       `yaml:"pod,omitempty"`
}

type memory struct {
	Total int64 `yaml:"total"`
}

type instance struct {
	Profile string `yaml:"profile"`
	ID      int    `yaml:"id"`
	Pod     *pod   `yaml:"pod,omitempty"`
}

type pod struct {
	Name      string            `yaml:"name"`
	Namespace string            `yaml:"namespace,omitempty"`
	Container string            `yaml:"container"`
	UID       string            `yaml:"uid,omitempty"`
	Labels    map[string]string `yaml:"labels,omitempty"`
}

type host struct {
	CPUs       int   `yaml:"cpus,omitempty"`
	MemoryMiB  int64 `yaml:"memory_mib,omitempty"`
	GraceCPUs  int   `yaml:"grace_cpus,omitempty"`
	NVSwitches int   `yaml:"nvswitches,omitempty"`
}

type event struct {
	At   string `yaml:"at"`
	GPUs []int  `yaml:"gpus"`
	XID  int    `yaml:"xid"`
}

func (s scenario) text() []byte {
	s.Version = 1
	text, err := yaml.Marshal(s)
	if err != nil {
		panic(fmt.Sprintf("likeness: write a scenario: %v", err)) // of texts and numbers alone
	}
	return text
}
