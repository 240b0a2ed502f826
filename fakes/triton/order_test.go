package triton

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/fakes/internal/scrapetest"
)

// What 64-bit libstdc++ gives for std::hash<std::string>.
func TestHashStringIsLibstdcxxs(t *testing.T) {
	for s, want := range map[string]uint64{
		"": 0x553e93901e462a6e, "a": 0x454ddee488c1ed6b, "version": 0x15ba742bb08e0596, "12345678": 0x8c5b90a33a04dca5,
		"nv_inference": 0x6c2b88c44bcb8a6d, "h\u00e9llo": 0xfc66fa19c39f6cf6, "GPU-c2f76b33-7953-256e-8f33-1343419b1a1c": 0xf6d5a384bb33f5b5,
	} {
		assert.Equal(t, want, hashString(s), s)
	}
}

// The orders are what a program with a std::unordered_map of the same keys and hash printed, compiled by g++. fold is an FNV-like
// digest of the whole order.
func TestPrintOrderIsUnorderedMaps(t *testing.T) {
	for _, tc := range []struct {
		models int
		first  []int
		fold   uint64
	}{
		{1, []int{3, 2, 1, 0}, 0x22b0200013a8a78e},
		{3, []int{11, 10, 8, 7, 9, 6, 5, 4, 3, 2, 1, 0}, 0xca609b4f29ce062c},
		{4, []int{15, 0, 1, 14, 3, 12, 2, 4, 5, 6, 9, 7, 13, 8, 10, 11}, 0x9722e4df2b5d474c},
		{8, []int{30, 29, 11, 10, 8, 13}, 0xefa8d2344db8ea30},
		{15, []int{59, 27, 25, 21, 28, 24}, 0x6d7dd97ef7e7666a},
		{40, []int{158, 155, 154, 153, 151}, 0xf2cb015c34906ad0},
		{150, []int{599, 595, 594, 592, 591}, 0xf4053cbb58f263d4},
	} {
		var series [][]label
		for m := range tc.models {
			for _, reason := range []string{"REJECTED", "CANCELED", "BACKEND", "OTHER"} {
				series = append(series, []label{{"model", "model_" + strconv.Itoa(m)}, {"reason", reason}, {"version", "1"}})
			}
		}
		order := printOrder(made(series...))
		assert.Equal(t, tc.first, order[:len(tc.first)], "%d models", tc.models)
		var fold uint64
		for _, i := range order {
			fold = fold*1099511628211 + uint64(i) + 1
		}
		assert.Equal(t, tc.fold, fold, "%d models", tc.models)
	}
}

func TestPrintOrderIsThatOfACapturedScrape(t *testing.T) {
	body := scrapetest.Captured(t, "triton-24.11plus-cpu-summaries-kura.prom")
	scrape := scrapetest.Parse(t, body, "text/plain")
	// The printed order of the plain families is the reverse of the order in which the models were loaded.
	var success, failure [][]label
	for _, line := range scrape.Lines {
		switch name, _, _ := strings.Cut(line, "{"); name {
		case successName:
			success = append([][]label{parseLabels(t, line)}, success...)
		case failureName:
			failure = append(failure, parseLabels(t, line))
		}
	}
	var added [][]label
	for _, m := range success {
		for _, reason := range []string{"REJECTED", "CANCELED", "BACKEND", "OTHER"} {
			added = append(added, []label{m[0], {"reason", reason}, m[1]})
		}
	}
	var order [][]label
	for _, i := range printOrder(made(added...)) {
		order = append(order, added[i])
	}
	assert.Equal(t, failure, order)
	require.Len(t, order, 8)
}

func parseLabels(t *testing.T, series string) []label {
	t.Helper()
	set, err := parser.NewParser(parser.Options{}).ParseMetric(series)
	require.NoError(t, err)
	var parsed []label
	set.Range(func(l labels.Label) {
		if l.Name != model.MetricNameLabel {
			parsed = append(parsed, label{l.Name, l.Value})
		}
	})
	return parsed
}

// made are series of these label sets, made in this order and all there still.
func made(sets ...[]label) []series {
	all := make([]series, len(sets))
	for i, set := range sets {
		all[i].labels = set
	}
	return all
}

// The order that g++'s std::unordered_map gives after the same insertions and removals.
func TestPrintOrderAfterModelsHaveComeAndGone(t *testing.T) {
	moment := func(i int) time.Time { return start.Add(time.Duration(i) * time.Second) }
	come := func(i int, from int) series {
		return series{labels: []label{{"model", "model_" + strconv.Itoa(i)}, {"version", "1"}}, from: moment(from)}
	}
	gone := func(s series, to int) series {
		s.to, s.gone = moment(to), true
		return s
	}
	var many []series
	for i := range 20 {
		s := come(i, 0)
		if i%2 == 0 {
			s = gone(s, 10)
		}
		many = append(many, s)
	}
	many = append(many, come(0, 20), come(2, 20), come(4, 20))
	assert.Equal(t, []int{22, 21, 17, 19, 15, 13, 3, 20, 7, 9, 1, 11, 5}, printOrder(many))

	var full []series
	for i := range 13 {
		full = append(full, come(i, 0))
	}
	full[5], full[0] = gone(full[5], 1), gone(full[0], 2)
	full = append(full, come(5, 1), come(20, 2), come(0, 3))
	assert.Equal(t, []int{8, 2, 10, 3, 4, 15, 6, 7, 9, 1, 11, 13, 12, 14}, printOrder(full))
}
