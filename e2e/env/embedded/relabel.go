package embedded

import (
	"fmt"
	"slices"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/relabel"
	"github.com/prometheus/prometheus/storage"
)

// relabelling gives scraped series their final labels, by the job's rules. It is
// a second telling of steps that package scrape keeps to itself; a test holds
// the two against each other.
type relabelling struct {
	job    *config.ScrapeConfig
	target labels.Labels
}

// apply is the series' final labels, empty where it is dropped. The error is a
// reason to fail the scrape.
func (r relabelling) apply(scraped labels.Labels) (labels.Labels, error) {
	lb := labels.NewBuilder(scraped)
	var pushed []labels.Label // scraped labels that give way to the target's
	r.target.Range(func(l labels.Label) {
		own := scraped.Get(l.Name)
		switch {
		case own == "" && (!r.job.HonorLabels || !scraped.Has(l.Name)):
			lb.Set(l.Name, l.Value)
		case !r.job.HonorLabels:
			pushed = append(pushed, labels.Label{Name: l.Name, Value: own})
			lb.Set(l.Name, l.Value)
		}
	})
	slices.SortStableFunc(pushed, func(a, b labels.Label) int { return len(a.Name) - len(b.Name) })
	for _, l := range pushed {
		name := model.ExportedLabelPrefix + l.Name
		for lb.Get(name) != "" {
			name = model.ExportedLabelPrefix + name
		}
		lb.Set(name, l.Value)
	}
	if !relabel.ProcessBuilder(lb, r.job.MetricRelabelConfigs...) {
		return labels.EmptyLabels(), nil
	}
	out := lb.Labels()
	if out.IsEmpty() {
		return out, nil
	}
	return out, r.check(out)
}

// check is why the scrape of a series with these labels fails, if it does.
func (r relabelling) check(l labels.Labels) error {
	if !l.Has(model.MetricNameLabel) {
		return errNoName
	}
	if !l.IsValid(r.job.MetricNameValidationScheme) {
		return fmt.Errorf("invalid metric name or label names: %s", l)
	}
	if limit := int(r.job.LabelLimit); limit > 0 && l.Len() > limit {
		return fmt.Errorf("label_limit exceeded by %s", l)
	}
	return l.Validate(func(one labels.Label) error {
		if limit := int(r.job.LabelNameLengthLimit); limit > 0 && len(one.Name) > limit {
			return fmt.Errorf("label_name_length_limit exceeded by %s in %s", one.Name, l)
		}
		if limit := int(r.job.LabelValueLengthLimit); limit > 0 && len(one.Value) > limit {
			return fmt.Errorf("label_value_length_limit exceeded by %s in %s", one.Name, l)
		}
		return nil
	})
}

// report is what is recorded about a scrape.
type report struct {
	up       float64
	duration time.Duration
	timeout  time.Duration
	scraped  int // samples on the page
	kept     int // of them after relabelling
	added    int // series not seen before
	bytes    int // of the page; -1 where it was too large
}

// reports are the series about a target's scrapes.
type reports struct {
	series []series
	values func(report) []float64
}

func newReports(t *target) *reports {
	limit := float64(t.job.SampleLimit)
	names := []string{
		"up", "scrape_duration_seconds", "scrape_samples_scraped",
		"scrape_samples_post_metric_relabeling", "scrape_series_added",
	}
	extra := t.job.ExtraScrapeMetricsEnabled()
	if extra {
		names = append(names, "scrape_timeout_seconds", "scrape_sample_limit", "scrape_body_size_bytes")
	}
	out := &reports{values: func(r report) []float64 {
		v := []float64{r.up, r.duration.Seconds(), float64(r.scraped), float64(r.kept), float64(r.added)}
		if extra {
			v = append(v, r.timeout.Seconds(), limit, float64(r.bytes))
		}
		return v
	}}
	lb := labels.NewBuilder(t.labels)
	for _, n := range names {
		lb.Set(model.MetricNameLabel, n)
		out.series = append(out.series, series{labels: lb.Labels()})
	}
	return out
}

func (r *reports) append(app storage.AppenderV2, ts int64, about report) error {
	for i, v := range r.values(about) {
		s := &r.series[i]
		ref, err := app.Append(s.ref, s.labels, 0, ts, v, nil, nil, storage.AOptions{})
		if err != nil {
			return fmt.Errorf("%s: %w", s.labels, err)
		}
		s.ref = ref
	}
	return nil
}
