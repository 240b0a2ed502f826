package grafana

import (
	"fmt"
	"maps"
	"strings"
	"time"
)

// Series is one line of a panel.
type Series struct {
	Name   string // the legend Grafana gives it, else the field's name
	Labels map[string]string
	// Points are in Grafana's order. Nulls are left out, NaN and the infinities
	// are not. There may be none: then all were null.
	Points []Point
}

// Point is one value. Its time is zero where Grafana gives none, as in what an
// expression makes of an instant query.
type Point struct {
	Time  time.Time
	Value float64
}

// Series reads the answer's frames as series, whatever their shape: a frame per
// series, a frame with many, or a table whose columns of strings are the labels.
// A query asked both as instant and as range gives each series twice. A frame
// without numbers gives none, nor does one of exemplars. The error is the
// answer's own.
func (a Answer) Series() ([]Series, error) {
	if a.Err != nil {
		return nil, a.Err
	}
	var out []Series
	for _, f := range a.Frames {
		out = append(out, f.series()...)
	}
	return out, nil
}

func (f Frame) series() []Series {
	if f.ResultType == "exemplar" || f.Name == "exemplar" || len(f.Fields) == 0 || f.Fields[0].rows == 0 {
		return nil
	}
	var at *Field // of several times the first, as Grafana's panels have it
	var values, keys []Field
	for i, field := range f.Fields {
		switch {
		case field.Type == "time" && at == nil:
			at = &f.Fields[i]
		case field.Type == "number", field.Type == "boolean":
			values = append(values, field)
		case field.Type == "string":
			keys = append(keys, field)
		}
	}
	values = f.counted(values)
	var out []Series
	for _, v := range values {
		if len(keys) == 0 {
			out = append(out, wide(at, v))
		} else {
			out = append(out, long(at, v, keys, len(values) > 1)...)
		}
	}
	return out
}

// counted leaves of a heatmap's cells the count: the other numbers are the
// cell's bounds.
func (f Frame) counted(values []Field) []Field {
	if !strings.HasPrefix(f.Type, "heatmap") {
		return values
	}
	for _, v := range values {
		if strings.EqualFold(v.Name, "count") {
			return []Field{v}
		}
	}
	return values
}

// wide is a column that is one series.
func wide(at *Field, v Field) Series {
	s := Series{Name: v.legend(), Labels: maps.Clone(v.Labels)}
	for i := range v.rows {
		if p, ok := point(at, v, i); ok {
			s.Points = append(s.Points, p)
		}
	}
	return s
}

// long is a column that holds several series, told apart by the strings beside
// it. Where there are several such columns, the column's name is the metric's.
func long(at *Field, v Field, keys []Field, named bool) []Series {
	var out []Series
	index := map[string]int{}
	for i := range v.rows {
		labels := maps.Clone(v.Labels)
		if labels == nil {
			labels = map[string]string{}
		}
		if _, has := labels["__name__"]; named && !has {
			labels["__name__"] = v.Name
		}
		var id strings.Builder
		for _, k := range keys {
			// A label that is null or empty is one that the series has not.
			if s, ok := k.Text(i); ok && s != "" {
				labels[k.Name] = s
			}
			fmt.Fprintf(&id, "%q,", labels[k.Name])
		}
		n, known := index[id.String()]
		if !known {
			n = len(out)
			index[id.String()] = n
			out = append(out, Series{Name: v.legend(), Labels: labels})
		}
		if p, ok := point(at, v, i); ok {
			out[n].Points = append(out[n].Points, p)
		}
	}
	return out
}

// point is row i, false where its value or its time is null.
func point(at *Field, v Field, i int) (Point, bool) {
	n, ok := v.Number(i)
	if !ok || at == nil {
		return Point{Value: n}, ok
	}
	t, ok := at.Time(i)
	return Point{Time: t, Value: n}, ok
}

func (f Field) legend() string {
	if f.DisplayName != "" {
		return f.DisplayName
	}
	return f.Name
}
