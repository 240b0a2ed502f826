package query

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/panelgate/panelgate/stack/dashboard"
)

// filterOptions applies a variable's regex to what its query found. Named groups
// "value" and "text" pick the two; otherwise the first group counts; otherwise the
// regex only filters. An empty regex keeps everything.
func filterOptions(found []string, regex string) ([]dashboard.Option, error) {
	var options []dashboard.Option
	if regex == "" {
		for _, s := range found {
			options = append(options, dashboard.Option{Text: s, Value: s})
		}
		return distinct(options), nil
	}
	re, err := compileRegex(regex)
	if err != nil {
		return nil, err
	}
	matches, err := re.matchAll(found)
	if err != nil {
		return nil, err
	}
	for i, s := range found {
		options = append(options, re.options(s, matches[i])...)
	}
	return distinct(options), nil
}

// options are what one found text with its matches contributes.
func (r *jsRegex) options(s string, matches [][]string) []dashboard.Option {
	if len(matches) == 0 {
		return nil
	}
	value, text := r.named(matches, "value"), r.named(matches, "text")
	switch {
	case value != "" || text != "":
		if value == "" {
			value = text
		}
		if text == "" {
			text = value
		}
		return []dashboard.Option{{Text: text, Value: value}}
	case r.groups == 0:
		return []dashboard.Option{{Text: s, Value: s}}
	}
	options := make([]dashboard.Option, len(matches))
	for i, m := range matches {
		options[i] = dashboard.Option{Text: m[1], Value: m[1]}
	}
	return options
}

// distinct drops options whose value came before.
func distinct(options []dashboard.Option) []dashboard.Option {
	seen := make(map[string]bool, len(options))
	return slices.DeleteFunc(options, func(o dashboard.Option) bool {
		if seen[o.Value] {
			return true
		}
		seen[o.Value] = true
		return false
	})
}

// sortOptions sorts by what is shown, in the order that Grafana numbers so:
// 1 and 2 alphabetical, 3 and 4 numerical, 5 and 6 alphabetical without regard to
// case, 7 and 8 natural, each ascending and descending. 0 keeps the order.
func sortOptions(options []dashboard.Option, order int) {
	var compare func(a, b string) int
	switch order {
	case 1, 2:
		compare = strings.Compare
	case 3, 4:
		compare = compareNumbers
	case 5, 6:
		compare = func(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) }
	case 7, 8:
		compare = compareNatural
	default:
		return
	}
	slices.SortStableFunc(options, func(a, b dashboard.Option) int { return compare(a.Text, b.Text) })
	if order%2 == 0 {
		slices.Reverse(options)
	}
}

var digits = regexp.MustCompile(`\d+`)

// compareNumbers compares the first numbers in two texts; one without comes first.
func compareNumbers(a, b string) int {
	number := func(s string) float64 {
		if f, err := strconv.ParseFloat(digits.FindString(s), 64); err == nil {
			return f
		}
		return -1
	}
	x, y := number(a), number(b)
	switch {
	case x < y:
		return -1
	case x > y:
		return 1
	default:
		return 0
	}
}

// compareNatural compares as people sort file names: runs of digits by their
// value, the rest without regard to case.
func compareNatural(a, b string) int {
	a, b = strings.ToLower(a), strings.ToLower(b)
	for a != "" && b != "" {
		x, y := leading(a), leading(b)
		c := strings.Compare(x, y)
		if isDigit(x[0]) && isDigit(y[0]) {
			c = compareDigits(x, y)
		}
		if c != 0 {
			return c
		}
		a, b = a[len(x):], b[len(y):]
	}
	return len(a) - len(b)
}

// leading is the run of digits, or of anything else, that s begins with.
func leading(s string) string {
	for i := range len(s) {
		if isDigit(s[i]) != isDigit(s[0]) {
			return s[:i]
		}
	}
	return s
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func compareDigits(x, y string) int {
	x, y = strings.TrimLeft(x, "0"), strings.TrimLeft(y, "0")
	if len(x) != len(y) {
		return len(x) - len(y)
	}
	return strings.Compare(x, y)
}

var (
	customItem = regexp.MustCompile(`(?:\\,|[^,])+`)
	customPair = regexp.MustCompile(`^\s*(.+)\s:\s(.+)$`)
)

// customOptions reads the options of a custom variable: "a, b, text : value",
// where \, is a comma that separates nothing.
func customOptions(text string) []dashboard.Option {
	var options []dashboard.Option
	for _, item := range customItem.FindAllString(text, -1) {
		item = strings.ReplaceAll(item, `\,`, ",")
		if m := customPair.FindStringSubmatch(item); m != nil {
			options = append(options, dashboard.Option{Text: strings.TrimSpace(m[1]), Value: strings.TrimSpace(m[2])})
			continue
		}
		item = strings.TrimSpace(item)
		options = append(options, dashboard.Option{Text: item, Value: item})
	}
	return options
}

// customJSONOptions reads the options of a custom variable that keeps them as
// JSON: an array of strings or of {"value", "text"}.
func customJSONOptions(text string) ([]dashboard.Option, error) {
	var items []jsontext.Value
	if err := json.Unmarshal([]byte(text), &items); err != nil {
		return nil, fmt.Errorf("read the options as a JSON array: %w", err)
	}
	options := make([]dashboard.Option, len(items))
	for i, item := range items {
		var o struct {
			Value string `json:"value"`
			Text  string `json:"text"`
		}
		var err error
		if item.Kind() == '"' {
			err = json.Unmarshal(item, &o.Value)
		} else {
			err = json.Unmarshal(item, &o)
		}
		if err != nil {
			return nil, fmt.Errorf("read option %d of the JSON array: %w", i+1, err)
		}
		if o.Text == "" {
			o.Text = o.Value
		}
		options[i] = dashboard.Option{Text: strings.TrimSpace(o.Text), Value: strings.TrimSpace(o.Value)}
	}
	return options, nil
}
