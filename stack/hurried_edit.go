package stack

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/config"
	"go.yaml.in/yaml/v3"
)

// setPaces writes intervals into the text of a prometheus.yml. It refuses what
// it does not know how to edit; that the result means what it should is for the
// caller to check.
func setPaces(text []byte, want paces) ([]byte, error) {
	var doc yaml.Node
	if err := yaml.NewDecoder(bytes.NewReader(text)).Decode(&doc); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read it as YAML: %w", err)
	}
	e := &yamlEditor{text: text, eol: "\n"}
	if bytes.Contains(text, []byte("\r\n")) {
		e.eol = "\r\n"
	}
	root := &yaml.Node{Kind: yaml.ScalarNode}
	if len(doc.Content) > 0 {
		root = doc.Content[0]
	}
	e.setGlobal(root, want)
	e.setJobs(root, want)
	return e.result()
}

// setting is a key that is to have a value.
type setting struct{ key, value string }

// flow is the settings as a mapping on one line.
func flow(settings []setting) string { return "{" + joined(settings, ", ") + "}" }

func joined(settings []setting, separator string) string {
	var parts []string
	for _, s := range settings {
		parts = append(parts, s.key+": "+s.value)
	}
	return strings.Join(parts, separator)
}

// setGlobal writes what differs into the global section, which may be missing,
// or there and empty.
func (e *yamlEditor) setGlobal(root *yaml.Node, want paces) {
	key, global := lookUp(root, "global")
	var needed []setting
	own := ownPace(global)
	if inherited(own.interval, config.DefaultGlobalConfig.ScrapeInterval) != want.global.interval {
		needed = append(needed, setting{"scrape_interval", want.global.interval.String()})
	}
	if inherited(own.timeout, min(config.DefaultGlobalConfig.ScrapeTimeout, want.global.interval)) != want.global.timeout {
		needed = append(needed, setting{"scrape_timeout", want.global.timeout.String()})
	}
	if inherited(ownDuration(global, "evaluation_interval"), config.DefaultGlobalConfig.EvaluationInterval) != want.evaluation {
		needed = append(needed, setting{"evaluation_interval", want.evaluation.String()})
	}
	switch {
	case len(needed) == 0:
	case isNull(root):
		e.append("global: " + flow(needed))
	case global == nil:
		e.set(root, []setting{{"global", flow(needed)}})
	case isNull(global):
		e.replace(key, global, flow(needed))
	default:
		e.set(global, needed)
	}
}

// setJobs writes what differs from what a job would inherit into each job.
func (e *yamlEditor) setJobs(root *yaml.Node, want paces) {
	_, list := lookUp(root, "scrape_configs")
	if len(want.jobs) == 0 {
		return
	}
	if list == nil || list.Kind != yaml.SequenceNode || len(list.Content) != len(want.jobs) {
		e.refuse("scrape_configs is not a plain list of jobs")
		return
	}
	for i, job := range list.Content {
		own, w := ownPace(job), want.jobs[i]
		// What is merged in or referred to may change under the job.
		explicit := merges(job)
		var needed []setting
		if explicit || inherited(own.interval, want.global.interval) != w.interval || refers(job, "scrape_interval") {
			needed = append(needed, setting{"scrape_interval", w.interval.String()})
		}
		if explicit || inherited(own.timeout, min(want.global.timeout, w.interval)) != w.timeout || refers(job, "scrape_timeout") {
			needed = append(needed, setting{"scrape_timeout", w.timeout.String()})
		}
		if len(needed) > 0 {
			e.set(job, needed)
		}
	}
}

// inherited is what is in effect where a value of 0 takes another's place.
func inherited(own, other model.Duration) model.Duration {
	if own == 0 {
		return other
	}
	return own
}

// ownPace is what a section says itself, 0 where it says nothing.
func ownPace(section *yaml.Node) pace {
	return pace{interval: ownDuration(section, "scrape_interval"), timeout: ownDuration(section, "scrape_timeout")}
}

func ownDuration(section *yaml.Node, key string) model.Duration {
	_, n := lookUp(section, key)
	if n != nil && n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n == nil {
		return 0
	}
	d, err := model.ParseDuration(n.Value)
	if err != nil {
		return 0 // Prometheus takes the file: the value is null
	}
	return d
}

// lookUp is a mapping's own member, nil where it has none.
func lookUp(n *yaml.Node, name string) (key, value *yaml.Node) {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil, nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			return n.Content[i], n.Content[i+1]
		}
	}
	return nil, nil
}

// refers says whether a mapping takes the value of a key from an anchor.
func refers(n *yaml.Node, name string) bool {
	_, value := lookUp(n, name)
	return value != nil && value.Kind == yaml.AliasNode
}

// merges says whether a mapping takes in another one ("<<").
func merges(n *yaml.Node) bool {
	return slices.ContainsFunc(n.Content, func(c *yaml.Node) bool { return c.Tag == "!!merge" })
}

func isNull(n *yaml.Node) bool {
	return n != nil && n.Kind == yaml.ScalarNode && (n.Tag == "!!null" || n.Tag == "" && n.Value == "")
}

// yamlEditor collects edits to a text at the places of its YAML nodes.
type yamlEditor struct {
	text  []byte
	eol   string
	edits []edit
	err   error // the first thing that it could not do
}

// edit puts new in the place of the bytes from start to end.
type edit struct {
	start, end int
	new        string
}

func (e *yamlEditor) refuse(format string, args ...any) {
	if e.err == nil {
		e.err = fmt.Errorf(format, args...)
	}
}

// result is the text with all edits made.
func (e *yamlEditor) result() ([]byte, error) {
	if e.err != nil {
		return nil, e.err
	}
	slices.SortStableFunc(e.edits, func(a, b edit) int { return a.start - b.start })
	var out []byte
	last := 0
	for _, ed := range e.edits {
		if ed.start < last {
			return nil, errors.New("two changes fall on the same place")
		}
		out = append(append(out, e.text[last:ed.start]...), ed.new...)
		last = ed.end
	}
	return append(out, e.text[last:]...), nil
}

// set gives keys of a mapping their values, those it has and those it has not.
func (e *yamlEditor) set(n *yaml.Node, settings []setting) {
	if n.Kind != yaml.MappingNode {
		e.refuse("line %d: a plain section is expected", n.Line)
		return
	}
	var missing []setting
	for _, s := range settings {
		if key, value := lookUp(n, s.key); value != nil {
			e.replace(key, value, s.value)
		} else {
			missing = append(missing, s)
		}
	}
	switch {
	case len(missing) == 0:
	case n.Style&yaml.FlowStyle != 0:
		e.insertFlow(n, missing)
	default:
		e.insertBlock(n, missing)
	}
}

// replace puts another value in the place of a scalar or an alias, or behind its
// key where there is none.
func (e *yamlEditor) replace(key, value *yaml.Node, text string) {
	if value.Kind == yaml.ScalarNode && value.Value == "" && value.Anchor == "" {
		if at, ok := e.afterColon(key); ok {
			e.edits = append(e.edits, edit{at, at, " " + text})
		}
		return
	}
	start, ok := e.offset(value)
	if !ok {
		return
	}
	start = e.afterAnchor(start, value.Anchor)
	literal := value.Value
	switch {
	case value.Kind == yaml.AliasNode:
		literal = "*" + value.Value
	case value.Style&yaml.DoubleQuotedStyle != 0:
		literal = `"` + literal + `"`
	case value.Style&yaml.SingleQuotedStyle != 0:
		literal = "'" + literal + "'"
	}
	if !bytes.HasPrefix(e.text[start:], []byte(literal)) {
		e.refuse("line %d: the value of %s is written in a way that is not edited", value.Line, key.Value)
		return
	}
	e.edits = append(e.edits, edit{start, start + len(literal), text})
}

// insertBlock adds keys to a mapping, each on a line of its own.
func (e *yamlEditor) insertBlock(n *yaml.Node, settings []setting) {
	newLine := e.eol + strings.Repeat(" ", max(n.Content[0].Column-1, 0))
	if next := e.afterMerges(n); next != nil {
		e.insertBefore(next, joined(settings, newLine)+newLine)
	}
}

// insertFlow adds keys inside of braces.
func (e *yamlEditor) insertFlow(n *yaml.Node, settings []setting) {
	entries := joined(settings, ", ")
	if len(n.Content) > 0 {
		if next := e.afterMerges(n); next != nil {
			e.insertBefore(next, entries+", ")
		}
		return
	}
	at, ok := e.offset(n)
	if !ok {
		return
	}
	if at = e.afterAnchor(at, n.Anchor); at >= len(e.text) || e.text[at] != '{' {
		e.refuse("line %d: a mapping is written in a way that is not edited", n.Line)
		return
	}
	e.edits = append(e.edits, edit{at + 1, at + 1, entries})
}

// afterMerges is the key of a mapping that new ones go in front of: the first
// behind what it merges in, which would win over what stands before it. nil,
// with a refusal, where there is none.
func (e *yamlEditor) afterMerges(n *yaml.Node) *yaml.Node {
	next := 0
	for i := 0; i < len(n.Content); i += 2 {
		if n.Content[i].Tag == "!!merge" {
			next = i + 2
		}
	}
	if next >= len(n.Content) {
		e.refuse("line %d: a mapping that ends in a merge is not edited", n.Line)
		return nil
	}
	return n.Content[next]
}

// insertBefore adds text in front of a node.
func (e *yamlEditor) insertBefore(n *yaml.Node, text string) {
	if at, ok := e.offset(n); ok {
		e.edits = append(e.edits, edit{at, at, text})
	}
}

// append adds a line to the end of the text.
func (e *yamlEditor) append(line string) {
	if len(e.text) > 0 && !bytes.HasSuffix(e.text, []byte("\n")) {
		line = e.eol + line
	}
	e.edits = append(e.edits, edit{len(e.text), len(e.text), line + e.eol})
}

// afterColon is the place behind a key's colon.
func (e *yamlEditor) afterColon(key *yaml.Node) (at int, ok bool) {
	at, ok = e.offset(key)
	if !ok {
		return 0, false
	}
	rest := e.text[at:]
	for _, literal := range []string{key.Value, `"` + key.Value + `"`, "'" + key.Value + "'"} {
		after, found := bytes.CutPrefix(rest, []byte(literal))
		after = bytes.TrimLeft(after, " ")
		if found && bytes.HasPrefix(after, []byte(":")) {
			return len(e.text) - len(after) + 1, true
		}
	}
	e.refuse("line %d: the key %s is written in a way that is not edited", key.Line, key.Value)
	return 0, false
}

// afterAnchor is the place of what an anchor at start stands in front of, start
// itself without one.
func (e *yamlEditor) afterAnchor(start int, anchor string) int {
	after, found := bytes.CutPrefix(e.text[start:], []byte("&"+anchor))
	if anchor == "" || !found {
		return start
	}
	return len(e.text) - len(bytes.TrimLeft(after, " "))
}

// offset is the place of a node's first byte. YAML has line ends that are not
// looked for here; what is at the place is compared before it is replaced.
func (e *yamlEditor) offset(n *yaml.Node) (int, bool) {
	at := 0
	if bytes.HasPrefix(e.text, []byte("\xef\xbb\xbf")) {
		at = len("\xef\xbb\xbf") // columns count from what is seen
	}
	for line := 1; line < n.Line; line++ {
		i := bytes.IndexByte(e.text[at:], '\n')
		if i < 0 {
			e.refuse("line %d is not found again", n.Line)
			return 0, false
		}
		at += i + 1
	}
	for column := 1; column < n.Column && at < len(e.text); column++ {
		_, size := utf8.DecodeRune(e.text[at:])
		at += size
	}
	return at, true
}
