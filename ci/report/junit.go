package report

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/panelgate/panelgate/e2e/rule"
)

// JUnit writes a document as the test report that CI systems read: a suite is a
// dashboard, a case a query of a panel, or a panel where the files alone were looked
// at. What is about no panel is a case too, so that whatever fails the run is there.
// What does not fail it fails no case.
func JUnit(w io.Writer, d *Document) error {
	all := xmlSuites{Name: "panelgate", Time: seconds(d.DurationMS)}
	if d.Shard != nil {
		all.Name += " shard " + d.Shard.String()
	}
	all.addAll(junitSuites(d), "")
	return all.write(w)
}

func junitSuites(d *Document) (out []xmlSuite) {
	j := &junit{Document: d, text: &text{Document: d}}
	for _, b := range d.Dashboards {
		j.dashboard(b)
	}
	for _, f := range d.Findings {
		j.finding(f)
	}
	for _, s := range j.suites {
		out = append(out, j.suite(s))
	}
	if s := j.run(); s != nil {
		out = append(out, *s)
	}
	return out
}

func (x xmlSuites) write(w io.Writer) error {
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return fmt.Errorf("write the JUnit report: %w", err)
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(x); err != nil {
		return fmt.Errorf("write the JUnit report: %w", err)
	}
	if _, err := io.WriteString(w, "\n"); err != nil {
		return fmt.Errorf("write the JUnit report: %w", err)
	}
	return nil
}

// stackSuite is the suite of what is about no dashboard.
const stackSuite = "stack"

// junit is a document on its way into suites.
type junit struct {
	*Document
	text   *text
	suites []*suite
}

// suite is a dashboard, or the stack without one.
type suite struct {
	board *Dashboard // nil of the stack's own
	cases []*testCase
}

func (s *suite) name() string {
	if s.board == nil {
		return stackSuite
	}
	return s.board.Name()
}

// subject is what a case is about. Of a panel without queries, and of one whose files
// alone were looked at, RefID is empty; what is about no panel is told apart by rule.
type subject struct {
	id           int64
	panel, refID string
	rule         string
}

// testCase is a case with what was found.
type testCase struct {
	subject
	name     string
	file     string
	line     int
	query    *Query
	findings []Finding
}

// dashboard makes the suite of a dashboard, with a case for all that was asked.
func (j *junit) dashboard(b Dashboard) {
	s := &suite{board: &b}
	j.suites = append(j.suites, s)
	if j.Static() {
		for _, p := range b.Panels {
			s.cases = append(s.cases, &testCase{
				subject: subject{id: p.ID, panel: p.Title}, name: panelName(p.Row, p.Title, p.ID, ""), file: p.File, line: p.Line,
			})
		}
		return
	}
	for i, q := range j.Queries {
		if q.DashboardFile != b.File {
			continue
		}
		s.cases = append(s.cases, &testCase{
			subject: subject{id: q.PanelID, panel: q.Panel, refID: q.RefID}, name: panelName(b.row(q.PanelID, q.Panel), q.Panel, q.PanelID, q.RefID),
			file: q.File, line: q.Line, query: &j.Queries[i],
		})
	}
}

// row is the title of the row that a panel is in.
func (d Dashboard) row(id int64, title string) string {
	for _, p := range d.Panels {
		if p.ID == id && p.Title == title {
			return p.Row
		}
	}
	return ""
}

// panelName names a panel, or a query of it, as a person would click it.
func panelName(row, title string, id int64, refID string) string {
	if title == "" {
		title = fmt.Sprintf("(panel %d, untitled)", id)
	}
	parts := slices.DeleteFunc([]string{row, title, refID}, func(s string) bool { return s == "" })
	return flat(strings.Join(parts, " › ")) // a title may have line breaks
}

// finding adds a finding to its case, which is made where there is none.
func (j *junit) finding(f Finding) {
	s := j.suiteOf(f)
	about := subject{id: f.PanelID, panel: f.Panel, refID: f.RefID}
	switch {
	case f.PanelID == 0 && f.Panel == "":
		about = subject{rule: f.Rule}
	case j.Static():
		about.refID = ""
	}
	for _, c := range s.cases {
		if c.subject == about {
			c.findings = append(c.findings, f)
			return
		}
	}
	c := &testCase{subject: about, name: f.Rule, findings: []Finding{f}}
	c.file, c.line = j.where(f)
	if about.rule == "" {
		row := ""
		if s.board != nil {
			row = s.board.row(f.PanelID, f.Panel)
		}
		c.name = panelName(row, f.Panel, f.PanelID, about.refID)
	}
	s.cases = append(s.cases, c)
}

// suiteOf is the suite of a finding's dashboard, known by its file before its uid,
// which two may have.
func (j *junit) suiteOf(f Finding) *suite {
	for _, s := range j.suites {
		if s.board != nil && s.board.File == f.File {
			return s
		}
	}
	for _, s := range j.suites {
		if s.board != nil && f.Dashboard != "" && s.board.UID == f.Dashboard {
			return s
		}
		if s.board == nil {
			return s
		}
	}
	s := &suite{}
	j.suites = append(j.suites, s)
	return s
}

// suite is a suite as XML has it.
func (j *junit) suite(s *suite) xmlSuite {
	out := xmlSuite{Name: xmlText(flat(s.name()))}
	if !j.Began.IsZero() {
		out.Timestamp = j.Began.UTC().Format("2006-01-02T15:04:05")
	}
	if s.board != nil {
		out.Properties = &xmlProperties{[]xmlProperty{{"uid", xmlText(s.board.UID)}, {"file", xmlText(j.Checkout.name(s.board.File))}}}
	}
	taken := map[string]int{}
	var took float64
	for _, c := range s.cases {
		x := j.testCase(c)
		x.Class = out.Name
		// Two cases of one name are one test with two results to those who read this.
		if taken[x.Name]++; taken[x.Name] > 1 {
			x.Name += " #" + strconv.Itoa(taken[x.Name])
		}
		if c.query != nil {
			took += c.query.DurationMS
		}
		out.add(x)
	}
	out.Time = seconds(took)
	return out
}

// testCase is how a case came out.
func (j *junit) testCase(c *testCase) xmlCase {
	out := xmlCase{Name: xmlText(c.name), Time: seconds(0)}
	if c.file != "" {
		out.File, out.Line = xmlText(j.Checkout.name(c.file)), c.line
	}
	var minded, others []Finding
	for _, f := range c.findings {
		if f.Weight() >= j.Failing() {
			minded = append(minded, f)
		} else {
			others = append(others, f)
		}
	}
	said := ""
	if q := c.query; q != nil {
		out.Time = seconds(q.DurationMS)
		if len(minded) == 0 {
			out.Skipped, said = outcome(q)
		}
		if q.Cached {
			said += fmt.Sprintf("From the cache: asked at %s.\n", q.AskedAt.UTC().Format(time.RFC3339))
		}
	}
	if len(minded) > 0 {
		out.Failure = j.failure(minded)
	}
	if out.Out = cdata(said + j.stories(others)); out.Out.Text == "" {
		out.Out = nil
	}
	return out
}

// outcome is what there is to say of a query that nothing fails.
func outcome(q *Query) (skipped *xmlProblem, said string) {
	switch q.Status {
	case rule.StatusUnchecked, rule.StatusSkipped:
		why := cmp.Or(q.Why, string(q.Status))
		return &xmlProblem{Message: xmlText(why)}, ""
	case rule.StatusExpectedEmpty:
		return nil, "Empty, as panelgate.yml expects it to be.\n"
	case rule.StatusFailed:
		return nil, "Without data, which no rule that is switched on fails the run for. " + q.Why + "\n"
	}
	return nil, ""
}

// failure tells the story of all that fails a case: readers show no more than one.
func (j *junit) failure(findings []Finding) *xmlProblem {
	gravest := slices.MaxFunc(findings, func(a, b Finding) int { return cmp.Compare(a.Weight(), b.Weight()) })
	message := gravest.Message
	if n := len(findings) - 1; n > 0 {
		message += fmt.Sprintf(" (and %s more)", plural(n, "finding"))
	}
	return &xmlProblem{Type: xmlText(gravest.Rule), Message: xmlText(message), Text: xmlText(j.stories(findings))}
}

// stories tell findings as the text does.
func (j *junit) stories(findings []Finding) string {
	j.text.buf.Reset()
	for _, f := range findings {
		j.text.finding(f)
	}
	return strings.TrimLeft(j.text.buf.String(), "\n")
}

// run is the suite of what fails the run and is no finding, nil where nothing does.
func (j *junit) run() *xmlSuite {
	s := &xmlSuite{Name: "run", Time: seconds(0)}
	c := xmlCase{Class: "panelgate", Time: seconds(0)}
	switch {
	case j.Error != "":
		first, _, _ := strings.Cut(j.Error, "\n")
		c.Name = "the stack can be checked"
		c.Error = &xmlProblem{Type: "could-not-run", Message: xmlText(first), Text: xmlText(j.Error)}
	case j.Verdict == Fail && !slices.ContainsFunc(j.Findings, func(f Finding) bool { return f.Weight() >= j.Failing() }):
		c.Name = "something was checked"
		c.Failure = &xmlProblem{Type: "gate/nothing-checked", Message: "nothing was checked, and that is no success whatever the rules are set to"}
	default:
		return nil
	}
	s.add(c)
	return s
}

// xmlSuites and what follows are the elements and attributes of the format.
type xmlSuites struct {
	XMLName  xml.Name   `xml:"testsuites"`
	Name     string     `xml:"name,attr"`
	Tests    int        `xml:"tests,attr"`
	Failures int        `xml:"failures,attr"`
	Errors   int        `xml:"errors,attr"`
	Time     string     `xml:"time,attr"`
	Suites   []xmlSuite `xml:"testsuite"`
}

// addAll adds suites under a common beginning of their names, and of their cases'.
func (x *xmlSuites) addAll(suites []xmlSuite, prefix string) {
	for _, s := range suites {
		s.Name = xmlText(prefix) + s.Name
		for i := range s.Cases {
			s.Cases[i].Class = xmlText(prefix) + s.Cases[i].Class
		}
		x.Suites = append(x.Suites, s)
		x.Tests += s.Tests
		x.Failures += s.Failures
		x.Errors += s.Errors
	}
}

type xmlSuite struct {
	Name       string         `xml:"name,attr"`
	Tests      int            `xml:"tests,attr"`
	Failures   int            `xml:"failures,attr"`
	Errors     int            `xml:"errors,attr"`
	Skipped    int            `xml:"skipped,attr"`
	Time       string         `xml:"time,attr"`
	Timestamp  string         `xml:"timestamp,attr,omitempty"`
	Properties *xmlProperties `xml:"properties"`
	Cases      []xmlCase      `xml:"testcase"`
}

func (x *xmlSuite) add(c xmlCase) {
	x.Cases = append(x.Cases, c)
	x.Tests++
	switch {
	case c.Error != nil:
		x.Errors++
	case c.Failure != nil:
		x.Failures++
	case c.Skipped != nil:
		x.Skipped++
	}
}

type xmlProperties struct {
	List []xmlProperty `xml:"property"`
}

type xmlProperty struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

type xmlCase struct {
	Name    string      `xml:"name,attr"`
	Class   string      `xml:"classname,attr"`
	File    string      `xml:"file,attr,omitempty"`
	Line    int         `xml:"line,attr,omitempty"`
	Time    string      `xml:"time,attr"`
	Skipped *xmlProblem `xml:"skipped"`
	Error   *xmlProblem `xml:"error"`
	Failure *xmlProblem `xml:"failure"`
	Out     *xmlCData   `xml:"system-out"`
}

type xmlProblem struct {
	Type    string `xml:"type,attr,omitempty"`
	Message string `xml:"message,attr,omitempty"`
	Text    string `xml:",cdata"`
}

type xmlCData struct {
	Text string `xml:",cdata"`
}

func cdata(s string) *xmlCData { return &xmlCData{xmlText(s)} }

// xmlText replaces the characters that no XML document may have, escaped or not.
func xmlText(s string) string {
	return strings.Map(func(c rune) rune {
		if c == '\ufffe' || c == '\uffff' {
			return '\ufffd'
		}
		return c
	}, Clean(s))
}

func seconds(ms float64) string { return strconv.FormatFloat(ms/1000, 'f', 3, 64) }
