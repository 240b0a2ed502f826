package report

import (
	"slices"

	"github.com/panelgate/panelgate/e2e/story"
)

// discreet is the event without secrets that servers, or the libraries that read the
// stack's files, have put into what they say. Every report is made of events.
func (e Event) discreet() Event {
	switch {
	case e.Note != nil:
		e.Note = &Note{story.Hide(e.Note.Text)}
	case e.Target != nil:
		t := *e.Target
		t.URL, t.Error = story.Hide(t.URL), story.Hide(t.Error)
		e.Target = &t
	case e.Query != nil:
		q := *e.Query
		q.Why = story.Hide(q.Why)
		if q.Grafana != nil {
			g := *q.Grafana
			g.Error = story.Hide(g.Error)
			q.Grafana = &g
		}
		e.Query = &q
	case e.Finding != nil:
		f := e.Finding.discreet()
		e.Finding = &f
	case e.Suppressed != nil:
		s := *e.Suppressed
		s.Finding = s.discreet()
		e.Suppressed = &s
	case e.End != nil:
		end := *e.End
		end.Error = story.Hide(end.Error)
		e.End = &end
	}
	return e
}

func (f Finding) discreet() Finding {
	f.Message, f.Fix = story.Hide(f.Message), story.Hide(f.Fix)
	f.Evidence = slices.Clone(f.Evidence)
	for i, text := range f.Evidence {
		f.Evidence[i] = story.Hide(text)
	}
	return f
}
