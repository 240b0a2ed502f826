package query

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/internal/material"
	"github.com/panelgate/panelgate/stack/dashboard"
)

// oneOrMore is a JSON string or an array of strings.
type oneOrMore []string

func (o *oneOrMore) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		*o = oneOrMore{one}
		return nil
	}
	var more []string
	err := json.Unmarshal(data, &more)
	*o = more
	return err
}

type recordedState struct {
	Multi, IncludeAll bool
	AllValue          string
	Value, Text       oneOrMore
}

type recording struct {
	Options []string
	States  map[string]recordedState
	Cases   []struct {
		State, In string
		DS        *string
		Out       json.RawMessage
	}
}

func (r recording) value(state string) Value {
	s := r.States[state]
	v := Value{
		Name: "m", Values: s.Value, Texts: s.Text, Multi: s.Multi, IncludeAll: s.IncludeAll, AllValue: s.AllValue,
		All: len(s.Value) > 0 && s.Value[0] == allOption,
	}
	for _, o := range r.Options {
		v.Options = append(v.Options, dashboard.Option{Text: o + "_t", Value: o})
	}
	return v
}

// TestGrafanaConformance replays what Grafana's own code answered.
func TestGrafanaConformance(t *testing.T) {
	data, err := os.ReadFile(material.Path(t, "conformance", "variable-interpolation.json"))
	require.NoError(t, err)
	var rec recording
	require.NoError(t, json.Unmarshal(data, &rec))
	require.Len(t, rec.Cases, 460)
	failing := 0
	for _, c := range rec.Cases {
		dialect, ds := Plain, "general"
		if c.DS != nil {
			ds = *c.DS
			dialect = map[string]Dialect{"prometheus": PromQL, "prometheus+specialChars": PromQLSpecialChars}[ds]
			require.NotEqual(t, Plain, dialect, ds)
		}
		got, err := NewScope(rec.value(c.State)).Interpolate(c.In, dialect)
		var want string
		if json.Unmarshal(c.Out, &want) != nil {
			failing++
			var recursion *RecursionError
			require.ErrorAs(t, err, &recursion, "%s %s %s", c.State, c.In, ds)
			assert.Equal(t, []string{"m", "m"}, recursion.Names)
			continue
		}
		require.NoError(t, err, "%s %s %s", c.State, c.In, ds)
		assert.Equal(t, want, got, "%s %s %s", c.State, c.In, ds)
	}
	assert.Positive(t, failing, "cases in which Grafana overflows")
}
