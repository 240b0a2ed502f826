// Package compare holds what a fake prints against what the real exporter printed: which families there are, in which order, their TYPE and
// HELP, the labels of their series and how numbers are spelled. What only says that another machine was asked, such as other models
// or more GPUs, is no difference.
package compare

import (
	"fmt"
	"slices"
	"strings"

	"github.com/panelgate/panelgate/fakes/catalogue"
	"github.com/panelgate/panelgate/fakes/exposition"
)

// Kind is what differs.
type Kind string

// The kinds of differences.
const (
	ContentType   Kind = "content-type"
	FamilyMissing Kind = "family-missing" // the fake does not print it
	FamilyExtra   Kind = "family-extra"   // the real exporter did not print it
	FamilyOrder   Kind = "family-order"
	Type          Kind = "type"
	Help          Kind = "help"
	HeaderOrder   Kind = "header-order" // HELP before TYPE, or after it
	Labels        Kind = "labels"
	LabelOrder    Kind = "label-order"
	Series        Kind = "series" // which series there are, where the fake acts out the very machine
	SeriesOrder   Kind = "series-order"
	NumberFormat  Kind = "number-format"
	Bounds        Kind = "bounds" // the buckets of a histogram, the quantiles of a summary
)

// Difference is one thing in which the fake is not like the real exporter.
type Difference struct {
	Kind   Kind   `json:"kind"`
	Family string `json:"family,omitempty"`
	Real   string `json:"real,omitempty"`
	Fake   string `json:"fake,omitempty"`
	// Note says more, as since which release there is such a family.
	Note string `json:"note,omitempty"`
}

// Result is what came of a comparison.
type Result struct {
	// Families is how many both have.
	Families int
	// Differences are what a program that reads the one would stumble over in the other.
	Differences []Difference
	// LabelNames is how many label names only one of the two has, counted for each family: of two results with as many differences it tells
	// which one is nearer.
	LabelNames int
	// Asides differ as well, and follow from what was switched on or from the machine, not from the exporter.
	Asides []Difference
}

// Scrape is one of the two that are compared.
type Scrape struct {
	Body        []byte
	ContentType string // "" where it is not known
	// Redacted says that label values are not those that were printed, so that their order says nothing.
	Redacted bool
}

// Guess is the exporter that most families of a scrape belong to; "" for nobody's.
func Guess(c *catalogue.Catalogue, body []byte) (string, error) {
	lines, err := exposition.Parse(body)
	if err != nil {
		return "", err
	}
	votes := map[string]int{}
	for _, f := range exposition.Families(lines) {
		if name := c.Exporter(f.Name); name != "" && !ofTheLibrary(f.Name) {
			votes[name]++
		}
	}
	best := ""
	for _, name := range catalogue.Exporters() {
		if votes[name] > votes[best] {
			best = name
		}
	}
	return best, nil
}

// ofTheLibrary says of a family that it tells about the exporter's own process.
func ofTheLibrary(family string) bool {
	return slices.ContainsFunc([]string{"go_", "process_", "promhttp_", "python_"}, func(prefix string) bool { return strings.HasPrefix(family, prefix) })
}

// Options say what more, or less, is compared.
type Options struct {
	// Machine says that the fake acts out the machine that was scraped, started in the same way: then series have to be the same too, and
	// what has to be switched on has been.
	Machine bool
	// Partial says that the real scrape is a part of a page, as documentation shows it: what only the fake has is no difference.
	Partial bool
}

// comparison is one on the way.
type comparison struct {
	Options
	catalogue  *catalogue.Catalogue
	exporter   string
	real, fake Scrape
	shared     map[string]bool             // the subsystems that both have families of
	numbers    [2]map[exposition.Label]int // what stands for values of labels, of the real one and of the fake
	result     Result
}

// Compare holds a fake of an exporter against the real one that may have run elsewhere.
func Compare(c *catalogue.Catalogue, exporter string, recorded, fake Scrape) (*Result, error) {
	return Options{}.Compare(c, exporter, recorded, fake)
}

// Compare holds a fake of an exporter against the real one.
func (o Options) Compare(c *catalogue.Catalogue, exporter string, recorded, fake Scrape) (*Result, error) {
	x := &comparison{Options: o, catalogue: c, exporter: exporter, real: recorded, fake: fake}
	var families [2][]*exposition.Family
	for i, s := range []Scrape{recorded, fake} {
		lines, err := exposition.Parse(s.Body)
		if err != nil {
			return nil, fmt.Errorf("the %s scrape: %w", []string{"real", "fake's"}[i], err)
		}
		families[i] = exposition.Families(lines)
	}
	if recorded.ContentType != "" && fake.ContentType != "" && recorded.ContentType != fake.ContentType {
		x.differs(Difference{Kind: ContentType, Real: recorded.ContentType, Fake: fake.ContentType})
	}
	x.compare(families[0], families[1])
	return &x.result, nil
}

func (x *comparison) differs(d Difference) { x.result.Differences = append(x.result.Differences, d) }

func (x *comparison) aside(d Difference) { x.result.Asides = append(x.result.Asides, d) }

func (x *comparison) compare(recorded, fake []*exposition.Family) {
	fakes, reals := byName(fake), byName(recorded)
	x.shared = subsystems(recorded, fake)
	bare := !slices.ContainsFunc(recorded, func(f *exposition.Family) bool { return f.Type != "" || f.HasHelp })
	if bare {
		x.aside(Difference{Kind: Type, Note: "the real scrape has samples alone, without HELP and TYPE: these were not compared"})
	}
	for _, f := range recorded {
		other, ok := fakes[f.Name]
		if !ok {
			x.oneSided(FamilyMissing, f)
			continue
		}
		x.result.Families++
		if !bare {
			x.header(f, other)
		}
		x.family(f, other)
	}
	for _, f := range fake {
		if _, ok := reals[f.Name]; !ok {
			x.oneSided(FamilyExtra, f)
		}
	}
	x.order(recorded, fake)
}

func byName(families []*exposition.Family) map[string]*exposition.Family {
	out := map[string]*exposition.Family{}
	for _, f := range families {
		out[f.Name] = f
	}
	return out
}

// oneSided is a family that only one of the two has.
func (x *comparison) oneSided(kind Kind, f *exposition.Family) {
	d := Difference{Kind: kind, Family: f.Name}
	m, _, known := x.catalogue.Series(f.Name)
	switch needs := x.needs(kind, m, f.Name); {
	case x.Partial && kind == FamilyExtra:
		d.Note = "the real scrape is a part of a page"
		x.aside(d)
		return
	case needs != "":
		d.Note = needs
		if x.Machine {
			x.differs(d)
		} else {
			x.aside(d)
		}
		return
	case known:
		d.Note = lifetime(m)
	case x.catalogue.Exporter(f.Name) != x.exporter && !ofTheLibrary(f.Name):
		d.Note = "no family of the exporter itself: a back end or a program of one's own adds it"
		x.aside(d)
		return
	default:
		d.Note = "the catalogue does not know it"
	}
	x.differs(d)
}

// needs says what has to be switched on, or be in the machine, for a family to be printed; "" where nothing has.
func (x *comparison) needs(kind Kind, m catalogue.Metric, family string) string {
	switch {
	case m.Optional != "":
		return "needs " + m.Optional
	case x.exporter == "triton" && (strings.HasPrefix(family, "nv_gpu_") || family == "nv_energy_consumption"):
		return "needs a GPU and --allow-gpu-metrics, which is the default"
	case x.exporter == "triton" && strings.HasPrefix(family, "nv_cpu_"):
		return "needs --allow-cpu-metrics, which is the default since 22.09"
	case x.exporter == "dcgm" && kind == FamilyExtra && m.Name != "" && lifetime(m) == "":
		return "needs a GPU that has a value for it, and its line among the counters"
	case x.exporter == "node" && m.Name != "" && ofTheKernel(family):
		return "needs a kernel and hardware that have it"
	case x.exporter == "node" && m.Name != "" && !x.shared[subsystem(family)]:
		return "needs what its collector looks for in the machine, or the collector switched on"
	}
	return ""
}

// ofTheKernel says whether a family of node_exporter is there where this kernel knows it, and this hardware has it.
func ofTheKernel(family string) bool {
	return slices.ContainsFunc([]string{
		"node_hwmon_", "node_disk_ata_", "node_disk_device_mapper_", "node_disk_filesystem_", "node_disk_discard", "node_disk_flush", "node_cpu_isolated",
		"node_cpu_online", "node_cpu_frequency_", "node_cpu_scaling_", "node_cpu_core_throttles_", "node_cpu_package_throttles_", "node_memory_",
		"node_netstat_", "node_vmstat_", "node_pressure_", "node_sockstat_", "node_softnet_", "node_thermal_zone_", "node_cooling_device_", "node_textfile_mtime_",
		"node_network_", "node_nvme_", "node_edac_", "node_filesystem_", "node_schedstat_", "node_entropy_", "node_selinux_",
	}, func(prefix string) bool { return strings.HasPrefix(family, prefix) })
}

// subsystem is the part of node_exporter that a family is of, by the second word of its name.
func subsystem(family string) string {
	_, rest, _ := strings.Cut(family, "_")
	word, _, _ := strings.Cut(rest, "_")
	return word
}

// subsystems are those that both have families of.
func subsystems(recorded, fake []*exposition.Family) map[string]bool {
	own, out := map[string]bool{}, map[string]bool{}
	for _, f := range recorded {
		own[subsystem(f.Name)] = true
	}
	for _, f := range fake {
		if s := subsystem(f.Name); own[s] {
			out[s] = true
		}
	}
	return out
}

// lifetime says which releases have a metric.
func lifetime(m catalogue.Metric) string {
	var out []string
	if m.Since != "" {
		out = append(out, "since "+m.Since)
	}
	if m.Until != "" {
		out = append(out, "gone in "+m.Until)
	}
	return strings.Join(out, ", ")
}

// header compares what stands above the samples.
func (x *comparison) header(f, other *exposition.Family) {
	if f.Type != other.Type {
		x.differs(Difference{Kind: Type, Family: f.Name, Real: f.Type, Fake: other.Type})
	}
	if f.HasHelp != other.HasHelp || f.Help != other.Help {
		x.differs(Difference{Kind: Help, Family: f.Name, Real: helpOf(f), Fake: helpOf(other)})
	}
	if f.HasHelp && other.HasHelp && f.Type != "" && other.Type != "" && f.TypeFirst != other.TypeFirst {
		order := map[bool]string{true: "TYPE, HELP", false: "HELP, TYPE"}
		x.differs(Difference{Kind: HeaderOrder, Family: f.Name, Real: order[f.TypeFirst], Fake: order[other.TypeFirst]})
	}
}

func helpOf(f *exposition.Family) string {
	if !f.HasHelp {
		return "no HELP line"
	}
	return f.Help
}

// order compares in which order the families stand that both have.
func (x *comparison) order(recorded, fake []*exposition.Family) {
	shared := func(own, others []*exposition.Family) []string {
		known := byName(others)
		var out []string
		for _, f := range own {
			if _, ok := known[f.Name]; ok {
				out = append(out, f.Name)
			}
		}
		return out
	}
	a, b := shared(recorded, fake), shared(fake, recorded)
	for i := range a {
		if a[i] != b[i] {
			x.differs(Difference{Kind: FamilyOrder, Family: a[i], Real: some(a[i:]), Fake: some(b[i:]), Note: fmt.Sprintf("from the %s shared family on", ordinal(i+1))})
			return
		}
	}
}

func ordinal(n int) string {
	ending := "th"
	switch {
	case n%100 >= 11 && n%100 <= 13:
	case n%10 == 1:
		ending = "st"
	case n%10 == 2:
		ending = "nd"
	case n%10 == 3:
		ending = "rd"
	}
	return fmt.Sprint(n, ending)
}

// some is the beginning of a list.
func some(list []string) string {
	const most = 4
	if len(list) > most {
		return strings.Join(list[:most], ", ") + " …"
	}
	return strings.Join(list, ", ")
}
