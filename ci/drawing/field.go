package drawing

import (
	"slices"

	"github.com/panelgate/panelgate/e2e/query"
	"github.com/panelgate/panelgate/stack/source"
)

// Field is how values are shown: Grafana's field options, as far as they are drawn.
type Field struct {
	Unit       string     `json:"unit,omitempty"` // Grafana's id of it, or text that stands behind values
	Decimals   *int       `json:"decimals,omitempty"`
	Min        *float64   `json:"min,omitempty"`
	Max        *float64   `json:"max,omitempty"`
	Color      Color      `json:"color,omitzero"`
	Thresholds Thresholds `json:"thresholds,omitzero"`
	Mappings   []Mapping  `json:"mappings,omitempty"`
	NoValue    string     `json:"no_value,omitempty"` // in the place of "No data"
	Line       Line       `json:"line,omitzero"`

	displayName string
	hidden      bool
}

// Line is how a series is drawn over time.
type Line struct {
	Style      string   `json:"style,omitempty"`  // line (the default), bars or points
	Steps      string   `json:"steps,omitempty"`  // smooth, stepBefore, stepAfter; straight by default
	Points     string   `json:"points,omitempty"` // auto (the default), always or never
	Width      float64  `json:"width"`
	Fill       float64  `json:"fill,omitempty"`  // opacity in percent
	Stack      string   `json:"stack,omitempty"` // normal or percent
	StackGroup string   `json:"stack_group,omitempty"`
	Right      bool     `json:"right,omitempty"` // on the axis at the right
	Dashed     bool     `json:"dashed,omitempty"`
	Span       bool     `json:"span,omitempty"` // over gaps
	Negative   bool     `json:"negative,omitempty"`
	Log        float64  `json:"log,omitempty"`        // base of a logarithmic axis
	Thresholds string   `json:"thresholds,omitempty"` // line, dashed, area, line+area
	Label      string   `json:"label,omitempty"`      // of the axis
	SoftMin    *float64 `json:"soft_min,omitempty"`
	SoftMax    *float64 `json:"soft_max,omitempty"`
}

// Thresholds are the values at which colours change.
type Thresholds struct {
	Percent bool   `json:"percent,omitempty"` // of the way from min to max
	Steps   []Step `json:"steps"`
}

// Step is a colour from a value on; the first one has none.
type Step struct {
	Value *float64 `json:"value"`
	Color string   `json:"color"`
}

// Mapping is a text in the place of values.
type Mapping struct {
	Value   *string  `json:"value,omitempty"` // this one
	From    *float64 `json:"from,omitempty"`  // or those of a range
	To      *float64 `json:"to,omitempty"`
	Special string   `json:"special,omitempty"` // or null, nan, null+nan, empty, true, false
	Text    string   `json:"text"`
	Color   string   `json:"color,omitempty"`
}

// fieldOf reads the defaults of a panel's field options.
func fieldOf(panel *source.Node) Field {
	f := Field{Line: Line{Width: 1}}
	for _, at := range []*source.Node{panel.At("options", "fieldOptions", "defaults"), panel.At("fieldConfig", "defaults")} {
		for _, member := range at.Fields() {
			if member.Key == "custom" {
				for _, c := range member.Value.Fields() {
					f.set("custom."+c.Key, c.Value)
				}
				continue
			}
			f.set(member.Key, member.Value)
		}
	}
	return f
}

// set puts in one option, which a panel or an override has.
func (f *Field) set(id string, n *source.Node) {
	switch id {
	case "unit":
		f.Unit = n.Str()
	case "decimals":
		f.Decimals = decimals(n)
	case "min":
		f.Min = optional(n)
	case "max":
		f.Max = optional(n)
	case "color":
		f.Color = colorOf(n)
	case "thresholds":
		f.Thresholds = thresholdsOf(n)
	case "mappings":
		f.Mappings = mappingsOf(n)
	case "noValue":
		f.NoValue = n.Str()
	case "displayName":
		f.displayName = n.Str()
	case "custom.hideFrom":
		f.hidden = n.Get("viz").Bool()
	default:
		f.Line.set(id, n)
	}
}

func (l *Line) set(id string, n *source.Node) {
	switch id {
	case "custom.drawStyle":
		l.Style = n.Str()
	case "custom.lineInterpolation":
		l.Steps = n.Str()
	case "custom.showPoints":
		l.Points = n.Str()
	case "custom.lineWidth":
		l.Width = min(max(number(n, 1), 0), 10)
	case "custom.fillOpacity":
		l.Fill = min(max(number(n, 0), 0), 100)
	case "custom.stacking":
		l.Stack, l.StackGroup = n.Get("mode").Str(), n.Get("group").Str()
		if l.Stack == "none" {
			l.Stack = ""
		}
	case "custom.axisPlacement":
		l.Right = n.Str() == "right"
	case "custom.axisLabel":
		l.Label = n.Str()
	case "custom.axisSoftMin":
		l.SoftMin = optional(n)
	case "custom.axisSoftMax":
		l.SoftMax = optional(n)
	case "custom.lineStyle":
		l.Dashed = slices.Contains([]string{"dash", "dot"}, n.Get("fill").Str())
	case "custom.spanNulls":
		l.Span = n.Bool() || number(n, 0) > 0
	case "custom.transform":
		l.Negative = n.Str() == "negative-Y"
	case "custom.scaleDistribution":
		l.Log = 0
		if n.Get("type").Str() == "log" {
			l.Log = max(number(n.Get("log"), 2), 2)
		}
	case "custom.thresholdsStyle":
		l.Thresholds = n.Get("mode").Str()
		if l.Thresholds == "off" {
			l.Thresholds = ""
		}
	}
}

func decimals(n *source.Node) *int {
	v := optional(n)
	if v == nil {
		return nil
	}
	d := whole(*v, 0, 12)
	return &d
}

func thresholdsOf(n *source.Node) Thresholds {
	t := Thresholds{Percent: n.Get("mode").Str() == "percentage", Steps: []Step{}}
	for _, s := range n.Get("steps").Items() {
		step := Step{Value: optional(s.Get("value")), Color: hex(s.Get("color").Str())}
		if step.Value == nil && len(t.Steps) > 0 {
			continue
		}
		t.Steps = append(t.Steps, step)
	}
	if len(t.Steps) > 0 {
		t.Steps[0].Value = nil // Grafana takes the first for what is below all others
	}
	return t
}

// mappingsOf reads value mappings, as they are since Grafana 8 and as they were.
func mappingsOf(n *source.Node) []Mapping {
	var out []Mapping
	for _, m := range n.Items() {
		o := m.Get("options")
		switch m.Get("type").Scalar() {
		case "value":
			for _, f := range o.Fields() {
				out = append(out, mapping(Mapping{Value: &f.Key}, f.Value))
			}
		case "range":
			out = append(out, mapping(Mapping{From: optional(o.Get("from")), To: optional(o.Get("to"))}, o.Get("result")))
		case "special":
			out = append(out, mapping(Mapping{Special: o.Get("match").Str()}, o.Get("result")))
		case "1":
			value := m.Get("value").Scalar()
			out = append(out, Mapping{Value: &value, Text: m.Get("text").Str()})
		case "2":
			out = append(out, Mapping{From: optional(m.Get("from")), To: optional(m.Get("to")), Text: m.Get("text").Str()})
		}
	}
	return out
}

func mapping(m Mapping, result *source.Node) Mapping {
	m.Text = result.Get("text").Scalar()
	if c := result.Get("color").Str(); c != "" {
		m.Color = hex(c)
	}
	return m
}

// override is a part of the field options that concerns some of the fields.
type override struct {
	matches func(name, refID string) bool
	apply   func(f *Field)
}

// overridesOf reads the overrides of a panel.
func overridesOf(panel *source.Node) []override {
	var out []override
	for _, at := range []*source.Node{panel.At("options", "fieldOptions", "overrides"), panel.At("fieldConfig", "overrides")} {
		for _, o := range at.Items() {
			properties := o.Get("properties").Items()
			out = append(out, override{matcherOf(o.Get("matcher")), func(f *Field) {
				for _, p := range properties {
					f.set(p.Get("id").Str(), p.Get("value"))
				}
			}})
		}
	}
	return out
}

func matcherOf(n *source.Node) func(name, refID string) bool {
	options := n.Get("options")
	switch n.Get("id").Str() {
	case "byName":
		return func(name, _ string) bool { return name == options.Str() }
	case "byRegexp":
		return func(name, _ string) bool { return matches(options.Str(), name) }
	case "byFrameRefID":
		return func(_, refID string) bool { return refID == options.Str() }
	case "byNames":
		names, exclude := texts(options.Get("names").Items()), options.Get("mode").Str() == "exclude"
		return func(name, _ string) bool { return slices.Contains(names, name) != exclude }
	case "byType":
		return func(string, string) bool { return options.Str() == "number" }
	default:
		return func(string, string) bool { return false }
	}
}

func matches(pattern, name string) bool {
	found, err := query.Matching(pattern, []string{name})
	return err == nil && len(found) > 0 // one that is invalid matches nothing, and is a finding elsewhere
}
