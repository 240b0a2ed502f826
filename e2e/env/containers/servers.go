package containers

import (
	"context"
	"fmt"
	"maps"
	"net"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/stack"
)

// The roles of the services that are started.
const (
	rolePrometheus = "prometheus"
	roleGrafana    = "grafana"
)

// service makes the spec of a compose service: what compose would start, but for
// where its files come from and what it keeps.
func (r *run) service(s *stack.Service, role string, image Image) (Spec, error) {
	sp := Spec{
		Name: s.Name, Image: image.Name, Entrypoint: s.Entrypoint, Command: s.Command,
		User: s.User, WorkingDir: s.WorkingDir, Hostname: s.Hostname, Health: s.Healthcheck,
		CapAdd: s.CapAdd, Env: map[string]string{}, Networks: map[string][]string{}, Volumes: map[string]string{}, Tmpfs: map[string]string{},
	}
	for k, v := range s.Environment {
		sp.Env[k] = v.Value
	}
	maps.Copy(sp.Env, r.opts.Environment[role])
	maps.Copy(sp.Env, r.opts.Environment[s.Name])
	for _, n := range networksOf(s) {
		sp.Networks[n] = namesOf(s)
	}
	for _, t := range s.Tmpfs {
		target, options, _ := strings.Cut(t, ":")
		sp.Tmpfs[path.Clean("/"+target)] = options
	}
	sp.ExtraHosts = r.extraHosts(s)
	data := DataDirs(s, role, image)
	if err := r.mount(&sp, s, data); err != nil {
		return sp, err
	}
	for _, dir := range data {
		r.keep(&sp, s, env.Role(role), dir)
	}
	sp.Files = sp.Files.inOrder()
	return sp, nil
}

// extraHosts are the service's own entries of /etc/hosts, without those for which
// the fakes answer: the machine that runs the stack, and in Prometheus whoever is
// scraped.
func (r *run) extraHosts(s *stack.Service) []string {
	var out []string
	scrapes := s == r.stack.Prometheus.Service
	for name, to := range s.ExtraHosts {
		live := scrapes && r.liveHost(name)
		if to == "host-gateway" && !live || scrapes && r.faked(name) {
			continue
		}
		for _, ip := range strings.Split(to, ",") {
			out = append(out, name+":"+ip)
		}
	}
	slices.Sort(out)
	return out
}

// faked says whether fakes answer for a host.
func (r *run) faked(name string) bool {
	return slices.ContainsFunc(slices.Collect(maps.Values(r.layout.host.aliases)), func(names []string) bool { return slices.Contains(names, name) })
}

// liveHost says whether a target that is scraped where it is has this host.
func (r *run) liveHost(name string) bool {
	for _, l := range r.past.Lines {
		if host, _, err := net.SplitHostPort(l.Address); err == nil && l.Live && host == name {
			return true
		}
	}
	return false
}

// prometheusSpec is the container of Prometheus, its past laid down and its scrapes
// hurried.
func (r *run) prometheusSpec(ctx context.Context, image Image) (Spec, error) {
	s := r.stack.Prometheus.Service
	sp, err := r.service(s, rolePrometheus, image)
	if err != nil {
		return Spec{}, err
	}
	if err := r.trustFakes(&sp); err != nil {
		return Spec{}, err
	}
	storage := storagePath(s, image)
	r.laid = r.past.To
	if until, there := r.opts.Data.hasPast(r.keeping(&sp, s, storage).volume); there {
		r.continued, r.laid = true, until
	} else {
		if err := sp.Files.blocks(r.pastDir, storage); err != nil {
			return Spec{}, fmt.Errorf("lay down the past: %w", err)
		}
	}
	r.conventional(&sp, r.stack.Prometheus.ByConvention, r.stack.Prometheus.Path, r.stack.Prometheus.ContainerPath)
	r.hurry(&sp, s, image)
	return sp, ctx.Err()
}

// conventional copies a file that no mount brings, but that the model found by its
// usual name, to where the server reads it.
func (r *run) conventional(sp *Spec, found bool, source, target string) {
	if !found {
		return
	}
	r.notef("no mount brings %s into the container of %s: it is put at %s for the run", filepath.Base(source), sp.Name, target)
	if err := sp.Files.Tree(source, target); err != nil {
		r.logger.Warn("cannot read a file of the stack", "file", source, "err", err)
	}
}

// grafanaSpec is the container of Grafana, with a login of the run's own and
// without the calls home.
func (r *run) grafanaSpec(image Image) (Spec, error) {
	g := r.stack.Grafana
	sp, err := r.service(g.Service, roleGrafana, image)
	if err != nil {
		return Spec{}, err
	}
	if g.ByConvention && g.ProvisioningDir != "" {
		target := g.Env["GF_PATHS_PROVISIONING"]
		r.conventional(&sp, true, g.ProvisioningDir, target)
	}
	for _, key := range []string{"GF_SECURITY_ADMIN_PASSWORD__FILE", "GF_SECURITY_ADMIN_USER__FILE"} {
		delete(sp.Env, key)
	}
	if sp.Env["GF_SECURITY_ADMIN_USER"] == "" {
		sp.Env["GF_SECURITY_ADMIN_USER"] = "admin"
	}
	r.givePassword(&sp)
	sp.Env["GF_AUTH_BASIC_ENABLED"] = "true"
	for k, v := range quietGrafana() {
		if _, set := sp.Env[k]; !set {
			sp.Env[k] = v
		}
	}
	// A grafana.ini may say otherwise, and is not read: the environment outranks it.
	for k, v := range reachableGrafana() {
		if sp.Env[k] == "" {
			sp.Env[k] = v
		}
	}
	return sp, nil
}

// passwordFile holds the password of Grafana's administrator in its container.
const passwordFile = "/panelgate-grafana-password"

// givePassword tells Grafana the password that this run asks it with. It lies in a file
// that Grafana's own settings refer to: a variable would be shown by whoever may
// inspect containers, and the image's own __FILE needs the image's own entrypoint.
func (r *run) givePassword(sp *Spec) {
	sp.Env["GF_SECURITY_ADMIN_PASSWORD"] = "$__file{" + passwordFile + "}"
	sp.Files.Add(passwordFile, []byte(r.password), 0o444) // Grafana is not always the same user
}

// quietGrafana keeps Grafana from asking the internet for news and from fetching
// plugins that the stack has not asked for.
func quietGrafana() map[string]string {
	return map[string]string{
		"GF_ANALYTICS_REPORTING_ENABLED":        "false",
		"GF_ANALYTICS_CHECK_FOR_UPDATES":        "false",
		"GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES": "false",
		"GF_PLUGINS_PREINSTALL_DISABLED":        "true",
		"GF_NEWS_NEWS_FEED_ENABLED":             "false",
	}
}

// reachableGrafana is where Grafana is reached unless its environment says otherwise.
func reachableGrafana() map[string]string {
	return map[string]string{
		"GF_SERVER_HTTP_ADDR":           "0.0.0.0",
		"GF_SERVER_HTTP_PORT":           strconv.Itoa(defaultGrafanaPort),
		"GF_SERVER_PROTOCOL":            "http",
		"GF_SERVER_SERVE_FROM_SUB_PATH": "false",
	}
}

// roles are the services that the run starts, by role.
func (r *run) roles() map[string]*stack.Service {
	out := map[string]*stack.Service{}
	if p := r.stack.Prometheus; p != nil && p.Service != nil {
		out[rolePrometheus] = p.Service
	}
	if g := r.stack.Grafana; g != nil && g.Service != nil {
		out[roleGrafana] = g.Service
	}
	return out
}

// startedServices are the services whose containers the run starts.
func (r *run) startedServices() []*stack.Service {
	roles := r.roles()
	var out []*stack.Service
	for _, role := range slices.Sorted(maps.Keys(roles)) {
		out = append(out, roles[role])
	}
	return out
}
