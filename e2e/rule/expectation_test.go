package rule

import (
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/stack/source"
)

// entry is a text of panelgate.yml at a column of the line that its tests speak of.
func entry(value string, column int) source.Text {
	return source.Text{Value: value, Pos: source.Pos{File: "panelgate.yml", Line: 4, Column: column}}
}

func expects(is Expects, board, panel, ref string) Expectation {
	e := Expectation{Dashboard: entry(board, 1), Panel: entry(panel, 2), Is: is, Why: "a reason",
		Pos: entry("", 5).Pos, UntilPos: entry("", 9).Pos}
	if ref != "" {
		e.RefID = entry(ref, 3)
	}
	return e
}

func TestGateExpectationExpired(t *testing.T) {
	in := shipped(t).static()
	day := func(d int) time.Time { return time.Date(2026, 11, d, 0, 0, 0, 0, time.UTC) }
	for name, c := range map[string]struct {
		until time.Time
		fires bool
	}{
		"for good": {}, "the day after": {day(1), true}, "its last day": {day(2), false}, "long to go": {day(30), false}, "long gone": {day(1).AddDate(-1, 0, 0), true},
	} {
		t.Run(name, func(t *testing.T) {
			e := expects(ExpectsEmpty, "triton", "Queue Delay", "")
			e.Until = c.until
			in.Expectations = []Expectation{e}
			found := gateExpectationExpired().Static(in)
			if !c.fires {
				assert.Empty(t, found)
				return
			}
			require.Len(t, found, 1)
			assert.Equal(t, e.UntilPos, found[0].Pos)
			assert.Contains(t, found[0].Message, "is: empty held until "+c.until.AddDate(0, 0, -1).Format(time.DateOnly))
			assert.Equal(t, []string{"why it was there: a reason"}, found[0].Evidence)
		})
	}
}

func TestGateExpectationUnmatched(t *testing.T) {
	board := boardWith("", panelWith(1, "Queue Delay", "up", "up")+`, {"id": 3, "type": "row", "title": "A row"}`)
	for _, c := range []struct {
		name, board, panel, ref string
		column                  int
		says, evidence, fix     string
	}{
		{name: "by uid", board: "small", panel: "Queue Delay"},
		{name: "by title", board: "Small", panel: "Queue Delay", ref: "B"},
		{name: "no such dashboard", board: "smal", panel: "Queue Delay", column: 1, says: `dashboard "smal", which is not there`, evidence: "small", fix: `if that is what is meant`},
		{name: "no such panel", board: "small", panel: "Queue Delays", column: 2, says: `panel "Queue Delays"`, evidence: "nearest: Queue Delay", fix: `write panel: "Queue Delay"`},
		{name: "nothing like it", board: "small", panel: "GPU", column: 2, says: `panel "GPU"`, fix: "remove the expectation"},
		{name: "a row", board: "small", panel: "A row", column: 2, says: `panel "A row"`},
		{name: "no such query", board: "small", panel: "Queue Delay", ref: "C", column: 3, says: `query "C" of the panel`, evidence: "its queries: A, B", fix: `write ref_id: "A"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := shipped(t).write(boardFile, board).static()
			in.Boards = nil // filtered away is still there
			in.Expectations = []Expectation{expects(ExpectsData, c.board, c.panel, c.ref)}
			found := gateExpectationUnmatched().Static(in)
			if c.says == "" {
				assert.Empty(t, found)
				return
			}
			require.Len(t, found, 1)
			assert.Equal(t, c.column, found[0].Pos.Column)
			assert.Contains(t, found[0].Message, c.says)
			assert.Contains(t, found[0].Fix, c.fix)
			if c.evidence != "" {
				require.NotEmpty(t, found[0].Evidence)
				assert.Contains(t, found[0].Evidence[0], c.evidence)
			}
		})
	}
	t.Run("a file that cannot be read may be the one", func(t *testing.T) {
		in := shipped(t).write(boardFile, `{"title": `).static()
		in.Expectations = []Expectation{expects(ExpectsEmpty, "small", "a", "")}
		assert.Empty(t, gateExpectationUnmatched().Static(in))
	})
}

func TestGateExpectationStale(t *testing.T) {
	const repeated = `{"id": 2, "type": "stat", "title": "a", "repeat": "gpu", "targets": [{"refId": "A", "expr": "up{gpu=\"$gpu\"}"}]}`
	gpus := `{"name": "gpu", "type": "custom", "query": "0,1", "multi": true, "includeAll": true, "current": {"text": "All", "value": "$__all"}}`
	for _, c := range []struct {
		name, panels string
		expect       []Expectation
		finite       []int // of each query, -1 for one that is not checked
		says, fix    string
	}{
		{name: "data", finite: []int{5}, says: "the panel is declared empty, and has data", fix: "remove the expectation"},
		{name: "empty as declared", finite: []int{0}},
		{name: "not checked", finite: []int{-1}},
		{name: "one of two", panels: panelWith(1, "a", "up", "down"), finite: []int{0, 4}, says: "its query B has data", fix: "ref_id: A"},
		{name: "both of two", panels: panelWith(1, "a", "up", "down"), finite: []int{2, 4}, says: "the panel is declared empty, and has data"},
		{name: "the one that is meant", panels: panelWith(1, "a", "up", "down"), finite: []int{2, 0}, expect: []Expectation{expects(ExpectsEmpty, "small", "a", "B")}},
		{name: "the other is told apart", panels: panelWith(1, "a", "up", "down"), finite: []int{0, 4},
			expect: []Expectation{expects(ExpectsEmpty, "small", "a", ""), expects(ExpectsData, "small", "a", "B")}},
		{name: "some copies of a repeated panel", panels: repeated, finite: []int{1, 0}},
		{name: "all copies of a repeated panel", panels: repeated, finite: []int{1, 3}, says: "has data", fix: "remove"},
		{name: "declared to have data", finite: []int{5}, expect: []Expectation{expects(ExpectsData, "small", "a", "")}},
		{name: "another panel", finite: []int{5}, expect: []Expectation{expects(ExpectsEmpty, "small", "b", "")}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.panels == "" {
				c.panels = panelWith(1, "a", "up")
			}
			in := shipped(t).write(boardFile, boardWith(gpus, c.panels)).live()
			if in.Expectations = c.expect; c.expect == nil {
				in.Expectations = []Expectation{expects(ExpectsEmpty, "small", "a", "")}
			}
			questions := in.Boards[0].Questions
			require.Len(t, questions, len(c.finite))
			for i, q := range questions {
				a := &Asked{Question: q, Request: q.Requests[0], Finite: max(c.finite[i], 0), Status: StatusOK}
				if c.finite[i] < 0 {
					a.Status = StatusUnchecked
				}
				in.Asked = append(in.Asked, a)
			}
			found := gateExpectationStale().Live(in)
			if c.says == "" {
				assert.Empty(t, found)
				return
			}
			require.Len(t, found, 1)
			assert.Equal(t, 5, found[0].Pos.Column)
			assert.Contains(t, found[0].Message, c.says)
			assert.Contains(t, found[0].Fix, c.fix)
		})
	}
}

func TestExpected(t *testing.T) {
	in := shipped(t).write(boardFile, boardWith("", panelWith(1, "a", "up", "down"))).static()
	first, second := in.Boards[0].Questions[0], in.Boards[0].Questions[1]
	assert.False(t, in.Expected(first, in.Now))

	in.Expectations = []Expectation{expects(ExpectsData, "small", "a", "B"), expects(ExpectsEmpty, "Small", "a", "")}
	assert.True(t, in.Expected(first, in.Now))
	assert.False(t, in.Expected(second, in.Now), "the query itself is expected to have data")

	in.Expectations = []Expectation{expects(ExpectsBetween, "small", "a", "")}
	assert.False(t, in.Expected(first, in.Now), "bounds excuse no emptiness")

	in.Expectations = []Expectation{expects(ExpectsEmpty, "small", "a", "A")}
	in.Expectations[0].Until = in.Now
	assert.False(t, in.Expected(first, in.Now), "it has ended")
}

func TestValueOutOfRange(t *testing.T) {
	at := func(minute int) model.Time {
		return model.TimeFromUnix(time.Date(2026, 11, 1, 11, minute, 0, 0, time.UTC).Unix())
	}
	series := func(name string, values ...float64) *model.SampleStream {
		s := &model.SampleStream{Metric: model.Metric{"model": model.LabelValue(name)}}
		for i, v := range values {
			s.Values = append(s.Values, model.SamplePair{Timestamp: at(i), Value: model.SampleValue(v)})
		}
		return s
	}
	for _, c := range []struct {
		name   string
		answer model.Value
		says   string
		series string
		count  string
	}{
		{name: "inside, the bounds included", answer: model.Matrix{series("a", 0, 0.5, 1)}},
		{name: "above", answer: model.Matrix{series("a", 0, 0.5), series("b", 1.5, 40, 2)}, says: `40 (unit "percentunit") at 11:01:00, outside the 0 to 1`, series: `{model="b"}`, count: "3 of 5 samples"},
		{name: "below", answer: model.Vector{{Metric: model.Metric{}, Value: -0.25, Timestamp: at(7)}}, says: `-0.25 (unit "percentunit") at 11:07:00`, series: "of the series {}"},
		{name: "a scalar", answer: &model.Scalar{Value: 3, Timestamp: at(2)}, says: "3 (unit"},
		{name: "not a number", answer: model.Matrix{series("a", nan())}},
		{name: "nothing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := shipped(t).write(boardFile, boardWith("", `{"id": 1, "type": "stat", "title": "a", "fieldConfig": {"defaults": {"unit": "percentunit"}}, "targets": [{"refId": "A", "expr": "up"}]}`))
			in := f.live()
			e := expects(ExpectsBetween, "small", "a", "")
			e.High = 1
			in.Expectations = []Expectation{e}
			f.ask(in, "a").Answer = c.answer
			found := valueOutOfRange().Live(in)
			if c.says == "" {
				assert.Empty(t, found)
				return
			}
			f.expect(found, []expected{{at: `"up"`, says: c.says, evidence: "declared at panelgate.yml:4:5: is: {between: [0, 1]}"}})
			assert.Contains(t, found[0].Evidence[0], c.series)
			assert.Contains(t, found[0].Evidence[1], c.count)

			in.Expectations[0].Until = time.Unix(1, 0)
			in.Instance.Now = time.Unix(2, 0)
			assert.Empty(t, valueOutOfRange().Live(in), "the bounds have ended")
		})
	}
}

func nan() float64 {
	var zero float64
	return zero / zero
}
