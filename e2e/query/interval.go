package query

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

const (
	day  = 24 * time.Hour
	week = 7 * day
	year = 365 * day
	// defaultScrape is what Grafana takes the scrape interval for where the
	// datasource does not say.
	defaultScrape = 15 * time.Second
	// defaultMaxDataPoints stands for the width of a panel that nobody draws.
	defaultMaxDataPoints = 1500
	// maxPoints is what Prometheus answers for one series, 11,000 points.
	maxPoints = 11_000
)

// roundings are Grafana's round intervals: up to atMost, an interval becomes to.
func roundings() [29]struct{ atMost, to time.Duration } {
	const (
		ms = time.Millisecond
		s  = time.Second
		m  = time.Minute
		h  = time.Hour
	)
	return [29]struct{ atMost, to time.Duration }{
		{10 * ms, 1 * ms}, {15 * ms, 10 * ms}, {35 * ms, 20 * ms}, {75 * ms, 50 * ms},
		{150 * ms, 100 * ms}, {350 * ms, 200 * ms}, {750 * ms, 500 * ms},
		{1500 * ms, 1 * s}, {3500 * ms, 2 * s}, {7500 * ms, 5 * s}, {12500 * ms, 10 * s},
		{17500 * ms, 15 * s}, {25 * s, 20 * s}, {45 * s, 30 * s},
		{90 * s, 1 * m}, {210 * s, 2 * m}, {450 * s, 5 * m}, {750 * s, 10 * m},
		{1050 * s, 15 * m}, {25 * m, 20 * m}, {45 * m, 30 * m},
		{90 * m, 1 * h}, {150 * m, 2 * h}, {270 * m, 3 * h}, {9 * h, 6 * h},
		{day, 12 * h}, {week, day}, {3 * week, week}, {6*week - 1, 30 * day},
	}
}

// roundInterval rounds as Grafana does, to an interval that people like to read.
func roundInterval(d time.Duration) time.Duration {
	for _, r := range roundings() {
		if d <= r.atMost {
			return r.to
		}
	}
	return year
}

// formatInterval prints an interval as $__interval shows it: in its largest unit,
// what is left over cut off.
func formatInterval(d time.Duration) string {
	units := []struct {
		size time.Duration
		name string
	}{{year, "y"}, {day, "d"}, {time.Hour, "h"}, {time.Minute, "m"}, {time.Second, "s"}, {time.Millisecond, "ms"}}
	for _, u := range units {
		if d >= u.size {
			return strconv.FormatInt(int64(d/u.size), 10) + u.name
		}
	}
	return "1ms"
}

var (
	plainNumber = regexp.MustCompile(`^\d+$`)
	calendar    = regexp.MustCompile(`^(\d+)([dwMy])$`)
)

// parseInterval reads an interval as Grafana's back end does: "15s", ">15s",
// "1m30s", "500ms", "1d", or a number of seconds. Months and years are average ones.
func parseInterval(s string) (time.Duration, error) {
	text := strings.TrimSpace(strings.Replace(strings.Replace(s, "<", "", 1), ">", "", 1))
	if plainNumber.MatchString(text) {
		text += "s"
	}
	m := calendar.FindStringSubmatch(text)
	if m == nil {
		d, err := time.ParseDuration(text)
		if err != nil || d < 0 {
			return 0, fmt.Errorf("%q is no interval (such as 15s, 1m, 1h30m, 1d)", s)
		}
		return d, nil
	}
	n, err := strconv.ParseFloat(m[1], 64)
	unit := map[string]time.Duration{"d": day, "w": week, "M": 36525 * day / 1200, "y": 36525 * day / 100}[m[2]]
	if err != nil || n*float64(unit) > math.MaxInt64 {
		return 0, fmt.Errorf("interval %q is too long", s)
	}
	return time.Duration(n * float64(unit)), nil
}
