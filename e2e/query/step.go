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
	out, err := backendStep(written, exact, interval, scrape, r, t.IntervalFactor)
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

// backendStep is the back end's part. written is the target's own min step,
// exact the range per data point, browser what the panel's settings came to.
func backendStep(written string, exact, browser, scrape time.Duration, r Range, factor int64) (stepping, error) {
	macro := wholeMacro(written)
	least := browser
	if macro == "" {
		var err error
		if least, err = intervalOr(written, browser); err != nil {
			return stepping{}, fmt.Errorf("min step: %w", err)
		}
	}
	step := least
	if exact >= least {
		step = roundInterval(exact)
	}
	step = max(step, roundInterval(r.Duration()/maxPoints), time.Millisecond)

	if macro == "__rate_interval" {
		rate := rateInterval(step, scrape)
		return stepping{step: rate, rate: rate}, nil
	}
	if factor > 1 {
		if step > time.Duration(1<<62)/time.Duration(factor) {
			return stepping{}, fmt.Errorf("intervalFactor %d is too large", factor)
		}
		step *= time.Duration(factor)
	}
	return stepping{step: step, rate: rateInterval(step, rateScrape(written, least, scrape, step))}, nil
}

// rateScrape is the scrape interval that $__rate_interval reckons with: the
// target's min step, else the datasource's. The panel's min interval has no part
// in it.
func rateScrape(written string, least, scrape, step time.Duration) time.Duration {
	switch macro := wholeMacro(written); {
	case macro == "__interval":
		return step
	case macro != "", written == "", written == "0s":
		return scrape
	default:
		return least
	}
}

// rateInterval spans at least four scrapes, so that a rate over it survives a
// missed one.
func rateInterval(step, scrape time.Duration) time.Duration {
	return max(step+scrape, 4*scrape)
}
