package node

import (
	"slices"
	"strings"

	"github.com/panelgate/panelgate/fakes"
)

// Switch is something that a release prints or not by a flag: a collector, or families of one.
type Switch struct {
	Flag     string   // such as --collector.arp
	Enabled  bool     // without a word
	Families []string // that the fake machine has for it, none where it finds nothing there
}

// Off is the flag that switches it off.
func (s Switch) Off() string { return "--no-" + strings.TrimPrefix(s.Flag, "--") }

// Switches are those of a release, by flag.
func Switches(version string) ([]Switch, error) {
	s, err := read(fakes.Setup{Version: version})
	if err != nil {
		return nil, err
	}
	past, asked := newHistory(), onlyAsked()
	asked[processorInfo] = "collector.cpu.info"
	families := map[string][]string{}
	for _, g := range collected(1, fakes.Identity{}) {
		for _, f := range g.families {
			if past.has(f.name, s.release) && asked[f.name] == "" && f.name != guestTime {
				families[g.collector] = append(families[g.collector], f.name)
			}
		}
	}
	all := []Switch{{Flag: "--collector.cpu.guest", Enabled: true, Families: []string{guestTime}}}
	for name, enabled := range s.known {
		all = append(all, Switch{Flag: "--collector." + name, Enabled: enabled, Families: families[name]})
	}
	byFlag := map[string][]string{}
	for family, flag := range asked {
		byFlag[flag] = append(byFlag[flag], family)
	}
	for flag, of := range byFlag {
		all = append(all, Switch{Flag: "--" + flag, Families: of})
	}
	known := allFlags()
	all = slices.DeleteFunc(all, func(one Switch) bool { return !known[strings.TrimPrefix(one.Flag, "--")].of(s.release) })
	slices.SortFunc(all, func(a, b Switch) int { return strings.Compare(a.Flag, b.Flag) })
	return all, nil
}
