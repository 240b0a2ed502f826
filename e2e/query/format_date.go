package query

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// leadingInteger is what JavaScript's parseInt reads of a text.
var leadingInteger = regexp.MustCompile(`^\s*([+-]?\d+)`)

// maxDateMS is the last millisecond that a JavaScript date can hold.
const maxDateMS = 8_640_000_000_000_000

// formatDate renders a time in epoch milliseconds. layout is "" or "iso", "ms",
// "seconds", or tokens of moment.js; times are in UTC.
func formatDate(value, layout string) string {
	m := leadingInteger.FindStringSubmatch(value)
	if m == nil {
		return "NaN"
	}
	ms, err := strconv.ParseInt(m[1], 10, 64)
	if err != nil || ms > maxDateMS || ms < -maxDateMS {
		return "Invalid date"
	}
	t := time.UnixMilli(ms).UTC()
	switch layout {
	case "", "iso":
		return t.Format("2006-01-02T15:04:05.000Z")
	case "ms":
		return value
	case "seconds":
		return strconv.FormatInt(int64(math.Floor(float64(ms)/1000+0.5)), 10)
	default:
		return formatMoment(t, layout)
	}
}

// momentToken matches what stands for a part of a date, longest first, and text
// in brackets, which stands for itself.
var momentToken = regexp.MustCompile(
	`\[[^\]]*\]|YYYY|YY|MMMM|MMM|MM|M|DDDD|DDD|DD|Do|D|dddd|ddd|dd|d|E|HH|H|hh|h|mm|m|ss|s|SSS|SS|S|A|a|X|x|ZZ|Z|Q|WW|W`)

func formatMoment(t time.Time, layout string) string {
	return momentToken.ReplaceAllStringFunc(layout, func(token string) string {
		if strings.HasPrefix(token, "[") {
			return token[1 : len(token)-1]
		}
		if goLayout, ok := momentLayouts(token); ok {
			return t.Format(goLayout)
		}
		return momentNumber(t, token)
	})
}

// momentLayouts gives the tokens that the time package has a layout for.
func momentLayouts(token string) (string, bool) {
	switch token {
	case "YYYY":
		return "2006", true
	case "YY":
		return "06", true
	case "MMMM":
		return "January", true
	case "MMM":
		return "Jan", true
	case "MM":
		return "01", true
	case "M":
		return "1", true
	case "DDDD":
		return "002", true
	case "DD":
		return "02", true
	case "D":
		return "2", true
	case "dddd":
		return "Monday", true
	case "ddd":
		return "Mon", true
	case "HH":
		return "15", true
	case "hh":
		return "03", true
	case "h":
		return "3", true
	case "mm":
		return "04", true
	case "m":
		return "4", true
	case "ss":
		return "05", true
	case "s":
		return "5", true
	case "A":
		return "PM", true
	case "a":
		return "pm", true
	case "Z":
		return "-07:00", true
	case "ZZ":
		return "-0700", true
	}
	return "", false
}

// momentNumber renders the tokens that are counts.
func momentNumber(t time.Time, token string) string {
	_, week := t.ISOWeek()
	switch token {
	case "DDD":
		return strconv.Itoa(t.YearDay())
	case "Do":
		return ordinal(t.Day())
	case "dd":
		return t.Format("Mon")[:2]
	case "d":
		return strconv.Itoa(int(t.Weekday()))
	case "E":
		return strconv.Itoa((int(t.Weekday())+6)%7 + 1)
	case "H":
		return strconv.Itoa(t.Hour())
	case "SSS", "SS", "S":
		return t.Format(".000")[1 : len(token)+1]
	case "X":
		return strconv.FormatInt(t.Unix(), 10)
	case "x":
		return strconv.FormatInt(t.UnixMilli(), 10)
	case "Q":
		return strconv.Itoa((int(t.Month())-1)/3 + 1)
	case "WW":
		return strconv.Itoa(100 + week)[1:]
	default: // "W"
		return strconv.Itoa(week)
	}
}

func ordinal(n int) string {
	suffix := "th"
	if n/10 != 1 {
		switch n % 10 {
		case 1:
			suffix = "st"
		case 2:
			suffix = "nd"
		case 3:
			suffix = "rd"
		}
	}
	return strconv.Itoa(n) + suffix
}
