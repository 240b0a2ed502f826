package query

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// macros are the values that only the back end knows, by name.
type macros struct {
	interval, rateInterval, span time.Duration
}

// macroNames are longest first, because the back end replaces them as plain
// text: $__interval_ms must not be taken for $__interval followed by _ms.
func macroNames() []string {
	return []string{
		"__rate_interval_ms", "__rate_interval", "__interval_ms", "__interval",
		"__range_ms", "__range_s", "__range",
	}
}

func (m macros) value(name string) string {
	seconds := int64(math.Round(m.span.Seconds()))
	switch name {
	case "__interval":
		return formatInterval(m.interval)
	case "__interval_ms":
		return strconv.FormatInt(m.interval.Milliseconds(), 10)
	case "__rate_interval":
		return m.rateInterval.String()
	case "__rate_interval_ms":
		return strconv.FormatInt(m.rateInterval.Milliseconds(), 10)
	case "__range_ms":
		return strconv.FormatInt(m.span.Milliseconds(), 10)
	case "__range_s":
		return strconv.FormatInt(seconds, 10)
	default: // "__range"
		return strconv.FormatInt(seconds, 10) + "s"
	}
}

// replace puts the macros' values into expr, in the two forms that the back end
// knows: $__interval and ${__interval}.
func (m macros) replace(expr string) (string, Mapping) {
	r := rewriter{text: expr}
	for i := 0; i < len(expr); {
		name, n := macroAt(expr[i:])
		if n == 0 {
			i++
			continue
		}
		r.replace(i, i+n, m.value(name))
		i += n
	}
	return r.finish()
}

// macroAt is the macro that text begins with and its length, 0 where there is none.
func macroAt(text string) (name string, length int) {
	if !strings.HasPrefix(text, "$") {
		return "", 0
	}
	for _, name := range macroNames() {
		for _, form := range []string{"$" + name, "${" + name + "}"} {
			if strings.HasPrefix(text, form) {
				return name, len(form)
			}
		}
	}
	return "", 0
}
