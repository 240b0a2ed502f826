package rule

import (
	"regexp"
	"slices"
	"strings"

	"github.com/panelgate/panelgate/stack/dashboard"
)

// shown is what a panel says of the numbers that it shows.
type shown struct {
	graph      bool // drawn over time
	single     bool // one number, or a bar
	difference bool // by how much the series has changed in the range
	rate       bool // so much a second
	latency    bool // how long something takes
	total      bool // all that has been counted
}

var (
	rateWords    = regexp.MustCompile(`(?i)\b(rates?|qps|rps|tps|iops|throughput)\b|per (second|sec|minute|min)\b|/ ?(s|sec|second|min|minute)\b`)
	latencyWords = regexp.MustCompile(`(?i)\b(latency|latencies|delay|response times?|average|avg|mean)\b|time per `)
	sinceWords   = regexp.MustCompile(`(?i)lifetime|\bsince (the )?(server )?(start|boot|launch|restart)|all.?time|cumulative`)
	itemWords    = regexp.MustCompile(`(?i)\bper (inference|sample|item|image|token|row|prompt)s?\b`)
	totalWords   = regexp.MustCompile(`(?i)total|cumulative|accumulated|\bcount|\bnumber of|\bno\. of|#|lifetime|since|overall|all.?time|\bsum\b|counter`)
)

// shownBy reads a panel's type, unit and words.
func shownBy(p *dashboard.Panel, t *dashboard.Target) shown {
	words := strings.Join([]string{p.Title.Value, t.LegendFormat.Value, p.Description.Value}, "\n")
	if p.Row != nil {
		words += "\n" + p.Row.Title.Value
	}
	title := p.Title.Value
	return shown{
		graph:      slices.Contains([]string{"timeseries", "graph", "trend"}, p.Type.Value),
		single:     slices.Contains([]string{"stat", "singlestat", "gauge", "bargauge"}, p.Type.Value),
		difference: showsDifference(p),
		rate:       isRateUnit(p.Unit.Value) || rateWords.MatchString(title),
		latency:    latencyWords.MatchString(title) || isTimeUnit(p.Unit.Value) && !totalWords.MatchString(words),
		total:      totalWords.MatchString(words),
	}
}

// showsDifference says whether a panel reduces a series to how much it has changed.
func showsDifference(p *dashboard.Panel) bool {
	var calcs []string
	for _, c := range p.Node.At("options", "reduceOptions", "calcs").Items() {
		calcs = append(calcs, c.Str())
	}
	calcs = append(calcs, p.Node.Get("valueName").Str())
	return slices.ContainsFunc(calcs, func(c string) bool {
		return slices.Contains([]string{"diff", "diffperc", "delta", "range", "step"}, c)
	})
}

func isRateUnit(unit string) bool {
	return slices.Contains([]string{"reqps", "ops", "rps", "wps", "iops", "cps", "mps", "eps", "opm", "rpm", "wpm", "cpm", "reqpm", "recps", "rowsps",
		"Bps", "binBps", "bps", "binbps", "KBs", "KiBs", "MBs", "MiBs", "GBs", "GiBs", "Kbits", "Mbits", "Gbits", "pps"}, unit)
}

func isTimeUnit(unit string) bool {
	return slices.Contains([]string{"s", "ms", "µs", "μs", "us", "ns"}, unit)
}
