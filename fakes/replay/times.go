package replay

import (
	"slices"
	"strings"
	"time"

	"github.com/panelgate/panelgate/fakes/exposition"
)

// defaultAge is how long ago what counts is taken to have started where a page does not tell.
const defaultAge = time.Hour

// times is what is known of a recording's time.
type times struct {
	// recorded is when the first scrape was made, in seconds since the epoch; 0 where that is not known.
	recorded float64
	// shift is how far it is from there to the world's start, in seconds; 0 where it is not known.
	shift                 float64
	processAge, systemAge time.Duration // since the process and its machine started; 0 where that is not known
}

func (r *read) times(start time.Time) times {
	var t times
	at := func(name string) float64 {
		for _, s := range r.seen {
			if s.line.Name == name && s.pages[0] == 0 {
				return s.values[0]
			}
		}
		return 0
	}
	started := float64(start.UnixMilli()) / 1000
	if first := r.recording.Scrapes[0].At; !first.IsZero() {
		t.recorded = float64(first.UnixMilli()) / 1000
	} else {
		t.recorded = at("node_time_seconds")
	}
	age := func(since float64) time.Duration {
		if since <= 0 || t.recorded <= since {
			return 0
		}
		return max(time.Duration((t.recorded-since)*1000)*time.Millisecond, time.Minute)
	}
	t.processAge, t.systemAge = age(at("process_start_time_seconds")), age(at("node_boot_time_seconds"))
	if t.systemAge == 0 {
		t.systemAge = r.cpuTime()
	}
	switch latest := r.latest(); {
	case t.recorded > 0:
		t.shift = started - t.recorded
	case latest > started: // the world starts before what the page says has happened
		t.shift = started - latest
	}
	return t
}

// cpuTime is how long a machine has run by the times that one of its CPUs has spent.
func (r *read) cpuTime() time.Duration {
	var sum float64
	for _, s := range r.seen {
		if s.line.Name == "node_cpu_seconds_total" && s.line.Label("cpu") == "0" && s.pages[0] == 0 {
			sum += s.values[0]
		}
	}
	return time.Duration(sum) * time.Second
}

// latest is the latest moment that the first page names.
func (r *read) latest() float64 {
	var latest float64
	for _, s := range r.seen {
		if unit := unitOfMoment(s); unit > 0 && s.pages[0] == 0 {
			latest = max(latest, s.values[0]/unit)
		}
	}
	return latest
}

// age is how long ago a counter was 0.
func (t *times) age(name string) time.Duration {
	age := t.processAge
	if strings.HasPrefix(name, "node_") {
		age = t.systemAge
	}
	if age == 0 {
		return defaultAge
	}
	return age
}

// power is by how much a counter of energy advances each second, by the power that the same device draws; false for others.
func (u *understanding) power(s *seen) (float64, bool) {
	for _, pair := range []struct {
		energy, power string
		perWatt       float64
	}{
		{"DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION", "DCGM_FI_DEV_POWER_USAGE", 1000},
		{"nv_energy_consumption", "nv_gpu_power_usage", 1},
	} {
		if s.line.Name != pair.energy {
			continue
		}
		of := pair.power + strings.TrimPrefix(s.line.Series, pair.energy)
		if i := slices.IndexFunc(u.seen, func(other *seen) bool { return other.line.Series == of && other.isNumber }); i >= 0 {
			return max(u.seen[i].values[0], 0) * pair.perWatt, true
		}
	}
	return 0, false
}

// unitOfMoment is how many units of a value are a second, where the value is a moment; 0 where it is none.
func unitOfMoment(s *seen) float64 {
	if (s.kind == "counter" || s.kind == "histogram" || s.kind == "summary") && s.part() != "_created" || !s.isNumber || !saysMoment(s.line) {
		return 0
	}
	for _, unit := range []float64{1, 1e3, 1e6, 1e9} {
		// Between 2001 and 2096.
		if v := s.values[0] / unit; v >= 1e9 && v < 4e9 {
			return unit
		}
	}
	return 0
}

// saysMoment says whether a series is named like a moment.
func saysMoment(l *exposition.Line) bool {
	return slices.ContainsFunc(words(l), func(word string) bool {
		return slices.Contains([]string{"time", "timestamp", "created", "boot", "since", "expiry", "expires", "mtime", "epoch"}, word)
	})
}

// isMoment says whether a series is a moment, and how it moves with the world's time.
func (u *understanding) isMoment(s *seen, out *series) bool {
	unit := unitOfMoment(s)
	if unit == 0 {
		return false
	}
	out.shift = shift{unit: unit, start: u.times.shift, clock: u.isClock(s, unit)}
	// A start stays, however often the recording is played; what moved while it was recorded moves on.
	if slices.Min(s.values) != slices.Max(s.values) || out.shift.clock {
		out.shift.loop = float64(u.exporter.period) / 1000
	}
	return true
}

// isClock says whether a moment is that of the scrape: it advances as time does, or, on a single page, is close to it.
func (u *understanding) isClock(s *seen, unit float64) bool {
	if len(s.values) == 1 {
		lag := u.times.recorded - s.values[0]/unit
		started := slices.ContainsFunc(words(s.line), func(word string) bool {
			return word == "start" || word == "boot" || word == "created" || word == "mtime"
		})
		return u.times.recorded > 0 && !started && lag > -60 && lag < 60
	}
	for i := 1; i < len(s.values); i++ {
		passed := float64(u.pages[s.pages[i]].at-u.pages[s.pages[i-1]].at) / 1000
		if moved := (s.values[i] - s.values[i-1]) / unit; moved < 0.8*passed-0.01 || moved > 1.2*passed+0.01 {
			return false
		}
	}
	return true
}
