package paneltest

import (
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	rulepages "github.com/panelgate/panelgate/docs/rules"
	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/e2e/story"
	"github.com/panelgate/panelgate/stack/source"
)

// teller runs the subtests, which only tell what has been found already.
type teller struct {
	root   string // the stack's directory, absolute, so that places are links from anywhere
	failOn rule.Severity
}

// run runs a subtest and those below it. above are the ones that may say why a query
// failed of which nothing is found: its panel's, its dashboard's and the stack's.
func (x *teller) run(t *testing.T, n *node, above []*node) {
	t.Helper()
	t.Run(n.name, func(t *testing.T) {
		t.Helper()
		within := slices.Concat(n.general(), above)
		for _, c := range n.below {
			x.run(t, c, within)
		}
		x.findings(t, n)
		x.queries(t, n, above)
	})
}

// findings tells what was found, and fails for what is grave enough.
func (x *teller) findings(t *testing.T, n *node) {
	t.Helper()
	for _, f := range n.findings {
		x.write(t, x.story(f))
	}
	if x.fails(n) {
		t.Fail()
	}
	for _, e := range n.excluded {
		t.Logf("excluded by %s: %s: %s", x.place(e.By.Pos), e.Rule, story.Clean(e.By.Why))
	}
}

func (x *teller) fails(n *node) bool {
	return slices.ContainsFunc(n.findings, func(f rule.Finding) bool { return f.Severity >= x.failOn })
}

// queries logs what was asked, skips where nothing was to be, and fails where the
// findings above are why a query failed.
func (x *teller) queries(t *testing.T, n *node, above []*node) {
	t.Helper()
	var unasked []string
	for _, q := range n.asked {
		x.write(t, outcome(q))
		switch q.Status {
		case rule.StatusUnchecked, rule.StatusSkipped:
			unasked = append(unasked, story.Clean(q.Skip))
		case rule.StatusFailed:
			if why := x.blamed(n, above); why != nil {
				t.Errorf("failed for what the subtest %s tells", why.name)
			}
		}
	}
	if !t.Failed() && len(unasked) > 0 && len(unasked) == len(n.asked) {
		t.Skip(unasked[0])
	}
}

// blamed is what fails in the place of a node that says nothing itself. It is nil where
// nothing does: the rule that would say so is off, excluded or mild.
func (x *teller) blamed(n *node, above []*node) *node {
	says := func(n *node) bool { return len(n.findings)+len(n.excluded) > 0 }
	for _, c := range slices.Concat([]*node{n}, above) {
		switch {
		case x.fails(c):
			if c == n {
				return nil // it is told already
			}
			return c
		case says(c) && (c == n || c.of == part(ofThePanel)):
			return nil
		}
	}
	return nil
}

// story is a finding from its place on: editors make a link of a line that begins with
// one, and t.Error would begin it with a place in this file.
func (x *teller) story(f rule.Finding) string {
	style := story.Style{}
	head := f.Severity.String() + " " + f.Rule
	if place := x.place(f.Pos); place != "" {
		head = place + ": " + head
	}
	return head + "\n" + style.Finding(f) + style.Field("page", rulepages.URL(f.Rule))
}

// outcome is what came of a query, as it is logged.
func outcome(q *rule.Asked) string {
	line := fmt.Sprintf("%s: %d series, %d samples", q.Status, q.Series, q.Samples)
	switch {
	case q.Err != nil:
		line = fmt.Sprintf("%s: %v", q.Status, q.Err)
	case !q.Sent && q.Skip != "":
		line = fmt.Sprintf("%s: %s", q.Status, q.Skip)
	}
	if q.Request.Expr != "" {
		line += ": " + q.Request.Expr
	}
	return story.Clean(line) + "\n"
}

// place is where something stands in the files.
func (x *teller) place(p source.Pos) string {
	if p.File != "" && !filepath.IsAbs(p.File) {
		p.File = filepath.Join(x.root, filepath.FromSlash(p.File))
	}
	return story.Clean(strings.TrimSpace(p.String()))
}

func (x *teller) write(t *testing.T, text string) {
	t.Helper()
	if _, err := io.WriteString(t.Output(), text); err != nil {
		t.Fatalf("tell what was found: %v", err)
	}
}
