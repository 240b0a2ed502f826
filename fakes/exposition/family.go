package exposition

import "strings"

// Family is a metric family as it was printed.
type Family struct {
	Name string
	// Type is "" without a TYPE line.
	Type string
	// Help is the text of the HELP line; HasHelp is false where there is none.
	Help    string
	HasHelp bool
	// Samples are the family's samples in their order.
	Samples []*Line
	// TypeFirst says that TYPE stood before HELP.
	TypeFirst bool
}

// Families puts the lines of a scrape together, in the order of the families' first lines. A family that is printed in two places is
// one; samples without a TYPE line are a family of their own name.
func Families(lines []Line) []*Family {
	var out []*Family
	byName := map[string]*Family{}
	family := func(name string) *Family {
		f, ok := byName[name]
		if !ok {
			f = &Family{Name: name}
			byName[name] = f
			out = append(out, f)
		}
		return f
	}
	for i := range lines {
		line := &lines[i]
		switch line.Kind {
		case Help:
			f := family(line.Name)
			f.Help, f.HasHelp = line.Value, true
		case Type:
			f := family(line.Name)
			f.Type, f.TypeFirst = line.Value, !f.HasHelp
		case Sample:
			f := family(familyOf(line.Name, byName))
			f.Samples = append(f.Samples, line)
		case Comment, Unit, End:
		}
	}
	return out
}

// Has says whether the samples of a family of a type have this ending behind the family's name.
func Has(kind, ending string) bool {
	switch kind {
	case "histogram":
		return ending == "_bucket" || ending == "_sum" || ending == "_count" || ending == "_created"
	case "gaugehistogram":
		return ending == "_bucket" || ending == "_gsum" || ending == "_gcount"
	case "summary":
		return ending == "" || ending == "_sum" || ending == "_count" || ending == "_created"
	case "counter": // with an ending in OpenMetrics, without in the classic text
		return ending == "" || ending == "_total" || ending == "_created"
	case "info":
		return ending == "_info"
	}
	return ending == ""
}

// familyOf is the family that a sample belongs to by its name, of those that are known so far.
func familyOf(sample string, known map[string]*Family) string {
	if _, ok := known[sample]; ok {
		return sample
	}
	for at := strings.LastIndexByte(sample, '_'); at > 0; at = strings.LastIndexByte(sample[:at], '_') {
		if f, ok := known[sample[:at]]; ok && Has(f.Type, sample[at:]) {
			return f.Name
		}
	}
	return sample
}

// Label is a sample's label of that name, "" where it has none.
func (l *Line) Label(name string) string {
	for _, label := range l.Labels {
		if label.Name == name {
			return label.Value
		}
	}
	return ""
}
