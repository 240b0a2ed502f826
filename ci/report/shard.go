package report

import (
	"fmt"
	"iter"
	"slices"

	"github.com/panelgate/panelgate/e2e/shard"
	"github.com/panelgate/panelgate/stack/source"
)

// Shard says which part of a run a document tells of, and has what is needed to put the
// parts together. Of a shard that could not be run, only its number may be known.
type Shard struct {
	shard.Shard
	// Files and Configuration are fingerprints: of what the stack was read from, and of
	// panelgate.yml with what it names.
	Files         string `json:"files,omitempty"`
	Configuration string `json:"configuration,omitempty"`
	// Settings are what else the outcome depends on, by the name of the flag.
	Settings map[string]string `json:"settings,omitempty"`
	// Dashboards are those of all shards, in the order of the whole.
	Dashboards []Dealt `json:"dashboards,omitempty"`
	// Checked says whether anything was, Idle that the branch touches nothing that is
	// chosen, in this or any other shard.
	Checked bool `json:"checked"`
	Idle    bool `json:"idle,omitempty"`
	// Open are findings that hold if every other shard has them too.
	Open []Finding `json:"open,omitempty"`
}

// Dealt is a dashboard's file, and the number of the shard that it is in.
type Dealt struct {
	File  string `json:"file"`
	Shard int    `json:"shard"`
}

// partOf adds to what the command knows of its shard what came of it, nil for a whole run.
func (r Result) partOf() *Shard {
	if r.Shard == nil {
		return nil
	}
	s := *r.Shard
	if r.Report == nil || r.Part == nil {
		return &s
	}
	s.Checked = r.Checked()
	for _, d := range r.Part.Dealt {
		s.Dashboards = append(s.Dashboards, Dealt{File: r.place(source.Pos{File: d.File}).File, Shard: d.Shard})
	}
	for _, f := range r.Part.Open {
		s.Open = append(s.Open, r.finding(f))
	}
	return &s
}

// own are the files of the dashboards that are in the shard itself.
func (s *Shard) own() []string {
	var out []string
	for _, d := range s.Dashboards {
		if d.Shard == s.Number {
			out = append(out, d.File)
		}
	}
	return out
}

// Alone says of which part a verdict is, "" of a whole one.
func (d *Document) Alone() string {
	if d.Shard == nil {
		return ""
	}
	return fmt.Sprintf("shard %s, %d of %s", d.Shard.Shard, len(d.Shard.own()), plural(len(d.Shard.Dashboards), "dashboard"))
}

// Events tells what a document does as a stream, its start included.
func (d *Document) Events() iter.Seq[Event] {
	return func(yield func(Event) bool) {
		for _, e := range d.events() {
			if !yield(e) {
				return
			}
		}
	}
}

func (d *Document) events() []Event {
	out := []Event{Start(d.Version, d.Stack, d.Env, d.Began)}
	if d.Shard != nil {
		out = append(out, Event{Type: EventShard, Shard: d.Shard})
	}
	for i := range d.Stages {
		out = append(out, Event{Type: EventStage, Stage: &d.Stages[i]})
	}
	for _, n := range d.Notes {
		out = append(out, Event{Type: EventNote, Note: &Note{n}})
	}
	if d.Since != nil {
		out = append(out, Event{Type: EventSince, Since: d.Since})
	}
	for i := range d.Targets {
		out = append(out, Event{Type: EventTarget, Target: &d.Targets[i]})
	}
	out = append(out, d.dashboardEvents()...)
	for i := range d.Findings {
		out = append(out, Event{Type: EventFinding, Finding: &d.Findings[i]})
	}
	for i := range d.Suppressed {
		out = append(out, Event{Type: EventSuppressed, Suppressed: &d.Suppressed[i]})
	}
	return append(out, Event{Type: EventEnd, End: &End{
		Verdict: d.Verdict, ExitCode: d.ExitCode, Error: d.Error, DurationMS: d.DurationMS, Counts: d.Counts, FailOn: d.FailOn,
	}})
}

// dashboardEvents are each dashboard with what it asks and shows. What one file asks in
// two folders follows its first one.
func (d *Document) dashboardEvents() []Event {
	asked := map[string][]Event{}
	for i, q := range d.Queries {
		asked[q.DashboardFile] = append(asked[q.DashboardFile], Event{Type: EventQuery, Query: &d.Queries[i]})
	}
	var out []Event
	drawings := slices.Clone(d.Drawings)
	for i, b := range d.Dashboards {
		out = append(out, Event{Type: EventDashboard, Dashboard: &d.Dashboards[i]})
		out = append(out, asked[b.File]...)
		delete(asked, b.File)
		for j, drawn := range drawings {
			if drawn != nil && drawn.File == b.File {
				out = append(out, Event{Type: EventDrawing, Drawing: drawn})
				drawings[j] = nil
				break
			}
		}
	}
	return out
}
