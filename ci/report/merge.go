package report

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/panelgate/panelgate/e2e/rule"
)

// Told is the document of a shard and where it was read from.
type Told struct {
	From string // a file, or whatever else names it to a person
	*Document
}

// Merge puts the documents of all shards of a run together, as the run would have told
// of the whole. What does not make a whole is an error that names all that is wrong: a
// shard that is missing, could not be run, is there twice, or is of another run.
func Merge(told []Told) (*Document, error) {
	m := &merging{}
	if err := m.sort(told); err != nil {
		return nil, err
	}
	if err := m.whole(); err != nil {
		return nil, err
	}
	return m.document(), nil
}

// merging are the documents of shards on their way into one.
type merging struct {
	shards []Told // in their order, each once
	wrong  []string
}

func (m *merging) refuse(format string, args ...any) {
	m.wrong = append(m.wrong, fmt.Sprintf(format, args...))
}

// err is all that is wrong, nil for nothing.
func (m *merging) err() error {
	if len(m.wrong) == 0 {
		return nil
	}
	return errors.New(strings.Join(m.wrong, "; "))
}

// sort puts the shards into their order. One that is there twice, and the same, counts
// once.
func (m *merging) sort(told []Told) error {
	if len(told) == 0 {
		return errors.New("there is no shard to merge")
	}
	first := map[int]Told{}
	for _, t := range told {
		if t.Shard == nil || t.Shard.Of < 1 || t.Shard.Number < 1 || t.Shard.Number > t.Shard.Of {
			m.refuse("%s tells of no shard: it was written without --shard", t.From)
			continue
		}
		before, there := first[t.Shard.Number]
		switch {
		case !there:
			first[t.Shard.Number] = t
			m.shards = append(m.shards, t)
		case !same(before.Document, t.Document):
			m.refuse("shard %s is there twice and differs: %s and %s", t.Shard.Shard, before.From, t.From)
		}
	}
	if err := m.err(); err != nil {
		return err
	}
	slices.SortFunc(m.shards, func(a, b Told) int { return a.Shard.Number - b.Shard.Number })
	return nil
}

// same says whether two documents are one, wherever they were read from.
func same(a, b *Document) bool {
	x, y := *a, *b
	x.Checkout, y.Checkout = Checkout{}, Checkout{}
	return reflect.DeepEqual(x, y)
}

// whole says whether the shards are all there, and of one run.
func (m *merging) whole() error {
	of := m.shards[0].Shard.Of
	for _, t := range m.shards {
		if t.Shard.Of != of {
			return fmt.Errorf("%s is shard %s and %s is shard %s: they do not share one run", m.shards[0].From, m.shards[0].Shard.Shard, t.From, t.Shard.Shard)
		}
	}
	for i := range of {
		if !slices.ContainsFunc(m.shards, func(t Told) bool { return t.Shard.Number == i+1 }) {
			m.refuse("shard %d/%d is missing", i+1, of)
		}
	}
	var ran []Told
	for _, t := range m.shards {
		if t.Verdict == Failed {
			m.refuse("shard %s could not run: %s", t.Shard.Shard, cmp.Or(t.Error, "it does not say why"))
		} else {
			ran = append(ran, t)
		}
	}
	for _, t := range ran {
		m.ofOneRun(ran[0], t)
	}
	return m.err()
}

// ofOneRun refuses a shard that was not run as another one was.
func (m *merging) ofOneRun(first, t Told) {
	a, b := first.Shard, t.Shard
	differ := func(what string, x, y string) bool {
		if x != y {
			m.refuse("shards %s and %s are of different runs: %s %s and %s", a.Shard, b.Shard, what, strconv.Quote(x), strconv.Quote(y))
		}
		return x != y
	}
	switch {
	case differ("versions of panelgate", first.Version, t.Version), differ("stacks", first.Stack, t.Stack), differ("environments", first.Env, t.Env),
		differ("--fail-on", first.FailOn, t.FailOn):
		return
	case b.Files == "" || b.Configuration == "":
		m.refuse("%s does not say which files shard %s was of", t.From, b.Shard)
	case a.Files != b.Files:
		m.refuse("shards %s and %s are of different stacks, or of different revisions of one: their files differ", a.Shard, b.Shard)
	case a.Configuration != b.Configuration:
		m.refuse("shards %s and %s were run under different configurations: panelgate.yml, or a file that it names, differs", a.Shard, b.Shard)
	case !maps.Equal(a.Settings, b.Settings):
		m.settings(a, b)
	case !slices.Equal(a.Dashboards, b.Dashboards) || a.Idle != b.Idle:
		m.refuse("shards %s and %s split the dashboards differently: not the same ones were chosen", a.Shard, b.Shard)
	case slices.ContainsFunc(b.Dashboards, func(d Dealt) bool { return d.Shard < 1 || d.Shard > b.Of }):
		m.refuse("%s has a dashboard in a shard that there is not", t.From)
	case !slices.Equal(b.own(), files(t.Dashboards)):
		m.refuse("%s does not tell of the dashboards that shard %s has: %d of them, and not %d", t.From, b.Shard, len(t.Dashboards), len(b.own()))
	}
}

// settings names the flags in which two shards differ.
func (m *merging) settings(a, b *Shard) {
	names := slices.Sorted(maps.Keys(a.Settings))
	for name := range b.Settings {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, name := range names {
		if x, y := a.Settings[name], b.Settings[name]; x != y {
			m.refuse("shards %s and %s are of different runs: --%s %s and %s", a.Shard, b.Shard, name, strconv.Quote(x), strconv.Quote(y))
		}
	}
}

func files(boards []Dashboard) []string {
	var out []string
	for _, b := range boards {
		out = append(out, b.File)
	}
	return out
}

// document is what the whole came to.
func (m *merging) document() *Document {
	first := m.shards[0].Document
	out := &Document{
		Schema: Schema, Version: first.Version, Stack: first.Stack, Env: first.Env, FailOn: first.FailOn, Since: first.Since, Began: first.Began,
		Targets: []Target{}, Dashboards: []Dashboard{}, Queries: []Query{}, Findings: []Finding{},
	}
	order := out.order()
	checked, failed := false, false
	var suppressed []Finding
	why := map[identity]Suppressed{}
	for _, t := range m.shards {
		checked, failed = checked || t.Shard.Checked, failed || t.Verdict == Fail
		if t.Began.Before(out.Began) {
			out.Began = t.Began
		}
		out.DurationMS = max(out.DurationMS, t.DurationMS)
		out.Stages = append(out.Stages, Stage{Name: "shard " + t.Shard.String(), DurationMS: t.DurationMS})
		out.Targets = united(out.Targets, t.Targets)
		out.Findings = woven(out.Findings, t.Findings, order)
		var known []Finding
		for _, s := range t.Suppressed {
			known = append(known, s.Finding)
			if _, there := why[identify(s.Finding)]; !there {
				why[identify(s.Finding)] = s
			}
		}
		suppressed = woven(suppressed, known, order)
	}
	out.Findings = woven(out.Findings, m.held(), order)
	for _, f := range suppressed {
		s := why[identify(f)]
		s.Finding = f
		out.Suppressed = append(out.Suppressed, s)
	}
	m.dashboards(out)
	m.notes(out)
	out.Counts = out.count()
	out.Verdict = Pass
	if failed || !checked && !m.shards[0].Shard.Idle || slices.ContainsFunc(out.Findings, func(f Finding) bool { return f.Weight() >= out.Failing() }) {
		out.Verdict, out.ExitCode = Fail, 1
	}
	return out
}

// dashboards puts them into the order of the whole, with what was asked for them.
func (m *merging) dashboards(out *Document) {
	next := map[int]int{} // by shard, of its dashboards
	queries := map[string][]Query{}
	for _, t := range m.shards {
		for _, q := range t.Queries {
			queries[q.DashboardFile] = append(queries[q.DashboardFile], q)
		}
	}
	for _, d := range m.shards[0].Shard.Dashboards {
		own := m.shards[d.Shard-1].Document
		out.Dashboards = append(out.Dashboards, own.Dashboards[next[d.Shard]])
		out.Queries = append(out.Queries, queries[d.File]...)
		delete(queries, d.File)
		if n := next[d.Shard]; n < len(own.Drawings) {
			out.Drawings = append(out.Drawings, own.Drawings[n])
		}
		next[d.Shard]++
	}
}

// notes are those of all shards, each once. How many dashboards a branch touches is said
// of the whole.
func (m *merging) notes(out *Document) {
	for _, t := range m.shards {
		for _, n := range t.Notes {
			if t.Since != nil && n == t.Since.Note(len(t.Dashboards)) {
				n = t.Since.Note(len(out.Dashboards))
			}
			if !slices.Contains(out.Notes, n) {
				out.Notes = append(out.Notes, n)
			}
		}
	}
}

// held are the findings that every shard has left open, each as it is told by the first.
// That nothing was asked is told by one in which something was to be asked, if there is
// one: it knows why.
func (m *merging) held() []Finding {
	tells := slices.Clone(m.shards)
	slices.SortStableFunc(tells, func(a, b Told) int { return min(b.Counts.Failed, 1) - min(a.Counts.Failed, 1) })
	var out []Finding
	for _, f := range tells[0].Shard.Open {
		if !slices.ContainsFunc(m.shards, func(t Told) bool {
			return !slices.ContainsFunc(t.Shard.Open, func(o Finding) bool { return identify(o) == identify(f) })
		}) {
			out = append(out, f)
		}
	}
	return out
}

// identity is what makes findings of two shards one. What was seen may differ in its
// figures: each shard has run the stack by itself.
type identity struct {
	rule, severity, file string
	line, column         int
	dashboard, title     string
	panel                string
	panelID              int64
	refID, subject       string
}

func identify(f Finding) identity {
	return identity{
		f.Rule, f.Severity, f.File, f.Line, f.Column, f.Dashboard, f.DashboardTitle, f.Panel, f.PanelID, f.RefID, f.Subject,
	}
}

// order compares findings as the rules do, which see files from the stack's directory.
func (d *Document) order() func(a, b Finding) int {
	order := rule.Order()
	told := func(f Finding) rule.Finding {
		out := f.told()
		if rel, err := filepath.Rel(d.Stack, f.File); err == nil && f.File != "" && (filepath.IsLocal(rel) || !filepath.IsAbs(f.File)) {
			out.Pos.File = filepath.ToSlash(rel)
		}
		return out
	}
	return func(a, b Finding) int { return order(told(a), told(b)) }
}

// woven puts two lists in the same order together. A finding that both have is there
// once, or as often as the list has it that has it more often: it is about what every
// shard has looked at.
func woven(a, b []Finding, order func(a, b Finding) int) []Finding {
	var out []Finding
	for len(a) > 0 && len(b) > 0 {
		switch c := order(a[0], b[0]); {
		case c < 0:
			out, a = append(out, a[0]), a[1:]
		case c > 0:
			out, b = append(out, b[0]), b[1:]
		default:
			at := a[0]
			equal := func(fs []Finding) int {
				if n := slices.IndexFunc(fs, func(f Finding) bool { return order(at, f) != 0 }); n >= 0 {
					return n
				}
				return len(fs)
			}
			n, m := equal(a), equal(b)
			out, a, b = append(out, atOnePlace(a[:n], b[:m])...), a[n:], b[m:]
		}
	}
	return append(append(out, a...), b...)
}

// atOnePlace puts together what two shards say of one place, with the order of both.
func atOnePlace(a, b []Finding) []Finding {
	out := slices.Clone(a)
	next := 0 // of out: what comes next in b stands here or later
	var waiting []Finding
	for _, f := range b {
		i := slices.IndexFunc(out[next:], func(o Finding) bool { return identify(o) == identify(f) })
		if i < 0 {
			waiting = append(waiting, f)
			continue
		}
		i += next
		out = slices.Insert(out, i, waiting...)
		next, waiting = i+len(waiting)+1, nil
	}
	return append(out, waiting...)
}

// united are the targets of two shards, each once. One that is down in either is down.
func united(a, b []Target) []Target {
	for _, t := range b {
		i := slices.IndexFunc(a, func(o Target) bool { return o.Job == t.Job && o.Instance == t.Instance && o.URL == t.URL })
		switch {
		case i < 0:
			a = append(a, t)
		case !t.Up:
			a[i] = t
		}
	}
	return a
}

// count sums a document up.
func (d *Document) count() Counts {
	c := Counts{Dashboards: len(d.Dashboards), Queries: len(d.Queries), Targets: len(d.Targets), Suppressed: len(d.Suppressed)}
	for _, b := range d.Dashboards {
		c.Panels += len(b.Panels)
	}
	for _, q := range d.Queries {
		c.add(q.Status)
	}
	for _, t := range d.Targets {
		if t.Up {
			c.TargetsUp++
		}
	}
	for _, f := range d.Findings {
		switch f.Weight() {
		case rule.Error:
			c.Errors++
		case rule.Warning:
			c.Warnings++
		case rule.Info:
			c.Infos++
		}
	}
	return c
}
