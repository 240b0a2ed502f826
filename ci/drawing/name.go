package drawing

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/common/model"

	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/stack/dashboard"
)

// seriesOf are the series that a panel shows, under the names that Grafana gives them.
func seriesOf(c *shown) []line {
	var out []line
	for _, a := range c.asked {
		if a.Target != nil && a.Target.Hide {
			continue
		}
		lines := linesOf(a)
		if a.Target != nil && a.Target.Format == "heatmap" {
			lines = unstacked(lines)
		}
		for i := range lines {
			lines[i].name = named(a, &lines[i])
		}
		out = append(out, lines...)
	}
	auto(out)
	distinct(out)
	return out
}

// named is the name that a legend gives, "" where Grafana makes one of the labels.
func named(a *rule.Asked, l *line) string {
	if l.buckets && l.labels[model.BucketLabel] != "" {
		return string(l.labels[model.BucketLabel])
	}
	if a.Target == nil {
		return ""
	}
	legend := filled(a.Target.LegendFormat.Value, a.Scope)
	switch {
	case len(l.labels) == 0 && (legend == "" || legend == "__auto"):
		return a.Request.Expr
	case legend == "__auto":
		return ""
	case legend == "":
		return l.labels.String()
	}
	labels := map[string]string{}
	for name, value := range l.labels {
		labels[string(name)] = string(value)
	}
	return rule.FillLegend(legend, labels)
}

// auto names the series that no legend names: by their one label where all have the
// same one, else by all that they have.
func auto(lines []line) {
	var single model.LabelName
	same := true
	for _, l := range lines {
		for name := range l.labels {
			same = same && len(l.labels) == 1 && (single == "" || single == name)
			single = name
		}
	}
	for i := range lines {
		l := &lines[i]
		switch {
		case l.name != "":
		case same && l.labels[single] != "":
			l.name = string(l.labels[single])
		default:
			l.name = braced(l.labels)
		}
	}
}

func braced(labels model.Metric) string { return labels.String() }

// distinct numbers the names that are there more than once.
func distinct(lines []line) {
	count := map[string]int{}
	for _, l := range lines {
		count[l.name]++
	}
	seen := map[string]int{}
	for i := range lines {
		if name := lines[i].name; count[name] > 1 {
			seen[name]++
			lines[i].name = name + " " + strconv.Itoa(seen[name])
		}
	}
}

// renamed applies the transformations that only change names.
func renamed(p *dashboard.Panel, lines []line) {
	for _, t := range p.Node.Get("transformations").Items() {
		if t.Get("disabled").Bool() {
			continue
		}
		options := t.Get("options")
		switch t.Get("id").Str() {
		case "renameByRegex":
			re, err := regexp.Compile(strings.Trim(options.Get("regex").Str(), "/"))
			if err != nil {
				continue // JavaScript's syntax goes further
			}
			for i := range lines {
				lines[i].name = re.ReplaceAllString(lines[i].name, goTemplate(options.Get("renamePattern").Str()))
			}
		case "organize":
			for i := range lines {
				l := &lines[i]
				l.hidden = l.hidden || options.At("excludeByName", l.name).Bool()
				if to := options.At("renameByName", l.name).Str(); to != "" {
					l.name = to
				}
			}
		}
	}
}

// goTemplate writes JavaScript's $1 so that what follows it is not taken for its name.
func goTemplate(pattern string) string {
	return regexp.MustCompile(`\$(\d+)`).ReplaceAllString(pattern, "${${1}}")
}

// unapplied tells which transformations the drawing does without.
func unapplied(p *dashboard.Panel, table bool) []string {
	known := []string{"renameByRegex", "organize"}
	if table {
		known = []string{"organize", "merge", "filterFieldsByName", "sortBy", "limit", "seriesToColumns", "joinByField"}
	}
	var out []string
	for _, t := range p.Node.Get("transformations").Items() {
		if id := t.Get("id").Str(); id != "" && !t.Get("disabled").Bool() && !slices.Contains(known, id) {
			out = append(out, "drawn without the transformation "+id)
		}
	}
	return out
}
