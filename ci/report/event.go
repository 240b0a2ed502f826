package report

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	"github.com/panelgate/panelgate/ci/drawing"
	"github.com/panelgate/panelgate/ci/since"
	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/e2e/exporter"
	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/stack/source"
)

// Event is one step of a run as it is told: the stream from which every report is
// made, and a line of --ndjson. Type names the one field that is set.
type Event struct {
	Type EventType `json:"event"`

	Run        *Run             `json:"run,omitempty"`
	Progress   *Progressed      `json:"progress,omitempty"`
	Shard      *Shard           `json:"shard,omitempty"`
	Stage      *Stage           `json:"stage,omitempty"`
	Note       *Note            `json:"note,omitempty"`
	Since      *since.Touched   `json:"since,omitempty"`
	Target     *Target          `json:"target,omitempty"`
	Dashboard  *Dashboard       `json:"dashboard,omitempty"`
	Drawing    *drawing.Drawing `json:"drawing,omitempty"`
	Query      *Query           `json:"query,omitempty"`
	Finding    *Finding         `json:"finding,omitempty"`
	Suppressed *Suppressed      `json:"suppressed,omitempty"`
	End        *End             `json:"end,omitempty"`
}

// EventType says what an event tells of.
type EventType string

// The events, in the order in which a stream has them. Run comes first and End last,
// Progress as it happens; of the rest there are as many as there is to tell. A stream
// that is written while panels are asked has the Dashboards before, and each Query once
// it is settled, in the order of the report.
const (
	EventRun        EventType = "run"
	EventProgress   EventType = "progress"
	EventShard      EventType = "shard"
	EventStage      EventType = "stage"
	EventNote       EventType = "note"
	EventSince      EventType = "since"
	EventTarget     EventType = "target"
	EventDashboard  EventType = "dashboard"
	EventDrawing    EventType = "drawing"
	EventQuery      EventType = "query"
	EventFinding    EventType = "finding"
	EventSuppressed EventType = "suppressed"
	EventEnd        EventType = "end"
)

// Run is the head of a stream.
type Run struct {
	Schema  int       `json:"schema"`
	Version string    `json:"version"`
	Stack   string    `json:"stack"` // its directory, as given on the command line
	Env     string    `json:"env"`
	Began   time.Time `json:"began"`
}

// Progressed says that a run has come to a stage, before it is done.
type Progressed struct {
	Stage string `json:"stage"`
}

// Note is something else that a reader should know of the run.
type Note struct {
	Text string `json:"text"`
}

// End is what a run came to.
type End struct {
	Verdict    Verdict `json:"verdict"`
	ExitCode   int     `json:"exit_code"`
	Error      string  `json:"error,omitempty"`
	DurationMS float64 `json:"duration_ms"`
	Counts     Counts  `json:"counts"`
	// FailOn is the mildest severity that failed the run; "" where that was never
	// understood, as in a run that could not be.
	FailOn string `json:"fail_on,omitempty"`
}

// Start is the event that a stream of this version begins with.
func Start(version, stackDir, where string, began time.Time) Event {
	return Event{Type: EventRun, Run: &Run{Schema: Schema, Version: version, Stack: stackDir, Env: where, Began: began}}
}

// Asking tells which dashboards of a stack are about to be asked.
func Asking(stackDir string, boards []*rule.Board) iter.Seq[Event] {
	return func(yield func(Event) bool) {
		for _, b := range boards {
			if !yield(Result{StackDir: stackDir}.dashboardEvent(b)) {
				return
			}
		}
	}
}

// Answered tells of a query while others are asked.
func Answered(stackDir string, a *rule.Asked) Event {
	return Result{StackDir: stackDir}.queryEvent(a).discreet()
}

// Events tells what a run came to, after its Start: everything up to its End, but for
// what was told before.
func Events(r Result) iter.Seq[Event] {
	return func(tell func(Event) bool) {
		yield := func(e Event) bool { return tell(e.discreet()) }
		if part := r.partOf(); part != nil && !yield(Event{Type: EventShard, Shard: part}) {
			return
		}
		if r.Report != nil && !r.report(yield) {
			return
		}
		end := &End{Verdict: r.Verdict, ExitCode: r.ExitCode, DurationMS: milliseconds(r.Took), Counts: r.counts()}
		if r.FailOn != rule.Off {
			end.FailOn = r.FailOn.String()
		}
		if r.Err != nil {
			end.Error = r.Err.Error()
		}
		yield(Event{Type: EventEnd, End: end})
	}
}

// report yields what was found, and says whether the reader wants more.
func (r Result) report(yield func(Event) bool) bool {
	for _, s := range r.Stages {
		if !yield(Event{Type: EventStage, Stage: &Stage{s.Name, milliseconds(s.Duration)}}) {
			return false
		}
	}
	for _, n := range r.Notes {
		if !yield(Event{Type: EventNote, Note: &Note{n}}) {
			return false
		}
	}
	if r.Since != nil && !yield(Event{Type: EventSince, Since: r.Since}) {
		return false
	}
	for _, t := range r.Targets {
		if !yield(Event{Type: EventTarget, Target: &Target{t.Job, t.Instance, t.URL, t.Up, t.Error, t.AnsweredBy, releaseOf(t), !r.Recalled.IsZero()}}) {
			return false
		}
	}
	return r.dashboards(yield) && r.findings(yield)
}

func (r Result) dashboardEvent(b *rule.Board) Event {
	d := r.dashboard(b)
	return Event{Type: EventDashboard, Dashboard: &d}
}

func (r Result) queryEvent(a *rule.Asked) Event {
	q := r.query(a)
	return Event{Type: EventQuery, Query: &q}
}

// dashboards yields each dashboard, followed by what it shows and asks.
func (r Result) dashboards(yield func(Event) bool) bool {
	asked := map[*rule.Board][]*rule.Asked{}
	for _, q := range r.Queries {
		asked[q.Board] = append(asked[q.Board], q)
	}
	for _, b := range r.Boards {
		if !r.Told && !r.asked(b, asked[b], yield) {
			return false
		}
		if r.Undrawn {
			continue
		}
		drawn := drawing.Of(b, asked[b])
		drawn.File = r.place(source.Pos{File: b.File}).File
		if !yield(Event{Type: EventDrawing, Drawing: drawn}) {
			return false
		}
	}
	return true
}

// asked yields a dashboard and what it asks.
func (r Result) asked(b *rule.Board, queries []*rule.Asked, yield func(Event) bool) bool {
	if !yield(r.dashboardEvent(b)) {
		return false
	}
	for _, q := range queries {
		if !yield(r.queryEvent(q)) {
			return false
		}
	}
	return true
}

func (r Result) findings(yield func(Event) bool) bool {
	for _, f := range r.Findings {
		finding := r.finding(f)
		if !yield(Event{Type: EventFinding, Finding: &finding}) {
			return false
		}
	}
	for _, x := range r.Excluded {
		s := Suppressed{Finding: r.finding(x.Finding), Why: x.By.Why, By: r.place(x.By.Pos).String()}
		if !yield(Event{Type: EventSuppressed, Suppressed: &s}) {
			return false
		}
	}
	return true
}

// NDJSON writes events, one a line.
type NDJSON struct{ enc *json.Encoder }

// NewNDJSON writes to w, unbuffered: who reads along sees each event as it happens.
func NewNDJSON(w io.Writer) *NDJSON {
	enc := json.NewEncoder(inert{w})
	enc.SetEscapeHTML(false)
	return &NDJSON{enc: enc}
}

// Emit writes one event.
func (n *NDJSON) Emit(e Event) error {
	if err := n.enc.Encode(e); err != nil {
		return fmt.Errorf("write the event stream: %w", err)
	}
	return nil
}

// ReadEvents reads a stream that NDJSON has written, this version's or a later one's
// of the same schema, whose further events are passed over. One that does not end is
// an error: its run was cut short. Each event is also handed to tell, which may be nil.
func ReadEvents(r io.Reader, tell func(Event)) (*Document, error) {
	bounded := &io.LimitedReader{R: r, N: mostBytes + 1}
	dec := json.NewDecoder(bufio.NewReader(bounded))
	d, line := &Document{}, 0
	for {
		var e Event
		err := dec.Decode(&e)
		line++
		switch {
		case bounded.N == 0:
			return nil, fmt.Errorf("read the event stream: it has more than %d bytes", mostBytes)
		case errors.Is(err, io.EOF):
			return nil, fmt.Errorf("read the event stream: it ends after %d events without a verdict", line-1)
		case err != nil:
			return nil, fmt.Errorf("read the event stream: event %d: %w", line, err)
		case line == 1 && (e.Run == nil || e.Run.Schema != Schema):
			return nil, fmt.Errorf("read the event stream: it does not begin with a run of schema %d, which this version knows", Schema)
		case line > 1 && e.Run != nil: // it would take what the first has found with it
			return nil, fmt.Errorf("read the event stream: event %d begins another run before the first has ended", line)
		}
		d.Add(e)
		if tell != nil {
			tell(e)
		}
		if e.End != nil {
			return d, d.valid()
		}
	}
}

// releaseOf is the release of an exporter that a fake acts out at a target, "" for what
// is none, or plays back a recording.
func releaseOf(t env.Target) string {
	if t.Setup == nil || t.Setup.Recording != nil {
		return ""
	}
	return exporter.Acted(t.AnsweredBy, *t.Setup)
}
