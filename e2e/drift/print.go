package drift

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"

	"github.com/panelgate/panelgate/e2e/exporter"
	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/fakes/catalogue"
	"github.com/panelgate/panelgate/fakes/release"
	"github.com/panelgate/panelgate/fakes/standard"
)

// print is what an exporter of a release prints as far as a panel could tell: families that
// anything asks for, with their types, series with their labels, and whether a value is none, zero or
// another. Two releases that print the same do the same to every panel. version "" is that
// of the setups. Where the exporter would not start, it is why.
func (d *drifting) print(name string, instances []instance, version string) (string, error) {
	var b strings.Builder
	for _, i := range instances {
		setup := i.setup
		if version != "" {
			setup.Version = version
		}
		fake, err := standard.ByName(name, i.address, d.Verify.World, setup)
		if err != nil {
			fmt.Fprintf(&b, "%s: %s\n", i.address, err)
			continue
		}
		for _, at := range []time.Time{d.Verify.From, d.begun} { // as the past begins, and as it ends
			lines, err := pageOf(fake, at, d.mentions)
			if err != nil {
				return "", fmt.Errorf("read what %s %s prints: %w", name, version, err)
			}
			fmt.Fprintf(&b, "%s\n%s\n", i.address, strings.Join(lines, "\n"))
		}
		b.WriteString(lacking(name, exporter.Acted(name, setup), d.mentions))
	}
	return b.String(), nil
}

// pageOf is a page without its values, in an order of its own.
func pageOf(fake fakes.Exporter, at time.Time, mentions mentioned) ([]string, error) {
	parser, err := textparse.New(fake.AppendScrape(nil, at), fake.ContentType(), labels.NewSymbolTable(),
		textparse.ParserOptions{FallbackContentType: "text/plain"})
	if err != nil {
		return nil, err
	}
	var out []string
	for {
		entry, err := parser.Next()
		switch {
		case errors.Is(err, io.EOF):
			slices.Sort(out)
			return out, nil
		case err != nil:
			return nil, err
		case entry == textparse.EntryType:
			if family, typed := parser.Type(); mentions(string(family)) {
				out = append(out, "TYPE "+string(family)+" "+string(typed))
			}
		case entry == textparse.EntrySeries:
			var ls labels.Labels
			parser.Labels(&ls)
			if _, _, v := parser.Series(); mentions(ls.Get(model.MetricNameLabel)) {
				out = append(out, ls.String()+" "+class(v))
			}
		}
	}
}

// class is all that is said of a value.
func class(v float64) string {
	switch {
	case math.IsNaN(v):
		return "NaN"
	case v == 0:
		return "zero"
	}
	return ""
}

// lacking are the metrics that a release does not have even where they are switched on:
// what is said of a panel that asks for one differs, though the page is the same.
func lacking(name, version string, mentions mentioned) string {
	r, err := release.Parse(version)
	if err != nil {
		return ""
	}
	var out []string
	for _, m := range catalogue.New().Of(name) {
		if !m.In(r) && mentions(m.Name) {
			out = append(out, m.Name)
		}
	}
	return strings.Join(out, " ")
}
