package rule

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/e2e/grafana"
	"github.com/panelgate/panelgate/stack"
	"github.com/panelgate/panelgate/stack/source"
)

// datasourceInvalid proves that Grafana can read its datasource provisioning: it
// does not start with a file that it cannot.
func datasourceInvalid() Rule {
	return Rule{
		ID:       "datasource/invalid",
		Severity: Error,
		Summary:  "a datasource provisioning file does not load, or holds what Grafana refuses",
		Static: func(in *Static) []Finding {
			return provisioningProblems(in.Stack, stack.AreaDatasource)
		},
		Live: func(in *Live) []Finding {
			var out []Finding
			for _, r := range refusals(in, "datasource/invalid") {
				if f := refusedDatasource(in, r); f != nil {
					out = append(out, *f)
				}
			}
			for _, ds := range in.Stack.Datasources {
				if notTaken(in, ds) && !in.said(ds.Pos.File, "datasource/invalid") && !in.said("", "datasource/duplicate") {
					out = append(out, notTakenOver(in, ds))
				}
			}
			return out
		},
	}
}

// refusedDatasource is what Grafana did not start over, nil where the files alone
// have told it.
func refusedDatasource(in *Live, r refusal) *Finding {
	pos := r.datasourcePlace(in)
	if in.said(pos.File, "datasource/invalid", "datasource/duplicate") {
		return nil
	}
	f := &Finding{Pos: r.orService(pos), Message: "Grafana does not start over its datasources: " + r.words, Evidence: r.tail(),
		Fix: "mend what is named: Grafana does not start before"}
	for _, known := range []struct{ text, fix string }{
		{"permission denied", "let the user that Grafana runs as, 472 in its images, read the file"},
		{"marked as default", "leave isDefault: true on one datasource of the organisation"},
		{"same uid", "give each datasource a uid of its own"},
		{"same name", "give each datasource a name of its own"},
		{"data source not found", "keep the uid that the datasource has in Grafana's volume, or remove the old one first: deleteDatasources: [{name: NAME, orgId: 1}]"},
		{"org.notFound", "set orgId: 1: an organisation cannot be provisioned by files"},
		{"unique identifier", "give each entry a name and an orgId"},
	} {
		if strings.Contains(r.words, known.text) {
			f.Fix = known.fix
			break
		}
	}
	return f
}

var quotedDatasource = regexp.MustCompile(`"([^"]+)" data ?source`)

// datasourcePlace is where the datasource or the file stands that Grafana's words
// are about.
func (r refusal) datasourcePlace(in *Live) source.Pos {
	s, dir := in.Stack, ""
	if s.Grafana != nil {
		dir = s.Grafana.DatasourceDir
	}
	if pos, ok := r.place(s, dir); ok {
		return pos
	}
	named := quotedDatasource.FindStringSubmatch(r.words)
	files, defaults, uids := map[string]bool{}, map[int64]bool{}, map[string]bool{}
	for _, ds := range s.Datasources {
		files[ds.Pos.File] = true
		switch {
		case named != nil && ds.Name.Value == named[1]:
			return ds.Pos
		case strings.Contains(r.words, "marked as default") && ds.IsDefault && defaults[ds.OrgID]:
			return orPos(ds.Node.Get("isDefault").Pos(), ds.Pos)
		case strings.Contains(r.words, "same uid") && uids[ds.EffectiveUID],
			strings.Contains(r.words, "data source not found") && movedUID(in.Instance.Before, ds):
			return orPos(ds.UID.Pos, ds.Pos)
		}
		defaults[ds.OrgID] = defaults[ds.OrgID] || ds.IsDefault
		uids[ds.EffectiveUID] = true
	}
	if len(files) == 1 { // it can be no other
		return atLine(r.words, s.Datasources[0].Pos.File)
	}
	if file, ok := relative(s, dir); ok {
		return source.Pos{File: file}
	}
	return source.Pos{}
}

// movedUID says whether a datasource had another uid before.
func movedUID(before *env.Before, ds *stack.Datasource) bool {
	return before != nil && slices.ContainsFunc(before.Datasources, func(b grafana.Datasource) bool {
		return b.Name == ds.Name.Value && b.UID != ds.EffectiveUID
	})
}

// urlPlace is where a datasource's url stands. One that only Grafana knows has none.
func urlPlace(ds *stack.Datasource) source.Pos {
	return orPos(ds.URL.Pos, orPos(ds.Pos, source.Pos{File: "."}))
}

// behindNotTaken says whether a query failed because it is put through Grafana by a
// uid that Grafana lacks: datasource/invalid says so.
func behindNotTaken(in *Live, ds *stack.Datasource) bool {
	return ds != nil && in.Instance.Proxied != nil && notTaken(in, ds)
}

func orPos(pos, fallback source.Pos) source.Pos {
	if pos.IsZero() {
		return fallback
	}
	return pos
}

// notTaken says whether a running Grafana lacks a datasource of the files.
func notTaken(in *Live, ds *stack.Datasource) bool {
	return in.Served != nil && ds.OrgID == in.servedOrg() && in.Served.datasource(ds.EffectiveUID) == nil
}

// datasource is Grafana's own datasource of a uid, nil where it has none.
func (s *Served) datasource(uid string) *grafana.Datasource {
	for i := range s.Datasources {
		if s.Datasources[i].UID == uid {
			return &s.Datasources[i]
		}
	}
	return nil
}

func notTakenOver(in *Live, ds *stack.Datasource) Finding {
	f := Finding{
		Pos:     orPos(ds.UID.Pos, ds.Pos),
		Message: fmt.Sprintf("Grafana has not taken over datasource %q: it has none of uid %q", ds.Name.Value, ds.EffectiveUID),
		Fix:     "see that the compose file mounts this file where Grafana reads its datasources, and that Grafana has been started since",
	}
	for _, has := range in.Served.Datasources {
		if has.Name == ds.Name.Value {
			f.Message += fmt.Sprintf(", and one of that name with uid %q", has.UID)
			f.Fix = fmt.Sprintf("set uid: %s, or have Grafana forget the old one: deleteDatasources: [{name: %s, orgId: %d}]", has.UID, yamlWord(has.Name), ds.OrgID)
		}
	}
	f.Evidence = append(f.Evidence, servedDatasources(in.Served))
	if n := asking(in, ds); n > 0 {
		f.Evidence = append(f.Evidence, fmt.Sprintf("queries of the panels that ask it: %d", n))
	}
	f.Evidence = append(f.Evidence, logAbout(in.Served.Log, func(l logLine) bool {
		return strings.Contains(l.fields["logger"]+l.text, "datasources") && (l.mentions(ds.Name.Value) || l.mentions(ds.EffectiveUID))
	})...)
	return f
}

// asking is how many queries go to a datasource.
func asking(in *Live, ds *stack.Datasource) int {
	n := 0
	for _, a := range in.Asked {
		if a.Datasource == ds && a.Skip == "" {
			n++
		}
	}
	return n
}

// servedDatasources lists what Grafana has, for a finding's evidence.
func servedDatasources(s *Served) string {
	if len(s.Datasources) == 0 {
		return "Grafana has no datasource"
	}
	var out []string
	for _, ds := range s.Datasources {
		out = append(out, fmt.Sprintf("%s (%q, %s)", ds.UID, ds.Name, ds.Type))
	}
	return "Grafana has " + strings.Join(out, ", ")
}

// provisioningProblems are the problems of an area but for those of a mount,
// which are stack/mount-missing.
func provisioningProblems(s *stack.Stack, area stack.Area) []Finding {
	rest := *s
	rest.Problems = slices.DeleteFunc(slices.Clone(s.Problems), func(p stack.Problem) bool { return aboutMount(s, p) })
	return problems(&rest, area)
}
