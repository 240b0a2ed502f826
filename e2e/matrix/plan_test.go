package matrix

import (
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/e2e/shard"
)

// shape is a plan with so many values on its axes, called 1, 2, 3.
func shape(sizes ...int) *Plan {
	p := &Plan{}
	for i, n := range sizes {
		a := Axis{Name: Names()[i]}
		for v := range n {
			a.Values = append(a.Values, Value{Name: strconv.Itoa(v + 1), Image: "image:" + strconv.Itoa(v+1)})
		}
		p.Axes = append(p.Axes, a)
	}
	return p
}

func TestPairwiseCoversEveryPair(t *testing.T) {
	for _, tc := range []struct {
		sizes []int
		most  int
	}{
		{[]int{4}, 4}, {[]int{2, 3}, 6}, {[]int{2, 2, 2}, 5}, {[]int{3, 3, 3}, 11}, {[]int{4, 4, 4}, 21}, {[]int{3, 3, 3, 3, 3}, 17},
		{[]int{5, 1, 3, 2, 1}, 16}, {[]int{8, 8, 2, 2, 2}, 70}, {[]int{1, 1}, 1},
	} {
		got := pairwise(tc.sizes)
		covered := map[pair]bool{}
		for _, at := range got {
			require.Len(t, at, len(tc.sizes))
			for _, met := range meets(at) {
				covered[met] = true
			}
		}
		for _, at := range every(tc.sizes) {
			for _, met := range meets(at) {
				assert.True(t, covered[met], "%v lacks %v", tc.sizes, met)
			}
		}
		assert.LessOrEqual(t, len(got), tc.most, "%v", tc.sizes)
		assert.Equal(t, got, pairwise(tc.sizes), "it is always the same")
	}
}

func TestCells(t *testing.T) {
	labels := func(p *Plan) (out []string) {
		cells, err := p.Cells()
		require.NoError(t, err)
		for _, c := range cells {
			out = append(out, c.Label)
		}
		return out
	}
	assert.Equal(t, []string{"grafana 1, prometheus 1", "grafana 1, prometheus 2", "grafana 2, prometheus 1", "grafana 2, prometheus 2"}, labels(shape(2, 2)))
	assert.Equal(t, []string{"grafana 1", "grafana 2"}, labels(shape(2, 1, 1)), "what does not vary is not worth a word")
	assert.Equal(t, []string{"grafana 1, prometheus 1"}, labels(shape(1, 1)), "unless nothing does")
	assert.Len(t, labels(shape(4, 4)), 16)
	assert.Less(t, len(labels(shape(3, 3, 3))), 27, "a large matrix is combined pairwise unless told otherwise")
	all := shape(3, 3, 3)
	all.Combine = All
	assert.Len(t, labels(all), 27)

	_, err := (&Plan{}).Cells()
	require.EqualError(t, err, "nothing to vary: name versions of at least one of grafana, prometheus, triton, dcgm, node, vllm")
	all = shape(10, 10, 10)
	all.Combine = All
	_, err = all.Cells()
	require.ErrorContains(t, err, "1000 combinations are more than the 256")
	_, err = shape(32, 32).Cells()
	require.ErrorContains(t, err, "1024 cells are more than the 256")
}

func TestSetKeepsTheOrder(t *testing.T) {
	p := &Plan{}
	for _, name := range []string{Node, Prometheus, Grafana, Prometheus} {
		p.Set(Axis{Name: name})
	}
	assert.Equal(t, []Axis{{Name: Grafana}, {Name: Prometheus}, {Name: Node}}, p.Axes)
	assert.Equal(t, Node, p.Axis(Node).Name)
	assert.Nil(t, p.Axis(Triton))
}

func TestDir(t *testing.T) {
	dir := func(names ...string) string {
		c := Cell{}
		for i, n := range names {
			c.Choices = append(c.Choices, Choice{Names()[i], Value{Name: n}})
		}
		return c.Dir()
	}
	assert.Equal(t, "grafana-12.3_prometheus-v3.5.1", dir("12.3", "v3.5.1"))
	assert.Regexp(t, `^grafana-\.\.-\.\.-etc-[0-9a-f]{8}$`, dir("../../etc"))
	assert.NotEqual(t, dir("a b"), dir("a/b"))
	assert.NotEqual(t, dir("a_prometheus-b", "c"), dir("a", "b_prometheus-c"))
	assert.Less(t, len(dir(strings.Repeat("x", 200))), 140)
}

func TestPart(t *testing.T) {
	cells, err := shape(5).Cells()
	require.NoError(t, err)
	var got []string
	for _, text := range []string{"1/3", "2/3", "3/3"} {
		s, err := shard.Parse(text)
		require.NoError(t, err)
		for _, c := range Part(cells, s) {
			got = append(got, text+" "+c.Label)
		}
	}
	assert.Equal(t, []string{"1/3 grafana 1", "1/3 grafana 4", "2/3 grafana 2", "2/3 grafana 5", "3/3 grafana 3"}, got)
	assert.Empty(t, Part(cells, shard.Shard{Number: 6, Of: 6}))
}
