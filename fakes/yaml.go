package fakes

import (
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/panelgate/panelgate/fakes/internal/curve"
)

// position is where in a scenario file something stands, counted from 1.
type position struct {
	file         string
	line, column int
}

func (p position) errorf(format string, args ...any) error {
	return fmt.Errorf("%s:%d:%d: %s", p.file, p.line, p.column, fmt.Sprintf(format, args...))
}

// field is a value of a scenario file together with what it is called, for error messages.
type field struct {
	file string
	key  string
	node *yaml.Node
}

func (f field) at() position { return position{file: f.file, line: f.node.Line, column: f.node.Column} }

func (f field) errorf(format string, args ...any) error {
	return f.at().errorf("%s: %s", f.key, fmt.Sprintf(format, args...))
}

// setters says what to do with each key of a mapping; a key that is not among them is refused.
type setters map[string]func(field) error

// mapping hands the values of a mapping to the setters of their keys.
func (f field) mapping(set setters) error {
	if f.node.Kind != yaml.MappingNode {
		return f.errorf("want keys and values, have %s", kindName(f.node))
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(f.node.Content); i += 2 {
		key, value := f.node.Content[i], f.node.Content[i+1]
		where := position{file: f.file, line: key.Line, column: key.Column}
		apply, known := set[key.Value]
		if !known {
			return where.errorf("unknown key %q in %s; known are %s", key.Value, f.key, strings.Join(set.names(), ", "))
		}
		if seen[key.Value] {
			return where.errorf("key %q stands twice in %s", key.Value, f.key)
		}
		seen[key.Value] = true
		if err := apply(f.child(key.Value, value)); err != nil {
			return err
		}
	}
	return nil
}

// items hands the entries of a list to a function.
func (f field) items(each func(field) error) error {
	if f.node.Kind != yaml.SequenceNode {
		return f.errorf("want a list, have %s", kindName(f.node))
	}
	for i, item := range f.node.Content {
		if err := each(f.child(f.key+"["+strconv.Itoa(i)+"]", item)); err != nil {
			return err
		}
	}
	return nil
}

func (f field) child(key string, node *yaml.Node) field {
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	return field{file: f.file, key: key, node: node}
}

func (s setters) names() []string {
	names := make([]string, 0, len(s))
	for name := range s {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

func kindName(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "keys and values"
	case yaml.SequenceNode:
		return "a list"
	default:
		return strconv.Quote(n.Value)
	}
}

// text sets a string; an empty one is refused.
func text(to *string) func(field) error {
	return func(f field) error {
		if f.node.Kind != yaml.ScalarNode || f.node.Value == "" {
			return f.errorf("want a text, have %s", kindName(f.node))
		}
		*to = f.node.Value
		return nil
	}
}

// oneOf sets a string that must be among the given.
func oneOf(to *string, choices ...string) func(field) error {
	return func(f field) error {
		if err := text(to)(f); err != nil {
			return err
		}
		if !slices.Contains(choices, *to) {
			return f.errorf("%q is none of %s", *to, strings.Join(choices, ", "))
		}
		return nil
	}
}

// number sets a number between low and high, both included.
func number(to *float64, low, high float64) func(field) error {
	return func(f field) error {
		if f.node.Kind != yaml.ScalarNode || f.node.Tag == "!!null" || f.node.Decode(to) != nil {
			return f.errorf("want a number, have %s", kindName(f.node))
		}
		if !(*to >= low && *to <= high) {
			return f.errorf("%v is not between %v and %v", *to, low, high)
		}
		return nil
	}
}

// integer sets a whole number between low and high, both included.
func integer[T int | int64](to *T, low, high T) func(field) error {
	return func(f field) error {
		n, err := strconv.ParseInt(f.node.Value, 10, 64) // not the decoder, which takes 1.5 for 1
		if f.node.Kind != yaml.ScalarNode || err != nil {
			return f.errorf("want a whole number, have %s", kindName(f.node))
		}
		*to = T(n)
		if *to < low || *to > high {
			return f.errorf("%d is not between %d and %d", *to, low, high)
		}
		return nil
	}
}

// duration sets a duration such as 90s or 24h, at least low.
func duration(to *time.Duration, low time.Duration) func(field) error {
	return func(f field) error {
		d, err := time.ParseDuration(f.node.Value)
		if f.node.Kind != yaml.ScalarNode || err != nil {
			return f.errorf("want a duration such as 90s or 12h, have %s", kindName(f.node))
		}
		if d < low {
			return f.errorf("%s is less than %s", d, low)
		}
		*to = d
		return nil
	}
}

// durationUpTo sets a duration between low and high, both included.
func durationUpTo(to *time.Duration, low, high time.Duration) func(field) error {
	return func(f field) error {
		if err := duration(to, low)(f); err != nil {
			return err
		}
		if *to > high {
			return f.errorf("%s is more than %s", *to, high)
		}
		return nil
	}
}

// names sets a list of names, among the choices where there are any.
func names(to *[]string, choices ...string) func(field) error {
	return func(f field) error {
		*to = nil
		err := f.items(func(item field) error {
			var one string
			set := name(&one)
			if len(choices) > 0 {
				set = oneOf(&one, choices...)
			}
			if err := set(item); err != nil {
				return err
			}
			*to = append(*to, one)
			return nil
		})
		if err == nil && len(*to) == 0 {
			return f.errorf("nobody is named; without the key all are meant")
		}
		return err
	}
}

// has says whether a mapping has a key.
func (f field) has(key string) bool {
	for i := 0; i+1 < len(f.node.Content); i += 2 {
		if f.node.Content[i].Value == key {
			return true
		}
	}
	return false
}

// maxSwing keeps a wave above zero at every moment, so that the counter it feeds never stands still for long.
const maxSwing = 0.95

// wave is a number, or a mean with sines around it.
type wave struct {
	mean  float64
	sines []curve.Sine
}

func (w wave) curve() curve.Curve { return curve.Wave(w.mean, w.sines...) }

// waveform sets a wave: a plain number, or {mean, waves: [{swing, period, phase}]}. The mean lies between low and high.
func waveform(to *wave, low, high float64) func(field) error {
	return func(f field) error {
		*to = wave{}
		if f.node.Kind == yaml.ScalarNode {
			return number(&to.mean, low, high)(f)
		}
		err := f.mapping(setters{
			"mean":  number(&to.mean, low, high),
			"waves": func(list field) error { return list.items(to.addSine) },
		})
		if err != nil {
			return err
		}
		var swing float64
		for _, s := range to.sines {
			swing += s.Swing
		}
		if swing > maxSwing {
			return f.errorf("the swings add up to %.3g; at most %v keeps the value above zero", swing, maxSwing)
		}
		return nil
	}
}

func (w *wave) addSine(f field) error {
	var sine curve.Sine
	var period time.Duration
	err := f.mapping(setters{
		"swing":  number(&sine.Swing, 0, maxSwing),
		"period": duration(&period, time.Second),
		"phase":  number(&sine.Phase, 0, 1),
	})
	if err != nil {
		return err
	}
	if period == 0 {
		return f.errorf("period is missing")
	}
	sine.Period = period.Seconds()
	w.sines = append(w.sines, sine)
	return nil
}
