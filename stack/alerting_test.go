package stack

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/stack/source"
)

// loadFiles loads a stack of these files.
func loadFiles(t *testing.T, files map[string]string) *Stack {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		file := filepath.Join(dir, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, []byte(content), 0o644))
	}
	s, err := Load(t.Context(), dir)
	require.NoError(t, err)
	return s
}

func TestRulesOfRuleFiles(t *testing.T) {
	s := loadFiles(t, map[string]string{
		"prometheus.yml": "global: {evaluation_interval: 20s}\nrule_files: [rules.yml]\nscrape_configs: []\n",
		"rules.yml": `groups:
  - name: gpu
    interval: 1m
    rules:
      - record: gpu:hot:max
        expr: max(DCGM_FI_DEV_GPU_TEMP)
      - alert: Hot
        expr: |
          max by (gpu) (
            DCGM_FI_DEV_GPU_TEMP
          ) > 90
        for: 5m
        keep_firing_for: 2m
        labels: {severity: page}
        annotations:
          summary: GPU {{ $labels.gpu }} is hot
  - name: usual
    rules: []
`})
	require.Empty(t, problems(s))
	rf := s.Prometheus.RuleFiles[0]
	require.Len(t, rf.Groups, 2)
	assert.Equal(t, []string{"rules.yml:5:17 gpu:hot:max"}, []string{placed(rf.Records[0])})
	assert.Equal(t, 20*time.Second, rf.Groups[1].Interval)
	g := rf.Groups[0]
	assert.Equal(t, time.Minute, g.Interval)
	hot := g.Rules[1]
	assert.Equal(t, "rules.yml:7:16 Hot", placed(hot.Alert))
	assert.Equal(t, 5*time.Minute, hot.For.Duration)
	assert.Equal(t, 2*time.Minute, hot.KeepFiringFor.Duration)
	assert.Equal(t, "severity", hot.Labels[0].Name)
	assert.Equal(t, "rules.yml:16:20 GPU {{ $labels.gpu }} is hot", placed(hot.Annotations[0].Value))
	assert.Same(t, g, hot.Group)
	at := func(part string) string { return hot.Expr.PosAt(indexOf(t, hot.Expr, part)).String() }
	assert.Equal(t, "rules.yml:9:11", at("max"))
	assert.Equal(t, "rules.yml:10:13", at("DCGM"))
	assert.Equal(t, "rules.yml:11:13", at("> 90"))
}

func indexOf(t *testing.T, text source.Text, part string) int {
	t.Helper()
	for i := range text.Value {
		if len(text.Value) >= i+len(part) && text.Value[i:i+len(part)] == part {
			return i
		}
	}
	require.Fail(t, "not in the text", part)
	return 0
}

// alertFile is provisioning with one alert rule.
const alertFile = `apiVersion: 1
groups:
  - orgId: 1
    name: gpu
    folder: Alerts
    interval: 1m
    rules:
      - uid: hot
        title: GPU hot
        condition: C
        for: 5m
        noDataState: OK
        data:
          - refId: A
            relativeTimeRange: {from: 600, to: 0}
            datasourceUid: prometheus
            model: {expr: 'max(DCGM_FI_DEV_GPU_TEMP{gpu="$x"})', instant: true, refId: A}
          - refId: B
            datasourceUid: __expr__
            model: {type: reduce, expression: A, reducer: last, settings: {mode: dropNN}}
          - refId: C
            datasourceUid: "-100"
            model:
              type: threshold
              expression: B
              conditions:
                - evaluator: {type: gt, params: [90]}
`

func TestGrafanaAlerts(t *testing.T) {
	s := loadFiles(t, map[string]string{"grafana/provisioning/datasources/d.yml": "datasources: []\n",
		"grafana/provisioning/alerting/a.yml": alertFile})
	require.Empty(t, problems(s))
	require.Len(t, s.Alerts, 1)
	r := s.Alerts[0]
	assert.Equal(t, "grafana/provisioning/alerting/a.yml:9:16 GPU hot", placed(r.Title))
	assert.Equal(t, time.Minute, r.Group.Interval.Duration)
	assert.Equal(t, 5*time.Minute, r.For.Duration)
	a, b, c := r.Query("A"), r.Query("B"), r.Query("C")
	assert.Equal(t, 10*time.Minute, a.From)
	assert.Equal(t, "grafana/provisioning/alerting/a.yml:17:28", a.Expr.PosAt(0).String())
	assert.Equal(t, `max(DCGM_FI_DEV_GPU_TEMP{gpu="$x"})`, a.Expr.Value, "Grafana fills nothing into a model")
	assert.True(t, a.Instant)
	assert.False(t, a.IsExpression())
	assert.True(t, b.IsExpression())
	assert.Equal(t, "reduce", b.Type.Value)
	assert.Equal(t, "dropNN", b.Mode)
	require.Len(t, c.Conditions, 1)
	assert.Equal(t, []float64{90}, c.Conditions[0].Params)
	assert.Equal(t, "gt", c.Conditions[0].Type.Value)
	assert.Nil(t, r.Query("D"))
}

func TestBrokenGrafanaAlerts(t *testing.T) {
	const group = "groups:\n  - name: g\n    folder: f\n    interval: 1m\n    rules:\n      - "
	const good = "{uid: a, title: t, condition: A, data: [{refId: A, datasourceUid: p, model: {expr: up}}]"
	for name, tc := range map[string]struct{ file, want string }{
		"no YAML":        {"groups: [", "a.yaml:1:"},
		"a list":         {"- a\n", "a.yaml:1:1: is an array, an object with a list of groups is expected"},
		"no folder":      {"groups:\n  - {name: g, interval: 1m}\n", "a.yaml:2:5: a group of alert rules without a folder"},
		"no name":        {"groups:\n  - {folder: g, interval: 1m}\n", "without a name"},
		"no interval":    {"groups:\n  - {folder: g, name: n}\n", "without an interval"},
		"interval":       {"groups:\n  - {folder: g, name: n, interval: often}\n", `a.yaml:2:36: "often" is no duration`},
		"no title":       {group + "{uid: a, condition: A, data: [{refId: A}]}\n", "a.yaml:6:9: an alert rule without a title"},
		"no uid":         {group + "{title: a, condition: A, data: [{refId: A}]}\n", "without a uid"},
		"no condition":   {group + "{title: a, uid: A, data: [{refId: A}]}\n", "without a condition"},
		"no data":        {group + "{title: a, uid: A, condition: A}\n", "asks nothing"},
		"for":            {group + good + ", for: 5}\n", `"5" is no duration`},
		"noDataState":    {group + good + ", noDataState: Ok}\n", `noDataState is "Ok": Grafana knows Alerting, NoData, OK, KeepLast`},
		"a rule":         {group + good + "}\n", ""},
		"a recording":    {group + "{title: a, uid: A, record: {metric: m, from: A}, data: [{refId: A}]}\n", ""},
		"contact points": {"apiVersion: 1\ncontactPoints: []\n", ""},
		"empty":          {"", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := loadFiles(t, map[string]string{"grafana/provisioning/datasources/d.yml": "datasources: []\n",
				"grafana/provisioning/alerting/a.yaml": tc.file})
			if tc.want == "" {
				assert.Empty(t, problems(s))
				return
			}
			require.Len(t, s.Problems, 1, "%v", problems(s))
			assert.Equal(t, AreaAlerting, s.Problems[0].Area)
			assert.Contains(t, s.Problems[0].Error(), tc.want)
		})
	}
}
