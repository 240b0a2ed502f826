package triton

import (
	"math"
	"strconv"

	"github.com/panelgate/panelgate/fakes/internal/page"
)

// exact is up to where a float64 holds every whole number that has no more than 16 digits.
const exact = 1e15

// number writes a value as a C++ stream of precision 16 does: prometheus-cpp 1.0.1, which Triton has since 22.09.
func number(dst []byte, v float64) []byte {
	if v == math.Trunc(v) && math.Abs(v) < exact {
		return strconv.AppendInt(dst, int64(v), 10)
	}
	if special, ok := unusual(v); ok {
		return append(dst, special...)
	}
	return strconv.AppendFloat(dst, v, 'g', 16, 64)
}

// sixDecimals writes a value as std::to_string does: prometheus-cpp 0.7.0, which Triton had before.
func sixDecimals(dst []byte, v float64) []byte {
	if special, ok := unusual(v); ok {
		return append(dst, special...)
	}
	return strconv.AppendFloat(dst, v, 'f', 6, 64)
}

// unusual is how both spell what has no digits.
func unusual(v float64) (string, bool) {
	switch {
	case math.IsNaN(v):
		return "Nan", true
	case math.IsInf(v, 1):
		return "+Inf", true
	case math.IsInf(v, -1):
		return "-Inf", true
	}
	return "", false
}

// format is how a release writes values.
func (o *options) format() page.Format {
	if o.release.Before(grouped) {
		return sixDecimals
	}
	return number
}
