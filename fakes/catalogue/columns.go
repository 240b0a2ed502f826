package catalogue

import (
	"fmt"
	"slices"
	"strings"

	"github.com/panelgate/panelgate/fakes/release"
)

// columns are the headers of a data file, in its order. A file may have more of them than the rules read, for its fake.
type columns []string

// required are the columns that every data file has.
func required() []string {
	return []string{"name", "type", "unit", "labels", "since", "until", "replaced_by", "optional"}
}

func columnsOf(header []string) (columns, error) {
	for i, name := range header {
		if slices.Contains(header[:i], name) {
			return nil, fmt.Errorf("column %q stands twice", name)
		}
	}
	for _, name := range required() {
		if !slices.Contains(header, name) {
			return nil, fmt.Errorf("there is no column %q", name)
		}
	}
	return slices.Clone(header), nil
}

// metric reads a row. Labels and replacements have spaces between them.
func (c columns) metric(exporter string, row []string) (Metric, error) {
	m := Metric{Exporter: exporter}
	for i, value := range row {
		switch c[i] {
		case "name":
			m.Name = value
		case "type":
			m.Type = Type(value)
		case "unit":
			m.Unit = value
		case "labels":
			m.Labels = strings.Fields(value)
		case "since":
			m.Since = value
		case "until":
			m.Until = value
		case "replaced_by":
			m.ReplacedBy = strings.Fields(value)
		case "optional":
			m.Optional = value
		case "help":
			m.Help = value
		case "former_help":
			m.FormerHelp = value
		default:
			if m.More == nil {
				m.More = map[string]string{}
			}
			m.More[c[i]] = value
		}
	}
	for _, version := range []string{m.Since, m.Until} {
		if version == "" {
			continue
		}
		if _, err := release.Parse(version); err != nil {
			return Metric{}, fmt.Errorf("%s: %w", m.Name, err)
		}
	}
	return m, nil
}
