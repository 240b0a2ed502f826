package selftest

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/e2e"
	"github.com/panelgate/panelgate/e2e/config"
	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/stack"
)

func load(t *testing.T, dir string) *stack.Stack {
	t.Helper()
	s, err := stack.Load(t.Context(), dir)
	require.NoError(t, err)
	return s
}

func shipped(t *testing.T) *stack.Stack {
	t.Helper()
	return load(t, filepath.Join("..", "..", "stack"))
}

// other is the stack of testdata, whose dashboards lie beside its directory.
func other(t *testing.T) *stack.Stack {
	t.Helper()
	archive, err := txtar.ParseFile(filepath.Join("testdata", "other.txtar"))
	require.NoError(t, err)
	dir := filepath.Join(t.TempDir(), "stack")
	for _, f := range archive.Files {
		path := filepath.Join(dir, f.Name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, f.Data, 0o600))
	}
	return load(t, dir)
}

func TestTable(t *testing.T) {
	t.Parallel()
	all := Operators()
	assert.GreaterOrEqual(t, len(all), 40)
	names := map[string]bool{}
	for _, op := range all {
		assert.False(t, names[op.Name], "%s stands twice", op.Name)
		names[op.Name] = true
		assert.NotEmpty(t, op.Does, op.Name)
		assert.NotEmpty(t, op.Ought, op.Name)
		for _, o := range op.Ought {
			area, name, ok := strings.Cut(o.Rule, "/")
			assert.True(t, ok && name != "", "%s: %s", op.Name, o)
			assert.Contains(t, []string{"stack", "prometheus", "datasource", "dashboard", "variable", "panel", "promql", "triton", "value", "gate"}, area, op.Name)
		}
	}
}

// Every operator finds something to break in one of two stacks, and says where.
func TestEveryOperatorMakesMutants(t *testing.T) {
	t.Parallel()
	subjects := []*Subject{NewSubject(shipped(t), nil), NewSubject(other(t), nil)}
	for _, op := range Operators() {
		n := 0
		for _, s := range subjects {
			for _, m := range distinct(op.Mutants(s)) {
				n++
				assert.NotEmpty(t, m.Pos.File, op.Name)
				assert.NotEqual(t, m.Before, m.After, op.Name)
				for _, c := range m.changes {
					if c.before != nil && c.after != nil {
						assert.NotEqual(t, *c.before, *c.after, op.Name)
					}
				}
			}
			require.NoError(t, s.err, op.Name)
		}
		assert.Positive(t, n, "%s makes no mutant", op.Name)
	}
}

// What is to break a query's meaning leaves its syntax, and that of its file, alone.
func TestMutantsParse(t *testing.T) {
	t.Parallel()
	queries := slices.Concat(selectorOperators(), windowOperators(), arithmeticOperators(), groupingOperators())
	for _, s := range []*stack.Stack{shipped(t), other(t)} {
		w, err := newWorkspace(s)
		require.NoError(t, err)
		defer func() { assert.NoError(t, w.remove()) }()
		outcomes, err := mutantsOf(NewSubject(s, nil), queries, 1)
		require.NoError(t, err)
		for _, o := range outcomes {
			if o.Operator.Name == "syntax-broken" {
				continue
			}
			for _, f := range lintOf(t, w, o.Mutant) {
				assert.NotEqual(t, "panel/syntax", f.Rule, "%s at %s:\n- %s\n+ %s", o.Operator.Name, o.Pos, o.Before, o.After)
			}
		}
		for _, o := range mustMutants(t, s, DefaultMost) {
			for _, c := range o.changes {
				if c.after != nil && filepath.Ext(c.file) == ".json" && o.Operator.Name != "dashboard-json-broken" {
					assert.True(t, json.Valid([]byte(*c.after)), "%s at %s", o.Operator.Name, o.Pos)
				}
			}
		}
	}
}

func mustMutants(t *testing.T, s *stack.Stack, most int) []Outcome {
	t.Helper()
	out, err := mutantsOf(NewSubject(s, nil), Operators(), most)
	require.NoError(t, err)
	return out
}

func lintOf(t *testing.T, w *workspace, m Mutant) []rule.Finding {
	t.Helper()
	require.NoError(t, w.apply(m))
	defer func() { require.NoError(t, w.restore(m)) }()
	return e2e.Lint(load(t, w.dir), e2e.Options{Config: &config.Config{}}).Findings
}

// A copy is the stack with what it mounts from beside it, and is that again after each
// mutant.
func TestWorkspace(t *testing.T) {
	t.Parallel()
	s := other(t)
	w, err := newWorkspace(s)
	require.NoError(t, err)
	for _, o := range mustMutants(t, s, 1) {
		require.NoError(t, w.apply(o.Mutant))
		require.NoError(t, w.restore(o.Mutant))
	}
	copied := load(t, w.dir)
	assert.Len(t, copied.Dashboards, 1)
	assert.Equal(t, s.Problems, copied.Problems)
	require.NoError(t, w.remove())
	assert.NoDirExists(t, w.root)
}

func TestSpread(t *testing.T) {
	t.Parallel()
	mutants := make([]Mutant, 10)
	for i := range mutants {
		mutants[i].Pos.Line = i
	}
	var lines []int
	for _, m := range spread(mutants, 4) {
		lines = append(lines, m.Pos.Line)
	}
	assert.Equal(t, []int{0, 2, 5, 7}, lines)
}

func run(t *testing.T, cfg *config.Config, operators ...string) *Result {
	t.Helper()
	r, err := Run(t.Context(), shipped(t), Options{
		Verify: e2e.Options{Config: cfg, History: e2e.DefaultHistory}, Operators: operators, Most: 2,
	})
	require.NoError(t, err)
	return r
}

func TestRun(t *testing.T) {
	t.Parallel()
	r := run(t, &config.Config{}, "port-conflict", "datasource-not-default", "comparison-filters-all", "exporter-stopped")
	got := map[string]Verdict{}
	for _, o := range r.Outcomes {
		got[o.Operator.Name] = o.Verdict
		assert.Equal(t, o.Operator.Name == "port-conflict", o.Static)
	}
	assert.Equal(t, map[string]Verdict{
		"port-conflict": Killed, "datasource-not-default": Equivalent, "comparison-filters-all": Killed, "exporter-stopped": Killed,
	}, got)
	assert.True(t, r.Passed())
	noticed, of := r.Score()
	assert.Equal(t, of, noticed)
	assert.Len(t, r.Outcomes, of+1)
}

// With the rules silenced that ought to fire, mutants survive, and it is said what
// nobody saw; one that other rules notice is told apart.
func TestRunSilenced(t *testing.T) {
	t.Parallel()
	r := run(t, &config.Config{Rules: rule.Severities{"panel/no-data": rule.Off, "stack/port-conflict": rule.Off, "datasource/uid-unknown": rule.Info}},
		"comparison-filters-all", "port-conflict", "target-uid-broken")
	assert.False(t, r.Passed())
	for _, o := range r.Outcomes {
		assert.Equal(t, Survived, o.Verdict, "%s: %s", o.Operator.Name, o.Fired)
		switch o.Operator.Name {
		case "comparison-filters-all":
			require.NotEmpty(t, o.Changed)
			assert.Contains(t, o.Changed[0], "0 series, ")
		case "target-uid-broken":
			require.NotEmpty(t, o.Changed)
			assert.Contains(t, o.Changed[0], "no answer")
		case "port-conflict":
			assert.Empty(t, o.Changed)
		}
	}
}

func TestRunNothing(t *testing.T) {
	t.Parallel()
	opts := Options{Verify: e2e.Options{Config: &config.Config{}}, Operators: []string{"record-renamed"}}
	_, err := Run(t.Context(), shipped(t), opts)
	require.ErrorIs(t, err, ErrNothing)
	opts.Operators = []string{"unit-chagned"}
	_, err = Run(t.Context(), shipped(t), opts)
	require.EqualError(t, err, `no operator "unit-chagned", nearest: unit-changed`)
}

func TestRunInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	opts := Options{Verify: e2e.Options{Config: &config.Config{}, History: e2e.DefaultHistory}, Operators: []string{"times-1000"}}
	opts.Progress = func(stage string, done, _ int) {
		if stage == "trying mutants" && done == 1 {
			cancel()
		}
	}
	_, err := Run(ctx, shipped(t), opts)
	require.ErrorIs(t, err, context.Canceled)
}
