package rule

import (
	"time"

	"github.com/prometheus/common/model"
	promparser "github.com/prometheus/prometheus/promql/parser"

	"github.com/panelgate/panelgate/e2e/alert"
	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/e2e/exporter"
	"github.com/panelgate/panelgate/e2e/grafana"
	"github.com/panelgate/panelgate/e2e/query"
	"github.com/panelgate/panelgate/e2e/truth"
	"github.com/panelgate/panelgate/e2e/why"
	"github.com/panelgate/panelgate/fakes/catalogue"
	"github.com/panelgate/panelgate/fakes/release"
	"github.com/panelgate/panelgate/stack"
	"github.com/panelgate/panelgate/stack/dashboard"
	"github.com/panelgate/panelgate/stack/unwieldy"
)

// Static is what the rules that read the files alone are given.
type Static struct {
	Stack  *stack.Stack
	Boards []*Board // those chosen to be checked
	// Running are the datasources of a Grafana that runs already, nil without one:
	// what a dashboard refers to may have been made there.
	Running []*stack.Datasource
	Metrics *catalogue.Catalogue // what the exporters are known to print
	// Types are what a running Prometheus has been told of metrics that the catalogue
	// may not have, by name; nil without one.
	Types map[string]catalogue.Type
	// Exporters are those that the compose file runs, and Releases those of an exporter
	// that the stack runs or has acted out, by its name; none where nothing tells.
	Exporters []exporter.Running
	Releases  map[string][]release.Release
	// Now is when the files are judged: what holds until a day does so in relation to it.
	Now time.Time
	// Expectations and Exclusions are those of panelgate.yml, and of the .lint files.
	Expectations []Expectation
	Exclusions   []Exclusion

	// reading is what the rules share, where this is what one file's dashboards are
	// judged by.
	reading *reading
	records *records // nil, or those of the stack's rules
	// aside says that the stack's own rules are not to be judged with these dashboards.
	aside bool
}

// Board is a dashboard together with the questions it asks.
type Board struct {
	*stack.Board
	Scope     *query.Scope
	Guessed   map[string]bool // variables whose value only a server could tell
	Questions []*Question
}

// Question is one target of one panel in one scope: what would be asked, or why
// nothing is.
type Question struct {
	Board      *Board
	Panel      *dashboard.Panel
	Target     *dashboard.Target // nil for a panel that should ask and does not
	Scope      *query.Scope
	Datasource *stack.Datasource // nil where it is none of ours
	// Skip says why nothing is asked of Prometheus, Unchecked whether that
	// leaves the panel unproven.
	Skip      string
	Unchecked bool
	// Expression says that a Grafana computes the answer from the panel's other
	// queries: only a real one can be asked.
	Expression bool
	// RefErr is a datasource reference that leads nowhere.
	RefErr   error
	Requests []query.Request
	BuildErr error // variables or intervals that cannot be worked out
	timing   query.Timing
	grafana  string // version
	// reach is how far back the first request's expression looks, nil until it is parsed.
	reach *time.Duration
}

// Asks says whether the question goes to Prometheus.
func (q *Question) Asks() bool {
	return q.Skip == "" && q.RefErr == nil && q.BuildErr == nil && len(q.Requests) > 0
}

// Parse parses the expression of a request as Prometheus would, unless it is too
// large for any panel.
func Parse(expr string) (promparser.Expr, error) {
	if err := unwieldy.Expr(expr); err != nil {
		return nil, err
	}
	return promparser.NewParser(promparser.Options{EnableExperimentalFunctions: true}).ParseExpr(expr)
}

// Live is what the rules that need a running stack are given.
type Live struct {
	*Static
	Instance  env.Instance
	Variables []Variable
	Asked     []*Asked
	// Health holds Prometheus' answer to the question that Grafana's health
	// check of a datasource asks, by effective uid; nil for a healthy one.
	Health map[string]error
	// Unreachable holds why Grafana reaches no server at a datasource's url, by
	// effective uid, where a real one has tried.
	Unreachable map[string]string
	// Said is what the rules that read the files alone have found: a cause is told once.
	Said []Finding
	// Served is what the environment's real Grafana says; nil where it is modelled.
	Served *Served
	// TakenPorts are published ports that are not free on this host.
	TakenPorts []TakenPort
	// Truth is what is so in the world that is acted out; nil where nothing is.
	Truth *truth.World
	// Unmatched are the entries of panelgate.yml's targets that no target matches.
	Unmatched []Mapping
	// RuleFailures are rules that Prometheus fails to evaluate.
	RuleFailures []FailedRule
	// Alerts are the alerting rules of the stack; none where nothing is faked.
	Alerts []*Alert
}

// FailedRule is a recording or alerting rule that fails to evaluate.
type FailedRule struct {
	Rule  *stack.Rule
	Error string // Prometheus' words
}

// Alert is an alerting rule and what came of acting out scenarios before it.
type Alert struct {
	Rule    *stack.Rule      // of a Prometheus rule file, nil for one of Grafana's
	Grafana *stack.AlertRule // of Grafana's provisioning, nil for one of Prometheus'
	// Unchecked says why nothing is said of it, "" where something may be.
	Unchecked string
	// Refused is the error that Prometheus answers a query of the alert with.
	Refused error
	// Trials are the scenarios that it was held against, the run's own first. One that
	// fires ends them.
	Trials []Trial
	// Diagnosis says why what it watches is empty in the run's own scenario, nil where
	// it is not.
	Diagnosis *why.Diagnosis
	// NotScraped says that a target is down that the alert may be about.
	NotScraped bool
}

// Trial is an alert in a scenario.
type Trial struct {
	Scenario string // as a reader would say it: "steady", "job triton down"
	alert.Outcome
}

// Variable is how a variable of a dashboard came out.
type Variable struct {
	Board *Board
	query.Resolution
	// Diagnosis says why there is no option; nil where there are, or nobody knows.
	Diagnosis *why.Diagnosis
	// Removed are values that were there before the variable's regex.
	Removed []string
}

// Empty says whether the variable was asked for and offers nothing.
func (v Variable) Empty() bool {
	return v.Variable.Type.Value == "query" && v.Err == nil && v.Unchecked == "" && len(v.Options) == 0
}

// Status is how a query came out.
type Status string

// The statuses, as reports spell them.
const (
	StatusOK            Status = "ok"
	StatusFailed        Status = "failed"
	StatusExpectedEmpty Status = "expected_empty"
	StatusUnchecked     Status = "unchecked"
	StatusSkipped       Status = "skipped"
)

// Asked is a question together with its answer.
type Asked struct {
	*Question
	Request query.Request
	Sent    bool // whether Prometheus was asked at all
	Status  Status
	Series  int // in the answer
	Samples int // non-null
	Finite  int // neither NaN nor Inf
	// Every is which of the request's steps were evaluated: all of them at 1, else every
	// so many-th, back from its end. Series, Samples and Finite count what those gave.
	Every int
	// Answer is what Prometheus answered, a matrix, vector, scalar or string; nil where it
	// was not asked or refused, and after a lean run.
	Answer   model.Value
	Err      error
	Duration time.Duration
	// Recalled is when an earlier run asked this, whose outcome it is; zero where this
	// run did. There is no Answer then.
	Recalled time.Time
	// Diagnosis says why the answer is empty; nil where it is not.
	Diagnosis *why.Diagnosis
	// Zeroes says that the answer is zero throughout and ought not to be.
	Zeroes *Zeroes
	// Idle says of parts of a query with data why they have none; see why.Asker.
	Idle []*why.Diagnosis
	// Grafana is the real Grafana's answer to the same; nil where it was not asked.
	Grafana *ThroughGrafana
}

// TakenPort is a port that a service publishes and that somebody on this host
// has already.
type TakenPort struct {
	Service *stack.Service
	Port    stack.Port
	Holder  string // the process or container, "" where nobody tells
	// Sure says that it is somebody other than this stack itself.
	Sure bool
}

// Served is what a real Grafana says of itself and the stack.
type Served struct {
	Version     string
	Datasources []grafana.Datasource
	Dashboards  map[string]*grafana.Dashboard // those of the files that it serves, by uid
	Hits        []grafana.Hit                 // everything it serves
	Panels      map[string]bool               // installed panel types; nil where it does not tell
	Log         []string                      // what it has printed
}

// ThroughGrafana is a real Grafana's answer to a query.
type ThroughGrafana struct {
	Err      error
	Series   int
	Samples  int
	Finite   int
	Executed string // the query as its back end put it
	// Differs says where the answer is not that of Prometheus, "" where they agree.
	Differs []string
}
