package rule

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/panelgate/panelgate/e2e/grafana"
	"github.com/panelgate/panelgate/e2e/nearest"
	"github.com/panelgate/panelgate/e2e/query"
	"github.com/panelgate/panelgate/stack"
	"github.com/panelgate/panelgate/stack/dashboard"
	"github.com/panelgate/panelgate/stack/source"
)

// datasourceUIDUnknown proves that whatever names a datasource names one that
// the stack provisions. Grafana paints such a panel red.
func datasourceUIDUnknown() Rule {
	return Rule{
		ID:       "datasource/uid-unknown",
		Severity: Error,
		Summary:  "a panel, target, variable or annotation names a datasource that is not provisioned",
		Static: func(in *Static) []Finding {
			var out []Finding
			s := in.Stack
			if in.Running != nil {
				with := *s
				with.Datasources = in.Running
				s = &with
			}
			for _, b := range readable(in.Boards) {
				out = append(out, lostReferences(s, b)...)
				out = append(out, otherOrganisations(in.Stack, b)...)
			}
			return append(out, lostByAlerts(s)...)
		},
		Live: func(in *Live) []Finding {
			var out []Finding
			seen := map[source.Pos]bool{}
			for _, a := range in.Asked {
				f := lostWhenAsked(in.Stack, a)
				if f == nil {
					f = unknownToGrafana(in, a)
				}
				if f != nil && !seen[f.Pos] {
					seen[f.Pos] = true
					out = append(out, *f)
				}
			}
			return out
		},
	}
}

// otherOrganisations are the datasources that a dashboard uses and that are
// provisioned to another organisation than the dashboard, where it cannot see them.
func otherOrganisations(s *stack.Stack, b *Board) []Finding {
	var out []Finding
	seen := map[*stack.Datasource]bool{}
	for _, r := range datasourceRefs(b) {
		ds, err := r.resolve(s)
		if err != nil || ds == nil || seen[ds] || b.Provider == nil || ds.OrgID == b.Provider.OrgID {
			continue
		}
		seen[ds] = true
		f := onBoard(b.Dashboard, r.pos())
		f.Message = fmt.Sprintf("datasource %q is provisioned to organisation %d, and the dashboard to %d, where it is not seen",
			ds.Name.Value, ds.OrgID, b.Provider.OrgID)
		f.Evidence = []string{"the datasource: " + ds.Pos.String(), "the dashboard's provider: " + b.Provider.Pos.String()}
		f.Fix = "give both the same orgId"
		out = append(out, f)
	}
	return out
}

// lostRef is a reference that leads nowhere.
type lostRef struct {
	datasourceRef
	err error
	// through is the datasource variable that offers nothing, "" for none.
	through string
}

// lostReferences groups the references of a dashboard that have one mistake in
// common: one name within a panel, one empty variable, one missing default.
func lostReferences(s *stack.Stack, b *Board) []Finding {
	var order []string
	groups := map[string][]lostRef{}
	for _, r := range datasourceRefs(b) {
		l, ok := lost(s, r)
		if !ok {
			continue
		}
		key := l.group(s)
		if groups[key] == nil {
			order = append(order, key)
		}
		groups[key] = append(groups[key], l)
	}
	var out []Finding
	for _, key := range order {
		out = append(out, groupFinding(s, groups[key]))
	}
	return out
}

// lost says whether a reference leads nowhere, as far as the files tell.
func lost(s *stack.Stack, r datasourceRef) (lostRef, bool) {
	_, err := r.resolve(s)
	if err == nil {
		return lostRef{}, false
	}
	known, unknown := r.variables()
	if unknown || isLeftInput(r.board.Dashboard, r.ref.Key().Value) {
		return lostRef{}, false // variable/undefined, datasource/input-unresolved
	}
	l := lostRef{datasourceRef: r, err: err}
	for _, name := range known {
		if !r.board.Guessed[name] {
			continue
		}
		if v := boardVariable(r.board.Dashboard, name); v == nil || v.Type.Value != "datasource" {
			return lostRef{}, false // its value comes from a server
		}
		l.through = name
	}
	return l, true
}

// group is the same for references that one change mends.
func (l lostRef) group(s *stack.Stack) string {
	switch {
	case len(s.Datasources) == 0:
		return "none at all"
	case l.through != "":
		return "variable " + l.through
	case l.isDefault():
		return "default"
	case l.panel != nil:
		return fmt.Sprintf("panel %p %s", l.panel, l.err)
	default:
		return l.owner() + " " + l.pos().String()
	}
}

func (l lostRef) isDefault() bool {
	key := l.ref.Key().Value
	return key == "" || key == "default"
}

func groupFinding(s *stack.Stack, group []lostRef) Finding {
	first := group[0]
	f := first.finding()
	switch {
	case len(s.Datasources) == 0:
		return noneProvisioned(s, f, group)
	case first.through != "":
		return nothingOffered(s, first, group)
	case first.isDefault():
		return noDefault(s, f, group)
	}
	f.Message = fmt.Sprintf("%s: %s", first.owner(), first.err)
	f.Evidence = []string{provisionedDatasources(s.Datasources)}
	if others := otherPlaces(group); others != "" {
		f.Evidence = append(f.Evidence, others)
	}
	suggest(s, &f, first)
	f.Repair = renamed(s, group)
	return f
}

// renamed puts the datasource that is meant in the place of each reference of a
// group, those of the panel's hidden targets included; nil where it is not certain.
func renamed(s *stack.Stack, group []lostRef) *Repair {
	out := &Repair{}
	replace := func(ref *dashboard.Ref, ds *stack.Datasource) {
		name := nameIn(ref, ds)
		out.What = fmt.Sprintf("%q becomes %q", ref.Key().Value, name)
		out.Replace = append(out.Replace, Replacement{From: ref.Key().Pos, With: quoted(name)})
	}
	typ, certain := agreedType(group)
	if !certain {
		return nil
	}
	for _, l := range group {
		key := l.ref.Key()
		ds := meantDatasource(s, l.board, key.Value, typ)
		if key.Pos.IsZero() || ds == nil {
			return nil
		}
		replace(l.ref, ds)
		if l.panel == nil || l.ref != group[0].ref {
			continue
		}
		for _, t := range l.panel.Targets {
			if t.Hide && t.Datasource.Key().Value == key.Value && !slices.ContainsFunc(group, func(o lostRef) bool { return o.ref == t.Datasource }) {
				replace(t.Datasource, ds)
			}
		}
	}
	return out
}

// suggest names the datasource that is meant, where that can be told.
func suggest(s *stack.Stack, f *Finding, r lostRef) {
	key, typ := r.ref.Key().Value, r.ref.Type.Value
	var missing *query.DatasourceError
	if errors.As(r.err, &missing) {
		key = missing.Resolved
	}
	if ds := suggestedDatasource(key, typ, s.Datasources); ds != nil {
		if len(nearest.Names(key, []string{ds.EffectiveUID, ds.Name.Value}, 1)) > 0 {
			f.Message += ", nearest: " + ds.EffectiveUID
		}
		f.Fix = fmt.Sprintf("set uid %q, which is datasource %q", ds.EffectiveUID, ds.Name.Value)
		return
	}
	f.Fix = fmt.Sprintf("name the uid of a provisioned datasource, or provision one with uid: %s", key)
}

// agreedType is the plugin that those references of a group name which name one, ""
// for none; certain is false where they differ.
func agreedType(group []lostRef) (typ string, certain bool) {
	for _, l := range group {
		switch own := l.ref.Type.Value; {
		case own == "" || own == typ:
		case typ == "":
			typ = own
		default:
			return "", false
		}
	}
	return typ, true
}

func otherPlaces(group []lostRef) string {
	var ids []string
	for _, l := range group[1:] {
		if l.target != nil && l.target != group[0].target {
			ids = append(ids, fmt.Sprintf("%s (%s)", l.target.RefID.Value, l.pos()))
		}
	}
	if len(ids) == 0 {
		return ""
	}
	return "the same in target " + strings.Join(ids, ", ")
}

func noneProvisioned(s *stack.Stack, f Finding, group []lostRef) Finding {
	f.Message = fmt.Sprintf("no datasource is provisioned, and %s of this dashboard ask one", places(len(group)))
	f.Fix = "provision the datasource in a YAML file under provisioning/datasources"
	if slices.ContainsFunc(s.Problems, func(p stack.Problem) bool { return p.Area == stack.AreaDatasource }) {
		f.Fix = "mend the datasource provisioning, which does not load"
	}
	return f
}

func noDefault(s *stack.Stack, f Finding, group []lostRef) Finding {
	f.Message = fmt.Sprintf("%s of this dashboard leave the datasource to the default, and none is marked isDefault", places(len(group)))
	f.Evidence = []string{provisionedDatasources(s.Datasources)}
	f.Fix = "name the datasource's uid here, or set isDefault: true on one"
	if ds := suggestedDatasource("", "prometheus", s.Datasources); ds != nil {
		f.Fix = fmt.Sprintf("name the uid %q here, or set isDefault: true on datasource %q", ds.EffectiveUID, ds.Name.Value)
	}
	return f
}

// nothingOffered is about a datasource variable, and so stands at its place.
func nothingOffered(s *stack.Stack, first lostRef, group []lostRef) Finding {
	v := boardVariable(first.board.Dashboard, first.through)
	f := onBoard(first.board.Dashboard, v.Pos)
	if !v.Query.Pos.IsZero() {
		f.Pos = v.Query.Pos
	}
	f.Message = fmt.Sprintf("variable %q offers no datasource: none of type %q is provisioned, and %s of this dashboard ask it",
		first.through, v.Query.Value, places(len(group)))
	if v.Regex.Value != "" {
		f.Message = fmt.Sprintf("variable %q offers no datasource: none of type %q has a name that matches %s, and %s of this dashboard ask it",
			first.through, v.Query.Value, v.Regex.Value, places(len(group)))
	}
	f.Evidence = []string{provisionedDatasources(s.Datasources)}
	f.Fix = fmt.Sprintf("provision a datasource of type %q, or let the variable ask for a type that is", v.Query.Value)
	return f
}

func places(n int) string {
	if n == 1 {
		return "1 place"
	}
	return fmt.Sprintf("%d places", n)
}

// lostWhenAsked is a reference whose variable only a server could fill: its
// value turned out to be no datasource.
func lostWhenAsked(s *stack.Stack, a *Asked) *Finding {
	if a.RefErr == nil || a.Target == nil {
		return nil
	}
	r := datasourceRef{board: a.Board, ref: a.Target.Datasource, panel: a.Panel, target: a.Target}
	if r.ref.Key().Value == "" {
		r.ref = a.Panel.Datasource
	}
	if known, unknown := r.variables(); unknown || len(known) == 0 {
		return nil // the files told
	}
	if _, static := lost(s, r); static {
		return nil // the same
	}
	f := r.finding()
	f.Message = fmt.Sprintf("%s: %s", r.owner(), a.RefErr)
	f.Evidence = []string{provisionedDatasources(s.Datasources)}
	suggest(s, &f, lostRef{datasourceRef: r, err: a.RefErr})
	return &f
}

// unknownToGrafana is a query to a datasource that the files have and that Grafana
// says it has not, nil where a finding about the datasource itself says so.
func unknownToGrafana(in *Live, a *Asked) *Finding {
	if a.Grafana == nil || !errors.Is(a.Grafana.Err, grafana.ErrUnknownDatasource) || a.Target == nil || a.Expression {
		return nil
	}
	if a.Datasource != nil && notTaken(in, a.Datasource) {
		return nil // datasource/invalid
	}
	r := askedRef(a)
	if in.saidAt(r.pos(), "datasource/uid-unknown") {
		return nil
	}
	key := r.ref.Key().Value
	if a.Datasource != nil {
		key = a.Datasource.EffectiveUID
	}
	f := r.finding()
	f.Message = fmt.Sprintf("%s: Grafana has no datasource of uid %q", r.owner(), key)
	f.Evidence = []string{"Grafana: " + oneLine(a.Grafana.Err.Error())}
	f.Fix = "name the uid of a datasource that Grafana has, or provision one of this uid"
	if in.Served == nil {
		return &f
	}
	f.Evidence = append(f.Evidence, servedDatasources(in.Served))
	var uids []string
	for _, ds := range in.Served.Datasources {
		uids = append(uids, ds.UID)
	}
	if near := nearest.Names(key, uids, 1); len(near) > 0 {
		f.Message += ", nearest: " + near[0]
		f.Fix = fmt.Sprintf("set uid %q", near[0])
	}
	return &f
}

// askedRef is the reference by which a query came to its datasource.
func askedRef(a *Asked) datasourceRef {
	r := datasourceRef{board: a.Board, ref: a.Target.Datasource, panel: a.Panel, target: a.Target}
	if r.ref.Key().Value == "" && a.Panel.Datasource.Key().Value != dashboard.RefMixed {
		r.ref = a.Panel.Datasource
	}
	return r
}

// lostByAlerts are the steps of Grafana's alert rules that name a datasource by a
// uid that none has: an alert rule knows them by nothing else.
func lostByAlerts(s *stack.Stack) []Finding {
	var out []Finding
	for _, r := range s.Alerts {
		for _, q := range r.Data {
			uid := q.DatasourceUID
			if q.IsExpression() || uid.Value == "grafana" || uid.Value == "-- Grafana --" || slices.ContainsFunc(s.Datasources, func(ds *stack.Datasource) bool { return ds.EffectiveUID == uid.Value }) {
				continue
			}
			f := onAlert(r, q)
			if f.Pos = uid.Pos; uid.Pos.IsZero() {
				f.Pos = q.Pos
			}
			f.Message = fmt.Sprintf("step %s of the alert asks the datasource of uid %q, which is not provisioned", q.RefID.Value, uid.Value)
			f.Evidence = []string{provisionedDatasources(s.Datasources)}
			f.Fix = "name the uid of a provisioned datasource"
			if ds := suggestedDatasource(uid.Value, "prometheus", s.Datasources); ds != nil {
				f.Fix = fmt.Sprintf("set datasourceUid: %s, which is datasource %q", ds.EffectiveUID, ds.Name.Value)
			}
			out = append(out, f)
		}
	}
	return out
}
