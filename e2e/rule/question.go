package rule

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/panelgate/panelgate/e2e/exporter"
	"github.com/panelgate/panelgate/e2e/query"
	"github.com/panelgate/panelgate/fakes/catalogue"
	"github.com/panelgate/panelgate/stack"
	"github.com/panelgate/panelgate/stack/dashboard"
	"github.com/panelgate/panelgate/stack/unwieldy"
)

// NewStatic prepares a stack for the static rules: every chosen dashboard with
// the questions it would ask, as far as the files alone can tell. choose may be
// nil to take every dashboard.
func NewStatic(s *stack.Stack, choose func(*stack.Board) bool, now time.Time) *Static {
	in := &Static{Stack: s, Metrics: catalogue.New(), Now: now, records: recordsOf(s.Prometheus)}
	in.SetExporters(exporter.Of(s, nil))
	for _, sb := range s.Dashboards {
		if choose == nil || choose(sb) {
			in.Boards = append(in.Boards, &Board{Board: sb})
		}
	}
	inParallel(in.Boards, func(b *Board) []*Question {
		b.Scope, b.Guessed = query.StaticScope(b.Dashboard, s.Datasources)
		b.Questions = b.Ask(s, b.Scope, now)
		return nil
	})
	return in
}

// Ask lists the questions of the dashboard's panels with the variables of
// scope, repeated panels once for each value.
func (b *Board) Ask(s *stack.Stack, scope *query.Scope, now time.Time) []*Question {
	var out []*Question
	for _, p := range b.Panels {
		if p.IsRow() || p.Clone { // Grafana drops saved copies of repeated panels on load
			continue
		}
		scopes, err := query.Repeats(b.Dashboard, p, scope)
		if len(out)+len(scopes)*len(p.Targets) > mostQuestions {
			err = errTooMany
		}
		if err != nil && len(p.Targets) > 0 {
			out = append(out, &Question{Board: b, Panel: p, Target: p.Targets[0], Scope: scope, BuildErr: err})
			continue
		}
		for _, sc := range scopes {
			out = append(out, b.panelQuestions(s, p, sc, now)...)
		}
	}
	return out
}

func (b *Board) panelQuestions(s *stack.Stack, p *dashboard.Panel, scope *query.Scope, now time.Time) []*Question {
	if p.Library != nil && !p.Library.Resolved {
		return []*Question{{Board: b, Panel: p, Scope: scope, Unchecked: true, Skip: fmt.Sprintf(
			"the library panel %q is kept in Grafana's database, not in the files", p.Library.Name.Value)}}
	}
	if len(p.Targets) == 0 {
		if !drawsData(p.Type.Value) {
			return nil
		}
		return []*Question{{Board: b, Panel: p, Scope: scope, BuildErr: errNoTarget}}
	}
	var out []*Question
	fed := fedTargets(p)
	for _, t := range p.Targets {
		q := &Question{Board: b, Panel: p, Target: t, Scope: scope}
		q.prepare(s, now, fed[t])
		out = append(out, q)
	}
	if drawsData(p.Type.Value) && !slices.ContainsFunc(p.Targets, visible) {
		out[0].Skip, out[0].BuildErr = "", errAllHidden // told once, not of each
	}
	return out
}

// mostQuestions is how much one dashboard may ask.
const mostQuestions = 20_000

// What leaves a panel with nothing to ask.
var (
	errTooMany    = fmt.Errorf("with it the dashboard would ask more than %d queries: it is not asked", mostQuestions)
	errNoTarget   = errors.New("the panel has no query")
	errEmptyQuery = errors.New("the query is empty")
	errAllHidden  = errors.New("every query of the panel is hidden")
)

// drawsData says whether a panel of the type shows what its queries return:
// without any it can only say "No data". Panels that live off something else
// (text, lists, canvas) and unknown plugins are given the benefit of the doubt.
func drawsData(panelType string) bool {
	return slices.Contains([]string{
		"timeseries", "graph", "stat", "singlestat", "gauge", "bargauge", "barchart", "table", "table-old",
		"heatmap", "histogram", "piechart", "state-timeline", "status-history", "xychart", "trend", "candlestick",
	}, panelType)
}

// prepare works out what the question sends to Prometheus, or why nothing. A
// hidden target is asked where a visible expression is fed with its result.
func (q *Question) prepare(s *stack.Stack, now time.Time, fed bool) {
	ds, special, err := query.TargetDatasource(q.Panel, q.Target, q.Scope, s.Datasources)
	q.Datasource = ds
	switch {
	case q.Target.Hide && !fed:
		q.Skip = "the query is hidden"
		return
	case special == query.SpecialDashboard:
		if unshared := q.unshared(s); unshared != nil {
			q.BuildErr = unshared
			return
		}
		q.Skip = "it shows the result of another panel, which is asked there"
		return
	case special == query.SpecialExpr:
		q.Expression = true
		q.Skip, q.Unchecked = "Grafana computes it from the other queries (a server-side expression), which takes a real one: --env docker", true
		return
	case special != "":
		q.Skip, q.Unchecked = fmt.Sprintf("the datasource is Grafana's own (%s)", special), true
		return
	case err != nil:
		q.RefErr = err
		q.unreferred(now)
		return
	case !query.IsPrometheus(ds):
		q.Skip, q.Unchecked = fmt.Sprintf("datasource %q is of type %s", ds.Name.Value, ds.Type.Value), true
		return
	case NotRun(s, ds) != "":
		q.Skip, q.Unchecked = NotRun(s, ds), true
		return
	case strings.TrimSpace(q.Target.Expr.Value) == "":
		q.BuildErr = errEmptyQuery
		return
	}
	if s.Grafana != nil {
		q.grafana = s.Grafana.Version
	}
	q.Requests, q.BuildErr = q.requestsAt(now)
	q.toNextStep(now)
}

// unreferred works out what a target would ask whose datasource is not there, as far
// as that is PromQL: rules about expressions can judge it, though nobody is asked.
func (q *Question) unreferred(now time.Time) {
	if strings.TrimSpace(q.Target.Expr.Value) == "" || q.otherLanguage() {
		return
	}
	q.Datasource = &stack.Datasource{}
	requests, err := q.requestsAt(now)
	q.Datasource = nil
	if err == nil { // else the rule about the reference says what comes first
		q.Requests = requests
	}
}

// otherLanguage says whether the target's reference names a type of datasource that
// does not speak PromQL.
func (q *Question) otherLanguage() bool {
	for _, ref := range []*dashboard.Ref{q.Target.Datasource, q.Panel.Datasource} {
		if ref != nil && ref.Type.Value != "" {
			return ref.Type.Value != "prometheus"
		}
	}
	return false
}

// Readable says whether the question is PromQL that could be sent, be there somebody
// to ask or not.
func (q *Question) Readable() bool {
	return q.Skip == "" && q.BuildErr == nil && len(q.Requests) > 0
}

// requestsAt are the requests of the question at a moment.
func (q *Question) requestsAt(now time.Time) ([]query.Request, error) {
	if err := unwieldy.Expr(q.Target.Expr.Value); err != nil {
		return nil, err
	}
	r, err := q.Board.Range(now)
	if err != nil {
		return nil, err
	}
	q.timing = query.Timing{Range: r, TimeInterval: q.Datasource.TimeInterval.Value, Now: now, Grafana: q.grafana}
	requests, err := query.Requests(q.Panel, q.Target, q.Scope, q.timing)
	if err != nil {
		return nil, err
	}
	for _, r := range requests {
		if err := unwieldy.Expr(r.Expr); err != nil { // with its variables filled
			return nil, err
		}
	}
	return requests, nil
}

// lookback is how old a sample may be for Prometheus to take it for the present.
const lookback = 5 * time.Minute

// toNextStep asks range queries as of the next step. Grafana floors the end of a
// range to the step, so that what has been scraped since the last step is not in
// the answer yet: of a target that has no past, that is everything, and a viewer
// would see it one step later. A step beyond the lookback would lead to a time for
// which the last sample is too old.
func (q *Question) toNextStep(now time.Time) {
	for i, r := range q.Requests {
		if r.Instant || r.Step > lookback || !r.End.Before(now) || now.Sub(r.End) >= r.Step {
			continue
		}
		timing := q.timing
		later, err := q.requestsAt(r.End.Add(r.Step))
		if err != nil || len(later) != len(q.Requests) {
			q.timing = timing // the range can be read only at the moment that was meant
			return
		}
		q.Requests[i] = later[i]
	}
}

// Range is the time range the dashboard opens with. An absolute one lies where
// no fake and no fresh Prometheus has data, so its length is asked as of now.
func (b *Board) Range(now time.Time) (query.Range, error) {
	from, to := b.From.Value, b.To.Value
	if from == "" {
		from = "now-6h"
	}
	if to == "" {
		to = "now"
	}
	r, err := query.ParseRange(from, to, now)
	if err != nil {
		return r, fmt.Errorf("time range %q to %q: %w", from, to, err)
	}
	if !strings.Contains(from, "now") && !strings.Contains(to, "now") {
		r.From, r.To = now.Add(-r.Duration()), now
	}
	return r, nil
}

// Siblings are the questions of the same panel in the same scope, the question
// itself among them, in the panel's order.
func (in *Live) Siblings(q *Question) []*Question {
	var out []*Question
	seen := map[*Question]bool{}
	for _, a := range in.Asked {
		if a.Panel == q.Panel && a.Scope == q.Scope && !seen[a.Question] {
			seen[a.Question] = true
			out = append(out, a.Question)
		}
	}
	return out
}
