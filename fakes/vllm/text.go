package vllm

import (
	"bytes"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/panelgate/panelgate/fakes"
)

// The kinds of metric that prometheus_client knows of those that vLLM has.
const (
	counter   = "counter"
	gauge     = "gauge"
	histogram = "histogram"
	summary   = "summary"
)

// family is a metric as prometheus_client keeps it: a counter's name without the _total that is printed.
type family struct {
	name, kind, help string
	series           []series
}

// series is one label set of a family.
type series struct {
	labels  []label // sorted by name
	value   float64 // of a counter or a gauge
	spread  fakes.Histogram
	bounds  []float64
	created float64 // in Unix time, 0 where that is not printed
}

type label struct{ name, value string }

// with is a label set and a label more, in order.
func with(labels []label, more label) []label {
	at := slices.IndexFunc(labels, func(l label) bool { return l.name > more.name })
	if at < 0 {
		at = len(labels)
	}
	return slices.Insert(slices.Clone(labels), at, more)
}

// writer writes families as prometheus_client does, in either format.
type writer struct {
	dst          []byte
	openMetrics  bool
	multiprocess bool // the values are collected from several processes: nothing was created at a time, and sums stand first
}

func (w *writer) family(f family) {
	shown := f.name
	if f.kind == counter && !w.openMetrics {
		shown += "_total"
	}
	w.comment(shown, f.kind, f.help)
	var created []series
	for _, s := range f.series {
		w.series(f, s)
		if s.created == 0 || w.multiprocess {
			continue
		}
		if w.openMetrics {
			w.sample(f.name+"_created", s.labels, s.created)
			continue
		}
		created = append(created, s)
	}
	if len(created) == 0 {
		return
	}
	w.comment(f.name+"_created", gauge, f.help) // the text format has no such line: it becomes a family of its own
	for _, s := range created {
		w.sample(f.name+"_created", s.labels, s.created)
	}
}

func (w *writer) comment(name, kind, help string) {
	for _, text := range []string{"# HELP ", name, " ", help, "\n# TYPE ", name, " ", kind, "\n"} {
		w.dst = append(w.dst, text...)
	}
}

func (w *writer) series(f family, s series) {
	switch f.kind {
	case counter:
		w.sample(f.name+"_total", s.labels, s.value)
	case gauge:
		w.sample(f.name, s.labels, s.value)
	case summary:
		w.sample(f.name+"_count", s.labels, float64(s.spread.Count))
		w.sample(f.name+"_sum", s.labels, s.spread.Sum)
	case histogram:
		if w.multiprocess {
			w.sample(f.name+"_sum", s.labels, s.spread.Sum)
		}
		w.buckets(f.name+"_bucket", s)
		w.sample(f.name+"_count", s.labels, float64(s.spread.Count))
		if !w.multiprocess {
			w.sample(f.name+"_sum", s.labels, s.spread.Sum)
		}
	}
}

// buckets writes a histogram's buckets: most of a page, so that what they share is put together once.
func (w *writer) buckets(name string, s series) {
	const bound = "\x00" // where the bound goes
	shared := appendLabels([]byte(name), with(s.labels, label{"le", bound}))
	before, after, _ := bytes.Cut(shared, []byte(bound))
	for i := range len(s.bounds) + 1 {
		le := math.Inf(1)
		if i < len(s.bounds) {
			le = s.bounds[i]
		}
		w.dst = append(appendValue(append(w.dst, before...), le), after...)
		w.dst = append(appendValue(append(w.dst, ' '), float64(s.spread.UpTo(le))), '\n')
	}
}

func (w *writer) sample(name string, labels []label, value float64) {
	w.dst = append(appendLabels(append(w.dst, name...), labels), ' ')
	w.dst = append(appendValue(w.dst, value), '\n')
}

func appendLabels(dst []byte, labels []label) []byte {
	for i, l := range labels {
		if i == 0 {
			dst = append(dst, '{')
		} else {
			dst = append(dst, ',')
		}
		dst = append(append(append(append(dst, l.name...), '=', '"'), escape(l.value)...), '"')
	}
	if len(labels) > 0 {
		dst = append(dst, '}')
	}
	return dst
}

// escape writes a label's value as the exposition formats want it.
func escape(value string) string {
	if !strings.ContainsAny(value, "\\\"\n") {
		return value
	}
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(value)
}

// Python writes floats without an exponent between these powers of ten.
const (
	lowestPlain  = -4
	highestPlain = 15
)

// digitsOfGo is up to how many digits before the point prometheus_client leaves Python's float alone.
const (
	digitsOfGo = 6
	million    = 1e6
)

// appendValue writes a value as prometheus_client does: Python's float, and from a million on with an exponent as Go has it, or as
// prometheus_client thinks that Go has it: e+010 for ten thousand million.
func appendValue(dst []byte, v float64) []byte {
	switch {
	case math.IsInf(v, 1):
		return append(dst, "+Inf"...)
	case math.IsInf(v, -1):
		return append(dst, "-Inf"...)
	case math.IsNaN(v):
		return append(dst, "NaN"...)
	}
	if v == math.Trunc(v) && math.Abs(v) < million { // nearly all there are
		return append(strconv.AppendInt(dst, int64(v), 10), '.', '0')
	}
	scientific := strconv.FormatFloat(v, 'e', -1, 64)
	_, exponent, _ := strings.Cut(scientific, "e")
	if power, err := strconv.Atoi(exponent); err == nil && v != 0 && (power < lowestPlain || power > highestPlain) {
		return append(dst, scientific...)
	}
	plain := strconv.FormatFloat(v, 'f', -1, 64)
	whole, fraction, _ := strings.Cut(plain, ".")
	if v > 0 && len(whole) > digitsOfGo {
		mantissa := strings.TrimRight(whole[:1]+"."+whole[1:]+fraction, "0.")
		return append(append(append(dst, mantissa...), "e+0"...), strconv.Itoa(len(whole)-1)...)
	}
	if fraction == "" {
		fraction = "0"
	}
	return append(append(append(dst, whole...), '.'), fraction...)
}

func integerText(n int64) string { return strconv.FormatInt(n, 10) }
