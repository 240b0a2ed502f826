// Package scrapetest helps tests to read scrapes, with Prometheus's own parser, and to hold them against captured ones.
package scrapetest

import (
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/internal/material"
)

// Scrape is a parsed /metrics body.
type Scrape struct {
	Families map[string]*Family
	Order    []string           // family names as printed
	Series   map[string]float64 // value by series, as labels.Labels writes it
	Lines    []string           // series as printed, without values
	Sets     []labels.Labels    // label sets of the series as printed, names among them
}

// Family is what a scrape says about one metric family.
type Family struct {
	Help, Type string
	LabelNames []string // every label set's names, joined, sorted and each once
}

// Parse reads a body as Prometheus does; what Prometheus refuses fails the test, and so do series that stand twice.
func Parse(t testing.TB, body []byte, contentType string) Scrape {
	t.Helper()
	symbols := labels.NewSymbolTable()
	parser, err := textparse.New(body, contentType, symbols, textparse.ParserOptions{})
	require.NoError(t, err)
	s := Scrape{Families: map[string]*Family{}, Series: map[string]float64{}}
	var current string
	for {
		entry, err := parser.Next()
		if errors.Is(err, io.EOF) {
			return s
		}
		require.NoError(t, err)
		switch entry {
		case textparse.EntryHelp:
			name, help := parser.Help()
			current = string(name)
			require.NotContains(t, s.Families, current, "family stands twice")
			s.Families[current] = &Family{Help: string(help)}
			s.Order = append(s.Order, current)
		case textparse.EntryType:
			name, kind := parser.Type()
			if string(name) != current { // without HELP
				current = string(name)
				s.Families[current] = &Family{}
				s.Order = append(s.Order, current)
			}
			s.Families[current].Type = string(kind)
		case textparse.EntrySeries:
			s.add(t, parser, current)
		}
	}
}

func (s *Scrape) add(t testing.TB, parser textparse.Parser, family string) {
	text, timestamp, value := parser.Series()
	require.Nil(t, timestamp, "%s has a timestamp", text)
	var set labels.Labels
	parser.Labels(&set)
	name := set.String()
	_, twice := s.Series[name] // not by NotContains, which walks the whole map
	require.False(t, twice, "%s stands twice", name)
	s.Series[name] = value
	s.Lines = append(s.Lines, string(text))
	s.Sets = append(s.Sets, set)
	f := s.Families[family]
	require.NotNil(t, f, "%s has no TYPE", text)
	var names []string
	set.Range(func(l labels.Label) {
		if l.Name != model.MetricNameLabel {
			names = append(names, l.Name)
		}
	})
	if joined := strings.Join(names, ","); !slices.Contains(f.LabelNames, joined) {
		f.LabelNames = append(f.LabelNames, joined)
		slices.Sort(f.LabelNames)
	}
}

// Captured reads a captured scrape from the material beside the module.
func Captured(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(material.Path(t, "corpus", "expositions", name))
	require.NoError(t, err)
	return data
}

// SameFamilies holds every family that both scrapes have against each other: HELP, TYPE and label names. except gives the reason
// for each family that may differ; a family that does not differ must not be in it. It returns how many families were compared.
func SameFamilies(t testing.TB, fake, captured Scrape, except map[string]string) int {
	t.Helper()
	compared := 0
	for _, name := range fake.Order {
		want, ok := captured.Families[name]
		if !ok || len(want.LabelNames) == 0 {
			continue
		}
		compared++
		have := fake.Families[name]
		same := have.Help == want.Help && have.Type == want.Type && slices.Equal(have.LabelNames, want.LabelNames)
		if reason, excepted := except[name]; excepted {
			require.False(t, same, "%s is excepted (%s) but is the same", name, reason)
			continue
		}
		require.Equal(t, want, have, name)
	}
	return compared
}

// CapturedNames are the captured scrapes whose names begin so.
func CapturedNames(t testing.TB, prefix string) []string {
	t.Helper()
	entries, err := os.ReadDir(material.Path(t, "corpus", "expositions"))
	require.NoError(t, err)
	var names []string
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), prefix) && strings.HasSuffix(entry.Name(), ".prom") {
			names = append(names, entry.Name())
		}
	}
	return names
}
