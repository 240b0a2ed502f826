package drawing

import (
	"cmp"
	"math"
	"slices"

	"github.com/panelgate/panelgate/e2e/query"
	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/stack/dashboard"
	"github.com/panelgate/panelgate/stack/source"
)

// Grid is a place on Grafana's grid: columns of a 24th of the width, lines of 30 px
// and 8 px between them.
type Grid struct {
	X int `json:"x"`
	Y int `json:"y"`
	W int `json:"w"`
	H int `json:"h"`
}

const (
	columns   = 24
	cell      = 38 // px of a line and the gap below it
	tallest   = 200
	legacyRow = 250 // px, where a row says nothing
)

// section is a row with what stands in it, or what stands above the first row.
type section struct {
	number int
	row    *dashboard.Panel // nil above the first
	scope  *query.Scope
	panels []*dashboard.Panel // that a file keeps, before they are repeated
	copies []*shown
	legacy []*dashboard.Panel // rows of old that have no heading, whose panels are here
}

// layOut places every panel of a dashboard, repeated ones once for each value.
func layOut(b *rule.Board, asked []*rule.Asked) []*section {
	of := map[*dashboard.Panel][]*rule.Asked{}
	scope := b.Scope
	for _, a := range asked {
		of[a.Panel] = append(of[a.Panel], a)
	}
	if len(asked) > 0 {
		scope = asked[0].Scope
	}
	var out []*section
	number := 0
	for _, s := range sections(b) {
		s.scope = scope
		for _, one := range s.repeated(b, of) {
			if one.row != nil || len(out) > 0 {
				number++
			}
			one.number = number
			one.place()
			out = append(out, one)
		}
	}
	return out
}

// sections are the rows as they are in the file.
func sections(b *rule.Board) []*section {
	headed := legacyHeadings(b)
	at := &section{}
	out := []*section{at}
	begin := func(row *dashboard.Panel) {
		at = &section{row: row}
		out = append(out, at)
	}
	for _, p := range b.Panels {
		switch {
		case p.Clone:
		case p.IsRow() && isLegacy(p) && !headed:
			at.legacy = append(at.legacy, p)
		case p.IsRow():
			begin(p)
		default:
			if p.Row == nil && at.row != nil { // what follows a collapsed row is outside
				begin(nil)
			}
			at.panels = append(at.panels, p)
		}
	}
	return slices.DeleteFunc(out, func(s *section) bool { return s.row == nil && len(s.panels) == 0 })
}

// isLegacy says whether a panel is of the rows[] that schemaVersion 15 and before have.
func isLegacy(row *dashboard.Panel) bool { return row != nil && !row.Place.Get("type").Exists() }

// legacyHeadings says whether Grafana keeps the rows of an old dashboard as rows: if
// any of them shows its title, can be closed or repeats. Else only the panels stay.
func legacyHeadings(b *rule.Board) bool {
	return slices.ContainsFunc(b.Panels, func(p *dashboard.Panel) bool {
		return p.IsRow() && isLegacy(p) && (p.Place.Get("showTitle").Bool() || p.Collapsed || p.Repeat.Value != "")
	})
}

// repeated is the section once for each value that its row is repeated for, each with
// the copies of its panels that are of this value.
func (s *section) repeated(b *rule.Board, of map[*dashboard.Panel][]*rule.Asked) []*section {
	byValue := map[string]*section{}
	var out []*section
	if s.row == nil || s.row.Repeat.Value == "" || len(s.panels) == 0 {
		out = append(out, &section{row: s.row, scope: s.scope, panels: s.panels, legacy: s.legacy})
	}
	for _, p := range s.panels {
		copies := copiesOf(b, p, of[p], s.scope)
		for i, c := range copies {
			c.copy = i
			to := s.forCopy(c, byValue, &out)
			to.copies = append(to.copies, c)
		}
	}
	return out
}

func (s *section) forCopy(c *shown, byValue map[string]*section, out *[]*section) *section {
	if s.row == nil || s.row.Repeat.Value == "" {
		return (*out)[0]
	}
	value := ""
	if v, ok := c.scope.Lookup(s.row.Repeat.Value); ok && len(v.Values) > 0 {
		value = v.Values[0]
	}
	to := byValue[value]
	if to == nil {
		to = &section{row: s.row, scope: c.scope, panels: s.panels}
		byValue[value] = to
		*out = append(*out, to)
	}
	return to
}

// copiesOf are the copies of a panel, in the scopes that its queries were asked in, or
// where it asked nothing, in those that it would be shown in.
func copiesOf(b *rule.Board, p *dashboard.Panel, asked []*rule.Asked, scope *query.Scope) []*shown {
	var out []*shown
	for _, a := range asked {
		i := slices.IndexFunc(out, func(c *shown) bool { return c.scope == a.Scope })
		if i < 0 {
			i = len(out)
			out = append(out, &shown{panel: p, scope: a.Scope})
		}
		out[i].asked = append(out[i].asked, a)
	}
	if len(out) > 0 {
		return out
	}
	if scope == nil {
		return []*shown{{panel: p}}
	}
	scopes, err := query.Repeats(b.Dashboard, p, scope)
	if err != nil { // the question that was made of it says so
		return []*shown{{panel: p, scope: scope}}
	}
	for _, sc := range scopes {
		out = append(out, &shown{panel: p, scope: sc})
	}
	return out
}

// place gives each copy its place on the section's grid.
func (s *section) place() {
	var groups [][]*shown
	for _, c := range s.copies {
		if n := len(groups); n > 0 && groups[n-1][0].panel == c.panel {
			groups[n-1] = append(groups[n-1], c)
		} else {
			groups = append(groups, []*shown{c})
		}
	}
	at := s.gridOfFile()
	slices.SortStableFunc(groups, func(a, b []*shown) int {
		return cmp.Or(cmp.Compare(at[a[0].panel].Y, at[b[0].panel].Y), cmp.Compare(at[a[0].panel].X, at[b[0].panel].X))
	})
	s.copies = s.copies[:0]
	pushed := 0
	for _, g := range groups {
		grid := at[g[0].panel]
		grid.Y += pushed
		pushed += spread(g, grid)
		s.copies = append(s.copies, g...)
	}
	settle(s.copies)
}

// spread places the copies of one panel, and says by how many lines what is below them
// is pushed down.
func spread(copies []*shown, grid Grid) int {
	p := copies[0].panel
	if p.Repeat.Value == "" || len(copies) == 1 {
		for _, c := range copies {
			c.grid = grid
		}
		return 0
	}
	if p.Place.Get("repeatDirection").Str() == "v" {
		for i, c := range copies {
			c.grid = Grid{grid.X, grid.Y + i*grid.H, grid.W, grid.H}
		}
		return (len(copies) - 1) * grid.H
	}
	perRow := number(p.Place.Get("maxPerRow"), 4)
	if span := number(p.Place.Get("minSpan"), 0); span > 0 && isLegacy(p.Row) {
		perRow = 12 / span
	}
	inRow := min(whole(perRow, 1, columns), len(copies))
	w := columns / inRow
	for i, c := range copies {
		c.grid = Grid{i % inRow * w, grid.Y + i/inRow*grid.H, w, grid.H}
	}
	return (len(copies) - 1) / inRow * grid.H
}

// settle moves each panel up as far as those before it let it: Grafana leaves no gap.
func settle(copies []*shown) {
	slices.SortStableFunc(copies, func(a, b *shown) int { return cmp.Or(cmp.Compare(a.grid.Y, b.grid.Y), cmp.Compare(a.grid.X, b.grid.X)) })
	var sky [columns]int
	for _, c := range copies {
		under := sky[c.grid.X : c.grid.X+c.grid.W]
		c.grid.Y = slices.Max(under)
		for i := range under {
			under[i] = c.grid.Y + c.grid.H
		}
	}
}

// gridOfFile is where the file has the panels of the section.
func (s *section) gridOfFile() map[*dashboard.Panel]Grid {
	out := map[*dashboard.Panel]Grid{}
	legacy := &spans{}
	for _, p := range s.panels {
		if isLegacy(p.Row) {
			out[p] = legacy.next(p)
			continue
		}
		out[p] = gridPos(p.Place.Get("gridPos"))
	}
	return out
}

func gridPos(n *source.Node) Grid {
	within := func(key string, otherwise float64, least, greatest int) int {
		return whole(number(n.Get(key), otherwise), least, greatest)
	}
	g := Grid{W: within("w", 6, 1, columns), H: within("h", 3, 1, tallest), Y: within("y", 0, 0, 1e6)}
	g.X = within("x", 0, 0, columns-g.W)
	return g
}

// spans places the panels of rows[]: twelve to a row, one after the other, those that
// are lower than their row stacked where there is room for it.
type spans struct {
	row  *dashboard.Panel
	top  int          // line at which what is being filled begins
	sky  [columns]int // how high each column is filled, from top
	high int
}

func (s *spans) next(p *dashboard.Panel) Grid {
	if p.Row != s.row {
		s.wrap()
		s.row, s.high = p.Row, lines(p.Row.Place.Get("height"), legacyRow)
	}
	span := number(p.Place.Get("span"), 4)
	g := Grid{W: max(2*whole(math.Floor(span), 0, columns/2), 1), H: s.high}
	if height := p.Place.Get("height"); height.Scalar() != "" {
		g.H = lines(height, legacyRow)
	}
	var ok bool
	if g.X, g.Y, ok = s.room(g.W); !ok {
		s.wrap()
		g.X, g.Y = 0, 0
	}
	for i := g.X; i < g.X+g.W; i++ {
		s.sky[i] = g.Y + g.H
	}
	g.Y += s.top
	return g
}

// room is where a panel goes: as far left as what is to its right is as free, or freer.
func (s *spans) room(w int) (x, y int, ok bool) {
	start := columns
	for i := columns - 1; i >= 0 && s.sky[i] < s.high; i-- {
		if i < columns-1 && s.sky[i] > s.sky[i+1] {
			break
		}
		start = i
	}
	if columns-start < w {
		return 0, 0, false
	}
	return start, slices.Max(s.sky[start : start+w]), true
}

func (s *spans) wrap() {
	s.top += slices.Max(s.sky[:])
	s.sky = [columns]int{}
}

// lines is a height in px, a number or a text, in lines of the grid.
func lines(n *source.Node, otherwise float64) int {
	px := number(n, otherwise)
	return whole(math.Ceil(max(px, 90)/cell), 1, tallest)
}
