package rule

import "fmt"

// panelNaN finds queries that answer with nothing but NaN and Inf: Grafana draws
// no line of them, though there is no "No data" either.
func panelNaN() Rule {
	return Rule{
		ID:       "panel/nan",
		Severity: Error,
		Summary:  "a panel's query has samples, and every one of them is NaN or Inf",
		Live: func(in *Live) []Finding {
			var out []Finding
			for _, a := range in.Asked {
				if a.Status != StatusFailed || a.Err != nil || a.Samples == 0 || a.Finite > 0 {
					continue
				}
				f := onAsked(a)
				f.Message = fmt.Sprintf("every sample (%d of %d series) is NaN or Inf in %s", a.Samples, a.Series, a.window())
				if repeated := a.repeatedFor(); repeated != "" {
					f.Message += ", for " + repeated
				}
				f.Fix = "check what the query divides by"
				explain(&f, a)
				out = append(out, f)
			}
			return out
		},
	}
}
