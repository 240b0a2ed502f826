package replay

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/panelgate/panelgate/fakes/catalogue"
	"github.com/panelgate/panelgate/fakes/exposition"
)

// understand says of each series how it moves.
func (r *read) understand(e *Exporter, rates map[string]float64) error {
	u := &understanding{read: r, exporter: e, catalogue: catalogue.New(), rates: rates, told: map[string]bool{}}
	u.formats()
	u.times = r.times(e.start)
	e.series = make([]series, len(r.seen))
	for i, s := range r.seen {
		e.series[i] = series{text: s.line.Series, format: u.format[s.line.Name]}
		u.behave(s, &e.series[i])
	}
	if err := u.count(); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(rates)) {
		if !u.told[name] {
			return fmt.Errorf("args: --rate %s=%g: the recording has no counter, histogram or summary of that name", name, rates[name])
		}
	}
	return nil
}

// understanding is what is known of a recording on the way.
type understanding struct {
	*read
	exporter  *Exporter
	catalogue *catalogue.Catalogue
	format    map[string]exposition.Format // by the name of samples
	times     times
	rates     map[string]float64
	told      map[string]bool // the rates that something goes by
}

// formats tells how the numbers of each name are spelled; what they leave open is spelled as most of the page.
func (u *understanding) formats() {
	texts := map[string][]string{}
	var all exposition.Format
	for _, s := range u.seen {
		texts[s.line.Name] = append(texts[s.line.Name], s.texts...)
	}
	for i, name := range slices.Sorted(maps.Keys(texts)) {
		if i == 0 {
			all = exposition.FormatOf(texts[name])
		}
		all = all.And(exposition.FormatOf(texts[name]))
	}
	u.format = map[string]exposition.Format{}
	for name := range texts {
		u.format[name] = exposition.FormatOf(texts[name]).Or(all)
	}
}

// behave says how a series moves. What counters need of each other comes later, in count.
func (u *understanding) behave(s *seen, out *series) {
	switch {
	case !s.isNumber:
		return // as seen: whether NaN goes or comes, it is what was there
	case u.isMoment(s, out):
		out.behaviour = follows
	case u.counts(s):
		out.behaviour = advances
	case u.exporter.period == 0 && !u.constant(s):
		out.behaviour = waves
		hash := fnv.New32a()
		_, _ = hash.Write([]byte(s.group())) // of one summary all quantiles go together
		out.wave = wave{value: s.values[0], period: 90 + float64(hash.Sum32()%210)}
	}
}

// counts says whether a series only grows.
func (u *understanding) counts(s *seen) bool {
	if s.values[0] < 0 && s.part() != "_sum" {
		return false
	}
	switch s.kind {
	case "counter":
		return s.part() != "_created"
	case "histogram", "summary":
		return s.part() == "_bucket" || s.part() == "_count" || s.part() == "_sum"
	case "", "untyped", "unknown":
		return u.countsUntyped(s)
	}
	return false
}

// countsUntyped says the same of a series whose type is not told: what is known of its name, else what was seen of it.
func (u *understanding) countsUntyped(s *seen) bool {
	if m, part, ok := u.catalogue.Series(s.line.Name); ok && m.Type != catalogue.Untyped {
		return m.Type == catalogue.Counter || part != catalogue.Whole
	}
	if strings.HasSuffix(s.line.Name, "_total") {
		return true
	}
	return len(s.values) > 2 && slices.IsSorted(s.values) && s.values[0] < s.values[len(s.values)-1]
}

// constant says whether a gauge stays what it is: a limit, a size, a state, a number that is a name.
func (u *understanding) constant(s *seen) bool {
	v := s.values[0]
	if v == 0 || v == 1 || v == -1 {
		return true
	}
	switch s.kind {
	case "gauge", "summary":
	case "", "untyped", "unknown":
		// Nothing is known: what does not move is a counter and a gauge alike.
		if m, _, ok := u.catalogue.Series(s.line.Name); !ok || m.Type != catalogue.Gauge {
			return true
		}
	default:
		return true
	}
	if m, _, ok := u.catalogue.Series(s.line.Name); ok && (m.Unit == "state" || m.Unit == "unixtime") {
		return true
	}
	return strings.Contains(s.line.Name, "load_duration") || slices.ContainsFunc(words(s.line), func(word string) bool {
		return slices.Contains(constantWords(), word) || strings.HasSuffix(word, "total")
	})
}

// words are those of a metric's name, and of the values of labels that say what of it a series is.
func words(l *exposition.Line) []string {
	text := l.Name
	for _, label := range l.Labels {
		if strings.HasSuffix(label.Name, "_type") || strings.HasSuffix(label.Name, "_metric") {
			text += "_" + label.Value
		}
	}
	return strings.FieldsFunc(strings.ToLower(text), func(c rune) bool { return c == '_' || c == ':' || c == '.' })
}

// constantWords are words of names whose values stay.
func constantWords() []string {
	return []string{
		"info", "limit", "limits", "max", "maximum", "min", "minimum", "size", "capacity", "allocatable", "enabled", "state", "status", "mode", "per",
		"version", "config", "xid", "id", "index", "width", "mtu", "flags", "crit", "cores", "cpus", "slots", "threshold", "type", "online", "link", "gen",
	}
}

// group is a histogram or a summary with one set of labels.
type group struct {
	members []int // series that count
	count   int   // the one that counts all observations; -1 where there is none
}

func (u *understanding) groups() map[string]*group {
	out := map[string]*group{}
	for i, s := range u.seen {
		if u.exporter.series[i].behaviour != advances {
			continue
		}
		key := s.line.Series
		if s.kind == "histogram" || s.kind == "summary" {
			key = s.group()
		}
		g, ok := out[key]
		if !ok {
			g = &group{count: -1}
			out[key] = g
		}
		g.members = append(g.members, i)
		if s.part() == "_count" || g.count < 0 && s.part() == "_bucket" && s.line.Label("le") == "+Inf" {
			g.count = i
		}
	}
	return out
}

// count works out by how much counters advance.
func (u *understanding) count() error {
	scales := u.scales()
	for _, g := range u.groups() {
		resets := u.resets(g)
		for _, i := range g.members {
			s, c := u.seen[i], &u.exporter.series[i].counter
			*c = newCounter(s.texts[0], s.values[0], scales[s.line.Name])
			c.format = u.format[s.line.Name]
			if err := u.advance(s, c, g, resets); err != nil {
				return err
			}
			if g.count >= 0 && s.part() == "_sum" {
				c.pace = &u.exporter.series[g.count].counter
			}
		}
	}
	return nil
}

// The most that a counter may be in steps, and may advance in steps in a recording, so that years of playing do not overflow. What advances
// in proportion to its value, as that of a single scrape, overflows sooner.
const (
	mostSteps  = 1 << 52
	mostSingle = 1 << 43
	mostRise   = 1 << 40
)

// scales are, by the names of samples, how many steps there are in one: as many as there are decimals, fewer where numbers are large.
// All series of a name have the same, so that what is at most as large as another advances at most as much.
func (u *understanding) scales() map[string]float64 {
	largest, swing := map[string]float64{}, map[string]float64{}
	for _, s := range u.seen {
		low, high := slices.Min(s.values), slices.Max(s.values)
		largest[s.line.Name] = max(largest[s.line.Name], math.Abs(high), math.Abs(low))
		var rise float64
		for i := 1; i < len(s.values); i++ {
			rise += math.Abs(s.values[i] - s.values[i-1])
		}
		swing[s.line.Name] = max(swing[s.line.Name], rise)
	}
	limit := float64(mostSteps)
	if u.exporter.period == 0 {
		limit = mostSingle
	}
	out := map[string]float64{}
	for name, most := range largest {
		decimals := min(u.format[name].Decimals(), 15)
		for decimals > -300 && (most*math.Pow10(decimals) > limit || swing[name]*math.Pow10(decimals) > mostRise) {
			decimals--
		}
		out[name] = math.Pow10(decimals)
	}
	return out
}

func newCounter(text string, first, scale float64) counter {
	whole := math.Round(first * scale)
	return counter{text: text, first: first, scale: scale, whole: int64(whole), exact: whole/scale == first}
}

// resets are the pages before which a group began anew.
func (u *understanding) resets(g *group) map[int]bool {
	out := map[int]bool{}
	for _, i := range g.members {
		s := u.seen[i]
		if s.part() == "_sum" && g.count >= 0 {
			continue // which falls with what is observed
		}
		for j := 1; j < len(s.values); j++ {
			if s.values[j] < s.values[j-1] {
				out[s.pages[j]] = true
			}
		}
	}
	u.hiddenResets(g, out)
	return out
}

// hiddenResets adds those of a histogram that no bucket shows by itself, as it has outgrown what it was: between two buckets there are
// fewer observations than before.
func (u *understanding) hiddenResets(g *group, resets map[int]bool) {
	var buckets []*seen
	for _, i := range g.members {
		if s := u.seen[i]; s.part() == "_bucket" {
			buckets = append(buckets, s)
		}
	}
	bound := func(s *seen) float64 {
		v, err := exposition.ParseValue(s.line.Label("le"))
		if err != nil {
			return math.Inf(1) // no histogram then; what it prints is what was printed
		}
		return v
	}
	slices.SortStableFunc(buckets, func(a, b *seen) int { return cmp.Compare(bound(a), bound(b)) })
	for i := 1; i < len(buckets); i++ {
		lower, upper := buckets[i-1], buckets[i]
		for j := 1; j < min(len(lower.values), len(upper.values)); j++ {
			if upper.values[j]-lower.values[j] < upper.values[j-1]-lower.values[j-1] {
				resets[upper.pages[j]] = true
			}
		}
	}
}

// advance works out by how much a counter advances from page to page, or at which rate.
func (u *understanding) advance(s *seen, c *counter, g *group, resets map[int]bool) error {
	if rate, ok := u.rate(s); ok {
		return u.advanceAt(rate, s, c, g)
	}
	if u.exporter.period == 0 {
		c.each, c.per = c.whole, u.times.age(s.line.Name).Milliseconds()
		if watts, ok := u.power(s); ok {
			c.each, c.per = wholeSteps(watts*c.scale), 1000
		}
		return nil
	}
	pages := len(u.pages)
	c.grown, c.rise = make([]int64, pages), make([]int64, pages)
	steps := func(v float64) int64 { return int64(math.Round(v * c.scale)) }
	for j := 1; j < len(s.values); j++ {
		rise := steps(s.values[j]) - steps(s.values[j-1])
		if resets[s.pages[j]] {
			rise = steps(s.values[j])
		}
		c.rise[s.pages[j]-1] = rise
		c.total += rise
	}
	if s.pages[0] == 0 && s.pages[len(s.pages)-1] == pages-1 {
		// From the last page back to the first it advances as it did on average.
		c.rise[pages-1] = c.total / int64(pages-1)
		c.total += c.rise[pages-1]
	}
	for k := 1; k < pages; k++ {
		c.grown[k] = c.grown[k-1] + c.rise[k-1]
	}
	return nil
}

// rate is what is told of a series' family, or of its own name.
func (u *understanding) rate(s *seen) (float64, bool) {
	for _, name := range []string{s.family, s.line.Name} {
		if rate, ok := u.rates[name]; ok {
			u.told[name] = true
			return rate, true
		}
	}
	return 0, false
}

// advanceAt has a counter advance at a rate: by itself, or in a histogram or summary in proportion to what has been observed so far.
func (u *understanding) advanceAt(rate float64, s *seen, c *counter, g *group) error {
	if g.count < 0 {
		c.each, c.per = wholeSteps(rate*c.scale*1000), 1000*1000
		return nil
	}
	observed := u.seen[g.count].values[0]
	if observed == 0 && rate > 0 {
		return fmt.Errorf("args: --rate %s=%g: %s has observed nothing yet, and how observations spread over its buckets is not known",
			s.family, rate, s.line.Series)
	}
	c.each, c.per = c.whole, 1000
	if observed > 0 {
		c.each, c.per = wholeSteps(float64(c.whole)*rate/observed*1000), 1000*1000
	}
	return nil
}

// wholeSteps rounds a number of steps, and keeps it where it does not overflow.
func wholeSteps(v float64) int64 {
	return int64(math.Round(min(max(v, -math.MaxInt64/4), math.MaxInt64/4)))
}
