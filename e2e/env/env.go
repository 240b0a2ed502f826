// Package env says what a stack that runs somewhere looks like to the proof:
// one shape for every environment, whatever started it.
package env

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/prometheus/common/model"

	"github.com/panelgate/panelgate/e2e/grafana"
	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/stack"
	"github.com/panelgate/panelgate/stack/source"
)

// Env is a stack that is up. Close takes it down again, waits for that, and may be
// called more than once.
type Env interface {
	Instance() Instance
	Close() error
}

// Instance is a stack that is up and ready to be asked.
type Instance struct {
	Name          string // "embedded", "docker", "attach"
	PrometheusURL string // base URL of the HTTP API, "" where Prometheus is not up
	// Transport carries requests to PrometheusURL, with what it needs of
	// certificates and logins; nil for a plain one.
	Transport http.RoundTripper
	// Evaluate answers a query as the API at PrometheusURL would, by a shorter way; nil
	// where there is none. The error is ErrNotPlain for an answer that only the API has,
	// else one that the API's client would give.
	Evaluate func(ctx context.Context, q Evaluation) (model.Value, error)
	// Proxied is the base URL of the API of a datasource, by uid, where that is
	// reached through Grafana; "" for one behind PrometheusURL, nil where all are.
	// The error says why there is none.
	Proxied func(uid string) (string, error)
	Targets []Target
	// Others are targets of jobs that the stack's files do not have: they explain
	// what is missing, and are not judged.
	Others []Target
	// TargetsUnknown says that nobody tells what is scraped: that Targets is empty
	// says nothing.
	TargetsUnknown bool
	// From and Now bound the data: the first sample of the history and the
	// moment when readiness was reached. Panels are asked as of Now.
	From, Now time.Time
	// Laid is the last moment of the history: what was before it depends on nothing
	// but the world. Zero where none was laid down.
	Laid time.Time
	// World is what the fakes act out, nil where nothing is faked.
	World *fakes.World
	// Grafana is the real one, nil where it is modelled from its files.
	Grafana *grafana.Client
	// GrafanaDown says that a Grafana belongs to this environment and did not come
	// up: Faults say why.
	GrafanaDown bool
	// Faults are servers of the stack that did not come up.
	Faults []Fault
	// Unhealthy are servers that run, and that something waits for in vain.
	Unhealthy []Unhealthy
	// Log is what a server has printed so far; nil where nobody can tell.
	Log func(ctx context.Context, role Role) ([]string, error)
	// Died says which server has ended since it was ready, nil for none; nil
	// itself where nobody can tell.
	Died func(ctx context.Context) error
	// Failed says which server has not answered as it should, though it may have been
	// asked again: whatever came of that is no verdict on the stack. It is nil for none,
	// and nil itself where nobody watches. Once ctx has ended it says who has not
	// answered yet.
	Failed func(ctx context.Context) error
	// Holder names who has a published port of a service on this host, and whether
	// that is the stack itself; nil where nobody can tell.
	Holder func(ctx context.Context, s *stack.Service, port int) (name string, itself bool)
	// Before is what an older revision of the stack had, on whose data this one
	// runs; nil where it began with nothing.
	Before *Before
	Notes  []string // what else a reader of the report should know
	Steps  []Step   // what the start took its time for
}

// Evaluation is a query: over a range by steps, or at End alone where Step is 0.
type Evaluation struct {
	Expr       string
	Start, End time.Time
	Step       time.Duration
}

// ErrNotPlain says that an answer has more to it than lines of numbers.
var ErrNotPlain = errors.New("the answer has more to it than numbers")

// Before is what the Grafana of an older revision of the stack served, and what of
// its data the present one does not find.
type Before struct {
	Datasources []grafana.Datasource
	Dashboards  []grafana.Hit
	Left        []Left
}

// Left is a server whose data stays behind where the older revision kept it.
type Left struct {
	Role    Role
	Service *stack.Service // of the present revision
	Was, Is string         // where the data was, and where it is looked for now
	Pos     source.Pos     // of the latter
}

// Step is a part of a start. Steps may overlap.
type Step struct {
	Name     string // "image", "boot", "ready"
	Duration time.Duration
}

// Role is what a server is in the stack.
type Role string

// The roles of servers.
const (
	RolePrometheus Role = "prometheus"
	RoleGrafana    Role = "grafana"
)

// Fault is a server of the stack that ended instead of coming up.
type Fault struct {
	Role     Role
	Service  *stack.Service
	ExitCode int
	Log      []string // its last lines
	// OnOldData says that it comes up where it begins with nothing: it is the data
	// of an older revision that it ends on.
	OnOldData bool
}

// Unhealthy is a server whose health check fails though another service waits for it
// to be healthy.
type Unhealthy struct {
	Service *stack.Service
	Waiting string // the service that is never started
	Command string
	Output  string // why it fails, and what the check printed
}

// Cause says why a scrape fails, in the words of a troubleshooting table.
type Cause string

// The causes of a failing scrape.
const (
	CauseNone       Cause = ""
	CauseUnanswered Cause = "unanswered" // nobody answers for that address in this environment
	CauseRefused    Cause = "refused"
	CauseTimeout    Cause = "timeout"
	CauseNotFound   Cause = "not found" // HTTP 404
	CauseStatus     Cause = "http status"
	CauseParse      Cause = "parse error"
	CausePlainHTTP  Cause = "plain http" // the scrape speaks TLS, and who answers does not
	CauseOther      Cause = "other"
)

// PlainHTTP is what net/http says of an answer that is not in TLS.
const PlainHTTP = "server gave HTTP response to HTTPS client"

// AnsweredLive is what a target is answered by whose own address is scraped.
const AnsweredLive = "live"

// AnsweredSelf is what the target is answered by that is the stack's Prometheus itself.
const AnsweredSelf = "prometheus"

// Target is one scrape target as Prometheus sees it after relabelling.
type Target struct {
	Job, Instance string
	Address       string // host:port that was dialled
	URL           string // scrape URL
	Labels        map[string]string
	Up            bool
	Error         string // Prometheus' words for the last failure
	Cause         Cause
	AnsweredBy    string // "triton", "dcgm", "node", "live", "" for nobody
	// Setup is how the fake that answers is built and started, nil where none does.
	Setup *fakes.Setup
	// Pos is the target's place in prometheus.yml, or its job's where the target
	// was discovered.
	Pos source.Pos
}
