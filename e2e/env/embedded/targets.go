package embedded

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"syscall"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/stack"
	"github.com/panelgate/panelgate/stack/source"
)

// states are the targets as the last scrapes left them, by job and instance.
func (s *scraper) states(p *stack.Prometheus) []env.Target {
	out := []env.Target{}
	for _, j := range s.jobs {
		if j.err != nil && len(j.targets) == 0 {
			out = append(out, env.Target{
				Job: j.config.JobName, Error: said(j.err), Cause: env.CauseOther, Pos: jobPos(p, j.config.JobName, ""),
			})
		}
		for _, t := range j.targets {
			out = append(out, t.state(p))
		}
	}
	sortTargets(out)
	return out
}

func sortTargets(targets []env.Target) {
	slices.SortStableFunc(targets, func(a, b env.Target) int {
		return cmp.Or(cmp.Compare(a.Job, b.Job), cmp.Compare(a.Instance, b.Instance), cmp.Compare(a.URL, b.URL))
	})
}

// describe says what the target is, whatever its scrapes come to.
func (t *target) describe(p *stack.Prometheus) env.Target {
	out := env.Target{Job: t.job.JobName, Pos: jobPos(p, t.job.JobName, "")}
	if t.scrape != nil {
		written := t.scrape.DiscoveredLabels(labels.NewBuilder(labels.EmptyLabels())).Get(model.AddressLabel)
		out.Pos = jobPos(p, t.job.JobName, original(written))
		out.Job = t.labels.Get(model.JobLabel)
		out.Instance = t.labels.Get(model.InstanceLabel)
		out.Address = t.address
		out.URL = t.scrape.URL().String()
		out.Labels = t.labels.Map()
	}
	if t.line != nil {
		out.AnsweredBy = t.line.name
		if t.line.fake != nil {
			setup := t.line.setup
			out.Setup = &setup
		}
	}
	return out
}

// state describes the target and its last scrape.
func (t *target) state(p *stack.Prometheus) env.Target {
	out := t.describe(p)
	err, why := t.err, env.CauseOther
	if err == nil {
		err = t.seen.active.LastError()
		why = causeOf(err)
	}
	if err == nil {
		out.Up = true
		return out
	}
	out.Error, out.Cause = said(t.ofOurs(err)), why
	return out
}

// notMounted is a path of the container that no mount leads to, as the stack maps
// it to this machine: below a directory of the stack's that does not exist.
var notMounted = regexp.MustCompile(`/[^:"\n]*?/\.not-mounted(/)`)

// said is an error in the terms of the stack. A path that no mount brings into the
// container is shown as it is in there: where it was looked for on this machine
// means nothing to anybody.
func said(err error) string {
	text := err.Error()
	inside := notMounted.ReplaceAllString(text, "$1")
	if inside == text {
		return text
	}
	return inside + ": no mount brings it into the container"
}

// jobPos is where prometheus.yml names the address, or else the job.
func jobPos(p *stack.Prometheus, job, address string) source.Pos {
	for _, j := range p.Jobs {
		if j.Name.Value != job {
			continue
		}
		for _, t := range j.Targets {
			if t.Address.Value == address {
				return t.Address.Pos
			}
		}
		return j.Pos
	}
	return source.Pos{File: p.File}
}

// causeOf says in a word what a scrape failed with.
func causeOf(err error) env.Cause {
	const httpStatus = "server returned HTTP status "
	var unanswered *unansweredError
	var timeout interface{ Timeout() bool }
	var request *url.Error
	switch {
	case err == nil:
		return env.CauseNone
	case errors.As(err, &unanswered):
		return env.CauseUnanswered
	case errors.Is(err, syscall.ECONNREFUSED):
		return env.CauseRefused
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded),
		errors.As(err, &timeout) && timeout.Timeout():
		return env.CauseTimeout
	case strings.Contains(err.Error(), env.PlainHTTP):
		return env.CausePlainHTTP
	case strings.HasPrefix(err.Error(), httpStatus+"404 "):
		return env.CauseNotFound
	case strings.HasPrefix(err.Error(), httpStatus):
		return env.CauseStatus
	case errors.As(err, &request), isLimit(err), isBroken(err):
		return env.CauseOther
	default:
		// What remains was said while the answer was read as an exposition.
		return env.CauseParse
	}
}

// isLimit says whether a limit of the job's was exceeded, which has no type to
// tell it by.
func isLimit(err error) bool { return strings.Contains(err.Error(), "limit exceeded") }

// isBroken says whether the connection broke while the answer was being read.
func isBroken(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.ErrClosedPipe)
}
