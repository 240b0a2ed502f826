package replay

import (
	"math"
	"math/bits"

	"github.com/panelgate/panelgate/fakes/exposition"
)

// behaviour is how a series moves.
type behaviour int

const (
	asSeen   behaviour = iota // each page's own value
	advances                  // by what it advanced between the pages, or at a rate
	waves                     // below its one value
	follows                   // the clock, or moments that move with it
)

// series is a series as it is played back.
type series struct {
	text      string // its name and braces
	behaviour behaviour
	format    exposition.Format
	counter   counter
	wave      wave
	shift     shift
}

func (s *series) append(dst []byte, m *moment, recorded string) []byte {
	switch s.behaviour {
	case advances:
		steps := s.counter.steps(m)
		if steps == 0 {
			return append(dst, s.counter.text...)
		}
		return s.format.Append(dst, s.counter.after(steps))
	case waves:
		return s.format.Append(dst, s.format.Round(s.wave.at(m)))
	case follows:
		v, err := exposition.ParseValue(recorded)
		if moved := s.shift.by(m); err == nil && moved != 0 {
			return s.format.Append(dst, s.format.Round(v+moved))
		}
	case asSeen:
	}
	return append(dst, recorded...)
}

// counter is a value that only grows. It grows in whole steps, a step being a digit in the last decimal that was recorded: sums of
// floats would now and then step back by an error, which a counter must not.
type counter struct {
	text   string // the first value, as printed
	format exposition.Format
	first  float64 // the same
	exact  bool    // first is a whole number of steps, whole
	whole  int64
	scale  float64 // steps in one
	// grown are the steps up to each page and rise those from there to the next, in a recording of many pages.
	grown, rise []int64
	total       int64 // of all pages
	// In a recording of one, or at a rate that is told, the counter grows by steps each milliseconds.
	each, per int64
	// pace is the counter of the observations that a sum is of: it grows when that does.
	pace *counter
}

// steps are by how much it has grown since the start.
func (c *counter) steps(m *moment) int64 {
	if c.per > 0 {
		return mulDiv(c.each, m.elapsed, c.per)
	}
	return m.loops*c.total + c.grown[m.page] + c.part(m)
}

// part is what of the rise to the next page has been climbed.
func (c *counter) part(m *moment) int64 {
	rise := c.rise[m.page]
	if c.pace != nil && c.pace.rise != nil && c.pace.rise[m.page] > 0 {
		return mulDiv(rise, c.pace.part(m), c.pace.rise[m.page])
	}
	return mulDiv(rise, m.since, m.gap)
}

// after is the value when it has grown.
func (c *counter) after(steps int64) float64 {
	if c.exact {
		return float64(c.whole+steps) / c.scale
	}
	return c.format.Floor(c.first + float64(steps)/c.scale)
}

// mulDiv is a*b/c, rounded towards zero, without overflow in between. b and c are not negative, and c is not 0.
func mulDiv(a, b, c int64) int64 {
	if a < 0 {
		return -mulDiv(-a, b, c)
	}
	high, low := bits.Mul64(uint64(a), uint64(b)) //nolint:gosec // neither is negative
	if high >= uint64(c) {                        //nolint:gosec // as above
		return math.MaxInt64 / 4
	}
	quotient, _ := bits.Div64(high, low, uint64(c)) //nolint:gosec // as above
	return int64(min(quotient, math.MaxInt64/4))    //nolint:gosec // it is smaller than that
}

// wave goes below a value and back.
type wave struct {
	value  float64
	period float64 // seconds
}

// depth is how far a wave goes down, as a share of its value.
const depth = 0.05

func (w *wave) at(m *moment) float64 {
	return w.value * (1 - depth*(1-math.Cos(2*math.Pi*float64(m.elapsed)/1000/w.period))/2)
}

// shift moves moments of the recording into the world's time.
type shift struct {
	unit  float64 // of the value, in one second
	start float64 // seconds from the first scrape to the world's start
	loop  float64 // seconds that a moment moves with each time that the recording is played
	clock bool    // it shows the time, and goes on between the pages
}

func (s *shift) by(m *moment) float64 {
	moved := s.start + s.loop*float64(m.loops)
	if s.clock {
		moved += float64(m.since) / 1000
	}
	return moved * s.unit
}
