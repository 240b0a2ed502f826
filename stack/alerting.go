package stack

import (
	"context"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"github.com/panelgate/panelgate/stack/source"
)

// AlertGroup is a group of Grafana's alert rules, evaluated together.
type AlertGroup struct {
	File         string
	Name, Folder source.Text
	OrgID        int64
	Interval     RuleDuration
	Pos          source.Pos
}

// AlertRule is an alert rule of Grafana's provisioning.
type AlertRule struct {
	Group      *AlertGroup
	UID, Title source.Text
	Condition  source.Text // the refId whose result decides
	Data       []*AlertQuery
	For        RuleDuration
	// NoDataState and ExecErrState are empty where the file leaves them out: NoData
	// and Alerting then.
	NoDataState, ExecErrState source.Text
	Paused                    bool
	Records                   bool // it records a metric and alerts nobody
	Pos                       source.Pos
}

// AlertQuery is a step of an alert rule: a query of a datasource, or an expression
// over other steps.
type AlertQuery struct {
	RefID         source.Text
	DatasourceUID source.Text
	// From and To are how far back from an evaluation the query looks.
	From, To time.Duration
	Expr     source.Text // PromQL
	Instant  bool        // only the value at the end of the range is asked for
	// Type is that of an expression: reduce, threshold, math, classic_conditions,
	// resample or sql; "" for a query.
	Type source.Text
	// Expression is what an expression works on: a refId, or a formula of math.
	Expression source.Text
	Reducer    source.Text
	Mode       string // how reduce treats what is no number: "", dropNN or replaceNN
	Conditions []AlertCondition
	Pos        source.Pos
}

// AlertCondition is a comparison of a threshold or of classic conditions.
type AlertCondition struct {
	Type     source.Text // gt, lt, within_range, outside_range, no_value …
	Params   []float64
	Operator string      // and, or: how it goes together with those before
	Query    source.Text // the refId, of classic conditions
	Reducer  source.Text // of classic conditions
	Recovers bool        // it has an evaluator of its own for ending
}

// IsExpression says whether Grafana computes the step from others, by the uids that
// it keeps for that.
func (q *AlertQuery) IsExpression() bool {
	return q.DatasourceUID.Value == "__expr__" || q.DatasourceUID.Value == "-100"
}

// Query is the step of that refId, nil where there is none.
func (r *AlertRule) Query(refID string) *AlertQuery {
	for _, q := range r.Data {
		if q.RefID.Value == refID {
			return q
		}
	}
	return nil
}

// loadAlerting reads the alert rules of the alerting folder; contact points,
// policies and the like are left aside.
func (l *loader) loadAlerting(ctx context.Context, g *Grafana) {
	if !isDir(g.AlertingDir) { // most stacks have none; a mount that promises one has a problem already
		return
	}
	vars := l.expander(g)
	for _, path := range l.provisioningFiles(g, AreaAlerting, g.AlertingDir, ".yaml", ".yml", ".json") {
		if ctx.Err() != nil {
			return
		}
		root, _, err := l.readYAML(path)
		if err != nil {
			l.report(AreaAlerting, l.rel(path), err)
			continue
		}
		if root.Exists() && root.Kind() != source.Object && root.Kind() != source.Null {
			l.problem(AreaAlerting, root.Pos(), "is %s, an object with a list of groups is expected", root.Kind())
			continue
		}
		p := &provisioned{loader: l, area: AreaAlerting, vars: vars}
		for _, n := range p.entries(root.Get("groups")) {
			p.alertGroup(l.rel(path), n)
		}
	}
}

func (p *provisioned) alertGroup(file string, n *source.Node) {
	g := &AlertGroup{
		File: file, Name: p.text(n.Get("name")), Folder: p.text(n.Get("folder")),
		OrgID: p.org(n.Get("orgId")), Interval: p.duration(n.Get("interval")), Pos: n.Pos(),
	}
	p.demand(n, g.Name, "a group of alert rules without a name")
	p.demand(n, g.Folder, "a group of alert rules without a folder")
	if n.Get("interval").Scalar() == "" {
		p.problem(p.area, n.Pos(), "a group of alert rules without an interval")
	}
	for _, r := range p.entries(n.Get("rules")) {
		p.stack.Alerts = append(p.stack.Alerts, p.alertRule(g, r))
	}
}

// demand is for values without which Grafana does not start.
func (p *provisioned) demand(owner *source.Node, t source.Text, complaint string) {
	if strings.TrimSpace(t.Value) == "" {
		p.problem(p.area, owner.Pos(), "%s", complaint)
	}
}

// duration is one as Prometheus writes it, 0 where the value is missing.
func (p *provisioned) duration(n *source.Node) RuleDuration {
	out := RuleDuration{Text: p.text(n)}
	if out.Value == "" {
		return out
	}
	d, err := model.ParseDuration(out.Value)
	if err != nil {
		p.problem(p.area, n.Pos(), "%q is no duration: write one like 1m", out.Value)
	}
	out.Duration = time.Duration(d)
	return out
}

func (p *provisioned) alertRule(g *AlertGroup, n *source.Node) *AlertRule {
	r := &AlertRule{
		Group: g, UID: p.text(n.Get("uid")), Title: p.text(n.Get("title")), Condition: p.text(n.Get("condition")),
		For: p.duration(n.Get("for")), NoDataState: p.text(n.Get("noDataState")), ExecErrState: p.text(n.Get("execErrState")),
		Paused: p.boolean(n.Get("isPaused")), Records: n.Get("record").Kind() == source.Object, Pos: n.Pos(),
	}
	p.demand(n, r.Title, "an alert rule without a title")
	p.demand(n, r.UID, "an alert rule without a uid")
	if !r.Records {
		p.demand(n, r.Condition, "an alert rule without a condition")
	}
	p.oneOf(r.NoDataState, "noDataState", "Alerting", "NoData", "OK", "KeepLast")
	p.oneOf(r.ExecErrState, "execErrState", "Alerting", "Error", "OK", "KeepLast")
	for _, q := range p.entries(n.Get("data")) {
		r.Data = append(r.Data, p.alertQuery(q))
	}
	if len(r.Data) == 0 {
		p.problem(p.area, n.Pos(), "an alert rule without data: it asks nothing")
	}
	return r
}

func (p *provisioned) oneOf(t source.Text, key string, known ...string) {
	if strings.TrimSpace(t.Value) == "" {
		return
	}
	for _, k := range known {
		if k == strings.TrimSpace(t.Value) {
			return
		}
	}
	p.problem(p.area, t.Pos, "%s is %q: Grafana knows %s", key, t.Value, strings.Join(known, ", "))
}

// alertQuery reads a step. Grafana takes its model as it stands in the file, without
// filling in variables.
func (p *provisioned) alertQuery(n *source.Node) *AlertQuery {
	m := n.Get("model")
	q := &AlertQuery{
		RefID: p.text(n.Get("refId")), DatasourceUID: p.text(n.Get("datasourceUid")),
		From: seconds(n.At("relativeTimeRange", "from")), To: seconds(n.At("relativeTimeRange", "to")),
		Expr: m.Get("expr").Text(), Instant: m.Get("instant").Bool() && !m.Get("range").Bool(),
		Pos: n.Pos(),
	}
	if !q.IsExpression() {
		return q
	}
	q.Type, q.Expression, q.Reducer = m.Get("type").Text(), m.Get("expression").Text(), m.Get("reducer").Text()
	q.Mode = m.At("settings", "mode").Scalar()
	for _, c := range m.Get("conditions").Items() {
		q.Conditions = append(q.Conditions, alertCondition(c))
	}
	return q
}

func alertCondition(n *source.Node) AlertCondition {
	c := AlertCondition{
		Type: n.At("evaluator", "type").Text(), Operator: n.At("operator", "type").Scalar(),
		Reducer: n.At("reducer", "type").Text(), Recovers: n.Get("unloadEvaluator").Exists(),
	}
	if params := n.At("query", "params").Items(); len(params) > 0 {
		c.Query = params[0].Text()
	}
	for _, v := range n.At("evaluator", "params").Items() {
		if f, ok := v.Float(); ok {
			c.Params = append(c.Params, f)
		}
	}
	return c
}

// seconds is a relative time of an alert rule: a number of seconds.
func seconds(n *source.Node) time.Duration {
	f, ok := n.Float()
	if !ok {
		d, err := model.ParseDuration(n.Scalar())
		if err != nil {
			return 0
		}
		return time.Duration(d)
	}
	return time.Duration(f * float64(time.Second))
}
