package rule

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const alertFile = "grafana/provisioning/alerting/alerts.yaml"

// alertWith is a file of one alert rule with this condition and these steps.
func alertWith(condition, steps string) func(*fixture) {
	return func(f *fixture) {
		f.write(alertFile, `apiVersion: 1
groups:
  - name: gpu
    folder: Alerts
    interval: 1m
    rules:
      - uid: hot
        title: GPU hot
        condition: `+condition+`
        data:
`+steps)
	}
}

// The steps of a sound alert, and its parts.
const (
	stepA = "          - {refId: A, datasourceUid: prometheus, relativeTimeRange: {from: 600, to: 0}, model: {expr: 'max(DCGM_FI_DEV_GPU_TEMP)', instant: true}}\n"
	stepB = "          - {refId: B, datasourceUid: __expr__, model: {type: threshold, expression: A, conditions: [{evaluator: {type: gt, params: [90]}}]}}\n"
)

func TestAlertInvalid(t *testing.T) {
	checkCases(t, alertInvalid(), []ruleCase{
		{name: "a sound one", edit: alertWith("B", stepA+stepB)},
		{name: "no YAML", edit: func(f *fixture) { f.write(alertFile, "groups: [\n") }, want: []expected{{file: alertFile, says: "not valid YAML"}}},
		{name: "no title", edit: func(f *fixture) {
			f.write(alertFile, "groups:\n  - {name: g, folder: f, interval: 1m, rules: [{uid: a, condition: A, data: [{refId: A, datasourceUid: prometheus, model: {expr: up}}]}]}\n")
		}, want: []expected{{file: alertFile, at: "{uid: a", says: "without a title"}}},
		{name: "a condition that is no step", edit: alertWith("C", stepA+stepB),
			want: []expected{{file: alertFile, at: "C\n", says: `the condition is step "C"`, evidence: "its steps: A, B"}}},
		{name: "an expression over no step", edit: alertWith("B", stepA+"          - {refId: B, datasourceUid: __expr__, model: {type: reduce, expression: a, reducer: last}}\n"),
			want: []expected{{file: alertFile, at: "a, reducer", says: `step B works on step "a"`, fix: "step"}}},
		{name: "classic conditions over no step", edit: alertWith("B", stepA+`          - refId: B
            datasourceUid: "-100"
            model: {type: classic_conditions, conditions: [{query: {params: [Z]}, evaluator: {type: gt, params: [1]}, reducer: {type: last}}]}
`), want: []expected{{file: alertFile, at: "Z]", says: `step B works on step "Z"`}}},
		{name: "math", edit: alertWith("B", stepA+"          - {refId: B, datasourceUid: __expr__, model: {type: math, expression: '$A > 90'}}\n")},
		{name: "two steps of one refId", edit: alertWith("A", stepA+stepA), want: []expected{{file: alertFile, at: "A,", says: `two steps of the alert have the refId "A"`}}},
		{name: "PromQL that does not parse, in a block", edit: alertWith("A", `          - refId: A
            datasourceUid: prometheus
            model:
              instant: true
              expr: |
                max by (gpu) (
                  DCGM_FI_DEV_GPU_TEMP{gpu=0}
                )
`), want: []expected{{file: alertFile, at: "0}", says: "the query does not parse: unexpected character inside braces"}}},
		{name: "macros", edit: alertWith("A", "          - {refId: A, datasourceUid: prometheus, relativeTimeRange: {from: 600, to: 0}, model: {expr: 'sum(rate(nv_inference_count[$__rate_interval])) > 0'}}\n")},
		{name: "a variable of a dashboard", edit: alertWith("A", "          - {refId: A, datasourceUid: prometheus, model: {expr: 'rate(nv_inference_count[$window])'}}\n"),
			want: []expected{{file: alertFile, at: "$window", says: "does not parse", fix: "knows no variables of dashboards"}}},
		{name: "no query", edit: alertWith("A", "          - {refId: A, datasourceUid: prometheus, model: {instant: true}}\n"), want: []expected{{file: alertFile, says: "asks nothing"}}},
		{name: "another datasource's language", edit: alertWith("A", "          - {refId: A, datasourceUid: loki, model: {expr: 'count_over_time({a=\"b\"} |= `x` [5m])'}}\n")},
		{name: "a shared uid", edit: func(f *fixture) {
			alertWith("A", stepA)(f)
			f.write("grafana/provisioning/alerting/b.yml", "groups:\n  - {name: h, folder: f, interval: 1m, rules: [{uid: hot, title: again, condition: A, data: [{refId: A, datasourceUid: prometheus, model: {expr: up}}]}]}\n")
		}, want: []expected{{file: "grafana/provisioning/alerting/b.yml", at: "hot", says: `uid "hot" is that of alert "GPU hot" as well`, evidence: alertFile}}},
	})
}

func TestAlertRefused(t *testing.T) {
	f := shipped(t)
	alertWith("B", stepA+stepB)(f)
	in := f.live()
	r := in.Stack.Alerts[0]
	in.Alerts = []*Alert{{Grafana: r, Unchecked: "it could not be evaluated", Refused: errors.New("many-to-many matching not allowed")}, {Grafana: r}}
	found := alertInvalid().Live(in)
	f.expect(found, []expected{{file: alertFile, at: "max(", says: "Prometheus refuses the alert's query: many-to-many"}})
	assert.Equal(t, `Grafana alert "GPU hot" of group "gpu"`, found[0].Subject)
}

func TestDatasourcesOfAlerts(t *testing.T) {
	checkCases(t, datasourceUIDUnknown(), []ruleCase{
		{name: "known", edit: alertWith("B", stepA+stepB)},
		{name: "unknown", edit: alertWith("A", "          - {refId: A, datasourceUid: promtheus, model: {expr: up}}\n"),
			want: []expected{{file: alertFile, at: "promtheus", says: `asks the datasource of uid "promtheus"`, evidence: "provisioned: prometheus", fix: "set datasourceUid: prometheus"}}},
		{name: "Grafana's own", edit: alertWith("A", "          - {refId: A, datasourceUid: grafana, model: {}}\n")},
	})
}

// ruleFile ships a file of Prometheus rules.
func ruleFile(rules string) func(*fixture) {
	return func(f *fixture) {
		f.replace(prometheusFile, "scrape_configs:", "rule_files: [rules.yml]\nscrape_configs:")
		f.write("prometheus/rules.yml", "groups:\n  - name: g\n    rules:\n"+rules)
	}
}

const rulesFile = "prometheus/rules.yml"

func TestWindowsOfRules(t *testing.T) {
	checkCases(t, promqlRateWindow(), []ruleCase{
		{name: "a recording rule", edit: ruleFile("      - {record: 'a:b:rate', expr: 'sum(rate(nv_inference_count[20s]))'}\n"),
			want: []expected{{file: rulesFile, at: "20s]", says: "rate over [20s] holds fewer than two samples", fix: "take a window of at least 1m"}}},
		{name: "an alert, in a block", edit: ruleFile("      - alert: A\n        expr: |\n          sum(\n            increase(nv_inference_request_failure[45s])\n          ) > 5\n"),
			want: []expected{{file: rulesFile, at: "45s]", says: "fewer than four samples", severity: Warning}}},
		{name: "wide enough", edit: ruleFile("      - {alert: A, expr: 'rate(nv_inference_count[1m]) > 5'}\n")},
		{name: "an alert of Grafana", edit: alertWith("A", "          - {refId: A, datasourceUid: prometheus, model: {expr: 'rate(nv_inference_count[20s])'}}\n"),
			want: []expected{{file: alertFile, at: "20s]", says: "holds fewer than two samples"}}},
	})
}

func TestPrometheusRuleFailed(t *testing.T) {
	f := shipped(t)
	ruleFile("      - {alert: A, expr: up == 0}\n      - {record: 'a:b', expr: a / b}\n")(f)
	in := f.live()
	rules := PrometheusRules(in.Stack)
	require.Len(t, rules, 2)
	assert.Empty(t, prometheusRuleFailed().Live(in))
	in.RuleFailures = []FailedRule{{Rule: rules[0], Error: "no"}, {Rule: rules[1], Error: "found duplicate series; many-to-many matching not allowed"},
		{Rule: rules[1], Error: "vector contains metrics with the same labelset after applying rule labels"}}
	f.expect(prometheusRuleFailed().Live(in), []expected{
		{file: rulesFile, at: "up == 0", says: "the alert never fires: no"},
		{file: rulesFile, at: "a / b", says: "it records nothing: found duplicate series", fix: "group_left"},
		{file: rulesFile, at: "a / b", says: "same labelset", fix: "keep in the result the labels"},
	})
}
