package selftest

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"github.com/panelgate/panelgate/e2e"
	"github.com/panelgate/panelgate/e2e/rule"
)

// seen is what a run came to: what the gate says, and what a viewer would see.
type seen struct {
	findings []rule.Finding
	queries  map[string]*drawn
	order    []string // of the queries
	settings map[string]string
	until    time.Time // how long the answers are comparable
}

// drawn is what a viewer sees of one query.
type drawn struct {
	where  string // for a message
	title  string
	kind   string // the panel's type
	unit   string
	failed string // why there is no answer, "" where there is
	lines  []line
}

// line is a series as it is drawn.
type line struct {
	legend string
	points map[int64]float64 // by time in milliseconds
}

// see takes from a report what runs are compared by.
func see(r *e2e.Report, until time.Time) *seen {
	s := &seen{findings: r.Findings, queries: map[string]*drawn{}, settings: map[string]string{}, until: until}
	times := map[string]int{}
	for _, a := range r.Queries {
		d := draw(a)
		key := fmt.Sprintf("%s %d %s", a.Board.File, rule.PanelID(a.Panel), d.where)
		if times[key]++; times[key] > 1 { // repeated panels, and panels of one name
			key = fmt.Sprintf("%s #%d", key, times[key])
		}
		s.queries[key] = d
		s.order = append(s.order, key)
	}
	for _, b := range r.Boards {
		s.settings["dashboard "+b.File] = fmt.Sprintf("%q in folder %q from %s to %s", b.Title.Value, b.Folder, b.From.Value, b.To.Value)
	}
	for _, v := range r.Variables {
		var options []string
		for _, o := range v.Options {
			options = append(options, o.Text)
		}
		s.settings[fmt.Sprintf("variable %s of %s", v.Variable.Name.Value, v.Board.File)] = fmt.Sprintf("%q", options)
	}
	for _, t := range r.Targets {
		s.settings["target "+t.Job+" "+t.Address] = fmt.Sprintf("up %t", t.Up)
	}
	return s
}

func draw(a *rule.Asked) *drawn {
	d := &drawn{where: a.Panel.Path(), title: a.Panel.Title.Value, kind: a.Panel.Type.Value, unit: a.Panel.Unit.Value}
	if a.Target == nil {
		d.failed = "no query"
		return d
	}
	d.where += " " + a.Target.RefID.Value
	if a.Err != nil {
		d.failed = a.Err.Error()
	} else if !a.Sent {
		d.failed = "not asked"
	}
	whole := a.Target.Format == "table" || a.Target.LegendFormat.Value == "__auto"
	name := func(m model.Metric) string {
		if legend := a.Target.LegendFormat.Value; legend != "" && !whole {
			return legendOf(legend, m)
		}
		return m.String()
	}
	switch v := a.Answer.(type) {
	case model.Matrix:
		for _, s := range v {
			l := line{legend: name(s.Metric), points: map[int64]float64{}}
			for _, p := range s.Values {
				l.points[int64(p.Timestamp)] = float64(p.Value)
			}
			d.lines = append(d.lines, l)
		}
	case model.Vector:
		for _, s := range v {
			d.lines = append(d.lines, line{legend: name(s.Metric), points: map[int64]float64{int64(s.Timestamp): float64(s.Value)}})
		}
	case *model.Scalar:
		d.lines = []line{{legend: name(nil), points: map[int64]float64{int64(v.Timestamp): float64(v.Value)}}}
	}
	slices.SortFunc(d.lines, func(a, b line) int {
		return cmp.Or(cmp.Compare(a.legend, b.legend), cmp.Compare(a.mean(), b.mean()))
	})
	return d
}

// legendOf fills in a legend as Grafana does: a label that is not there leaves
// nothing.
func legendOf(format string, m model.Metric) string {
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(format, "{{")
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		label, after, ok := strings.Cut(rest, "}}")
		if !ok {
			return b.String() + "{{" + rest
		}
		b.WriteString(string(m[model.LabelName(strings.TrimSpace(label))]))
		format = after
	}
}

// mean is of the finite values, 0 for none.
func (l line) mean() float64 {
	sum, n := 0.0, 0
	for _, v := range l.points {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			sum, n = sum+v, n+1
		}
	}
	return sum / math.Max(float64(n), 1)
}

// beyond are the findings of got, at warning or above, that s has not. Lines and
// values in messages move with every edit and are not what tells them apart.
func (s *seen) beyond(got *seen) []rule.Finding {
	have := map[string]int{}
	for _, f := range s.findings {
		have[identity(f)]++
	}
	var out []rule.Finding
	for _, f := range got.findings {
		id := identity(f)
		if have[id]--; have[id] < 0 && f.Severity >= rule.Warning {
			out = append(out, f)
		}
	}
	return out
}

func identity(f rule.Finding) string {
	return strings.Join([]string{f.Rule, f.Severity.String(), f.Dashboard, fmt.Sprint(f.PanelID), f.RefID, f.Reason,
		strings.Map(noDigit, f.Message)}, "\x00")
}

func noDigit(r rune) rune {
	if r >= '0' && r <= '9' {
		return -1
	}
	return r
}

// changes says what a viewer sees in got that is not so in s: nothing where the two
// cannot be told apart.
func (s *seen) changes(got *seen) []string {
	var out []string
	for _, key := range s.order {
		have, ok := got.queries[key]
		if !ok {
			out = append(out, s.queries[key].where+": is not asked any more")
			continue
		}
		until := s.until
		if got.until.Before(until) {
			until = got.until
		}
		out = append(out, s.queries[key].changes(have, until)...)
	}
	for _, key := range got.order {
		if s.queries[key] == nil {
			out = append(out, got.queries[key].where+": is asked besides")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.settings)) {
		if got.settings[name] != s.settings[name] {
			out = append(out, fmt.Sprintf("%s: %s, was %s", name, cmp.Or(got.settings[name], "gone"), s.settings[name]))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(got.settings)) {
		if s.settings[name] == "" {
			out = append(out, name+": is new")
		}
	}
	return out
}

func (d *drawn) changes(got *drawn, until time.Time) []string {
	var out []string
	say := func(format string, args ...any) { out = append(out, d.where+": "+fmt.Sprintf(format, args...)) }
	for _, setting := range []struct{ name, was, is string }{{"unit", d.unit, got.unit}, {"title", d.title, got.title}, {"panel type", d.kind, got.kind}} {
		if setting.was != setting.is {
			say("%s %q, was %q", setting.name, setting.is, setting.was)
		}
	}
	switch {
	case d.failed != got.failed && got.failed != "":
		say("no answer (%s)", got.failed)
		return out
	case d.failed != got.failed:
		say("an answer, where there was none")
		return out
	case len(d.lines) != len(got.lines):
		say("%d series, were %d", len(got.lines), len(d.lines))
		return out
	}
	for i, was := range d.lines {
		if is := got.lines[i]; was.legend != is.legend {
			say("legend %q, was %q", is.legend, was.legend)
		} else if difference := was.difference(is, until); difference != "" {
			say("%q %s", was.legend, difference)
		}
	}
	return out
}

// difference says how the values of a series differ, "" where a viewer cannot tell.
// Moments that only one of the two was asked for do not count.
func (l line) difference(got line, until time.Time) string {
	was, is := l.between(got, until), got.between(l, until)
	tolerance := visible * math.Max(was.highest(), is.highest())
	common, differ := 0, 0
	for at, a := range was.points {
		b, ok := is.points[at]
		if !ok {
			continue
		}
		common++
		if a != b && !(math.IsNaN(a) && math.IsNaN(b)) && !(math.Abs(a-b) <= tolerance) {
			differ++
		}
	}
	gaps, more := len(was.points)-common, len(is.points)-common
	switch {
	case common == 0 && gaps+more == 0:
		return ""
	case common == 0:
		return "has values at other times"
	case differ == 0 && gaps == 0 && more == 0:
		return ""
	case differ == 0:
		return fmt.Sprintf("has %d values, had %d", len(is.points), len(was.points))
	}
	text := fmt.Sprintf("%s on average, was %s", number(is.mean()), number(was.mean()))
	if m := was.mean(); m != 0 && is.mean() != 0 {
		text += fmt.Sprintf(" (×%s)", number(is.mean()/m))
	}
	return text
}

// visible is how much of the highest value of a series a difference must be to be
// seen: a few pixels on a panel.
const visible = 0.02

// between are the points that lie in the time that both series cover.
func (l line) between(other line, until time.Time) line {
	first, last := other.bounds()
	out := line{legend: l.legend, points: map[int64]float64{}}
	for at, v := range l.points {
		if at >= first && at <= last && at <= until.UnixMilli() {
			out.points[at] = v
		}
	}
	return out
}

func (l line) bounds() (first, last int64) {
	first, last = math.MaxInt64, math.MinInt64
	for at := range l.points {
		first, last = min(first, at), max(last, at)
	}
	return first, last
}

// highest is the largest of the finite values, whatever its sign.
func (l line) highest() float64 {
	most := 0.0
	for _, v := range l.points {
		if !math.IsInf(v, 0) && !math.IsNaN(v) {
			most = math.Max(most, math.Abs(v))
		}
	}
	return most
}

func number(f float64) string { return strconv.FormatFloat(f, 'g', 4, 64) }
