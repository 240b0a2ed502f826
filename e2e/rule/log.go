package rule

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// logLine is a line of a server's log, taken apart.
type logLine struct {
	text   string            // fit for one line of a report
	fields map[string]string // of logfmt or JSON; nil of anything else
}

// parseLog reads what Grafana and Prometheus print: logfmt, or JSON where they are
// told to, with plain lines in between.
func parseLog(line string) logLine {
	line = terminalCodes.ReplaceAllString(line, "")
	out := logLine{text: oneLine(line)}
	if trimmed := strings.TrimSpace(line); strings.HasPrefix(trimmed, "{") {
		out.fields = jsonFields(trimmed)
	} else {
		out.fields = logfmtFields(trimmed)
	}
	return out
}

var terminalCodes = regexp.MustCompile(`\x1b\[[0-9;?]*[A-Za-z]`)

// oneLine makes foreign text fit for a report: no control characters, and no more
// than its beginning.
func oneLine(s string) string {
	const longest = 300
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r):
			return -1
		}
		return r
	}, terminalCodes.ReplaceAllString(strings.ToValidUTF8(s, ""), ""))
	runes := []rune(strings.Join(strings.Fields(s), " "))
	if len(runes) > longest {
		return string(runes[:longest]) + "…"
	}
	return string(runes)
}

func jsonFields(line string) map[string]string {
	var wire map[string]any
	if json.Unmarshal([]byte(line), &wire) != nil {
		return nil
	}
	out := make(map[string]string, len(wire))
	for k, v := range wire {
		if s, ok := v.(string); ok {
			out[k] = s
		} else {
			out[k] = fmt.Sprint(v)
		}
	}
	return out
}

var logfmtKey = regexp.MustCompile(`^[a-zA-Z_][\w.-]*=`)

// logfmtFields are the pairs of a line that is nothing but pairs, nil of any other.
func logfmtFields(line string) map[string]string {
	out := map[string]string{}
	for line = strings.TrimSpace(line); line != ""; line = strings.TrimSpace(line) {
		key := logfmtKey.FindString(line)
		if key == "" {
			return nil
		}
		line = line[len(key):]
		value, quoted := "", false
		if prefix, err := strconv.QuotedPrefix(line); err == nil && prefix[0] == '"' {
			value, err = strconv.Unquote(prefix)
			quoted = err == nil
			line = line[len(prefix):]
		}
		if !quoted {
			value, line, _ = strings.Cut(line, " ")
		}
		out[strings.TrimSuffix(key, "=")] = value
	}
	if out["msg"] == "" {
		return nil
	}
	return out
}

// level is how grave the server calls it, in small letters, "" where it does not say.
func (l logLine) level() string {
	for _, key := range []string{"level", "lvl"} {
		if v := l.fields[key]; v != "" {
			return strings.ToLower(v)
		}
	}
	return ""
}

// trouble says whether the line is a warning or worse. One that cannot be read may be.
func (l logLine) trouble() bool {
	return l.fields == nil || slices.Contains([]string{"warn", "warning", "eror", "error", "crit", "critical", "fatal", "panic"}, l.level())
}

// failure is the error that the line carries, "" for none.
func (l logLine) failure() string {
	for _, key := range []string{"error", "err", "reason"} {
		if v := l.fields[key]; v != "" {
			return v
		}
	}
	return ""
}

// short is the line without what says nothing here: times, places in a source.
func (l logLine) short() string {
	if l.fields == nil {
		return l.text
	}
	text := strings.TrimSpace(l.fields["msg"])
	if logger := l.fields["logger"]; logger != "" {
		text = logger + ": " + text
	}
	if why := l.failure(); why != "" {
		text += ": " + why
	}
	var about []string
	for _, key := range []string{"file", "path", "uid", "title", "provider", "name", "id", "pluginId"} {
		if v := l.fields[key]; v != "" && !strings.Contains(text, v) {
			about = append(about, key+"="+v)
		}
	}
	if len(about) > 0 {
		text += " (" + strings.Join(about, ", ") + ")"
	}
	return oneLine(text)
}

// logAbout are the troubles of a log that a test picks, each once and three at the
// most: what is read again and again is complained of again and again.
func logAbout(log []string, about func(logLine) bool) []string {
	const most = 3
	var out []string
	for _, line := range log {
		l := parseLog(line)
		if l.text == "" || !l.trouble() || !about(l) {
			continue
		}
		if s := "Grafana's log: " + l.short(); len(out) < most && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// mentions says whether a line names something, as a word of its own.
func (l logLine) mentions(name string) bool {
	if name == "" {
		return false
	}
	for _, v := range l.fields {
		if containsWord(v, name) {
			return true
		}
	}
	return l.fields == nil && containsWord(l.text, name)
}

// containsWord says whether text has name with nothing around it that could belong
// to a longer name.
func containsWord(text, name string) bool {
	belongs := func(r rune) bool {
		return unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_' || r == '-' || r == '.'
	}
	for from := 0; ; {
		i := strings.Index(text[from:], name)
		if i < 0 {
			return false
		}
		before, after := []rune(text[:from+i]), []rune(text[from+i+len(name):])
		if (len(before) == 0 || !belongs(before[len(before)-1])) && (len(after) == 0 || !belongs(after[0]) || ends(after)) {
			return true
		}
		from += i + 1
	}
}

// ends says whether what follows is the end of a sentence.
func ends(after []rune) bool {
	return after[0] == '.' && (len(after) == 1 || unicode.IsSpace(after[1]))
}
