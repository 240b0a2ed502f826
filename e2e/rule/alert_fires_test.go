package rule

import (
	"errors"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"

	"github.com/panelgate/panelgate/e2e/alert"
	"github.com/panelgate/panelgate/e2e/why"
)

// came is a trial in which the value was between low and high.
func came(scenario, op string, threshold, low, high float64) Trial {
	return Trial{Scenario: scenario, Outcome: alert.Outcome{Approaches: []alert.Approach{{
		Comparison: alert.Comparison{Side: "nv_gpu_utilization", Op: op, Threshold: threshold}, Seen: true, Low: low, High: high}}}}
}

func firing(scenario string) Trial {
	return Trial{Scenario: scenario, Outcome: alert.Outcome{Fires: true, Held: true, Since: time.Unix(0, 0), Value: 3, Instances: 2,
		Labels: model.Metric{"__name__": "nv_gpu_utilization"}}}
}

// judgedAlert is a running stack with one alert that came out like this.
func judgedAlert(t *testing.T, a Alert) (*fixture, *Live) {
	t.Helper()
	f := shipped(t)
	ruleFile("      - {alert: Busy, expr: nv_gpu_utilization > 90}\n")(f)
	in := f.live()
	a.Rule = PrometheusRules(in.Stack)[0]
	in.Alerts = []*Alert{&a}
	return f, in
}

func TestAlertNeverFires(t *testing.T) {
	missing := &why.Diagnosis{Part: "nv_gpu_utilization", Start: 0, End: 18, Reason: why.MetricMissing, Message: "no target exposes it", Fix: "write another"}
	for _, tc := range []struct {
		name  string
		alert Alert
		said  []Finding
		want  []expected
	}{
		{name: "no trial"},
		{name: "it fires in one", alert: Alert{Trials: []Trial{came("steady", ">", 90, 0, 0.5), firing("saturation")}}},
		{name: "out of reach", alert: Alert{Trials: []Trial{came("steady", ">", 90, 0.2, 0.5), came("saturation", ">", 90, 1, 1), came("idle", ">", 90, 0, 0)}},
			want: []expected{{says: "never comes to > 90", evidence: "nearest to > 90 was 1, in scenario saturation"}}},
		{name: "out of reach below", alert: Alert{Trials: []Trial{came("steady", "<", 1, 200, 500), came("idle", "<", 1, 20, 20)}},
			want: []expected{{says: "never comes to < 1", evidence: "was 20, in scenario idle"}}},
		{name: "nearly reached", alert: Alert{Trials: []Trial{came("steady", ">", 95, 10, 20), came("saturation", ">", 95, 94, 94)}}},
		{name: "reached for a moment", alert: Alert{Trials: []Trial{came("steady", ">", 5, 0.2, 0.5), came("saturation", ">", 5, 1, 6)}}},
		{name: "moved by no scenario", alert: Alert{Trials: []Trial{came("steady", "<", 0.1, 0.5, 0.6), came("saturation", "<", 0.1, 0.5, 0.6)}}},
		{name: "unchecked", alert: Alert{Unchecked: "no fake prints it", Trials: []Trial{came("steady", ">", 90, 0.2, 0.5), came("saturation", ">", 90, 1, 1)}}},
		{name: "refused", alert: Alert{Refused: errors.New("no"), Diagnosis: missing, Trials: []Trial{{Scenario: "steady"}}}},
		{name: "nothing there", alert: Alert{Diagnosis: missing, Trials: []Trial{{Scenario: "steady"}, {Scenario: "idle"}}},
			want: []expected{{says: "can never fire: nv_gpu_utilization is empty in every scenario", evidence: "tried: steady, idle", fix: "write another", severity: Error}}},
		{name: "nothing there now", alert: Alert{Diagnosis: &why.Diagnosis{Reason: why.FilteredOut}, Trials: []Trial{{Scenario: "steady"}}}},
		{name: "a value of the fakes' own", alert: Alert{Diagnosis: &why.Diagnosis{Reason: why.ValueMissing}, Trials: []Trial{{Scenario: "steady"}}}},
		{name: "a short window that is told", alert: Alert{Diagnosis: &why.Diagnosis{Reason: why.WindowTooShort}, Trials: []Trial{{Scenario: "steady"}}},
			said: []Finding{{Rule: "promql/rate-window", Severity: Error, Subject: `alert "Busy" of group "g"`}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f, in := judgedAlert(t, tc.alert)
			in.Said = tc.said
			for i := range tc.want {
				tc.want[i].file, tc.want[i].at = rulesFile, "nv_gpu_utilization > 90"
			}
			f.expect(alertNeverFires().Live(in), tc.want)
		})
	}
}

func TestAlertAlwaysFires(t *testing.T) {
	for _, tc := range []struct {
		name  string
		alert Alert
		want  []expected
	}{
		{name: "silent", alert: Alert{Trials: []Trial{came("steady", ">", 90, 0, 0.5)}}},
		{name: "no trial"},
		{name: "fires", alert: Alert{Trials: []Trial{firing("steady")}},
			want: []expected{{file: rulesFile, at: "nv_gpu_utilization > 90", says: "fires in the steady scenario", evidence: "firing since 1970-01-01T00:00:00Z with value 3: nv_gpu_utilization"}}},
		{name: "fires where something is wrong", alert: Alert{Trials: []Trial{came("steady", ">", 90, 0, 0.5), firing("failing")}}},
		{name: "fires in a scenario of one's own", alert: Alert{Trials: []Trial{firing("mine.yaml")}}},
		{name: "a target is down", alert: Alert{NotScraped: true, Trials: []Trial{firing("steady")}}},
		{name: "unchecked", alert: Alert{Unchecked: "vector(1)", Trials: []Trial{firing("steady")}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f, in := judgedAlert(t, tc.alert)
			found := alertAlwaysFires().Live(in)
			f.expect(found, tc.want)
			if len(found) > 0 {
				assert.Equal(t, `alert "Busy" of group "g"`, found[0].Subject)
			}
		})
	}
}
