package rule

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/panelgate/panelgate/e2e/grafana"
	"github.com/panelgate/panelgate/stack"
)

// dashboardNotProvisioned proves that Grafana serves every dashboard, and serves
// it from the stack's file. Where none runs, it is modelled from the files; what
// other rules say is left to them.
func dashboardNotProvisioned() Rule {
	return Rule{
		ID:       "dashboard/not-provisioned",
		Severity: Error,
		Summary:  "Grafana does not serve a dashboard that a provider finds, or not from its file",
		Live: func(in *Live) []Finding {
			stuck := stuckProviders(in)
			var out []Finding
			for _, b := range distinct(in.Boards) {
				switch {
				case !served(b.Dashboard):
				case strings.TrimSpace(b.Title.Value) == "":
					out = append(out, untitled(in, b))
				case in.Served == nil || unservable(in, b) || stuck[b.Provider] || servedAsBefore(in, b):
				default:
					if f := notServed(in, b); f != nil {
						out = append(out, *f)
					}
				}
			}
			return out
		},
	}
}

func untitled(in *Live, b *Board) Finding {
	f := onBoard(b.Dashboard, b.Root.Pos())
	if !b.Title.Pos.IsZero() {
		f.Pos = b.Title.Pos
	}
	f.Message = "the dashboard has no title, without which Grafana does not load the file"
	f.Evidence = []string{`Grafana's log says "Dashboard title cannot be empty"`}
	if in.Served != nil {
		if lines := logOf(in, b); len(lines) > 0 {
			f.Evidence = lines
		}
	}
	f.Fix = "give it a title"
	return f
}

// unservable says whether the files alone have told why Grafana cannot serve a
// dashboard, or whether Grafana was asked where the dashboard does not belong.
func unservable(in *Live, b *Board) bool {
	if in.said(b.File, "dashboard/invalid", "dashboard/v2-in-file", "dashboard/api-wrapper", "dashboard/uid-duplicate", "dashboard/uid-too-long") {
		return true
	}
	p := b.Provider
	return p != nil && (p.OrgID != 0 && p.OrgID != in.servedOrg() || in.said(p.Pos.File, "dashboard/provider-invalid", "stack/mount-missing") ||
		in.Stack.Grafana != nil && in.saidOfMounts(in.Stack.Grafana.Service))
}

// stuckProviders are those whose dashboards Grafana does not write, because they
// have one twice: dashboard/uid-duplicate.
func stuckProviders(in *Live) map[*stack.Provider]bool {
	out := map[*stack.Provider]bool{}
	if !in.said("", "dashboard/uid-duplicate") {
		return out
	}
	first := map[identity]*stack.Board{}
	for _, b := range in.Stack.Dashboards {
		byUID, byTitle := identities(b)
		for _, id := range []identity{byUID, byTitle} {
			if id.uid == "" && id.title == "" {
				continue
			}
			if other := first[id]; other != nil {
				out[other.Provider], out[b.Provider] = true, true
			}
			first[id] = b
		}
	}
	delete(out, nil)
	return out
}

// notServed says that Grafana has no such dashboard, or has it from elsewhere; nil
// where it serves the file.
func notServed(in *Live, b *Board) *Finding {
	f := onBoard(b.Dashboard, b.Root.Pos())
	if !b.UID.Pos.IsZero() {
		f.Pos = b.UID.Pos
	} else if !b.Title.Pos.IsZero() {
		f.Pos = b.Title.Pos
	}
	name := fmt.Sprintf("dashboard %q", b.Title.Value)
	d := servedAs(in.Served, b)
	switch {
	case d == nil:
		f.Message = fmt.Sprintf("Grafana does not serve %s (uid %s)", name, b.UID.Value)
		if b.UID.Value == "" {
			f.Message = fmt.Sprintf("Grafana serves no dashboard with the title %q", b.Title.Value)
		}
		f.Fix = "see that the compose file mounts the file where its provider looks, and that Grafana may read it"
	case !d.Provisioned:
		f.Message = fmt.Sprintf("Grafana serves %s, and not from a file: what the file says is not what people see", name)
		f.Fix = "delete that dashboard in Grafana, or give the file's a uid of its own: Grafana does not put a file over a dashboard that was made by hand"
	case otherFile(in.Stack, b, d):
		f.Message = fmt.Sprintf("Grafana serves %s from another file: %s", name, oneLine(d.ProvisionedFrom))
		f.Fix = "keep one file of this uid where Grafana's providers look"
	default:
		return nil
	}
	f.Evidence = logOf(in, b)
	f.Fix = boardRemedy(f.Evidence, f.Fix)
	if len(f.Evidence) == 0 {
		f.Evidence = []string{fmt.Sprintf("dashboards that Grafana serves: %d", len(in.Served.Hits))}
		if len(in.Served.Log) > 0 {
			f.Evidence[0] += "; its log says nothing of " + filepath.Base(b.File)
		}
	}
	return &f
}

// servedAs is what Grafana serves of a dashboard of the files: by its uid, or,
// where the file has none, by title, in its own folder rather than in another.
func servedAs(s *Served, b *Board) *grafana.Dashboard {
	if b.UID.Value != "" {
		return s.Dashboards[b.UID.Value]
	}
	var found *grafana.Dashboard
	for _, h := range s.Hits {
		if d := s.Dashboards[h.UID]; d != nil && h.Title == b.Title.Value && (found == nil || h.FolderTitle == b.Folder) {
			found = d
		}
	}
	return found
}

// otherFile says whether Grafana has a dashboard from another file than this. It
// names files by their path within the provider's, or in full.
func otherFile(s *stack.Stack, b *Board, d *grafana.Dashboard) bool {
	rel := withinProvider(s, b)
	if rel == "" || d.ProvisionedFrom == "" {
		return false
	}
	from := "/" + strings.TrimPrefix(filepath.ToSlash(d.ProvisionedFrom), "/")
	return !strings.HasSuffix(from, "/"+rel) && !strings.HasSuffix("/"+rel, from)
}

// withinProvider is a dashboard's file below its provider's path, "" where it lies
// elsewhere.
func withinProvider(s *stack.Stack, b *Board) string {
	if b.Provider == nil || b.Provider.Dir == "" {
		return ""
	}
	rel, err := filepath.Rel(b.Provider.Dir, filepath.Join(s.Dir, filepath.FromSlash(b.File)))
	if err != nil || !filepath.IsLocal(rel) {
		return ""
	}
	return filepath.ToSlash(rel)
}

// logOf is what Grafana's provisioning complains of about a dashboard: its file,
// its uid or title, or else its provider.
func logOf(in *Live, b *Board) []string {
	file := filepath.Base(b.File)
	own := logAbout(in.Served.Log, func(l logLine) bool {
		if named := l.fields["file"]; named != "" {
			rel := withinProvider(in.Stack, b)
			return rel == "" && filepath.Base(named) == file || rel != "" && strings.HasSuffix(named, "/"+rel)
		}
		return l.fields["uid"] == b.UID.Value && b.UID.Value != "" || l.fields["title"] == b.Title.Value && b.Title.Value != "" ||
			l.fields == nil && l.mentions(file)
	})
	if len(own) > 0 || b.Provider == nil {
		return own
	}
	return logAbout(in.Served.Log, func(l logLine) bool {
		name := b.Provider.Name.Value
		return l.fields["file"] == "" && strings.HasPrefix(l.fields["logger"], "provisioning") && name != "" &&
			(l.fields["name"] == name || l.fields["provider"] == name)
	})
}

// boardRemedy says what helps against what Grafana logs of a dashboard.
func boardRemedy(log []string, otherwise string) string {
	text := strings.Join(log, "\n")
	for _, known := range []struct{ text, fix string }{
		{"permission denied", "let the user that Grafana runs as, 472 in its images, read the file"},
		{"no such file or directory", "mount what is named into Grafana's container, links and what they lead to alike"},
		{"illegal characters", "keep the uid to letters, digits, - and _"},
		{"uid too long", "shorten the uid to 40 characters"},
		{"because of duplicates", "give each dashboard a uid and a title of its own"},
	} {
		if strings.Contains(text, known.text) {
			return known.fix
		}
	}
	if text != "" {
		return "mend what Grafana's log says"
	}
	return otherwise
}
