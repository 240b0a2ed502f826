package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"time"

	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/e2e/exporter"
	"github.com/panelgate/panelgate/e2e/query"
	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/stack"
	"github.com/panelgate/panelgate/stack/dashboard"
)

// keptBoard is what is kept of a dashboard: how its queries came out, and what the rules
// have found that judge each dashboard by itself. It holds nothing that a report does not.
type keptBoard struct {
	// Need is the past that its panels look back on, Laid what the run had laid down.
	Need  time.Duration  `json:"need"`
	Laid  time.Duration  `json:"laid"`
	Asked []keptAsked    `json:"asked"`
	Files []keptQuestion `json:"files"` // what the files alone say that it asks
	Vars  []keptVariable `json:"vars"`
	Found []rule.Finding `json:"found"`
	Worst rule.Severity  `json:"worst"` // of the findings that count
}

// keptAsked is a query and its outcome. Panels, targets and datasources are told by
// their places in the model, which the key vouches for.
type keptAsked struct {
	Panel      int           `json:"panel"`
	Target     int           `json:"target"` // -1 for none
	Datasource int           `json:"datasource"`
	Skip       string        `json:"skip,omitempty"`
	Unchecked  bool          `json:"unchecked,omitempty"`
	Expression bool          `json:"expression,omitempty"`
	Expr       string        `json:"expr,omitempty"`
	Instant    bool          `json:"instant,omitempty"`
	Start      time.Time     `json:"start,omitzero"`
	End        time.Time     `json:"end,omitzero"`
	Step       time.Duration `json:"step,omitempty"`
	Sent       bool          `json:"sent,omitempty"`
	Status     rule.Status   `json:"status"`
	Series     int           `json:"series,omitempty"`
	Samples    int           `json:"samples,omitempty"`
	Finite     int           `json:"finite,omitempty"`
	Every      int           `json:"every,omitempty"`
	Took       time.Duration `json:"took,omitempty"`
}

// keptQuestion is a query as the files alone tell it, for the rules that sum up what is
// asked through a datasource.
type keptQuestion struct {
	Panel      int    `json:"panel"`
	Target     int    `json:"target"`
	Datasource int    `json:"datasource"`
	Expr       string `json:"expr"`
}

// keptVariable is how a variable came out.
type keptVariable struct {
	Variable       int                `json:"variable"`
	Query          string             `json:"query,omitempty"`
	Options        []dashboard.Option `json:"options,omitempty"`
	Value          query.Value        `json:"value"`
	CurrentMissing bool               `json:"current_missing,omitempty"`
	Unchecked      string             `json:"unchecked,omitempty"`
	Usable         bool               `json:"usable,omitempty"`
}

// errUnfit says why something is not kept.
var errUnfit = errors.New("it is not kept")

func unfit(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errUnfit, fmt.Sprintf(format, args...))
}

// calendar finds what makes an expression depend on the time of the day.
var calendar = regexp.MustCompile(`\b(hour|minute|month|year|day_of_month|day_of_week|day_of_year|days_in_month)\s*\(|\btime\s*\(\s*\)\s*%`)

// clockBound says why what a dashboard shows depends on the time of the day: it is not
// the same an hour later, whatever else is. "" where it does not.
func clockBound(b *stack.Board) string {
	texts := []string{b.From.Value, b.To.Value}
	for _, p := range b.Panels {
		texts = append(texts, p.TimeFrom.Value, p.TimeShift.Value)
		for _, t := range p.Targets {
			if calendar.MatchString(t.Expr.Value) {
				return "a query asks for the time of the day"
			}
		}
	}
	if slices.ContainsFunc(texts, rounds.MatchString) {
		return "its time range begins or ends with a day, a week or the like"
	}
	return ""
}

// rounds finds a time that is rounded to a unit of the calendar, as now/d is.
var rounds = regexp.MustCompile(`/\s*[a-zA-Z]`)

// keep makes the entry of a dashboard of a run. The error is why it has none.
func keep(b *rule.Board, live *rule.Live, found []rule.Finding) (*keptBoard, error) {
	if why := clockBound(b.Board); why != "" {
		return nil, unfit("%s", why)
	}
	out := &keptBoard{Found: found}
	for _, f := range found {
		if f.Repair != nil && f.Repair.Set != nil {
			return nil, unfit("a finding is about mending a datasource")
		}
	}
	for _, q := range b.Questions {
		if !q.Asks() {
			continue
		}
		panel, target, datasource, err := places(live.Stack, q)
		if err != nil {
			return nil, err
		}
		out.Files = append(out.Files, keptQuestion{panel, target, datasource, q.Requests[0].Expr})
	}
	for _, a := range live.Asked {
		if a.Board != b {
			continue
		}
		k, err := keepAsked(live.Stack, a)
		if err != nil {
			return nil, err
		}
		out.Asked = append(out.Asked, k)
	}
	for _, v := range live.Variables {
		if v.Board != b {
			continue
		}
		i := slices.Index(b.Variables, v.Variable)
		if v.Err != nil || v.Syntax != nil || i < 0 {
			return nil, unfit("its variable %s could not be filled", v.Variable.Name.Value)
		}
		out.Vars = append(out.Vars, keptVariable{i, v.Query, v.Options, v.Value, v.CurrentMissing, v.Unchecked, v.Usable})
	}
	return out, nil
}

// keepAsked keeps a query that was answered, or that nobody need answer.
func keepAsked(s *stack.Stack, a *rule.Asked) (keptAsked, error) {
	if a.Err != nil || a.RefErr != nil || a.BuildErr != nil || a.Status == rule.StatusFailed || a.Grafana != nil {
		return keptAsked{}, unfit("a query failed")
	}
	panel, target, datasource, err := places(s, a.Question)
	if err != nil {
		return keptAsked{}, err
	}
	return keptAsked{
		Panel: panel, Target: target, Datasource: datasource, Skip: a.Skip, Unchecked: a.Unchecked, Expression: a.Expression,
		Expr: a.Request.Expr, Instant: a.Request.Instant, Start: a.Request.Start, End: a.Request.End, Step: a.Request.Step,
		Sent: a.Sent, Status: a.Status, Series: a.Series, Samples: a.Samples, Finite: a.Finite, Every: a.Every, Took: a.Duration,
	}, nil
}

// places are where a question's panel, target and datasource stand in the model, the
// latter two -1 for none.
func places(s *stack.Stack, q *rule.Question) (panel, target, datasource int, err error) {
	panel, target, datasource = slices.Index(q.Board.Panels, q.Panel), -1, -1
	if q.Target != nil && panel >= 0 {
		target = slices.Index(q.Panel.Targets, q.Target)
	}
	if q.Datasource != nil {
		datasource = slices.Index(s.Datasources, q.Datasource)
	}
	if panel < 0 || q.Target != nil && target < 0 || q.Datasource != nil && datasource < 0 {
		return 0, 0, 0, unfit("a query is of no panel, or of no datasource, of the files")
	}
	return panel, target, datasource, nil
}

// board is the dashboard of an entry as a run would have it. The key vouches that the
// entry is about this very dashboard; that places lead somewhere is looked at all the
// same, as nothing that is read may end a run.
func (k *keptBoard) board(s *stack.Stack, sb *stack.Board) (*rule.Board, error) {
	b := &rule.Board{Board: sb}
	b.Scope, b.Guessed = query.StaticScope(sb.Dashboard, s.Datasources)
	for _, f := range k.Files {
		q, err := questionAt(s, b, f.Panel, f.Target, f.Datasource)
		if err != nil {
			return nil, err
		}
		q.Requests = []query.Request{{Expr: f.Expr}}
		b.Questions = append(b.Questions, q)
	}
	return b, nil
}

func questionAt(s *stack.Stack, b *rule.Board, panel, target, datasource int) (*rule.Question, error) {
	q := &rule.Question{Board: b, Scope: b.Scope}
	if panel < 0 || panel >= len(b.Panels) {
		return nil, fmt.Errorf("it speaks of panel %d of %d", panel, len(b.Panels))
	}
	q.Panel = b.Panels[panel]
	if target < -1 || target >= len(q.Panel.Targets) || datasource < -1 || datasource >= len(s.Datasources) {
		return nil, fmt.Errorf("it speaks of query %d and of datasource %d", target, datasource)
	}
	if target >= 0 {
		q.Target = q.Panel.Targets[target]
	}
	if datasource >= 0 {
		q.Datasource = s.Datasources[datasource]
	}
	return q, nil
}

// asked are the queries of an entry, with when they were asked.
func (k *keptBoard) asked(s *stack.Stack, b *rule.Board, when time.Time) ([]*rule.Asked, error) {
	var out []*rule.Asked
	for _, a := range k.Asked {
		q, err := questionAt(s, b, a.Panel, a.Target, a.Datasource)
		if err != nil {
			return nil, err
		}
		switch a.Status {
		case rule.StatusOK, rule.StatusExpectedEmpty, rule.StatusUnchecked, rule.StatusSkipped:
		default:
			return nil, fmt.Errorf("a query of it is %q", a.Status)
		}
		q.Skip, q.Unchecked, q.Expression = a.Skip, a.Unchecked, a.Expression
		out = append(out, &rule.Asked{
			Question: q, Request: query.Request{Expr: a.Expr, Instant: a.Instant, Start: a.Start, End: a.End, Step: a.Step},
			Sent: a.Sent, Status: a.Status, Series: a.Series, Samples: a.Samples, Finite: a.Finite, Every: a.Every, Duration: a.Took, Recalled: when,
		})
	}
	return out, nil
}

// variables are those of an entry.
func (k *keptBoard) variables(b *rule.Board) ([]rule.Variable, error) {
	var out []rule.Variable
	for _, v := range k.Vars {
		if v.Variable < 0 || v.Variable >= len(b.Variables) {
			return nil, fmt.Errorf("it speaks of variable %d of %d", v.Variable, len(b.Variables))
		}
		out = append(out, rule.Variable{Board: b, Resolution: query.Resolution{
			Variable: b.Variables[v.Variable], Query: v.Query, Options: v.Options, Value: v.Value,
			CurrentMissing: v.CurrentMissing, Unchecked: v.Unchecked, Usable: v.Usable,
		}})
	}
	return out, nil
}

// keptAround is what is kept of what surrounds the dashboards: enough that nothing need
// be started where every dashboard is known.
type keptAround struct {
	Laid    time.Duration  `json:"laid"`
	From    time.Time      `json:"from"`
	Now     time.Time      `json:"now"`
	Targets []env.Target   `json:"targets"`
	Notes   []string       `json:"notes"`
	Rules   []rule.Finding `json:"rules"`  // at files that are no dashboards, by rules that look at these too
	Alerts  []rule.Finding `json:"alerts"` // of the alerts, which take the longest to judge
	Worst   rule.Severity  `json:"worst"`  // of both
}

// secretive finds the parameters of a scrape's url that nobody should read.
var secretive = regexp.MustCompile(`(?i)token|secret|passw|key|auth|credential|signature`)

// keepAround makes the entry of what surrounds the dashboards. All has to be well with
// it: what is down is asked anew, so that a machine that was too busy for a scrape says
// so once and not all day.
func keepAround(live *rule.Live) (*keptAround, error) {
	in := live.Instance
	if len(in.Faults)+len(in.Others)+len(in.Unhealthy)+len(live.RuleFailures)+len(live.Unreachable) > 0 || in.TargetsUnknown {
		return nil, unfit("something beside the dashboards is not well")
	}
	for _, err := range live.Health {
		if err != nil {
			return nil, unfit("a datasource is not well")
		}
	}
	out := &keptAround{From: in.From, Now: in.Now, Notes: in.Notes}
	for _, t := range in.Targets {
		if !t.Up {
			return nil, unfit("target %s is down", t.Address)
		}
		u, err := url.Parse(t.URL)
		if err != nil || u.User != nil || secretive.MatchString(u.RawQuery) {
			return nil, unfit("the url of target %s may hold a secret", t.Address)
		}
		t.Setup = actedSetup(t)
		out.Targets = append(out.Targets, t)
	}
	return out, nil
}

// actedSetup is a setup that says which release is acted out, and nothing else: files,
// arguments and recordings are none of an entry's business.
func actedSetup(t env.Target) *fakes.Setup {
	switch {
	case t.Setup == nil:
		return nil
	case t.Setup.Recording != nil:
		return &fakes.Setup{Recording: []byte{'#'}}
	}
	return &fakes.Setup{Version: exporter.Acted(t.AnsweredBy, *t.Setup)}
}

// written turns an entry into what is stored, after a look at whether it comes back as
// it is: text that is not UTF-8 would not.
func written[T any](entry *T) ([]byte, error) {
	data, err := json.Marshal(entry)
	if err != nil {
		return nil, unfit("%v", err)
	}
	back, err := read[T](data)
	if err != nil {
		return nil, unfit("%v", err)
	}
	again, err := json.Marshal(back)
	if err != nil || !reflect.DeepEqual(again, data) || !sameTexts(entry, back) {
		return nil, unfit("it would not be read as it is written")
	}
	return data, nil
}

// sameTexts compares the findings of an entry with what is read back of them.
func sameTexts(a, b any) bool {
	of := func(entry any) any {
		switch e := entry.(type) {
		case *keptBoard:
			return []any{e.Found, e.Files, len(e.Asked)}
		case *keptAround:
			return []any{e.Rules, e.Alerts, e.Notes}
		}
		return nil
	}
	return reflect.DeepEqual(of(a), of(b))
}

// read is an entry as it was stored.
func read[T any](data []byte) (*T, error) {
	out := new(T)
	if err := json.Unmarshal(data, out); err != nil {
		return nil, fmt.Errorf("read the entry: %w", err)
	}
	return out, nil
}
