// Package dashboard is the model of a Grafana dashboard kept as JSON: its
// panels, their targets and its variables, each value with its position in the
// file. It reads the classic model from schemaVersion 14 to today, legacy rows
// included, and recognises what is none (API wrappers, v2 exports).
package dashboard

import "github.com/panelgate/panelgate/stack/source"

// Format is the shape a dashboard file has.
type Format uint8

const (
	// Classic is the model that Grafana's file provisioning reads.
	Classic Format = iota
	// APIWrapper is {"dashboard": {…}}, what the HTTP API exchanges. Its inside
	// is read as if it were Classic, so that the panels are checked all the same.
	APIWrapper
	// ResourceV1 is a Kubernetes-style resource whose spec is the classic model.
	ResourceV1
	// V2 is the model of elements and layouts, as a resource or bare.
	V2
	// NotADashboard is valid JSON of some other kind.
	NotADashboard
)

// Dashboard is one dashboard file.
type Dashboard struct {
	File          string // relative to the stack's directory
	Format        Format
	Root          *source.Node // the classic model (inside of a wrapper)
	UID, Title    source.Text
	ID            *source.Node // the numeric id of some database, nil or null in a clean file
	SchemaVersion int
	From, To      source.Text // the dashboard's own time range, as "now-6h"
	Timezone      string
	Inputs        []Input
	Variables     []*Variable
	Annotations   []*Annotation
	// Panels holds every panel in reading order: rows themselves, the panels
	// inside collapsed and legacy rows, and those of library panels once resolved.
	Panels []*Panel
	// Problems are parts that could not be read; the rest of the dashboard is there.
	Problems []*source.Problem
}

// Input is an entry of __inputs, what "export for sharing externally" leaves.
type Input struct {
	Name, Type, PluginID source.Text
}

// Ref is a reference to a datasource as a file writes it.
type Ref struct {
	UID  source.Text // of the {"uid", "type"} form
	Type source.Text
	Name source.Text // of the legacy form, a bare string: a name, a uid or ${var}
	// Null says that neither uid nor name is given (null, {}, "", or a type
	// alone): the default datasource.
	Null bool
	Pos  source.Pos
}

// Key is what the reference is looked up by: the uid, else the legacy name.
func (r *Ref) Key() source.Text {
	if r == nil {
		return source.Text{}
	}
	if r.UID.Value != "" {
		return r.UID
	}
	return r.Name
}

// Panel is one panel, or a row that holds panels.
type Panel struct {
	ID          source.Text // a number as text, zero Text where missing
	Title       source.Text
	Type        source.Text
	Description source.Text
	Datasource  *Ref // nil where the panel names none
	Targets     []*Target
	Interval    source.Text // "Min interval" of the query options
	// MaxDataPoints is 0 where the panel leaves it to its width.
	MaxDataPoints int64
	TimeFrom      source.Text // "Relative time", as "1h"
	TimeShift     source.Text
	// HideTimeOverride only hides the note of TimeFrom and TimeShift in the title.
	HideTimeOverride bool
	Repeat           source.Text // name of the variable the panel is repeated for
	Unit             source.Text // fieldConfig.defaults.unit, or the legacy places
	Row              *Panel      // the row it stands in, nil at the top
	Collapsed        bool        // of a row: its panels are hidden until opened
	Library          *LibraryRef
	// Clone marks a saved copy of a repeated panel, which Grafana drops when it
	// loads the dashboard and makes anew from the original.
	Clone bool
	Pos   source.Pos // where the panel stands in the dashboard
	// Node is what the content was read from: the panel itself, or the model of
	// the library panel it stands for.
	Node *source.Node
	// Place is the panel in its dashboard, which says where it stands on the grid.
	// It is Node, but for a library panel.
	Place *source.Node
}

// IsRow says whether the panel is a row, which asks nothing itself.
func (p *Panel) IsRow() bool { return p.Type.Value == "row" }

// LibraryRef points to a panel kept in Grafana's library.
type LibraryRef struct {
	UID, Name source.Text
	// Resolved says that the model was found and stands in the panel.
	Resolved bool
}

// Target is one query of a panel.
type Target struct {
	RefID          source.Text
	Expr           source.Text // PromQL as written
	Datasource     *Ref        // nil where the target names none
	Hide           bool
	Instant, Range bool // as written; neither means range
	Exemplar       bool
	Format         string // "time_series" (default), "table", "heatmap"
	Interval       source.Text
	IntervalFactor int64 // 0 where the target names none
	// ExpressionType is "math", "reduce", "resample", "threshold", "sql" or
	// "classic_conditions" of a target that Grafana itself computes, "" for the rest.
	ExpressionType string
	// Expression is what such a target computes; its $A are refIds, no variables.
	Expression   source.Text
	LegendFormat source.Text
	// PanelID is the panel whose result a target of "-- Dashboard --" shows.
	PanelID source.Text
	Pos     source.Pos
	Node    *source.Node
}

// Variable is an entry of templating.list.
type Variable struct {
	Name, Type, Label source.Text
	// Query is the query text: PromQL-ish for query variables, the options of
	// custom, interval, textbox and constant ones, the plugin id of datasource ones.
	Query source.Text
	Regex source.Text
	// RegexApplyTo is "value" (default) or "text": what Regex is matched against.
	RegexApplyTo string
	// Definition is the copy of the query that Grafana shows in its list of
	// variables; it never asks it.
	Definition source.Text
	Sort       int
	Multi      bool
	IncludeAll bool
	AllValue   source.Text
	// Current is the saved selection; one entry unless Multi.
	CurrentText, CurrentValue []string
	CurrentPos                source.Pos
	Options                   []Option // saved in the file
	Datasource                *Ref
	Hide                      int
	Refresh                   int
	// Auto, AutoCount and AutoMin are the "auto" option of an interval variable.
	Auto      bool
	AutoCount int
	AutoMin   string
	Pos       source.Pos
	Node      *source.Node
}

// Option is a value a variable can take and how it is shown.
type Option struct {
	Text, Value string
}

// Annotation is an entry of annotations.list.
type Annotation struct {
	Name       source.Text
	Datasource *Ref
	Expr       source.Text
	Enable     bool
	BuiltIn    bool
	Pos        source.Pos
	Node       *source.Node
}
