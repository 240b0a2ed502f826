package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// streamed is a run as --ndjson tells it.
func streamed(t *testing.T, r Result) string {
	t.Helper()
	var out bytes.Buffer
	stream := NewNDJSON(&out)
	require.NoError(t, stream.Emit(Start(r.Version, r.StackDir, r.Where, r.Began)))
	for e := range Events(r) {
		require.NoError(t, stream.Emit(e))
	}
	return out.String()
}

func TestEventsTellAllThatADocumentDoes(t *testing.T) {
	var seen []EventType
	d, err := ReadEvents(strings.NewReader(streamed(t, failing())), func(e Event) { seen = append(seen, e.Type) })
	require.NoError(t, err)
	assert.Equal(t, NewDocument(failing()), d)
	assert.Equal(t, []EventType{EventRun, EventTarget, EventTarget, EventDashboard, EventQuery, EventQuery, EventDrawing, EventFinding, EventFinding, EventEnd}, seen)
}

// ahead is a run as --ndjson tells it where panels are asked meanwhile.
func ahead(t *testing.T, r Result) string {
	t.Helper()
	var out bytes.Buffer
	stream := NewNDJSON(&out)
	tell := func(e Event) { require.NoError(t, stream.Emit(e)) }
	tell(Start(r.Version, r.StackDir, r.Where, r.Began))
	for e := range Asking(r.StackDir, r.Boards) {
		tell(e)
	}
	for _, a := range r.Queries {
		tell(Answered(r.StackDir, a))
	}
	r.Told = true
	for e := range Events(r) {
		tell(e)
	}
	return out.String()
}

func TestWhatIsToldAheadFoldsIntoTheSame(t *testing.T) {
	var seen []EventType
	d, err := ReadEvents(strings.NewReader(ahead(t, failing())), func(e Event) { seen = append(seen, e.Type) })
	require.NoError(t, err)
	assert.Equal(t, NewDocument(failing()), d)
	assert.Equal(t, []EventType{EventRun, EventDashboard, EventQuery, EventQuery, EventTarget, EventTarget, EventDrawing, EventFinding, EventFinding, EventEnd}, seen)
}

// What was told of a run that could then not be run is no result.
func TestWhatIsToldOfARunThatFailsIsVoid(t *testing.T) {
	r := failing()
	lines := strings.SplitAfter(ahead(t, r), "\n")
	r.Report, r.Verdict, r.Err = nil, Failed, errors.New("a server ended")
	var end bytes.Buffer
	for e := range Events(r) {
		require.NoError(t, NewNDJSON(&end).Emit(e))
	}
	d, err := ReadEvents(strings.NewReader(strings.Join(lines[:4], "")+end.String()), nil)
	require.NoError(t, err)
	assert.Equal(t, NewDocument(r), d)
	assert.Empty(t, d.Queries)
	assert.Equal(t, "a server ended", d.Error)
}

func TestEventsNameTheOneFieldThatIsSet(t *testing.T) {
	for line := range strings.Lines(streamed(t, failing())) {
		var fields map[string]json.RawMessage
		require.NoError(t, json.Unmarshal([]byte(line), &fields))
		var name string
		require.NoError(t, json.Unmarshal(fields["event"], &name))
		assert.Len(t, fields, 2)
		assert.Contains(t, fields, name)
	}
}

func TestReadEventsRefuses(t *testing.T) {
	whole := streamed(t, failing())
	lines := strings.SplitAfter(whole, "\n")
	for name, c := range map[string]struct{ stream, want string }{
		"nothing":         {"", "ends after 0 events without a verdict"},
		"cut short":       {strings.Join(lines[:3], ""), "ends after 3 events without a verdict"},
		"within a line":   {whole[:len(whole)-9], "event 10: unexpected EOF"},
		"no beginning":    {strings.Join(lines[1:], ""), "does not begin with a run of schema 1"},
		"a later schema":  {strings.Replace(whole, `"schema":1`, `"schema":2`, 1), "does not begin with a run of schema 1"},
		"another verdict": {strings.Replace(whole, `"verdict":"fail"`, `"verdict":"maybe"`, 1), `unknown verdict "maybe"`},
		"another run":     {strings.Join(lines[:4], "") + whole, "event 5 begins another run before the first has ended"},
		"no JSON":         {"<html>", "event 1: invalid character '<'"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ReadEvents(strings.NewReader(c.stream), nil)
			assert.ErrorContains(t, err, c.want)
		})
	}
}

func TestReadEventsPassesOverWhatItDoesNotKnow(t *testing.T) {
	first, rest, _ := strings.Cut(streamed(t, failing()), "\n")
	d, err := ReadEvents(strings.NewReader(first+"\n"+`{"event":"applause","applause":{"loud":true}}`+"\n"+rest), nil)
	require.NoError(t, err)
	assert.Equal(t, NewDocument(failing()), d)
}

func TestNobodyDrawsWhatNobodySees(t *testing.T) {
	r := failing()
	assert.Len(t, NewDocument(r).Drawings, 1)
	r.Undrawn = true
	d := NewDocument(r)
	assert.Empty(t, d.Drawings)
	assert.Equal(t, NewDocument(failing()).Queries, d.Queries)
}
