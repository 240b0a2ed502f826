// Package fix mends what is safe to mend in the files of a stack and leaves every
// other byte as it is. No fix is taken on trust: the stack is checked again with it,
// in memory, and a fix that does not make its finding go away, or that brings
// another one, is not applied.
package fix

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/stack"
)

// Options choose what is mended.
type Options struct {
	Load       []stack.Option
	Choose     func(*stack.Board) bool // the dashboards to mend, nil for all
	Severities rule.Severities
	Rules      []string // ids of those whose findings are mended, all of Rules where empty
}

// Result is what came of mending a stack, not yet written.
type Result struct {
	Applied []Fix
	Left    []Left // of the rules chosen
	Changed []Changed
	// Findings are those that remain, of every rule.
	Findings []rule.Finding
}

// Changed is a file with the text it is to have.
type Changed struct {
	Name          string // as positions name it
	Path          string // absolute, without symbolic links
	Before, After []byte
}

// Run mends a stack in memory, round by round: what one fix uncovers the next may
// mend. Write puts the result into the files.
func Run(ctx context.Context, s *stack.Stack, opts Options) (*Result, error) {
	m := &mender{opts: opts, refused: map[string]string{}}
	var err error
	if m.files, err = newFiles(s.Dir); err != nil {
		return nil, err
	}
	if m.now, err = m.check(ctx, s.Dir, nil); err != nil {
		return nil, err
	}
	for {
		more, err := m.round(ctx, s.Dir)
		if err != nil {
			return nil, err
		}
		if !more {
			break
		}
	}
	m.result.Findings, m.result.Changed = m.now.findings, m.files.changed()
	return &m.result, nil
}

// mender carries one Run.
type mender struct {
	opts    Options
	files   *files
	now     *state
	refused map[string]string // why, by finding
	result  Result
}

// state is a stack as it was checked with some edits.
type state struct {
	stack    *stack.Stack
	in       *rule.Static
	findings []rule.Finding
}

// check reads the stack as it would be with edits, and checks it.
func (m *mender) check(ctx context.Context, dir string, edits []Edit) (*state, error) {
	load := append(slices.Clone(m.opts.Load), stack.WithContent(m.files.with(edits)))
	s, err := stack.Load(ctx, dir, load...)
	if err != nil {
		return nil, fmt.Errorf("read the stack: %w", err)
	}
	in := rule.NewStatic(s, m.opts.Choose, time.Now())
	return &state{stack: s, in: in, findings: rule.CheckStatic(in, m.opts.Severities)}, nil
}

// round applies as many fixes as hold together, and says whether another round
// may do more. Each round applies one or refuses one for good.
func (m *mender) round(ctx context.Context, dir string) (more bool, err error) {
	fixes, left := Plan(m.now.in, m.chosen(), m.files.text)
	var free []Fix
	for _, f := range fixes {
		why := m.refused[key(f)]
		switch {
		case why != "":
			for _, found := range f.Findings {
				left = append(left, Left{Finding: found, Why: why})
			}
		case !slices.ContainsFunc(free, func(other Fix) bool { return clash(f, other) }):
			free = append(free, f)
		}
	}
	if m.result.Left = left; len(free) == 0 || len(m.result.Applied) > most {
		return false, nil
	}
	for {
		edits := allEdits(free)
		next, err := m.check(ctx, dir, edits)
		if err != nil {
			return false, err
		}
		wrong := judge(m.now, next, free)
		if wrong == nil {
			m.now = next
			m.files.apply(edits)
			m.result.Applied = append(m.result.Applied, free...)
			return true, nil
		}
		if len(free) == 1 {
			m.refused[key(free[0])] = wrong.Error()
			return true, nil
		}
		free = free[:len(free)/2]
	}
}

// most ends a run that goes round in circles.
const most = 10_000

// chosen are the findings that are to be mended.
func (m *mender) chosen() []rule.Finding {
	var out []rule.Finding
	for _, f := range m.now.findings {
		if len(m.opts.Rules) == 0 || slices.Contains(m.opts.Rules, f.Rule) {
			out = append(out, f)
		}
	}
	return out
}

// key is the same for a fix in every round, wherever its place has moved.
func key(f Fix) string { return f.Rule + "\x00" + f.Pos.File + "\x00" + f.Findings[0].Message }

func clash(a, b Fix) bool {
	return slices.ContainsFunc(a.Edits, func(e Edit) bool {
		return slices.ContainsFunc(b.Edits, func(o Edit) bool { return meet(e, o) })
	})
}

func allEdits(fixes []Fix) []Edit {
	var out []Edit
	for _, f := range fixes {
		out = append(out, f.Edits...)
	}
	return out
}

// judge says what is wrong with fixes by what they have done to the stack, nil where
// their findings are gone and nothing else has come.
func judge(before, after *state, fixes []Fix) error {
	if p := newProblem(before.stack, after.stack); p != nil {
		return fmt.Errorf("the file would not be read any more: %s", p.Message)
	}
	if !slices.Equal(identities(before.stack), identities(after.stack)) {
		return errors.New("another setting of a datasource would change with it")
	}
	mended := map[place]int{}
	for _, f := range fixes {
		mended[place{rule: f.Rule, file: f.Pos.File}] += len(f.Findings)
	}
	had, has := places(before.findings, byFile), places(after.findings, byFile)
	for at, n := range mended {
		if has[at] > had[at]-n {
			return fmt.Errorf("%s would still be found", at.rule)
		}
	}
	had = places(before.findings, byPanel)
	for _, f := range after.findings {
		if had[byPanel(f)]--; had[byPanel(f)] < 0 && !slices.ContainsFunc(fixes, func(fx Fix) bool { return uncovers(fx, f) }) {
			return fmt.Errorf("it would bring %s: %s", f.Rule, f.Message)
		}
	}
	return nil
}

// place is where a finding is, apart from line and column, which move.
type place struct{ rule, file, panel, refID string }

func byFile(f rule.Finding) place { return place{rule: f.Rule, file: f.Pos.File} }

func byPanel(f rule.Finding) place { return place{f.Rule, f.Pos.File, f.Panel, f.RefID} }

func places(findings []rule.Finding, at func(rule.Finding) place) map[place]int {
	out := map[place]int{}
	for _, f := range findings {
		out[at(f)]++
	}
	return out
}

// newProblem is something that could be read before, nil where all still can.
func newProblem(before, after *stack.Stack) *stack.Problem {
	type same struct{ file, message string }
	had := map[same]int{}
	for _, p := range before.Problems {
		had[same{p.Pos.File, p.Message}]++
	}
	for i, p := range after.Problems {
		if had[same{p.Pos.File, p.Message}]--; had[same{p.Pos.File, p.Message}] < 0 {
			return &after.Problems[i]
		}
	}
	return nil
}

// identity is what no fix changes of a datasource.
type identity struct {
	name, typ, uid, url, method string
	org                         int64
	isDefault                   bool
}

func identities(s *stack.Stack) []identity {
	var out []identity
	for _, ds := range s.Datasources {
		out = append(out, identity{ds.Name.Value, ds.Type.Value, ds.EffectiveUID, ds.URL.Value, ds.HTTPMethod, ds.OrgID, ds.IsDefault})
	}
	return out
}
