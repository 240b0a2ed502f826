package query

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/panelgate/panelgate/stack/dashboard"
)

// findOptions runs a variable's query and gives what it found, before the regex.
// It notes the query as run and why it was not run in out.
func (res *resolver) findOptions(ctx context.Context, v *dashboard.Variable, scope *Scope, out *Resolution) ([]string, error) {
	ds, special, err := ResolveDatasource(v.Datasource, scope, res.sources)
	switch {
	case err != nil:
		return nil, err
	case special != "":
		out.Unchecked = "its datasource is the built-in " + special
		return nil, nil
	case !IsPrometheus(ds):
		out.Unchecked = fmt.Sprintf("its datasource %q is of type %s, not prometheus", ds.Name.Value, ds.Type.Value)
		return nil, nil
	}
	scope, err = variableScope(scope, ds.TimeInterval.Value, res.r)
	if err != nil {
		return nil, fmt.Errorf("datasource %q: timeInterval: %w", ds.Name.Value, err)
	}
	text, mapping, err := scope.InterpolateMapped(queryText(v), PromQL)
	if err != nil {
		return nil, fmt.Errorf("interpolate the query: %w", err)
	}
	out.Query = text
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	q := ParseVariableQuery(text)
	if err := q.check(); err != nil {
		out.Syntax = &SyntaxError{Offset: mapping.Source(q.ArgOffset + errorOffset(err)), Err: err}
		return nil, fmt.Errorf("parse the query: %w", out.Syntax)
	}
	api := res.ask(ds)
	if api == nil {
		out.Unchecked = fmt.Sprintf("nobody answers for its datasource %q", ds.Name.Value)
		return nil, nil
	}
	return q.run(ctx, api, res.r)
}

// variableScope adds the macros that Grafana defines in variable queries. Unlike
// in panels there is no $__rate_interval, and $__interval is the scrape interval.
func variableScope(s *Scope, timeInterval string, r Range) (*Scope, error) {
	text := timeInterval
	if text == "" {
		text = formatInterval(defaultScrape)
	}
	interval, err := parseInterval(text)
	if err != nil {
		return nil, err
	}
	m := macros{interval: interval, span: r.Duration()}
	values := []Value{{Name: "__interval", Values: []string{text}}}
	for _, name := range []string{"__interval_ms", "__range", "__range_s", "__range_ms"} {
		values = append(values, Value{Name: name, Values: []string{m.value(name)}})
	}
	return &Scope{values: NewScope(values...).values, parent: s}, nil
}

// promParser accepts everything that some Prometheus might, experimental parts
// included: the server has the last word.
func promParser() parser.Parser {
	return parser.NewParser(parser.Options{
		EnableExperimentalFunctions: true, ExperimentalDurationExpr: true,
		EnableExtendedRangeSelectors: true, EnableBinopFillModifiers: true,
	})
}

// check parses the PromQL in the query, if there is any.
func (q VariableQuery) check() error {
	switch {
	case q.Kind == QueryResult:
		_, err := promParser().ParseExpr(q.Arg)
		return err
	case q.Kind == Series || q.Kind == LabelValues && q.Arg != "":
		_, err := promParser().ParseMetricSelector(q.Arg)
		return err
	default:
		return nil
	}
}

// errorOffset is where in its input the PromQL parser gave up.
func errorOffset(err error) int {
	var all parser.ParseErrors
	if errors.As(err, &all) && len(all) > 0 {
		return int(all[0].PositionRange.Start)
	}
	return 0
}

// run asks over the range, query_result at its end.
func (q VariableQuery) run(ctx context.Context, api promv1.API, r Range) ([]string, error) {
	switch q.Kind {
	case LabelNames:
		return q.labelNames(ctx, api, r)
	case LabelValues:
		var matches []string
		if q.Arg != "" {
			matches = []string{q.Arg}
		}
		values, _, err := api.LabelValues(ctx, q.Label, matches, r.From, r.To)
		return texts(values), wrap(err, "ask for the values of label %q", q.Label)
	case Metrics:
		return q.metrics(ctx, api, r)
	case QueryResult:
		value, _, err := api.Query(ctx, q.Arg, r.To)
		if err != nil {
			return nil, fmt.Errorf("run %s: %w", q.Arg, err)
		}
		return resultTexts(value), nil
	default:
		sets, _, err := api.Series(ctx, []string{q.Arg}, r.From, r.To)
		if err != nil {
			return nil, fmt.Errorf("ask for the series %s: %w", q.Arg, err)
		}
		found := make([]string, len(sets))
		for i, set := range sets {
			found[i] = seriesText(model.Metric(set))
		}
		return found, nil
	}
}

func wrap(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf(format+": %w", append(args, err)...)
}

func texts[S ~[]E, E ~string](values S) []string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = string(v)
	}
	return out
}

// labelNames lists the labels in use, of metrics whose name matches Arg if given.
func (q VariableQuery) labelNames(ctx context.Context, api promv1.API, r Range) ([]string, error) {
	var matches []string
	if q.Arg != "" {
		matches = []string{`{__name__=~` + strconv.Quote(".*"+q.Arg+".*") + `}`}
	}
	names, _, err := api.LabelNames(ctx, matches, r.From, r.To)
	return texts(names), wrap(err, "ask for the label names")
}

// metrics lists the metrics whose name matches Arg anywhere.
func (q VariableQuery) metrics(ctx context.Context, api promv1.API, r Range) ([]string, error) {
	re, err := compilePattern(q.Arg, q.Arg, "")
	if err != nil {
		return nil, fmt.Errorf("metrics(%s): %w", q.Arg, err)
	}
	names, _, err := api.LabelValues(ctx, model.MetricNameLabel, nil, r.From, r.To)
	if err != nil {
		return nil, fmt.Errorf("ask for the metric names: %w", err)
	}
	return re.filter(texts(names))
}

// resultTexts is a query's result as query_result shows it to the regex:
// `metric{label="value"} 42 1700000000000` a series, or the bare number.
func resultTexts(value model.Value) []string {
	switch value := value.(type) {
	case model.Vector:
		out := make([]string, len(value))
		for i, s := range value {
			out[i] = seriesText(s.Metric) + " " + s.Value.String() + " " + strconv.FormatInt(int64(s.Timestamp), 10)
		}
		return out
	case *model.Scalar:
		return []string{value.Value.String()}
	case *model.String:
		return []string{value.Value}
	case model.Matrix:
		out := make([]string, len(value))
		for i, s := range value {
			out[i] = seriesText(s.Metric)
		}
		return out
	default:
		return nil
	}
}

// seriesText writes a series as Grafana does: braces always, no escaping.
func seriesText(m model.Metric) string {
	var b strings.Builder
	b.WriteString(string(m[model.MetricNameLabel]))
	b.WriteByte('{')
	separator := ""
	for _, name := range slices.Sorted(maps.Keys(m)) {
		if name == model.MetricNameLabel {
			continue
		}
		b.WriteString(separator + string(name) + `="` + string(m[name]) + `"`)
		separator = ","
	}
	b.WriteByte('}')
	return b.String()
}
