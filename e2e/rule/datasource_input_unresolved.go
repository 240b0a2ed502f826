package rule

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/panelgate/panelgate/stack"
	"github.com/panelgate/panelgate/stack/dashboard"
	"github.com/panelgate/panelgate/stack/source"
)

// datasourceInputUnresolved proves that a dashboard exported "for sharing
// externally" was filled in: the import dialog does that, file provisioning does not.
func datasourceInputUnresolved() Rule {
	return Rule{
		ID:       "datasource/input-unresolved",
		Severity: Error,
		Summary:  "${DS_…} or another input of an export was left in a provisioned dashboard",
		Static: func(in *Static) []Finding {
			var out []Finding
			for _, b := range readable(in.Boards) {
				out = append(out, unresolvedInputs(in, b)...)
			}
			return out
		},
	}
}

// inputForm is how an export refers to its inputs. Their names hold whatever the
// datasource's name held.
var inputForm = regexp.MustCompile(`\$\{([^{}:]+)(?::[^{}]*)?\}|\$(\w+)`)

// inputUses are the places that name one input.
type inputUses struct {
	name  string
	first source.Pos // in the file
	place dashboard.Place
	count int
	parts []Replacement   // where it stands, as yet without what belongs there
	types map[string]bool // what the references say of the plugin
}

func (u *inputUses) add(p dashboard.Place, pos, end source.Pos) {
	u.parts = append(u.parts, Replacement{From: pos, To: end})
	if typ := refType(p); typ != "" {
		u.types[typ] = true
	}
	if u.count == 0 || pos.Line < u.first.Line || pos.Line == u.first.Line && pos.Column < u.first.Column {
		u.first, u.place = pos, p
	}
	u.count++
}

func unresolvedInputs(in *Static, b *Board) []Finding {
	var out []Finding
	used := usedInputs(in, b.Dashboard)
	for _, u := range used {
		out = append(out, inputFinding(in.Stack, b, u))
	}
	for _, i := range b.Inputs {
		name := i.Name.Value
		if boardVariable(b.Dashboard, name) != nil || slices.ContainsFunc(used, func(u *inputUses) bool { return u.name == name }) {
			continue
		}
		f := onBoard(b.Dashboard, i.Name.Pos)
		f.Message = fmt.Sprintf("the export's input %q is still listed, though nothing of the dashboard uses it: the file is an export to be imported by hand", name)
		f.Fix = "remove __inputs"
		f.Repair = &Repair{What: fmt.Sprintf("the input %q is removed", name), Remove: listedAt(b.Dashboard, name)}
		out = append(out, f)
	}
	return out
}

// usedInputs lists the inputs that the dashboard refers to and no variable
// defines, in the order of the dashboard's texts.
func usedInputs(in *Static, d *dashboard.Dashboard) []*inputUses {
	var out []*inputUses
	for _, p := range in.texts(d) {
		if len(d.Inputs) == 0 && !strings.Contains(p.Text.Value, "DS_") {
			continue // it can be none, see isInput
		}
		for _, m := range inputForm.FindAllStringSubmatchIndex(p.Text.Value, -1) {
			group := max(m[2], m[4]) // of the two, one is absent: -1
			end := max(m[3], m[5])
			name := p.Text.Value[group:end]
			if !isInput(d, name) {
				continue
			}
			i := slices.IndexFunc(out, func(u *inputUses) bool { return u.name == name })
			if i < 0 {
				i = len(out)
				out = append(out, &inputUses{name: name, types: map[string]bool{}})
			}
			out[i].add(p, p.Text.PosAt(m[0]), p.Text.PosAt(m[1]))
		}
	}
	return out
}

// isInput says whether a name is one of an export's, listed or of the form of
// their datasources, that no variable has.
func isInput(d *dashboard.Dashboard, name string) bool {
	return boardVariable(d, name) == nil && (strings.HasPrefix(name, "DS_") || inputOf(d, name) != nil)
}

// isLeftInput says whether a reference to a datasource is an input of an export.
func isLeftInput(d *dashboard.Dashboard, key string) bool {
	for _, m := range inputForm.FindAllStringSubmatch(key, -1) {
		if isInput(d, m[1]+m[2]) {
			return true
		}
	}
	return false
}

func inputOf(d *dashboard.Dashboard, name string) *dashboard.Input {
	for i := range d.Inputs {
		if d.Inputs[i].Name.Value == name {
			return &d.Inputs[i]
		}
	}
	return nil
}

func inputFinding(s *stack.Stack, b *Board, u *inputUses) Finding {
	f := onPanel(b.Dashboard, u.place.Panel, u.first)
	if u.place.Target != nil {
		f.RefID = u.place.Target.RefID.Value
	}
	f.Message = fmt.Sprintf("${%s} is filled in by the import dialog only: from a file Grafana takes it as it stands (%s)", u.name, places(u.count))
	typ := ""
	if i := inputOf(b.Dashboard, u.name); i != nil {
		typ = i.PluginID.Value
		f.Evidence = []string{fmt.Sprintf("an input of the export, at %s", i.Name.Pos)}
	}
	if !strings.HasPrefix(u.name, "DS_") && typ == "" {
		f.Fix = fmt.Sprintf("replace ${%s} by its value everywhere, or define a variable of that name", u.name)
		return f
	}
	f.Repair = filledIn(s, b, u, typ)
	f.Fix = fmt.Sprintf("replace ${%s} by the uid of a provisioned datasource everywhere, or define a datasource variable of that name", u.name)
	if ds := suggestedDatasource(strings.TrimPrefix(u.name, "DS_"), typ, s.Datasources); ds != nil {
		f.Fix = fmt.Sprintf("replace ${%s} by %q, the uid of datasource %q, everywhere, or define a datasource variable of that name",
			u.name, ds.EffectiveUID, ds.Name.Value)
	}
	return f
}

// refType is the plugin that a reference to a datasource names beside its uid.
func refType(p dashboard.Place) string {
	var ref *dashboard.Ref
	switch {
	case p.Target != nil:
		ref = p.Target.Datasource
	case p.Panel != nil:
		ref = p.Panel.Datasource
	case p.Variable != nil:
		ref = p.Variable.Datasource
	case p.Annotation != nil:
		ref = p.Annotation.Datasource
	}
	if ref == nil || ref.Key().Pos != p.Text.Pos {
		return ""
	}
	return ref.Type.Value
}

// filledIn does what the import dialog would, where only one datasource can be
// meant; nil elsewhere.
func filledIn(s *stack.Stack, b *Board, u *inputUses, typ string) *Repair {
	ds := inputDatasource(s, b, u, typ)
	if ds == nil {
		return nil
	}
	lit := quoted(ds.EffectiveUID)
	out := &Repair{What: fmt.Sprintf("${%s} becomes %q", u.name, ds.EffectiveUID), Remove: listedAt(b.Dashboard, u.name)}
	for _, part := range u.parts {
		part.With = lit[1 : len(lit)-1] // inside of a string
		out.Replace = append(out.Replace, part)
	}
	return out
}

// inputDatasource is the only datasource that an input can mean: the one of its
// plugin, or that whose name the export made the input's name of.
func inputDatasource(s *stack.Stack, b *Board, u *inputUses, typ string) *stack.Datasource {
	var fitting, named []*stack.Datasource
	for _, ds := range s.Datasources {
		if b.Provider != nil && ds.OrgID != b.Provider.OrgID || typ != "" && ds.Type.Value != typ ||
			len(u.types) > 0 && (len(u.types) > 1 || !u.types[ds.Type.Value]) {
			continue
		}
		if typ != "" || len(u.types) > 0 || strings.EqualFold("DS_"+ds.Type.Value, u.name) {
			fitting = append(fitting, ds)
		}
		if exportedName(ds.Name.Value) == u.name {
			named = append(named, ds)
		}
	}
	if len(fitting) == 1 {
		return fitting[0]
	}
	if len(named) == 1 {
		return named[0]
	}
	return nil
}

// exportedName is what an export calls the input for a datasource.
func exportedName(name string) string {
	return "DS_" + strings.ToUpper(strings.ReplaceAll(name, " ", "_"))
}

// listedAt is where __inputs lists an input.
func listedAt(d *dashboard.Dashboard, name string) []source.Pos {
	var out []source.Pos
	for _, n := range d.Root.Get("__inputs").Items() {
		if n.Get("name").Scalar() == name {
			out = append(out, n.Pos())
		}
	}
	return out
}
