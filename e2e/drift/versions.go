package drift

import (
	"slices"

	"github.com/panelgate/panelgate/fakes/release"
	"github.com/panelgate/panelgate/fakes/standard"
)

// changing are the releases at which what an exporter prints changes the most, and those
// that many run. Of an exporter that has few releases all are tried.
func changing(name string) []string {
	switch name {
	case "triton":
		return []string{"20.06", "21.12", "22.02", "22.09", "23.03", "23.04", "23.09", "24.01", "24.05", "24.07", "24.11", "26.01", "26.06"}
	case "dcgm":
		return []string{"2.0.13", "2.2.9", "2.3.1", "2.4.6", "3.2.5", "3.3.5", "3.3.7", "4.0.0", "4.3.1", "4.5.3", release.Tip}
	case "node":
		return []string{"1.0.0", "1.3.1", "1.4.0", "1.6.1", "1.8.2", "1.9.1"}
	}
	return nil
}

// DefaultVersions are the releases of an exporter that are tried unless told otherwise:
// those at which its output changes, as far as its fake acts them out, and the newest.
func DefaultVersions(name string) []string {
	all := standard.Versions(name)
	wanted := changing(name)
	if wanted == nil {
		return all
	}
	var out []string
	for i, v := range all {
		named := slices.ContainsFunc(wanted, func(w string) bool { return release.MustParse(v).Compare(release.MustParse(w)) == 0 })
		if named || i == len(all)-1 {
			out = append(out, v)
		}
	}
	return out
}
