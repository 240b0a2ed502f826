package rule

import (
	"slices"
	"strings"

	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/e2e/grafana"
	"github.com/panelgate/panelgate/stack"
	"github.com/panelgate/panelgate/stack/source"
)

// upgradeRules are the rules about a stack that starts on what an older revision of
// it has kept. Each is silent where there was none.
func upgradeRules() []Rule {
	return []Rule{
		upgradeServerFailed(),
		upgradeDataLost(),
		upgradeDatasourceRefused(),
		upgradeDatasourceLost(),
		upgradeDashboardUIDChanged(),
		upgradeDashboardLeftOver(),
	}
}

// faultOnOldData is why a server does not come up on what the older revision has
// kept, nil where it does, or would not come up on anything.
func (in *Live) faultOnOldData(role env.Role) *env.Fault {
	for i, f := range in.Instance.Faults {
		if f.Role == role && f.OnOldData {
			return &in.Instance.Faults[i]
		}
	}
	return nil
}

// upgraded says whether a Grafana runs on what an older revision has kept, and what
// it serves.
func (in *Live) upgraded() bool { return in.Instance.Before != nil && in.Served != nil }

// keepsGrafana says whether Grafana finds the database that the older revision's
// had: where it does not, upgrade/data-lost says all.
func (in *Live) keepsGrafana() bool {
	return in.Instance.Before != nil && !slices.ContainsFunc(in.Instance.Before.Left, func(l env.Left) bool { return l.Role == env.RoleGrafana })
}

// hit finds a dashboard of a list by its uid.
func hit(list []grafana.Hit, uid string) bool {
	return slices.ContainsFunc(list, func(h grafana.Hit) bool { return h.UID == uid })
}

// filedAs says whether a dashboard that Grafana lists is one of the files.
func filedAs(s *stack.Stack, h grafana.Hit) bool {
	return slices.ContainsFunc(s.Dashboards, func(b *stack.Board) bool {
		return b.UID.Value == h.UID || b.UID.Value == "" && b.Title.Value == h.Title
	})
}

// heir is the dashboard of the files that took the place of one of the older
// revision: it has its title, and a uid that nobody had then.
func heir(in *Live, h grafana.Hit) *stack.Board {
	for _, b := range in.Stack.Dashboards {
		if b.Title.Value == h.Title && b.UID.Value != "" && !hit(in.Instance.Before.Dashboards, b.UID.Value) {
			return b
		}
	}
	return nil
}

// grafanaPos is the best place for what concerns Grafana as a whole.
func grafanaPos(s *stack.Stack) source.Pos {
	switch {
	case s.Grafana != nil && s.Grafana.Service != nil:
		return s.Grafana.Service.Pos
	case s.Compose != nil:
		return source.Pos{File: s.Compose.File}
	}
	return source.Pos{File: "."}
}

// complaints are the lines of a log that say what is wrong, at most two; its last
// ones where none says so.
func complaints(log []string) []string {
	var out []string
	for _, line := range log {
		for _, mark := range []string{"level=error", "level=eror", "lvl=eror", "level=crit", "level=fatal", "level=ERROR", `"level":"error"`, "panic:", "rror: "} {
			if strings.Contains(line, mark) {
				out = append(out, strings.TrimSpace(line))
				break
			}
		}
	}
	if len(out) == 0 {
		out = log
	}
	return out[max(0, len(out)-2):]
}

// mentioning are the lines of a log that hold a text, at most the last two.
func mentioning(log []string, text string) []string {
	out := slices.DeleteFunc(slices.Clone(log), func(line string) bool { return !strings.Contains(line, text) })
	return out[max(0, len(out)-2):]
}
