package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/panelgate/panelgate/e2e"
	"github.com/panelgate/panelgate/e2e/env/attach"
	"github.com/panelgate/panelgate/e2e/env/containers"
	"github.com/panelgate/panelgate/e2e/env/dagger"
	"github.com/panelgate/panelgate/e2e/env/docker"
	"github.com/panelgate/panelgate/e2e/env/embedded"
	"github.com/panelgate/panelgate/e2e/nearest"
	"github.com/panelgate/panelgate/stack"
)

// envFlags say where the stack runs, and with what.
type envFlags struct {
	name string
	// of embedded
	instances int
	// of docker and dagger
	images         []string
	registryPrefix string
	settings       []string
	setting        *pflag.Flag // knows who gave them
	asConfigured   bool
	logs           string
	// of docker
	upgradeFrom string
	// of dagger
	engines []string
	tunnel  bool
	shards  int
	inside  string
	acted   []string // releases of exporters
	elapsed time.Duration
	// of attach
	prometheus, grafana string
	tenant              string
	orgID               int64
	caFile, proxy       string
}

func (e *envFlags) addTo(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&e.name, "env", embedded.Name, "the `environment` that the stack runs in: embedded (this process), docker (containers of its own images), dagger (the same as services of a Dagger engine; the default under `dagger run`), attach (it runs already)")
	f.IntVar(&e.instances, "instances", 1, "embedded: `N` of each exporter, on hosts named after the ones in the files, to find what breaks beside a second server before there is one")
	f.StringArrayVar(&e.images, "image", nil, "docker, dagger: run `SERVICE=IMAGE` in place of the compose file's, as grafana=grafana/grafana:13.2.3; fakes=IMAGE for the exporters' stand-ins, old.SERVICE=IMAGE for the revision of --upgrade-from alone; dagger: SERVICE=tar:FILE for an archive")
	f.StringArrayVar(&e.settings, "setting", nil, "docker, dagger: set a variable of a server over those of the compose file, as grafana:GF_LOG_LEVEL=debug for `SERVICE:NAME=VALUE`; may be repeated")
	e.setting = f.Lookup("setting")
	f.StringVar(&e.registryPrefix, "registry-prefix", "", "docker, dagger: pull images of Docker Hub from below this `prefix`, a mirror")
	f.BoolVar(&e.asConfigured, "as-configured", false, "docker, dagger: leave the scrape intervals as they are, so that readiness takes as long as they say")
	f.StringVar(&e.upgradeFrom, "upgrade-from", "", "docker: start the stack as it was in `DIR|REV` first, then this one on the data that it kept")
	f.StringVar(&e.logs, "logs", "", "docker, dagger: keep what the containers print in this `directory`, a file each")
	f.StringArrayVar(&e.engines, "engine", nil, "dagger: use the engine at `ADDRESS`, as tcp://HOST:PORT, in place of the session's or Dagger's own choice; may be repeated for a matrix, whose cells they share")
	f.BoolVar(&e.tunnel, "tunnel", false, "dagger: ask from this machine through Dagger's tunnels, which listen on all of its interfaces, and not from a container in the pipeline")
	f.IntVar(&e.shards, "shards", 0, "dagger: share the dashboards among `N` gates side by side in the session's containers, each with servers of its own, and join what they come to")
	f.StringVar(&e.inside, "inside", "", "this is the pipeline's container, and the fakes' program is this `file`")
	f.StringArrayVar(&e.acted, "acted", nil, "have the fake of an exporter act out a release, as `EXPORTER=VERSION`")
	f.DurationVar(&e.elapsed, "elapsed", 0, "how long the run has been going on before this process")
	for _, hidden := range insideFlags() {
		if err := f.MarkHidden(hidden); err != nil {
			panic(err) // the flag was added above
		}
	}
	f.StringVar(&e.prometheus, "prometheus", "", "`URL|VERSIONS`. attach: the URL of Prometheus, or of what speaks its API; without it, it is asked through Grafana. Login: PANELGATE_PROMETHEUS_TOKEN, or _USER and _PASSWORD, or files named by these and _FILE. docker, dagger: versions to try, as for --grafana")
	f.StringVar(&e.grafana, "grafana", "", "`URL|VERSIONS`. attach: the URL of Grafana; without it, it is modelled from the files. Login: PANELGATE_GRAFANA_TOKEN and so on, as above. docker, dagger: versions to try, as 12.4.5,13.2.3: tags of the compose file's image, whole images, or tar:FILE; see --matrix")
	f.StringVar(&e.tenant, "tenant", "", "attach: the `tenant` that Prometheus' API is asked for (X-Scope-OrgID)")
	f.Int64Var(&e.orgID, "org-id", 0, "attach: the `id` of Grafana's organisation (default: the login's own)")
	f.StringVar(&e.caFile, "ca-file", "", "attach: trust the certificate authorities in this PEM `file` as well")
	f.StringVar(&e.proxy, "proxy", "", "attach: go through the proxy at `URL` (default: HTTPS_PROXY and HTTP_PROXY, but for NO_PROXY)")
	completeFlag(cmd, "env", embedded.Name+"\tin this process", docker.Name+"\tcontainers of its own images",
		dagger.Name+"\tservices of a Dagger engine", attach.Name+"\tit runs already")
}

// Flags that mean something in some environments only.
func containersFlags() []string {
	return []string{"image", "setting", "registry-prefix", "as-configured", "logs"}
}

func embeddedFlags() []string { return []string{"instances"} }

func dockerFlags() []string { return []string{"upgrade-from"} }

func daggerFlags() []string { return []string{"engine", "tunnel", "shards"} }

// insideFlags are how the gate calls itself in a container of the pipeline.
func insideFlags() []string { return []string{"inside", "elapsed", "acted"} }

func attachFlags() []string {
	return []string{"prometheus", "grafana", "tenant", "org-id", "ca-file", "proxy"}
}

// options fills in where the stack runs, for which given says whether a flag was.
func (e *envFlags) options(opts *e2e.Options, given func(flag string) bool) error {
	opts.Env = e.name
	refuse := func(names ...string) error {
		for _, name := range names {
			if given(name) {
				return fmt.Errorf("--%s means nothing with --env %s", name, e.name)
			}
		}
		return nil
	}
	if e.instances < 1 || e.instances > mostInstances {
		return fmt.Errorf("--instances %d: want 1 to %d", e.instances, mostInstances)
	}
	if e.name != embedded.Name {
		if err := refuse(embeddedFlags()...); err != nil {
			return err
		}
	}
	opts.Instances = e.instances
	opts.Releases = e.releases()
	switch e.name {
	case embedded.Name:
		return refuse(slices.Concat(containersFlags(), dockerFlags(), daggerFlags(), insideFlags(), attachFlags())...)
	case docker.Name:
		if err := refuse(slices.Concat(daggerFlags(), insideFlags(), attachFlags())...); err != nil {
			return err
		}
		return e.contained(opts)
	case dagger.Name:
		if err := refuse(slices.Concat(dockerFlags(), attachFlags())...); err != nil {
			return err
		}
		if err := e.shardable(given); err != nil {
			return err
		}
		return e.contained(opts)
	case attach.Name:
		if err := refuse(slices.Concat(containersFlags(), dockerFlags(), daggerFlags(), insideFlags(), matrixFlagNames(), []string{"history", "scenario"})...); err != nil {
			return err
		}
		return e.attached(opts)
	}
	names := []string{embedded.Name, docker.Name, dagger.Name, attach.Name}
	return fmt.Errorf("unknown --env %q%s: want embedded, docker, dagger or attach", e.name, nearest.Hint(e.name, names))
}

// releases are those that exporters are to act out, nil without any.
func (e *envFlags) releases() map[string]string {
	var out map[string]string
	for _, one := range e.acted {
		name, v, _ := strings.Cut(one, "=")
		if out == nil {
			out = map[string]string{}
		}
		out[name] = v
	}
	return out
}

// mostInstances are more than any join needs to break, and no more than a machine can scrape in memory.
const mostInstances = 100

// contained fills in how the stack's containers run.
func (e *envFlags) contained(opts *e2e.Options) error {
	images, err := containers.ParseImages(append(imagesOfEnvironment(), e.images...))
	if err != nil {
		return fmt.Errorf("--image %w", err)
	}
	for name, image := range images {
		if file, ok := strings.CutPrefix(image, containers.FromFile); ok && e.name != dagger.Name {
			return fmt.Errorf("--image %s=%s: only --env dagger takes an archive; have the engine load it (docker load -i %s) and name the image", name, image, file)
		}
	}
	environment, err := containers.ParseSettings(e.settings)
	if _, byVariable := e.setting.Annotations[byTwin]; err == nil && !byVariable {
		err = refuseSecrets(environment)
	}
	if err != nil {
		return fmt.Errorf("--setting %w", err)
	}
	opts.Containers = containers.Options{Images: containers.Images{Override: images, Prefix: e.registryPrefix}, Environment: environment,
		AsConfigured: e.asConfigured, Logs: e.logs}
	opts.Dagger = dagger.Options{Tunnel: e.tunnel, Fakes: e.inside}
	return nil
}

// imagesOfEnvironment are the images that PANELGATE_IMAGE_SERVICE variables name.
func imagesOfEnvironment() []string {
	const prefix = "PANELGATE_IMAGE_"
	var out []string
	for _, kv := range os.Environ() {
		name, value, _ := strings.Cut(kv, "=")
		if service, ok := strings.CutPrefix(name, prefix); ok && value != "" {
			out = append(out, strings.ToLower(strings.ReplaceAll(service, "_", "-"))+"="+value)
		}
	}
	return out
}

// asked are the servers that a run asks which it has not started, for a message: one of
// them is why it takes so long. Their logins are not in the urls.
func (e *envFlags) asked() string {
	switch {
	case e.name != attach.Name:
		return ""
	case e.prometheus == "" || e.grafana == "":
		return fmt.Sprintf(" of %s", cmp.Or(e.prometheus, e.grafana))
	}
	return fmt.Sprintf(" of %s and %s", e.prometheus, e.grafana)
}

func (e *envFlags) attached(opts *e2e.Options) error {
	if e.prometheus == "" && e.grafana == "" {
		return errors.New("--env attach needs --prometheus URL, --grafana URL, or both")
	}
	for flag, value := range map[string]string{"prometheus": e.prometheus, "grafana": e.grafana} {
		if isVersion(flag, value) {
			return fmt.Errorf("--%s %s: --env attach asks a server that runs, and wants its URL: versions are tried with --env docker", flag, value)
		}
	}
	a := attach.Options{Prometheus: e.prometheus, Grafana: e.grafana, Tenant: e.tenant, OrgID: e.orgID, CAFile: e.caFile, Proxy: e.proxy}
	for _, server := range []struct {
		url, name string
		login     *attach.Login
	}{{e.prometheus, "PROMETHEUS", &a.PrometheusLogin}, {e.grafana, "GRAFANA", &a.GrafanaLogin}} {
		if server.url == "" {
			continue
		}
		var err error
		if *server.login, err = login(server.name); err != nil {
			return err
		}
	}
	opts.Attach = a
	return a.Validate()
}

// login reads who asks a server: from the environment, or from files that it names,
// so that it is never seen in a list of processes.
func login(server string) (attach.Login, error) {
	var l attach.Login
	for _, part := range []struct {
		suffix string
		field  *string
	}{{"TOKEN", &l.Token}, {"USER", &l.User}, {"PASSWORD", &l.Password}} {
		value, err := secret("PANELGATE_" + server + "_" + part.suffix)
		if err != nil {
			return l, err
		}
		*part.field = value
	}
	return l, nil
}

// secret is a variable's value, or the content of the file that its _FILE twin names,
// without the line break that editors put at its end.
func secret(name string) (string, error) {
	value, file := os.Getenv(name), os.Getenv(name+"_FILE")
	switch {
	case value != "" && file != "":
		return "", fmt.Errorf("both %s and %s_FILE are set", name, name)
	case file == "":
		return strings.TrimRight(value, "\r\n"), nil
	}
	const most = 64 << 10
	f, err := os.Open(file)
	if err != nil {
		return "", fmt.Errorf("%s_FILE: %w", name, err)
	}
	defer func() { _ = f.Close() }() // it was only read
	// A pipe is as good as a file: shells make one of <(command).
	data, err := io.ReadAll(io.LimitReader(f, most+1))
	switch {
	case err != nil:
		return "", fmt.Errorf("%s_FILE: %w", name, err)
	case len(data) > most:
		return "", fmt.Errorf("%s_FILE: %s has more than %d bytes", name, strconv.Quote(file), most)
	}
	text := strings.TrimRight(string(data), "\r\n")
	if text == "" {
		return "", fmt.Errorf("%s_FILE: %s is empty", name, strconv.Quote(file))
	}
	return text, nil
}

// older loads the revision that is upgraded from, nil where none is asked for. The
// returned function removes what had to be checked out; it is never nil.
func (e *envFlags) older(ctx context.Context, stackDir string, opts ...stack.Option) (_ *stack.Stack, remove func() error, err error) {
	remove = func() error { return nil }
	if e.upgradeFrom == "" {
		return nil, remove, nil
	}
	dir := e.upgradeFrom
	if info, statErr := os.Stat(dir); statErr != nil || !info.IsDir() {
		if dir, remove, err = checkout(ctx, stackDir, e.upgradeFrom); err != nil {
			return nil, remove, fmt.Errorf("--upgrade-from %s: %w", e.upgradeFrom, err)
		}
	}
	s, err := stack.Load(ctx, dir, opts...)
	if errors.Is(err, stack.ErrService) { // it had other names then
		s, err = stack.Load(ctx, dir)
	}
	if err == nil && (s.Compose == nil || s.Prometheus == nil || s.Prometheus.Service == nil) {
		err = errors.New("it has no compose file with a Prometheus service, so there is nothing to upgrade from")
	}
	if err != nil {
		return nil, remove, fmt.Errorf("--upgrade-from %s: %w", e.upgradeFrom, err)
	}
	return s, remove, nil
}
