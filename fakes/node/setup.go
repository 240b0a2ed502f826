package node

import (
	"fmt"

	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/fakes/release"
)

// newest is the release that is acted out where none is asked for.
const newest = "1.12.1"

// Versions are the releases acted out, oldest first.
func Versions() []string { return []string{newest} }

// Build is New for an exporter that is set up otherwise. An error says what in the setup the real one would not start with.
func Build(w *fakes.World, instance string, setup fakes.Setup) (*Exporter, error) {
	if setup.Version != "" {
		if _, err := release.Parse(setup.Version); err != nil {
			return nil, fmt.Errorf("version: %w", err)
		}
	}
	return New(w, instance), nil
}
