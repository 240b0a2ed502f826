package query

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/panelgate/panelgate/stack"
	"github.com/panelgate/panelgate/stack/dashboard"
)

// adhoc are a dashboard's ad hoc filters as saved: what whoever opens it sees.
// They name no variable in a query; Grafana adds them to every selector of every
// query that goes to the filters' datasource.
type adhoc struct {
	variables []adhocVariable
	sources   []*stack.Datasource
}

type adhocVariable struct {
	datasource *dashboard.Ref
	filters    []filter
}

// filter is one ad hoc filter.
type filter struct {
	key, operator, value string
	values               []string // of the operators =| and !=|, "one of" and "not one of"
}

// withFilters is s with the ad hoc filters that the dashboard saves.
func (s *Scope) withFilters(d *dashboard.Dashboard, sources []*stack.Datasource) *Scope {
	a := &adhoc{sources: sources}
	for _, v := range d.Variables {
		if v.Type.Value != "adhoc" {
			continue
		}
		if filters := savedFilters(v); len(filters) > 0 {
			a.variables = append(a.variables, adhocVariable{datasource: v.Datasource, filters: filters})
		}
	}
	if len(a.variables) == 0 {
		return s
	}
	return &Scope{parent: s, filters: a}
}

// savedFilters are those that Grafana applies; it leaves out what was begun and
// not completed.
func savedFilters(v *dashboard.Variable) []filter {
	var filters []filter
	for _, n := range v.Node.Get("filters").Items() {
		f := filter{key: n.Get("key").Str(), operator: n.Get("operator").Str(), value: n.Get("value").Scalar()}
		for _, value := range n.Get("values").Items() {
			f.values = append(f.values, value.Scalar())
		}
		if f.key != "" && f.operator != "" && (f.value != "" || len(f.values) > 0) {
			filters = append(filters, f)
		}
	}
	return filters
}

// filtersFor are the filters that Grafana adds to the target's query. A reference
// to a datasource that leads nowhere is reported elsewhere; it matches nothing.
func (s *Scope) filtersFor(p *dashboard.Panel, t *dashboard.Target) []filter {
	a := s.adhoc()
	if a == nil {
		return nil
	}
	asked, _, err := TargetDatasource(p, t, s, a.sources)
	if err != nil || asked == nil {
		return nil
	}
	var filters []filter
	for _, v := range a.variables {
		if ds, _, err := ResolveDatasource(v.datasource, s, a.sources); err == nil && ds == asked {
			filters = append(filters, v.filters...)
		}
	}
	return filters
}

func (s *Scope) adhoc() *adhoc {
	for ; s != nil; s = s.parent {
		if s.filters != nil {
			return s.filters
		}
	}
	return nil
}

// addFilters adds the filters as matchers to every selector of expr, in which
// everything else has been replaced. What does not parse stays as it is, since
// it fails without them too. An operator that PromQL does not have is written
// all the same, and the query then fails as it does in Grafana.
func (s *Scope) addFilters(expr string, filters []filter) (string, Mapping, error) {
	r := rewriter{text: expr}
	parsed, err := promParser().ParseExpr(expr)
	if len(filters) == 0 || err != nil {
		out, mapping := r.finish()
		return out, mapping, nil //nolint:nilerr // what does not parse is panel/syntax' to say
	}
	for i, f := range filters {
		if filters[i], err = f.interpolated(s); err != nil {
			return "", Mapping{}, err
		}
	}
	selectors := map[int]*parser.VectorSelector{}
	parser.Inspect(parsed, func(n parser.Node, _ []parser.Node) error {
		if v, ok := n.(*parser.VectorSelector); ok {
			selectors[int(v.PosRange.Start)] = v
		}
		return nil
	})
	tokens := lex(expr)
	for i, token := range tokens {
		if v := selectors[int(token.Pos)]; v != nil {
			insertMatchers(&r, tokens[i:], newMatchers(v, filters))
		}
	}
	out, mapping := r.finish()
	return out, mapping, nil
}

// lex takes an expression that parses apart, without comments.
func lex(expr string) []parser.Item {
	var tokens []parser.Item
	for lexer := parser.Lex(expr); ; {
		var token parser.Item
		lexer.NextItem(&token)
		if token.Typ == parser.EOF || token.Typ == parser.ERROR {
			return tokens
		}
		if token.Typ != parser.COMMENT {
			tokens = append(tokens, token)
		}
	}
}

// insertMatchers writes the matchers into the selector that tokens begin with:
// in front of its closing brace, or in braces of their own behind the name.
func insertMatchers(r *rewriter, tokens []parser.Item, matchers []string) {
	if len(matchers) == 0 {
		return
	}
	text := strings.Join(matchers, ", ")
	open := 0
	if tokens[0].Typ != parser.LEFT_BRACE {
		open = 1
	}
	if len(tokens) <= open || tokens[open].Typ != parser.LEFT_BRACE {
		end := int(tokens[0].Pos) + len(tokens[0].Val)
		r.replace(end, end, "{"+text+"}")
		return
	}
	for i, token := range tokens[open:] {
		if token.Typ != parser.RIGHT_BRACE {
			continue
		}
		if before := tokens[open+i-1].Typ; before != parser.LEFT_BRACE && before != parser.COMMA {
			text = ", " + text
		}
		r.replace(int(token.Pos), int(token.Pos), text)
		return
	}
}

// newMatchers are the filters that the selector does not have yet, by label and
// value, as Grafana compares them.
func newMatchers(v *parser.VectorSelector, filters []filter) []string {
	has := map[[2]string]bool{}
	for _, m := range v.LabelMatchers {
		has[[2]string{m.Name, m.Value}] = true
	}
	var matchers []string
	for _, f := range filters {
		if id := [2]string{f.key, f.value}; !has[id] {
			has[id] = true
			matchers = append(matchers, f.matcher())
		}
	}
	return matchers
}

// interpolated replaces variables in the values and spells "one of" as the
// regular expression that PromQL has for it.
func (f filter) interpolated(s *Scope) (filter, error) {
	value := func(text string) (string, error) {
		out, err := s.Interpolate(text, Plain)
		if err != nil {
			return "", fmt.Errorf("ad hoc filter of %q: %w", f.key, err)
		}
		return out, nil
	}
	if regex := map[string]string{"=|": "=~", "!=|": "!~"}[f.operator]; regex != "" {
		f.operator = regex
		if len(f.values) == 0 {
			f.values = []string{f.value}
		}
		var alternatives []string
		for _, text := range f.values {
			one, err := value(text)
			if err != nil {
				return f, err
			}
			alternatives = append(alternatives, regexp.QuoteMeta(one))
		}
		f.value = strings.Join(alternatives, "|")
		return f, nil
	}
	var err error
	f.value, err = value(f.value)
	return f, err
}

// matcher is the filter as PromQL.
func (f filter) matcher() string {
	key := f.key
	if !model.LegacyValidation.IsValidLabelName(key) {
		key = strconv.Quote(key)
	}
	return key + f.operator + strconv.Quote(f.value)
}
