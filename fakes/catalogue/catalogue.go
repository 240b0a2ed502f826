// Package catalogue knows what the exporters print at which of their versions: each metric's type, unit and labels, since when and
// until when, and what has taken its place. One data file an exporter; the rules read it, and the fakes are held against it.
package catalogue

import (
	"embed"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/panelgate/panelgate/fakes/release"
)

// Type is a metric's type, as an exporter's TYPE line says it.
type Type string

// The types of the exposition format.
const (
	Counter   Type = "counter"
	Gauge     Type = "gauge"
	Histogram Type = "histogram"
	Summary   Type = "summary"
	Untyped   Type = "untyped"
)

// Part is what a series is of its metric: the metric itself, or one of the series that a histogram or a summary is made of.
type Part string

// The parts. A summary's quantiles have the name of the metric, and so are its Whole.
const (
	Whole  Part = ""
	Bucket Part = "bucket"
	Sum    Part = "sum"
	Count  Part = "count"
)

// Metric is what an exporter prints under one name.
type Metric struct {
	Exporter string // "triton", "dcgm", "node" or "vllm"
	Name     string
	Type     Type
	// Unit is that of a sample: "s", "ms", "us", "ns", "bytes", "MiB", "KiB", "ratio", "percent", "celsius", "watts", "joules", "mJ", "hertz",
	// "MHz", "bytes/s", "unixtime" for a moment, "1" for a number of things, "state" for a code or a flag, "" where nothing is known. A
	// histogram's is that of what it observes.
	Unit   string
	Labels []string // besides those that scraping adds
	// Since is the first release that has the metric and Until the first that has it no more; "" for as far as is known.
	Since, Until string
	// ReplacedBy are the metrics that say the same since, in whole or together.
	ReplacedBy []string
	// Optional says what has to be switched on for the metric to be printed, "" where it is by default.
	Optional string
	// Help is the text of its HELP line, "" where the data file has none. FormerHelp is the text before a release, as "22.02: text"; ""
	// where it has always been the same.
	Help, FormerHelp string
	// More are the columns of the data file that only the exporter's fake reads, by their headers; nil without any.
	More map[string]string
}

// In says whether a release has the metric, be it switched on by default or not.
func (m Metric) In(r release.Release) bool {
	return (m.Since == "" || r.Since(m.Since)) && (m.Until == "" || r.Before(m.Until))
}

// First is the first release that has the metric, the zero Release for as far back as is known.
func (m Metric) First() release.Release { return releaseOf(m.Since) }

// Gone is the first release that has the metric no more, the zero Release where all later ones have it.
func (m Metric) Gone() release.Release { return releaseOf(m.Until) }

func releaseOf(text string) release.Release {
	if text == "" {
		return release.Release{}
	}
	return release.MustParse(text) // reading the catalogue has tried it
}

// Removed says whether later releases have the metric no more.
func (m Metric) Removed() bool { return m.Until != "" }

// Catalogue is every metric of every exporter. It is immutable and safe for concurrent use.
type Catalogue struct {
	metrics []Metric
	byName  map[string]int
}

//go:embed *.csv
var files embed.FS

// New reads the catalogue, a millisecond's work.
func New() *Catalogue {
	c := &Catalogue{byName: map[string]int{}}
	for _, exporter := range Exporters() {
		if err := c.read(exporter); err != nil {
			panic(fmt.Sprintf("catalogue: the embedded data of %s: %v", exporter, err)) // a test reads all of it
		}
	}
	return c
}

// Exporters are the names of the exporters that are known.
func Exporters() []string { return []string{"triton", "dcgm", "node", "vllm"} }

func (c *Catalogue) read(exporter string) error {
	file, err := files.Open(exporter + ".csv")
	if err != nil {
		return err
	}
	defer file.Close() //nolint:errcheck // an embedded file
	r := csv.NewReader(file)
	r.Comment = '#'
	header, err := r.Read()
	if err != nil {
		return err
	}
	columns, err := columnsOf(header)
	if err != nil {
		return err
	}
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		m, err := columns.metric(exporter, row)
		if err != nil {
			return err
		}
		if _, twice := c.byName[m.Name]; twice {
			return fmt.Errorf("%s stands twice", m.Name)
		}
		c.byName[m.Name] = len(c.metrics)
		c.metrics = append(c.metrics, m)
	}
}

// Series finds the metric that a series of this name belongs to, and what it is of it.
func (c *Catalogue) Series(name string) (Metric, Part, bool) {
	if i, ok := c.byName[name]; ok {
		return c.metrics[i], Whole, true
	}
	for _, part := range []Part{Bucket, Sum, Count} {
		base, ok := strings.CutSuffix(name, "_"+string(part))
		if !ok {
			continue
		}
		i, ok := c.byName[base]
		if ok && (c.metrics[i].Type == Histogram || c.metrics[i].Type == Summary && part != Bucket) {
			return c.metrics[i], part, true
		}
	}
	return Metric{}, Whole, false
}

// Of are the metrics of an exporter, in the order of its data file.
func (c *Catalogue) Of(exporter string) []Metric {
	return slices.DeleteFunc(slices.Clone(c.metrics), func(m Metric) bool { return m.Exporter != exporter })
}

// Exporter is the exporter that has a series of this name: by the catalogue, else by the beginning that its names share; "" for
// nobody's.
func (c *Catalogue) Exporter(series string) string {
	if m, _, ok := c.Series(series); ok {
		return m.Exporter
	}
	for _, known := range []struct{ prefix, exporter string }{{"nv_", "triton"}, {"DCGM_", "dcgm"}, {"node_", "node"}, {"vllm:", "vllm"}} {
		if strings.HasPrefix(series, known.prefix) {
			return known.exporter
		}
	}
	return ""
}
