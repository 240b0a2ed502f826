package grafana

import (
	"bytes"
	"encoding/json"
	"strconv"
)

// text is a string that a person may have written as a number or left null:
// datasource settings and dashboards are kept as they were written.
type text string

// UnmarshalJSON never fails: what is no scalar is "".
func (t *text) UnmarshalJSON(b []byte) error {
	*t = ""
	switch {
	case len(b) > 0 && b[0] == '"':
		var s string
		if err := json.Unmarshal(b, &s); err != nil {
			return err
		}
		*t = text(s)
	case !bytes.Equal(b, []byte("null")) && b[0] != '{' && b[0] != '[':
		*t = text(b)
	}
	return nil
}

// whole is the whole number of the text, 0 where it is none.
func (t text) whole() int64 {
	n, err := strconv.ParseInt(string(t), 10, 64)
	if err == nil {
		return n
	}
	f, err := strconv.ParseFloat(string(t), 64)
	if err != nil {
		return 0
	}
	return int64(f)
}
