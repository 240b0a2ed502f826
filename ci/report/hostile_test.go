package report

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	markdownhtml "github.com/yuin/goldmark/renderer/html"
	"golang.org/x/net/html"

	"github.com/panelgate/panelgate/ci/since"
	"github.com/panelgate/panelgate/e2e/selftest"
)

// spoiled are texts that mean something to a terminal, a browser, a chat or a pipeline,
// each beside one as long in lines that means nothing.
func spoiled() map[string][2]string {
	const plain = "x"
	out := map[string][2]string{
		"lines":     {"\n::error::x\n##[error]y\n```\n# h\n- l\n> q\n| a |\n~~~\n<b>\n1. x", strings.Repeat("\nx", 10)},
		"underline": {"\n===\nx\n***", "\nx\nx\nx"},
	}
	for name, text := range map[string]string{
		"escapes":          "\x1b[2J\x1b]0;title\a\x1b]8;;http://evil\x1b\\",
		"eight bits":       "\u009b2J\u0085\u0090x\u009c",
		"bytes":            "\xff\xfe\x9b2J",
		"returns":          "\rok    all is well\b\b\x7f\x00",
		"directions":       "\u202egnp\u2066x\u2069\u200f\u061c",
		"unseen":           "a\u200bb\ufeffc\u00add\u2060e\u180ef\U000e0041g",
		"separators":       "a\u2028b\u2029c",
		"no characters":    "\ufffe\uffff",
		"script":           "</script><script>alert(1)</script>",
		"attribute":        "\" onmouseover=\"alert(1)\" x='",
		"image":            "<img src=x onerror=alert(1)><svg/onload=alert(1)>",
		"comment":          "<!-- x",
		"entities":         "&lt;b&gt; &#27;[2J &#x202e; &amp;",
		"section":          "]]><x/>",
		"details":          "</summary></details><h1>x",
		"link":             "[x](javascript:alert(1)) ![x](http://evil.example/x.png) [x]: http://evil.example",
		"address":          "http://evil.example www.evil.example ftp://evil.example a@evil.example <http://evil.example>",
		"mention":          "@everyone @org/team #1 GH-2 owner/repo#3",
		"marks":            "**b** __i__ ~~s~~ `c` $x^2$ $`y`$ \\",
		"ticks":            "`",
		"many ticks":       " ``` ~~~ ````",
		"a cell":           "| a | b |\\|",
		"command":          "::error file=x::y ##[group]z %0A::warning::w",
		"template":         "{{.}} ${{ secrets.X }} ${x} $(x)",
		"footnote":         "[^1] [^1]: x :tada: - [ ] x",
		"trailing slashes": "x\\\\\\",
	} {
		out[name] = [2]string{text, plain}
	}
	return out
}

// spoil puts a text behind every string below v that comes of a file, a server or a
// command line. What is left are the words that panelgate itself has put there.
func spoil(v reflect.Value, text string) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if err, ok := v.Interface().(error); ok && v.CanSet() && v.Kind() == reflect.Interface {
			v.Set(reflect.ValueOf(errors.New(err.Error() + text))) //nolint:err113 // it is the text of one that is tried
			return
		}
		if v.Kind() == reflect.Pointer && !v.IsNil() {
			spoil(v.Elem(), text)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() && !slices.Contains(ownWords(), f.Name) {
				spoil(v.Field(i), text)
			}
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			spoil(v.Index(i), text)
		}
	case reflect.String:
		v.SetString(v.String() + text)
	}
}

// ownWords are the fields that hold panelgate's own words, of which there are few.
func ownWords() []string {
	return []string{"Verdict", "Env", "Severity", "Rule", "Status", "FailOn", "Version", "Checkout", "State", "Plan", "Cell", "Operator", "Where", "Shard", "Fired", "By"}
}

// fullDocument is a run in which each field is set that a report could show.
func fullDocument() *Document {
	d := everything()
	d.Error = "it could not be run"
	d.Since = &since.Touched{}
	fill(reflect.ValueOf(d.Since).Elem())
	d.Stages = []Stage{{Name: "boot", DurationMS: 1}}
	for i := range d.Targets {
		fill(reflect.ValueOf(&d.Targets[i]).Elem())
	}
	d.Targets = append(d.Targets, Target{Job: "down", Instance: "a:1", URL: "http://a:1/metrics", Error: "refused"})
	for i := range d.Queries {
		d.Queries[i].Grafana = &Through{Executed: "up", Error: "500", Differs: []string{"one"}}
		fill(reflect.ValueOf(&d.Queries[i]).Elem())
	}
	for i := range d.Findings {
		if d.Findings[i].File != "" {
			fill(reflect.ValueOf(&d.Findings[i]).Elem())
		}
	}
	return d
}

// fill sets what strings are empty.
func fill(v reflect.Value) {
	for i := range v.NumField() {
		switch f := v.Field(i); {
		case !v.Type().Field(i).IsExported() || slices.Contains([]string{"Empty", "Row"}, v.Type().Field(i).Name):
		case f.Kind() == reflect.String && f.Len() == 0:
			f.SetString("text")
		case f.Type() == reflect.TypeFor[[]string]() && f.Len() == 0:
			f.Set(reflect.ValueOf([]string{"one", "two"}))
		}
	}
}

// plainly takes the hostile text out of everything, which is what the rest is held against.
func plainly(v reflect.Value) {
	if v.Kind() == reflect.String {
		v.SetString(strings.ReplaceAll(strings.ReplaceAll(v.String(), hostile, "x"), "\n```\n::error::z", ""))
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			plainly(v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() && v.Type().Field(i).Name != "Checkout" {
				plainly(v.Field(i))
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			plainly(v.Index(i))
		}
	}
}

// teller writes a report of some kind, with a text behind all that it could show.
type teller func(t *testing.T, text string) []byte

func ofDocument(write writer) teller {
	return func(t *testing.T, text string) []byte {
		d := fullDocument()
		plainly(reflect.ValueOf(d))
		spoil(reflect.ValueOf(d), text)
		for i := range d.Suppressed { // a place, whose line is looked for at its end
			d.Suppressed[i].By = "a" + text + d.Suppressed[i].By
		}
		return written(t, write, d)
	}
}

func ofMatrix(write func(io.Writer, MatrixResult) error) teller {
	return func(t *testing.T, text string) []byte {
		m := tried(t)
		spoil(reflect.ValueOf(&m), text)
		var out bytes.Buffer
		require.NoError(t, write(&out, m))
		return out.Bytes()
	}
}

func ofDrift(write func(io.Writer, DriftResult) error) teller {
	return func(t *testing.T, text string) []byte {
		d := drifted()
		for i := range d.Result.Exporters {
			for j := range d.Result.Exporters[i].Panels {
				spoil(reflect.ValueOf(&d.Result.Exporters[i].Panels[j]), text)
			}
			for j := range d.Result.Exporters[i].Versions {
				if v := &d.Result.Exporters[i].Versions[j]; v.Err != "" {
					v.Err += text
				}
			}
		}
		spoil(reflect.ValueOf(&d.StackDir), text)
		var out bytes.Buffer
		require.NoError(t, write(&out, d))
		return out.Bytes()
	}
}

func ofSelftest(t *testing.T, text string) []byte {
	r := &selftest.Result{Outcomes: []selftest.Outcome{
		{Operator: selftest.Operators()[0], Verdict: selftest.Survived, Mutant: selftest.Mutant{Before: "a", After: "b"}, Changed: []string{"one", "two"}},
		{Operator: selftest.Operators()[1], Verdict: selftest.Survived, Err: errors.New("no")},
	}}
	for i := range r.Outcomes {
		spoil(reflect.ValueOf(&r.Outcomes[i]), text)
	}
	var out bytes.Buffer
	require.NoError(t, Selftest(&out, r, true))
	return out.Bytes()
}

func painted(w io.Writer, d *Document) error {
	return Text(w, d, TextOptions{Verbose: true, Color: true, Info: true})
}

func matrixLines(w io.Writer, m MatrixResult) error { return Matrix(w, m, TextOptions{Verbose: true}) }

func driftLines(w io.Writer, d DriftResult) error { return Drift(w, d, TextOptions{Verbose: true}) }

func stream(w io.Writer, d *Document) error {
	events := NewNDJSON(w)
	for _, f := range d.Findings {
		if err := events.Emit(Event{Type: EventFinding, Finding: &f}); err != nil {
			return err
		}
	}
	return nil
}

// TestNoTextMakesStructure puts each hostile text into every field of a run, writes it in
// every format, and reads that with the parser of whoever it is for: it has to hold what
// it holds with a plain text there, no element, link, cell, line or command more.
func TestNoTextMakesStructure(t *testing.T) {
	formats := map[string]struct {
		write teller
		shape func(t *testing.T, data []byte) []string
	}{
		"text":               {ofDocument(painted), terminalLines},
		"markdown":           {ofDocument(Markdown), markdownShape},
		"junit":              {ofDocument(JUnit), xmlShape},
		"sarif":              {ofDocument(SARIF), sarifShape},
		"code quality":       {ofDocument(CodeQuality), jsonShape},
		"annotations":        {ofDocument(Annotations), commands},
		"json":               {ofDocument(JSON), jsonShape},
		"stream":             {ofDocument(stream), jsonShape},
		"matrix":             {ofMatrix(matrixLines), terminalLines},
		"matrix markdown":    {ofMatrix(MatrixMarkdown), markdownShape},
		"matrix junit":       {ofMatrix(MatrixJUnit), xmlShape},
		"matrix annotations": {ofMatrix(MatrixAnnotations), commands},
		"matrix json":        {ofMatrix(MatrixJSON), jsonShape},
		"drift":              {ofDrift(driftLines), terminalLines},
		"drift markdown":     {ofDrift(DriftMarkdown), markdownShape},
		"drift json":         {ofDrift(DriftJSON), jsonShape},
		"selftest":           {ofSelftest, terminalLines},
	}
	for name, format := range formats {
		for what, text := range spoiled() {
			t.Run(name+"/"+what, func(t *testing.T) {
				got := format.write(t, text[0])
				unsafe(t, got)
				assert.Equal(t, format.shape(t, format.write(t, text[1])), format.shape(t, got))
			})
		}
	}
}

var sgr = regexp.MustCompile("\x1b\\[[0-9;]*m")

// unsafe fails where a terminal would be steered, or text be shown that is not seen as
// it is. Colours of our own may stay.
func unsafe(t *testing.T, data []byte) {
	t.Helper()
	data = sgr.ReplaceAll(data, nil)
	for i, c := range string(data) {
		_, size := utf8.DecodeRune(data[i:])
		switch {
		case c == '\n' || c == '\t' || c == '\u200b' && bytes.Contains(data[max(i-3, 0):i], []byte{'#'}):
		case c == utf8.RuneError && size == 1:
			t.Fatalf("a byte that is no text, after %q", data[max(i-60, 0):i])
		case unicode.IsControl(c), unicode.Is(unicode.Cf, c), unicode.In(c, unicode.Zl, unicode.Zp):
			t.Fatalf("%U after %q", c, data[max(i-60, 0):i])
		}
	}
}

// terminalLines are the lines of a text by how far they are indented and how they are coloured.
func terminalLines(t *testing.T, data []byte) []string {
	var out []string
	for line := range strings.Lines(string(data)) {
		bare := sgr.ReplaceAllString(line, "")
		out = append(out, fmt.Sprint(strings.Join(sgr.FindAllString(line, -1), ""), len(bare)-len(strings.TrimLeft(bare, " "))))
	}
	return out
}

// commands are what GitHub's runner obeys, with the names of their properties.
func commands(t *testing.T, data []byte) []string {
	var out []string
	for line := range strings.Lines(string(data)) {
		m := regexp.MustCompile(`^::(error|warning|notice) ((?:[a-z]+=[^,:]*,)*[a-z]+=[^,:]*)::[^\n]*\n$`).FindStringSubmatch(line)
		require.NotNil(t, m, "%q", line)
		out = append(out, m[1]+" "+regexp.MustCompile(`=[^,]*`).ReplaceAllString(m[2], ""))
	}
	return out
}

func xmlShape(t *testing.T, data []byte) []string {
	var out []string
	dec := xml.NewDecoder(bytes.NewReader(data))
	for {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return out
		}
		require.NoError(t, err)
		switch token := token.(type) {
		case xml.StartElement:
			name := token.Name.Local
			for _, a := range token.Attr {
				name += " " + a.Name.Local
			}
			out = append(out, name)
		case xml.EndElement:
			out = append(out, "/"+token.Name.Local)
		case xml.Comment:
			out = append(out, "comment")
		}
	}
}

// jsonShape is JSON without its texts.
func jsonShape(t *testing.T, data []byte) []string {
	var out []string
	dec := json.NewDecoder(bytes.NewReader(data))
	for {
		var v any
		err := dec.Decode(&v)
		if errors.Is(err, io.EOF) {
			return out
		}
		require.NoError(t, err)
		out = append(out, fmt.Sprint(withoutTexts(v)))
	}
}

func withoutTexts(v any) any {
	switch v := v.(type) {
	case map[string]any:
		var out []any
		for _, key := range slices.Sorted(maps.Keys(v)) {
			out = append(out, key, withoutTexts(v[key]))
		}
		return out
	case []any:
		var out []any
		for _, item := range v {
			out = append(out, withoutTexts(item))
		}
		return out
	case string:
		return ""
	}
	return v
}

// sarifShape is that of JSON, and the links that viewers make of messages.
func sarifShape(t *testing.T, data []byte) []string {
	log := sarifLog{}
	require.NoError(t, json.Unmarshal(data, &log))
	links := regexp.MustCompile(`(?:^|[^\\])\[[^\]]*[^\\]\]\(`)
	for _, r := range log.Runs[0].Results {
		assert.NotRegexp(t, links, r.Message.Text)
	}
	return strings.Split(jsonShape(t, data)[0], "ruleId")
}

// markdownShape is what GitHub would make of it: the elements with their attributes, and
// in the text between them whatever else it would make a link of.
func markdownShape(t *testing.T, data []byte) []string {
	var rendered bytes.Buffer
	md := goldmark.New(goldmark.WithExtensions(extension.GFM, extension.Footnote), goldmark.WithRendererOptions(markdownhtml.WithUnsafe()))
	require.NoError(t, md.Convert(data, &rendered))
	var out []string
	code := 0
	tokens := html.NewTokenizer(&rendered)
	for {
		kind := tokens.Next()
		token := tokens.Token()
		switch kind {
		case html.ErrorToken:
			require.ErrorIs(t, tokens.Err(), io.EOF)
			return out
		case html.StartTagToken, html.SelfClosingTagToken:
			if token.Data == "code" || token.Data == "a" {
				code++
			}
			out = append(out, token.String())
		case html.EndTagToken:
			if token.Data == "code" || token.Data == "a" {
				code--
			}
			out = append(out, "/"+token.Data)
		case html.CommentToken, html.DoctypeToken:
			out = append(out, token.String())
		case html.TextToken:
			if code == 0 {
				assert.NotRegexp(t, `(?i)@\w|#\d|\bGH-\d|://|\bwww\.`, token.Data)
			}
		}
	}
}

// The words of a run's own stand where they stood, whatever it is about.
func TestSpoilReachesEveryField(t *testing.T) {
	d := fullDocument()
	plainly(reflect.ValueOf(d))
	spoil(reflect.ValueOf(d), "!")
	assert.Equal(t, "no data!", d.Findings[0].Message)
	assert.Equal(t, []string{"no metric x!", "nearest names: y!"}, d.Findings[0].Evidence)
	assert.Equal(t, "500!", d.Queries[0].Grafana.Error)
	assert.Equal(t, Fail, d.Verdict)
	m := tried(t)
	spoil(reflect.ValueOf(&m), "!")
	assert.Contains(t, m.Documents[1].Error, "no\x1b such host!")
	assert.Equal(t, 5*time.Second, m.Took)
}
