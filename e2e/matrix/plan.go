// Package matrix plans which versions of a stack's servers and exporters are tried
// together, has each combination proven, and says what breaks where.
package matrix

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/panelgate/panelgate/e2e/shard"
	"github.com/panelgate/panelgate/stack/source"
)

// The axes, in the order in which they are read.
const (
	Grafana    = "grafana"
	Prometheus = "prometheus"
	Triton     = "triton"
	DCGM       = "dcgm"
	Node       = "node"
	VLLM       = "vllm"
)

// Names are the names of all axes, in order.
func Names() []string { return append(Servers(), Exporters()...) }

// Servers are the axes whose values are images.
func Servers() []string { return []string{Grafana, Prometheus} }

// Exporters are the axes whose values are versions that fakes act out.
func Exporters() []string { return []string{Triton, DCGM, Node, VLLM} }

// Bounds on what is read and run: beyond them a mistake is likelier than a wish.
const (
	mostValues   = 32  // of an axis
	mostReleases = 128 // of an exporter's
	mostCells    = 256 // of a matrix
	mostAtOnce   = 16  // cells up to which every combination is run unless told otherwise
	mostName     = 64  // bytes of a value's name
)

// Value is one version, or one setting, of an axis.
type Value struct {
	Name string // what people read: a version, or a setting's name
	// Image is the server's image, "tar:FILE" for one in a tarball, and "" for the
	// compose file's own; until On it is "" for a Tag too.
	Image string
	Tag   string // of the compose file's image, "" where Image says all
	// Environment is set over what the compose file gives the server.
	Environment map[string]string
	Pos         source.Pos // zero for a value of the command line
}

// tarball is how an image in a file is told from one of a registry.
const tarball = "tar:"

// Tarball is the file that the value's image is in, false where it is in none.
func (v Value) Tarball() (string, bool) { return strings.CutPrefix(v.Image, tarball) }

// Axis is what is varied, with its values in the order in which they are read: the
// oldest version first.
type Axis struct {
	Name   string
	Values []Value
}

// Combine says which combinations of values are run.
type Combine string

// The ways to combine; the empty one is All for a small matrix, else Pairwise.
const (
	All      Combine = "all"      // every combination
	Pairwise Combine = "pairwise" // each two values of two axes together at least once
)

// ParseCombine reads a way to combine.
func ParseCombine(text string) (Combine, error) {
	if c := Combine(text); c == All || c == Pairwise {
		return c, nil
	}
	return "", fmt.Errorf("%q: want %s (every combination) or %s (every two versions together at least once)", text, All, Pairwise)
}

// Plan is what is varied and how it is combined.
type Plan struct {
	Combine Combine
	Axes    []Axis // in the order of Names, none of them empty
}

// Axis finds an axis by its name, nil where the plan has none.
func (p *Plan) Axis(name string) *Axis {
	for i := range p.Axes {
		if p.Axes[i].Name == name {
			return &p.Axes[i]
		}
	}
	return nil
}

// Set puts an axis into its place, in place of one of the same name.
func (p *Plan) Set(axis Axis) {
	p.Axes = slices.DeleteFunc(p.Axes, func(a Axis) bool { return a.Name == axis.Name })
	p.Axes = append(p.Axes, axis)
	order := Names()
	slices.SortFunc(p.Axes, func(a, b Axis) int { return slices.Index(order, a.Name) - slices.Index(order, b.Name) })
}

// Varying are the positions of the axes that have more than one value.
func (p *Plan) Varying() []int {
	var out []int
	for i, a := range p.Axes {
		if len(a.Values) > 1 {
			out = append(out, i)
		}
	}
	return out
}

// Combinations is how many cells there would be with every combination.
func (p *Plan) Combinations() int {
	n := 1
	for _, a := range p.Axes {
		n *= len(a.Values) // 32 to the power of 5 at the most
	}
	return n
}

// Combined is the way of combining that holds for this plan.
func (p *Plan) Combined() Combine {
	switch {
	case p.Combine != "":
		return p.Combine
	case p.Combinations() <= mostAtOnce:
		return All
	}
	return Pairwise
}

// Cells are the combinations to run, in the order of the axes.
func (p *Plan) Cells() ([]Cell, error) {
	if len(p.Axes) == 0 {
		return nil, fmt.Errorf("nothing to vary: name versions of at least one of %s", strings.Join(Names(), ", "))
	}
	var at [][]int
	switch n := p.Combinations(); {
	case p.Combined() == Pairwise:
		at = pairwise(p.sizes())
	case n > mostCells:
		return nil, fmt.Errorf("%d combinations are more than the %d that a matrix may have: name fewer versions, or combine them %s", n, mostCells, Pairwise)
	default:
		at = every(p.sizes())
	}
	if len(at) > mostCells {
		return nil, fmt.Errorf("%d cells are more than the %d that a matrix may have: name fewer versions", len(at), mostCells)
	}
	cells := make([]Cell, 0, len(at))
	for _, indices := range at {
		cells = append(cells, p.cell(indices))
	}
	return cells, nil
}

func (p *Plan) sizes() []int {
	var sizes []int
	for _, a := range p.Axes {
		sizes = append(sizes, len(a.Values))
	}
	return sizes
}

func (p *Plan) cell(at []int) Cell {
	c := Cell{at: at}
	var said []string
	for i, a := range p.Axes {
		choice := Choice{a.Name, a.Values[at[i]]}
		c.Choices = append(c.Choices, choice)
		if len(a.Values) > 1 || len(p.Varying()) == 0 {
			said = append(said, choice.String())
		}
	}
	c.Label = strings.Join(said, ", ")
	return c
}

// Cell is one combination.
type Cell struct {
	Choices []Choice // one an axis of the plan
	Label   string   // what people read: the choices of the axes that vary
	at      []int    // the position of each choice in its axis
}

// Choice is a cell's value on one axis.
type Choice struct {
	Axis  string
	Value Value
}

// String names the choice, as "grafana 12.3".
func (c Choice) String() string { return c.Axis + " " + c.Value.Name }

// Value is the cell's choice on an axis, false where the plan has no such axis.
func (c Cell) Value(axis string) (Value, bool) {
	for _, choice := range c.Choices {
		if choice.Axis == axis {
			return choice.Value, true
		}
	}
	return Value{}, false
}

// Releases are those of the exporters, by the exporter's name; nil without any.
func (c Cell) Releases() map[string]string {
	var out map[string]string
	for _, choice := range c.Choices {
		if !slices.Contains(Exporters(), choice.Axis) {
			continue
		}
		if out == nil {
			out = map[string]string{}
		}
		out[choice.Axis] = choice.Value.Name
	}
	return out
}

// At is the position of the cell's choice in the axis of this position in the plan.
func (c Cell) At(axis int) int { return c.at[axis] }

// Key is equal for two cells that run the same, whatever they are called.
func (c Cell) Key() string {
	var b strings.Builder
	for _, choice := range c.Choices {
		v := choice.Value
		what := v.Image
		if slices.Contains(Exporters(), choice.Axis) {
			what = v.Name
		}
		fmt.Fprintf(&b, "%q %q %q", choice.Axis, what, v.Tag)
		for _, name := range slices.Sorted(maps.Keys(v.Environment)) {
			fmt.Fprintf(&b, " %q=%q", name, v.Environment[name])
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// Dir names a directory for the cell. Two cells of a plan never share one.
func (c Cell) Dir() string {
	const longest = 120
	var parts []string
	for _, choice := range c.Choices {
		parts = append(parts, choice.Axis+"-"+choice.Value.Name)
	}
	full := strings.Join(parts, "_")
	dir := regexp.MustCompile(`[^A-Za-z0-9._-]+`).ReplaceAllString(full, "-")
	if dir == full && len(dir) <= longest && strings.Count(full, "_") == len(parts)-1 {
		return dir
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%q", parts)) // quoted: where one ends tells two apart
	return dir[:min(len(dir), longest)] + "-" + hex.EncodeToString(sum[:4])
}

// Part are a shard's of all cells: every Nth, so that those of one slow version are spread.
func Part(cells []Cell, s shard.Shard) []Cell {
	var out []Cell
	for i := s.Number - 1; i < len(cells); i += s.Of {
		out = append(out, cells[i])
	}
	return out
}
