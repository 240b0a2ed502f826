package embedded

import (
	"fmt"
	"time"
)

// clockTolerance is how far a clock may stray within a start. Time servers slew it by
// less than a millisecond a second; a tenth of the shortest window that tells anything
// of a target scraped every 15 s is lost on nobody.
const clockTolerance = 5 * time.Second

// stopwatch holds the wall clock against one that cannot be set. The past is laid down
// up to the present, and the first live scrapes have to follow it: with a gap of an hour
// between the two, every rate is empty, and nothing in the stack is to blame. A machine
// that slept in between has the same gap. A wall clock that stands still is one that a
// caller holds.
type stopwatch struct {
	wall  func() time.Time
	since func() time.Duration // by a clock that is never set
	begun time.Time
}

func newStopwatch(wall func() time.Time) *stopwatch {
	begun := time.Now()
	return &stopwatch{wall: wall, since: func() time.Duration { return time.Since(begun) }, begun: wall().Round(0)}
}

// check says whether the wall clock went on as time did.
func (s *stopwatch) check() error {
	passed := s.since()
	moved := s.wall().Round(0).Sub(s.begun)
	if off := moved - passed; moved != 0 && off.Abs() > clockTolerance {
		return &clockError{off}
	}
	return nil
}

// clockError is that of a clock that was set while a past was being laid down or
// targets were being scraped.
type clockError struct{ by time.Duration }

// Error implements error.
func (e *clockError) Error() string {
	way := "forward"
	if e.by < 0 {
		way = "back"
	}
	return fmt.Sprintf("this machine's clock was set %s by %s during the start, or the machine slept: the data has a gap that no stack is to blame for; run it again",
		way, e.by.Abs().Round(time.Second))
}
