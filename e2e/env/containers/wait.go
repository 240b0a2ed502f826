package containers

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// glance is how long until the next look at something that is being waited for.
const glance = 20 * time.Millisecond

// inspectEvery is how often the engine is asked whether a container still runs.
const inspectEvery = 250 * time.Millisecond

// until looks until there is nothing more to wait for, ctx ends or looking fails.
func until(ctx context.Context, done func() (bool, error)) error {
	tick := time.NewTicker(glance)
	defer tick.Stop()
	for {
		ok, err := done()
		switch {
		case err != nil && ctx.Err() != nil && !errors.As(err, new(*ExitError)):
			return context.Cause(ctx) // each engine says in its own words that it was cut short
		case ok || err != nil:
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// ExitError says that a container ended that should run.
type ExitError struct {
	Service string
	Code    int
	Log     []string // its last lines
}

// Error implements error.
func (e *ExitError) Error() string {
	text := fmt.Sprintf("%s ended with exit code %d", e.Service, e.Code)
	if len(e.Log) == 0 {
		return text + " and printed nothing"
	}
	return text + "; its log ends:\n    " + strings.Join(e.Log, "\n    ")
}

// SilentError says that a server did not come up in time.
type SilentError struct {
	Service string
	Waited  time.Duration
	Asked   string // what was asked for, and the last answer
	Log     []string
}

// Error implements error.
func (e *SilentError) Error() string {
	text := fmt.Sprintf("%s is not up after %s: %s", e.Service, e.Waited.Round(time.Second), e.Asked)
	if len(e.Log) == 0 {
		return text + "; it printed nothing"
	}
	return text + "; its log ends:\n    " + strings.Join(e.Log, "\n    ")
}
