package grafana

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Frame is one table of an answer.
type Frame struct {
	Name, RefID   string
	Type          string // what it holds: "timeseries-multi", "numeric-multi", "timeseries-long", … or ""
	ResultType    string // Prometheus' "matrix", "vector", "scalar", "string", "exemplar", or ""
	ExecutedQuery string // the query as it was run, the step included; lost where an expression takes the answer
	Notices       []string
	Fields        []Field
}

// Field is one column of a frame.
type Field struct {
	Name        string
	DisplayName string // the legend, where the datasource gives one
	Type        string // "time", "number", "string", "boolean", "enum", "other"
	Labels      map[string]string

	rows    int
	numbers []number
	times   []time.Time // zero where null
	strings []*string
}

// Len is how many rows there are.
func (f Field) Len() int { return f.rows }

// Number is the number in row i; a boolean is 1 or 0. It is false where the row
// is null or the field has no numbers.
func (f Field) Number(i int) (float64, bool) {
	if i >= len(f.numbers) {
		return 0, false
	}
	return f.numbers[i].value, f.numbers[i].valid
}

// Time is the time in row i, in UTC. It is false where the row is null or the
// field has no times.
func (f Field) Time(i int) (time.Time, bool) {
	if i >= len(f.times) {
		return time.Time{}, false
	}
	return f.times[i], !f.times[i].IsZero()
}

// Text is the string in row i. It is false where the row is null or the field
// has no strings.
func (f Field) Text(i int) (string, bool) {
	if i >= len(f.strings) || f.strings[i] == nil {
		return "", false
	}
	return *f.strings[i], true
}

// wireResult is one query's answer as Grafana writes it.
type wireResult struct {
	Error  string      `json:"error"`
	Source string      `json:"errorSource"`
	Status int         `json:"status"`
	Frames []wireFrame `json:"frames"`
}

type wireFrame struct {
	Schema struct {
		Name   string      `json:"name"`
		RefID  string      `json:"refId"`
		Meta   wireMeta    `json:"meta"`
		Fields []wireField `json:"fields"`
	} `json:"schema"`
	Data struct {
		Values   []json.RawMessage `json:"values"`   // a column a field
		Entities []*entities       `json:"entities"` // a column a field, null where it has none
		Nanos    [][]int64         `json:"nanos"`    // of times, what is finer than a millisecond
	} `json:"data"`
}

type wireMeta struct {
	Type                string          `json:"type"`
	ExecutedQueryString string          `json:"executedQueryString"`
	Custom              json.RawMessage `json:"custom"` // each datasource's own
	Notices             []struct {
		Text string `json:"text"`
	} `json:"notices"`
}

type wireField struct {
	Name   string            `json:"name"`
	Type   string            `json:"type"`
	Labels map[string]string `json:"labels"`
	Config struct {
		DisplayNameFromDS text `json:"displayNameFromDS"`
	} `json:"config"`
}

// entities are the rows of a column that JSON has no number for. They are null there.
type entities struct {
	NaN    []int
	Inf    []int
	NegInf []int
}

// answer reads a result. httpStatus stands in for a status of its own.
func (w wireResult) answer(refID string, httpStatus int) (Answer, error) {
	a := Answer{RefID: refID, Status: w.Status}
	if a.Status == 0 && (w.Error != "" || httpStatus == http.StatusMultiStatus) {
		a.Status = httpStatus
	}
	if a.Status == 0 {
		a.Status = http.StatusOK
	}
	if w.Error != "" {
		a.Err = &QueryError{RefID: refID, Status: w.Status, Message: w.Error, Source: w.Source}
	}
	for i, wf := range w.Frames {
		f, err := wf.frame()
		if err != nil {
			return Answer{}, fmt.Errorf("frame %d: %w", i, err)
		}
		a.Frames = append(a.Frames, f)
	}
	return a, nil
}

func (w wireFrame) frame() (Frame, error) {
	meta := w.Schema.Meta
	f := Frame{
		Name: w.Schema.Name, RefID: w.Schema.RefID, Type: meta.Type,
		ResultType: meta.resultType(), ExecutedQuery: meta.ExecutedQueryString,
	}
	for _, n := range meta.Notices {
		f.Notices = append(f.Notices, n.Text)
	}
	// A schema without data is a frame without rows.
	if n := len(w.Data.Values); n != 0 && n != len(w.Schema.Fields) {
		return Frame{}, fmt.Errorf("it has %d fields and %d columns", len(w.Schema.Fields), n)
	}
	for i := range w.Schema.Fields {
		field, err := w.field(i)
		if err != nil {
			return Frame{}, fmt.Errorf("field %q: %w", w.Schema.Fields[i].Name, err)
		}
		if i > 0 && field.rows != f.Fields[0].rows {
			return Frame{}, fmt.Errorf("field %q has %d rows, and %q before it %d",
				field.Name, field.rows, f.Fields[0].Name, f.Fields[0].rows)
		}
		f.Fields = append(f.Fields, field)
	}
	return f, nil
}

// resultType is Prometheus' type of the result, where it is Prometheus' frame.
func (m wireMeta) resultType() string {
	var custom struct {
		ResultType text `json:"resultType"`
	}
	if json.Unmarshal(m.Custom, &custom) != nil {
		return ""
	}
	return string(custom.ResultType)
}

func (w wireFrame) field(i int) (Field, error) {
	s := w.Schema.Fields[i]
	f := Field{Name: s.Name, DisplayName: string(s.Config.DisplayNameFromDS), Type: s.Type, Labels: s.Labels}
	if i >= len(w.Data.Values) {
		return f, nil
	}
	var special *entities
	if i < len(w.Data.Entities) {
		special = w.Data.Entities[i]
	}
	var nanos []int64
	if i < len(w.Data.Nanos) {
		nanos = w.Data.Nanos[i]
	}
	return f, f.read(w.Data.Values[i], special, nanos)
}

// read fills in the field's column.
func (f *Field) read(column json.RawMessage, special *entities, nanos []int64) error {
	switch f.Type {
	case "number", "boolean":
		if err := json.Unmarshal(column, &f.numbers); err != nil {
			return err
		}
		f.rows = len(f.numbers)
		return special.put(f.numbers)
	case "time":
		var stamps []stamp
		if err := json.Unmarshal(column, &stamps); err != nil {
			return err
		}
		f.rows, f.times = len(stamps), make([]time.Time, len(stamps))
		for i, s := range stamps {
			f.times[i] = s.Time
			if i < len(nanos) && !s.IsZero() {
				f.times[i] = s.Add(time.Duration(nanos[i]))
			}
		}
		return nil
	case "string":
		err := json.Unmarshal(column, &f.strings)
		f.rows = len(f.strings)
		return err
	default: // nothing to be made of it but how much there is
		var cells []json.RawMessage
		err := json.Unmarshal(column, &cells)
		f.rows = len(cells)
		return err
	}
}

// put sets the rows that hold no number of JSON's.
func (e *entities) put(into []number) error {
	if e == nil {
		return nil
	}
	for _, of := range []struct {
		rows  []int
		value float64
	}{{e.NaN, math.NaN()}, {e.Inf, math.Inf(1)}, {e.NegInf, math.Inf(-1)}} {
		for _, row := range of.rows {
			if row < 0 || row >= len(into) {
				return fmt.Errorf("%v is said to be in row %d of %d", of.value, row, len(into))
			}
			into[row] = number{value: of.value, valid: true}
		}
	}
	return nil
}

// number is a cell of a column of numbers. A pointer each would be much garbage.
type number struct {
	value float64
	valid bool
}

// UnmarshalJSON reads a number, a boolean, null, or a number in quotes, as which
// 64 bit integers are written at times.
func (n *number) UnmarshalJSON(b []byte) error {
	switch s := string(b); s {
	case "null":
		*n = number{}
	case "true":
		*n = number{value: 1, valid: true}
	case "false":
		*n = number{valid: true}
	default:
		v, err := strconv.ParseFloat(strings.Trim(s, `"`), 64)
		if err != nil {
			return fmt.Errorf("%s is no number", clean(s))
		}
		*n = number{value: v, valid: true}
	}
	return nil
}

// stamp is a cell of a column of times: milliseconds, or a time written out.
type stamp struct{ time.Time }

// UnmarshalJSON reads a time or null.
func (s *stamp) UnmarshalJSON(b []byte) error {
	*s = stamp{}
	if string(b) == "null" {
		return nil
	}
	if b[0] == '"' {
		t, err := time.Parse(`"`+time.RFC3339Nano+`"`, string(b))
		if err != nil {
			return fmt.Errorf("%s is no time", clean(string(b)))
		}
		*s = stamp{t.UTC()}
		return nil
	}
	ms, err := strconv.ParseFloat(string(b), 64)
	if err != nil || math.Abs(ms) > 1<<53 {
		return fmt.Errorf("%s is no time", clean(string(b)))
	}
	*s = stamp{time.UnixMilli(int64(ms)).UTC()}
	return nil
}
