package why

import (
	"context"
	"testing"
	"time"

	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestLacking: what is said to be empty without being asked for has to be.
func TestLacking(t *testing.T) {
	a := running(t, "steady")
	for expr, want := range map[string]bool{
		`no_such_metric`:                                   true,
		`{__name__="no_such_metric"}`:                      true,
		`sum(rate(no_such_metric[1m]))`:                    true,
		`node_load1 / no_such_metric`:                      true,
		`no_such_metric or another_that_is_not`:            true,
		`no_such_metric unless node_load1`:                 true,
		`-(no_such_metric) > 1`:                            true,
		`histogram_quantile(0.9, no_such_metric)`:          true,
		`no_such_metric offset 1h`:                         true,
		`node_load1`:                                       false,
		`node_load1{job="no such job"}`:                    false, // empty, but that is to be asked
		`no_such_metric or node_load1`:                     false,
		`node_load1 unless no_such_metric`:                 false,
		`absent(no_such_metric)`:                           false,
		`vector(1) or no_such_metric`:                      false,
		`node_load1 * scalar(no_such_metric)`:              false,
		`max_over_time(no_such_metric[5m:1m])`:             false,
		`no_such_metric @ end()`:                           false,
		`{__name__=~"no_such_.*"}`:                         false,
		`info(node_load1, {__name__="no_such_info"})`:      false,
		`node_load1 + fill_right(0) no_such_metric`:        false,
		`no_such_metric + fill_left(0) node_load1`:         false,
		`count_values("v", no_such_metric) or node_load1`:  false,
		`label_replace(no_such_metric, "a", "b", "", "")`:  true,
		`topk(3, no_such_metric) and on (job) node_load1 `: true,
	} {
		root, err := parse(expr)
		require.NoError(t, err, expr)
		d := a.diagnosing(t.Context())
		assert.Equal(t, want, d.lacking(root), expr)
		if !want {
			continue
		}
		found, err := d.query(expr)
		require.NoError(t, err, expr)
		assert.Empty(t, found, expr)
	}
}

// TestNamesTellOfWhatIsMissing: a stack without an exporter has hundreds of queries for
// its metrics, and each question takes longer than the list of names.
func TestNamesTellOfWhatIsMissing(t *testing.T) {
	a := running(t, "steady")
	asked := &questions{API: a.API}
	a.API = asked
	d, err := a.Explain(t.Context(), `sum by (job) (rate(no_such_metric_total[1m])) / sum by (job) (rate(no_such_requests_total[1m]))`)
	require.NoError(t, err)
	assert.Equal(t, MetricMissing, d.Reason)
	assert.Equal(t, "no_such_metric_total", d.Absent)
	assert.Zero(t, asked.queries)
}

// TestNamesThatMayNotBeAll: a server that cuts its lists short says so, and then nothing
// is concluded from a name that is not in it.
func TestNamesThatMayNotBeAll(t *testing.T) {
	a := running(t, "steady")
	a.API = &questions{API: a.API, names: model.LabelValues{"up"}, warnings: promv1.Warnings{"results truncated due to limit"}}
	d, err := a.Explain(t.Context(), `node_load1`)
	require.NoError(t, err)
	assert.Nil(t, d)
}

// questions counts the queries to an API, and gives names in place of its own.
type questions struct {
	promv1.API
	queries  int
	names    model.LabelValues
	warnings promv1.Warnings
}

func (q *questions) QueryRange(ctx context.Context, expr string, r promv1.Range, opts ...promv1.Option) (model.Value, promv1.Warnings, error) {
	q.queries++
	return q.API.QueryRange(ctx, expr, r, opts...)
}

func (q *questions) LabelValues(ctx context.Context, label string, matches []string, from, to time.Time, opts ...promv1.Option) (model.LabelValues, promv1.Warnings, error) {
	if q.names != nil {
		return q.names, q.warnings, nil
	}
	return q.API.LabelValues(ctx, label, matches, from, to, opts...)
}
