package curve

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func waves() (Curve, Curve) {
	a := Wave(40, Sine{Swing: 0.3, Period: 600}, Sine{Swing: 0.1, Period: 70, Phase: 0.4})
	b := Wave(5, Sine{Swing: 0.2, Period: 600, Phase: 0.1}, Sine{Swing: 0.25, Period: 333})
	return a, b
}

// numeric is the integral by Simpson's rule.
func numeric(f func(float64) float64, to float64) float64 {
	const n = 20_000
	h := to / n
	total := f(0) + f(to)
	for i := 1; i < n; i++ {
		total += f(float64(i)*h) * float64(2+2*(i%2))
	}
	return total * h / 3
}

func TestWaveIsWhatItSays(t *testing.T) {
	w := Wave(10, Sine{Swing: 0.5, Period: 100, Phase: 0.25})
	for _, tc := range []struct{ at, want float64 }{{0, 15}, {25, 10}, {50, 5}, {75, 10}, {100, 15}} {
		assert.InDelta(t, tc.want, w.At(tc.at), 1e-9, "at %v", tc.at)
	}
	assert.InDelta(t, 10, w.Mean(), 0)
}

func TestEaseLeadsFromOneValueToTheOther(t *testing.T) {
	e := Ease(1, 4, 1000, 60)
	for _, tc := range []struct{ at, want float64 }{{1000, 1}, {1015, 1.4393}, {1030, 2.5}, {1060, 4}} {
		assert.InDelta(t, tc.want, e.At(tc.at), 1e-4, "at %v", tc.at)
	}
	low, high := e.Bounds()
	assert.InDelta(t, 1, low, 1e-12)
	assert.InDelta(t, 4, high, 1e-12)
	assert.InDelta(t, 60*2.5, e.Integral(1060)-e.Integral(1000), 1e-9)
	a, _ := waves()
	assert.InDelta(t, a.At(1020)*e.At(1020), a.Times(e).At(1020), 1e-9)
	assert.Empty(t, Ease(2, 2, 5, 7).terms, "from a value to itself")
}

func TestArithmeticHoldsPointByPoint(t *testing.T) {
	a, b := waves()
	for _, x := range []float64{0, 1, 17.3, 599, 12345.678, 1e6} {
		assert.InDelta(t, a.At(x)+b.At(x), a.Plus(b).At(x), 1e-6)
		assert.InDelta(t, a.At(x)-b.At(x), a.Minus(b).At(x), 1e-6)
		assert.InDelta(t, a.At(x)*b.At(x), a.Times(b).At(x), 1e-6)
		assert.InDelta(t, a.At(x)*a.At(x), a.Times(a).At(x), 1e-6)
		assert.InDelta(t, a.At(x)*-2.5, a.Scale(-2.5).At(x), 1e-6)
	}
}

func TestIntegralIsTheAreaBelow(t *testing.T) {
	a, b := waves()
	for _, c := range []Curve{a, b, a.Times(b), a.Minus(b), Constant(3), {}} {
		for _, to := range []float64{0, 12.5, 600, 4000} {
			assert.InDelta(t, numeric(c.At, to), c.Integral(to), 1e-4)
		}
	}
}

func TestBoundsHoldTheCurve(t *testing.T) {
	a, b := waves()
	c := a.Times(b)
	low, high := c.Bounds()
	for x := range 5000 {
		require.GreaterOrEqual(t, c.At(float64(x)), low)
		require.LessOrEqual(t, c.At(float64(x)), high)
	}
	assert.Greater(t, low, 0.0)
	assert.Less(t, high, math.Inf(1))
}

func TestTermsOfOneFrequencyAreOne(t *testing.T) {
	a, _ := waves()
	assert.Len(t, a.Plus(a).terms, len(a.terms))
	assert.Empty(t, a.Minus(a).terms)
}
