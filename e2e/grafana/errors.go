package grafana

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"unicode"
)

var (
	// ErrUnknownDatasource is in the chain of an error where Grafana has no
	// datasource of the uid that was asked. Which uid, Grafana does not say.
	ErrUnknownDatasource = errors.New("no such datasource")
	// ErrNoPlugin is in the chain of an error where the datasource is there, and
	// Grafana has no back end for its type.
	ErrNoPlugin = errors.New("no plugin for this type of datasource")
	// ErrNoHealthCheck is in the chain of an error where a datasource cannot be
	// asked for its health: its plugin has no check, or no back end at all.
	ErrNoHealthCheck = errors.New("the datasource has no health check")
	// ErrUnknownDashboard is in the chain of an error where Grafana has no
	// dashboard of the uid that was asked.
	ErrUnknownDashboard = errors.New("no such dashboard")
	// ErrNotJSON is in the chain of an error where the answer is something else,
	// such as the page of a proxy or of a login.
	ErrNotJSON = errors.New("the answer is not JSON")
	// ErrTooLarge is in the chain of an error where an answer was not read to its end.
	ErrTooLarge = errors.New("the answer is too large")
)

// StatusError is an answer whose HTTP status is none that was asked for.
type StatusError struct {
	Method, Path string // of the request; the path below the base URL, without its query
	Status       int
	Message      string // Grafana's own words, or the first of another's page
	ID           string // Grafana's name for the error ("plugin.notRegistered"), where it gives one
}

// Error says what was asked and what came back.
func (e *StatusError) Error() string {
	s := fmt.Sprintf("%s %s: HTTP %d", e.Method, e.Path, e.Status)
	if text := http.StatusText(e.Status); text != "" {
		s += " " + text
	}
	if e.Message != "" {
		s += ": " + e.Message
	}
	return s
}

// QueryError is what Grafana says of one query that failed, while it answered
// the request as a whole.
type QueryError struct {
	RefID   string
	Status  int    // Grafana's for this query, 0 where it gives none
	Message string // Grafana's own words, or Prometheus'
	Source  string // "downstream" or "plugin", where Grafana says whose failure it is (11 on)
}

// Error is Grafana's message, and which query it is about.
func (e *QueryError) Error() string {
	if e.Status == 0 {
		return fmt.Sprintf("query %s: %s", e.RefID, e.Message)
	}
	return fmt.Sprintf("query %s: %s (status %d)", e.RefID, e.Message, e.Status)
}

// complaint is an error's body: Grafana's own under /api, and under /apis that
// of Kubernetes, which has the same key.
type complaint struct {
	Message   string `json:"message"`
	MessageID string `json:"messageId"`
	Error     string `json:"error"`
}

// refused is the reply as an error.
func (r reply) refused() *StatusError {
	e := &StatusError{Method: r.method, Path: r.path, Status: r.status}
	var c complaint
	switch err := json.Unmarshal(r.body, &c); {
	case r.location != "":
		e.Message = "it redirects to " + r.location
	case err == nil && c.Message != "":
		e.Message, e.ID = clean(c.Message), c.MessageID
	case err == nil && c.Error != "":
		e.Message = clean(c.Error)
	default:
		e.Message = clean(string(r.body))
	}
	return e
}

// clean makes foreign text fit for one line of a report: no mark-up, no control
// characters, and no more than its beginning.
func clean(s string) string {
	const longest = 200
	// A page of megabytes need not be looked through for its beginning.
	s = s[:min(len(s), 16<<10)]
	if strings.HasPrefix(strings.TrimSpace(s), "<") {
		s = withoutTags(s)
	}
	s = strings.ToValidUTF8(s, "")
	s = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return ' '
		}
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, s)
	runes := []rune(strings.Join(strings.Fields(s), " "))
	if len(runes) > longest {
		return string(runes[:longest]) + "…"
	}
	return string(runes)
}

// withoutTags leaves the text of a page, its scripts and styles left out.
func withoutTags(page string) string {
	var out strings.Builder
	for page != "" {
		text, rest, found := strings.Cut(page, "<")
		out.WriteString(text + " ")
		if !found {
			break
		}
		for _, tag := range []string{"script", "style"} {
			if len(rest) >= len(tag) && strings.EqualFold(rest[:len(tag)], tag) {
				_, rest, _ = strings.Cut(rest, "</")
			}
		}
		_, page, _ = strings.Cut(rest, ">")
	}
	return out.String()
}
