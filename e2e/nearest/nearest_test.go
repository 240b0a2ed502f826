package nearest

import (
	"testing"

	edlib "github.com/hbollon/go-edlib"
	"github.com/stretchr/testify/assert"
)

func TestNames(t *testing.T) {
	for _, tc := range []struct {
		name       string
		candidates []string
		want       []string
	}{
		{"prometeus", []string{"prometheus", "loki"}, []string{"prometheus"}},
		{"PROMETHEUS", []string{"prometheus"}, []string{"prometheus"}},
		{"nv_inference_request_sucess", []string{"nv_inference_request_failure", "nv_inference_request_success"},
			[]string{"nv_inference_request_success"}},
		{"modle", []string{"version", "model"}, []string{"model"}},
		{"gup", []string{"gpu", "job"}, []string{"gpu"}},
		{"gpu", []string{"instance", "job"}, nil},
		{"x", []string{"", "x"}, nil},
		{"node_load", []string{"node_load1", "node_load5", "node_load15", "node_load1"},
			[]string{"node_load1", "node_load5", "node_load15"}},
	} {
		assert.Equal(t, tc.want, Names(tc.name, tc.candidates, 3), tc.name)
	}
}

func TestOnly(t *testing.T) {
	for _, tc := range []struct {
		name   string
		groups [][]string
		want   int
	}{
		{"prometeus", [][]string{{"loki", "Logs"}, {"prometheus", "Metrics"}}, 1},
		{"metrics", [][]string{{"loki"}, {"prometheus", "Metrics"}}, 1},
		{"metrics-ue", [][]string{{"metrics-eu"}, {"prometheus"}}, 0},
		{"metrics-e", [][]string{{"metrics-eu"}, {"metrics-es"}}, -1},
		{"prometheus", [][]string{{"prometheus-eu"}, {"prometheus-us"}}, -1},
		{"prometheus-euu", [][]string{{"prometheus-eu"}, {"prometheus-us"}}, -1},
		{"elsewhere", [][]string{{"prometheus"}}, -1},
		{"", [][]string{{"", "prom"}}, -1},
		{"x", nil, -1},
	} {
		assert.Equal(t, tc.want, Only(tc.name, tc.groups), tc.name)
	}
}

func TestHint(t *testing.T) {
	assert.Equal(t, ", nearest: model", Hint("modle", []string{"model", "version"}))
	assert.Empty(t, Hint("zzz", []string{"model"}))
}

// FuzzApart holds what rules a name out to the distance that it stands for.
func FuzzApart(f *testing.F) {
	for _, pair := range [][2]string{{"prometeus", "prometheus"}, {"ab", "ba"}, {"", "x"}, {"größe", "grosse"}, {"\xff", "\x7f"}} {
		f.Add(pair[0], pair[1])
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		if len(a)+len(b) > 200 {
			t.Skip("the distance takes their product")
		}
		apart := lettersOf(a).apart(b)
		assert.LessOrEqual(t, apart, edlib.OSADamerauLevenshteinDistance(a, b))
		assert.Equal(t, apart, lettersOf(b).apart(a))
	})
}
