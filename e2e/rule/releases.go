package rule

import (
	"fmt"
	"slices"

	"github.com/panelgate/panelgate/e2e/exporter"
	"github.com/panelgate/panelgate/fakes/catalogue"
	"github.com/panelgate/panelgate/fakes/release"
	"github.com/panelgate/panelgate/fakes/standard"
)

// SetExporters says which exporters the compose file runs.
func (in *Static) SetExporters(running []exporter.Running) {
	in.Exporters, in.Releases = running, map[string][]release.Release{}
	for _, own := range running {
		if v, err := release.Parse(own.Version); err == nil {
			in.Releases[own.Name] = append(in.Releases[own.Name], v)
		}
	}
}

// hadStill says whether the stack runs an exporter of a release that has the metric.
func (in *Static) hadStill(m catalogue.Metric) bool {
	return slices.ContainsFunc(in.Releases[m.Exporter], m.In)
}

// tooOld is the newest release that the stack runs of a metric's exporter, where none of
// them has the metric yet.
func (in *Static) tooOld(m catalogue.Metric) (release.Release, bool) {
	runs := in.Releases[m.Exporter]
	if m.Since == "" || len(runs) == 0 {
		return release.Release{}, false
	}
	newest := slices.MaxFunc(runs, release.Release.Compare)
	return newest, newest.Before(m.Since)
}

// exportersRefused are the exporters of the compose file that would not start: of what
// their command line, environment and files say.
func exportersRefused(in *Static) []Finding {
	var out []Finding
	for _, own := range in.Exporters {
		if own.Refused == nil {
			continue
		}
		pos := own.Service.Pos
		if pos.IsZero() {
			pos = own.Service.Image.Pos
		}
		out = append(out, Finding{
			Pos:      pos,
			Message:  fmt.Sprintf("%s of service %q ends instead of coming up: %s", standard.Title(own.Name), own.Service.Name, own.Refusal()),
			Evidence: []string{"release acted out: " + exporter.Acted(own.Name, own.Setup)},
			Fix:      "mend the service's command, environment or mounted files, or run a release that takes them",
		})
	}
	return out
}
