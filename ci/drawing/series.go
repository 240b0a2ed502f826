package drawing

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/prometheus/common/model"

	"github.com/panelgate/panelgate/e2e/rule"
)

// Series is one line of a panel, or what it is reduced to.
type Series struct {
	Name  string `json:"name"`
	RefID string `json:"ref_id"`
	// Field is there where overrides make it differ from the panel's.
	Field *Field `json:"field,omitempty"`
	// Values stand at Start, Start+Step and so on, in ms; NaN is a gap.
	Start   int64    `json:"start,omitempty"`
	Step    int64    `json:"step,omitempty"`
	Values  []Number `json:"values,omitempty"`
	Reduced []Number `json:"reduced,omitempty"` // by the panel's Calcs
}

// Number is a value with the digits that a drawing needs. In JSON, NaN is null and an
// infinite one a text, "+Inf" or "-Inf".
type Number float64

// MarshalJSON implements json.Marshaler.
func (n Number) MarshalJSON() ([]byte, error) {
	v := float64(n)
	switch {
	case math.IsNaN(v):
		return []byte("null"), nil
	case math.IsInf(v, 0):
		return json.Marshal(strconv.FormatFloat(v, 'g', -1, 64))
	}
	const digits = 6
	short, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', digits, 64), 64)
	if err != nil { // rounded beyond what there is
		short = v
	}
	return json.Marshal(short)
}

// UnmarshalJSON implements json.Unmarshaler.
func (n *Number) UnmarshalJSON(data []byte) error {
	switch text := string(data); text {
	case "null":
		*n = Number(math.NaN())
	case `"+Inf"`:
		*n = Number(math.Inf(1))
	case `"-Inf"`:
		*n = Number(math.Inf(-1))
	default:
		v, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return fmt.Errorf("read a value of a drawing: %w", err)
		}
		*n = Number(v)
	}
	return nil
}

// line is a series on its way into a drawing.
type line struct {
	name, refID string
	labels      model.Metric
	field       *Field // nil for the panel's
	own, hidden bool
	start, step int64
	values      []float64 // at start + i*step, NaN for a gap
	instant     bool
	table       bool // of a query that is shown as a table
	buckets     bool // of one that returns a histogram's buckets
}

// mostPoints bounds the values of a series that are drawn: more than a panel has px.
const mostPoints = 360

// linesOf are the series of one answer, without their names. A sample that is off the
// grid of the query's step, as of no range query, is put to the nearest place on it.
func linesOf(a *rule.Asked) []line {
	base := line{start: a.Request.Start.UnixMilli(), step: max(a.Request.Step.Milliseconds(), 1), instant: a.Request.Instant}
	if a.Target != nil {
		base.refID, base.table, base.buckets = a.Target.RefID.Value, a.Target.Format == "table", a.Target.Format == "heatmap"
	}
	one := func(metric model.Metric, at model.Time, v float64) line {
		l := base
		l.labels, l.start, l.values, l.instant = metric, int64(at), []float64{v}, true
		return l
	}
	var out []line
	switch answer := a.Answer.(type) {
	case model.Matrix:
		for _, s := range answer {
			l := base
			l.labels = s.Metric
			l.values = onGrid(s.Values, base.start, a.Request.End, base.step)
			out = append(out, l)
		}
	case model.Vector:
		for _, s := range answer {
			out = append(out, one(s.Metric, s.Timestamp, float64(s.Value)))
		}
	case *model.Scalar:
		out = append(out, one(nil, answer.Timestamp, float64(answer.Value)))
	}
	return out
}

func onGrid(samples []model.SamplePair, start int64, end time.Time, step int64) []float64 {
	const beyond = 50_000 // Prometheus itself refuses more than 11,000
	n := int(min(max((end.UnixMilli()-start)/step+1, 0), beyond))
	values := make([]float64, n)
	for i := range values {
		values[i] = math.NaN()
	}
	for _, s := range samples {
		if i := (int64(s.Timestamp) - start + step/2) / step; i >= 0 && i < int64(n) {
			values[i] = float64(s.Value)
		}
	}
	return values
}

// drawn is the line as a panel of the kind needs it; less says that it is thinned.
func (l *line) drawn(kind Kind, calcs []string) (s Series, less bool) {
	s = Series{Name: l.name, RefID: l.refID, Field: l.field}
	for _, c := range calcs {
		s.Reduced = append(s.Reduced, Number(reduce(c, l.values)))
	}
	switch kind {
	case Graph, Timeline, Stat: // a stat has a line behind its value
		if l.instant && kind == Stat {
			break
		}
		values := l.values
		s.Start, s.Step = l.start, l.step
		switch kind {
		case Stat: // nobody reads values off it, so that it is thinned is nothing to tell
			values, s.Step, _ = thinned(values, l.step, mostPoints/4)
		case Graph:
			values, s.Step, less = thinned(values, l.step, mostPoints)
		}
		s.Values = numbers(values)
	}
	return s, less
}

// thinned leaves at most so many values, two of each stretch: its least and its
// greatest, in the order in which they came. So no peak is lost.
func thinned(values []float64, step int64, most int) (out []float64, newStep int64, less bool) {
	if len(values) <= most {
		return values, step, false
	}
	stretch := (2*len(values) + most - 1) / most
	stretch += stretch % 2 // two values stand evenly in it
	for from := 0; from < len(values); from += stretch {
		first, second := extremes(values[from:min(from+stretch, len(values))])
		out = append(out, first, second)
	}
	return out, step * int64(stretch) / 2, true
}

// extremes are the least and the greatest value in their order; NaN where there is none.
func extremes(values []float64) (first, second float64) {
	least, greatest := -1, -1
	for i, v := range values {
		if math.IsNaN(v) {
			continue
		}
		if least < 0 || v < values[least] {
			least = i
		}
		if greatest < 0 || v > values[greatest] {
			greatest = i
		}
	}
	if least < 0 {
		return math.NaN(), math.NaN()
	}
	return values[min(least, greatest)], values[max(least, greatest)]
}

func numbers(values []float64) []Number {
	out := make([]Number, len(values))
	for i, v := range values {
		out[i] = Number(v)
	}
	return out
}
