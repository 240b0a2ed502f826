package stack

import (
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/config"
)

// NotHurriedError says that prometheus.yml cannot be given other intervals
// without touching more of it. Its caller can leave it as configured.
type NotHurriedError struct {
	File string
	Err  error
}

// Error implements error.
func (e *NotHurriedError) Error() string {
	return fmt.Sprintf("shorten the intervals of %s: %s", e.File, e.Err)
}

// Unwrap gives the reason.
func (e *NotHurriedError) Unwrap() error { return e.Err }

// Hurried is the text of prometheus.yml with shorter intervals, for a run that
// cannot wait: those of the global section, and of each job that jobs approves,
// are interval where they were longer, and no timeout exceeds its interval. A job
// that it does not approve keeps what it had in effect. Jobs of
// scrape_config_files have the global interval where they have none of their own.
// Nothing else in the text changes, comments and order included. That is checked
// with Prometheus's own reading of both texts; where it cannot be kept, the error
// is a *NotHurriedError.
func (p *Prometheus) Hurried(interval time.Duration, jobs func(name string) bool) ([]byte, error) {
	if interval < time.Millisecond {
		return nil, fmt.Errorf("shorten the intervals of %s: %s is shorter than Prometheus can write", p.File, interval)
	}
	text, err := p.hurried(model.Duration(interval.Truncate(time.Millisecond)), jobs)
	if err != nil {
		return nil, &NotHurriedError{File: p.File, Err: err}
	}
	return text, nil
}

func (p *Prometheus) hurried(interval model.Duration, jobs func(name string) bool) ([]byte, error) {
	if p.Content == nil {
		return nil, errors.New("the file was not read")
	}
	before, err := parsePrometheus(p.Content)
	if err != nil {
		return nil, err
	}
	want := hurry(before, interval, jobs)
	var text []byte
	err = guard("yaml", func() (err error) {
		text, err = setPaces(p.Content, want)
		return err
	})
	if err != nil {
		return nil, err
	}
	after, err := parsePrometheus(text)
	if err != nil {
		return nil, fmt.Errorf("the edited text is refused: %w", err)
	}
	want.apply(before)
	if !reflect.DeepEqual(spelledOut(before), spelledOut(after)) {
		return nil, errors.New("the edited text means something else besides")
	}
	return text, p.checkJobFiles(after, text)
}

// spelledOut fills in the one default that Prometheus has only where there is no
// global section, and that means the same as nothing where there is one.
func spelledOut(cfg *config.Config) *config.Config {
	if g := &cfg.GlobalConfig; g.MetricNameEscapingScheme == "" && g.MetricNameValidationScheme == model.UTF8Validation {
		g.MetricNameEscapingScheme = model.AllowUTF8
	}
	return cfg
}

// checkJobFiles refuses intervals with which a job of scrape_config_files is not
// taken any more: its own timeout may exceed the interval that it inherits.
func (p *Prometheus) checkJobFiles(after *config.Config, text []byte) error {
	err := p.allJobs(text)
	if len(after.ScrapeConfigFiles) == 0 || err == nil || p.allJobs(p.Content) != nil {
		return nil //nolint:nilerr // nothing to refuse, or refused as it is
	}
	return err
}

// allJobs is the error that Prometheus has on the jobs of all files, with this
// text for its configuration.
func (p *Prometheus) allJobs(text []byte) error {
	other := *p
	other.Content = text
	cfg, err := other.Config(slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	return guard("prometheus", func() error {
		_, err := cfg.GetScrapeConfigs()
		return err
	})
}

func parsePrometheus(text []byte) (cfg *config.Config, err error) {
	err = guard("prometheus", func() (err error) {
		cfg, err = config.Load(string(text), slog.New(slog.DiscardHandler))
		return err
	})
	return cfg, err
}

// pace is how often something happens, and how long it may take.
type pace struct {
	interval, timeout model.Duration
}

// paces are the intervals of a whole configuration, in effect.
type paces struct {
	global     pace
	evaluation model.Duration
	jobs       []pace // in file order
}

// hurry says which intervals a configuration is to have.
func hurry(cfg *config.Config, interval model.Duration, jobs func(name string) bool) paces {
	lower := func(i, t model.Duration) pace {
		i = min(i, interval)
		return pace{interval: i, timeout: min(t, i)}
	}
	g := cfg.GlobalConfig
	want := paces{global: lower(g.ScrapeInterval, g.ScrapeTimeout), evaluation: min(g.EvaluationInterval, interval)}
	for _, sc := range cfg.ScrapeConfigs {
		if jobs(sc.JobName) {
			want.jobs = append(want.jobs, lower(sc.ScrapeInterval, sc.ScrapeTimeout))
		} else {
			want.jobs = append(want.jobs, pace{interval: sc.ScrapeInterval, timeout: sc.ScrapeTimeout})
		}
	}
	return want
}

// apply gives a configuration these intervals and changes nothing else.
func (w paces) apply(cfg *config.Config) {
	g := &cfg.GlobalConfig
	g.ScrapeInterval, g.ScrapeTimeout, g.EvaluationInterval = w.global.interval, w.global.timeout, w.evaluation
	for i, sc := range cfg.ScrapeConfigs {
		sc.ScrapeInterval, sc.ScrapeTimeout = w.jobs[i].interval, w.jobs[i].timeout
	}
}
