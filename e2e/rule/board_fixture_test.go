package rule

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/stack/source"
)

// boardWith is a small dashboard with these variables and panels.
func boardWith(variables, panels string) string {
	return fmt.Sprintf(`{
  "uid": "small",
  "title": "Small",
  "schemaVersion": 42,
  "time": {"from": "now-1h", "to": "now"},
  "templating": {"list": [%s]},
  "panels": [%s]
}
`, variables, panels)
}

// panelWith is a panel that asks the default datasource these queries.
func panelWith(id int, title string, exprs ...string) string {
	var targets []string
	for i, e := range exprs {
		targets = append(targets, fmt.Sprintf(`{"refId": "%c", "expr": %s}`, 'A'+i, strconv.Quote(e)))
	}
	return fmt.Sprintf(`
    {"id": %d, "type": "timeseries", "title": %q, "targets": [
      %s]}`, id, title, strings.Join(targets, ",\n      "))
}

// modelVariable is a query variable whose options only a server knows.
const modelVariable = `
    {"name": "model", "type": "query", "query": "label_values(nv_inference_count, model)", "multi": true}`

// expected is what a finding has to say. at is what stands at its position.
type expected struct {
	file, at, says, evidence, fix string
	severity                      Severity
}

// ruleCase is a stack with one thing broken, or a near miss.
type ruleCase struct {
	name  string
	board string         // in the place of the shipped dashboard, unless ""
	edit  func(*fixture) // of the shipped stack
	want  []expected
}

// checkCases runs a static rule over broken stacks, and over the shipped one, which
// has to be clean.
func checkCases(t *testing.T, r Rule, cases []ruleCase) {
	t.Helper()
	for _, c := range append([]ruleCase{{name: "the shipped stack"}}, cases...) {
		t.Run(c.name, func(t *testing.T) {
			f := shipped(t)
			if c.board != "" {
				f.write(boardFile, c.board)
			}
			if c.edit != nil {
				c.edit(f)
			}
			f.expect(f.check(r), c.want)
		})
	}
}

// expect compares findings with what they have to say.
func (f *fixture) expect(found []Finding, want []expected) {
	f.t.Helper()
	require.Len(f.t, found, len(want), "%+v", found)
	for i, w := range want {
		if w.file == "" {
			w.file = boardFile
		}
		assert.Equal(f.t, w.file, found[i].Pos.File)
		if w.at != "" {
			assert.Truef(f.t, strings.HasPrefix(f.textAt(found[i].Pos), w.at), "at %s stands %.40q, want %q", found[i].Pos, f.textAt(found[i].Pos), w.at)
		}
		assert.Contains(f.t, found[i].Message, w.says)
		assert.Contains(f.t, strings.Join(found[i].Evidence, "\n"), w.evidence)
		assert.Contains(f.t, found[i].Fix, w.fix)
		assert.Equal(f.t, w.severity, found[i].Severity, "Off stands for the rule's default")
	}
}

// textAt is what a file holds from a position on.
func (f *fixture) textAt(pos source.Pos) string {
	f.t.Helper()
	data, err := os.ReadFile(filepath.Join(f.dir, filepath.FromSlash(pos.File)))
	require.NoError(f.t, err)
	lines := strings.SplitAfter(string(data), "\n")
	require.Positive(f.t, pos.Line, "the finding has no line")
	require.LessOrEqual(f.t, pos.Line, len(lines))
	return lines[pos.Line-1][pos.Column-1:] + strings.Join(lines[pos.Line:], "")
}

// live is a running stack in which no query has been asked yet.
func (f *fixture) live() *Live {
	f.t.Helper()
	return &Live{Static: f.static(), Instance: env.Instance{Name: "embedded"}}
}

// ask adds the first query of a panel as if it had been put to Prometheus.
func (f *fixture) ask(in *Live, title string) *Asked {
	f.t.Helper()
	for _, b := range in.Boards {
		for _, q := range b.Questions {
			if q.Panel.Title.Value != title {
				continue
			}
			a := &Asked{Question: q, Status: StatusFailed, Err: q.BuildErr}
			if q.Asks() {
				a.Request, a.Sent = q.Requests[0], true
			}
			in.Asked = append(in.Asked, a)
			return a
		}
	}
	require.Fail(f.t, "no such panel", title)
	return nil
}

// grafana runs another version of Grafana.
func (f *fixture) grafana(version string) {
	f.t.Helper()
	text := f.static().Stack.Grafana.Service.Image.Value
	name, _, _ := strings.Cut(text, ":")
	f.replace(composeFile, text, name+":"+version)
}
