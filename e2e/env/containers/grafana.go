package containers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/e2e/grafana"
	"github.com/panelgate/panelgate/stack"
)

// provisioningPatience is how long dashboards may be missing from a Grafana that
// answers and does not say that it has read them all.
const provisioningPatience = 10 * time.Second

// startGrafana starts Grafana and waits until it has read its provisioning.
func (r *run) startGrafana(ctx context.Context, image Image, near map[string]Container, out *env.Instance) error {
	client, err := r.bootGrafana(ctx, image, near)
	if r.isFault(err, env.RoleGrafana, out) {
		out.GrafanaDown = true
		return nil
	}
	if err != nil {
		return err
	}
	r.step("provisioned")
	r.mu.Lock()
	defer r.mu.Unlock()
	out.Grafana, r.up[env.RoleGrafana] = client, true
	return nil
}

func (r *run) bootGrafana(ctx context.Context, image Image, near map[string]Container) (*grafana.Client, error) {
	s := r.stack.Grafana.Service
	if err := r.startHelpers(ctx, s, nil); err != nil {
		return nil, err
	}
	sp, err := r.grafanaSpec(image)
	if err != nil {
		return nil, err
	}
	c, err := r.launch(ctx, env.RoleGrafana, s, sp, near)
	if err != nil {
		return nil, err
	}
	user := r.opts.Data.administrator(sp.Env["GF_SECURITY_ADMIN_USER"])
	client, err := r.reachGrafana(ctx, c, s, user)
	var exit *ExitError
	if errors.As(err, &exit) && s.Restart != "" && s.Restart != "no" {
		// Its first start builds a database, and may come to grief where the next does not.
		r.logger.Info("Grafana ended and is started again", "restart", s.Restart, "exit code", exit.Code)
		if err := c.Start(ctx); err != nil {
			return nil, err
		}
		if client, err = r.reachGrafana(ctx, c, s, user); err == nil {
			r.notef("%s ended once with exit code %d and came up when it was restarted, as restart: %s has it", s.Name, exit.Code, s.Restart)
		}
	}
	return client, err
}

// reachGrafana waits until Grafana answers and has read its provisioning.
func (r *run) reachGrafana(ctx context.Context, c Container, s *stack.Service, user string) (*grafana.Client, error) {
	address, err := r.address(ctx, c, grafanaPort(s))
	if err != nil {
		return nil, err
	}
	client, err := grafana.New(grafana.Options{URL: grafanaURL(s, address), User: user, Password: r.password,
		Transport: r.silence.Through(s.Name+" at http://"+address, loopbackTLS())})
	if err != nil {
		return nil, err
	}
	err = r.await(ctx, c, bootTime, "its API at http://"+address, func(ctx context.Context) (bool, error) {
		_, err := client.Health(ctx)
		return err == nil, err
	})
	if err != nil {
		return nil, err
	}
	r.step("boot " + s.Name)
	return client, r.provisioned(ctx, c, client)
}

// provisioned waits until every dashboard of the files is served, or Grafana says
// that it has read them all.
func (r *run) provisioned(ctx context.Context, c Container, client *grafana.Client) error {
	wanted := map[string]bool{}
	for _, b := range r.stack.Dashboards {
		wanted[cmp.Or(b.UID.Value, b.Title.Value)] = true
	}
	began := time.Now()
	changes := quiet{}
	looks := 0
	var refused error
	err := r.await(ctx, c, bootTime, "its dashboards", func(ctx context.Context) (bool, error) {
		hits, err := client.Dashboards(ctx)
		if refused = rejected(err); refused != nil || err != nil {
			return refused != nil, err
		}
		served := 0
		for _, h := range hits {
			if wanted[h.UID] || wanted[h.Title] {
				served++
			}
		}
		r.progress("provisioning", served, len(wanted))
		// A database that was kept serves what it had before the files are read.
		settled := !r.opts.Data.used() || changes.over(hits)
		if served >= len(wanted) && settled || time.Since(began) > provisioningPatience {
			return true, nil
		}
		if looks++; looks%5 != 0 {
			return false, nil
		}
		return r.finishedProvisioning(ctx, c)
	})
	return errors.Join(err, refused)
}

// settleTime is for how long the dashboards of a kept database must have been the
// same. Not every version of Grafana says when it has read all files (10.1 does
// not); they begin with that as they begin to answer.
const settleTime = 2 * time.Second

// quiet tells when a list of dashboards has stopped changing.
type quiet struct {
	last  []grafana.Hit
	since time.Time
}

func (q *quiet) over(hits []grafana.Hit) bool {
	if q.since.IsZero() || !slices.Equal(q.last, hits) {
		q.last, q.since = hits, time.Now()
	}
	return time.Since(q.since) >= settleTime
}

// finishedProvisioning says whether Grafana's log says so.
func (r *run) finishedProvisioning(ctx context.Context, c Container) (bool, error) {
	lines, err := c.Log(ctx)
	return slices.ContainsFunc(lines, func(l string) bool { return strings.Contains(l, "finished to provision dashboards") }), err
}

// rejected says what it means that Grafana does not take the login that it was
// given, nil for any other error.
func rejected(err error) error {
	var status *grafana.StatusError
	if !errors.As(err, &status) || status.Status != http.StatusUnauthorized && status.Status != http.StatusForbidden {
		return nil
	}
	return fmt.Errorf("grafana does not take the administrator's password that this run gave it in GF_SECURITY_ADMIN_PASSWORD: "+
		"something in the stack sets another one (cfg:security.admin_password in its command, or a script of its own): %w", err)
}

// grafanaURL is where Grafana's API is, below the path that it serves from.
func grafanaURL(s *stack.Service, address string) string {
	u := url.URL{Scheme: "http", Host: address}
	if p := s.Environment["GF_SERVER_PROTOCOL"].Value; p == "https" || p == "h2" {
		u.Scheme = "https"
	}
	written := iniVariable.ReplaceAllString(s.Environment["GF_SERVER_ROOT_URL"].Value, "x")
	if root, err := url.Parse(written); err == nil && s.Environment["GF_SERVER_SERVE_FROM_SUB_PATH"].Value == "true" {
		u.Path = root.Path
	}
	return u.String()
}

// iniVariable is another setting's value inside of a setting: %(domain)s.
var iniVariable = regexp.MustCompile(`%\([a-z_]+\)s`)

// loopbackTLS does not ask who signed the certificate of a Grafana that this run
// has started itself and reaches on its own port.
func loopbackTLS() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.Proxy = nil
	t.TLSClientConfig = unverified()
	return t
}
