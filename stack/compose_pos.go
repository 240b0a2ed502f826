package stack

import (
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/compose-spec/compose-go/v2/format"
	"github.com/compose-spec/compose-go/v2/template"
	"github.com/compose-spec/compose-go/v2/types"

	"github.com/panelgate/panelgate/stack/source"
)

// top is the value under keys in the last compose file that has it, nil where
// none has (what comes by "include" or "extends" has no position of its own).
func (c *composeReader) top(keys ...string) *source.Node {
	for _, root := range slices.Backward(c.roots) {
		if n := root.At(keys...); n.Exists() {
			return n
		}
	}
	return nil
}

// at is a value of a service.
func (c *composeReader) at(service string, keys ...string) *source.Node {
	return c.top(append([]string{"services", service}, keys...)...)
}

// servicePos is where the first file names the service.
func (c *composeReader) servicePos(name string) source.Pos {
	for _, root := range c.roots {
		for _, f := range root.Get("services").Fields() {
			if f.Key == name {
				return f.KeyPos()
			}
		}
	}
	return source.Pos{File: c.stack.Compose.File}
}

// order is the services in file order, those of other files by name after them.
func (c *composeReader) order(project *types.Project) []string {
	var names []string
	for _, root := range c.roots {
		for _, f := range root.Get("services").Fields() {
			if _, ok := project.Services[f.Key]; ok && !slices.Contains(names, f.Key) {
				names = append(names, f.Key)
			}
		}
	}
	own := len(names)
	for name := range project.Services {
		if !slices.Contains(names[:own], name) {
			names = append(names, name)
		}
	}
	sort.Strings(names[own:])
	return names
}

// keyPos is where the last file that has it names a key of the service.
func (c *composeReader) keyPos(service, key string) source.Pos {
	for _, root := range slices.Backward(c.roots) {
		if _, pos := member(root.At("services", service), key); !pos.IsZero() {
			return pos
		}
	}
	return c.servicePos(service)
}

// dependencyPos is where a service says that it depends on another one.
func (c *composeReader) dependencyPos(service, on string) source.Pos {
	for _, root := range slices.Backward(c.roots) {
		if _, pos := member(root.At("services", service, "depends_on"), on); !pos.IsZero() {
			return pos
		}
	}
	for _, n := range c.entries(service, "depends_on") {
		if n.Str() == on {
			return n.Pos()
		}
	}
	return c.servicePos(service)
}

// entries are the elements of a service's list in all files, overrides first.
func (c *composeReader) entries(service, key string) []*source.Node {
	var out []*source.Node
	for _, root := range slices.Backward(c.roots) {
		n := root.At("services", service, key)
		if n.Kind() == source.String {
			out = append(out, n)
		}
		out = append(out, n.Items()...)
	}
	return out
}

// listed is where a service's list has an entry that ends in name.
func (c *composeReader) listed(service, key, name string) source.Pos {
	for _, n := range c.entries(service, key) {
		for _, text := range []string{n.Str(), n.Get("path").Str(), n.Get("source").Str()} {
			if text != "" && strings.HasSuffix(c.interpolate(text), name) {
				return n.Pos()
			}
		}
	}
	return c.servicePos(service)
}

func (c *composeReader) environmentPos(service, key string) source.Pos {
	for _, root := range slices.Backward(c.roots) {
		env := root.At("services", service, "environment")
		for _, f := range env.Fields() {
			if f.Key == key {
				return f.Value.Pos()
			}
		}
		for _, n := range env.Items() {
			if k, _, _ := strings.Cut(n.Str(), "="); k == key {
				return n.Pos()
			}
		}
	}
	return c.servicePos(service)
}

func (c *composeReader) portPos(service string, want types.ServicePortConfig) source.Pos {
	for _, n := range c.entries(service, "ports") {
		if n.Kind() == source.Object {
			target, _ := strconv.Atoi(c.interpolate(n.Get("target").Scalar()))
			if uint32(target) == want.Target && c.interpolate(n.Get("published").Scalar()) == want.Published {
				return n.Pos()
			}
			continue
		}
		ports, err := types.ParsePortConfig(c.interpolate(n.Scalar()))
		if err != nil {
			continue // compose-go has reported it
		}
		for _, p := range ports {
			if p.Target == want.Target && p.Published == want.Published && p.HostIP == want.HostIP && p.Protocol == want.Protocol {
				return n.Pos()
			}
		}
	}
	return c.servicePos(service)
}

// volumePos is where a service mounts something at target, and the source as
// the file writes it.
func (c *composeReader) volumePos(service, target string) (source.Pos, string) {
	for _, n := range c.entries(service, "volumes") {
		if n.Kind() == source.Object {
			if c.interpolate(n.Get("target").Str()) == target {
				return n.Pos(), n.Get("source").Str()
			}
			continue
		}
		v, err := format.ParseVolume(c.interpolate(n.Scalar()))
		if err == nil && v.Target == target {
			return n.Pos(), v.Source
		}
	}
	return source.Pos{}, ""
}

// interpolate replaces variables as compose does; text it refuses stays as it is,
// since compose-go reports it.
func (c *composeReader) interpolate(text string) string {
	out, err := template.SubstituteWithOptions(text, c.lookup, template.WithoutLogging)
	if err != nil {
		return text
	}
	return out
}

var (
	composePath = regexp.MustCompile(`\b(?:services|networks|volumes|configs|secrets)(?:\.[\w-]+|\[[^\]]+\])+`)
	composeName = regexp.MustCompile(`service "([^"]+)"`)
)

// reportCompose finds the place that an error of compose-go speaks of: a path
// into the file, a service, or else a value that ends the message.
func (c *composeReader) reportCompose(err error) {
	msg := c.anonymous(err.Error())
	pos := source.Pos{File: c.stack.Compose.File}
	words := strings.Fields(msg)
	if m := composePath.FindString(msg); m != "" {
		if p := c.deepest(strings.FieldsFunc(m, func(r rune) bool { return strings.ContainsRune(".[]", r) })); !p.IsZero() {
			pos = p
		}
	} else if m := composeName.FindStringSubmatch(msg); m != nil {
		pos = c.servicePos(m[1])
	} else if len(words) > 0 {
		for _, root := range c.roots {
			if n := lastScalar(root, func(text string) bool { return strings.Contains(text, words[len(words)-1]) }); n.Exists() {
				pos = n.Pos()
			}
		}
	}
	msg = strings.TrimPrefix(msg, "validating "+c.stack.Compose.File+": ")
	msg = strings.ReplaceAll(msg, " false schema", ": compose knows no such key") // the validator's way to say it
	c.problem(AreaCompose, pos, "the compose file does not load: %s", msg)
}

// deepest is the place of the longest part of a path that some file has.
func (c *composeReader) deepest(keys []string) source.Pos {
	var best source.Pos
	depth := 0
	for _, root := range slices.Backward(c.roots) {
		n := root
		for i, key := range keys {
			next, pos := member(n, key)
			if !next.Exists() {
				break
			}
			if n = next; i+1 > depth {
				best, depth = pos, i+1
			}
		}
	}
	return best
}

// member is what a key or an index leads to, and the place to show for it.
func member(n *source.Node, key string) (*source.Node, source.Pos) {
	for _, f := range n.Fields() {
		if f.Key == key {
			return f.Value, f.KeyPos()
		}
	}
	if i, err := strconv.Atoi(key); err == nil && i >= 0 && i < len(n.Items()) {
		return n.Items()[i], n.Items()[i].Pos()
	}
	return nil, source.Pos{}
}
