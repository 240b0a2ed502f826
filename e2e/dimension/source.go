package dimension

import (
	"slices"
	"strings"
)

// Named is the unit that the exporters' catalogue calls by this name, the unknown one
// for a name that it has not.
func Named(name string) Unit {
	switch name {
	case "1":
		return count()
	case "state":
		return Unit{kind: code, scale: 1}
	case "ratio":
		return share()
	case "percent":
		return Unit{kind: ratio, scale: 0.01}
	case "unixtime":
		return clock()
	case "celsius":
		return Unit{kind: celsius, scale: 1}
	case "bytes/s":
		return perSecond(Named("bytes"))
	case "mJ":
		return Named("millijoules")
	case "MHz":
		return Named("megahertz")
	}
	return word(name)
}

// word is the unit that a word of a metric's name stands for.
func word(w string) Unit {
	quantityOf := func(d dims, scale float64) Unit { return Unit{kind: quantity, dims: d, scale: scale} }
	switch w {
	case "s", "second", "seconds", "secs": // not sec, which is as often "per second"
		return second()
	case "ms", "millis", "milliseconds", "msec", "msecs", "millisecond":
		return quantityOf(duration(), 1e-3)
	case "us", "micros", "microseconds", "usec", "usecs", "microsecond":
		return quantityOf(duration(), 1e-6)
	case "ns", "nanos", "nanoseconds", "nsec", "nsecs", "nanosecond":
		return quantityOf(duration(), 1e-9)
	case "minutes":
		return quantityOf(duration(), 60)
	case "hours":
		return quantityOf(duration(), 3600)
	case "days":
		return quantityOf(duration(), 86400)
	case "bytes", "octets":
		return quantityOf(data(), 1)
	case "bits":
		return quantityOf(data(), 1.0/8)
	case "KiB", "kib", "kibibytes":
		return quantityOf(data(), 1<<10)
	case "MiB", "mib", "mebibytes":
		return quantityOf(data(), 1<<20)
	case "GiB", "gib", "gibibytes":
		return quantityOf(data(), 1<<30)
	case "joules":
		return quantityOf(energy(), 1)
	case "millijoules":
		return quantityOf(energy(), 1e-3)
	case "watts":
		return quantityOf(power(), 1)
	case "milliwatts":
		return quantityOf(power(), 1e-3)
	case "kilowatts":
		return quantityOf(power(), 1e3)
	case "volts":
		return quantityOf(dims{volt: 1}, 1)
	case "millivolts":
		return quantityOf(dims{volt: 1}, 1e-3)
	case "amperes", "amps":
		return quantityOf(dims{ampere: 1}, 1)
	case "milliamperes", "milliamps":
		return quantityOf(dims{ampere: 1}, 1e-3)
	case "hertz", "hz":
		return quantityOf(frequency(), 1)
	case "megahertz", "mhz":
		return quantityOf(frequency(), 1e6)
	case "ratio":
		return share()
	case "celsius":
		return Unit{kind: celsius, scale: 1}
	case "fahrenheit":
		return Unit{kind: fahrenheit, scale: 1}
	case "kelvin":
		return Unit{kind: kelvin, scale: 1}
	default:
		return Unit{}
	}
}

// ByName is the unit that the name of a series tells, by the conventions of
// Prometheus. Names that are known to lie are believed nothing: _percent is often a
// share of 1, and _time_seconds of a gauge may be a moment.
func ByName(series string) Unit {
	switch {
	case series == "" || strings.Contains(series, ":"): // a recorded series is named after its metric
		return Unit{}
	case series == "up" || strings.HasSuffix(series, "_info"):
		return truth()
	case series == "process_start_time_seconds", strings.HasSuffix(series, "_timestamp_seconds"), strings.HasSuffix(series, "_created"):
		return clock()
	case strings.HasSuffix(series, "_bucket"):
		return count()
	case strings.HasSuffix(series, "_count"):
		return ofCount(strings.TrimSuffix(series, "_count"))
	}
	words := strings.Split(series, "_")
	last := len(words) - 1
	cumulative := false
	if w := words[last]; last > 0 && (w == "total" || w == "sum") {
		cumulative = true
		last--
	}
	if last < 1 {
		return Unit{} // a word alone is no name and a unit
	}
	if words[last-1] == "per" {
		return ofQuotientName(words[:last-1], words[last])
	}
	u := word(words[last])
	if !cumulative && (isDuration(u) && slices.ContainsFunc(words[:last], tellsWhen) || u.dims.data != 0 && slices.ContainsFunc(words[:last], tellsHowFast)) {
		return Unit{}
	}
	return ofWords(words[:last+1], words[len(words)-1] == "total")
}

// ofCount is the unit of something_count. Some libraries end every counter like that,
// also one of bytes.
func ofCount(name string) Unit {
	words := strings.Split(name, "_")
	if word(words[len(words)-1]).kind != unknown { // how many observations
		return count()
	}
	for _, amount := range []string{"bytes", "octets", "persec", "per_sec"} {
		if strings.Contains(strings.ToLower(name), amount) {
			return Unit{}
		}
	}
	return count()
}

// ofWords is the unit that the last word says, of a counter also what it counts.
func ofWords(words []string, counter bool) Unit {
	last := words[len(words)-1]
	if len(last) == 1 { // _s may be anything
		return Unit{}
	}
	if u := word(last); u.kind != unknown {
		return u
	}
	if counter && countable(last) && !slices.ContainsFunc(words[:len(words)-1], measures) {
		return count()
	}
	return Unit{}
}

// measures says whether a word names a quantity, so that a counter is perhaps not of
// things: bytes_received_packets.
func measures(w string) bool {
	return w == "time" || w == "duration" || w == "size" || word(w).kind != unknown && len(w) > 2
}

// ofQuotientName is the unit of what is named something_per_second.
func ofQuotientName(dividend []string, divisor string) Unit {
	if divisor != "second" && divisor != "sec" || len(dividend) < 2 {
		return Unit{}
	}
	return perSecond(ofWords(dividend, true))
}

// tellsWhen says whether a word makes what looks like a duration perhaps a moment.
func tellsWhen(w string) bool {
	return slices.Contains([]string{
		"time", "timestamp", "epoch", "unix", "date", "created", "start", "started", "boot", "last", "expiry", "expires", "expiration", "after", "before",
		"modified", "mtime",
	}, w)
}

// tellsHowFast says whether a word makes what looks like an amount perhaps a rate.
func tellsHowFast(w string) bool {
	return slices.Contains([]string{"speed", "rate", "bandwidth", "throughput"}, w)
}

// countable says whether a word is the name of things that are counted one by one.
func countable(w string) bool {
	switch w {
	case "requests", "request", "responses", "errors", "error", "errs", "failures", "failed", "successes", "queries", "calls", "operations", "ops",
		"tokens", "packets", "messages", "events", "connections", "sessions", "jobs", "tasks", "hits", "misses", "lookups", "evictions",
		"retries", "timeouts", "restarts", "drops", "dropped", "inferences", "executions", "samples", "exceptions", "rejections", "rejected",
		"preemptions", "reads", "writes", "commits", "transactions", "rows", "records", "logins", "panics", "crashes", "interrupts",
		"switches", "forks", "faults", "deadlocks", "reconnects", "attempts", "completed", "invocations", "collisions", "batches":
		return true
	default:
		return false
	}
}
