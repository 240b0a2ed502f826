package rule

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/panelgate/panelgate/stack"
	"github.com/panelgate/panelgate/stack/source"
)

// stackPlaceholder proves that what a template leaves to be filled in has been.
func stackPlaceholder() Rule {
	return Rule{
		ID:       "stack/placeholder",
		Severity: Error,
		Summary:  "a placeholder such as <YOUR_HOST_IP>, CHANGEME or example.com was left in",
		Static: func(in *Static) []Finding {
			h := &placeholderHunt{seen: map[source.Pos]bool{}}
			h.prometheus(in.Stack.Prometheus)
			for _, ds := range in.Stack.Datasources {
				h.address(ds.URL, fmt.Sprintf("the url of datasource %q", ds.Name.Value), exampleHost(ds.URL.Value))
				h.tree(ds.Node, fmt.Sprintf("datasource %q", ds.Name.Value))
			}
			if in.Stack.Compose != nil {
				for _, s := range in.Stack.Compose.Services {
					h.service(s)
				}
			}
			return h.found
		},
	}
}

// placeholderForm knows the words of templates that stand for a value nowhere.
var placeholderForm = regexp.MustCompile(strings.Join([]string{
	`<[A-Z][A-Z0-9 _-]+>`,
	`(?i:<your[^<>]*>)`,
	`(?i:(?:\b|_)(?:change|replace)[_-]?me(?:\b|_))`,
	`\bYOUR[_-][A-Z0-9_-]+`,
	`(?i:\byour[_-](?:host|server|ip|domain|machine|node|prometheus|triton|token|password)[a-z0-9_-]*)`,
	`(?i:\bx{1,3}(?:\.x{1,3}){3}\b)`,
}, "|"))

// addressForm knows, beyond those, what can be part of no address: Prometheus
// fills in neither variables nor templates in its targets.
var addressForm = regexp.MustCompile(`<[^<>]*>|\{\{.*?\}\}|\$\{[^}]*\}|\$\w+`)

// placeholderHunt gathers the placeholders of a stack, each place once.
type placeholderHunt struct {
	found []Finding
	seen  map[source.Pos]bool
}

func (h *placeholderHunt) add(pos source.Pos, where, value, placeholder string) {
	if placeholder == "" || h.seen[pos] {
		return
	}
	h.seen[pos] = true
	h.found = append(h.found, Finding{
		Pos:     pos,
		Message: fmt.Sprintf("%s is %q: the placeholder %q was left in", where, value, placeholder),
		Fix:     fmt.Sprintf("replace %q by the real value", placeholder),
	})
}

func (h *placeholderHunt) text(t source.Text, where string) {
	if i := placeholderForm.FindStringIndex(t.Value); i != nil {
		h.add(t.Pos, where, t.Value, t.Value[i[0]:i[1]])
	}
}

// address looks at a text that names a host; example is the placeholder that
// this host is itself, "" for a real one.
func (h *placeholderHunt) address(t source.Text, where, example string) {
	h.text(t, where)
	if i := addressForm.FindStringIndex(t.Value); i != nil {
		h.add(t.Pos, where, t.Value, t.Value[i[0]:i[1]])
	}
	h.add(t.Pos, where, t.Value, example)
}

// exampleHost is the host of an address or url where it is one of those that are
// reserved for documentation.
func exampleHost(address string) string {
	if !strings.Contains(address, "://") {
		address = "//" + address
	}
	u, err := url.Parse(address)
	if err != nil {
		return "" // not an address; others say so
	}
	host := strings.ToLower(u.Hostname())
	for _, domain := range []string{"example.com", "example.org", "example.net", "example", "invalid"} {
		if host == domain && strings.Contains(domain, ".") || strings.HasSuffix(host, "."+domain) {
			return host
		}
	}
	return ""
}

func (h *placeholderHunt) prometheus(p *stack.Prometheus) {
	if p == nil {
		return
	}
	for _, j := range p.Jobs {
		for _, t := range j.Targets {
			example := exampleHost(t.Address.Value)
			if strings.HasSuffix(j.MetricsPath, "/probe") {
				example = "" // what a prober is sent to, not what is scraped
			}
			h.address(t.Address, fmt.Sprintf("a target of job %q", j.Name.Value), example)
		}
	}
	h.tree(p.Node, "a value of prometheus.yml")
}

// environmentForm is a variable that is filled in when the file is read: its
// name says nothing about its value.
var environmentForm = regexp.MustCompile(`\$(?:__env|__file)?\{[^}]*\}|\$\w+`)

// tree looks at every text below a node, but for patterns and expressions, in
// which angle brackets and dollars have a meaning.
func (h *placeholderHunt) tree(n *source.Node, where string) {
	if environmentForm.FindStringIndex(n.Scalar()) == nil {
		h.text(n.Text(), where)
	}
	for _, item := range n.Items() {
		h.tree(item, where)
	}
	for _, f := range n.Fields() {
		if !slices.Contains([]string{"regex", "replacement", "expr", "matcherRegex"}, f.Key) {
			h.tree(f.Value, fmt.Sprintf("%q", f.Key))
		}
	}
}

func (h *placeholderHunt) service(s *stack.Service) {
	h.text(s.Image, fmt.Sprintf("the image of service %q", s.Name))
	names := make([]string, 0, len(s.Environment))
	for name := range s.Environment {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		h.text(s.Environment[name], fmt.Sprintf("%s of service %q", name, s.Name))
	}
	for _, m := range s.Mounts {
		h.text(source.Text{Value: m.Source, Pos: m.Pos}, fmt.Sprintf("a mount of service %q", s.Name))
		if m.Source == "/path/to" || strings.HasPrefix(m.Source, "/path/to/") {
			h.add(m.Pos, fmt.Sprintf("a mount of service %q", s.Name), m.Source, "/path/to")
		}
	}
	for _, arg := range slices.Concat(s.Entrypoint, s.Command) {
		h.text(source.Text{Value: arg, Pos: s.Pos}, fmt.Sprintf("the command of service %q", s.Name))
	}
}
