package query

import (
	"context"
	"errors"
	"fmt"

	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"

	"github.com/panelgate/panelgate/stack"
	"github.com/panelgate/panelgate/stack/dashboard"
)

// Asker asks a Prometheus, client_golang's API.
type Asker = promv1.API

// Resolution is what became of one variable.
type Resolution struct {
	Variable *dashboard.Variable
	Query    string             // as run, of query variables
	Options  []dashboard.Option // on offer, after regex and sort
	Value    Value              // as the scope holds it
	// Err is why there are no options: the query failed, the regex is invalid or
	// takes too long, the variable stands in a circle. The value is then the saved one.
	Err error
	// Syntax says where Query does not parse. Err is set as well.
	Syntax *SyntaxError
	// CurrentMissing says that something saved in the file is not on offer.
	CurrentMissing bool
	// Unchecked is why the variable was not resolved though nothing is wrong with
	// it, "" where it was. The value is then the saved one.
	Unchecked string
	// Usable says that queries can be asked with the value: it is what Grafana
	// would use, and there is one.
	Usable bool
}

// SyntaxError is PromQL in a variable's query that does not parse.
type SyntaxError struct {
	Offset int // byte offset in Variable.Query as written
	Err    error
}

// Error implements error.
func (e *SyntaxError) Error() string { return e.Err.Error() }

// Unwrap gives the parser's error.
func (e *SyntaxError) Unwrap() error { return e.Err }

// Resolve finds out what each variable of the dashboard holds when it opens over
// the range r, asking the datasources of query variables. Every variable is asked
// for its options whatever its refresh setting says, as Grafana does on opening.
//
// The scope defines every variable but ad hoc filters, and Grafana's own
// (__dashboard, __org, __user, __from, __to). Ad hoc filters have no value that a
// query could name; those saved are kept with the scope, for Requests. The resolutions are in file order; a
// variable that fails has its Err there. Resolve itself fails with a *CycleError,
// scope and resolutions being complete all the same, or when ctx is done. A nil
// API from ask leaves the variable unchecked.
func Resolve(ctx context.Context, d *dashboard.Dashboard, sources []*stack.Datasource, ask func(*stack.Datasource) promv1.API, r Range) (*Scope, []Resolution, error) {
	res := resolver{sources: sources, ask: ask, r: r, scope: builtins(d).withFilters(d, sources).withRange(r)}
	for _, v := range d.Variables {
		res.saved = append(res.saved, savedValue(v))
	}
	order := inOrder(d)
	done := make(map[*dashboard.Variable]Resolution, len(d.Variables))
	for _, v := range order.sorted {
		resolution := res.resolve(ctx, v, order.inCycle[v.Name.Value])
		if err := ctx.Err(); err != nil {
			return res.scope, nil, fmt.Errorf("resolve variable %q: %w", v.Name.Value, context.Cause(ctx))
		}
		done[v] = resolution
		if v.Type.Value != "adhoc" {
			res.scope = res.scope.With(resolution.Value)
		}
	}
	var all []Resolution
	for _, v := range d.Variables {
		if resolution, ok := done[v]; ok { // of two with one name, Grafana knows the last
			all = append(all, resolution)
		}
	}
	var cycles []error
	for _, c := range order.cycles {
		cycles = append(cycles, c)
	}
	return res.scope, all, errors.Join(cycles...)
}

// builtins are Grafana's own variables that do not depend on time. Who looks at
// the dashboard is a plain installation's administrator.
func builtins(d *dashboard.Dashboard) *Scope {
	return NewScope(
		Value{Name: "__dashboard", Values: []string{d.Title.Value},
			Fields: map[string]string{"name": d.Title.Value, "uid": d.UID.Value}},
		Value{Name: "__org", Values: []string{"1"}, Fields: map[string]string{"id": "1", "name": "Main Org."}},
		Value{Name: "__user", Values: []string{"1"},
			Fields: map[string]string{"id": "1", "login": "admin", "email": "admin@localhost"}},
		Value{Name: "__timezone", Values: []string{"utc"}},
	)
}

// resolver holds what all variables of a dashboard share.
type resolver struct {
	sources []*stack.Datasource
	ask     func(*stack.Datasource) promv1.API
	r       Range
	scope   *Scope
	saved   []Value
}

// before is the scope in which v is resolved: all that came before it, and the
// saved values of itself and of what a circle keeps waiting.
func (res *resolver) before(v *dashboard.Variable) *Scope {
	var missing []Value
	for _, val := range res.saved {
		if _, ok := res.scope.Lookup(val.Name); !ok {
			missing = append(missing, val)
		}
	}
	return &Scope{values: NewScope(missing...).values, parent: res.scope}
}

func (res *resolver) resolve(ctx context.Context, v *dashboard.Variable, cycle *CycleError) Resolution {
	out := Resolution{Variable: v, Value: savedValue(v)}
	if cycle != nil {
		out.Err = cycle
		return out
	}
	if v.Type.Value == "query" {
		res.resolveQuery(ctx, v, &out)
		return out
	}
	fixed, err := resolveFixed(v, res.before(v), res.sources, res.r)
	switch {
	case err != nil:
		out.Err = err
	case fixed.unchecked != "":
		out.Unchecked = fixed.unchecked
	default:
		out.Options, out.Value, out.CurrentMissing = fixed.options, fixed.value, fixed.missing
		out.Usable = fixed.free || out.Value.holdsAny()
	}
	return out
}

// holdsAny says whether there is a value to put into a query.
func (v Value) holdsAny() bool { return len(v.Selected()) > 0 }

// resolveQuery asks for the options of a query variable and selects among them.
func (res *resolver) resolveQuery(ctx context.Context, v *dashboard.Variable, out *Resolution) {
	scope := res.before(v)
	found, err := res.findOptions(ctx, v, scope, out)
	if err == nil && out.Unchecked != "" {
		return
	}
	var options []dashboard.Option
	if err == nil {
		options, err = variableOptions(v, scope, found)
	}
	if err != nil {
		out.Err = err
		return
	}
	out.Options = options
	out.Value, out.CurrentMissing = choose(v, options)
	out.Usable = out.Value.holdsAny()
}

// variableOptions turns what a query found into options.
func variableOptions(v *dashboard.Variable, scope *Scope, found []string) ([]dashboard.Option, error) {
	regex, err := scope.interpolateAs(v.Regex.Value, "regex")
	if err != nil {
		return nil, fmt.Errorf("interpolate the regex: %w", err)
	}
	options, err := filterOptions(found, regex)
	if err != nil {
		return nil, err
	}
	sortOptions(options, v.Sort)
	return options, nil
}
