package query

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// translation rewrites a JavaScript pattern for the engine, which otherwise is
// .NET's: there named groups are numbered last, "[" has a meaning in brackets,
// and more letters have one behind a backslash. What only .NET has is an error.
type translation struct {
	pattern string
	i       int
	out     strings.Builder
	groups  int              // capturing groups, the named ones included
	names   map[string][]int // several under one name stand in different alternatives
	// inClass says that the place is inside brackets, afterSet that what stands
	// before it there is a set as \w, which begins no range.
	inClass, afterSet bool
}

var (
	groupName = regexp.MustCompile(`^\(\?<([\pL\p{Nl}_$][\pL\p{Nl}\p{Mn}\p{Mc}\p{Nd}\p{Pc}$]*)>`)
	modifiers = regexp.MustCompile(`^\(\?[ims]*(?:-[ims]*)?:`)
	backName  = regexp.MustCompile(`^\\k<([^>]*)>`)
	backRef   = regexp.MustCompile(`^\\([1-9]\d*)`)
	octal     = regexp.MustCompile(`^\\([0-3]?[0-7]{1,2})`)
	hexCode   = regexp.MustCompile(`^\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4})`)
	control   = regexp.MustCompile(`^\\c([A-Za-z])`)
	setEscape = regexp.MustCompile(`^\\[dDsSwW]`)
)

func (t *translation) run() (string, error) {
	t.countGroups()
	for t.i < len(t.pattern) {
		if err := t.step(t.pattern[t.i:]); err != nil {
			return "", err
		}
	}
	return t.out.String(), nil
}

// countGroups numbers the groups before the rest is read, since a back-reference
// may stand before its group.
func (t *translation) countGroups() {
	t.names = map[string][]int{}
	inClass := false
	for i := 0; i < len(t.pattern); i++ {
		switch t.pattern[i] {
		case '\\':
			i++
		case '[':
			inClass = true
		case ']':
			inClass = false
		case '(':
			if inClass {
				continue
			}
			rest := t.pattern[i:]
			m := groupName.FindStringSubmatch(rest)
			if m == nil && strings.HasPrefix(rest, "(?") {
				continue
			}
			t.groups++
			if m != nil {
				t.names[m[1]] = append(t.names[m[1]], t.groups)
			}
		}
	}
}

func (t *translation) emit(s string, consumed int) {
	t.out.WriteString(s)
	t.i += consumed
}

func (t *translation) step(rest string) error {
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
		t.inClass, t.afterSet = true, false
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

// class copies one byte inside brackets.
func (t *translation) class(rest string) {
	afterSet := t.afterSet
	t.afterSet = false
	switch {
	case rest[0] == ']':
		t.inClass = false
		t.emit("]", 1)
	case rest[0] == '[':
		t.emit(`\[`, 1)
	case rest[0] == '-' && (afterSet || setEscape.MatchString(rest[1:])):
		t.emit(`\-`, 1) // no range can have a set as its end
	default:
		t.emit(rest[:1], 1)
	}
}

// group copies what begins with "(?", as far as JavaScript has it.
func (t *translation) group(rest string) error {
	for _, prefix := range []string{"(?:", "(?=", "(?!", "(?<=", "(?<!"} {
		if strings.HasPrefix(rest, prefix) {
			t.emit(prefix, len(prefix))
			return nil
		}
	}
	if m := groupName.FindString(rest); m != "" {
		t.emit("(", len(m)) // known by its number, which would otherwise change
		return nil
	}
	if m := modifiers.FindString(rest); m != "" {
		t.emit(m, len(m))
		return nil
	}
	return fmt.Errorf("invalid group %.10q", rest)
}

// escape translates what begins with a backslash.
func (t *translation) escape(rest string) error {
	t.afterSet = false
	if len(rest) == 1 {
		return errors.New(`a \ at the end`)
	}
	if m := hexCode.FindString(rest); m != "" {
		t.emit(m, len(m))
		return nil
	}
	if m := control.FindStringSubmatch(rest); m != nil {
		t.emit(fmt.Sprintf(`\x%02x`, m[1][0]&0x1f), len(m[0]))
		return nil
	}
	switch c := rest[1]; {
	case setEscape.MatchString(rest):
		t.afterSet = t.inClass
		t.emit(rest[:2], 2)
	case isDigit(c):
		t.number(rest)
	case c == 'k' && !t.inClass && len(t.names) > 0:
		return t.backReference(rest)
	case c == 'b' && t.inClass:
		t.emit(`\x08`, 2)
	case c == 'b' && !t.inClass: // the engine's own takes é for part of a word
		t.emit(`(?:(?<=\w)(?!\w)|(?<!\w)(?=\w))`, 2)
	case c == 'B' && !t.inClass:
		t.emit(`(?:(?<=\w)(?=\w)|(?<!\w)(?!\w))`, 2)
	case strings.ContainsRune("fnrtv", rune(c)):
		t.emit(rest[:2], 2)
	case isWord(c): // JavaScript takes the character itself
		t.emit(rest[1:2], 2)
	default:
		t.emit(rest[:2], 2)
	}
	return nil
}

// number translates \1: a back-reference where there is such a group, else the
// character of an octal code, else the digit.
func (t *translation) number(rest string) {
	if m := backRef.FindStringSubmatch(rest); m != nil && !t.inClass {
		if n, err := strconv.Atoi(m[1]); err == nil && n <= t.groups {
			t.emit(`(?:\`+m[1]+`)`, len(m[0]))
			return
		}
	}
	if m := octal.FindStringSubmatch(rest); m != nil {
		if code, err := strconv.ParseUint(m[1], 8, 8); err == nil {
			t.emit(fmt.Sprintf(`\x%02x`, code), len(m[0]))
			return
		}
	}
	t.emit(rest[1:2], 2)
}

// backReference translates \k<name>. Of several groups of the name one can have
// taken part, and a reference to the others matches nothing.
func (t *translation) backReference(rest string) error {
	m := backName.FindStringSubmatch(rest)
	if m == nil || t.names[m[1]] == nil {
		return fmt.Errorf("%.20q refers to no group", rest)
	}
	refs := ""
	for _, n := range t.names[m[1]] {
		refs += `(?:\` + strconv.Itoa(n) + `)`
	}
	t.emit(refs, len(m[0]))
	return nil
}

func isWord(c byte) bool {
	return c >= 0x80 || c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}
