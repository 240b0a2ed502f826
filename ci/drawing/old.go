package drawing

import (
	"strings"

	"github.com/panelgate/panelgate/stack/source"
)

// oldGraph reads the settings of the graph panel, which newer Grafana turns into those
// of a time series when it loads the dashboard.
func (s *style) oldGraph(n *source.Node) {
	axes := n.Get("yaxes").Items()
	if len(axes) == 0 { // before Grafana 2.6
		for _, f := range n.Get("y_formats").Items() {
			s.defaults.Unit = f.Str()
			break
		}
	}
	if len(axes) > 0 {
		s.defaults.axis(axes[0])
	}
	if len(axes) > 1 {
		s.look.Right.axis(axes[1])
	}
	s.defaults.Line = oldLine(n, s.defaults.Line)
	s.oldThresholds(n.Get("thresholds"))
	s.oldLegend(n.Get("legend"))
	for _, f := range n.Get("aliasColors").Fields() {
		color := hex(f.Value.Str())
		s.overrides = append(s.overrides, override{
			func(name, _ string) bool { return name == f.Key },
			func(f *Field) { f.Color = Color{Mode: "fixed", Fixed: color} },
		})
	}
	for _, o := range n.Get("seriesOverrides").Items() {
		s.overrides = append(s.overrides, s.oldOverride(o))
	}
}

// axis reads one of the two axes.
func (f *Field) axis(n *source.Node) {
	if unit := n.Get("format").Str(); unit != "" {
		f.Unit = unit
	}
	f.Min, f.Max, f.Decimals = optional(n.Get("min")), optional(n.Get("max")), decimals(n.Get("decimals"))
	f.Line.Label = n.Get("label").Str()
	if base := number(n.Get("logBase"), 1); base > 1 {
		f.Line.Log = base
	}
}

func oldLine(n *source.Node, l Line) Line {
	switch {
	case n.Get("bars").Bool():
		l.Style = "bars"
		l.Fill = 100
	case boolean(n.Get("lines"), true):
		l.Fill = min(max(number(n.Get("fill"), 1), 0), 10) * 10
	default:
		l.Style = "points"
	}
	l.Width = min(max(number(n.Get("linewidth"), 1), 0), 10)
	l.Points = "never"
	if n.Get("points").Bool() {
		l.Points = "always"
	}
	if n.Get("steppedLine").Bool() {
		l.Steps = "stepAfter"
	}
	l.Span = n.Get("nullPointMode").Str() == "connected"
	l.Dashed = n.Get("dashes").Bool()
	if n.Get("stack").Bool() {
		l.Stack = "normal"
		if n.Get("percentage").Bool() {
			l.Stack = "percent"
		}
	}
	return l
}

// oldThresholds reads what is marked in the graph; only what lies above a value.
func (s *style) oldThresholds(n *source.Node) {
	steps := []Step{{Color: "transparent"}}
	for _, t := range n.Items() {
		value := optional(t.Get("value"))
		if value == nil || t.Get("op").Str() == "lt" {
			continue
		}
		color := map[string]string{"critical": hex("red"), "warning": hex("orange"), "ok": hex("green")}[t.Get("colorMode").Str()]
		if color == "" {
			color = hex(t.Get("lineColor").Str())
		}
		steps = append(steps, Step{value, color})
		s.defaults.Line.Thresholds = "line"
	}
	if len(steps) > 1 {
		s.defaults.Thresholds = Thresholds{Steps: steps}
	}
}

func (s *style) oldLegend(n *source.Node) {
	if !boolean(n.Get("show"), true) {
		return
	}
	s.look.Legend, s.look.LegendSide = "list", n.Get("rightSide").Bool()
	if n.Get("alignAsTable").Bool() {
		s.look.Legend = "table"
	}
	if !n.Get("values").Bool() {
		return
	}
	for _, c := range []struct{ key, calc string }{{"min", "min"}, {"max", "max"}, {"avg", "mean"}, {"current", "lastNotNull"}, {"total", "sum"}} {
		if n.Get(c.key).Bool() {
			s.calcs = append(s.calcs, c.calc)
		}
	}
}

// oldOverride reads an entry of seriesOverrides.
func (s *style) oldOverride(n *source.Node) override {
	alias, right := n.Get("alias").Str(), s.look.Right
	match := func(name, _ string) bool { return name == alias }
	if strings.HasPrefix(alias, "/") {
		match = func(name, _ string) bool { return matches(alias, name) }
	}
	return override{match, func(f *Field) {
		for _, member := range n.Fields() {
			f.oldSet(member.Key, member.Value, right)
		}
	}}
}

func (f *Field) oldSet(key string, n *source.Node, right Field) {
	switch key {
	case "color":
		f.Color = Color{Mode: "fixed", Fixed: hex(n.Str())}
	case "fill":
		f.Line.Fill = min(max(number(n, 1), 0), 10) * 10
	case "linewidth":
		f.Line.Width = min(max(number(n, 1), 0), 10)
	case "bars":
		if n.Bool() {
			f.Line.Style, f.Line.Fill = "bars", 100
		}
	case "lines":
		if !n.Bool() && f.Line.Style == "" {
			f.Line.Style = "points"
		}
	case "points":
		f.Line.Points = map[bool]string{true: "always", false: "never"}[n.Bool()]
	case "dashes":
		f.Line.Dashed = n.Bool()
	case "stack":
		f.Line.Stack, f.Line.StackGroup = "normal", n.Scalar()
		if n.Scalar() == "false" {
			f.Line.Stack = ""
		}
		if n.Scalar() == "true" {
			f.Line.StackGroup = ""
		}
	case "transform":
		f.Line.Negative = n.Str() == "negative-Y"
	case "hiddenSeries":
		f.hidden = n.Bool()
	case "yaxis":
		if number(n, 1) == 2 {
			line := f.Line
			line.Right, line.Log, line.Label = true, right.Line.Log, right.Line.Label
			f.Unit, f.Min, f.Max, f.Decimals, f.Line = right.Unit, right.Min, right.Max, right.Decimals, line
		}
	}
}

// singlestat reads the settings of the panel that stat and gauge have replaced.
func (s *style) singlestat(n *source.Node) {
	f := &s.defaults
	if unit := n.Get("format").Str(); unit != "" {
		f.Unit = unit
	}
	f.Decimals = decimals(n.Get("decimals"))
	s.calcs = []string{map[string]string{
		"": "mean", "avg": "mean", "current": "lastNotNull", "total": "sum", "min": "min", "max": "max", "first": "first", "delta": "delta",
		"diff": "diff", "range": "range", "name": "lastNotNull", "count": "count",
	}[n.Get("valueName").Str()]}
	if s.calcs[0] == "" {
		s.calcs[0] = "lastNotNull"
	}
	if g := n.Get("gauge"); g.Get("show").Bool() {
		least, greatest := number(g.Get("minValue"), 0), number(g.Get("maxValue"), 100)
		f.Min, f.Max = &least, &greatest
	}
	s.look.Sparkline = n.At("sparkline", "show").Bool()
	s.look.Background = n.Get("colorBackground").Bool()
	s.look.Plain = !s.look.Background && !n.Get("colorValue").Bool() && !n.At("gauge", "show").Bool()
	s.look.Prefix, s.look.Postfix, s.look.TextMode = n.Get("prefix").Str(), n.Get("postfix").Str(), "value"
	f.Color.Mode = "thresholds"
	f.Thresholds = singlestatColors(n)
	f.Mappings = singlestatMaps(n)
	if f.NoValue = n.Get("nullText").Str(); f.NoValue == "" {
		f.NoValue = nullText(f.Mappings)
	}
}

// singlestatColors pairs the texts "10,20" with the colours around them.
func singlestatColors(n *source.Node) Thresholds {
	colors := texts(n.Get("colors").Items())
	t := Thresholds{Steps: []Step{}}
	if len(colors) > 0 {
		t.Steps = append(t.Steps, Step{Color: hex(colors[0])})
	}
	for i, text := range strings.Split(n.Get("thresholds").Str(), ",") {
		if value := parsed(text); value != nil && i+1 < len(colors) {
			t.Steps = append(t.Steps, Step{value, hex(colors[i+1])})
		}
	}
	return t
}

func singlestatMaps(n *source.Node) []Mapping {
	var out []Mapping
	for _, m := range n.Get("valueMaps").Items() {
		value := m.Get("value").Scalar()
		if value == "null" {
			out = append(out, Mapping{Special: "null", Text: m.Get("text").Str()})
			continue
		}
		out = append(out, Mapping{Value: &value, Text: m.Get("text").Str()})
	}
	for _, m := range n.Get("rangeMaps").Items() {
		if from := m.Get("from"); from.Scalar() != "null" {
			out = append(out, Mapping{From: optional(from), To: optional(m.Get("to")), Text: m.Get("text").Str()})
		}
	}
	return out
}

func nullText(mappings []Mapping) string {
	for _, m := range mappings {
		if m.Special == "null" {
			return m.Text
		}
	}
	return ""
}
