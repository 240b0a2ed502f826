package dimension

import (
	"slices"
	"strings"
	"sync"
)

// named is a unit that people have a name for, with Grafana's ids of it: the one to
// suggest first. Values in any of them are the same; how they are shown differs.
type named struct {
	Unit
	name string
	ids  []string
}

func (n named) matches(u Unit) bool { return same(n.Unit, u) }

// Base quantities, for tables.
func duration() dims  { return dims{time: 1} }
func data() dims      { return dims{data: 1} }
func dataRate() dims  { return dims{data: 1, time: -1} }
func frequency() dims { return dims{time: -1} }
func power() dims     { return dims{volt: 1, ampere: 1} }
func energy() dims    { return dims{volt: 1, ampere: 1, time: 1} }

func of(d dims, scale float64, name string, ids ...string) named {
	return named{Unit{kind: quantity, dims: d, scale: scale}, name, ids}
}

func plain(k kind, scale float64, name string, ids ...string) named {
	return named{Unit{kind: k, scale: scale}, name, ids}
}

// vocabulary is every unit that has a name.
var vocabulary = sync.OnceValue(allNamed) //nolint:gochecknoglobals // it never changes, and is looked into for every panel

func allNamed() []named {
	all := timeUnits()
	all = append(all, dataUnits()...)
	all = append(all, dataRateUnits()...)
	return append(all, otherUnits()...)
}

func timeUnits() []named {
	return []named{
		of(duration(), 1e-9, "ns", "ns"),
		of(duration(), 1e-6, "µs", "µs"),
		of(duration(), 1e-3, "ms", "ms", "dtdurationms", "clockms"),
		of(duration(), 1e-2, "hundredths of a second", "timeticks"),
		of(duration(), 1, "seconds", "s", "dtdurations", "dthms", "dtdhms", "clocks"),
		of(duration(), 60, "minutes", "m"),
		of(duration(), 3600, "hours", "h"),
		of(duration(), 86400, "days", "d"),
		plain(moment, 1, "seconds since 1970"),
		plain(moment, 1e-3, "ms since 1970", "dateTimeAsIso", "dateTimeAsIsoNoDateIfToday", "dateTimeAsUS", "dateTimeAsUSNoDateIfToday",
			"dateTimeAsLocal", "dateTimeAsLocalNoDateIfToday", "dateTimeAsSystem", "dateTimeFromNow"),
		of(frequency(), 1, "a number per second", "ops", "reqps", "cps", "rps", "wps", "iops", "eps", "mps", "recps", "rowsps", "pps", "hertz", "rothz"),
		of(frequency(), 1.0/60, "a number per minute", "opm", "reqpm", "cpm", "rpm", "wpm", "epm", "mpm", "recpm", "rowspm", "rotrpm"),
		of(frequency(), 1e3, "kHz"),
		of(frequency(), 1e6, "MHz"),
		of(frequency(), 1e9, "GHz"),
		of(frequency(), 1.0/3600, "a number per hour"),
	}
}

func dataUnits() []named {
	return []named{
		of(data(), 1, "bytes", "bytes", "decbytes"),
		of(data(), 1.0/8, "bits", "bits", "decbits"),
		of(data(), 1<<10, "KiB", "kbytes"),
		of(data(), 1<<20, "MiB", "mbytes"),
		of(data(), 1<<30, "GiB", "gbytes"),
		of(data(), 1<<40, "TiB", "tbytes"),
		of(data(), 1<<50, "PiB", "pbytes"),
		of(data(), 1e3, "kB", "deckbytes"),
		of(data(), 1e6, "MB", "decmbytes"),
		of(data(), 1e9, "GB", "decgbytes"),
		of(data(), 1e12, "TB", "dectbytes"),
		of(data(), 1e15, "PB", "decpbytes"),
	}
}

func dataRateUnits() []named {
	return []named{
		of(dataRate(), 1, "bytes per second", "Bps", "binBps"),
		of(dataRate(), 1.0/8, "bits per second", "bps", "binbps"),
		of(dataRate(), 1e3, "kB per second", "KBs"),
		of(dataRate(), 1e6, "MB per second", "MBs"),
		of(dataRate(), 1e9, "GB per second", "GBs"),
		of(dataRate(), 1e12, "TB per second", "TBs"),
		of(dataRate(), 1<<10, "KiB per second", "KiBs"),
		of(dataRate(), 1<<20, "MiB per second", "MiBs"),
		of(dataRate(), 1<<30, "GiB per second", "GiBs"),
		of(dataRate(), 1<<40, "TiB per second", "TiBs"),
		of(dataRate(), 1e3/8, "kbit per second", "Kbits"),
		of(dataRate(), 1e6/8, "Mbit per second", "Mbits"),
		of(dataRate(), 1e9/8, "Gbit per second", "Gbits"),
		of(dataRate(), 1e12/8, "Tbit per second", "Tbits"),
		of(dataRate(), 1.0/8*(1<<10), "Kibit per second", "Kibits"),
		of(dataRate(), 1.0/8*(1<<20), "Mibit per second", "Mibits"),
		of(dataRate(), 1.0/8*(1<<30), "Gibit per second", "Gibits"),
		of(dataRate(), 1.0/8*(1<<40), "Tibit per second", "Tibits"),
	}
}

func otherUnits() []named {
	return []named{
		plain(ratio, 1, "a ratio (0 to 1)", "percentunit"),
		plain(ratio, 0.01, "percent (0 to 100)", "percent"),
		plain(number, 1, "a number of things", "short"),
		plain(celsius, 1, "°C", "celsius"),
		plain(celsius, 1e-3, "thousandths of °C"),
		plain(fahrenheit, 1, "°F", "fahrenheit"),
		plain(kelvin, 1, "K", "kelvin"),
		of(power(), 1, "watts", "watt"),
		of(power(), 1e-3, "milliwatts", "mwatt"),
		of(power(), 1e3, "kilowatts", "kwatt"),
		of(power(), 1e6, "megawatts", "megwatt"),
		of(power(), 1e9, "gigawatts", "gwatt"),
		of(energy(), 1, "joules", "joule"),
		of(energy(), 1e-3, "millijoules"),
		of(energy(), 3600, "watt-hours", "watth"),
		of(energy(), 3.6e6, "kilowatt-hours", "kwatth"),
		of(energy(), 6e4, "kilowatt-minutes", "kwattm"),
		of(dims{volt: 1}, 1, "volts", "volt"),
		of(dims{volt: 1}, 1e3, "kilovolts", "kvolt"),
		of(dims{volt: 1}, 1e-3, "millivolts", "mvolt"),
		of(dims{ampere: 1}, 1, "amperes", "amp"),
		of(dims{ampere: 1}, 1e3, "kiloamperes", "kamp"),
		of(dims{ampere: 1}, 1e-3, "milliamperes", "mamp"),
	}
}

// Shown is the unit that a panel with this of Grafana's unit ids takes its values to
// be in. ok is false for an id that says nothing of what is shown (short, none), and
// for a custom suffix that is not plainly the name of a unit.
func Shown(id string) (u Unit, ok bool) {
	if id == "short" {
		return Unit{}, false
	}
	for _, n := range vocabulary() {
		if slices.Contains(n.ids, id) {
			return n.Unit, true
		}
	}
	return written(strings.TrimSpace(strings.TrimPrefix(id, "suffix:")))
}

// written is the unit that a custom suffix spells: Grafana writes it behind the value
// and scales nothing.
func written(suffix string) (u Unit, ok bool) {
	switch suffix {
	case "%":
		return Unit{kind: ratio, scale: 0.01}, true
	case "W":
		return Named("watts"), true
	case "°C":
		return Named("celsius"), true
	case "s", "ms", "us", "ns", "seconds", "secs", "milliseconds", "msec", "microseconds", "usec", "nanoseconds", "watts", "celsius", "joules":
		return Named(suffix), true
	case "µs":
		return Named("us"), true
	case "sec":
		return second(), true
	default:
		return Unit{}, false
	}
}

// String names the unit, "" where it has no name.
func (u Unit) String() string {
	if u.kind == ratio && u.rated && !near(u.scale, 0.01) {
		if t := (Unit{kind: quantity, dims: duration(), scale: u.scale}).String(); t != "" {
			return t + " per second"
		}
		return ""
	}
	for _, n := range vocabulary() {
		if n.matches(u) {
			return n.name
		}
	}
	return ""
}

// GrafanaID is Grafana's id for the unit, "" where it has none.
func (u Unit) GrafanaID() string {
	for _, n := range vocabulary() {
		if n.matches(u) && len(n.ids) > 0 {
			return n.ids[0]
		}
	}
	return ""
}
