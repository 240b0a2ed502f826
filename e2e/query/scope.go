package query

import (
	"fmt"
	"slices"
	"strings"

	"github.com/panelgate/panelgate/stack/dashboard"
)

// allOption is the value by which a file and a URL say "All".
const allOption = dashboard.AllValueToken

// Value is what a variable currently holds.
type Value struct {
	Name string
	// Values are the selected values and Texts how they are shown. Without Multi
	// there is one; none means that the variable has nothing to offer.
	Values, Texts     []string
	Multi, IncludeAll bool
	All               bool   // "All" is selected; Values is not looked at
	AllValue          string // what All stands for, "" for every option
	// Options is everything the variable offers, without All itself.
	Options []dashboard.Option
	// Narrowed says that a repeat picked one of the values: it is inserted as a
	// plain single one, though escaped as the variable's own kind asks for.
	Narrowed bool
	// Fields are what ${name.field} gives, for built-in objects as __dashboard.
	Fields map[string]string
}

// Selected lists the values in effect, with All spelled out. A custom all value
// is one value.
func (v Value) Selected() []string {
	switch {
	case !v.All:
		return v.Values
	case v.AllValue != "":
		return []string{v.AllValue}
	default:
		return v.optionValues()
	}
}

func (v Value) optionValues() []string {
	values := make([]string, 0, len(v.Options))
	for _, o := range v.Options {
		if o.Value != allOption {
			values = append(values, o.Value)
		}
	}
	return values
}

// Scope says what the names of variables stand for. It never changes; With
// gives an extended one.
type Scope struct {
	values  []Value // a few: looking through them is faster than a map, and smaller
	parent  *Scope
	filters *adhoc // ad hoc filters, nil where an outer scope has them or none
}

// NewScope holds values; of two with one name the last counts.
func NewScope(values ...Value) *Scope {
	return &Scope{values: values}
}

// With is s with v in addition, or in the place of its namesake.
func (s *Scope) With(v Value) *Scope {
	return &Scope{values: []Value{v}, parent: s}
}

// Lookup finds the variable called name.
func (s *Scope) Lookup(name string) (Value, bool) {
	for ; s != nil; s = s.parent {
		for _, v := range slices.Backward(s.values) {
			if v.Name == name {
				return v, true
			}
		}
	}
	return Value{}, false
}

// Names lists what the scope defines, sorted.
func (s *Scope) Names() []string {
	var names []string
	for ; s != nil; s = s.parent {
		for _, v := range s.values {
			names = append(names, v.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Dialect is how a reference without a format of its own is rendered.
type Dialect uint8

const (
	// Plain is Grafana's general form: one value bare, several as {a,b}.
	Plain Dialect = iota
	// PromQL escapes values for a PromQL string, as the Prometheus datasource does.
	PromQL
	// PromQLSpecialChars is PromQL under Grafana's feature toggle
	// prometheusSpecialCharsInLabelValues, which also escapes quotes.
	PromQLSpecialChars
)

// Interpolate replaces the references in text whose names the scope knows and
// leaves the others as written. The error, a *RecursionError, says which
// variable's custom all value leads back to itself.
func (s *Scope) Interpolate(text string, d Dialect) (string, error) {
	out, _, err := s.InterpolateMapped(text, d)
	return out, err
}

// InterpolateMapped is Interpolate with the way back to the text as written.
func (s *Scope) InterpolateMapped(text string, d Dialect) (string, Mapping, error) {
	return (&expansion{scope: s}).run(text, d, "")
}

// interpolateAs is Interpolate with a format for the references that name none.
func (s *Scope) interpolateAs(text, format string) (string, error) {
	out, _, err := (&expansion{scope: s}).run(text, Plain, format)
	return out, err
}

// RecursionError reports a variable whose custom all value refers, maybe through
// others, to the variable itself, or to so many others that no end is in sight.
// Grafana overflows its stack on it.
type RecursionError struct {
	Names []string // from the variable back to it
}

// Error implements error.
func (e *RecursionError) Error() string {
	return fmt.Sprintf("the custom all value of variable %q leads back to itself (%s)",
		e.Names[0], "$"+strings.Join(e.Names, " → $"))
}

// Bounds on hostile all values: each may refer to the next one several times.
const (
	maxExpansions  = 10_000
	maxExpandedLen = 4 << 20
)

// expansion is one interpolation with all that nests in it.
type expansion struct {
	scope  *Scope
	active []string // variables whose custom all value is being interpolated
	count  int
	size   int
}

// run interpolates text; references without a format take the dialect's, or
// fallback where that is not empty.
func (x *expansion) run(text string, d Dialect, fallback string) (string, Mapping, error) {
	r := rewriter{text: text}
	for _, ref := range References(text) {
		v, ok := x.scope.Lookup(ref.Name)
		if !ok {
			continue
		}
		if ref.Format == "" {
			ref.Format = fallback
		}
		value, err := x.render(v, ref, d)
		if err != nil {
			return "", Mapping{}, err
		}
		if err := x.spend(v, len(value)); err != nil {
			return "", Mapping{}, err
		}
		r.replace(ref.Start, ref.End, value)
	}
	out, mapping := r.finish()
	return out, mapping, nil
}

// spend counts the bytes that v brings in, read or written.
func (x *expansion) spend(v Value, n int) error {
	if x.size += n; x.size > maxExpandedLen {
		return fmt.Errorf("variable %q makes the text longer than %d bytes", v.Name, maxExpandedLen)
	}
	return nil
}

// render is what the reference stands for.
func (x *expansion) render(v Value, ref Reference, d Dialect) (string, error) {
	if v.All && v.AllValue != "" {
		return x.customAll(v, ref.Format)
	}
	o := v.operand(ref.FieldPath)
	if ref.Format == "" && d != Plain {
		return promEscape(v, o, d), nil
	}
	return format(v, o, ref.Format), nil
}

// customAll inserts the all value as it is, whatever the format, and then
// replaces what it refers to itself, by Grafana's general form.
func (x *expansion) customAll(v Value, format string) (string, error) {
	switch format {
	case "text":
		return allText, nil
	case "queryparam":
		return queryParam("var-"+v.Name, allOption), nil
	}
	text := v.AllValue
	if format == "percentencode" {
		text = encodeURIComponentStrict(text)
	}
	if x.count++; x.count > maxExpansions {
		return "", fmt.Errorf("variable %q: more than %d nested references in custom all values", v.Name, maxExpansions)
	}
	if err := x.spend(v, len(text)); err != nil {
		return "", err
	}
	if i := slices.Index(x.active, v.Name); i >= 0 {
		return "", &RecursionError{Names: append(slices.Clone(x.active[i:]), v.Name)}
	}
	x.active = append(x.active, v.Name)
	defer func() { x.active = x.active[:len(x.active)-1] }()
	out, _, err := x.run(text, Plain, "")
	return out, err
}
