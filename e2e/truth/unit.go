package truth

import (
	"math"
	"slices"

	"github.com/panelgate/panelgate/e2e/dimension"
)

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
	if slices.Contains([]string{"", "none", "short", "locale", "sishort"}, id) {
		return unit{kindNone, 1}
	}
	shown, ok := dimension.Shown(id)
	if !ok {
		return unit{kind: kindOther}
	}
	quantity, scale := shown.Measures()
	kind, ok := map[dimension.Measured]kind{
		dimension.Time: kindTime, dimension.Share: kindPercent, dimension.Frequency: kindRate, dimension.Data: kindBytes,
		dimension.Power: kindWatts, dimension.Celsius: kindCelsius,
	}[quantity]
	if !ok {
		return unit{kind: kindOther}
	}
	return unit{kind, 1 / scale}
}

// prefixes are the scales of a size in bytes of which one may stand for the other: that
// a panel says MB for MiB is no reason to call its value untrue.
func (u unit) prefixes() []float64 {
	for _, pair := range [][2]float64{{1.0 / (1 << 10), 1e-3}, {1.0 / (1 << 20), 1e-6}, {1.0 / (1 << 30), 1e-9}} {
		if near(u.scale, pair[0]) || near(u.scale, pair[1]) {
			return pair[:]
		}
	}
	return []float64{u.scale}
}

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-9*b }
