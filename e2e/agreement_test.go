package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/panelgate/panelgate/e2e/config"
	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/e2e/env/embedded"
	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/internal/engine"
	"github.com/panelgate/panelgate/internal/material"
	"github.com/panelgate/panelgate/stack"
)

// TestAgreement asks the shipped dashboard and other projects' in both environments,
// in the same world. As of a moment that both know from their history alone, every
// series, time and value must be the same, to the last digit; as of the moment when
// each was ready, every verdict must be.
func TestAgreement(t *testing.T) {
	opts := inDocker(t)
	s := withCorpus(t, engine.GrafanaVersion())
	scenario, err := LoadScenario("")
	require.NoError(t, err)
	const past = 6 * time.Hour
	now := time.Now()
	opts.Config, opts.History = &config.Config{}, past
	opts.World, opts.From = fakes.NewWorld(scenario, now.Add(-past)), now.Add(-past)

	real := begun(t, s, opts)
	opts.Env = embedded.Name
	modelled := begun(t, s, opts)

	t.Run("as of the past", func(t *testing.T) {
		// A range is asked up to the next step, which must not reach beyond the history.
		at := real.instance.Laid.Add(-6 * time.Minute)
		agree(t, real.askAt(t, at), modelled.askAt(t, at), true)
	})
	t.Run("as of now", func(t *testing.T) {
		agree(t, real.askAt(t, real.instance.Now), modelled.askAt(t, modelled.instance.Now), false)
	})
}

// side is one of the environments that are held against each other.
type side struct {
	opts     Options
	stack    *stack.Stack
	instance env.Instance
	live     *rule.Live
	values   map[*rule.Asked]model.Value
}

// begun starts an environment that ends with the test.
func begun(t *testing.T, s *stack.Stack, opts Options) *side {
	t.Helper()
	r := begin(s, opts, opts.Env)
	running, err := r.start(t.Context(), rule.NewStatic(s, nil, time.Now()))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, running.Close()) })
	return &side{opts: opts, stack: s, instance: running.Instance()}
}

// askAt asks everything as of a moment, and keeps the values.
func (s side) askAt(t *testing.T, at time.Time) *side {
	t.Helper()
	s.instance.Now = at
	r := begin(s.stack, s.opts, s.opts.Env)
	var err error
	s.live, _, err = r.ask(t.Context(), rule.NewStatic(s.stack, nil, at), s.instance, nil)
	require.NoError(t, err)
	s.values = map[*rule.Asked]model.Value{}
	src := newSources(s.stack, s.instance)
	defer src.close()
	var mu sync.Mutex
	var g errgroup.Group
	g.SetLimit(workers())
	for _, a := range s.live.Asked {
		if !a.Sent || a.Expression {
			continue
		}
		g.Go(func() error {
			prom, err := src.of(a.Datasource)
			if err != nil {
				return err
			}
			again := &rule.Asked{Question: a.Question, Request: a.Request}
			value := answer(t.Context(), prom, again, 1)
			mu.Lock()
			defer mu.Unlock()
			s.values[a] = value
			return nil
		})
	}
	require.NoError(t, g.Wait())
	return &s
}

// agree lists every disagreement of two environments.
func agree(t *testing.T, real, modelled *side, exactly bool) {
	t.Helper()
	require.Len(t, modelled.live.Asked, len(real.live.Asked))
	var verdicts, values []string
	sent, filled, points := 0, 0, 0
	for i, a := range real.live.Asked {
		b := modelled.live.Asked[i]
		name := strings.Join([]string{a.Board.UID.Value, a.Panel.Title.Value, refOf(a), a.Request.Expr}, " › ")
		require.Equal(t, refOf(a), refOf(b), name)
		if a.Status != b.Status && !a.Expression {
			verdicts = append(verdicts, fmt.Sprintf("%s: docker %s (%v), embedded %s (%v)", name, a.Status, a.Err, b.Status, b.Err))
		}
		if a.Grafana != nil && len(a.Grafana.Differs) > 0 {
			values = append(values, fmt.Sprintf("%s: Grafana and Prometheus: %s; Grafana ran %q", name, a.Grafana.Differs, a.Grafana.Executed))
		}
		if !a.Sent || a.Expression {
			continue
		}
		sent++
		require.NotNil(t, a.Grafana, name)
		if a.Finite > 0 {
			filled, points = filled+1, points+a.Samples
		}
		if exactly && a.Request.Expr == b.Request.Expr && !measuresTheMachine(a.Request.Expr) {
			for _, d := range seriesDifferences(pointsOf(real.values[a], a.Request), pointsOf(modelled.values[b], b.Request)) {
				values = append(values, name+": "+d)
			}
		}
	}
	t.Logf("%d queries sent, %d with data, %d samples: %d verdicts and %d values differ", sent, filled, points, len(verdicts), len(values))
	assert.Greater(t, sent, 900)
	assert.Greater(t, filled, 300)
	assert.Greater(t, points, 150_000)
	assert.Empty(t, verdicts)
	assert.Empty(t, values)
}

// measuresTheMachine says whether an expression reads what is not of the fakes'
// world: how long a scrape takes, or what Prometheus says of itself.
func measuresTheMachine(expr string) bool { return strings.Contains(expr, "scrape_duration_seconds") }

func seriesDifferences(want, have series) []string {
	var out []string
	for _, name := range sorted(want) {
		if have[name] == nil {
			out = append(out, "only docker has "+name)
			continue
		}
		out = append(out, pointDifferences(name, want[name], have[name])...)
	}
	for _, name := range sorted(have) {
		if want[name] == nil {
			out = append(out, "only embedded has "+name)
		}
	}
	return out[:min(len(out), 2)]
}

func refOf(a *rule.Asked) string {
	if a.Target == nil {
		return ""
	}
	return a.Target.RefID.Value
}

// withCorpus is the shipped stack with other projects' dashboards beside its own,
// their datasources being the stack's.
func withCorpus(t *testing.T, version string) *stack.Stack {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(material.Path(t, "corpus", "dashboards"), "*", "*.json"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	dir := copyShipped(t, func(board string) string { return board + "\n" })
	// Grafana's arithmetic depends on its version: the model is to be of the one that runs.
	compose := filepath.Join(dir, "docker-compose.yml")
	text, err := os.ReadFile(compose)
	require.NoError(t, err)
	text = []byte(regexp.MustCompile(`grafana/grafana:\S+`).ReplaceAllString(string(text), "grafana/grafana:"+version))
	require.NoError(t, os.WriteFile(compose, text, 0o644))
	boards := filepath.Join(dir, "grafana", "provisioning", "dashboards", "boards")
	for i, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		var d map[string]any
		require.NoError(t, json.Unmarshal(data, &d))
		adopt(d)
		d["uid"], d["title"] = fmt.Sprintf("other-%d", i), fmt.Sprintf("%v (%d)", d["title"], i)
		delete(d, "id")
		delete(d, "__inputs")
		data, err = json.Marshal(d)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(boards, fmt.Sprintf("other-%d.json", i)), data, 0o644))
	}
	require.NoError(t, os.CopyFS(boards, os.DirFS(filepath.Join("testdata", "boards"))))
	s, err := stack.Load(t.Context(), dir)
	require.NoError(t, err)
	require.Empty(t, s.Problems)
	require.Greater(t, len(s.Dashboards), len(files)+1)
	return s
}

// adopt has every reference to a datasource mean the stack's own, whatever it was
// called where the dashboard was made.
func adopt(v any) {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			if key != "datasource" {
				adopt(value)
				continue
			}
			if text := fmt.Sprint(value); !strings.Contains(text, "-- ") && !strings.Contains(text, "__expr__") && !strings.Contains(text, "grafana") {
				v[key] = map[string]any{"type": "prometheus", "uid": shippedUID}
			}
		}
	case []any:
		for _, item := range v {
			adopt(item)
		}
	}
}

// shippedUID is the uid of the shipped stack's datasource.
const shippedUID = "prometheus"
