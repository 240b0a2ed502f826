package query

import (
	"strconv"
	"strings"
)

// era is which of Grafana's ways to work out step and $__rate_interval holds. They
// have changed twice: since 10.2.5 and 10.3 the rate reckons with the target's min
// step and with the interval that the browser sends, and since 13 a min step is the
// step, however long the range.
type era uint8

const (
	eraStep  era = iota // the step and the datasource's scrape interval make the rate
	eraRate             // the browser's interval and the min step make it
	eraFixed            // as eraRate, and a min step is the step
)

// eraOf is the era of a version such as "13.2.3"; of one that is not known, the
// newest.
func eraOf(version string) era {
	parts := strings.FieldsFunc(version, func(c rune) bool { return c == '.' || c == '-' || c == '+' })
	number := func(i int) int {
		if i >= len(parts) {
			return 0
		}
		n, err := strconv.Atoi(parts[i])
		if err != nil {
			return 0
		}
		return n
	}
	major, minor, patch := number(0), number(1), number(2)
	switch {
	case major == 0 || major >= 13:
		return eraFixed
	case major > 10 || major == 10 && (minor > 2 || minor == 2 && patch >= 5):
		return eraRate
	default:
		return eraStep
	}
}
