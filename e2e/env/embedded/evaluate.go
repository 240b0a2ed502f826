package embedded

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/panelgate/panelgate/e2e/env"
)

// mostPoints is how many points of a series the HTTP API answers a range query with.
const mostPoints = 11000

// evaluator answers queries as the HTTP API of this Prometheus would, with the same
// engine and in the same words, and without writing and reading the answer as JSON:
// that takes longer than evaluating most panels' queries.
type evaluator struct {
	store *store

	running sync.RWMutex // held for reading by each evaluation
	ctx     context.Context
	cancel  context.CancelFunc
}

func (e *Env) newEvaluator(s *store) *evaluator {
	v := &evaluator{store: s}
	v.ctx, v.cancel = context.WithCancel(context.Background())
	e.onClose(func() error {
		v.cancel() // the database must not be closed under a query
		v.running.Lock()
		defer v.running.Unlock()
		return nil
	})
	return v
}

// evaluate answers a query, at its end where it has no step. It is an
// env.Instance's Evaluate.
func (v *evaluator) evaluate(ctx context.Context, q env.Evaluation) (model.Value, error) {
	v.running.RLock()
	defer v.running.RUnlock()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(v.ctx, cancel)()
	query, err := v.query(ctx, q)
	if err != nil {
		return nil, err
	}
	defer query.Close()
	result := query.Exec(ctx)
	if result.Err != nil {
		return nil, refusal(result.Err)
	}
	return valueOf(result.Value)
}

// query prepares a query. Times have milliseconds, as in the API.
func (v *evaluator) query(ctx context.Context, q env.Evaluation) (query promql.Query, err error) {
	start, end := q.Start.Round(time.Millisecond), q.End.Round(time.Millisecond)
	switch {
	case q.Step == 0:
		query, err = v.store.engine.NewInstantQuery(ctx, v.store.DB, nil, q.Expr, end)
	case q.Step < 0:
		return nil, badData("step", errors.New("zero or negative query resolution step widths are not accepted. Try a positive integer"))
	case end.Before(start):
		return nil, badData("end", errors.New("end timestamp must not be before start time"))
	case end.Sub(start)/q.Step > mostPoints:
		return nil, &promv1.Error{Type: promv1.ErrBadData, Msg: "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)"}
	default:
		query, err = v.store.engine.NewRangeQuery(ctx, v.store.DB, nil, q.Expr, start, end, q.Step)
	}
	if err != nil {
		return nil, badData("query", err)
	}
	return query, nil
}

func badData(parameter string, err error) error {
	return &promv1.Error{Type: promv1.ErrBadData, Msg: fmt.Sprintf("invalid parameter %q: %v", parameter, err)}
}

// refusal is what the API's client makes of an error of the engine.
func refusal(err error) error {
	var canceled promql.ErrQueryCanceled
	var timeout promql.ErrQueryTimeout
	var storage promql.ErrStorage
	out := &promv1.Error{Type: promv1.ErrExec, Msg: err.Error()}
	switch {
	case errors.As(err, &canceled), errors.Is(err, context.Canceled):
		out.Type = promv1.ErrCanceled
	case errors.As(err, &timeout):
		out.Type = promv1.ErrTimeout
	case errors.As(err, &storage):
		out.Type = promv1.ErrServer
	}
	return out
}

// valueOf is an answer as the API's client has it. The error is
// env.ErrNotPlain for native histograms and texts.
func valueOf(v parser.Value) (model.Value, error) {
	switch v := v.(type) {
	case promql.Matrix:
		return matrixOf(v)
	case promql.Vector:
		out := make(model.Vector, 0, len(v))
		for _, s := range v {
			if s.H != nil {
				return nil, env.ErrNotPlain
			}
			out = append(out, &model.Sample{Metric: metricOf(s.Metric), Value: model.SampleValue(s.F), Timestamp: model.Time(s.T)})
		}
		return out, nil
	case promql.Scalar:
		return &model.Scalar{Value: model.SampleValue(v.V), Timestamp: model.Time(v.T)}, nil
	default: // a text, which the API's client refuses
		return nil, env.ErrNotPlain
	}
}

func matrixOf(v promql.Matrix) (model.Value, error) {
	out := make(model.Matrix, 0, len(v))
	for _, s := range v {
		if len(s.Histograms) > 0 {
			return nil, env.ErrNotPlain
		}
		line := &model.SampleStream{Metric: metricOf(s.Metric), Values: make([]model.SamplePair, 0, len(s.Floats))}
		for _, p := range s.Floats {
			line.Values = append(line.Values, model.SamplePair{Timestamp: model.Time(p.T), Value: model.SampleValue(p.F)})
		}
		out = append(out, line)
	}
	return out, nil
}

func metricOf(ls labels.Labels) model.Metric {
	out := make(model.Metric, ls.Len())
	ls.Range(func(l labels.Label) { out[model.LabelName(l.Name)] = model.LabelValue(l.Value) })
	return out
}
