package page

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestPageFillsInValues(t *testing.T) {
	type state struct{ a, b float64 }
	whole := func(dst []byte, v float64) []byte { return strconv.AppendInt(dst, int64(v), 10) }
	var b Builder[state]
	b.Family("empty", "gauge", "Never printed.", whole)
	b.Family("x_total", "counter", "Some x.", whole)
	b.Sample(`k="1"`, func(s *state) float64 { return s.a })
	b.Sample(`k="2"`, func(s *state) float64 { return s.b })
	b.Family("y", "gauge", "Some y.", func(dst []byte, v float64) []byte { return strconv.AppendFloat(dst, v, 'f', 2, 64) })
	b.Sample("", func(s *state) float64 { return s.a / s.b })
	b.Suffixed("_count", "", func(s *state) float64 { return s.b })
	p := b.Page()

	got := string(p.Append([]byte("before\n"), &state{a: 1, b: 4}))

	assert.Equal(t, `before
# HELP x_total Some x.
# TYPE x_total counter
x_total{k="1"} 1
x_total{k="2"} 4
# HELP y Some y.
# TYPE y gauge
y 0.25
y_count 4.00
`, got)
	buffer, now := make([]byte, 0, 1024), &state{a: 1, b: 4}
	assert.Zero(t, testing.AllocsPerRun(10, func() { p.Append(buffer, now) }), "a buffer that has room is used as it is")
}

func TestBareFamiliesArePrintedWithoutSamples(t *testing.T) {
	type state struct{}
	whole := func(dst []byte, v float64) []byte { return strconv.AppendInt(dst, int64(v), 10) }
	var b Builder[state]
	b.Family("none", "gauge", "Of nothing.", whole)
	b.Bare()
	b.Family("x", "gauge", "Some x.", whole)
	b.Sample("", func(*state) float64 { return 1 })
	b.Bare()
	b.Family("last", "gauge", "Of nothing either.", whole)
	b.Bare()
	assert.Equal(t, "# HELP none Of nothing.\n# TYPE none gauge\n# HELP x Some x.\n# TYPE x gauge\nx 1\n"+
		"# HELP last Of nothing either.\n# TYPE last gauge\n", string(b.Page().Append(nil, &state{})))
}
