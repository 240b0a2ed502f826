package query

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/dlclark/regexp2"
	"github.com/dlclark/regexp2/syntax"
)

const (
	// matchBudget is how long the matching of one text may take. A browser would hang;
	// here the variable gets an error.
	matchBudget = time.Second
	// matchTries is how often a text may take too long before the pattern is blamed. The
	// engine goes by the time of day, which passes as well where a busy machine, or who
	// stopped the process, gives it none: that does not happen each time, and what
	// backtracks too much does so each time.
	matchTries = 3
	// mostMatching is how long all texts of one variable may take, of which no text
	// counts for more than its budget.
	mostMatching = 10 * time.Second
	// maxPattern bounds how deep a pattern can nest, in bytes.
	maxPattern = 1 << 16
)

// jsRegex is a JavaScript regular expression of a dashboard. The engine
// backtracks as a browser's does, so that look-around and back-references work.
type jsRegex struct {
	text   string // as written
	engine *regexp2.Regexp
	groups int
	names  map[string][]int // numbers of the named groups
	global bool             // flag g: every match counts, not only the first
	budget time.Duration
}

// slashed is the form that Grafana takes: flags are g, i, m, y and s in this order.
var slashed = regexp.MustCompile(`^/([^\n\r\x{2028}\x{2029}]*?)/(g?i?m?y?s?)$`)

// compileRegex reads a variable's regex: /pattern/flags, or a bare pattern that
// begins and ends where the text does. The error says that it is invalid in JavaScript.
func compileRegex(text string) (*jsRegex, error) {
	if !strings.HasPrefix(text, "/") {
		return compilePattern(text, "^"+text+"$", "")
	}
	m := slashed.FindStringSubmatch(text)
	if m == nil {
		return nil, fmt.Errorf("%.100q is no regular expression of the form /pattern/flags, with the flags g, i, m, y, s in this order", text)
	}
	return compilePattern(text, m[1], m[2])
}

// compilePattern compiles a pattern; text is what messages call it.
func compilePattern(text, pattern, flags string) (*jsRegex, error) {
	if len(pattern) > maxPattern {
		return nil, fmt.Errorf("the regular expression has %d bytes, the limit is %d", len(pattern), maxPattern)
	}
	t := translation{pattern: pattern}
	translated, err := t.run()
	if err != nil {
		return nil, fmt.Errorf("regular expression %.100q: %w", text, err)
	}
	options := regexp2.RegexOptions(regexp2.ECMAScript)
	for _, flag := range flags {
		switch flag {
		case 'i':
			options |= regexp2.IgnoreCase
		case 'm':
			options |= regexp2.Multiline
		case 's':
			options |= regexp2.Singleline
		case 'y': // at the start only
			translated = `\G(?:` + translated + ")"
		}
	}
	engine, err := regexp2.Compile(translated, options)
	var invalid *syntax.Error
	switch {
	case errors.As(err, &invalid): // without the pattern, which was translated
		return nil, fmt.Errorf("regular expression %.100q: %s", text, fmt.Sprintf(invalid.Code.String(), invalid.Args...))
	case err != nil:
		return nil, fmt.Errorf("regular expression %.100q: %w", text, err)
	}
	return &jsRegex{text: text, engine: engine, groups: t.groups, names: t.names,
		global: strings.Contains(flags, "g"), budget: matchBudget}, nil
}

// clock is the engine's, whose time-outs hang on one clock of the process, a goroutine
// that would outlive the match. The last one who needs it stops it.
var clock struct { //nolint:gochecknoglobals // it guards what is global in the engine
	mu    sync.Mutex
	users int
}

// KeepTime keeps the clock going by which regular expressions are cut short, until stop
// is called: stopping it after each match takes longer than most matches.
func KeepTime() (stop func()) {
	clock.mu.Lock()
	defer clock.mu.Unlock()
	if clock.users++; clock.users == 1 {
		regexp2.SetTimeoutCheckPeriod(clockPeriod)
	}
	return sync.OnceFunc(func() {
		clock.mu.Lock()
		defer clock.mu.Unlock()
		if clock.users--; clock.users == 0 {
			regexp2.StopTimeoutClock()
		}
	})
}

// clockPeriod is how often the engine looks at the time.
const clockPeriod = 10 * time.Millisecond

// matchAll gives for each text its matches, and each match's groups from the
// whole match on, "" for one that took no part. The error says that it took too long.
func (r *jsRegex) matchAll(texts []string) ([][][]string, error) {
	if len(texts) == 0 {
		return nil, nil
	}
	defer KeepTime()()
	all := make([][][]string, len(texts))
	var spent time.Duration
	for i, text := range texts {
		began := time.Now()
		var err error
		if all[i], err = r.patiently(text); err != nil {
			return nil, err
		}
		if spent += min(time.Since(began), r.budget); spent > mostMatching {
			return nil, fmt.Errorf("the regular expression %.100q takes longer than %s for %d values: it backtracks too much", r.text, mostMatching, i+1)
		}
	}
	return all, nil
}

// patiently are the matches of one text, which is tried again where it takes too long.
func (r *jsRegex) patiently(text string) (all [][]string, err error) {
	for range matchTries {
		if all, err = r.matches(text, time.Now().Add(r.budget)); err == nil {
			return all, nil
		}
	}
	return nil, err
}

// filter keeps the texts that match.
func (r *jsRegex) filter(texts []string) ([]string, error) {
	matches, err := r.matchAll(texts)
	if err != nil {
		return nil, err
	}
	var kept []string
	for i, text := range texts {
		if len(matches[i]) > 0 {
			kept = append(kept, text)
		}
	}
	return kept, nil
}

// matches are those of one text, found before the deadline. As in Grafana, an empty match
// is the last.
func (r *jsRegex) matches(text string, deadline time.Time) ([][]string, error) {
	if err := r.hurry(deadline); err != nil {
		return nil, err
	}
	var all [][]string
	m, err := r.engine.FindStringMatch(text)
	for err == nil && m != nil {
		groups := make([]string, r.groups+1)
		for i := range groups {
			groups[i] = m.GroupByNumber(i).String()
		}
		all = append(all, groups)
		if !r.global || m.Length == 0 {
			return all, nil
		}
		if err := r.hurry(deadline); err != nil {
			return nil, err
		}
		m, err = r.engine.FindNextMatch(m)
	}
	if err != nil {
		return nil, r.tooSlow()
	}
	return all, nil
}

// hurry gives the next match what is left of the time.
func (r *jsRegex) hurry(deadline time.Time) error {
	r.engine.MatchTimeout = time.Until(deadline)
	if r.engine.MatchTimeout <= 0 {
		return r.tooSlow()
	}
	return nil
}

func (r *jsRegex) tooSlow() error {
	return fmt.Errorf("the regular expression %.100q takes longer than %s: it backtracks too much", r.text, r.budget)
}

// named is what a group of that name captured in the first match in which one is
// not empty.
func (r *jsRegex) named(matches [][]string, name string) string {
	for _, m := range matches {
		for _, i := range r.names[name] {
			if m[i] != "" {
				return m[i]
			}
		}
	}
	return ""
}

// Matching are the texts that a regular expression of a dashboard matches, written
// as /pattern/flags or as a pattern for the whole text. The error says that it is
// invalid in JavaScript, or takes too long.
func Matching(pattern string, texts []string) ([]string, error) {
	r, err := compileRegex(pattern)
	if err != nil {
		return nil, err
	}
	return r.filter(texts)
}
