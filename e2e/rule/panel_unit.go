package rule

import (
	"regexp"
	"slices"
	"strings"

	"github.com/panelgate/panelgate/stack/dashboard"
	"github.com/panelgate/panelgate/stack/source"
)

// unitOf is the unit that a panel shows the values of a target in; ok is false where
// the files do not settle it, or where what is shown is not those values.
func unitOf(p *dashboard.Panel, t *dashboard.Target) (unit source.Text, ok bool) {
	if !showsValues(p) {
		return source.Text{}, false
	}
	units := []source.Text{p.Unit}
	switch p.Type.Value {
	case "graph":
		units = secondAxis(p, t, units)
	case "singlestat":
	case "heatmap":
		units = []source.Text{axisOfHeatmap(p)}
	default:
		units = overridden(p, t, units)
	}
	return units[0], len(units) == 1
}

// showsValues says whether the panel shows the values of its queries as they are, in
// its unit.
func showsValues(p *dashboard.Panel) bool {
	switch p.Type.Value {
	case "timeseries", "trend", "piechart":
	case "graph":
		if p.Node.Get("percentage").Bool() {
			return false
		}
	case "stat", "gauge", "bargauge", "table":
		if !reducesToValues(p.Node) {
			return false
		}
	case "singlestat":
		if slices.Contains([]string{"count", "name", "last_time"}, p.Node.Get("valueName").Str()) {
			return false
		}
	case "heatmap":
	default:
		return false
	}
	return keepsValues(p.Node.Get("transformations")) && !replacesValues(p.Node) &&
		p.Node.At("fieldConfig", "defaults", "custom", "stacking", "mode").Str() != "percent"
}

// showsBuckets says whether the unit is that of what a histogram's buckets are of,
// not of how many are in them.
func showsBuckets(p *dashboard.Panel) bool {
	return p.Type.Value == "heatmap" && !p.Node.At("options", "calculate").Bool() && p.Node.Get("dataFormat").Str() != "timeseries"
}

// axisOfHeatmap is the unit of a heatmap's y axis.
func axisOfHeatmap(p *dashboard.Panel) source.Text {
	for _, axis := range []*source.Node{p.Node.At("options", "yAxis", "unit"), p.Node.At("yAxis", "format")} {
		if axis.Str() != "" {
			return axis.Text()
		}
	}
	return p.Unit
}

// reducesToValues says whether what a stat is reduced to is still in the unit of the
// values, and no count, name or time.
func reducesToValues(panel *source.Node) bool {
	if mode := panel.At("options", "textMode").Str(); mode == "name" || mode == "none" {
		return false
	}
	for _, options := range []string{"reduceOptions", "fieldOptions"} {
		reduce := panel.At("options", options)
		if reduce.Get("fields").Str() != "" {
			return false
		}
		for _, calc := range reduce.Get("calcs").Items() {
			if !slices.Contains([]string{
				"lastNotNull", "last", "firstNotNull", "first", "min", "max", "mean", "median", "sum", "range", "delta", "diff", "step",
				"logmin", "stdDev", "p50", "p75", "p90", "p95", "p99",
			}, calc.Str()) {
				return false
			}
		}
	}
	return true
}

// keepsValues says whether transformations only order, choose and name what they get.
func keepsValues(transformations *source.Node) bool {
	for _, t := range transformations.Items() {
		if !slices.Contains([]string{
			"organize", "sortBy", "merge", "limit", "filterFieldsByName", "filterByRefId", "filterByValue", "joinByField", "seriesToColumns",
			"labelsToFields", "renameByRegex",
		}, t.Get("id").Str()) && !t.Get("disabled").Bool() {
			return false
		}
	}
	return true
}

// replacesValues says whether a value mapping puts a text in the place of a number.
// One for null only says what no data looks like.
func replacesValues(panel *source.Node) bool {
	for _, list := range []*source.Node{
		panel.At("fieldConfig", "defaults", "mappings"), panel.At("options", "fieldOptions", "defaults", "mappings"),
		panel.Get("valueMaps"), panel.Get("rangeMaps"),
	} {
		if slices.ContainsFunc(list.Items(), mapsNumber) {
			return true
		}
	}
	return slices.ContainsFunc(panel.At("fieldConfig", "overrides").Items(), func(o *source.Node) bool {
		return slices.ContainsFunc(property(o, "mappings").Items(), mapsNumber)
	})
}

func mapsNumber(mapping *source.Node) bool {
	isNull := func(n *source.Node) bool { return n.Kind() == source.Null || n.Scalar() == "null" || n.Scalar() == "" }
	switch mapping.Get("type").Scalar() {
	case "special":
		return false
	case "value":
		return slices.ContainsFunc(mapping.Get("options").Fields(), func(f source.Field) bool { return f.Key != "null" })
	case "range", "regex":
		return true
	default: // before Grafana 8
		return !isNull(mapping.Get("value")) || !isNull(mapping.Get("from"))
	}
}

// property is what an override sets a property to, nil where it does not.
func property(override *source.Node, id string) *source.Node {
	var value *source.Node
	for _, p := range override.Get("properties").Items() {
		if p.Get("id").Str() == id {
			value = p.Get("value")
		}
	}
	return value
}

// overridden applies the panel's overrides of the unit: one that is certain to match
// replaces what was before, one that may match adds a possibility.
func overridden(p *dashboard.Panel, t *dashboard.Target, units []source.Text) []source.Text {
	name := nameOf(p, t)
	for _, o := range p.Node.At("fieldConfig", "overrides").Items() {
		unit := property(o, "unit")
		if !unit.Exists() {
			continue
		}
		switch name.matchedBy(o.Get("matcher"), t) {
		case yes:
			units = []source.Text{unit.Text()}
		case maybe:
			units = append(units, unit.Text())
		}
	}
	return agreed(units)
}

// secondAxis applies the overrides of a graph panel that move a series to its second
// axis, which has a unit of its own.
func secondAxis(p *dashboard.Panel, t *dashboard.Target, units []source.Text) []source.Text {
	axes := p.Node.Get("yaxes").Items()
	if len(axes) < 2 {
		return units
	}
	name := nameOf(p, t)
	for _, o := range p.Node.Get("seriesOverrides").Items() {
		axis, ok := o.Get("yaxis").Int()
		if !ok {
			continue
		}
		unit := p.Unit
		if axis == 2 {
			unit = axes[1].Get("format").Text()
		}
		switch name.matchedByText(o.Get("alias").Str()) {
		case yes:
			units = []source.Text{unit}
		case maybe:
			units = append(units, unit)
		}
	}
	return agreed(units)
}

// agreed is one unit where all possibilities say the same.
func agreed(units []source.Text) []source.Text {
	for _, u := range units[1:] {
		if u.Value != units[0].Value {
			return units
		}
	}
	return units[:1]
}

// matching is whether an override concerns the series of a target.
type matching uint8

const (
	no matching = iota
	maybe
	yes
)

// seriesName is what is known of the names that a target's series are shown under.
type seriesName struct {
	exact   string // "" where it hangs on labels or variables
	pattern string // of a regular expression that the names match, "" where nothing is known
}

// placeholder is what a legend leaves to labels and variables.
var placeholder = regexp.MustCompile(`\{\{.*?\}\}|\$\{[^}]*\}|\$\w+|\[\[[^\]]*\]\]`)

func nameOf(p *dashboard.Panel, t *dashboard.Target) seriesName {
	legend := strings.TrimSpace(t.LegendFormat.Value)
	switch {
	case p.Node.At("fieldConfig", "defaults", "displayName").Str() != "", len(p.Node.Get("transformations").Items()) > 0:
		return seriesName{}
	case t.Format == "table":
		if len(p.Targets) == 1 {
			return seriesName{exact: "Value"}
		}
		return seriesName{exact: "Value #" + t.RefID.Value}
	case legend == "" || legend == "__auto":
		return seriesName{}
	case !placeholder.MatchString(legend):
		return seriesName{exact: legend}
	}
	var pattern strings.Builder
	end := 0
	for _, at := range placeholder.FindAllStringIndex(legend, -1) {
		pattern.WriteString(regexp.QuoteMeta(legend[end:at[0]]) + "(?s:.*)")
		end = at[1]
	}
	return seriesName{pattern: "^" + pattern.String() + regexp.QuoteMeta(legend[end:]) + "$"}
}

// matchedBy says whether the matcher of a field override takes in the target's series.
func (n seriesName) matchedBy(matcher *source.Node, t *dashboard.Target) matching {
	option := matcher.Get("options").Str()
	switch matcher.Get("id").Str() {
	case "byFrameRefID":
		return certainly(option == t.RefID.Value)
	case "byName":
		return n.matchedByName(option)
	case "byRegexp":
		if !strings.HasPrefix(option, "/") {
			option = "/^" + option + "$/"
		}
		return n.matchedByText(option)
	case "byType":
		return certainly(option == "number")
	default:
		return maybe
	}
}

func certainly(matches bool) matching {
	if matches {
		return yes
	}
	return no
}

func (n seriesName) matchedByName(name string) matching {
	switch {
	case strings.Contains(name, "$"): // a variable
		return maybe
	case n.exact != "":
		return certainly(n.exact == name)
	case name == "Time" || n.pattern != "" && !looksLike(name, n.pattern):
		return no
	default:
		return maybe
	}
}

// looksLike says whether a name matches a pattern, or may: few of them are ever matched,
// so they are compiled here. One that is too large for that is taken for a match.
func looksLike(name, pattern string) bool {
	re, err := regexp.Compile(pattern)
	return err != nil || re.MatchString(name)
}

// matchedByText is for a name, or a regular expression between slashes.
func (n seriesName) matchedByText(text string) matching {
	end := strings.LastIndexByte(text, '/')
	if !strings.HasPrefix(text, "/") || end < 1 {
		return n.matchedByName(text)
	}
	flags := ""
	if strings.Contains(text[end:], "i") {
		flags = "(?i)"
	}
	re, err := regexp.Compile(flags + text[1:end])
	if err != nil || n.exact == "" { // JavaScript's syntax goes further, and names are known only when run
		return maybe
	}
	return certainly(re.MatchString(n.exact))
}
