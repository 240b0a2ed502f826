package grafana

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// Request is what a panel asks at once.
type Request struct {
	From, To time.Time // sent in milliseconds
	Queries  []Query
}

// Query is one target of a panel. Fields that are zero are not sent, and Grafana
// puts in its own: 1 s for IntervalMS and 100 for MaxDataPoints.
type Query struct {
	RefID                         string // its name in the answer; has to be there, once
	DatasourceUID, DatasourceType string // the back end goes by the uid alone
	Expr                          string // PromQL, $__interval and $__rate_interval left in as a browser leaves them
	Instant, Range                bool   // neither is a range query; both are two, and their frames follow one another
	Interval                      string // the min step as written, "" for none
	IntervalFactor                int64
	IntervalMS                    int64 // what $__interval is, in milliseconds
	MaxDataPoints                 int64 // the panel's width in points
	Format                        string
	LegendFormat                  string
	Exemplar                      bool
	// Model is the target's own JSON for what is no Prometheus query, such as a
	// server-side expression: an object, whose keys are sent as they stand. The
	// fields above that are not zero take the place of its keys.
	Model json.RawMessage
}

// Answer is what one query was answered.
type Answer struct {
	RefID  string
	Status int // Grafana's for this query
	// Err is a *QueryError where the query failed, else nil. There may be frames
	// all the same, without fields.
	Err    error
	Frames []Frame
}

// Query asks through Grafana what a panel asks, and gives an answer per refId. A
// query that fails is an Answer with an Err. The error is ErrUnknownDatasource
// or ErrNoPlugin where Grafana refuses the whole request because of one of its
// datasources, and another StatusError where it refuses for another reason: in
// Grafana 10 an expression that cannot be worked out is one, HTTP 500.
func (c *Client) Query(ctx context.Context, r Request) (map[string]Answer, error) {
	fail := func(err error) (map[string]Answer, error) {
		return nil, fmt.Errorf("query through Grafana: %w", err)
	}
	body, err := r.body()
	if err != nil {
		return fail(err)
	}
	rep, err := c.send(ctx, http.MethodPost, "/api/ds/query", nil, body)
	if err != nil {
		return fail(err)
	}
	var wire struct {
		Results map[string]wireResult `json:"results"`
	}
	err = rep.decode(&wire)
	switch {
	// Whatever the status: a failed query makes it 400, 207 or leaves it 200.
	case err == nil && len(wire.Results) > 0:
	case rep.status != http.StatusOK && rep.status != http.StatusMultiStatus:
		return fail(classed(rep.refused()))
	case err != nil:
		return fail(err)
	default:
		return fail(errors.New("the answer has no results"))
	}
	out := make(map[string]Answer, len(wire.Results))
	for refID, w := range wire.Results {
		if out[refID], err = w.answer(refID, rep.status); err != nil {
			return fail(fmt.Errorf("read the answer to query %s: %w", refID, err))
		}
	}
	return out, nil
}

// body is the request as Grafana reads it.
func (r Request) body() ([]byte, error) {
	if len(r.Queries) == 0 {
		return nil, errors.New("there is no query to ask")
	}
	wire := struct {
		From    string            `json:"from"`
		To      string            `json:"to"`
		Queries []json.RawMessage `json:"queries"`
	}{
		From: strconv.FormatInt(r.From.UnixMilli(), 10),
		To:   strconv.FormatInt(r.To.UnixMilli(), 10),
	}
	seen := map[string]bool{}
	for _, q := range r.Queries {
		if q.RefID == "" {
			return nil, errors.New("a query has no refId")
		}
		if seen[q.RefID] {
			return nil, fmt.Errorf("two queries have the refId %s", q.RefID)
		}
		seen[q.RefID] = true
		m, err := q.model()
		if err != nil {
			return nil, fmt.Errorf("write query %s: %w", q.RefID, err)
		}
		wire.Queries = append(wire.Queries, m)
	}
	return json.Marshal(wire)
}

// fields are a query's own keys, without those that are zero.
type fields struct {
	RefID          string         `json:"refId"`
	Datasource     *datasourceRef `json:"datasource,omitempty"`
	Expr           string         `json:"expr,omitempty"`
	Instant        *bool          `json:"instant,omitempty"`
	Range          *bool          `json:"range,omitempty"`
	Exemplar       *bool          `json:"exemplar,omitempty"`
	Interval       string         `json:"interval,omitempty"`
	IntervalFactor int64          `json:"intervalFactor,omitempty"`
	IntervalMS     int64          `json:"intervalMs,omitempty"`
	MaxDataPoints  int64          `json:"maxDataPoints,omitempty"`
	Format         string         `json:"format,omitempty"`
	LegendFormat   string         `json:"legendFormat,omitempty"`
}

type datasourceRef struct {
	UID  string `json:"uid,omitempty"`
	Type string `json:"type,omitempty"`
}

// model is the query as Grafana reads it: its Model with its fields laid over.
func (q Query) model() (json.RawMessage, error) {
	f := fields{
		RefID: q.RefID, Expr: q.Expr, Interval: q.Interval, IntervalFactor: q.IntervalFactor,
		IntervalMS: q.IntervalMS, MaxDataPoints: q.MaxDataPoints,
		Format: q.Format, LegendFormat: q.LegendFormat,
		Instant: q.flag(q.Instant), Range: q.flag(q.Range), Exemplar: q.flag(q.Exemplar),
	}
	if q.DatasourceUID != "" || q.DatasourceType != "" {
		f.Datasource = &datasourceRef{UID: q.DatasourceUID, Type: q.DatasourceType}
	}
	own, err := json.Marshal(f)
	if err != nil || q.Model == nil {
		return own, err
	}
	var merged map[string]json.RawMessage
	if err := json.Unmarshal(q.Model, &merged); err != nil {
		return nil, fmt.Errorf("its model is no object: %w", err)
	}
	if merged == nil {
		return nil, errors.New("its model is no object but null")
	}
	// What is not null in own takes the place of the same key in merged.
	if err := json.Unmarshal(own, &merged); err != nil {
		return nil, err
	}
	return json.Marshal(merged)
}

// flag is sent as it is in a Prometheus query, where false says something too.
// In another's model it is sent only where it is set.
func (q Query) flag(on bool) *bool {
	if q.Model != nil && !on {
		return nil
	}
	return &on
}
