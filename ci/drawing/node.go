package drawing

import (
	"math"
	"strconv"
	"strings"

	"github.com/panelgate/panelgate/stack/source"
)

// number is a number of a file, also one that is written as a text or with px.
func number(n *source.Node, otherwise float64) float64 {
	if v := optional(n); v != nil {
		return *v
	}
	return otherwise
}

// optional is number where none is something else than any number.
func optional(n *source.Node) *float64 {
	if v, ok := n.Float(); ok && !math.IsInf(v, 0) {
		return &v
	}
	return parsed(n.Str())
}

// whole is a number without its decimals, within bounds: what int makes of one that is too
// large depends on the machine.
func whole(v float64, least, greatest int) int {
	return int(min(max(v, float64(least)), float64(greatest)))
}

// boolean is a switch that is on or off unless the file says.
func boolean(n *source.Node, otherwise bool) bool {
	if n.Kind() != source.Bool {
		return otherwise
	}
	return n.Bool()
}

// parsed is a number that is written as text.
func parsed(text string) *float64 {
	v, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(text), "px"), 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

func texts(nodes []*source.Node) []string {
	var out []string
	for _, n := range nodes {
		if s := n.Str(); s != "" {
			out = append(out, s)
		}
	}
	return out
}
