package node

import (
	"slices"
	"strings"

	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/fakes/internal/page"
)

// group is what one collector prints.
type group struct {
	collector string
	families  []family
}

// collected are the families of all collectors that find something on this machine.
func collected(cpus int, id fakes.Identity) []group {
	return []group{
		{"arp", arpFamilies()},
		{"conntrack", conntrackFamilies()},
		{"cpu", cpuFamilies(cpus)},
		{"cpufreq", frequencyFamilies(cpus)},
		{"diskstats", diskFamilies()},
		{"dmi", dmiFamilies()},
		{"edac", edacFamilies()},
		{"entropy", entropyFamilies()},
		{"filefd", fileFamilies()},
		{"filesystem", filesystemFamilies()},
		{"hwmon", temperatureFamilies(cpus)},
		{"interrupts", interruptFamilies(cpus)},
		{"kernel_hung", hungFamilies()},
		{"loadavg", loadFamilies()},
		{"meminfo", memoryFamilies()},
		{"netclass", interfaceFamilies(id)},
		{"netdev", networkFamilies()},
		{"netstat", netstatFamilies()},
		{"nvme", nvmeFamilies(id)},
		{"os", osFamilies()},
		{"pressure", pressureFamilies()},
		{"processes", processFamiliesOfHost(cpus)},
		{"schedstat", schedulerFamilies(cpus)},
		{"selinux", selinuxFamilies()},
		{"sockstat", sockstatFamilies()},
		{"softnet", softnetFamilies(cpus)},
		{"stat", statFamilies()},
		{"systemd", systemdFamilies()},
		{"tcpstat", tcpFamilies()},
		{"textfile", textfileFamilies()},
		{"thermal_zone", coolingFamilies(cpus)},
		{"time", timeFamilies()},
		{"timex", timexFamilies()},
		{"udp_queues", queueFamilies()},
		{"uname", unameFamilies(id)},
		{"vmstat", vmstatFamilies()},
	}
}

// groups are what the collectors print that are enabled, as this release and these flags have it.
func (s settings) groups(past history, cpus int, id fakes.Identity) []group {
	var enabled []group
	for _, g := range collected(cpus, id) {
		if s.known[g.collector] {
			enabled = append(enabled, group{g.collector, s.settle(past, g)})
		}
	}
	return enabled
}

// own are the families that node_exporter tells of its process.
func (s settings) own(past history, cpus int) []family {
	if s.ownMetrics {
		return s.settle(past, group{"", slices.Concat(runtimeFamilies(cpus, goVersion(s.release)), processFamilies(), handlerFamilies())})
	}
	if s.release.Before("1.7.0") { // which counted the errors of a handler that it no longer told about
		return []family{handlerErrors()}
	}
	return nil
}

// settle brings a group to what the release prints of it and the flags leave of it.
func (s settings) settle(past history, g group) []family {
	var families []family
	for _, f := range g.families {
		if !past.has(f.name, s.release) || s.unwanted[f.name] {
			continue
		}
		var samples []sample
		for _, one := range f.samples {
			if s.keeps(g.collector, f.name, one.labels) {
				samples = append(samples, sample{labelsAt(s.release, f.name, one.labels), one.value})
			}
		}
		if len(samples) > 0 {
			families = append(families, family{f.name, f.kind, helpAt(s.release, f.name, f.help), samples})
		}
	}
	return families
}

func (s settings) keeps(collector, family, labels string) bool {
	for _, f := range s.filters {
		if f.collector != collector {
			continue
		}
		value := strings.TrimPrefix(family, f.prefix)
		if f.label != "" {
			value = labelValue(labels, f.label)
			if value == "" { // a family that is not about what the flag picks from
				continue
			}
		}
		if !f.keeps(value) {
			return false
		}
	}
	return true
}

// layout is the page of the given collectors, nil for all that are enabled.
func (e *Exporter) layout(only map[string]bool) *page.Page[snapshot] {
	families := slices.Clone(e.own)
	for _, g := range e.groups {
		if only == nil || only[g.collector] {
			families = append(families, g.families...)
		}
	}
	var scraped []string
	for name, enabled := range e.settings.known {
		if enabled && (only == nil || only[name]) {
			scraped = append(scraped, name)
		}
	}
	families = append(families, buildFamily(e.settings.release))
	families = append(families, scrapeFamilies(scraped, e.settings.release)...)
	slices.SortFunc(families, func(a, b family) int { return strings.Compare(a.name, b.name) })
	var b page.Builder[snapshot]
	if e.settings.ownMetrics {
		garbageCollections(&b, helpAt(e.settings.release, pauses, pausesHelp))
	}
	for _, f := range families {
		b.Family(f.name, f.kind, f.help, number)
		// client_golang sorts by label values; within a family the names are the same, so that the texts sort alike.
		slices.SortFunc(f.samples, func(a, b sample) int { return strings.Compare(a.labels, b.labels) })
		for _, s := range f.samples {
			b.Sample(s.labels, s.value)
		}
	}
	return b.Page()
}
