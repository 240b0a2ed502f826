package truth

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// words are those of a panel: its title's and its legend's.
type words struct {
	title, legend []string
	all           string // as written, in lower case
}

func wordsOf(p Panel) words {
	title, legend := text(p.Title), text(p.Legend)
	return words{title: wordsIn(title), legend: wordsIn(legend), all: title + " " + legend}
}

func wordsIn(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != 'µ' && r != '%' })
}

// has says whether one of the words, or a longer one that begins with it, is there.
func (w words) has(any ...string) bool {
	return slices.ContainsFunc(slices.Concat(w.title, w.legend), func(word string) bool {
		return slices.ContainsFunc(any, func(a string) bool { return strings.HasPrefix(word, a) })
	})
}

// is says whether one of the words is there as it is.
func (w words) is(any ...string) bool {
	return slices.ContainsFunc(slices.Concat(w.title, w.legend), func(word string) bool { return slices.Contains(any, word) })
}

// after says whether one of the words follows another at once.
func (w words) after(first string, any ...string) bool {
	for _, ws := range [][]string{w.title, w.legend} {
		for i := range max(len(ws)-1, 0) {
			if ws[i] == first && slices.Contains(any, ws[i+1]) {
				return true
			}
		}
	}
	return false
}

// perSecond says whether the words claim a rate and no other time.
func (w words) perSecond() bool {
	return (strings.Contains(w.all, "/s") && w.is("s", "sec", "second") || w.after("per", "second", "sec") || w.is("rps", "qps")) && !w.is("minute", "min", "hour", "last", "past")
}

// over says whether the words claim what came together in a window of that length.
func (w words) over(window time.Duration) bool {
	hours := strconv.Itoa(int(window.Hours())) + "h"
	last := w.is("last", "past") && !w.has("avg", "average", "mean", "rate") && !w.perSecond()
	return last && (w.is(hours) || window == time.Hour && w.is("hour") || window == 24*time.Hour && w.is("day", "today"))
}

// statistical are words for something else than a mean or a present value.
func (w words) statistical() bool {
	return w.is("p50", "p90", "p95", "p99", "p999", "max", "maximum", "min", "minimum", "peak", "worst", "median", "stddev", "variance", "slo") ||
		w.has("percentile", "quantile", "predict", "forecast", "anomal", "deviation", "trend", "budget", "headroom", "margin", "imbalance", "overhead")
}

// stage is the time that the words name, by the legend rather than by the title;
// unknown where they name none, or several.
func (w words) stage() part {
	if s := stageIn(w.legend); s != unknown {
		return s
	}
	return stageIn(w.title)
}

// inference says whether the legend is that word alone: a stage to some, the whole to
// others, and to many a model.
func (w words) inference() bool {
	return len(w.legend) == 1 && (w.legend[0] == "inference" || w.legend[0] == "infer")
}

func stageIn(ws []string) part {
	named := map[part]bool{}
	compute := false
	for _, word := range ws {
		switch {
		case strings.HasPrefix(word, "queu") || word == "waiting" || word == "wait":
			named[queueTime] = true
		case word == "input" || word == "inputs":
			named[inputTime] = true
		case word == "output" || word == "outputs":
			named[outputTime] = true
		case word == "compute" || word == "computation":
			compute = true
		}
	}
	switch {
	case len(named) == 1:
		for p := range named {
			return p
		}
	case len(named) > 1:
		return unknown
	case compute || len(ws) == 1 && (ws[0] == "inference" || ws[0] == "infer"):
		return inferTime
	case slices.ContainsFunc(ws, func(word string) bool {
		return word == "request" || word == "requests" || word == "e2e" || word == "response"
	}),
		slices.Contains(ws, "end") && slices.Contains(ws, "to"):
		return requestTime
	}
	return unknown
}

var unitWord = regexp.MustCompile(`\b(ms|msec|millis|milliseconds?|us|µs|usec|micros|microseconds?|ns|nanoseconds?|s|sec|secs|seconds?|minutes?)\b|µs`)

// timeScale is how many of the units of time that the words name make a second, 0 where they name none.
func (w words) timeScale() float64 {
	found := unitWord.FindAllString(w.all, -1)
	if len(found) == 0 {
		return 0
	}
	switch word := found[len(found)-1]; {
	case strings.HasPrefix(word, "ms"), strings.HasPrefix(word, "milli"):
		return 1e3
	case strings.HasPrefix(word, "us"), strings.HasPrefix(word, "µ"), strings.HasPrefix(word, "micro"):
		return 1e6
	case strings.HasPrefix(word, "n"):
		return 1e9
	case strings.HasPrefix(word, "min"):
		return 1.0 / 60
	}
	return 1
}
