package attach

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
)

// errPartial says that a server answered without some of what it was asked for.
var errPartial = errors.New("the answer is partial")

// errNoAnswer says that a server is silent for longer than is waited.
var errNoAnswer = errors.New("no answer")

// complete makes sure that an answer is all of one. One that a proxy cuts short arrives
// with a status of 200 all the same. What Prometheus' API reads over several stores, as by
// Thanos, VictoriaMetrics or a Prometheus with remote reads, is answered with a status of
// 200 though a store is away, and only a warning tells.
func complete(req *http.Request, status int, body []byte) error {
	if status != http.StatusOK || req.Method == http.MethodHead || !strings.Contains(req.URL.Path, "/api/") {
		return nil
	}
	text := bytes.TrimSpace(body)
	if len(text) == 0 || text[0] == '{' && text[len(text)-1] != '}' || text[0] == '[' && text[len(text)-1] != ']' {
		return fmt.Errorf("the answer is cut short: %w", io.ErrUnexpectedEOF)
	}
	if !strings.Contains(req.URL.Path, "/api/v1/") {
		return nil
	}
	if !bytes.Contains(text, []byte(`"warnings"`)) && !bytes.Contains(text, []byte(`"isPartial"`)) {
		return nil
	}
	var answer struct {
		IsPartial bool
		Warnings  []string
	}
	if json.Unmarshal(text, &answer) != nil {
		return nil //nolint:nilerr // whoever asked says what is wrong with it
	}
	for _, w := range answer.Warnings {
		// What PromQL has to remark on an expression is true of a whole answer as well.
		if !strings.HasPrefix(w, "PromQL ") {
			return fmt.Errorf("%w: %s", errPartial, snippet(w))
		}
	}
	if answer.IsPartial {
		return errPartial
	}
	return nil
}

// failed says of an error in place of the list of targets that it is the server's
// failing. Any other is how servers answer that have no such list.
func failed(err error) bool {
	said, ok := errors.AsType[*promv1.Error](err)
	if !ok {
		_, sent := errors.AsType[*url.Error](err) // what a request fails with, and not a look at its answer
		_, redirect := errors.AsType[*redirectError](err)
		return errors.Is(err, errNoAnswer) || sent && !redirect
	}
	switch said.Type {
	case promv1.ErrServer:
		return said.Msg != fmt.Sprintf("server error: %d", http.StatusNotImplemented)
	case promv1.ErrClient:
		return said.Msg == fmt.Sprintf("client error: %d", http.StatusTooManyRequests)
	case promv1.ErrTimeout, promv1.ErrCanceled, promv1.ErrExec:
		return true
	}
	return said.Type == "unavailable" || said.Type == "internal"
}
