// Package standard knows every fake exporter by its name and by the port that the real one listens on by default.
package standard

import (
	"fmt"
	"strings"

	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/fakes/dcgm"
	"github.com/panelgate/panelgate/fakes/node"
	"github.com/panelgate/panelgate/fakes/triton"
)

// exporter is one kind of exporter: what it is called, where it listens, which of its releases are acted out, oldest first, how it is made.
type exporter struct {
	name     string
	port     int
	versions []string
	make     func(w *fakes.World, instance string) fakes.Exporter
}

func exporters() []exporter {
	return []exporter{
		{"triton", triton.DefaultPort, []string{"26.06"}, func(w *fakes.World, instance string) fakes.Exporter { return triton.New(w, instance) }},
		{"dcgm", dcgm.DefaultPort, []string{"4.5.3-4.8.2"}, func(w *fakes.World, instance string) fakes.Exporter { return dcgm.New(w, instance) }},
		{"node", node.DefaultPort, []string{"1.12.1"}, func(w *fakes.World, instance string) fakes.Exporter { return node.New(w, instance) }},
	}
}

// ByName makes the exporter of that name for a machine of the world. instance is the address scraped, "host:port" or "host":
// exporters of one host agree on its GPUs and names, those of different hosts differ.
func ByName(name, instance string, w *fakes.World) (fakes.Exporter, error) {
	for _, e := range exporters() {
		if e.name == name {
			return e.make(w, instance), nil
		}
	}
	return nil, fmt.Errorf("no fake exporter %q; there are %s", name, strings.Join(Names(), ", "))
}

// ByPort makes the exporter whose default port this is; false where it is nobody's. instance is as in ByName.
func ByPort(port int, instance string, w *fakes.World) (fakes.Exporter, bool) {
	for _, e := range exporters() {
		if e.port == port {
			return e.make(w, instance), true
		}
	}
	return nil, false
}

// Names are the names of all exporters.
func Names() []string {
	var names []string
	for _, e := range exporters() {
		names = append(names, e.name)
	}
	return names
}

// Port is the default port of the exporter of that name; false where there is none.
func Port(name string) (int, bool) {
	for _, e := range exporters() {
		if e.name == name {
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
