package truth

// kind is what a Grafana unit measures.
type kind uint8

const (
	kindNone kind = iota // says nothing: short, a custom text
	kindTime
	kindPercent
	kindRate
	kindBytes
	kindWatts
	kindCelsius
	kindOther
)

// unit is a Grafana unit: its kind, and how many of it make one of the base unit,
// which are the second, 1 of a ratio, one per second, the byte, the watt and the °C.
type unit struct {
	kind  kind
	scale float64
}

// unitOf reads Grafana's id of a unit. Ones that are not known are kindOther.
func unitOf(id string) unit {
	const minute, hour, day = 60, 3600, 86400
	known := map[string]unit{
		"": {kindNone, 1}, "none": {kindNone, 1}, "short": {kindNone, 1}, "locale": {kindNone, 1}, "sishort": {kindNone, 1},
		"ns": {kindTime, 1e9}, "µs": {kindTime, 1e6}, "us": {kindTime, 1e6}, "ms": {kindTime, 1e3}, "s": {kindTime, 1}, "m": {kindTime, 1.0 / minute},
		"h": {kindTime, 1.0 / hour}, "d": {kindTime, 1.0 / day},
		"dtdurations": {kindTime, 1}, "dtdurationms": {kindTime, 1e3}, "clocks": {kindTime, 1}, "clockms": {kindTime, 1e3}, "dthms": {kindTime, 1},
		"percent": {kindPercent, 100}, "percentunit": {kindPercent, 1},
		"reqps": {kindRate, 1}, "ops": {kindRate, 1}, "cps": {kindRate, 1}, "rps": {kindRate, 1}, "wps": {kindRate, 1}, "eps": {kindRate, 1}, "mps": {kindRate, 1},
		"reqpm": {kindRate, minute}, "opm": {kindRate, minute}, "cpm": {kindRate, minute}, "rpm": {kindRate, minute}, "epm": {kindRate, minute},
		"bytes": {kindBytes, 1}, "decbytes": {kindBytes, 1},
		"kbytes": {kindBytes, 1.0 / (1 << 10)}, "mbytes": {kindBytes, 1.0 / (1 << 20)}, "gbytes": {kindBytes, 1.0 / (1 << 30)}, "tbytes": {kindBytes, 1.0 / (1 << 40)},
		"deckbytes": {kindBytes, 1e-3}, "decmbytes": {kindBytes, 1e-6}, "decgbytes": {kindBytes, 1e-9},
		"watt": {kindWatts, 1}, "mwatt": {kindWatts, 1e3}, "kwatt": {kindWatts, 1e-3},
		"celsius": {kindCelsius, 1},
	}
	if u, ok := known[id]; ok {
		return u
	}
	return unit{kind: kindOther}
}

// prefixes are the scales of a size in bytes of which one may stand for the other: that
// a panel says MB for MiB is no reason to call its value untrue.
func (u unit) prefixes() []float64 {
	for _, pair := range [][2]float64{{1.0 / (1 << 10), 1e-3}, {1.0 / (1 << 20), 1e-6}, {1.0 / (1 << 30), 1e-9}} {
		if u.scale == pair[0] || u.scale == pair[1] {
			return pair[:]
		}
	}
	return []float64{u.scale}
}
