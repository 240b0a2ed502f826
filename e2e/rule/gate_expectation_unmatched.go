package rule

import (
	"fmt"
	"strings"

	"github.com/panelgate/panelgate/stack"
	"github.com/panelgate/panelgate/stack/source"
)

// gateExpectationUnmatched proves that each expectation speaks of something that is
// there, whether it is checked in this run or not.
func gateExpectationUnmatched() Rule {
	return Rule{
		ID:       "gate/expectation-unmatched",
		Severity: Error,
		Summary:  "an expectation of panelgate.yml names a dashboard, panel or query that is not there",
		Static: func(in *Static) []Finding {
			var out []Finding
			for _, e := range in.Expectations {
				m := nowhere(in.Stack, e.Dashboard, e.Panel, e.RefID)
				if m == nil || m.what == "dashboard" && unread(in.Stack) {
					continue
				}
				f := onEntry(m.name.Pos, e.Dashboard, e.Panel, e.RefID)
				f.Message = fmt.Sprintf("the expectation speaks of %s, which is not there", m)
				f.Evidence, f.Fix = m.evidence(), m.fix("expectation")
				out = append(out, f)
			}
			return out
		},
	}
}

// unread says whether some dashboard could not be read: it may be the one that is
// meant, and dashboard/invalid tells of it.
func unread(s *stack.Stack) bool { return len(problems(s, stack.AreaDashboard)) > 0 }

// String names what is not there.
func (m *missing) String() string {
	if m.what == "query" {
		return fmt.Sprintf("query %q of the panel", m.name.Value)
	}
	return fmt.Sprintf("%s %q", m.what, m.name.Value)
}

func (m *missing) evidence() []string {
	switch {
	case len(m.near) == 0:
		return nil
	case m.what == "query":
		return []string{"its queries: " + strings.Join(m.near, ", ")}
	}
	return []string{"nearest: " + strings.Join(m.near, ", ")}
}

// fix proposes the nearest name for one that an entry of panelgate.yml got wrong.
func (m *missing) fix(entry string) string {
	key := m.what
	if key == "query" {
		key = "ref_id"
	}
	if len(m.near) > 0 {
		return fmt.Sprintf("write %s: %q, if that is what is meant, or remove the %s", key, m.near[0], entry)
	}
	return "remove the " + entry + ", or name what is there"
}

// onEntry starts a finding about an entry of panelgate.yml.
func onEntry(pos source.Pos, board, panel, refID source.Text) Finding {
	return Finding{Pos: pos, Dashboard: board.Value, Panel: panel.Value, RefID: refID.Value}
}
