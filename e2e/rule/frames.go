package rule

import (
	"slices"

	"github.com/prometheus/common/model"
)

// frame is what Grafana makes of a series, or of a query shown as a table: columns of
// the same length.
type frame struct {
	rows    int
	columns []column
}

// column is a field of a frame: numbers, or texts.
type column struct {
	name    string
	numbers []float64
	texts   []string
}

// framesOf are the frames of a panel, where all their names are certain. A query that is
// empty by itself is told as such.
func framesOf(asked []*Asked) (all []frame, ok bool) {
	several := severalTables(asked)
	for _, a := range asked {
		if a.Target != nil && a.Target.Hide {
			continue
		}
		if a.Target == nil || !a.Sent || a.Err != nil || a.Expression || a.Finite == 0 {
			return nil, false
		}
		samples := samplesOf(a.Answer)
		if len(samples) != a.Samples { // native histograms
			return nil, false
		}
		var made []frame
		switch a.Target.Format {
		case "table":
			made = []frame{tableOf(samples, a, several)}
		case "time_series":
			if made, ok = seriesOf(samples, a); !ok {
				return nil, false
			}
		default:
			return nil, false
		}
		all = append(all, made...)
	}
	return all, true
}

// seriesOf are the frames of a query's series: one number at each time.
func seriesOf(samples []sample, a *Asked) (all []frame, ok bool) {
	at := map[model.Fingerprint]int{}
	legend, ok := a.legend()
	if !ok || legend == "" || legend == "__auto" { // what that is differs from version to version
		return nil, false
	}
	for _, s := range samples {
		series := s.metric.Fingerprint()
		i, there := at[series]
		if !there {
			i = len(all)
			at[series] = i
			all = append(all, frame{columns: []column{{name: FillLegend(legend, labelsOf(s.metric))}}})
		}
		all[i].rows++
		all[i].columns[0].numbers = append(all[i].columns[0].numbers, s.value)
	}
	return all, true
}

// tableOf is the one frame of a query shown as a table: its labels are columns.
func tableOf(samples []sample, a *Asked, several bool) frame {
	value := column{name: "Value"}
	if several {
		value.name += " #" + a.Target.RefID.Value
	}
	out := frame{rows: len(samples)}
	var labels []model.LabelName
	for _, s := range samples {
		value.numbers = append(value.numbers, s.value)
		for name := range s.metric {
			if !slices.Contains(labels, name) {
				labels = append(labels, name)
			}
		}
	}
	out.columns = append(out.columns, value)
	for _, label := range labels {
		c := column{name: string(label)}
		for _, s := range samples {
			c.texts = append(c.texts, string(s.metric[label]))
		}
		out.columns = append(out.columns, c)
	}
	return out
}
