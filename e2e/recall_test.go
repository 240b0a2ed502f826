package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/e2e"
	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/e2e/rule"
)

// caching is a stack with everything that a verdict can depend on, and a cache.
type caching struct {
	t     *testing.T
	dir   string
	cache e2e.Cache
	// more changes the options of every run, cached or not.
	more func(*e2e.Options)
	from e2e.Source
}

func newCaching(t *testing.T, boards int) *caching {
	t.Helper()
	c := &caching{t: t, dir: several(t, 1), cache: e2e.Cache{Dir: filepath.Join(t.TempDir(), "cache"), Program: "this build"}}
	c.from = e2e.Source{Dir: c.dir}
	for name, text := range map[string]string{
		"panelgate.yml":                "version: 1\nscenario: ./mine.yaml\ntargets:\n  - {match: {job: extra}, replay: recorded.prom}\nrules:\n  stack/default-password: off\n",
		"prometheus/rules/some.yml":    "groups:\n  - name: all\n    rules:\n      - {record: job:up:sum, expr: sum by (job) (up)}\n",
		"prometheus/targets/extra.yml": "- targets: [extra:9999]\n  labels: {room: a}\n",
		"recorded.prom":                "# TYPE extra_things gauge\nextra_things 3\n",
		"mine.yaml":                    steady(t),
	} {
		c.write(name, text)
	}
	for i, name := range []string{"triton", "copy1", "copy2"}[:boards] {
		c.write(boardsDir+"/"+name+".json", strings.NewReplacer("NAME", name, "TITLE", fmt.Sprintf("Board %d", i)).Replace(small))
	}
	c.edit("prometheus/prometheus.yml", "scrape_configs:\n", "rule_files: [rules/*.yml]\n\nscrape_configs:\n  - job_name: extra\n    file_sd_configs: [{files: [targets/*.yml]}]\n")
	return c
}

// small is a dashboard of a variable and three panels.
const small = `{
  "uid": "NAME", "title": "TITLE", "schemaVersion": 39, "time": {"from": "now-10m", "to": "now"},
  "templating": {"list": [{"name": "gpu", "type": "query", "multi": true, "includeAll": true, "current": {"text": "All", "value": "$__all"}, "refresh": 1,
    "datasource": {"type": "prometheus", "uid": "prometheus"}, "query": "label_values(DCGM_FI_DEV_GPU_TEMP, gpu)"}]},
  "panels": [
    {"id": 1, "type": "timeseries", "title": "GPU Usage", "datasource": {"type": "prometheus", "uid": "prometheus"},
      "fieldConfig": {"defaults": {"unit": "percent"}},
      "targets": [{"refId": "A", "expr": "max by (instance, gpu) (DCGM_FI_DEV_GPU_UTIL{gpu=~\"$gpu\"})", "legendFormat": "{{gpu}}"}]},
    {"id": 2, "type": "timeseries", "title": "Pending", "datasource": {"type": "prometheus", "uid": "prometheus"},
      "targets": [{"refId": "A", "expr": "sum by (model) (nv_inference_pending_request_count)", "legendFormat": "{{model}}"}]},
    {"id": 3, "type": "timeseries", "title": "GPU Temperature", "datasource": {"type": "prometheus", "uid": "prometheus"},
      "fieldConfig": {"defaults": {"unit": "celsius"}},
      "targets": [{"refId": "A", "expr": "max by (gpu) (DCGM_FI_DEV_GPU_TEMP)", "legendFormat": "{{gpu}}"},
        {"refId": "B", "hide": true, "expr": "DCGM_FI_DEV_GPU_TEMP"}]}
  ]
}
`

// steady is the built-in scenario of that name, as a file.
func steady(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../fakes/scenarios/steady.yaml")
	require.NoError(t, err)
	return string(text)
}

func (c *caching) write(name, text string) {
	c.t.Helper()
	file := filepath.Join(c.dir, name)
	require.NoError(c.t, os.MkdirAll(filepath.Dir(file), 0o755)) //nolint:gosec // a test's
	require.NoError(c.t, os.WriteFile(file, []byte(text), 0o600))
}

func (c *caching) edit(name, old, now string) {
	c.t.Helper()
	replace(c.t, filepath.Join(c.dir, name), old, now)
}

func (c *caching) run(cache *e2e.Cache) *e2e.Report {
	c.t.Helper()
	loaded, err := e2e.Load(c.t.Context(), c.from)
	require.NoError(c.t, err)
	opts := loaded.Options
	opts.Cache = cache
	if c.more != nil {
		c.more(&opts)
	}
	var boards []*rule.Board
	var answered []*rule.Asked
	opts.Asking = func(all []*rule.Board) { boards = all }
	opts.Answered = func(a *rule.Asked) { answered = append(answered, a) }
	r, err := e2e.Verify(c.t.Context(), loaded.Stack, opts)
	require.NoError(c.t, err)
	require.Equal(c.t, r.Boards, boards)
	require.Equal(c.t, r.Queries, answered, "what is told on the way is the report's, whoever has asked it")
	return r
}

func (c *caching) cached() *e2e.Report {
	c.t.Helper()
	cache := c.cache
	return c.run(&cache)
}

// anew are the files of the dashboards that a run has asked itself.
func anew(r *e2e.Report) []string {
	out := []string{}
	for _, q := range r.Queries {
		if name := strings.TrimSuffix(filepath.Base(q.Board.File), ".json"); q.Recalled.IsZero() && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

// verdict is what does not depend on the moment at which a run was made: what was asked
// and how it came out, and what was found where.
func verdict(r *e2e.Report) []string {
	var out []string
	for _, b := range r.Boards {
		out = append(out, b.File)
	}
	for _, q := range r.Queries {
		target, ds := "", ""
		if q.Target != nil {
			target = q.Target.RefID.Value
		}
		if q.Datasource != nil {
			ds = q.Datasource.EffectiveUID
		}
		out = append(out, fmt.Sprint(q.Board.File, q.Panel.Title.Value, target, ds, q.Request.Expr, q.Request.Step, q.Status, q.Sent, q.Series, q.Skip))
	}
	for _, v := range r.Variables {
		out = append(out, fmt.Sprint(v.Board.File, v.Variable.Name.Value, v.Options, v.Query, v.CurrentMissing))
	}
	for _, t := range r.Targets {
		out = append(out, fmt.Sprint(t.Job, t.Instance, t.URL, t.Labels, t.Up, t.Cause, t.AnsweredBy, t.Pos))
	}
	for _, f := range r.Findings {
		out = append(out, fmt.Sprint(f.Rule, f.Severity, f.Pos, f.Dashboard, f.Panel, f.PanelID, f.RefID, f.Expr, f.ExprRun, f.Reason, f.Fix, f.Repair != nil))
	}
	for _, f := range r.Excluded {
		out = append(out, fmt.Sprint("excluded ", f.Rule, f.Pos, f.By.Pos))
	}
	return out
}

// A run of which everything is known says to the letter what the run said that found it
// out, and starts nothing.
func TestCacheSaysTheSame(t *testing.T) {
	t.Parallel()
	c := newCaching(t, 2)
	c.edit("panelgate.yml", "rules:\n", "rules:\n  panel/unit-mismatch: warning\n  promql/rate-of-gauge: warning\n")
	c.write("prometheus/rules/some.yml", `groups:
  - name: all
    rules:
      - record: a:things
        expr: rate(extra_things[5m])
      - alert: Never
        expr: DCGM_FI_DEV_GPU_TEMP > 1000
`)
	c.edit(boardsDir+"/copy1.json", `"unit": "celsius"`, `"unit": "bytes"`)
	cold := c.cached()
	require.True(t, cold.Recalled.IsZero())
	require.NotEmpty(t, cold.Findings)
	warm := c.cached()
	assert.False(t, warm.Recalled.IsZero())
	assert.Empty(t, anew(warm))
	assert.Equal(t, told(cold), told(warm))
	assert.Equal(t, verdict(cold), verdict(warm))
	assert.Equal(t, cold.Fails(rule.Warning), warm.Fails(rule.Warning))
	assert.True(t, warm.Checked())
	assert.Contains(t, strings.Join(warm.Notes, "\n"), "come from the cache")
	found := map[string]bool{}
	for _, f := range warm.Findings {
		found[f.Rule] = true
	}
	for _, id := range []string{"panel/unit-mismatch", "promql/rate-of-gauge", "alert/never-fires"} { // of each kind one
		assert.True(t, found[id], id)
	}
}

// Whatever is edited, what it may change is asked anew and nothing else, and the verdict
// is that of a run without a cache.
func TestCacheMissesWhatItMustMiss(t *testing.T) {
	c := newCaching(t, 3)
	all, none := []string{"copy1", "copy2", "triton"}, []string{}
	board := func(name string) string { return boardsDir + "/" + name + ".json" }
	first := c.cached()
	require.Equal(t, all, anew(first))
	for _, f := range first.Findings {
		require.Less(t, f.Severity, rule.Error, f.Message)
	}
	program, day := c.cache.Program, time.Now()
	c.cache.Now = func() time.Time { return day }
	for _, step := range []struct {
		name string
		edit func()
		anew []string
	}{
		{"nothing", func() {}, none},
		{"a file that nobody reads", func() { c.write("README", "x") }, none},
		{"a panel's title", func() { c.edit(board("copy1"), `"GPU Usage"`, `"GPU Use"`) }, []string{"copy1"}},
		{"and back", func() { c.edit(board("copy1"), `"GPU Use"`, `"GPU Usage"`) }, none},
		{"a metric", func() {
			c.edit(board("copy1"), "nv_inference_pending_request_count", "nv_inference_pending_request_cuont")
		}, []string{"copy1"}},
		{"nothing, and what fails is asked anew", func() {}, []string{"copy1"}},
		{"another board takes its uid", func() { c.edit(board("copy2"), `"uid": "copy2"`, `"uid": "copy1"`) }, []string{"copy1", "copy2"}},
		{"all mended", func() {
			c.edit(board("copy1"), "nv_inference_pending_request_cuont", "nv_inference_pending_request_count")
			c.edit(board("copy2"), `"uid": "copy1"`, `"uid": "copy2"`)
		}, none},
		{"a board that cannot be read", func() { c.edit(board("copy2"), "{", "[") }, none},
		{"and can", func() { c.edit(board("copy2"), "[", "{") }, none},
		{"another name of a file", func() {
			require.NoError(t, os.Rename(filepath.Join(c.dir, board("copy2")), filepath.Join(c.dir, board("copy9"))))
		}, []string{"copy9"}},
		{"and back", func() {
			require.NoError(t, os.Rename(filepath.Join(c.dir, board("copy9")), filepath.Join(c.dir, board("copy2"))))
		}, none},
		{"the datasource", func() {
			c.edit("grafana/provisioning/datasources/prometheus.yaml", "isDefault: true", "isDefault:  true")
		}, all},
		{"the provider", func() {
			c.edit("grafana/provisioning/dashboards/dashboards.yaml", "apiVersion: 1", "apiVersion: 1\n")
		}, all},
		{"the configuration", func() { c.edit("panelgate.yml", "off", "info") }, all},
		{"the scenario", func() { c.edit("mine.yaml", "cpus: 8 ", "cpus: 9 ") }, all},
		{"a rule file", func() { c.edit("prometheus/rules/some.yml", "sum by", "max by") }, all},
		{"a rule file more", func() { c.write("prometheus/rules/more.yml", "groups: []\n") }, all},
		{"a recording", func() { c.edit("recorded.prom", "extra_things 3", "extra_things 4") }, all},
		{"discovered labels", func() { c.edit("prometheus/targets/extra.yml", "room: a", "room: b") }, all},
		{"prometheus.yml", func() { c.edit("prometheus/prometheus.yml", "scrape_timeout: 10s", "scrape_timeout: 9s") }, all},
		{"an image", func() { c.edit("docker-compose.yml", "prom/prometheus:v3.15.0", "prom/prometheus:v3.14.0") }, all},
		{"a variable of the environment", func() { t.Setenv("GF_SECURITY_ADMIN_USER", "somebody") }, all},
		{"another program", func() { c.cache.Program = "another build" }, all},
		{"the one before", func() { c.cache.Program = program }, none},
		{"the next day", func() { day = day.Add(24 * time.Hour) }, all},
		{"and the day before", func() { day = day.Add(-24 * time.Hour) }, none},
		{"how much past there may be", func() { c.more = func(o *e2e.Options) { o.History = 5 * time.Minute } }, all},
		{"how many instances", func() { c.more = func(o *e2e.Options) { o.Instances = 2 } }, all},
		{"which release", func() { c.more = func(o *e2e.Options) { o.Releases = map[string]string{"node": "1.8.2"} } }, all},
		{"none of these", func() { c.more = nil }, none},
		{"one dashboard of them", func() { c.from.Dashboards = []string{"copy1"} }, none},
		{"another scenario over the file's", func() { c.from.Dashboards, c.from.Scenario = nil, "steady" }, all},
	} {
		step.edit()
		got := c.cached()
		assert.Equal(t, step.anew, anew(got), step.name)
		if len(step.anew) < len(all) { // else nothing of it was taken from the cache
			assert.Equal(t, verdict(c.run(nil)), verdict(got), step.name)
		}
		assert.Equal(t, len(step.anew) == 0, !got.Recalled.IsZero(), step.name)
	}
}

// A run over a longer past goes on from nothing that was asked over a shorter one.
func TestCacheOfAnotherPast(t *testing.T) {
	t.Parallel()
	c := newCaching(t, 2)
	require.Equal(t, []string{"copy1", "triton"}, anew(c.cached()))
	c.edit(boardsDir+"/copy1.json", "now-10m", "now-2h")
	assert.Equal(t, []string{"copy1", "triton"}, anew(c.cached()))
	assert.Empty(t, anew(c.cached()))
}

// What a real server or the time of the day decides is not kept.
func TestCacheIsNotUsed(t *testing.T) {
	t.Parallel()
	for name, edit := range map[string]func(*caching){
		"a range that begins with a minute": func(c *caching) { c.edit(boardsDir+"/triton.json", `"from": "now-10m"`, `"from": "now-10m/m"`) },
		"a query of the hour": func(c *caching) {
			c.edit(boardsDir+"/triton.json", `"expr": "max by (instance, gpu) (`, `"expr": "(hour() >= bool 0) + on() group_right() max by (instance, gpu) (`)
		},
		"a rule of the hour": func(c *caching) { c.edit("prometheus/rules/some.yml", "(up)}", "(up) and on() hour() > 3}") },
		"targets from a server": func(c *caching) {
			c.edit("prometheus/prometheus.yml", "file_sd_configs: [{files: [targets/*.yml]}]", `http_sd_configs: [{url: "http://127.0.0.1:1/"}]`)
		},
		"a live target": func(c *caching) { c.edit("panelgate.yml", "replay: recorded.prom", "live: true") },
		"drawing":       func(c *caching) { c.more = func(o *e2e.Options) { o.WhileUp = drawNothing } },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCaching(t, 1)
			edit(c)
			c.cached()
			assert.Equal(t, []string{"triton"}, anew(c.cached()))
		})
	}
}

// Entries that fit their checksums and say what cannot be are misses too.
func TestCacheOfNonsense(t *testing.T) {
	c := newCaching(t, 1)
	c.cached()
	for name, edit := range map[string]func(map[string]any){
		"a panel that is not there":  func(e map[string]any) { ofFirst(e, "asked")["panel"] = 99 },
		"a negative panel":           func(e map[string]any) { ofFirst(e, "asked")["panel"] = -1 },
		"a target that is not there": func(e map[string]any) { ofFirst(e, "files")["target"] = 99 },
		"a datasource of no place":   func(e map[string]any) { ofFirst(e, "asked")["datasource"] = -5 },
		"a variable of no place":     func(e map[string]any) { ofFirst(e, "vars")["variable"] = 99 },
		"a failed query that passed": func(e map[string]any) { ofFirst(e, "asked")["status"] = "failed" },
		"no status":                  func(e map[string]any) { ofFirst(e, "asked")["status"] = "" },
		"another type":               func(e map[string]any) { e["asked"] = "all well" },
		"findings that fail":         func(e map[string]any) { e["worst"] = rule.Error },
	} {
		t.Run(name, func(t *testing.T) {
			n := 0
			e2e.RewriteKept(t, c.cache.Dir, func(data []byte) []byte {
				var e map[string]any
				require.NoError(t, json.Unmarshal(data, &e))
				if e["asked"] == nil {
					return data
				}
				n++
				edit(e)
				out, err := json.Marshal(e)
				require.NoError(t, err)
				return out
			})
			require.Equal(t, 1, n)
			got := c.cached()
			assert.Equal(t, []string{"triton"}, anew(got))
			assert.False(t, got.Fails(rule.Error))
		})
	}
	assert.Empty(t, anew(c.cached()), "it was written anew")
}

func drawNothing(context.Context, env.Instance, *e2e.Report) error { return nil }

func ofFirst(e map[string]any, list string) map[string]any {
	return e[list].([]any)[0].(map[string]any) //nolint:forcetypeassert // a test that panics fails
}

// A file that changes while the stack runs leaves nobody knowing what was asked.
func TestCacheOfWhatChangesMeanwhile(t *testing.T) {
	t.Parallel()
	c := newCaching(t, 1)
	edited := false
	c.more = func(o *e2e.Options) {
		o.Progress = func(stage string, _, _ int) {
			if stage == "asking panels" && !edited {
				edited = true
				c.edit("prometheus/rules/some.yml", "sum by", "max by")
			}
		}
	}
	c.cached()
	require.True(t, edited)
	c.edit("prometheus/rules/some.yml", "max by", "sum by")
	assert.Equal(t, []string{"triton"}, anew(c.cached()))
	assert.Empty(t, anew(c.cached()))
}

// A directory that is of no use costs a word and nothing else.
func TestCacheWithoutRoom(t *testing.T) {
	t.Parallel()
	c := newCaching(t, 1)
	c.cache.Dir = filepath.Join(c.dir, "README")
	c.write("README", "")
	r := c.cached()
	assert.Equal(t, []string{"triton"}, anew(r))
	assert.Contains(t, strings.Join(r.Notes, "\n"), "the cache is of no use")
}

// What fails at --fail-on is asked anew, and so is what was kept while less failed.
func TestCacheAndSeverities(t *testing.T) {
	t.Parallel()
	c := newCaching(t, 1)
	c.edit("panelgate.yml", "rules:\n", "rules:\n  panel/unit-mismatch: warning\n")
	c.edit(boardsDir+"/triton.json", `"unit": "celsius"`, `"unit": "bytes"`)
	c.cached()
	require.Empty(t, anew(c.cached()))
	c.cache.FailOn = rule.Warning
	assert.Equal(t, []string{"triton"}, anew(c.cached()))
	assert.Equal(t, []string{"triton"}, anew(c.cached()))
}
