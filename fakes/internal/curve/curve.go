// Package curve is the arithmetic of quantities that rise and fall smoothly: a constant plus a sum of sines.
//
// Sums and products of such curves are such curves again, and so are their integrals in closed form. That is what lets a fake
// exporter say what a counter stood at after any number of hours without living through them.
package curve

import (
	"math"
	"math/cmplx"
	"slices"
)

// Curve is a function of time in seconds: mean + Σ Re(c·e^(iwt)). The zero Curve is 0 everywhere. Curves are immutable.
type Curve struct {
	mean  float64
	terms []term // ascending by w, each w > 0 and once only
}

type term struct {
	w        float64    // angular frequency, radians per second
	c        complex128 // amplitude and phase
	integral complex128 // c/(iw): the amplitude of the term's integral
}

// Sine is one oscillation of a Wave.
type Sine struct {
	Swing  float64 // amplitude as a share of the wave's mean
	Period float64 // seconds, > 0
	Phase  float64 // where in its period the sine is at t=0, 0..1
}

// sameFrequency is how near, relatively, two frequencies must be to be one; sums of frequencies differ in the last bits only.
const sameFrequency = 1e-12

// Constant is the curve that is v everywhere.
func Constant(v float64) Curve { return Curve{mean: v} }

// Wave is mean·(1 + Σ swing·sin(2π(t/period + phase))).
func Wave(mean float64, sines ...Sine) Curve {
	terms := make([]term, 0, len(sines))
	for _, s := range sines {
		amplitude := complex(0, -mean*s.Swing) // sin θ = Re(-i·e^(iθ))
		terms = append(terms, term{w: 2 * math.Pi / s.Period, c: amplitude * cmplx.Rect(1, 2*math.Pi*s.Phase)})
	}
	return collect(mean, terms)
}

// collect makes a curve of a constant and terms in any order, adding up those of one frequency and dropping what cancels out.
func collect(mean float64, terms []term) Curve {
	slices.SortFunc(terms, func(a, b term) int {
		switch {
		case a.w < b.w:
			return -1
		case a.w > b.w:
			return 1
		}
		return 0
	})
	merged := make([]term, 0, len(terms))
	for _, t := range terms {
		if last := len(merged) - 1; last >= 0 && t.w-merged[last].w <= sameFrequency*t.w {
			merged[last].c += t.c
			continue
		}
		merged = append(merged, t)
	}
	merged = slices.DeleteFunc(merged, func(t term) bool { return t.c == 0 })
	for i, t := range merged {
		merged[i].integral = t.c / complex(0, t.w)
	}
	return Curve{mean: mean, terms: merged}
}

// Ease is the way from one value at t0 to another at t0+d, d > 0, along half a period of a sine: slow at its ends. It is meant for
// that time alone; before and after it the curve swings on between the two.
func Ease(from, to, t0, d float64) Curve {
	w := math.Pi / d
	amplitude := complex((from-to)/2, 0)
	return collect((from+to)/2, []term{{w: w, c: amplitude * cmplx.Rect(1, -w*t0)}})
}

// Plus is the sum of two curves.
func (c Curve) Plus(d Curve) Curve {
	return collect(c.mean+d.mean, append(slices.Clone(c.terms), d.terms...))
}

// Minus is the difference of two curves.
func (c Curve) Minus(d Curve) Curve { return c.Plus(d.Scale(-1)) }

// Scale is the curve times a number.
func (c Curve) Scale(k float64) Curve {
	terms := slices.Clone(c.terms)
	for i := range terms {
		terms[i].c *= complex(k, 0)
	}
	return collect(c.mean*k, terms)
}

// Times is the product of two curves: each pair of sines becomes one of the summed and one of the differing frequency.
func (c Curve) Times(d Curve) Curve {
	mean := c.mean * d.mean
	var terms []term
	for _, t := range c.terms {
		terms = append(terms, term{w: t.w, c: t.c * complex(d.mean, 0)})
	}
	for _, u := range d.terms {
		terms = append(terms, term{w: u.w, c: u.c * complex(c.mean, 0)})
	}
	for _, t := range c.terms {
		for _, u := range d.terms {
			terms = append(terms, term{w: t.w + u.w, c: t.c * u.c / 2})
			difference := t.c * cmplx.Conj(u.c) / 2
			switch w := t.w - u.w; {
			case math.Abs(w) <= sameFrequency*t.w:
				mean += real(difference)
			case w > 0:
				terms = append(terms, term{w: w, c: difference})
			default:
				terms = append(terms, term{w: -w, c: cmplx.Conj(difference)})
			}
		}
	}
	return collect(mean, terms)
}

// Mean is the curve's average over all time.
func (c Curve) Mean() float64 { return c.mean }

// At is the curve's value at t seconds.
func (c Curve) At(t float64) float64 {
	v := c.mean
	for i := range c.terms {
		sin, cos := math.Sincos(c.terms[i].w * t)
		v += real(c.terms[i].c)*cos - imag(c.terms[i].c)*sin
	}
	return v
}

// Integral is the area under the curve from 0 to t seconds.
func (c Curve) Integral(t float64) float64 {
	v := c.mean * t
	for i := range c.terms {
		sin, cos := math.Sincos(c.terms[i].w * t)
		p := c.terms[i].integral
		v += real(p)*(cos-1) - imag(p)*sin
	}
	return v
}

// Bounds are limits that the curve never leaves; it need not reach them, as its sines seldom peak together.
func (c Curve) Bounds() (low, high float64) {
	var swing float64
	for _, t := range c.terms {
		swing += cmplx.Abs(t.c)
	}
	return c.mean - swing, c.mean + swing
}
