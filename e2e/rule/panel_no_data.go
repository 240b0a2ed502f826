package rule

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/prometheus/common/model"
)

// panelNoData proves that every query of every panel has a sample to draw. An
// empty answer is still a frame in Grafana, so samples are counted, not frames.
func panelNoData() Rule {
	return Rule{
		ID:       "panel/no-data",
		Severity: Error,
		Summary:  "a panel's query has no sample in the panel's range; says which part is empty and why",
		Live: func(in *Live) []Finding {
			var out []Finding
			for _, a := range in.Asked {
				if a.Status != StatusFailed || a.Samples > 0 {
					continue
				}
				switch fix := a.fixOfNoQuery(); {
				case fix != "":
					f := onQuestion(a.Question)
					f.Message = "the panel shows No data: " + a.Err.Error()
					f.Fix = fix
					out = append(out, f)
				case a.Err == nil:
					out = append(out, noData(a))
				}
			}
			return append(out, filtered(in)...)
		},
	}
}

// fixOfNoQuery is what helps a panel that asks nothing, "" of all others.
func (a *Asked) fixOfNoQuery() string {
	switch {
	case errors.Is(a.BuildErr, errNoTarget), errors.Is(a.BuildErr, errEmptyQuery):
		return "give the panel a query, or remove it"
	case errors.Is(a.BuildErr, errAllHidden):
		return "show one of its queries, or remove the panel"
	}
	return ""
}

func noData(a *Asked) Finding {
	f := onAsked(a)
	f.Message = "no data in " + a.window()
	if repeated := a.repeatedFor(); repeated != "" {
		f.Message += ", for " + repeated
	}
	explain(&f, a)
	return f
}

// explain adds what the diagnosis of an empty answer found out.
func explain(f *Finding, a *Asked) {
	d := a.Diagnosis
	if d == nil {
		return
	}
	f.Reason = string(d.Reason)
	f.Evidence = append([]string{d.Message}, d.Evidence...)
	f.Fix, f.Asked = d.Fix, d.Asked
	f.Empty = Span{Start: d.Start, End: d.End}
	f.Pos = a.Target.Expr.PosAt(a.Request.Mapping.Source(d.Start))
}

// onAsked starts a finding about a query that was asked.
func onAsked(a *Asked) Finding {
	f := onQuestion(a.Question)
	f.ExprRun = a.Request.Expr
	return f
}

// window says in words what time a query was asked about.
func (a *Asked) window() string {
	if a.Request.Instant {
		return fmt.Sprintf("the %s before %s", model.Duration(5*time.Minute), a.Request.End.Format(time.TimeOnly))
	}
	return fmt.Sprintf("the %s to %s", model.Duration(a.Request.End.Sub(a.Request.Start).Round(time.Second)),
		a.Request.End.Format(time.TimeOnly))
}

// repeatedFor names the value that a repeated panel stands for, "" for others.
func (a *Asked) repeatedFor() string {
	name := a.Panel.Repeat.Value
	if name == "" && a.Panel.Row != nil {
		name = a.Panel.Row.Repeat.Value
	}
	if name == "" {
		return ""
	}
	v, ok := a.Scope.Lookup(name)
	if !ok {
		return ""
	}
	return fmt.Sprintf("%s = %s", name, strings.Join(v.Values, ", "))
}
