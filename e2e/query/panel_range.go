package query

import (
	"fmt"
	"strings"

	"github.com/panelgate/panelgate/stack/dashboard"
)

// panelRange is the range the panel is asked over: the dashboard's, or the
// panel's relative time (timeFrom), then shifted into the past (timeShift).
func panelRange(p *dashboard.Panel, s *Scope, tm Timing) (Range, error) {
	now := tm.Now
	if now.IsZero() {
		now = tm.Range.To
	}
	r := tm.Range
	from, err := s.Interpolate(p.TimeFrom.Value, Plain)
	if err != nil {
		return Range{}, fmt.Errorf("relative time of the panel: %w", err)
	}
	if from != "" && !r.Absolute {
		start, end := relativeTime(from)
		if r, err = ParseRange(start, end, now); err != nil {
			return Range{}, fmt.Errorf("relative time %q of the panel: %w", from, err)
		}
	}
	by, err := s.Interpolate(p.TimeShift.Value, Plain)
	if err != nil {
		return Range{}, fmt.Errorf("time shift of the panel: %w", err)
	}
	if by == "" {
		return r, nil
	}
	if r, err = r.shifted(by); err != nil {
		return Range{}, fmt.Errorf("time shift %q of the panel: %w", by, err)
	}
	return r, nil
}

// relativeTime spells out the short form: "1h" is from now-1h to now, "now/d" the
// whole of today, "+1h" the hour to come.
func relativeTime(text string) (from, to string) {
	switch {
	case strings.HasPrefix(text, "now/"):
		return text, text
	case strings.HasPrefix(text, "now"):
		return text, "now"
	case strings.HasPrefix(text, "+"):
		return "now", "now" + text
	default:
		return "now-" + text, "now"
	}
}

// shifted moves both ends into the past by an interval such as "1d" or "1d/d".
func (r Range) shifted(by string) (Range, error) {
	from, err := dateMath(r.From, "-"+by, false)
	if err != nil {
		return Range{}, err
	}
	to, err := dateMath(r.To, "-"+by, true)
	if err != nil {
		return Range{}, err
	}
	return Range{From: from, To: to, Absolute: r.Absolute}, nil
}
