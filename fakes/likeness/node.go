package likeness

import (
	"slices"
	"strings"

	"github.com/panelgate/panelgate/fakes/exposition"
	"github.com/panelgate/panelgate/fakes/node"
)

// nodeExporter derives the setup of a node_exporter: which collectors are switched on and off.
func nodeExporter(p *page) []Likeness {
	l := Likeness{Scenario: p.host().text()}
	switches, err := node.Switches(p.version)
	if err != nil {
		return []Likeness{l} // its fake says what is wrong with the version
	}
	running := p.values("collector", is("node_scrape_collector_success"))
	var off []string
	for _, s := range switches {
		seen := slices.ContainsFunc(s.Families, p.has)
		if len(s.Families) == 0 && len(running) > 0 {
			seen = slices.Contains(running, strings.TrimPrefix(s.Flag, "--collector."))
		}
		switch {
		case seen == s.Enabled || len(s.Families) == 0 && len(running) == 0:
		case seen:
			l.Setup.Args = append(l.Setup.Args, s.Flag)
			l.Told = append(l.Told, s.Flag)
		default:
			l.Setup.Args = append(l.Setup.Args, s.Off())
			off = append(off, strings.TrimPrefix(s.Flag, "--collector."))
		}
	}
	ofGo := func(f *exposition.Family) bool { return strings.HasPrefix(f.Name, "go_") }
	if !slices.ContainsFunc(p.families, ofGo) && !p.partial {
		l.Setup.Args = append(l.Setup.Args, "--web.disable-exporter-metrics")
		l.Told = append(l.Told, "--web.disable-exporter-metrics")
	}
	if len(off) > 0 {
		l.Told = append(l.Told, "off, or without anything in the machine: "+strings.Join(off, ", "))
	}
	return []Likeness{l}
}

// host is the machine's size.
func (p *page) host() scenario {
	s := scenario{Host: host{CPUs: len(p.values("cpu", is("node_cpu_seconds_total")))}}
	if f := p.byName["node_memory_MemTotal_bytes"]; f != nil && len(f.Samples) > 0 {
		if v, err := exposition.ParseValue(f.Samples[0].Value); err == nil && v >= 64<<20 {
			s.Host.MemoryMiB = int64(v) >> 20
		}
	}
	return s
}
