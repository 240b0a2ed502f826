package dimension

// Fault is in which way a panel's unit is wrong for what the panel shows.
type Fault uint8

// The faults.
const (
	None Fault = iota
	// Scale is the same quantity at another scale.
	Scale
	// Prefix is a data size in powers of 1000 for one in powers of 1024, or the other
	// way round: a few per cent.
	Prefix
	// Rate is what happens in a second shown as an amount: the number is right and
	// the "per second" is missing.
	Rate
	// Window is what came together in a window shown as if it had done so in a second.
	Window
	// Quantity is another quantity altogether.
	Quantity
)

// Difference is how a panel's unit differs from that of the values it shows.
type Difference struct {
	Fault Fault
	// Factor is by how much the shown value is too large: below 1 it is too small. 0
	// where a factor does not say it.
	Factor float64
}

// Compare holds the unit of values against the one that a panel shows them in. Where
// either is not certain there is no difference.
func Compare(values, shown Unit) Difference {
	switch {
	case !values.Known() || shown.kind == unknown:
		return Difference{}
	case shown.kind == ratio && values.dims == dataRate() && values.scale >= 1e6/8: // divided by what a link or a disk can do
		return Difference{}
	case values.kind == moment || shown.kind == moment:
		return compareMoments(values, shown)
	case values.kind == shown.kind && values.dims == shown.dims:
		return compareScales(values, shown)
	case values.kind == number && shown.kind == quantity && shown.dims == frequency(), values.kind == quantity && values.window != 0:
		return compareWindow(values, shown)
	case (values.kind == quantity || values.rated) && shown.kind == quantity && values.dims.plus(duration(), 1) == shown.dims:
		return compareRate(values, shown)
	default:
		return Difference{Fault: Quantity}
	}
}

func compareMoments(values, shown Unit) Difference {
	switch {
	case values.kind == shown.kind:
		return compareScales(values, shown)
	case values.kind == number, shown.kind != moment && !isDuration(shown):
		return Difference{}
	default:
		return Difference{Fault: Quantity}
	}
}

func compareScales(values, shown Unit) Difference {
	factor := shown.scale / values.scale
	switch {
	case near(factor, 1):
		return Difference{}
	case values.dims.data != 0 && factor > 0.85 && factor < 1.18:
		return Difference{Prefix, factor}
	default:
		return Difference{Scale, factor}
	}
}

// compareWindow is for amounts that may have come together in a window, shown in some
// other quantity.
func compareWindow(values, shown Unit) Difference {
	if values.window == 0 || values.dims.plus(frequency(), 1) != shown.dims {
		return Difference{Fault: Quantity}
	}
	if values.window < 0 {
		return Difference{}
	}
	factor := shown.scale / (values.scale / values.window)
	if near(factor, 1) {
		return Difference{}
	}
	return Difference{Window, factor}
}

// compareRate is for rates of what the panel shows amounts of.
func compareRate(values, shown Unit) Difference {
	switch factor := shown.scale / values.scale; {
	case values.integrated:
		return Difference{}
	case near(factor, 1):
		return Difference{Fault: Rate}
	default:
		return Difference{Fault: Quantity}
	}
}

// Latency says whether the unit is a part of a second, in which one shows how long
// something takes: the share of a second that all of it takes together is none.
func (u Unit) Latency() bool { return isDuration(u) && u.scale < 1 }
