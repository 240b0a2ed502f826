package drawing

import (
	"math"
	"slices"
)

// reduce is what one of Grafana's reducers makes of a series. Values that are not
// there, and NaN, are passed over; NaN where nothing is left.
func reduce(calc string, values []float64) float64 {
	there := slices.DeleteFunc(slices.Clone(values), math.IsNaN)
	if calc == "count" {
		return float64(len(there))
	}
	if len(values) == 0 {
		return math.NaN()
	}
	if calc == "last" {
		return values[len(values)-1]
	}
	if calc == "first" {
		return values[0]
	}
	if len(there) == 0 {
		return math.NaN()
	}
	first, last := there[0], there[len(there)-1]
	switch calc {
	case "firstNotNull":
		return first
	case "mean":
		return sum(there) / float64(len(there))
	case "sum", "total":
		return sum(there)
	case "min":
		return slices.Min(there)
	case "max":
		return slices.Max(there)
	case "range":
		return slices.Max(there) - slices.Min(there)
	case "diff":
		return last - first
	case "diffperc":
		return (last - first) / first
	case "delta":
		return delta(there)
	case "step":
		return leastStep(there)
	case "logmin":
		return leastPositive(there)
	case "median":
		return quantile(there, 0.5)
	case "variance":
		return variance(there)
	case "stdDev":
		return math.Sqrt(variance(there))
	case "distinctCount":
		slices.Sort(there)
		return float64(len(slices.Compact(there)))
	}
	if p, ok := percentile(calc); ok {
		return quantile(there, p)
	}
	return last
}

func sum(values []float64) float64 {
	total := 0.0
	for _, v := range values {
		total += v
	}
	return total
}

// delta is by how much a counter has gone up, whose falls are resets.
func delta(values []float64) float64 {
	total := 0.0
	for i := 1; i < len(values); i++ {
		if values[i] >= values[i-1] {
			total += values[i] - values[i-1]
		} else {
			total += values[i]
		}
	}
	return total
}

func leastStep(values []float64) float64 {
	least := math.Inf(1)
	for i := 1; i < len(values); i++ {
		least = min(least, values[i]-values[i-1])
	}
	return least
}

func leastPositive(values []float64) float64 {
	least := math.NaN()
	for _, v := range values {
		if v > 0 && !(least <= v) {
			least = v
		}
	}
	return least
}

func variance(values []float64) float64 {
	mean := sum(values) / float64(len(values))
	total := 0.0
	for _, v := range values {
		total += (v - mean) * (v - mean)
	}
	return total / float64(len(values))
}

// percentile reads p1 to p99.
func percentile(calc string) (float64, bool) {
	if len(calc) < 2 || calc[0] != 'p' {
		return 0, false
	}
	v := parsed(calc[1:])
	if v == nil || *v < 0 || *v > 100 {
		return 0, false
	}
	return *v / 100, true
}

func quantile(values []float64, p float64) float64 {
	slices.Sort(values)
	return values[min(int(p*float64(len(values))), len(values)-1)]
}
