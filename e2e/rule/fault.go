package rule

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/stack"
	"github.com/panelgate/panelgate/stack/source"
)

// refusal is a server that ended instead of coming up, and what its log says of the
// reason.
type refusal struct {
	env.Fault
	rule  string // that it belongs to
	words string // the server's own
}

// refusals are the faults that a rule has to tell of.
func refusals(in *Live, id string) []refusal {
	var out []refusal
	for _, f := range in.Instance.Faults {
		if f.OnOldData { // it is the older revision's data, not the files: upgrade/* says so
			continue
		}
		if r := refusalOf(f); r.rule == id && !in.saidOfMounts(f.Service) {
			out = append(out, r)
		}
	}
	return out
}

// refusalWord is how a server begins to say what it refuses, and whose matter that is.
type refusalWord struct {
	role   env.Role
	words  string
	within bool // the reason is the error that stands beside the words
	rule   string
}

func refusalWords() []refusalWord {
	return []refusalWord{
		{env.RoleGrafana, "Datasource provisioning error: ", false, "datasource/invalid"},
		{env.RoleGrafana, "Failed to read dashboards config: ", false, "dashboard/provider-invalid"},
		{env.RoleGrafana, "Failed to initialize file readers: ", false, "dashboard/provider-invalid"},
		{env.RolePrometheus, "Error loading config", true, "prometheus/config-invalid"},
		{env.RolePrometheus, "Error loading rule file patterns", true, "prometheus/config-invalid"},
		{env.RolePrometheus, "loading groups failed", true, "prometheus/config-invalid"},
	}
}

func refusalOf(f env.Fault) refusal {
	for _, known := range refusalWords() {
		if known.role != f.Role {
			continue
		}
		for _, line := range slices.Backward(f.Log) {
			l := parseLog(line)
			if known.within && strings.HasPrefix(l.fields["msg"], known.words) && l.failure() != "" {
				return refusal{f, known.rule, oneLine(l.failure())}
			}
			for _, text := range []string{l.failure(), l.text} {
				if _, words, ok := strings.Cut(text, known.words); ok && !known.within {
					return refusal{f, known.rule, oneLine(words)}
				}
			}
		}
	}
	return refusal{f, "stack/server-failed", lastWords(f.Log)}
}

// lastWords is the last line in which a server complains, "" where it printed nothing.
func lastWords(log []string) string {
	for _, line := range slices.Backward(log) {
		l := parseLog(line)
		plain := regexp.MustCompile(`^(?:grafana: |prometheus: error: |Error: ✗? ?|panic: |fatal(?: error)?: )`).FindString(l.text)
		switch {
		case plain != "":
			return strings.TrimPrefix(l.text, plain)
		case l.fields != nil && l.trouble() && strings.HasPrefix(l.fields["msg"], "Failed to provision"):
			return l.short()
		}
	}
	for _, line := range slices.Backward(log) {
		if l := parseLog(line); l.fields != nil && l.trouble() {
			return l.short()
		}
	}
	if len(log) == 0 {
		return ""
	}
	return parseLog(log[len(log)-1]).short()
}

// tail is the end of the server's log without what it says in good times too, and
// in any case the line that says why it ended.
func (r refusal) tail() []string {
	const most = 8
	var lines []string
	why := ""
	for _, line := range r.Log {
		l := parseLog(line)
		if s := "its log: " + l.short(); l.text != "" && l.trouble() && !slices.Contains(lines, s) {
			lines = append(lines, s)
			if strings.Contains(s, r.words) {
				why = s
			}
		}
	}
	out := []string{fmt.Sprintf("%s ended with exit code %d", r.server(), r.ExitCode)}
	rest := lines[max(0, len(lines)-most):]
	if why != "" && !slices.Contains(rest, why) {
		out, rest = append(out, why), rest[1:]
	}
	out = append(out, rest...)
	if len(r.Log) == 0 {
		out = append(out, "it printed nothing")
	}
	return out
}

// server names what ended.
func (r refusal) server() string {
	if r.Service == nil {
		return title(r.Role)
	}
	return fmt.Sprintf("service %q", r.Service.Name)
}

func title(role env.Role) string {
	if role == env.RoleGrafana {
		return "Grafana"
	}
	return "Prometheus"
}

var (
	yamlFile = regexp.MustCompile(`[\w./@-]+\.ya?ml\b`)
	yamlLine = regexp.MustCompile(`(?:\bline |\.ya?ml: ?)(\d+)(?::(\d+))?`)
)

// place is the file that the server's words name, and the line if they name one. A
// name without a folder is looked for in the folders given. ok is false where no
// file of the stack is named.
func (r refusal) place(s *stack.Stack, dirs ...string) (source.Pos, bool) {
	for _, name := range yamlFile.FindAllString(r.words, -1) {
		host, ok := "", false
		if path.IsAbs(name) {
			host, ok = r.Service.HostPath(name)
		}
		for _, dir := range dirs {
			if candidate := filepath.Join(dir, filepath.FromSlash(name)); !ok && dir != "" && !path.IsAbs(name) && isFile(candidate) {
				host, ok = candidate, true
			}
		}
		if file, inside := relative(s, host); ok && inside {
			return atLine(r.words, file), true
		}
	}
	return source.Pos{}, false
}

// atLine is a file, at the line that words name.
func atLine(words, file string) source.Pos {
	pos := source.Pos{File: file}
	if m := yamlLine.FindStringSubmatch(words); m != nil {
		line, err := strconv.Atoi(m[1])
		column, _ := strconv.Atoi(m[2]) // 0 where there is none
		if err == nil && line > 0 {
			pos.Line, pos.Column = line, max(column, 1)
		}
	}
	return pos
}

// relative is a file of this machine as findings name it.
func relative(s *stack.Stack, host string) (string, bool) {
	if host == "" {
		return "", false
	}
	rel, err := filepath.Rel(s.Dir, host)
	if err != nil {
		return "", false
	}
	return filepath.ToSlash(rel), true
}

// orService is a place, or that of the service where there is none.
func (r refusal) orService(pos source.Pos) source.Pos {
	switch {
	case !pos.IsZero():
		return pos
	case r.Service != nil:
		return r.Service.Pos
	}
	return source.Pos{File: "."}
}

func isFile(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.Mode().IsRegular()
}
