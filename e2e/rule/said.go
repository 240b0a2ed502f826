package rule

import (
	"slices"

	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/stack"
	"github.com/panelgate/panelgate/stack/source"
)

// said says whether the files alone have told the cause of something already: an
// error of one of these rules in a file, or in any where file is "". One that the
// configuration has made milder does not count, as it does not stop a merge.
func (in *Live) said(file string, rules ...string) bool {
	return slices.ContainsFunc(in.Said, func(f Finding) bool {
		return f.Severity == Error && slices.Contains(rules, f.Rule) && (file == "" || f.Pos.File == file)
	})
}

// saidAt says whether the files alone have told something of a rule at a place.
func (in *Live) saidAt(pos source.Pos, id string) bool {
	return slices.ContainsFunc(in.Said, func(f Finding) bool { return f.Rule == id && f.Pos == pos })
}

// saidOfMounts says whether the files alone have told that a service lacks what a
// mount should bring.
func (in *Live) saidOfMounts(s *stack.Service) bool {
	return s != nil && slices.ContainsFunc(in.Said, func(f Finding) bool {
		return f.Severity == Error && (f.Rule == "stack/mount-missing" || f.Rule == "stack/compose-invalid") &&
			slices.ContainsFunc(s.Mounts, func(m stack.Mount) bool { return m.Pos == f.Pos })
	})
}

// down says whether a server of the stack ended instead of coming up: a finding of
// its own says so, and whatever follows from it is not repeated for every panel.
func (in *Live) down(role env.Role) bool {
	return slices.ContainsFunc(in.Instance.Faults, func(f env.Fault) bool { return f.Role == role })
}

// behindFault says whether a datasource leads to a Prometheus that did not come up.
func (in *Live) behindFault(ds *stack.Datasource) bool {
	return in.down(env.RolePrometheus) && Elsewhere(in.Stack, ds) == ""
}

// servedOrg is the organisation that Grafana was asked in.
func (in *Live) servedOrg() int64 {
	if in.Served != nil && len(in.Served.Datasources) > 0 && in.Served.Datasources[0].OrgID != 0 {
		return in.Served.Datasources[0].OrgID
	}
	return 1
}
