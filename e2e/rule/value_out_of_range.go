package rule

import (
	"fmt"
	"math"
	"time"

	"github.com/prometheus/common/model"
)

// valueOutOfRange proves the bounds that panelgate.yml declares for a panel.
func valueOutOfRange() Rule {
	return Rule{
		ID:       "value/out-of-range",
		Severity: Error,
		Summary:  "a sample lies outside the bounds that panelgate.yml declares for its panel",
		Live: func(in *Live) []Finding {
			var out []Finding
			for _, a := range in.Asked {
				for i := range in.Expectations {
					e := &in.Expectations[i]
					if e.Is != ExpectsBetween || !e.HoldsAt(in.Instance.Now) || !e.About(a.Question) {
						continue
					}
					if f := outOfRange(a, e); f != nil {
						out = append(out, *f)
					}
				}
			}
			return out
		},
	}
}

// outOfRange tells of the sample that lies farthest outside; NaN, and what has no
// single value, is not compared.
func outOfRange(a *Asked, e *Expectation) *Finding {
	var worst sample
	far, outside, all := 0.0, 0, 0
	for _, s := range samplesOf(a.Answer) {
		all++
		beyond := max(e.Low-s.value, s.value-e.High)
		if math.IsNaN(s.value) || beyond <= 0 {
			continue
		}
		if outside++; outside == 1 || beyond > far {
			worst, far = s, beyond
		}
	}
	if outside == 0 {
		return nil
	}
	f := onAsked(a)
	f.Message = fmt.Sprintf("%s%s at %s, outside the %s to %s that is declared", number(worst.value), inUnit(a), worst.at.Format(time.TimeOnly), number(e.Low), number(e.High))
	if repeated := a.repeatedFor(); repeated != "" {
		f.Message += ", for " + repeated
	}
	f.Evidence = []string{
		"of the series " + seriesText(worst.metric),
		fmt.Sprintf("%d of %d samples in %s are outside", outside, all, a.window()),
		fmt.Sprintf("declared at %s: %s", e.Pos, e.words()),
	}
	if e.Why != "" {
		f.Evidence = append(f.Evidence, "why: "+oneLine(e.Why))
	}
	f.Fix = "mend the query so that it gives what the panel claims to show, or widen the bounds if the value is right"
	return &f
}

// sample is one value of an answer.
type sample struct {
	metric model.Metric
	at     time.Time
	value  float64
}

// samplesOf are the numbers of an answer; native histograms are none.
func samplesOf(v model.Value) []sample {
	var out []sample
	switch v := v.(type) {
	case model.Matrix:
		for _, s := range v {
			for _, p := range s.Values {
				out = append(out, sample{s.Metric, p.Timestamp.Time(), float64(p.Value)})
			}
		}
	case model.Vector:
		for _, s := range v {
			if s.Histogram == nil {
				out = append(out, sample{s.Metric, s.Timestamp.Time(), float64(s.Value)})
			}
		}
	case *model.Scalar:
		out = append(out, sample{nil, v.Timestamp.Time(), float64(v.Value)})
	}
	return out
}

// seriesText is a series as Prometheus writes it, {} for one without labels.
func seriesText(m model.Metric) string {
	if len(m) == 0 {
		return "{}"
	}
	return m.String()
}

// inUnit says in what unit the panel shows a value, "" where it names none.
func inUnit(a *Asked) string {
	switch u := a.Panel.Unit.Value; u {
	case "", "none", "short":
		return ""
	default:
		return fmt.Sprintf(" (unit %q)", u)
	}
}

// words say what an expectation expects.
func (e *Expectation) words() string {
	if e.Is == ExpectsBetween {
		return fmt.Sprintf("is: {between: [%s, %s]}", number(e.Low), number(e.High))
	}
	return "is: " + string(e.Is)
}
