// Package dimension works out which unit an expression has: of which quantity it
// is, and by what factor. Units come from the exporters' catalogue and the names of
// metrics and are carried through every operator and function of PromQL. What is not
// certain is unknown, and unknown stays unknown.
package dimension

import "math"

// kind is what sort of value a unit is of.
type kind uint8

const (
	unknown  kind = iota
	constant      // a pure number that the expression itself states
	quantity      // what dims say: a duration, bytes per second, watts
	number        // how many there are of something
	ratio         // a quotient of equals: a share, cores, a mean batch size
	flag          // 0 or 1
	code          // a number that only names something: no arithmetic makes sense of it
	moment        // seconds since 1970, times scale
	celsius       // temperatures have no common zero, so that a factor does not lead from one to the other
	fahrenheit
	kelvin
)

// dims are the exponents of the base quantities: the second, the byte, the volt and
// the ampere, so that a watt is V·A and a joule V·A·s.
type dims struct{ time, data, volt, ampere int }

// furthest is the exponent beyond which a quantity is none that anybody shows.
const furthest = 6

func (d dims) plus(o dims, sign int) dims {
	return dims{d.time + sign*o.time, d.data + sign*o.data, d.volt + sign*o.volt, d.ampere + sign*o.ampere}
}

func (d dims) far() bool {
	return max(d.time, d.data, d.volt, d.ampere, -d.time, -d.data, -d.volt, -d.ampere) > furthest
}

// Unit is what a value is measured in. The zero Unit is an unknown one.
type Unit struct {
	kind  kind
	dims  dims
	scale float64 // how many base units 1 stands for
	value float64 // of a constant
	// window is how many seconds the value was gathered over (increase, delta): divided
	// by that it is a rate. 0 for none, negative for a time that is not known.
	window float64
	// rated says that the ratio is of seconds per second: how fast a counter of time moves.
	rated bool
	// integrated says that a rate was multiplied by what may have been a time.
	integrated bool
}

// Known says whether the unit is certain enough to be held against a panel's: a unit
// that people have a name for.
func (u Unit) Known() bool {
	switch u.kind {
	case unknown, constant, flag, code:
		return false
	default:
		return u.String() != ""
	}
}

// near says whether two factors are the same, but for rounding.
func near(a, b float64) bool { return math.Abs(a-b) <= 1e-9*math.Max(math.Abs(a), math.Abs(b)) }

// same says whether two units are of one quantity and scale.
func same(a, b Unit) bool { return a.kind == b.kind && a.dims == b.dims && near(a.scale, b.scale) }

// checked is u, or the unknown unit where its factor or dimension is out of bounds.
func checked(u Unit) Unit {
	if u.dims.far() || !(u.scale > 1e-30 && u.scale < 1e30) {
		return Unit{}
	}
	return u
}

func pure(v float64) Unit { return Unit{kind: constant, scale: 1, value: v} }

func second() Unit { return Unit{kind: quantity, dims: dims{time: 1}, scale: 1} }

func count() Unit { return Unit{kind: number, scale: 1} }

func truth() Unit { return Unit{kind: flag, scale: 1} }

func clock() Unit { return Unit{kind: moment, scale: 1} }

func share() Unit { return Unit{kind: ratio, scale: 1} }

// additive says whether the kind is measured from a zero of its own, so that sums and
// multiples make sense.
func (u Unit) additive() bool { return u.kind == quantity || u.kind == number || u.kind == ratio }

// prefix says whether a factor is one that leads from a unit to a multiple of it:
// a power of ten or of 1024.
func prefix(factor float64) bool {
	whole := func(v float64) bool { return math.Abs(v-math.Round(v)) < 1e-9 }
	return whole(math.Log10(factor)) || whole(math.Log2(factor)/10)
}

// times is the unit of a value that is multiplied by a constant.
func (u Unit) times(c float64) Unit {
	factor := math.Abs(c)
	switch {
	case u.kind == constant:
		return pure(u.value * c)
	case u.kind == unknown || factor == 0 || math.IsInf(factor, 0) || math.IsNaN(factor):
		return Unit{}
	case factor == 1:
		return u
	case u.additive():
		return u.multiplied(factor)
	case u.kind != flag && u.kind != code && prefix(factor):
		u.scale /= factor
		return checked(u)
	default:
		return Unit{}
	}
}

// multiplied is times for what is additive, by a positive factor.
func (u Unit) multiplied(factor float64) Unit {
	if u.window != 0 {
		hours := u.dims == energy() && (prefix(factor*3600) || prefix(factor*36))
		switch window := u.window * factor; {
		case hours && near(u.window, 3600): // of an hour, watts and watt-hours are the same number
			return Unit{}
		case near(window, 1):
			return perSecond(u)
		case near(window, 60): // divided by the minutes of the window
			u.scale *= 1.0 / 60
			return perSecond(u)
		case !prefix(factor) && !near(factor, 8) && !hours:
			return Unit{}
		}
	}
	if factor > 1 && !prefix(factor) && !near(factor, 8) {
		u.integrated = true
	}
	u.scale /= factor
	return checked(u)
}

// perSecond is the unit of how fast something changes.
func perSecond(u Unit) Unit {
	switch u.kind {
	case number, quantity:
	default:
		return Unit{}
	}
	u.window = 0
	u.kind = quantity
	u.dims.time--
	if u.dims == (dims{}) {
		u.kind, u.rated = ratio, true
	}
	return checked(u)
}

// multiply is the unit of a product.
func multiply(a, b Unit) Unit {
	switch {
	case a.kind == unknown || b.kind == unknown:
		return Unit{}
	case b.kind == constant:
		return a.times(b.value)
	case a.kind == constant:
		return b.times(a.value)
	case b.kind == flag: // a mask, or the 1 of an info metric
		return a
	case a.kind == flag:
		return b
	case !a.additive() || !b.additive() || a.window != 0 && b.window != 0:
		return Unit{}
	}
	out := Unit{
		kind: quantity, dims: a.dims.plus(b.dims, 1), scale: a.scale * b.scale,
		window: a.window + b.window, integrated: a.integrated || b.integrated,
	}
	if out.dims == (dims{}) {
		// Things times a share, or a latency times a rate, may be either.
		if a.kind != ratio || b.kind != ratio {
			return Unit{}
		}
		out.kind = ratio
	}
	return checked(out)
}

// divide is the unit of a quotient.
func divide(a, b Unit) Unit {
	switch {
	case a.kind == unknown || b.kind == unknown:
		return Unit{}
	case a.kind == constant && b.kind == constant:
		return pure(a.value / b.value)
	case b.kind == constant:
		return a.times(1 / b.value)
	case b.kind == flag:
		return a
	case a.kind == constant && a.value != 1 && b.dims == frequency(): // how long so many take, or so many times how long one does
		return Unit{}
	case a.kind == constant:
		return b.inverse().times(a.value)
	case !a.additive() || !b.additive():
		return Unit{}
	}
	window, ok := windowOfQuotient(a, b)
	if !ok {
		return Unit{}
	}
	out := Unit{
		kind: quantity, dims: a.dims.plus(b.dims, -1), scale: a.scale / b.scale,
		window: window, rated: a.rated && b.kind == number, integrated: a.integrated || b.integrated,
	}
	if out.dims == (dims{}) {
		out.kind = ratio
		if a.kind == number && b.kind == ratio {
			out.kind = number
		}
	}
	return checked(out)
}

// windowOfQuotient is what is left of the windows of dividend and divisor; ok is false
// where they do not fit together.
func windowOfQuotient(a, b Unit) (window float64, ok bool) {
	switch {
	case b.window == 0:
		return a.window, true
	case near(a.window, b.window):
		return 0, true
	default:
		return 0, false
	}
}

// inverse is the unit of one by the value.
func (u Unit) inverse() Unit {
	if u.kind != quantity && u.kind != ratio || u.window != 0 {
		return Unit{}
	}
	return checked(Unit{kind: u.kind, dims: dims{}.plus(u.dims, -1), scale: 1 / u.scale, integrated: u.integrated})
}

// add is the unit of a sum.
func add(a, b Unit) Unit {
	switch {
	case a.kind == constant && b.kind == constant:
		return pure(a.value + b.value)
	case b.kind == constant:
		return a.shifted(b.value)
	case a.kind == constant:
		return b.shifted(a.value)
	case a.kind == flag && b.kind == flag:
		return count()
	case a.kind == moment && isDuration(b):
		return sameScale(a, b)
	case b.kind == moment && isDuration(a):
		return sameScale(b, a)
	default:
		return sum(a, b)
	}
}

// subtract is the unit of a difference.
func subtract(a, b Unit) Unit {
	switch {
	case a.kind == constant && b.kind == constant:
		return pure(a.value - b.value)
	case b.kind == constant:
		return a.shifted(b.value)
	case a.kind == constant:
		return b.shifted(a.value)
	case a.kind == moment && b.kind == moment && near(a.scale, b.scale):
		return Unit{kind: quantity, dims: dims{time: 1}, scale: a.scale}
	case a.kind == moment && isDuration(b):
		return sameScale(a, b)
	default:
		return sum(a, b)
	}
}

// sum is the unit of what was added or subtracted: that of both.
func sum(a, b Unit) Unit {
	if !a.additive() || !same(a, b) {
		return Unit{}
	}
	if !near(a.window, b.window) {
		a.window = -1
	}
	a.rated = a.rated && b.rated
	a.integrated = a.integrated || b.integrated
	return a
}

func isDuration(u Unit) bool { return u.kind == quantity && u.dims == dims{time: 1} }

func sameScale(a, b Unit) Unit {
	if !near(a.scale, b.scale) {
		return Unit{}
	}
	return a
}

// shifted is the unit of a value with a constant added to it or it subtracted from
// the constant.
func (u Unit) shifted(c float64) Unit {
	c = math.Abs(c)
	switch {
	case c == 0:
		return u
	case u.kind == flag && c == 1: // 1 - up
		return u
	case u.kind == ratio && near(c*u.scale, 1): // 1 - ratio, 100 - percent
		return u
	case u.kind == ratio && c < 0.01: // keeps a divisor from being 0
		return u
	case u.kind == quantity || u.kind == number:
		return u
	default:
		return Unit{}
	}
}

// either is the unit of a value that is one or the other.
func either(a, b Unit) Unit {
	switch {
	case b.kind == constant:
		return a
	case a.kind == constant:
		return b
	case !same(a, b):
		return Unit{}
	}
	if !near(a.window, b.window) {
		a.window = -1
	}
	a.rated = a.rated && b.rated
	a.integrated = a.integrated || b.integrated
	return a
}

// Measured is what a unit measures, as far as others need to tell.
type Measured uint8

// The quantities.
const (
	Other Measured = iota
	Time
	Share     // of a whole
	Frequency // how many things a second
	Data
	Power
	Celsius
)

// Measures is what a unit measures, and how many base units one of it is: seconds,
// wholes, things a second, bytes, watts, °C.
func (u Unit) Measures() (q Measured, scale float64) {
	switch {
	case u.kind == ratio:
		return Share, u.scale
	case u.kind == celsius:
		return Celsius, u.scale
	case u.kind != quantity:
		return Other, u.scale
	}
	for q, d := range map[Measured]dims{Time: duration(), Frequency: frequency(), Data: data(), Power: power()} {
		if u.dims == d {
			return q, u.scale
		}
	}
	return Other, u.scale
}
