package exposition

import (
	"math"
	"math/bits"
	"strconv"
	"strings"
)

// style is a set of the ways in which exporters spell numbers. A single number mostly fits several.
type style uint8

const (
	goStyle     style = 1 << iota // the shortest, from 1e+06 on with an exponent: client_golang
	pythonStyle                   // the same, but whole numbers end in .0: client_python
	plainStyle                    // whole numbers are written out, to 16 digits: iostreams, and what prints integers
	fixedStyle                    // always so many decimals: printf's %f
)

// Format is how an exporter spells the values of one metric, as far as the values seen tell.
type Format struct {
	styles   style
	decimals int    // that fixedStyle has
	most     int    // decimals that any value needed
	nan      string // how not-a-number was spelled, "" where it was not seen
}

// FormatOf tells the format from values as printed.
func FormatOf(values []string) Format {
	f := Format{styles: goStyle | pythonStyle | plainStyle | fixedStyle, decimals: -1}
	finite := false
	for _, text := range values {
		v, err := ParseValue(text)
		switch {
		case err != nil || math.IsInf(v, 0):
			continue
		case math.IsNaN(v):
			f.nan = text
			continue
		}
		finite = true
		f.most = max(f.most, decimalsOf(text))
		printed := printedDecimals(text)
		if f.decimals < 0 {
			f.decimals = printed
		}
		if printed < 2 || printed != f.decimals {
			f.styles &^= fixedStyle
		}
		f.styles &= fits(text, v) | fixedStyle
	}
	if !finite {
		f.styles &^= fixedStyle
	}
	return f
}

// fits are the styles, but for the fixed one, in which a value is spelled like this.
func fits(text string, v float64) style {
	var out style
	for _, s := range []style{goStyle, pythonStyle, plainStyle} {
		if string(appendStyle(nil, v, s)) == text {
			out |= s
		}
	}
	return out
}

// appendStyle spells a finite number in one style.
func appendStyle(dst []byte, v float64, s style) []byte {
	switch s {
	case plainStyle:
		return strconv.AppendFloat(dst, v, 'g', 16, 64)
	case pythonStyle:
		start := len(dst)
		dst = strconv.AppendFloat(dst, v, 'g', -1, 64)
		if !strings.ContainsAny(string(dst[start:]), ".e") {
			dst = append(dst, ".0"...)
		}
		return dst
	}
	return strconv.AppendFloat(dst, v, 'g', -1, 64)
}

// printedDecimals is how many digits stand behind the point, -1 with an exponent.
func printedDecimals(text string) int {
	if strings.ContainsAny(text, "eE") {
		return -1
	}
	_, decimals, _ := strings.Cut(text, ".")
	return len(decimals)
}

// decimalsOf is how many decimals a number needs, whatever its spelling.
func decimalsOf(text string) int {
	mantissa, exponent, _ := strings.Cut(strings.ToLower(text), "e")
	_, decimals, _ := strings.Cut(mantissa, ".")
	e, err := strconv.Atoi(exponent)
	if err != nil {
		e = 0
	}
	return min(max(len(strings.TrimRight(decimals, "0"))-e, 0), 300)
}

// Decimals are the most that any value had; 0 where all were whole.
func (f Format) Decimals() int { return f.most }

// NaN is how not-a-number is spelled.
func (f Format) NaN() string {
	if f.nan == "" {
		return "NaN"
	}
	return f.nan
}

// Or is the format where its values leave open what another one tells.
func (f Format) Or(page Format) Format {
	if both := f.styles & page.styles; both != 0 && f.styles&fixedStyle == 0 {
		f.styles = both
	}
	if f.nan == "" {
		f.nan = page.nan
	}
	return f
}

// And is the format of two sets of values that one program printed.
func (f Format) And(g Format) Format {
	both := f.styles & g.styles &^ fixedStyle
	if both == 0 {
		both = f.styles
	}
	f.styles, f.most = both, max(f.most, g.most)
	if f.nan == "" {
		f.nan = g.nan
	}
	return f
}

// Append spells a value.
func (f Format) Append(dst []byte, v float64) []byte {
	switch {
	case math.IsNaN(v):
		return append(dst, f.NaN()...)
	case math.IsInf(v, 1):
		return append(dst, "+Inf"...)
	case math.IsInf(v, -1):
		return append(dst, "-Inf"...)
	case f.styles&fixedStyle != 0:
		return strconv.AppendFloat(dst, v, 'f', f.decimals, 64)
	case f.styles == 0:
		return appendStyle(dst, v, goStyle)
	}
	return appendStyle(dst, v, 1<<bits.TrailingZeros8(uint8(f.styles)))
}

// Floor rounds a number down to the decimals that the values had. What misses the next one by no more than a float's error is that one,
// so that a value of the recording stays itself.
func (f Format) Floor(v float64) float64 {
	return f.rounded(v, func(scaled float64) float64 { return math.Floor(scaled + 1e-6 + 4e-16*math.Abs(scaled)) })
}

// Round rounds a number to the decimals that the values had.
func (f Format) Round(v float64) float64 { return f.rounded(v, math.Round) }

func (f Format) rounded(v float64, how func(float64) float64) float64 {
	if f.most > 15 {
		return v
	}
	unit := math.Pow10(f.most)
	if scaled := v * unit; math.Abs(scaled) < 1<<50 {
		return how(scaled) / unit
	}
	return v
}

// Agrees says whether one program may have printed both.
func (f Format) Agrees(g Format) bool {
	if f.nan != "" && g.nan != "" && f.nan != g.nan {
		return false
	}
	if f.styles&g.styles&^fixedStyle != 0 {
		return true
	}
	return f.styles&g.styles&fixedStyle != 0 && f.decimals == g.decimals
}

// String says what is known, for people.
func (f Format) String() string {
	var out []string
	if f.styles&fixedStyle != 0 {
		out = append(out, strconv.Itoa(f.decimals)+" decimals")
	}
	for _, s := range []struct {
		style style
		name  string
	}{{goStyle, "as Go's client"}, {pythonStyle, "as Python's client"}, {plainStyle, "written out"}} {
		if f.styles&s.style != 0 {
			out = append(out, s.name)
		}
	}
	text := strings.Join(out, " or ")
	if text == "" {
		text = "in several ways"
	}
	if f.nan != "" {
		text += ", " + f.nan
	}
	return text
}
