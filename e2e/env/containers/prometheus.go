package containers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/stack"
)

// startPrometheus starts Prometheus and waits until every target has been scraped.
func (r *run) startPrometheus(ctx context.Context, image Image, out *env.Instance) error {
	base, w, err := r.bootPrometheus(ctx, image)
	if w != nil {
		defer w.close()
	}
	if r.isFault(err, env.RolePrometheus, out) {
		out.Targets, out.Now = r.past.Targets, r.past.To
		return nil
	}
	if err != nil {
		return err
	}
	r.step("scraped")
	r.mu.Lock()
	defer r.mu.Unlock()
	out.PrometheusURL, out.Targets, out.Now = base, w.states(), w.now()
	out.Transport, r.idle = r.askingPrometheus(base)
	r.up[env.RolePrometheus] = true
	return nil
}

// bootPrometheus is up to the moment when there is nothing more to wait for. The
// scrapes it returns are to be closed, also on an error.
func (r *run) bootPrometheus(ctx context.Context, image Image) (base string, w *scrapes, err error) {
	s := r.stack.Prometheus.Service
	if err := r.startHelpers(ctx, s, nil); err != nil {
		return "", nil, err
	}
	c, err := r.tryPrometheus(ctx, image)
	if err != nil {
		return "", nil, err
	}
	address, err := r.address(ctx, c, s.ListenPort())
	base = (&url.URL{Scheme: "http", Host: address, Path: s.RoutePrefix()}).String()
	w, scrapesErr := newScrapes(r, base)
	if scrapesErr != nil {
		return "", nil, scrapesErr
	}
	began := time.Now()
	if err == nil {
		var refused error
		err = r.await(ctx, c, bootTime, "its API at "+base, func(ctx context.Context) (bool, error) {
			ok, err := w.up(ctx)
			refused = wantsLogin(s, err)
			return ok || refused != nil, err
		})
		err = errors.Join(err, refused)
	}
	if r.unknownFlag(err) {
		r.logger.Info("this Prometheus does not know the flag that hurries discovery: starting it without")
		w.close()
		if err := c.Remove(ctx); err != nil {
			return "", nil, err
		}
		r.plainDiscovery = true
		return r.bootPrometheus(ctx, image)
	}
	if err != nil {
		return base, w, err
	}
	r.logger.Info("Prometheus is up", "took", time.Since(began))
	r.step("boot " + s.Name)
	if err := r.await(ctx, c, r.scrapeTime(), "a scrape of every target", w.settled); err != nil {
		return base, w, err
	}
	return base, w, r.unhurry(ctx, c, base, w)
}

// askingPrometheus is the way on which panels are asked.
func (r *run) askingPrometheus(base string) (way http.RoundTripper, idle func()) {
	const connections = 8
	plain := &http.Transport{MaxIdleConnsPerHost: connections, DisableCompression: true} // the server is near
	return r.silence.Through(r.stack.Prometheus.Service.Name+" at "+base, plain), plain.CloseIdleConnections
}

// wantsLogin says that Prometheus is up and asks for a login that this run does not
// have, nil for any other error.
func wantsLogin(s *stack.Service, err error) error {
	if err == nil || !strings.Contains(err.Error(), "client error: 401") {
		return nil
	}
	return fmt.Errorf("%s wants a login (401), which its --web.config.file asks for and the run does not have: leave the file out of a copy of the stack, "+
		"or prove it with --env embedded or, where it runs, --env attach", s.Name)
}

// tryPrometheus creates and starts the container.
func (r *run) tryPrometheus(ctx context.Context, image Image) (Container, error) {
	sp, err := r.prometheusSpec(ctx, image)
	if err != nil {
		return nil, err
	}
	return r.launch(ctx, env.RolePrometheus, r.stack.Prometheus.Service, sp, r.near)
}

// launch creates and starts a server's container, in the network that it shares
// where there is one.
func (r *run) launch(ctx context.Context, role env.Role, s *stack.Service, sp Spec, near map[string]Container) (Container, error) {
	via := near[s.Name]
	if via != nil {
		sp.Within, sp.Networks, sp.ExtraHosts = via, nil, nil
	}
	sp.Publish = []int{r.port(s)}
	c, err := r.create(ctx, sp)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	r.servers[role] = c
	r.mu.Unlock()
	return c, c.Start(ctx)
}

// scrapeTime is how long it may take until every target has been scraped as often
// as it has to be: where scrapes are not hurried, that is for the stack to say.
func (r *run) scrapeTime() time.Duration {
	slowest := time.Duration(0)
	live := slices.ContainsFunc(r.past.Targets, func(t env.Target) bool { return t.AnsweredBy == liveTarget })
	for _, j := range r.stack.Prometheus.Jobs {
		if !r.hurried || live { // a job with a live target is never hurried
			slowest = max(slowest, j.ScrapeInterval)
		}
	}
	return bootTime + max(samplesForRate, failuresForDown)*slowest
}

// await waits for a server, for as long as its container runs and time is left.
func (r *run) await(ctx context.Context, c Container, limit time.Duration, what string, done func(context.Context) (bool, error)) error {
	began := time.Now()
	r.progress("waiting for "+c.Name(), 0, 0)
	limited, cancel := context.WithTimeoutCause(ctx, withinRun(ctx, limit), errBootTime)
	defer cancel()
	var last error
	looked := began
	err := until(limited, func() (bool, error) {
		// Podman keeps hold of a port for a moment after the container's end: who
		// connects then waits for an answer for ever.
		look, cancel := context.WithTimeoutCause(limited, lookTime, errLookTime)
		defer cancel()
		ok, err := done(look)
		if ok {
			return true, nil
		}
		last = cmp.Or(err, last)
		if time.Since(looked) < inspectEvery { // asking the engine takes time from who boots
			return false, nil
		}
		looked = time.Now()
		if code, ended, err := c.Exited(limited); err != nil || ended {
			return false, cmp.Or(err, r.exitOf(ctx, c, code))
		}
		return false, nil
	})
	if errors.Is(err, errBootTime) {
		lines, logErr := c.Log(ctx)
		asked := what
		if last != nil {
			asked += ": " + last.Error()
		}
		return errors.Join(&SilentError{c.Name(), time.Since(began), asked, lastLines(lines, 15)}, logErr)
	}
	return err
}

// withinRun is a limit that ends before the run's own time does, so that there is some
// left to say what was waited for, and what the server has printed.
func withinRun(ctx context.Context, limit time.Duration) time.Duration {
	deadline, ok := ctx.Deadline()
	if !ok {
		return limit
	}
	return min(limit, time.Until(deadline)*9/10)
}

// lookTime is how long a server has for one answer while it is waited for.
const lookTime = 10 * time.Second

var (
	errBootTime = errors.New("the server took too long to come up")
	errLookTime = fmt.Errorf("no answer within %s", lookTime)
)

// address is where a port of a server is reached. One that ended at once has none:
// its log says why.
func (r *run) address(ctx context.Context, c Container, port int) (string, error) {
	address, err := c.At(ctx, port)
	if err == nil {
		return address, nil
	}
	if code, ended, exitedErr := c.Exited(ctx); exitedErr == nil && ended {
		return "", r.exitOf(ctx, c, code)
	}
	return "", err
}

// exitOf is the error of a container that has ended.
func (r *run) exitOf(ctx context.Context, c Container, code int) error {
	lines, err := c.Log(ctx)
	return errors.Join(&ExitError{Service: c.Name(), Code: code, Log: lastLines(lines, 30)}, err)
}

// isFault says whether the error is that a server ended instead of coming up, and
// takes it down as a fault of the stack.
func (r *run) isFault(err error, role env.Role, out *env.Instance) bool {
	var exit *ExitError
	if !errors.As(err, &exit) || exit.Code == killed {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	out.Faults = append(out.Faults, env.Fault{Role: role, Service: r.faultyService(exit, role), ExitCode: exit.Code, Log: exit.Log})
	return true
}

// killed is how a container ends that does not end by itself: somebody, or a machine that
// is short of memory, has ended it, and no file of the stack is to blame.
const killed = 137

// faultyService is the service that ended: a server, or what it depends on.
func (r *run) faultyService(exit *ExitError, role env.Role) *stack.Service {
	if s := r.serviceNamed(exit.Service); s != nil {
		return s
	}
	return r.roles()[string(role)]
}

// unknownFlag says whether Prometheus ended over the flag that we gave it.
func (r *run) unknownFlag(err error) bool {
	var exit *ExitError
	return errors.As(err, &exit) && !r.plainDiscovery && slices.ContainsFunc(exit.Log, func(line string) bool {
		return strings.Contains(line, "unknown long flag") && strings.Contains(line, reloadFlag)
	})
}

// unhurry puts the true prometheus.yml back, once the rules have been evaluated:
// from then on nothing runs faster than the stack says.
func (r *run) unhurry(ctx context.Context, c Container, base string, w *scrapes) error {
	if !r.hurried || !w.history {
		return nil
	}
	if err := w.rulesEvaluated(ctx); err != nil {
		return err
	}
	if err := c.Put(ctx, r.restored()); err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/-/reload", http.NoBody)
	if err != nil {
		return fmt.Errorf("have Prometheus reload: %w", err)
	}
	response, err := w.http.Do(request)
	if err != nil {
		return fmt.Errorf("have Prometheus read its true configuration again: %w", err)
	}
	if err := response.Body.Close(); err != nil || response.StatusCode != http.StatusOK {
		return errors.Join(fmt.Errorf("have Prometheus read its true configuration again: it answers %s", response.Status), err)
	}
	return nil
}
