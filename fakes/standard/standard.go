// Package standard knows every fake exporter by its name and by the port that the real one listens on by default.
package standard

import (
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"

	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/fakes/dcgm"
	"github.com/panelgate/panelgate/fakes/node"
	"github.com/panelgate/panelgate/fakes/replay"
	"github.com/panelgate/panelgate/fakes/triton"
	"github.com/panelgate/panelgate/fakes/vllm"
)

// exporter is one kind of exporter: what it is called, where it listens (0 for what stands in for any of them), which of its releases
// are acted out, oldest first, and how it is made.
type exporter struct {
	name     string
	port     int
	versions []string
	make     func(w *fakes.World, instance string, setup fakes.Setup) (fakes.Exporter, error)
}

// exporters are all there are.
var exporters = sync.OnceValue(everyExporter) //nolint:gochecknoglobals // it never changes, and is looked into for every selector

func everyExporter() []exporter {
	return []exporter{
		{tritonName, triton.DefaultPort, triton.Versions(), func(w *fakes.World, instance string, setup fakes.Setup) (fakes.Exporter, error) {
			return triton.Build(w, instance, setup)
		}},
		{"dcgm", dcgm.DefaultPort, dcgm.Versions(), func(w *fakes.World, instance string, setup fakes.Setup) (fakes.Exporter, error) {
			return dcgm.Build(w, instance, setup)
		}},
		{"node", node.DefaultPort, node.Versions(), func(w *fakes.World, instance string, setup fakes.Setup) (fakes.Exporter, error) {
			return node.Build(w, instance, setup)
		}},
		{"vllm", vllm.DefaultPort, vllm.Versions(), func(w *fakes.World, instance string, setup fakes.Setup) (fakes.Exporter, error) {
			return vllm.Build(w, instance, setup)
		}},
		{name: replay.Name, make: func(w *fakes.World, instance string, setup fakes.Setup) (fakes.Exporter, error) {
			return replay.Build(w, instance, setup)
		}},
	}
}

// ByName makes the exporter of that name for a machine of the world. instance is the address scraped, "host:port" or "host":
// exporters of one host agree on its GPUs and names, those of different hosts differ.
// A setup that the real one would not start with is an error.
func ByName(name, instance string, w *fakes.World, setup fakes.Setup) (fakes.Exporter, error) {
	for _, e := range exporters() {
		if e.name != name {
			continue
		}
		made, err := e.make(w, instance, setup)
		if err != nil {
			return nil, fmt.Errorf("set up the fake of %s: %w", name, err)
		}
		return made, nil
	}
	return nil, fmt.Errorf("no fake exporter %q; there are %s", name, strings.Join(Names(), ", "))
}

// World is the world that the exporter of that name acts in when it is set up like this: without the response cache behind a Triton
// that has none.
func World(name string, w *fakes.World, setup fakes.Setup) *fakes.World {
	if name == tritonName && !triton.Caches(setup) {
		return w.WithoutCache()
	}
	return w
}

// Together is the world in which exporters act that watch the same machines: without the response cache where there are Tritons and
// none of them has one, so that the others see the load that theirs do.
func Together(w *fakes.World, each iter.Seq2[string, fakes.Setup]) *fakes.World {
	tritons := false
	for name, setup := range each {
		if name != tritonName {
			continue
		}
		if triton.Caches(setup) {
			return w.AsWritten()
		}
		tritons = true
	}
	if tritons {
		return w.WithoutCache()
	}
	return w.AsWritten()
}

const tritonName = "triton"

// OfPort is the name of the exporter whose default port this is; false where it is nobody's. It is nobody's either where so many other
// servers listen by default that the port says nothing, as with vLLM's.
func OfPort(port int) (string, bool) {
	for _, e := range exporters() {
		if e.port == port && port != 0 && port != vllm.DefaultPort {
			return e.name, true
		}
	}
	return "", false
}

// Names are the names of all exporters that act out a scenario. What plays a recording back is none of them: it needs one.
func Names() []string {
	var names []string
	for _, e := range exporters() {
		if e.port != 0 {
			names = append(names, e.name)
		}
	}
	return names
}

// Known says whether ByName makes an exporter of that name.
func Known(name string) bool {
	return slices.ContainsFunc(exporters(), func(e exporter) bool { return e.name == name })
}

// Port is the default port of the exporter of that name; false where there is none.
func Port(name string) (int, bool) {
	for _, e := range exporters() {
		if e.name == name && e.port != 0 {
			return e.port, true
		}
	}
	return 0, false
}

// Versions are the releases that the exporter of that name acts out, oldest first; none where there is no such exporter.
func Versions(name string) []string {
	for _, e := range exporters() {
		if e.name == name {
			return e.versions
		}
	}
	return nil
}

// Title is what an exporter is called.
func Title(name string) string {
	switch name {
	case "triton":
		return "Triton"
	case "dcgm":
		return "dcgm-exporter"
	case "node":
		return "node_exporter"
	case "vllm":
		return "vLLM"
	}
	return name
}
