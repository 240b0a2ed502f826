package matrix

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

func TestRunGoesOnWhateverACellComesTo(t *testing.T) {
	cells, err := shape(2, 3).Cells()
	require.NoError(t, err)
	var running, most atomic.Int64
	var told []string
	results := Run(t.Context(), cells, 2, func(_ context.Context, c Cell) Outcome {
		for n := running.Add(1); ; {
			if now := most.Load(); now >= n || most.CompareAndSwap(now, n) {
				break
			}
		}
		defer running.Add(-1)
		switch c.Label {
		case "grafana 1, prometheus 2":
			panic("what now")
		case "grafana 2, prometheus 1":
			return Outcome{Verdict: Fail, Broken: []Break{{Rule: "panel/no-data"}}}
		}
		return Outcome{Verdict: Pass}
	}, func(r Result) { told = append(told, r.Cell.Label) })
	require.Len(t, results, 6)
	for i, r := range results {
		assert.Equal(t, cells[i], r.Cell)
	}
	assert.Equal(t, Error, results[1].Outcome.Verdict)
	assert.Contains(t, results[1].Outcome.Err, "this is a mistake in panelgate, please report it: what now")
	assert.Equal(t, Fail, results[3].Outcome.Verdict)
	assert.Equal(t, Pass, results[5].Outcome.Verdict)
	assert.LessOrEqual(t, most.Load(), int64(2))
	assert.Len(t, told, 6)
}

func TestRunProvesWhatIsTheSameOnce(t *testing.T) {
	p := &Plan{Axes: []Axis{{Grafana, []Value{{Name: "13", Image: "g:13"}, {Name: "newest", Image: "g:13"}, {Name: "set", Image: "g:13", Environment: map[string]string{"A": "b"}}}}}}
	cells, err := p.Cells()
	require.NoError(t, err)
	var ran atomic.Int64
	results := Run(t.Context(), cells, 3, func(context.Context, Cell) Outcome {
		ran.Add(1)
		return Outcome{Verdict: Pass}
	}, nil)
	assert.Equal(t, int64(2), ran.Load())
	for _, r := range results {
		assert.Equal(t, Pass, r.Outcome.Verdict, r.Cell.Label)
	}
	assert.Equal(t, "grafana newest", results[1].Cell.Label)
}

func TestRunEndsWithItsContext(t *testing.T) {
	cells, err := shape(3).Cells()
	require.NoError(t, err)
	ctx, cancel := context.WithCancelCause(t.Context())
	results := Run(ctx, cells, 1, func(ctx context.Context, _ Cell) Outcome {
		cancel(errors.New("enough"))
		<-ctx.Done()
		return Outcome{Verdict: Error, Err: "stopped"}
	}, nil)
	assert.Equal(t, "stopped", results[0].Outcome.Err)
	assert.Equal(t, "not begun: enough", results[2].Outcome.Err)
	assert.Equal(t, Error, results[2].Outcome.Verdict)
}
