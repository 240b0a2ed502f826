package why

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/prometheus/common/model"
	promparser "github.com/prometheus/prometheus/promql/parser"
)

// partLabel tells the answers of expressions apart that are asked in one query.
const partLabel = "panelgate_part"

// mostParts are asked in one query. An expression with more of them is asked in several.
const mostParts = 24

// together evaluates several expressions in one query over the window of the diagnosed
// one, and gives their answers in the same order.
func (d *diagnosing) together(exprs ...string) ([]model.Matrix, error) {
	out := make([]model.Matrix, len(exprs))
	for from := 0; from < len(exprs); from += mostParts {
		var parts []string
		for i := from; i < min(from+mostParts, len(exprs)); i++ {
			parts = append(parts, fmt.Sprintf(`label_replace(%s, %q, "%d", "", "")`, exprs[i], partLabel, i))
		}
		found, err := d.query(strings.Join(parts, " or "))
		if err != nil { // what is too much at once may do one by one
			return d.apart(exprs)
		}
		for _, s := range found {
			i, err := strconv.Atoi(string(s.Metric[partLabel]))
			if err != nil || i < 0 || i >= len(exprs) {
				return nil, fmt.Errorf("diagnose with %d expressions at once: an answer says that it belongs to %q", len(exprs), s.Metric[partLabel])
			}
			delete(s.Metric, partLabel)
			out[i] = append(out[i], s)
		}
	}
	return out, nil
}

// apart evaluates expressions one by one.
func (d *diagnosing) apart(exprs []string) ([]model.Matrix, error) {
	out := make([]model.Matrix, len(exprs))
	for i, e := range exprs {
		m, err := d.query(e)
		if err != nil {
			return nil, err
		}
		out[i] = m
	}
	return out, nil
}

// emptyParts says which parts of an expression that account for its emptiness, it
// itself among them, have no sample in the query's window.
func (d *diagnosing) emptyParts(root promparser.Expr) (map[promparser.Expr]bool, error) {
	empty := map[promparser.Expr]bool{}
	var parts []promparser.Expr
	var counts []string
	seen := 0
	var collect func(n promparser.Expr)
	collect = func(n promparser.Expr) {
		t := n.Type()
		switch seen++; {
		case d.lacking(n):
			empty[n] = true
		case t == promparser.ValueTypeVector:
			parts, counts = append(parts, n), append(counts, "count("+n.String()+")")
		case t == promparser.ValueTypeMatrix:
			parts, counts = append(parts, n), append(counts, "count(count_over_time("+n.String()+"))")
		}
		for _, child := range causes(n) {
			collect(child)
		}
	}
	collect(root)
	if seen > maxParts {
		return nil, fmt.Errorf("the expression has %d parts, more than the %d that are looked into", seen, maxParts)
	}
	answers, err := d.together(counts...)
	if err != nil {
		return nil, err
	}
	for i, n := range parts {
		empty[n] = len(answers[i]) == 0
	}
	return empty, nil
}
