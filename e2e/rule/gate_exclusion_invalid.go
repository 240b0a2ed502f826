package rule

import (
	"errors"
	"fmt"

	"github.com/panelgate/panelgate/e2e/nearest"
	"github.com/panelgate/panelgate/stack/dashboard"
)

// gateExclusionInvalid proves that each exclusion in an expression names a rule and
// says why: one that does not excludes nothing. Those of panelgate.yml are refused
// when it is read.
func gateExclusionInvalid() Rule {
	return Rule{
		ID:       "gate/exclusion-invalid",
		Severity: Error,
		Summary:  "a panelgate:ignore comment in an expression gives no reason, or names no rule",
		Static: func(in *Static) []Finding {
			var out []Finding
			eachDirective(in, func(b *Board, p *dashboard.Panel, t *dashboard.Target, d directive) {
				err := d.fault()
				if err == nil {
					return
				}
				f := onPanel(b.Dashboard, p, t.Expr.PosAt(d.offset))
				f.RefID, f.Expr = t.RefID.Value, t.Expr.Value
				f.Message = "the comment excludes nothing: " + err.Error()
				f.Fix = "write # " + mark + " RULE -- and why the finding is to stay, or remove the comment"
				out = append(out, f)
			})
			return out
		},
	}
}

// fault is what is wrong with a directive, nil for one that holds.
func (d directive) fault() error {
	if len(d.rules) == 0 {
		return errors.New("it names no rule")
	}
	var ids []string
	for _, name := range d.rules {
		if _, ok := Lookup(name); ok {
			continue
		}
		for _, r := range All() {
			ids = append(ids, r.ID)
		}
		return fmt.Errorf("there is no rule %q%s", name, nearest.Hint(name, ids))
	}
	if d.why == "" {
		return errors.New("it gives no reason")
	}
	return nil
}

// eachDirective visits the exclusions in the expressions of the chosen dashboards.
func eachDirective(in *Static, visit func(*Board, *dashboard.Panel, *dashboard.Target, directive)) {
	for _, b := range readable(in.Boards) {
		for _, p := range b.Panels {
			for _, t := range p.Targets {
				for _, d := range directivesIn(t.Expr.Value) {
					visit(b, p, t, d)
				}
			}
		}
	}
}
