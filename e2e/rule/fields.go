package rule

import (
	"regexp"
	"slices"
	"strings"

	"github.com/prometheus/common/model"

	"github.com/panelgate/panelgate/e2e/nearest"
	"github.com/panelgate/panelgate/e2e/query"
	"github.com/panelgate/panelgate/stack/dashboard"
)

// fields are the names that a panel's result has for what it holds, as far as they
// are certain: what Grafana matches overrides, transformations and reducers with.
type fields struct {
	names []string
	// shapes match the names that other data would have, as "Rx eth9" for the
	// legend "Rx {{device}}": whether one is there says something of the data alone.
	shapes []string // patterns
	open   bool     // there may be others, of which nothing is known
}

func (f *fields) add(names ...string) {
	for _, n := range names {
		if n != "" && !slices.Contains(f.names, n) {
			f.names = append(f.names, n)
		}
	}
}

// copies are the numbers that Grafana puts behind names that are there twice.
var copies = regexp.MustCompile(` \d+$`)

// has says whether a name is or may be one of the result.
func (f *fields) has(name string) bool {
	if f.open || slices.Contains(f.names, name) || slices.Contains(f.names, copies.ReplaceAllString(name, "")) {
		return true
	}
	return slices.ContainsFunc(f.shapes, func(shape string) bool { return looksLike(name, shape) })
}

// matches says whether a regular expression matches a name, or may.
func (f *fields) matches(pattern string) bool {
	if f.open {
		return true
	}
	if name, ok := literally(pattern); ok {
		return f.has(name)
	}
	matched, err := query.Matching(pattern, f.names)
	return err != nil || len(matched) > 0 || len(f.shapes) > 0
}

// shows says whether a regular expression, or a name, is that of a field that is there
// or may be: another that other data would bring does not fill a panel today.
func (f *fields) shows(pattern string) bool {
	today := &fields{names: f.names, open: f.open}
	if strings.HasPrefix(pattern, "/") {
		return today.matches(pattern)
	}
	return today.has(pattern)
}

// literally is the one name that a regular expression like /^a b$/ matches.
func literally(pattern string) (string, bool) {
	inner, ok := strings.CutPrefix(pattern, "/^")
	if !ok {
		return "", false
	}
	if inner, ok = strings.CutSuffix(inner, "$/"); !ok {
		return "", false
	}
	var out strings.Builder
	for i := 0; i < len(inner); i++ {
		c := inner[i]
		if c == '\\' && i+1 < len(inner) && strings.IndexByte(`\.+*?()[]{}|^$/-`, inner[i+1]) >= 0 {
			i++
			c = inner[i]
		} else if strings.IndexByte(`\.+*?()[]{}|^$`, c) >= 0 {
			return "", false
		}
		out.WriteByte(c)
	}
	return out.String(), true
}

// near are the names that may have been meant: those that go on where it ends first.
func (f *fields) near(name string) []string {
	var longer []string
	for _, n := range f.names {
		if strings.HasPrefix(n, name+" ") {
			longer = append(longer, n)
		}
	}
	return append(longer, nearest.Names(name, f.names, 2)...)
}

// said lists the names that are there, the beginning of many.
func (f *fields) said() string {
	const most = 10
	shown := strings.Join(f.names[:min(len(f.names), most)], ", ")
	if len(f.names) > most {
		shown += ", …"
	}
	return "fields of the result: " + oneLine(shown)
}

// panelFields works out the fields of a panel's result from all that it asked, in
// all its copies.
func panelFields(asked []*Asked) *fields {
	out := &fields{}
	several := severalTables(asked)
	out.add("Time")
	data := false
	for _, a := range asked {
		switch {
		case a.Target == nil, a.Target.Hide:
			continue
		case !a.Sent || a.Err != nil || a.Expression:
			out.open = true
		case a.Target.Format == "table":
			out.table(a, several)
		case a.Target.Format == "time_series":
			out.series(a)
		default:
			out.open = true // the buckets of a heatmap
		}
		data = data || a.Finite > 0
	}
	out.open = out.open || !data || ownFields(asked[0].Panel.Type.Value)
	return out
}

// severalTables says whether a panel shows more than one query as a table, in whatever
// number of copies: their values are called by the queries then.
func severalTables(asked []*Asked) bool {
	tables := map[*dashboard.Target]bool{}
	for _, a := range asked {
		if a.Target != nil && !a.Target.Hide && a.Target.Format == "table" {
			tables[a.Target] = true
		}
	}
	return len(tables) > 1
}

// ownFields says whether a panel of the type makes fields of its own from the result.
func ownFields(panelType string) bool {
	return slices.Contains([]string{"heatmap", "histogram", "xychart", "candlestick", "trend"}, panelType)
}

// table adds the columns of a query shown as a table.
func (f *fields) table(a *Asked, several bool) {
	if several {
		f.add("Value #" + a.Target.RefID.Value)
	} else {
		f.add("Value")
	}
	metrics := metricsOf(a.Answer)
	f.open = f.open || len(metrics) == 0 // its labels are not known
	for _, m := range metrics {
		for name := range m {
			f.add(string(name))
		}
	}
}

// series adds the names of the series of a query.
func (f *fields) series(a *Asked) {
	f.add("Value") // what the field is called, whatever is shown for it
	legend, ok := a.legend()
	if !ok {
		f.open = true
		return
	}
	metrics := metricsOf(a.Answer)
	switch {
	case legend == "" || legend == "__auto":
		f.unnamed(a)
	case !legendLabel.MatchString(legend):
		f.add(legend)
	case len(metrics) == 0:
		f.shape(legend, nil)
	default:
		for _, m := range metrics {
			f.add(FillLegend(legend, labelsOf(m)))
		}
		f.shape(legend, a)
	}
}

// legend is that of a query with its variables filled; ok is false where they cannot be.
func (a *Asked) legend() (filled string, ok bool) {
	legend := a.Target.LegendFormat.Value
	if !strings.Contains(legend, "$") && !strings.Contains(legend, "[[") {
		return legend, true
	}
	filled, err := a.Scope.Interpolate(legend, query.Plain)
	return filled, err == nil && len(query.References(filled)) == 0
}

func labelsOf(m model.Metric) map[string]string {
	out := make(map[string]string, len(m))
	for name, value := range m {
		out[string(name)] = string(value)
	}
	return out
}

// unnamed adds the names that series without a legend get: with labels they are made
// of those, in ways that differ from version to version.
func (f *fields) unnamed(a *Asked) {
	f.add(a.Target.Expr.Value, a.Request.Expr, "{}")
	for _, m := range metricsOf(a.Answer) {
		if len(m) > 0 {
			f.open = true
		}
	}
}

// FillLegend puts a series' labels in the place of a legend's {{label}}, as Grafana does.
func FillLegend(legend string, labels map[string]string) string {
	return legendLabel.ReplaceAllStringFunc(legend, func(ref string) string {
		return labels[legendLabel.FindStringSubmatch(ref)[1]]
	})
}

// shape adds what a legend can come to with other values of its labels. Where all the
// values that were seen are numbers, others are too.
func (f *fields) shape(legend string, a *Asked) {
	pattern, rest := "^", legend
	for {
		m := legendLabel.FindStringSubmatchIndex(rest)
		if m == nil {
			break
		}
		pattern += regexp.QuoteMeta(rest[:m[0]]) + valueShape(a, rest[m[2]:m[3]])
		rest = rest[m[1]:]
	}
	f.shapes = append(f.shapes, "(?s)"+pattern+regexp.QuoteMeta(rest)+"$")
}

func valueShape(a *Asked, label string) string {
	const any = `.*`
	if a == nil {
		return any
	}
	for _, m := range metricsOf(a.Answer) {
		for name, value := range m {
			if string(name) == label && strings.Trim(string(value), "0123456789") != "" {
				return any
			}
		}
	}
	return `\d*`
}
