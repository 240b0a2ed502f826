package truth

import (
	"slices"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	promparser "github.com/prometheus/prometheus/promql/parser"
)

// claim is what a query says that it shows.
type claim struct {
	what       string // in words, as "the mean time that a request waits in the queue"
	canonical  string // how it is written in PromQL, "" where that depends
	exporter   string
	of         about
	selectors  [][]*labels.Matcher
	scales     []float64     // of the panel's unit against the base unit; several where the panel does not tell
	window     time.Duration // that a point is a mean over; 0 for a value of the moment
	sinceStart bool          // the window begins when the exporter did
	aggregates bool
	filters    bool // lines are chosen by their values, or by those of others
	// only are the subjects that have such a quantity, nil for all.
	only     func(*subject) bool
	labels   []model.LabelName // that divide a subject's quantity
	readings func(who []*subject, line model.Metric) []reading
}

// reading is one way to understand a claim, in the base unit: the second, one per
// second, 1 of a ratio, the byte, the watt, the °C.
type reading struct {
	mean  func(from, to time.Time) float64 // over a window; of the moment where it is empty
	slack func(from, to time.Time) float64 // what whole numbers may make it off over a window; nil for nothing
}

// about says whether a subject is of the claim's kind.
func (c *claim) about(s *subject) bool {
	switch c.of {
	case aboutModel:
		return s.model != nil
	case aboutGPU:
		return s.gpu != nil
	default:
		return s.host != nil
	}
}

// splits says whether a label that is none of a subject's is known all the same.
func (c *claim) splits(l model.LabelName) bool { return slices.Contains(c.labels, l) }

// words say what the claim is of whom.
func (c *claim) words(who []*subject) string {
	var names []string
	for _, s := range who {
		if s.model != nil && !slices.Contains(names, s.model.Name()) {
			names = append(names, s.model.Name())
		}
	}
	switch len(names) {
	case 0:
		return c.what
	case 1:
		return c.what + " (model " + names[0] + ")"
	default:
		return c.what + " (models " + listed(names) + ")"
	}
}

func (c *claim) fix() string {
	if c.canonical == "" {
		return "mend the expression or the unit so that the panel shows what its title says"
	}
	return "write it as " + c.canonical + ", in the panel's unit and with the panel's labels"
}

func listed(names []string) string {
	out := ""
	for i, n := range names {
		switch {
		case i == 0:
		case i == len(names)-1:
			out += " and "
		default:
			out += ", "
		}
		out += n
	}
	return out
}

// read finds out what a panel's query claims to show; false where that is not certain.
func read(p Panel) (*claim, bool) {
	s, ok := shapeOf(p.Expr)
	w := wordsOf(p)
	if !ok || w.statistical() {
		return nil, false
	}
	u := unitOf(p.Unit)
	c := &claim{exporter: s.exporter, of: s.of, window: s.window, scales: []float64{u.scale}, aggregates: s.outermost != 0, filters: s.filters}
	switch s.of {
	case aboutModel:
		ok = c.ofModel(s, w, u)
	case aboutGPU:
		ok = c.ofGPU(s, w, u)
	default:
		ok = c.ofHost(s, w, u)
	}
	return c, ok && c.readings != nil
}

// combine puts the values of subjects together as the outermost aggregation does. A
// single subject is the same by all.
func combine(op promparser.ItemType, values []float64) float64 {
	switch op {
	case promparser.MAX:
		return slices.Max(values)
	case promparser.MIN:
		return slices.Min(values)
	}
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	if op == promparser.AVG {
		return sum / float64(len(values))
	}
	return sum
}
