package env

import (
	"slices"
	"strings"
)

// CauseOf says in a word what a target's scrape failed with, by Prometheus' own
// words: all that is known of a Prometheus in another process.
func CauseOf(t Target) Cause {
	has := func(texts ...string) bool {
		return slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(t.Error, text) })
	}
	const httpStatus = "server returned HTTP status "
	switch {
	case t.Up || t.Error == "":
		return CauseNone
	case t.AnsweredBy == "" && has("connection refused", "no such host", "server misbehaving", "network is unreachable", "no route to host"):
		return CauseUnanswered
	case has("connection refused"):
		return CauseRefused
	case has("context deadline exceeded", "Client.Timeout", "i/o timeout"):
		return CauseTimeout
	case has(PlainHTTP):
		return CausePlainHTTP
	case has(httpStatus + "404"):
		return CauseNotFound
	case has(httpStatus):
		return CauseStatus
	case has("Get \"", "limit exceeded", "unexpected EOF", "connection reset"):
		return CauseOther
	default:
		return CauseParse
	}
}
