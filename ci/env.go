package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/panelgate/panelgate/e2e"
	"github.com/panelgate/panelgate/e2e/env/attach"
	"github.com/panelgate/panelgate/e2e/env/docker"
	"github.com/panelgate/panelgate/e2e/env/embedded"
	"github.com/panelgate/panelgate/e2e/nearest"
	"github.com/panelgate/panelgate/stack"
)

// envFlags say where the stack runs, and with what.
type envFlags struct {
	name string
	// of docker
	images         []string
	registryPrefix string
	asConfigured   bool
	upgradeFrom    string
	// of attach
	prometheus, grafana string
	tenant              string
	orgID               int64
	caFile, proxy       string
}

func (e *envFlags) addTo(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&e.name, "env", embedded.Name, "the `environment` that the stack runs in: embedded (this process), docker (containers of its own images), attach (it runs already)")
	f.StringArrayVar(&e.images, "image", nil, "docker: run `SERVICE=IMAGE` in place of the compose file's, as grafana=grafana/grafana:13.2.3; fakes=IMAGE for the exporters' stand-ins, old.SERVICE=IMAGE for the revision of --upgrade-from alone")
	f.StringVar(&e.registryPrefix, "registry-prefix", "", "docker: pull images of Docker Hub from below this `prefix`, a mirror")
	f.BoolVar(&e.asConfigured, "as-configured", false, "docker: leave the scrape intervals as they are, so that readiness takes as long as they say")
	f.StringVar(&e.upgradeFrom, "upgrade-from", "", "docker: start the stack as it was in `DIR|REV` first, then this one on the data that it kept")
	f.StringVar(&e.prometheus, "prometheus", "", "attach: the `URL` of Prometheus, or of what speaks its API; without it, it is asked through Grafana")
	f.StringVar(&e.grafana, "grafana", "", "attach: the `URL` of Grafana; without it, it is modelled from the files")
	f.StringVar(&e.tenant, "tenant", "", "attach: the `tenant` that Prometheus' API is asked for (X-Scope-OrgID)")
	f.Int64Var(&e.orgID, "org-id", 0, "attach: the `id` of Grafana's organisation (default: the login's own)")
	f.StringVar(&e.caFile, "ca-file", "", "attach: trust the certificate authorities in this PEM `file` as well")
	f.StringVar(&e.proxy, "proxy", "", "attach: go through the proxy at `URL` (default: HTTPS_PROXY and HTTP_PROXY)")
}

// twins are the flags that the environment can set, each as PANELGATE_ and the
// flag's name.
func (e *envFlags) twins(cmd *cobra.Command) error {
	for _, name := range []string{"env", "image", "registry-prefix", "as-configured", "upgrade-from", "prometheus", "grafana", "tenant", "org-id", "ca-file", "proxy"} {
		key := envName(name)
		value, set := os.LookupEnv(key)
		flag := cmd.Flags().Lookup(name)
		if !set || value == "" || flag.Changed {
			continue
		}
		if err := cmd.Flags().Set(name, value); err != nil {
			return fmt.Errorf("%s=%s: %w", key, value, err)
		}
	}
	return nil
}

func envName(flag string) string {
	return "PANELGATE_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// options fills in where the stack runs.
func (e *envFlags) options(opts *e2e.Options) error {
	opts.Env = e.name
	switch e.name {
	case embedded.Name:
		return e.refuse("docker", e.dockerOnly(), e.attachOnly())
	case docker.Name:
		if err := e.refuse("docker", e.attachOnly()); err != nil {
			return err
		}
		images, err := docker.ParseImages(append(imagesOfEnvironment(), e.images...))
		if err != nil {
			return fmt.Errorf("--image %w", err)
		}
		opts.Docker = docker.Options{Images: docker.Images{Override: images, Prefix: e.registryPrefix}, AsConfigured: e.asConfigured}
		return nil
	case attach.Name:
		if err := e.refuse("attach", e.dockerOnly()); err != nil {
			return err
		}
		return e.attached(opts)
	case "dagger":
		return errors.New("--env dagger is not there yet: this version runs stacks embedded, in docker, and attached")
	}
	return fmt.Errorf("unknown --env %q%s: want embedded, docker or attach", e.name, nearest.Hint(e.name, []string{embedded.Name, docker.Name, attach.Name}))
}

// dockerOnly and attachOnly are the flags given that mean nothing elsewhere.
func (e *envFlags) dockerOnly() []string {
	return given(map[string]bool{"--image": len(e.images) > 0, "--registry-prefix": e.registryPrefix != "",
		"--as-configured": e.asConfigured, "--upgrade-from": e.upgradeFrom != ""})
}

func (e *envFlags) attachOnly() []string {
	return given(map[string]bool{"--prometheus": e.prometheus != "", "--grafana": e.grafana != "", "--tenant": e.tenant != "",
		"--org-id": e.orgID != 0, "--ca-file": e.caFile != "", "--proxy": e.proxy != ""})
}

func given(flags map[string]bool) []string {
	var out []string
	for name, set := range flags {
		if set {
			out = append(out, name)
		}
	}
	return out
}

func (e *envFlags) refuse(_ string, lists ...[]string) error {
	for _, list := range lists {
		if len(list) > 0 {
			return fmt.Errorf("%s means nothing with --env %s", list[0], e.name)
		}
	}
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

func (e *envFlags) attached(opts *e2e.Options) error {
	if e.prometheus == "" && e.grafana == "" {
		return errors.New("--env attach needs --prometheus URL, --grafana URL, or both")
	}
	a := attach.Options{Prometheus: e.prometheus, Grafana: e.grafana, Tenant: e.tenant, OrgID: e.orgID, CAFile: e.caFile, Proxy: e.proxy}
	var err error
	if a.PrometheusLogin, err = login("PROMETHEUS"); err != nil {
		return err
	}
	if a.GrafanaLogin, err = login("GRAFANA"); err != nil {
		return err
	}
	opts.Attach = a
	return a.Validate()
}

// login reads who asks a server: from the environment, or from files that it names,
// so that it is never seen in a list of processes.
func login(server string) (attach.Login, error) {
	var l attach.Login
	for suffix, field := range map[string]*string{"TOKEN": &l.Token, "USER": &l.User, "PASSWORD": &l.Password} {
		value, err := secret("PANELGATE_" + server + "_" + suffix)
		if err != nil {
			return l, err
		}
		*field = value
	}
	if l.User != "" && l.Password == "" && l.Token == "" {
		return l, fmt.Errorf("PANELGATE_%s_USER is set, PANELGATE_%s_PASSWORD is not", server, server)
	}
	return l, nil
}

// secret is a variable's value, or the content of the file that its _FILE twin names.
func secret(name string) (string, error) {
	value, file := os.Getenv(name), os.Getenv(name+"_FILE")
	switch {
	case value != "" && file != "":
		return "", fmt.Errorf("both %s and %s_FILE are set", name, name)
	case file == "":
		return value, nil
	}
	const most = 64 << 10
	info, err := os.Stat(file)
	if err != nil {
		return "", fmt.Errorf("%s_FILE: %w", name, err)
	}
	if !info.Mode().IsRegular() || info.Size() > most {
		return "", fmt.Errorf("%s_FILE: %s is no file of at most %d bytes", name, file, most)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("%s_FILE: %w", name, err)
	}
	text := strings.TrimSpace(string(data))
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
