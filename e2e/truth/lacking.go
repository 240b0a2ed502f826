package truth

import (
	"fmt"
	"slices"
	"time"

	"github.com/prometheus/common/model"
)

// lacking is for an answer that has a line for some of those that the query chooses
// and none for others, which do something all the same: a side of an operator has lost
// them. It is nil where all are there, and where lines are of several at once or are
// chosen by their values.
func (w *World) lacking(c *claim, all []*model.SampleStream) *Difference {
	if c.filters {
		return nil
	}
	seen := map[string]bool{}
	var last time.Time
	for _, line := range all {
		who, ok := w.subjectsOf(c, line.Metric)
		if !ok {
			return nil
		}
		for _, s := range who {
			if s.name() != who[0].name() {
				return nil
			}
			seen[s.name()] = true
		}
		if n := len(line.Values); n > 0 && line.Values[n-1].Timestamp.Time().After(last) {
			last = line.Values[n-1].Timestamp.Time()
		}
	}
	var names []string
	for _, s := range w.subjects {
		name := s.name()
		if s.exporter != c.exporter || !c.about(s) || seen[name] || slices.Contains(names, name) || !slices.ContainsFunc(c.selectors, s.chosenBy) {
			continue
		}
		if s.active(c, last) && w.undisturbed(map[string]bool{s.exporter: true}, last.Add(-c.window-2*w.lag), last) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	return &Difference{Claim: c.what, Fix: "find the part of the query that lacks them: go run ./ci why shows of each part what it has", Lacking: names}
}

// name is what a person calls the subject, whichever target shows it.
func (s *subject) name() string {
	switch {
	case s.model != nil:
		return "model " + s.model.Name()
	case s.gpu != nil:
		return fmt.Sprintf("GPU %d of %s", s.gpu.Index(), s.at)
	}
	return s.at
}

// active says whether the subject has had something to show for a while before a time.
func (s *subject) active(c *claim, at time.Time) bool {
	if c.only != nil && !c.only(s) {
		return false
	}
	if s.model == nil {
		return true
	}
	const settling = 5 * time.Minute
	from := at.Add(-max(c.window, settling))
	return s.model.Loaded().Before(from.Add(-settling)) && s.model.Requests(from, at) > 10
}
