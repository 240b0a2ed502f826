package main

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/panelgate/panelgate/ci/report"
	"github.com/panelgate/panelgate/e2e/env/dagger"
	"github.com/panelgate/panelgate/e2e/env/docker"
	"github.com/panelgate/panelgate/e2e/shard"
)

// shardFlags say which part of the work is this run's.
type shardFlags struct {
	text string
	// cells says that it is those of a matrix that are shared, and not dashboards.
	cells bool
	known *report.Shard // what the whole is, as far as it is known yet
}

func (f *shardFlags) addTo(cmd *cobra.Command) {
	about := "ask the `I/N`th part of the dashboards, as 1/3 for the first of three runs that share them; merge joins what they come to"
	if cmd.Name() != "lint" {
		about += ". Of a matrix, a part of its cells"
	}
	cmd.Flags().StringVar(&f.text, "shard", "", about)
}

// parse is the shard as it was asked for, the zero Shard for the whole.
func (f *shardFlags) parse() (shard.Shard, error) {
	if f.text == "" {
		return shard.Shard{}, nil
	}
	s, err := shard.Parse(f.text)
	if err != nil {
		return s, usage(fmt.Errorf("--shard %w", err))
	}
	return s, nil
}

// dashboards is which part of the dashboards is asked.
func (f *shardFlags) dashboards() (shard.Shard, error) {
	if f.cells {
		return shard.Shard{}, nil
	}
	return f.parse()
}

// of is what a report says of the part, nil of a whole run.
func (f *shardFlags) of(idle bool) *report.Shard {
	part, err := f.dashboards()
	if err != nil || part.Whole() {
		return nil
	}
	out := report.Shard{Shard: part}
	if f.known != nil {
		out = *f.known
	}
	out.Idle = idle
	return &out
}

// recognize takes down what tells the run from others, so that no shard of another one
// is taken for one of its own.
func (c *checkFlags) recognize(p *prepared) error {
	if p.opts.Shard.Whole() {
		return nil
	}
	files, err := shard.Fingerprint(p.stack, p.stack.Files)
	if err != nil {
		return err
	}
	configured := append([]string{p.opts.Config.File}, p.opts.Config.Files...)
	for _, e := range p.opts.Config.Exclude {
		if e.Foreign { // of a .lint file
			configured = append(configured, shard.Path(p.stack, e.Pos.File))
		}
	}
	if strings.ContainsAny(p.opts.Config.Scenario, `/\.`) {
		configured = append(configured, p.opts.Config.Scenario)
	}
	configuration, err := shard.Fingerprint(p.stack, configured)
	if err != nil {
		return err
	}
	c.shard.known = &report.Shard{Shard: p.opts.Shard, Files: files, Configuration: configuration, Settings: c.settings(p)}
	return nil
}

// settings are the flags on which the outcome depends, as they were understood. No
// secret is among them: of variables of servers there are the names, and of URLs there
// is no login.
func (c *checkFlags) settings(p *prepared) map[string]string {
	var settings, images []string
	if c.env.name == docker.Name || c.env.name == dagger.Name {
		images = imagesOfEnvironment()
	}
	for _, s := range c.env.settings {
		name, _, _ := strings.Cut(s, "=")
		settings = append(settings, name)
	}
	out := map[string]string{}
	for name, value := range map[string]string{
		"dashboard": listed(c.dashboards), "since": c.since.revision, "service": listed(c.services), "scenario": p.opts.Config.Scenario,
		"history": c.history, "image": listed(append(images, c.env.images...)), "setting": listed(settings), "acted": listed(c.env.acted),
		"upgrade-from": c.env.upgradeFrom, "tenant": c.env.tenant, "prometheus": anonymous(c.env.prometheus), "grafana": anonymous(c.env.grafana),
	} {
		if value != "" {
			out[name] = value
		}
	}
	if c.env.instances > 1 {
		out["instances"] = strconv.Itoa(c.env.instances)
	}
	if c.env.orgID != 0 {
		out["org-id"] = strconv.FormatInt(c.env.orgID, 10)
	}
	return out
}

// listed are the values of a flag that may be repeated, in whatever order.
func listed(values []string) string {
	return strings.Join(slices.Sorted(slices.Values(values)), ",")
}

// anonymous is a URL without a login and its query, "" for none and for what is no URL.
func anonymous(text string) string {
	u, err := url.Parse(text)
	if err != nil || text == "" {
		return ""
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	return u.String()
}
