package dashboard

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/panelgate/panelgate/stack/source"
)

// Model is the target's own JSON with fill applied to each text in it, as a browser
// sends it along. The error is fill's.
func (t *Target) Model(fill func(text string) (string, error)) (json.RawMessage, error) {
	var out bytes.Buffer
	if err := writeJSON(&out, t.Node, fill); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// writeJSON writes a value of a file as JSON again.
func writeJSON(out *bytes.Buffer, n *source.Node, fill func(string) (string, error)) error {
	switch n.Kind() {
	case source.Object:
		out.WriteByte('{')
		for i, f := range n.Fields() {
			if i > 0 {
				out.WriteByte(',')
			}
			writeText(out, f.Key)
			out.WriteByte(':')
			if err := writeJSON(out, f.Value, fill); err != nil {
				return err
			}
		}
		out.WriteByte('}')
	case source.Array:
		out.WriteByte('[')
		for i, item := range n.Items() {
			if i > 0 {
				out.WriteByte(',')
			}
			if err := writeJSON(out, item, fill); err != nil {
				return err
			}
		}
		out.WriteByte(']')
	case source.String:
		text, err := fill(n.Str())
		if err != nil {
			return fmt.Errorf("%s: %w", n.Pos(), err)
		}
		writeText(out, text)
	case source.Number, source.Bool:
		out.WriteString(n.Scalar())
	default:
		out.WriteString("null")
	}
	return nil
}

func writeText(out *bytes.Buffer, text string) {
	data, err := json.Marshal(text)
	if err != nil { // no string is beyond JSON
		data = []byte(`""`)
	}
	out.Write(data)
}
