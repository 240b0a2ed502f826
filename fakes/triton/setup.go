package triton

import (
	"fmt"
	"regexp"

	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/fakes/release"
)

// oldest is the first release that is acted out, and newest the one where none is asked for.
const (
	oldest = "20.06"
	newest = "26.06"
)

// Versions are the releases acted out, oldest first: one a month, but for the month without one.
func Versions() []string {
	var versions []string
	for year := 20; year <= 26; year++ {
		for month := 1; month <= 12; month++ {
			version := fmt.Sprintf("%02d.%02d", year, month)
			if version >= oldest && version <= newest && version != "21.01" {
				versions = append(versions, version)
			}
		}
	}
	return versions
}

// Build is New for an exporter that is set up otherwise. Releases newer than those known are taken for the newest. An error says
// what in the setup the real one would not start with.
func Build(w *fakes.World, instance string, setup fakes.Setup) (*Exporter, error) {
	o, err := optionsOf(setup)
	if err != nil {
		return nil, err
	}
	if !o.cache.on {
		w = w.WithoutCache()
	}
	e := &Exporter{world: w, id: fakes.IdentityOf(instance), options: o, models: w.Models()}
	if _, without := setup.Env["TRITON_SERVER_CPU_ONLY"]; o.gpuMetrics && !without {
		e.gpus = w.GPUs()
	}
	e.epochs = e.findEpochs()
	return e, nil
}

// Caches says whether a Triton that is set up like this has a response cache for the models that use it.
func Caches(setup fakes.Setup) bool {
	o, err := optionsOf(setup)
	return err == nil && o.cache.on
}

// optionsOf is what a setup says.
func optionsOf(setup fakes.Setup) (*options, error) {
	spelling := regexp.MustCompile(`^(\d\d\.(0[1-9]|1[0-2])|` + release.Tip + `)$`)
	version := newest
	if setup.Version != "" {
		version = setup.Version
	}
	r, err := release.Parse(version)
	if err != nil {
		return nil, fmt.Errorf("version: %w", err)
	}
	if !spelling.MatchString(r.String()) {
		return nil, fmt.Errorf("version: %q is no release of Triton: they are written as 24.07", version)
	}
	if r.Before(oldest) {
		return nil, fmt.Errorf("version: Triton %s is older than what is acted out: releases from %s on are", r, oldest)
	}
	o, err := readOptions(r, setup.Args)
	if err != nil {
		return nil, fmt.Errorf("args of tritonserver: %w", err)
	}
	return o, nil
}

// New is the Triton on the machine at an address, "host:port" or "host". The host decides its GPUs' UUIDs.
func New(w *fakes.World, instance string) *Exporter {
	e, err := Build(w, instance, fakes.Setup{})
	if err != nil {
		panic("triton: the zero setup: " + err.Error()) // it is the same for every world
	}
	return e
}
