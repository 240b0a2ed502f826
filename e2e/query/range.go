package query

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Range is the time range of a dashboard or panel.
type Range struct {
	From, To time.Time
	// Absolute says that the range does not begin relative to now; a panel's
	// "relative time" then has no effect.
	Absolute bool
}

// Duration is the range's length.
func (r Range) Duration() time.Duration { return r.To.Sub(r.From) }

// ParseRange reads a dashboard's time range: date math ("now-6h", "now-1d/d"),
// epoch milliseconds, or absolute times of ISO 8601. Days, weeks (from Sunday on)
// and longer units begin in now's location, as do absolute times without an
// offset. The error says which end cannot be read, or that the range is empty.
func ParseRange(from, to string, now time.Time) (Range, error) {
	start, err := parseTime(from, now, false)
	if err != nil {
		return Range{}, fmt.Errorf("from: %w", err)
	}
	end, err := parseTime(to, now, true)
	if err != nil {
		return Range{}, fmt.Errorf("to: %w", err)
	}
	if !start.Before(end) {
		return Range{}, fmt.Errorf("the range from %q to %q is empty", from, to)
	}
	return Range{From: start, To: end, Absolute: !strings.HasPrefix(strings.TrimSpace(from), "now")}, nil
}

// parseTime reads one end of a range; up says that rounding goes to the end of
// the unit.
func parseTime(text string, now time.Time, up bool) (time.Time, error) {
	text = strings.TrimSpace(text)
	if math, ok := strings.CutPrefix(text, "now"); ok {
		return dateMath(now, math, up)
	}
	base, math, _ := strings.Cut(text, "||")
	t, err := parseAbsolute(base, now.Location())
	if err != nil {
		return time.Time{}, err
	}
	return dateMath(t, math, up)
}

func parseAbsolute(text string, loc *time.Location) (time.Time, error) {
	if len(text) == len("20060102") && plainNumber.MatchString(text) {
		return time.ParseInLocation("20060102", text, loc)
	}
	if ms, err := strconv.ParseInt(text, 10, 64); err == nil {
		if ms > maxDateMS || ms < -maxDateMS {
			return time.Time{}, fmt.Errorf("%q is too far from 1970 to be a time in milliseconds", text)
		}
		return time.UnixMilli(ms).In(loc), nil
	}
	for _, layout := range []string{
		time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02 15:04",
		"20060102T150405", time.DateOnly, "2006-01",
	} {
		if t, err := time.ParseInLocation(layout, text, loc); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is no time (such as now-6h, 2026-01-31T12:00:00Z or epoch milliseconds)", text)
}

// mathStep is one operation of date math: +1d, -30m or /d.
var mathStep = regexp.MustCompile(`^([+-])(\d*)([smhdwMQy])|^(/)([smhdwMQy])`)

// dateMath applies operations from left to right.
func dateMath(t time.Time, ops string, up bool) (time.Time, error) {
	for rest := strings.ReplaceAll(ops, " ", ""); rest != ""; {
		m := mathStep.FindStringSubmatch(rest)
		if m == nil {
			return time.Time{}, fmt.Errorf("%q is no date math (such as -6h, -1d/d or /w)", ops)
		}
		rest = rest[len(m[0]):]
		if m[4] == "/" {
			t = startOf(t, m[5])
			if up {
				t = shift(t, 1, m[5]).Add(-time.Millisecond)
			}
			continue
		}
		n := 1
		if m[2] != "" {
			var err error
			if n, err = strconv.Atoi(m[2]); err != nil || n > 1_000_000_000 {
				return time.Time{}, fmt.Errorf("%q: the number is too large", ops)
			}
		}
		if m[1] == "-" {
			n = -n
		}
		t = shift(t, n, m[3])
		if ms := t.UnixMilli(); ms > maxDateMS || ms < -maxDateMS {
			return time.Time{}, fmt.Errorf("%q leads out of the calendar", ops)
		}
	}
	return t, nil
}

// shift moves t by n units. Days and longer keep the time of day; a month that is
// shorter takes its last day.
func shift(t time.Time, n int, unit string) time.Time {
	switch unit {
	case "s":
		return t.Add(time.Duration(n) * time.Second)
	case "m":
		return addLong(t, n, time.Minute)
	case "h":
		return addLong(t, n, time.Hour)
	case "d":
		return t.AddDate(0, 0, n)
	case "w":
		return t.AddDate(0, 0, 7*n)
	case "M":
		return addMonths(t, n)
	case "Q":
		return addMonths(t, 3*n)
	default: // "y"
		return addMonths(t, 12*n)
	}
}

// addLong adds n units without the overflow of a time.Duration at 292 years.
func addLong(t time.Time, n int, unit time.Duration) time.Time {
	seconds := int64(n) * int64(unit/time.Second)
	return time.Unix(t.Unix()+seconds, int64(t.Nanosecond())).In(t.Location())
}

func addMonths(t time.Time, n int) time.Time {
	first := time.Date(t.Year(), t.Month()+time.Month(n), 1, 0, 0, 0, 0, t.Location())
	lastDay := first.AddDate(0, 1, -1).Day()
	return time.Date(first.Year(), first.Month(), min(t.Day(), lastDay),
		t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), t.Location())
}

// startOf is the beginning of the unit that t lies in.
func startOf(t time.Time, unit string) time.Time {
	y, mo, d := t.Date()
	switch unit {
	case "s":
		return t.Truncate(time.Second)
	case "m":
		return t.Truncate(time.Minute)
	case "h":
		return time.Date(y, mo, d, t.Hour(), 0, 0, 0, t.Location())
	case "d":
	case "w":
		d -= int(t.Weekday())
	case "M":
		d = 1
	case "Q":
		mo, d = (mo-1)/3*3+1, 1
	default: // "y"
		mo, d = 1, 1
	}
	return time.Date(y, mo, d, 0, 0, 0, 0, t.Location())
}
