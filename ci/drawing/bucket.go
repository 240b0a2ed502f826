package drawing

import (
	"math"
	"slices"

	"github.com/panelgate/panelgate/stack/dashboard"
)

// BucketData is what a heatmap shows: how much is in each bucket over time.
type BucketData struct {
	Start  int64      `json:"start"` // ms
	Step   int64      `json:"step"`
	Names  []string   `json:"names"`            // of the buckets, lowest first: their upper bounds where those are numbers
	Bounds []Number   `json:"bounds,omitempty"` // the upper bounds, where all names are
	Cells  [][]Number `json:"cells"`            // by bucket, then by time
}

const (
	mostBuckets = 60
	mostTimes   = 180
	made        = 20 // buckets that are made of values
)

// bucketsOf arranges the series of a heatmap. Series that are no buckets are counted
// into some where the panel says to calculate them.
func bucketsOf(p *dashboard.Panel, lines []line) *BucketData {
	if len(lines) == 0 {
		return nil
	}
	if p.Node.At("options", "calculate").Bool() || p.Node.Get("dataFormat").Str() == "timeseries" {
		lines = counted(lines)
	}
	bounded := !slices.ContainsFunc(lines, func(l line) bool { return math.IsNaN(parseBound(l.name)) })
	if bounded {
		slices.SortStableFunc(lines, func(a, b line) int {
			return compareFloats(parseBound(a.name), parseBound(b.name))
		})
	}
	out := &BucketData{Start: lines[0].start, Step: lines[0].step, Names: []string{}, Cells: [][]Number{}}
	for _, l := range lines[:min(len(lines), mostBuckets)] {
		values, step := summed(l.values, l.step)
		out.Step = step
		out.Names = append(out.Names, l.name)
		out.Cells = append(out.Cells, numbers(values))
		if bounded {
			out.Bounds = append(out.Bounds, Number(parseBound(l.name)))
		}
	}
	return out
}

func compareFloats(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// summed adds up neighbouring times until there are few enough to be told apart.
func summed(values []float64, step int64) ([]float64, int64) {
	n := (len(values) + mostTimes - 1) / mostTimes
	if n <= 1 {
		return values, step
	}
	var out []float64
	for from := 0; from < len(values); from += n {
		total := math.NaN()
		for _, v := range values[from:min(from+n, len(values))] {
			total = plus(total, v)
		}
		out = append(out, total)
	}
	return out, step * int64(n)
}

// counted says how many of the series have a value in each of some even ranges.
func counted(lines []line) []line {
	least, greatest := math.Inf(1), math.Inf(-1)
	for _, l := range lines {
		for _, v := range l.values {
			if !math.IsNaN(v) && !math.IsInf(v, 0) {
				least, greatest = min(least, v), max(greatest, v)
			}
		}
	}
	if least > greatest {
		return lines
	}
	width := (greatest - least) / made
	if width == 0 {
		width = 1
	}
	out := make([]line, made)
	for i := range out {
		out[i] = line{name: formatBound(least + float64(i+1)*width), start: lines[0].start, step: lines[0].step, values: make([]float64, len(lines[0].values))}
	}
	for _, l := range lines {
		for t, v := range l.values {
			if !math.IsNaN(v) && !math.IsInf(v, 0) && t < len(out[0].values) {
				out[min(int((v-least)/width), made-1)].values[t]++
			}
		}
	}
	return out
}
