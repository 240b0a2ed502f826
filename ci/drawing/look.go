package drawing

import (
	"strings"

	"github.com/panelgate/panelgate/e2e/query"
	"github.com/panelgate/panelgate/stack/dashboard"
	"github.com/panelgate/panelgate/stack/source"
)

// Look is what a panel's own options say, beyond those of its fields.
type Look struct {
	Legend     string `json:"legend,omitempty"` // list, table, or "" for none
	LegendSide bool   `json:"legend_side,omitempty"`
	Horizontal bool   `json:"horizontal,omitempty"` // stats and bars beside one another
	Background bool   `json:"background,omitempty"` // a stat's colour is behind its value
	Plain      bool   `json:"plain,omitempty"`      // and in neither
	Sparkline  bool   `json:"sparkline,omitempty"`
	TextMode   string `json:"text_mode,omitempty"` // value, name, value_and_name, none
	Prefix     string `json:"prefix,omitempty"`
	Postfix    string `json:"postfix,omitempty"`
	Display    string `json:"display,omitempty"` // of bar gauges: gradient, lcd, basic; of pies: pie, donut
	Right      Field  `json:"right,omitzero"`    // of the axis at the right, in the old graph panel
}

// style is everything that says how a panel's data is shown.
type style struct {
	defaults  Field
	look      Look
	calcs     []string
	overrides []override
}

func styleOf(p *dashboard.Panel, kind Kind) *style {
	s := &style{defaults: fieldOf(p.Node), overrides: overridesOf(p.Node)}
	switch p.Type.Value {
	case "graph":
		s.oldGraph(p.Node)
		return s
	case "singlestat":
		s.singlestat(p.Node)
		return s
	}
	if s.defaults.Unit == "" {
		s.defaults.Unit = p.Unit.Value
	}
	s.legend(p.Node.At("options", "legend"), kind)
	s.reduce(p.Node, kind)
	o := p.Node.Get("options")
	s.look.Horizontal = o.Get("orientation").Str() == "horizontal"
	s.look.Background = strings.HasPrefix(o.Get("colorMode").Str(), "background")
	s.look.Plain = o.Get("colorMode").Str() == "none"
	s.look.Sparkline = kind == Stat && o.Get("graphMode").Str() != "none"
	s.look.TextMode = o.Get("textMode").Str()
	s.look.Display = o.Get("displayMode").Str()
	if kind == Pie {
		s.look.Display = o.Get("pieType").Str()
	}
	if s.defaults.Color.Mode == "" && (kind == Stat || kind == Gauge || kind == BarGauge) && !p.Node.At("fieldConfig", "defaults", "color").Exists() {
		s.defaults.Color.Mode = "thresholds"
	}
	return s
}

func (s *style) legend(n *source.Node, kind Kind) {
	if kind != Graph && kind != Pie && kind != Timeline || !boolean(n.Get("showLegend"), true) {
		return
	}
	switch s.look.Legend = n.Get("displayMode").Str(); s.look.Legend {
	case "table", "list":
	case "hidden":
		s.look.Legend = ""
	default:
		s.look.Legend = "list"
	}
	s.look.LegendSide = n.Get("placement").Str() == "right"
	if kind == Graph {
		s.calcs = texts(n.Get("calcs").Items())
	}
}

// reduce reads what becomes of a series where one value is shown.
func (s *style) reduce(panel *source.Node, kind Kind) {
	if kind == Graph || kind == Timeline || kind == Heatmap {
		return
	}
	options := panel.At("options", "reduceOptions")
	if !options.Exists() {
		options = panel.At("options", "fieldOptions") // Grafana 6
	}
	s.calcs = texts(options.Get("calcs").Items())
	if len(s.calcs) == 0 {
		s.calcs = []string{"lastNotNull"}
	}
}

// override gives each series the options that are its own.
func (s *style) override(lines []line, scope *query.Scope) {
	for i := range lines {
		l := &lines[i]
		f := s.defaults
		own := l.own
		for _, o := range s.overrides {
			if o.matches(l.name, l.refID) {
				o.apply(&f)
				own = true
			}
		}
		if f.displayName != "" {
			l.name = displayed(f.displayName, l, scope)
		}
		l.hidden = l.hidden || f.hidden
		if own {
			l.field = &f
		}
	}
}

// displayed fills a display name, which may speak of the field.
func displayed(name string, l *line, scope *query.Scope) string {
	pairs := []string{"${__series.name}", l.name, "${__field.name}", l.name, "${__field.displayName}", l.name, "${__field.labels}", braced(l.labels)}
	for label, value := range l.labels {
		pairs = append(pairs, "${__field.labels."+string(label)+"}", string(value), `${__field.labels["`+string(label)+`"]}`, string(value))
	}
	return filled(strings.NewReplacer(pairs...).Replace(name), scope)
}
