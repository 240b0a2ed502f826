// Package env says what a stack that runs somewhere looks like to the proof:
// one shape for every environment, whatever started it.
package env

import (
	"time"

	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/stack/source"
)

// Instance is a stack that is up and ready to be asked.
type Instance struct {
	Name          string // "embedded"
	PrometheusURL string // base URL of the HTTP API, on loopback
	Targets       []Target
	// From and Now bound the data: the first sample of the history and the
	// moment when readiness was reached. Panels are asked as of Now.
	From, Now time.Time
	// World is what the fakes act out, nil where nothing is faked.
	World *fakes.World
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
	CauseOther      Cause = "other"
)

// AnsweredLive is what a target is answered by whose own address is scraped.
const AnsweredLive = "live"

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
	// Pos is the target's place in prometheus.yml, or its job's where the target
	// was discovered.
	Pos source.Pos
}
