package node

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/internal/material"
)

// absent are the metrics that the dashboard Node Exporter Full asks for and that this node_exporter does not print, and why.
func absent() map[string]string {
	const (
		notDefault = "its collector is not enabled by default"
		noHardware = "the machine has no such hardware"
	)
	return map[string]string{
		"node_hwmon_fan_min_rpm":                         noHardware, // its fans are its BMC's
		"node_hwmon_fan_rpm":                             noHardware,
		"node_hwmon_temp_crit_hyst_celsius":              noHardware, // neither coretemp nor nvme has that limit
		"node_interrupts_total":                          notDefault,
		"node_kernel_hung_tasks":                         "release 1.12 calls it node_kernel_hung_tasks_total",
		"node_netstat_Tcp_MaxConn":                       "the default --collector.netstat.fields leaves it out",
		"node_power_supply_online":                       noHardware,
		"node_processes_max_processes":                   notDefault,
		"node_processes_max_threads":                     notDefault,
		"node_processes_pids":                            notDefault,
		"node_processes_state":                           notDefault,
		"node_processes_threads":                         notDefault,
		"node_systemd_socket_accepted_connections_total": notDefault,
		"node_systemd_socket_current_connections":        notDefault,
		"node_systemd_socket_refused_connections_total":  notDefault,
		"node_systemd_units":                             notDefault,
		"node_tcp_connection_states":                     notDefault,
	}
}

// unmatched are selectors that match no series although the metric is printed, and why.
func unmatched() map[string]string {
	return map[string]string{
		`node_network_up{operstate="up"}`: "the state is a label of node_network_info only",
	}
}

type dashboardPanel struct {
	Panels  []dashboardPanel
	Targets []struct{ Expr string }
}

func expressions(panels []dashboardPanel) []string {
	var all []string
	for _, p := range panels {
		for _, target := range p.Targets {
			all = append(all, target.Expr)
		}
		all = append(all, expressions(p.Panels)...)
	}
	return all
}

// selectors are all vector selectors of the dashboard, without the matchers that its variables fill in.
func selectors(t *testing.T) []*parser.VectorSelector {
	t.Helper()
	data, err := os.ReadFile(material.Path(t, "corpus", "dashboards", "node", "rfmoz__grafana-dashboards__prometheus--node-exporter-full.json"))
	require.NoError(t, err)
	var dashboard dashboardPanel
	require.NoError(t, json.Unmarshal(data, &dashboard))
	variables := strings.NewReplacer("$__rate_interval", "5m", "$__range", "1h", "$__interval", "1m")
	var found []*parser.VectorSelector
	for _, text := range expressions(dashboard.Panels) {
		expr, err := parser.NewParser(parser.Options{}).ParseExpr(variables.Replace(text))
		require.NoError(t, err, text)
		parser.Inspect(expr, func(n parser.Node, _ []parser.Node) error {
			if selector, ok := n.(*parser.VectorSelector); ok {
				selector.LabelMatchers = slices.DeleteFunc(selector.LabelMatchers, func(m *labels.Matcher) bool {
					return strings.Contains(m.Value, "$") || m.Name == "job" || m.Name == "instance"
				})
				found = append(found, selector)
			}
			return nil
		})
	}
	require.NotEmpty(t, found)
	return found
}

func TestNodeExporterFullFindsWhatItAsksFor(t *testing.T) {
	s := scrape(t, New(world(t), "box:9100"), start.Add(time.Hour))
	byName := map[string][]labels.Labels{}
	for _, set := range s.Sets {
		byName[set.Get(model.MetricNameLabel)] = append(byName[set.Get(model.MetricNameLabel)], set)
	}
	reasons := absent()
	unmatchedSelectors := unmatched()
	notAsked := unmatched()
	asked := map[string]bool{}
	for _, selector := range selectors(t) {
		asked[selector.Name] = true
		matched := slices.ContainsFunc(byName[selector.Name], func(set labels.Labels) bool {
			return !slices.ContainsFunc(selector.LabelMatchers, func(m *labels.Matcher) bool { return !m.Matches(set.Get(m.Name)) })
		})
		if reason, excepted := reasons[selector.Name]; excepted {
			assert.Empty(t, byName[selector.Name], "%s is said to be absent (%s)", selector.Name, reason)
			continue
		}
		_, excepted := unmatchedSelectors[selector.String()]
		assert.Equal(t, !excepted, matched, "a series matches %s", selector)
		delete(notAsked, selector.String())
	}
	assert.Empty(t, notAsked, "excepted but not asked for")
	for name := range reasons {
		assert.True(t, asked[name], "%s is excepted but the dashboard does not ask for it", name)
	}
	assert.GreaterOrEqual(t, len(asked), 220)
}
