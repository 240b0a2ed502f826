package rule

import (
	"fmt"
	"slices"

	"github.com/prometheus/common/model"
)

// Zeroes is what was found out about a query whose every sample is zero.
type Zeroes struct {
	// Moving are the selectors of the query whose series are not zero themselves, with
	// what was seen of them.
	Moving []string
}

// valueAllZero finds queries that come to nothing but zero though what they are made
// of does not.
func valueAllZero() Rule {
	return Rule{
		ID:       "value/all-zero",
		Severity: Warning,
		Summary:  "every sample of a query is zero, though what it is computed from is not",
		Live: func(in *Live) []Finding {
			var out []Finding
			for _, a := range in.Asked {
				if a.Zeroes == nil || a.Status != StatusOK {
					continue
				}
				f := onAsked(a)
				f.Message = fmt.Sprintf("every sample (%d of %d series) is zero in %s, though what the query is computed from is not", a.Samples, a.Series, a.window())
				f.Evidence = a.Zeroes.Moving
				f.Fix = "check what the query divides by, rounds, subtracts or compares, and its unit"
				out = append(out, f)
			}
			return out
		},
	}
}

// AllZero says whether a query has samples, and every one of them is zero.
func (a *Asked) AllZero() bool {
	if a.Samples == 0 || a.Finite != a.Samples {
		return false
	}
	switch v := a.Answer.(type) {
	case model.Matrix:
		return !slices.ContainsFunc(v, func(s *model.SampleStream) bool {
			return len(s.Histograms) > 0 || slices.ContainsFunc(s.Values, func(p model.SamplePair) bool { return p.Value != 0 })
		})
	case model.Vector:
		return !slices.ContainsFunc(v, func(s *model.Sample) bool { return s.Histogram != nil || s.Value != 0 })
	default:
		return false
	}
}
