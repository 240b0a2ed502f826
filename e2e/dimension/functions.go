package dimension

import (
	"math"
	"strings"

	promparser "github.com/prometheus/prometheus/promql/parser"
)

// call is the unit of what a function returns.
func call(e *promparser.Call, metric Source) Unit {
	name := e.Func.Name
	if strings.HasPrefix(name, "histogram_") {
		return ofHistogram(e, metric)
	}
	switch name {
	case "time", "start", "end", "timestamp", "start_timestamp",
		"ts_of_first_over_time", "ts_of_last_over_time", "ts_of_max_over_time", "ts_of_min_over_time":
		return clock()
	case "step", "range":
		return second()
	case "pi":
		return pure(math.Pi)
	case "count_over_time", "changes", "resets":
		return count()
	case "absent", "absent_over_time", "present_over_time":
		return truth()
	case "minute", "hour", "day_of_month", "day_of_week", "day_of_year", "days_in_month", "month", "year":
		return Unit{kind: code, scale: 1}
	case "max_of", "min_of":
		if len(e.Args) == 2 {
			return either(Of(e.Args[0], metric), Of(e.Args[1], metric))
		}
	}
	if i := measured(name); i < len(e.Args) {
		return ofArgument(name, Of(e.Args[i], metric), e.Args[i])
	}
	return Unit{}
}

// measured is which argument of a function is the one that is measured.
func measured(function string) int {
	if function == "quantile_over_time" {
		return 1
	}
	return 0
}

// ofArgument is the unit of what a function makes of a value.
func ofArgument(function string, u Unit, arg promparser.Expr) Unit {
	switch function {
	case "rate", "irate", "deriv":
		return perSecond(u)
	case "increase", "delta":
		return gathered(u, seconds(arg))
	case "idelta":
		return gathered(u, -1)
	case "sum_over_time":
		return summedOverTime(u)
	case "avg_over_time":
		u = averaged(u)
		u.integrated = u.integrated || near(seconds(arg), 3600) // the mean of an hour's watts is its watt-hours
		return u
	case "stddev_over_time", "mad_over_time":
		return spread(u)
	case "stdvar_over_time":
		return multiply(spread(u), spread(u))
	case "abs", "scalar", "vector", "ceil", "floor", "round", "clamp", "clamp_min", "clamp_max",
		"sort", "sort_desc", "sort_by_label", "sort_by_label_desc", "label_replace", "label_join", "info":
		return u
	case "min_over_time", "max_over_time", "first_over_time", "last_over_time", "quantile_over_time",
		"predict_linear", "holt_winters", "double_exponential_smoothing":
		return unfolded(u)
	default:
		return Unit{} // ln, sqrt, sgn and all that takes a pure number to a pure number
	}
}

// bucketsStay says whether a function turns buckets into buckets.
func bucketsStay(function string) bool {
	switch function {
	case "rate", "irate", "increase", "delta", "idelta", "sum_over_time", "avg_over_time", "last_over_time", "first_over_time",
		"min_over_time", "max_over_time", "label_replace", "label_join", "sort", "sort_desc", "sort_by_label", "sort_by_label_desc",
		"info", "clamp_min", "clamp_max", "round", "ceil", "floor", "abs", "vector":
		return true
	default:
		return false
	}
}

// gathered is the unit of what has come together in a window.
func gathered(u Unit, window float64) Unit {
	switch u.kind {
	case number, quantity:
		u.window = window
		return u
	case ratio: // a share that rises
		return u
	default:
		return Unit{}
	}
}

// seconds is how long a range is, -1 where that is not known.
func seconds(arg promparser.Expr) float64 {
	switch e := arg.(type) {
	case *promparser.ParenExpr:
		return seconds(e.Expr)
	case *promparser.StepInvariantExpr:
		return seconds(e.Expr)
	case *promparser.MatrixSelector:
		if s := e.Range.Seconds(); s > 0 {
			return s
		}
	case *promparser.SubqueryExpr:
		if s := e.Range.Seconds(); s > 0 {
			return s
		}
	}
	return -1
}

// summedOverTime is the unit of a sum over samples. A sum of rates, shares or watts is
// how an amount is integrated: in which unit hangs on how far apart the samples are.
func summedOverTime(u Unit) Unit {
	switch {
	case u.kind == flag:
		return count()
	case u.kind == number, u.kind == quantity && (u.dims == dims{data: 1} || u.dims == dims{time: 1}):
		return u
	default:
		return Unit{}
	}
}

// ofHistogram is the unit of what the functions for histograms return.
func ofHistogram(e *promparser.Call, metric Source) Unit {
	last := len(e.Args) - 1
	if last < 0 {
		return Unit{}
	}
	switch e.Func.Name {
	case "histogram_quantile":
		return Observed(e.Args[last], metric)
	case "histogram_quantiles":
		return Observed(e.Args[0], metric)
	case "histogram_avg":
		return Observed(e.Args[0], metric)
	case "histogram_stddev":
		return spread(Observed(e.Args[0], metric))
	case "histogram_stdvar":
		u := spread(Observed(e.Args[0], metric))
		return multiply(u, u)
	case "histogram_fraction":
		return share()
	case "histogram_sum":
		return Of(e.Args[0], metric)
	case "histogram_count": // whatever is observed, this counts how often
		return Of(e.Args[0], func(string) Unit { return count() })
	default:
		return Unit{}
	}
}
