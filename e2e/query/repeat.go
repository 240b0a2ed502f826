package query

import (
	"fmt"

	"github.com/panelgate/panelgate/stack/dashboard"
)

// mostCopies is how often a panel may be shown. A browser is done for long before.
const mostCopies = 1_000

// Repeats are the scopes in which a panel is shown: one for each value of the
// variable its row is repeated for, and in each of them one for each value of its
// own. A panel that repeats for nothing has just s, and so has one whose variable
// is unknown or has no values. The error says that there are too many of them.
func Repeats(d *dashboard.Dashboard, p *dashboard.Panel, s *Scope) ([]*Scope, error) {
	var names []string
	for _, panel := range []*dashboard.Panel{p.Row, p} {
		if panel != nil && panel.Repeat.Value != "" && declares(d, panel.Repeat.Value) {
			names = append(names, panel.Repeat.Value)
		}
	}
	scopes := []*Scope{s}
	for _, name := range names {
		var narrowed []*Scope
		for _, scope := range scopes {
			if copies := len(scopes) * scope.copies(name); copies > mostCopies {
				return nil, fmt.Errorf("the panel is repeated for $%s, which makes %d copies of it: the limit is %d", name, copies, mostCopies)
			}
			narrowed = append(narrowed, scope.narrow(name)...)
		}
		scopes = narrowed
	}
	return scopes, nil
}

func declares(d *dashboard.Dashboard, name string) bool {
	for _, v := range d.Variables {
		if v.Name.Value == name {
			return true
		}
	}
	return false
}

// copies is how many scopes narrow makes of s.
func (s *Scope) copies(name string) int {
	v, _ := s.Lookup(name)
	if v.All {
		n := 0
		for _, o := range v.Options {
			if o.Value != allOption {
				n++
			}
		}
		return max(1, n)
	}
	return max(1, len(v.Values))
}

// narrow is s once for each value of a variable. All means every option here,
// even where it has a custom value.
func (s *Scope) narrow(name string) []*Scope {
	v, ok := s.Lookup(name)
	if !ok {
		return []*Scope{s}
	}
	values, texts := v.Values, v.Texts
	if v.All {
		values, texts = nil, nil
		for _, o := range v.Options {
			if o.Value != allOption {
				values, texts = append(values, o.Value), append(texts, o.Text)
			}
		}
	}
	if len(values) == 0 {
		return []*Scope{s}
	}
	scopes := make([]*Scope, len(values))
	for i, value := range values {
		one := v
		one.All, one.Narrowed = false, true
		one.Values, one.Texts = []string{value}, []string{value}
		if len(texts) == len(values) {
			one.Texts = []string{texts[i]}
		}
		scopes[i] = s.With(one)
	}
	return scopes
}
