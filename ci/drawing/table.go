package drawing

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/common/model"

	"github.com/panelgate/panelgate/stack/dashboard"
	"github.com/panelgate/panelgate/stack/source"
)

// TableData is what a table shows.
type TableData struct {
	Columns []Column `json:"columns"`
	Rows    [][]Cell `json:"rows"`
	More    int      `json:"more,omitempty"` // rows that are left out
}

// Column is one column of a table.
type Column struct {
	Name  string `json:"name"`
	Time  bool   `json:"time,omitempty"` // its numbers are ms
	Field *Field `json:"field,omitempty"`

	key, refID string
}

// Cell is a text or a number.
type Cell struct {
	Text   string
	Number *Number
}

// MarshalJSON implements json.Marshaler.
func (c Cell) MarshalJSON() ([]byte, error) {
	if c.Number == nil {
		return json.Marshal(c.Text)
	}
	if v := float64(*c.Number); v == math.Trunc(v) && math.Abs(v) < 1e15 { // a time has all its digits
		return json.Marshal(v)
	}
	return json.Marshal(*c.Number)
}

// UnmarshalJSON implements json.Unmarshaler. An infinite number comes back as one.
func (c *Cell) UnmarshalJSON(data []byte) error {
	var n Number
	if err := n.UnmarshalJSON(data); err == nil {
		*c = Cell{Number: &n}
		return nil
	}
	*c = Cell{}
	if err := json.Unmarshal(data, &c.Text); err != nil {
		return fmt.Errorf("read a cell of a drawing: %w", err)
	}
	return nil
}

const mostRows = 200

// row is a row of a table on its way, its cells by column.
type row map[string]Cell

// tableOf makes a table: a column for the time, each label and the values of each query.
// Rows that have the same labels are one, as merging them makes it; series that no
// query shows as a table have one row, with what they are reduced to.
func tableOf(c *shown, s *style) *TableData {
	lines := seriesOf(c)
	var refs []string
	for _, l := range lines {
		if !slices.Contains(refs, l.refID) {
			refs = append(refs, l.refID)
		}
	}
	t := &tabled{cells: map[string]row{}, several: len(refs) > 1, calc: "lastNotNull"}
	if len(s.calcs) > 0 {
		t.calc = s.calcs[0]
	}
	for i := range lines {
		t.add(&lines[i])
	}
	columns := t.columns(refs)
	rows := t.rows
	columns, rows = transformed(c.panel, columns, rows)
	sorted(c.panel.Node.At("options", "sortBy").Items(), "displayName", columns, rows)
	out := &TableData{Columns: []Column{}, Rows: [][]Cell{}, More: max(len(rows)-mostRows, 0)}
	for _, col := range columns {
		f, hidden := s.column(col)
		if hidden {
			continue
		}
		if col.Field = f; f != nil && f.displayName != "" {
			col.Name = filled(f.displayName, c.scope)
		}
		out.Columns = append(out.Columns, col)
	}
	for _, r := range rows[:min(len(rows), mostRows)] {
		var cells []Cell
		for _, col := range out.Columns {
			cells = append(cells, r[col.key])
		}
		out.Rows = append(out.Rows, cells)
	}
	return out
}

// column gives a column the options that overrides make its own.
func (s *style) column(c Column) (field *Field, hidden bool) {
	f := s.defaults
	own := false
	for _, o := range s.overrides {
		if o.matches(c.Name, c.refID) {
			o.apply(&f)
			own = true
		}
	}
	if !own {
		return nil, false
	}
	return &f, f.hidden
}

// tabled gathers rows.
type tabled struct {
	rows    []row
	cells   map[string]row // by what rows are joined by
	labels  []string
	several bool
	calc    string
}

func (t *tabled) add(l *line) {
	if !l.table && !l.instant { // a series over time
		t.put(l, l.start+int64(max(len(l.values)-1, 0))*l.step, reduce(t.calc, l.values))
		return
	}
	for i, v := range l.values {
		if !math.IsNaN(v) || l.instant {
			t.put(l, l.start+int64(i)*l.step, v)
		}
	}
}

func (t *tabled) put(l *line, at int64, v float64) {
	key := l.labels.String() + " " + fmt.Sprint(at)
	r := t.cells[key]
	value := Number(v)
	if r == nil {
		when := Number(at)
		r = row{"Time": {Number: &when}}
		t.cells[key] = r
		t.rows = append(t.rows, r)
	}
	for name, text := range l.labels {
		r[string(name)] = Cell{Text: string(text)}
		if !slices.Contains(t.labels, string(name)) {
			t.labels = append(t.labels, string(name))
		}
	}
	r["Value #"+l.refID] = Cell{Number: &value}
}

func (t *tabled) columns(refs []string) []Column {
	out := []Column{{Name: "Time", key: "Time", Time: true}}
	slices.Sort(t.labels)
	for _, name := range t.labels {
		out = append(out, Column{Name: name, key: name})
	}
	for _, ref := range refs {
		c := Column{Name: "Value", key: "Value #" + ref, refID: ref}
		if t.several {
			c.Name = c.key
		}
		out = append(out, c)
	}
	return out
}

// transformed follows the transformations that choose, name and order.
func transformed(p *dashboard.Panel, columns []Column, rows []row) ([]Column, []row) {
	for _, t := range p.Node.Get("transformations").Items() {
		if t.Get("disabled").Bool() {
			continue
		}
		options := t.Get("options")
		switch t.Get("id").Str() {
		case "organize":
			columns = organized(options, columns)
		case "filterFieldsByName":
			columns = chosen(options, columns)
		case "sortBy":
			sorted(options.Get("sort").Items(), "field", columns, rows)
		case "limit":
			rows = rows[:whole(number(options.Get("limitField"), 10), 0, len(rows))]
		}
	}
	return columns, rows
}

func organized(options *source.Node, columns []Column) []Column {
	order := map[string]float64{}
	for i, c := range columns {
		order[c.key] = number(options.At("indexByName", c.Name), float64(1000+i))
	}
	columns = slices.DeleteFunc(columns, func(c Column) bool { return options.At("excludeByName", c.Name).Bool() })
	slices.SortStableFunc(columns, func(a, b Column) int { return cmp.Compare(order[a.key], order[b.key]) })
	for i := range columns {
		if to := options.At("renameByName", columns[i].Name).Str(); to != "" {
			columns[i].Name = to
		}
	}
	return columns
}

func chosen(options *source.Node, columns []Column) []Column {
	names, pattern := texts(options.At("include", "names").Items()), options.At("include", "pattern").Str()
	if len(names) == 0 && pattern == "" {
		return columns
	}
	return slices.DeleteFunc(columns, func(c Column) bool {
		return !slices.Contains(names, c.Name) && (pattern == "" || !matches(pattern, c.Name))
	})
}

// sorted sorts by the first column that the settings name and that is there.
func sorted(by []*source.Node, nameKey string, columns []Column, rows []row) {
	for _, s := range by {
		i := slices.IndexFunc(columns, func(c Column) bool { return c.Name == s.Get(nameKey).Str() })
		if i < 0 {
			continue
		}
		key, sign := columns[i].key, 1
		if s.Get("desc").Bool() {
			sign = -1
		}
		slices.SortStableFunc(rows, func(a, b row) int { return sign * compareCells(a[key], b[key]) })
		return
	}
}

func compareCells(a, b Cell) int {
	if a.Number != nil && b.Number != nil {
		return cmp.Compare(float64(*a.Number), float64(*b.Number))
	}
	return strings.Compare(a.Text, b.Text)
}

// unstacked makes of a histogram's buckets, each of which holds those below it, how
// many are in each alone. Buckets of several series are summed.
func unstacked(lines []line) []line {
	byBound := map[float64]*line{}
	for _, l := range lines {
		bound := parseBound(string(l.labels[model.BucketLabel]))
		if math.IsNaN(bound) {
			return lines // no histogram
		}
		if have := byBound[bound]; have != nil {
			for i := range min(len(have.values), len(l.values)) {
				have.values[i] = plus(have.values[i], l.values[i])
			}
			continue
		}
		one := l
		one.values = slices.Clone(l.values)
		byBound[bound] = &one
	}
	bounds := slices.Sorted(maps.Keys(byBound))
	out := make([]line, len(bounds))
	for i := len(bounds) - 1; i >= 0; i-- {
		out[i] = *byBound[bounds[i]]
		if i == 0 {
			continue
		}
		below := byBound[bounds[i-1]]
		for j := range min(len(out[i].values), len(below.values)) {
			if !math.IsNaN(below.values[j]) {
				out[i].values[j] = max(out[i].values[j]-below.values[j], 0)
			}
		}
	}
	return out
}

func plus(a, b float64) float64 {
	switch {
	case math.IsNaN(a):
		return b
	case math.IsNaN(b):
		return a
	default:
		return a + b
	}
}

func formatBound(v float64) string { return strconv.FormatFloat(v, 'g', 6, 64) }

// parseBound is the upper bound of a bucket, NaN where a text is none.
func parseBound(text string) float64 {
	if text == "+Inf" {
		return math.Inf(1)
	}
	if v := parsed(text); v != nil {
		return *v
	}
	return math.NaN()
}
