package query

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/internal/material"
	"github.com/panelgate/panelgate/stack/dashboard"
	"github.com/panelgate/panelgate/stack/source"
)

func TestStaticScope(t *testing.T) {
	d := parse(t, `
		{"name": "saved", "type": "query", "query": "q", "current": {"text": "x", "value": "x"}},
		{"name": "optional", "type": "query", "query": "q", "options": [{"text": "first", "value": "first"}]},
		{"name": "all", "type": "query", "query": "q", "multi": true, "includeAll": true, "current": {"text": "All", "value": "$__all"}},
		{"name": "metric", "type": "query", "query": "q"},
		{"name": "window", "type": "query", "query": "q"},
		{"name": "number", "type": "query", "query": "q"},
		{"name": "custom", "type": "custom", "query": "a,b", "current": {"text": "b", "value": "b"}},
		{"name": "bad", "type": "custom", "valuesFormat": "json", "query": "{"},
		{"name": "ds", "type": "datasource", "query": "prometheus", "current": {"text": "Main", "value": "main"}},
		{"name": "nods", "type": "datasource", "query": "tempo"},
		{"name": "hoc", "type": "adhoc"}`)
	d.Panels = []*dashboard.Panel{{Targets: []*dashboard.Target{{
		Expr: text(`topk($number, rate($metric[$window])) + x offset $window`),
	}}}}
	s, guessed := StaticScope(d, sources())
	got, err := s.Interpolate(`$saved $optional "$all" $custom $ds $hoc $bad $nods ${__from:date:YYYY}`, PromQL)
	require.NoError(t, err)
	assert.Equal(t, `x first "placeholder" b main $hoc placeholder placeholder 1969`, got)
	assert.Equal(t, map[string]bool{
		"saved": true, "optional": true, "all": true, "metric": true, "window": true, "number": true, "bad": true, "nods": true,
	}, guessed)
	got, err = s.Interpolate(d.Panels[0].Targets[0].Expr.Value, PromQL)
	require.NoError(t, err)
	_, err = promParser().ParseExpr(got)
	assert.NoError(t, err, got)
}

// TestCorpusParses asks that what people's dashboards send is PromQL, without a
// server to resolve their variables.
func TestCorpusParses(t *testing.T) {
	root := material.Path(t, "corpus", "dashboards")
	asked := 0
	err := filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".json") {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		d, err := dashboard.Parse(filepath.Base(path), data, source.DefaultLimits())
		if err != nil {
			return err
		}
		asked += corpusDashboard(t, d)
		return nil
	})
	require.NoError(t, err)
	assert.Greater(t, asked, 1000, "requests made from the corpus")
	t.Logf("%d requests", asked)
}

// corpusDashboard makes every request of a dashboard and counts them.
func corpusDashboard(t *testing.T, d *dashboard.Dashboard) int {
	t.Helper()
	s, _ := StaticScope(d, sources())
	asked := 0
	for _, p := range d.Panels {
		for _, target := range p.Targets {
			if strings.TrimSpace(target.Expr.Value) == "" {
				continue
			}
			scopes, err := Repeats(d, p, s)
			require.NoError(t, err)
			for _, scope := range scopes {
				requests, err := Requests(p, target, scope, Timing{Range: lastHours(6)})
				if !assert.NoError(t, err, "%s %s %s", d.File, p.Title.Value, target.Expr.Value) {
					continue
				}
				for _, r := range requests {
					asked++
					_, err := promParser().ParseExpr(r.Expr)
					assert.NoError(t, err, "%s › %s: %s → %s", d.File, p.Title.Value, target.Expr.Value, r.Expr)
					assert.Positive(t, r.Step)
				}
			}
		}
	}
	return asked
}
