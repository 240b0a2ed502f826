package env

import (
	"fmt"
	"strings"
	"time"
)

// UnansweredError says what was still waited for when a run was cut short.
type UnansweredError struct {
	Server string // what it is, and where
	Asked  string // "POST /api/v1/query_range"
	Waited time.Duration
	// Bounded says that it was given as much time as it may take, and not broken off.
	Bounded bool
}

// Error implements error.
func (e *UnansweredError) Error() string {
	const tenth = 100 * time.Millisecond
	return fmt.Sprintf("%s has not answered %s for %s", e.Server, e.Asked, e.Waited.Round(tenth))
}

// Unreachable is an error by which a server says that another does not answer, "" for
// any other.
func Unreachable(err error) string {
	if err == nil {
		return ""
	}
	for _, words := range []string{"connection refused", "no such host", "server misbehaving", "no route to host", "network is unreachable", "i/o timeout"} {
		if strings.Contains(err.Error(), words) {
			return err.Error()
		}
	}
	return ""
}
