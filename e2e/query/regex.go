package query

import (
	"fmt"
	"regexp"
	"strings"
)

// UnsupportedRegexError says that a regular expression may be valid JavaScript but
// uses what Go's engine cannot do.
type UnsupportedRegexError struct {
	Pattern, Feature string
}

// Error implements error.
func (e *UnsupportedRegexError) Error() string {
	return fmt.Sprintf("the regular expression %q uses %s, which cannot be evaluated here", e.Pattern, e.Feature)
}

// jsRegex is a regular expression of a dashboard.
type jsRegex struct {
	*regexp.Regexp
	global bool // flag g: every match counts, not only the first
}

var slashed = regexp.MustCompile(`(?s)^/(.*?)/([dgimsuvy]*)$`)

// compileRegex reads a variable's regex: /pattern/flags, or a bare pattern that
// has to match as a whole.
func compileRegex(text string) (jsRegex, error) {
	pattern, flags := "^"+text+"$", ""
	if strings.HasPrefix(text, "/") {
		m := slashed.FindStringSubmatch(text)
		if m == nil {
			return jsRegex{}, fmt.Errorf("%q is no regular expression of the form /pattern/flags", text)
		}
		pattern, flags = m[1], m[2]
	}
	translated, err := translateRegex(pattern)
	if err != nil {
		return jsRegex{}, err
	}
	if strings.Contains(flags, "y") { // sticky: at the start only
		translated = `\A(?:` + translated + ")"
	}
	if own := strings.Map(keepGoFlags, flags); own != "" {
		translated = "(?" + own + ")" + translated
	}
	re, err := regexp.Compile(translated)
	if err != nil {
		return jsRegex{}, fmt.Errorf("regular expression %q: %w", text, err)
	}
	return jsRegex{Regexp: re, global: strings.Contains(flags, "g")}, nil
}

func keepGoFlags(flag rune) rune {
	if strings.ContainsRune("ims", flag) {
		return flag
	}
	return -1
}

// matches are the submatches of the first match, or of all with flag g.
func (r jsRegex) matches(s string) [][]string {
	if r.global {
		return r.FindAllStringSubmatch(s, -1)
	}
	if m := r.FindStringSubmatch(s); m != nil {
		return [][]string{m}
	}
	return nil
}

// translateRegex turns JavaScript's syntax into Go's where they differ.
func translateRegex(pattern string) (string, error) {
	t := translation{pattern: pattern}
	for t.i < len(pattern) {
		if err := t.step(); err != nil {
			return "", err
		}
	}
	return t.out.String(), nil
}

type translation struct {
	pattern string
	i       int
	inClass bool
	out     strings.Builder
}

func (t *translation) step() error {
	rest := t.pattern[t.i:]
	switch {
	case rest[0] == '\\':
		return t.escape(rest)
	case t.inClass:
		t.class(rest)
		return nil
	case strings.HasPrefix(rest, "[^]"):
		t.emit(`[\s\S]`, 3)
	case strings.HasPrefix(rest, "[]"):
		t.emit(`[^\s\S]`, 2)
	case rest[0] == '[':
		t.inClass = true
		n := 1
		if strings.HasPrefix(rest, "[^") {
			n = 2
		}
		t.emit(rest[:n], n)
	case strings.HasPrefix(rest, "(?"):
		return t.group(rest)
	default:
		t.emit(rest[:1], 1)
	}
	return nil
}

func (t *translation) emit(s string, consumed int) {
	t.out.WriteString(s)
	t.i += consumed
}

// class copies one byte inside brackets, where Go gives "[" a meaning.
func (t *translation) class(rest string) {
	switch rest[0] {
	case ']':
		t.inClass = false
		t.emit("]", 1)
	case '[':
		t.emit(`\[`, 1)
	default:
		t.emit(rest[:1], 1)
	}
}

// group refuses look-around, which Go does not have.
func (t *translation) group(rest string) error {
	for prefix, feature := range map[string]string{
		"(?=": "a lookahead (?=…)", "(?!": "a negative lookahead (?!…)",
		"(?<=": "a lookbehind (?<=…)", "(?<!": "a negative lookbehind (?<!…)",
	} {
		if strings.HasPrefix(rest, prefix) {
			return &UnsupportedRegexError{Pattern: t.pattern, Feature: feature}
		}
	}
	t.emit("(?", 2)
	return nil
}

var (
	hexEscape     = regexp.MustCompile(`^\\u([0-9a-fA-F]{4})`)
	controlEscape = regexp.MustCompile(`^\\c([A-Za-z])`)
)

// escape translates what begins with a backslash.
func (t *translation) escape(rest string) error {
	if len(rest) == 1 {
		t.emit(`\`, 1) // Go's compiler words the error
		return nil
	}
	if m := hexEscape.FindStringSubmatch(rest); m != nil {
		t.emit(`\x{`+m[1]+`}`, len(m[0]))
		return nil
	}
	if m := controlEscape.FindStringSubmatch(rest); m != nil {
		t.emit(fmt.Sprintf(`\x%02x`, m[1][0]&0x1f), len(m[0]))
		return nil
	}
	switch c := rest[1]; {
	case c == 'b' && t.inClass:
		t.emit(`\x08`, 2)
	case c == '0':
		t.emit(`\x00`, 2)
	case !t.inClass && ('1' <= c && c <= '9' || c == 'k'):
		return &UnsupportedRegexError{Pattern: t.pattern, Feature: `a back-reference \` + string(c)}
	case isLetter(c) && !strings.ContainsRune("bBdDfnrsStvwWxpP", rune(c)):
		t.emit(string(c), 2) // JavaScript takes the letter itself
	default:
		t.emit(rest[:2], 2)
	}
	return nil
}

func isLetter(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }
