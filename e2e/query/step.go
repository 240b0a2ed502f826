package query

import (
	"fmt"
	"time"

	"github.com/panelgate/panelgate/stack/dashboard"
)

// stepping is what comes out of the interval settings.
type stepping struct {
	step, rate time.Duration
	browser    Browser // its settings alone
}

// targetStep works out the step in two rounds, as a browser and the back end do:
// the browser turns the panel's settings into an interval, which is the back
// end's lower bound unless the target names one itself.
func targetStep(p *dashboard.Panel, t *dashboard.Target, s *Scope, r Range, tm Timing) (stepping, error) {
	points := p.MaxDataPoints
	if points <= 0 {
		points = tm.MaxDataPoints
	}
	if points <= 0 {
		points = defaultMaxDataPoints
	}
	scrape, err := intervalOr(tm.TimeInterval, defaultScrape)
	if err != nil {
		return stepping{}, fmt.Errorf("timeInterval of the datasource: %w", err)
	}
	least, err := panelInterval(p, s, scrape)
	if err != nil {
		return stepping{}, err
	}
	written, err := s.Interpolate(t.Interval.Value, Plain)
	if err != nil {
		return stepping{}, fmt.Errorf("min step: %w", err)
	}
	exact := r.Duration() / time.Duration(points)
	interval := max(roundInterval(exact), least)
	b := backend{era: eraOf(tm.Grafana), written: written, exact: exact, browser: interval, scrape: scrape, span: r.Duration(), factor: t.IntervalFactor}
	out, err := b.work()
	out.browser = Browser{Interval: written, IntervalMS: interval.Milliseconds(), MaxDataPoints: points, IntervalFactor: t.IntervalFactor}
	return out, err
}

// panelInterval is the "Min interval" of the panel's query options.
func panelInterval(p *dashboard.Panel, s *Scope, scrape time.Duration) (time.Duration, error) {
	text, err := s.Interpolate(p.Interval.Value, Plain)
	if err != nil {
		return 0, fmt.Errorf("min interval of the panel: %w", err)
	}
	if wholeMacro(text) != "" {
		return scrape, nil
	}
	d, err := intervalOr(text, scrape)
	if err != nil {
		return 0, fmt.Errorf("min interval of the panel: %w", err)
	}
	return d, nil
}

func intervalOr(text string, fallback time.Duration) (time.Duration, error) {
	if text == "" || text == "0s" {
		return fallback, nil
	}
	return parseInterval(text)
}

// wholeMacro is the macro that an interval consists of, "" for any other. Such a
// setting only names what is being worked out.
func wholeMacro(interval string) string {
	if name, n := macroAt(interval); n == len(interval) {
		return name
	}
	return ""
}

// backend is the back end's part: the target's own min step as written, the range
// per data point, and what the panel's settings came to in the browser.
type backend struct {
	era            era
	written        string
	exact, browser time.Duration
	scrape         time.Duration // the datasource's
	span           time.Duration
	factor         int64
}

// work comes to the step and to $__rate_interval.
func (b backend) work() (stepping, error) {
	macro := wholeMacro(b.written)
	manual := macro == "" && b.written != "" && b.written != "0s"
	least := b.browser
	if manual {
		var err error
		if least, err = parseInterval(b.written); err != nil {
			return stepping{}, fmt.Errorf("min step: %w", err)
		}
	}
	step := least
	if b.exact >= least {
		step = roundInterval(b.exact)
	}
	step = max(step, roundInterval(b.span/maxPoints), time.Millisecond)
	switch {
	case macro == "__rate_interval":
		rate := rateInterval(step, b.scrape)
		return stepping{step: rate, rate: rate}, nil
	case manual && b.era == eraFixed:
		step = max(least, time.Millisecond)
	case b.factor > 1:
		if step > time.Duration(1<<62)/time.Duration(b.factor) {
			return stepping{}, fmt.Errorf("intervalFactor %d is too large", b.factor)
		}
		step *= time.Duration(b.factor)
	}
	return stepping{step: step, rate: b.rate(macro, manual, least, step)}, nil
}

// rate is $__rate_interval. The panel's min interval enters it only through what
// the browser sends.
func (b backend) rate(macro string, manual bool, least, step time.Duration) time.Duration {
	switch {
	case b.era == eraStep:
		return rateInterval(step, b.scrape)
	case macro == "__interval":
		return rateInterval(b.browser, step)
	case manual:
		return rateInterval(b.browser, least)
	default:
		return rateInterval(b.browser, b.scrape)
	}
}

// rateInterval spans at least four scrapes, so that a rate over it survives a
// missed one.
func rateInterval(step, scrape time.Duration) time.Duration {
	return max(step+scrape, 4*scrape)
}
