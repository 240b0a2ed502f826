package rule

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/panelgate/panelgate/e2e/nearest"
	"github.com/panelgate/panelgate/stack"
	"github.com/panelgate/panelgate/stack/source"
)

// alertInvalid proves that Grafana can read its alert rules and that what they
// evaluate holds together. Grafana does not start over a file that it cannot read.
func alertInvalid() Rule {
	return Rule{
		ID:       "alert/invalid",
		Severity: Error,
		Summary:  "an alert rule of Grafana's provisioning does not load, or cannot be evaluated",
		Static: func(in *Static) []Finding {
			out := provisioningProblems(in.Stack, stack.AreaAlerting)
			for _, r := range in.Stack.Alerts {
				out = append(out, alertFaults(in.Stack, r)...)
			}
			return append(out, sharedUIDs(in.Stack.Alerts)...)
		},
		Live: func(in *Live) []Finding {
			var out []Finding
			for _, a := range in.Alerts {
				if a.Grafana == nil || a.Refused == nil {
					continue
				}
				f := a.begin()
				f.Message = "Prometheus refuses the alert's query: " + oneLine(a.Refused.Error())
				f.Fix = "mend the query: until then the alert is in the state that execErrState names, and never sees what it watches"
				out = append(out, f)
			}
			return out
		},
	}
}

// alertFaults are what makes each evaluation of the rule fail.
func alertFaults(s *stack.Stack, r *stack.AlertRule) []Finding {
	var out []Finding
	var ids []string
	for _, q := range r.Data {
		if id := q.RefID.Value; id != "" && slices.Contains(ids, id) {
			f := onAlert(r, q)
			f.Pos = q.RefID.Pos
			f.Message = fmt.Sprintf("two steps of the alert have the refId %q", id)
			f.Fix = "give each step a refId of its own"
			out = append(out, f)
		}
		ids = append(ids, q.RefID.Value)
	}
	if c := r.Condition; c.Value != "" && len(r.Data) > 0 && !slices.Contains(ids, c.Value) {
		f := onAlert(r, nil)
		f.Pos = c.Pos
		f.Message = fmt.Sprintf("the condition is step %q, and the alert has no such step", c.Value)
		f.Evidence = []string{"its steps: " + strings.Join(ids, ", ")}
		f.Fix = "name the refId of the step that decides"
		out = append(out, f)
	}
	for _, q := range r.Data {
		if f := stepFault(s, r, q, ids); f != nil {
			out = append(out, *f)
		}
	}
	return out
}

// stepFault is what is wrong with one step: PromQL that does not parse, or an
// expression over a step that is not there.
func stepFault(s *stack.Stack, r *stack.AlertRule, q *stack.AlertQuery, ids []string) *Finding {
	if q.IsExpression() {
		return lostStep(r, q, ids)
	}
	ds := alertDatasource(s, q)
	if ds == nil {
		return nil
	}
	f := onAlert(r, q)
	if strings.TrimSpace(q.Expr.Value) == "" {
		f.Message = fmt.Sprintf("step %s asks nothing: its model has no expr", q.RefID.Value)
		f.Fix = "write the PromQL into expr"
		return &f
	}
	request, err := AlertRequest(ds, q, time.Unix(0, 0))
	if err != nil {
		return nil // the datasource's timeInterval, which has a rule of its own
	}
	failure := parseFailureOf(request.Expr)
	if failure == nil {
		return nil
	}
	f.ExprRun = request.Expr
	f.Pos = q.Expr.PosAt(request.Mapping.Source(failure.offset))
	f.Message = "the query does not parse: " + failure.reason
	f.Fix = "mend the query at this place"
	if strings.Contains(request.Expr, "$") {
		f.Fix += "; an alert rule knows no variables of dashboards"
	}
	return &f
}

// lostStep is about an expression that works on a step that the rule has not.
func lostStep(r *stack.AlertRule, q *stack.AlertQuery, ids []string) *Finding {
	var refs []source.Text
	switch q.Type.Value {
	case "reduce", "threshold", "resample":
		refs = append(refs, q.Expression)
	case "classic_conditions":
		for _, c := range q.Conditions {
			refs = append(refs, c.Query)
		}
	}
	for _, ref := range refs {
		name := strings.Trim(strings.TrimPrefix(ref.Value, "$"), "{}")
		if name == "" || slices.Contains(ids, name) {
			continue
		}
		f := onAlert(r, q)
		f.Pos = ref.Pos
		f.Message = fmt.Sprintf("step %s works on step %q, and the alert has no such step", q.RefID.Value, name)
		f.Evidence = []string{"its steps: " + strings.Join(ids, ", ")}
		f.Fix = "name the refId of a step"
		if near := nearest.Names(name, ids, 1); len(near) > 0 {
			f.Fix = fmt.Sprintf("name step %s", near[0])
		}
		return &f
	}
	return nil
}

// sharedUIDs are alert rules with the uid of one before: Grafana keeps the last.
func sharedUIDs(alerts []*stack.AlertRule) []Finding {
	type key struct {
		org int64
		uid string
	}
	first := map[key]*stack.AlertRule{}
	var out []Finding
	for _, r := range alerts {
		k := key{r.Group.OrgID, r.UID.Value}
		other := first[k]
		if r.UID.Value == "" || other == nil {
			first[k] = r
			continue
		}
		f := onAlert(r, nil)
		f.Pos = r.UID.Pos
		f.Message = fmt.Sprintf("uid %q is that of alert %q as well: one of the two takes the other's place", r.UID.Value, other.Title.Value)
		f.Evidence = []string{"the other: " + other.UID.Pos.String()}
		f.Fix = "give each alert rule a uid of its own"
		out = append(out, f)
	}
	return out
}
