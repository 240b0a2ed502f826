package matrix

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/panelgate/panelgate/e2e/nearest"
	"github.com/panelgate/panelgate/stack/source"
)

// limits bound what a matrix file costs to read.
func limits() source.Limits { return source.Limits{Bytes: 1 << 20, Depth: 8, Nodes: 10_000} }

// Read reads a plan from a file. Every error carries the position it is about.
func Read(file string) (*Plan, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, fmt.Errorf("read the matrix: %w", err)
	}
	if !info.Mode().IsRegular() { // a pipe would be waited for
		return nil, fmt.Errorf("read the matrix: %s is no regular file", file)
	}
	if info.Size() > limits().Bytes {
		return nil, fmt.Errorf("read the matrix: %s has more than %d bytes", file, limits().Bytes)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read the matrix: %w", err)
	}
	return Parse(file, data)
}

// Parse reads a plan from the content of a file.
func Parse(file string, data []byte) (*Plan, error) {
	docs, err := source.ParseYAML(file, data, limits())
	if err != nil {
		return nil, err
	}
	switch {
	case len(docs) == 0:
		return nil, &source.Problem{Pos: source.Pos{File: file, Line: 1, Column: 1}, Message: "the matrix is empty: it needs version: 1 and a list of versions, as grafana: [\"12.3.1\"]"}
	case len(docs) > 1:
		return nil, at(docs[1], "a matrix is one YAML document")
	}
	p := &Plan{}
	return p, p.read(file, docs[0])
}

func (p *Plan) read(file string, root *source.Node) error {
	if root.Kind() != source.Object {
		return at(root, "a matrix is a mapping with version: 1 and a list of versions, as grafana: [\"12.3.1\"]")
	}
	if err := keys(root, append([]string{"version", "combine"}, Names()...)...); err != nil {
		return err
	}
	if v := root.Get("version"); v.Scalar() != "1" {
		if !v.Exists() {
			v = root
		}
		return at(v, "want version: 1, which is the file's format")
	}
	if c := root.Get("combine"); c.Exists() {
		var err error
		if p.Combine, err = ParseCombine(c.Scalar()); err != nil {
			return at(c, "combine %s", err)
		}
	}
	for _, name := range Names() {
		n := root.Get(name)
		if !n.Exists() {
			continue
		}
		axis, err := readAxis(file, name, n)
		if err != nil {
			return err
		}
		p.Set(axis)
	}
	if len(p.Axes) == 0 {
		return at(root, "nothing is varied: list versions under at least one of %s", strings.Join(Names(), ", "))
	}
	return nil
}

func readAxis(file, name string, n *source.Node) (Axis, error) {
	a := Axis{Name: name}
	if n.Kind() != source.Array || len(n.Items()) == 0 {
		return a, at(n, "%s is a list of versions, as [\"12.3.1\"]", name)
	}
	if len(n.Items()) > mostValues {
		return a, at(n.Items()[mostValues], "%s has more than %d values", name, mostValues)
	}
	named := map[int]bool{}
	for _, item := range n.Items() {
		values, err := readValues(name, item)
		if err != nil {
			return a, err
		}
		for _, v := range values {
			v.Pos = item.Pos()
			v.below(file)
			named[len(a.Values)] = item.Get("name").Exists()
			a.Values = append(a.Values, v)
		}
	}
	if wrong, err := a.tellApart(named); err != nil {
		return a, &source.Problem{Pos: a.Values[wrong].Pos, Message: err.Error()}
	}
	return a, nil
}

// readValues reads what an entry of the list stands for: of an exporter a release or a
// range of them.
func readValues(axis string, n *source.Node) ([]Value, error) {
	switch {
	case !slices.Contains(Exporters(), axis):
		v, err := readValue(axis, n)
		return []Value{v}, err
	case n.Kind() == source.Object:
		return nil, at(n, "a value of %s is a version, and nothing more: exporters are acted out by fakes", axis)
	case n.Kind() != source.String && n.Kind() != source.Number:
		return nil, at(n, "a value of %s is a version, found %s", axis, n.Kind())
	}
	values, err := releases(axis, n.Scalar())
	if err != nil {
		return nil, at(n, "%s", err)
	}
	return values, nil
}

// readValue reads a version, as text whatever YAML takes it for: 12.30 is not 12.3.
func readValue(axis string, n *source.Node) (Value, error) {
	switch {
	case n.Kind() == source.Object:
		return readSetting(axis, n)
	case n.Kind() == source.String || n.Kind() == source.Number:
		v, err := parseValue(axis, n.Scalar())
		if err != nil {
			return v, at(n, "%s", err)
		}
		return v, nil
	}
	return Value{}, at(n, "a value of %s is a version or a mapping, found %s", axis, n.Kind())
}

// readSetting reads a value that says more than a version.
func readSetting(axis string, n *source.Node) (Value, error) {
	if err := keys(n, "name", "tag", "image", "environment"); err != nil {
		return Value{}, err
	}
	var v Value
	tag, image, name := n.Get("tag"), n.Get("image"), n.Get("name")
	switch {
	case tag.Exists() && image.Exists():
		return v, at(tag, "tag is that of the compose file's image: want either tag or image")
	case tag.Exists() && strings.ContainsAny(tag.Scalar(), "/:@"):
		return v, at(tag, "%q is no tag: write image: %s", tag.Scalar(), tag.Scalar())
	case tag.Exists(), image.Exists():
		where := tag
		if image.Exists() {
			where = image
		}
		var err error
		if v, err = parseValue(axis, where.Scalar()); err != nil {
			return v, at(where, "%s", err)
		}
		if image.Exists() && v.Image == "" {
			return v, at(image, "%q names no image: write tag: %q for the compose file's image, or a whole one", image.Scalar(), image.Scalar())
		}
	case !name.Exists():
		return v, at(n, "a value of %s needs a name, a tag or an image", axis)
	}
	if name.Exists() {
		if v.Name = name.Scalar(); strings.TrimSpace(v.Name) == "" {
			return v, at(name, "a name is what people read: it cannot be empty")
		}
	}
	var err error
	v.Environment, err = readEnvironment(n.Get("environment"))
	return v, err
}

func readEnvironment(n *source.Node) (map[string]string, error) {
	if !n.Exists() {
		return nil, nil
	}
	if n.Kind() != source.Object {
		return nil, at(n, "environment is a mapping, as {GF_LOG_LEVEL: debug}, found %s", n.Kind())
	}
	out := map[string]string{}
	for _, f := range n.Fields() {
		_, twice := out[f.Key]
		switch k := f.Value.Kind(); {
		case twice:
			return nil, &source.Problem{Pos: f.KeyPos(), Message: fmt.Sprintf("%s stands twice", f.Key)}
		case !variable(f.Key):
			return nil, &source.Problem{Pos: f.KeyPos(), Message: fmt.Sprintf("%q is no name of an environment variable", f.Key)}
		case k == source.Null || k == source.Array || k == source.Object:
			return nil, at(f.Value, "the value of %s is text, found %s", f.Key, k)
		}
		out[f.Key] = f.Value.Scalar()
	}
	return out, nil
}

// keys refuses keys that nobody reads, and those that stand twice.
func keys(n *source.Node, known ...string) error {
	seen := map[string]bool{}
	for _, f := range n.Fields() {
		switch {
		case seen[f.Key]:
			return &source.Problem{Pos: f.KeyPos(), Message: fmt.Sprintf("key %q stands twice", f.Key)}
		case !slices.Contains(known, f.Key):
			return &source.Problem{Pos: f.KeyPos(), Message: fmt.Sprintf("unknown key %q%s (there are %s)",
				f.Key, nearest.Hint(f.Key, known), strings.Join(known, ", "))}
		}
		seen[f.Key] = true
	}
	return nil
}

func at(n *source.Node, format string, args ...any) error {
	return &source.Problem{Pos: n.Pos(), Message: fmt.Sprintf(format, args...)}
}
