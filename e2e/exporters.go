package e2e

import (
	"fmt"
	"slices"

	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/e2e/env/embedded"
	"github.com/panelgate/panelgate/e2e/exporter"
	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/fakes/release"
)

// exporters are those of the compose file, as the environments take them.
func (r *run) exporters() []embedded.Exporter {
	var out, silent []embedded.Exporter
	for _, own := range exporter.Of(r.stack, r.Releases) {
		e := embedded.Exporter{Addresses: own.Addresses, Fake: own.Name, Setup: own.Setup}
		if own.Refused != nil {
			e.Fake = ""
		}
		out = append(out, e)
		if len(own.Silent) > 0 {
			silent = append(silent, embedded.Exporter{Addresses: own.Silent})
		}
	}
	return append(out, silent...) // whoever does answer goes first
}

// runs tells the rules of the files which releases the stack runs, or has acted out.
func (r *run) runs(in *rule.Static) {
	if len(r.Releases) > 0 {
		in.SetExporters(exporter.Of(r.stack, r.Releases))
	}
	for _, t := range r.Config.Targets {
		if v, err := release.Parse(t.Setup.Version); err == nil {
			in.Releases[t.Fake] = append(in.Releases[t.Fake], v)
		}
	}
	for name, version := range r.Releases {
		if v, err := release.Parse(version); err == nil {
			in.Releases[name] = []release.Release{v}
		}
	}
}

// notesOfExporters say which release answers a target where the stack's image does not
// tell, or names one that is not acted out.
func (r *run) notesOfExporters(targets []env.Target) []string {
	var out []string
	for _, own := range exporter.Of(r.stack, r.Releases) {
		scraped := slices.ContainsFunc(targets, func(t env.Target) bool {
			return t.AnsweredBy == own.Name && slices.Contains(own.Addresses, t.Address)
		})
		if scraped && own.Note != "" {
			out = append(out, fmt.Sprintf("%s: %s", own.Service.Image.Pos, own.Note))
		}
	}
	return out
}
