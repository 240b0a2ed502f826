package rule

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/docs/rules"
	"github.com/panelgate/panelgate/stack"
	"github.com/panelgate/panelgate/stack/source"
)

// fileCase is one way to break the shipped stack, or to come close to it.
type fileCase struct {
	name string
	edit func(*fixture)
	// file and at say where the finding stands: at the first occurrence of the
	// text at. A file without a text is the file as a whole. No file means that
	// there must be no finding.
	file, at string
	message  []string // fragments
	evidence string   // a fragment of its lines
	fix      string   // a fragment
	severity Severity // Off: the rule's default
}

// runFileCases checks a rule's static side; each case gives one finding or none.
func runFileCases(t *testing.T, r Rule, cases []fileCase) {
	t.Helper()
	t.Run("the shipped stack", func(t *testing.T) {
		for _, f := range complete(r, nil, r.Static)(shipped(t).static()) {
			assert.LessOrEqual(t, f.Severity, Info, f.Message)
		}
	})
	t.Run("a folder with nothing in it", func(t *testing.T) {
		f := &fixture{t: t, dir: t.TempDir()}
		require.NotPanics(t, func() { f.check(r) })
	})
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f := shipped(t)
			c.edit(f)
			found := f.check(r)
			if c.file == "" {
				require.Empty(t, found)
				return
			}
			require.Len(t, found, 1)
			c.assertFinding(t, f, found[0])
		})
	}
}

func (c fileCase) assertFinding(t *testing.T, f *fixture, got Finding) {
	t.Helper()
	assert.Equal(t, f.place(c.file, c.at), got.Pos)
	for _, m := range c.message {
		assert.Contains(t, got.Message, m)
	}
	assert.Contains(t, strings.Join(got.Evidence, "\n"), c.evidence)
	assert.Contains(t, got.Fix, c.fix)
	assert.NotEmpty(t, got.Message)
	assert.Equal(t, c.severity, got.Severity)
}

// place is the position of the first occurrence of text in a file of the stack.
func (f *fixture) place(name, text string) source.Pos {
	f.t.Helper()
	if text == "" {
		return source.Pos{File: name}
	}
	data, err := os.ReadFile(filepath.Join(f.dir, filepath.FromSlash(name)))
	require.NoError(f.t, err)
	before, _, found := strings.Cut(string(data), text)
	require.True(f.t, found, "%s does not hold %q", name, text)
	return source.Pos{File: name, Line: strings.Count(before, "\n") + 1, Column: len(before) - strings.LastIndexByte(before, '\n')}
}

// dashboardFile writes the one dashboard of the stack anew.
func (f *fixture) dashboardFile(content string) { f.write(boardFile, content) }

// noCompose leaves the configuration without a compose file.
func noCompose(f *fixture) { f.remove(composeFile) }

// TestEveryProblemSurfaces holds that what could not be read is a finding of
// some rule, whatever part of the stack it lies in.
func TestEveryProblemSurfaces(t *testing.T) {
	for area := stack.AreaCompose; area <= stack.AreaAlerting; area++ {
		s := &stack.Stack{Problems: []stack.Problem{{
			Area:    area,
			Problem: source.Problem{Pos: source.Pos{File: "f.yml", Line: 3, Column: 7}, Message: "cannot be read: no reason"},
		}}}
		candidates := append(fileRules(), All()...)
		if _, ok := Lookup("dashboard/invalid"); area == stack.AreaDashboard && !ok {
			candidates = append(candidates, boardRules()...)
		}
		found := map[string]bool{}
		for _, r := range candidates {
			if r.Static == nil {
				continue
			}
			for _, f := range complete(r, nil, r.Static)(&Static{Stack: s}) {
				if f.Message == "cannot be read: no reason" && f.Pos == s.Problems[0].Pos {
					found[f.Rule] = true
				}
			}
		}
		assert.Len(t, found, 1, "area %d: %v", area, found)
	}
}

// TestFileRulePages holds that each rule has a page of the usual shape, and that
// the page and the catalogue agree on its severity.
func TestFileRulePages(t *testing.T) {
	for _, r := range fileRules() {
		page, err := rules.Page(r.ID)
		require.NoError(t, err)
		assert.True(t, strings.HasPrefix(page, "# "+r.ID+"\n\nSeverity: "+r.Severity.String()+"."), r.ID)
		for _, heading := range []string{"What it says", "Why it matters", "An example that fails", "The same, mended"} {
			assert.Contains(t, page, "\n## "+heading+"\n", r.ID)
		}
		assert.NotEmpty(t, r.Summary)
		assert.False(t, r.Static == nil && r.Live == nil && r.Review == nil, "%s checks nothing", r.ID)
	}
}
