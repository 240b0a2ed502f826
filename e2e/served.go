package e2e

import (
	"context"
	"fmt"

	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/e2e/grafana"
	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/stack"
)

// served asks a real Grafana what it has made of the stack's files.
func (r *run) served(ctx context.Context, live *rule.Live) error {
	g := live.Instance.Grafana
	if g == nil {
		return nil
	}
	r.progress("asking Grafana what it serves", 0, 0)
	s := &rule.Served{}
	health, err := g.Health(ctx)
	if err != nil {
		return fmt.Errorf("ask Grafana for its version: %w", err)
	}
	s.Version = health.Version
	if s.Datasources, err = g.Datasources(ctx); err != nil {
		return fmt.Errorf("ask Grafana for its datasources: %w", err)
	}
	if s.Hits, err = g.Dashboards(ctx); err != nil {
		return fmt.Errorf("ask Grafana for its dashboards: %w", err)
	}
	if err := r.servedBoards(ctx, live, s); err != nil {
		return err
	}
	if plugins, err := g.PanelPlugins(ctx); err != nil {
		r.Logger.Warn("Grafana does not list its panel plugins", "err", err)
		r.report.Notes = append(r.report.Notes, "Grafana does not list its panel plugins: panel/plugin-missing is not checked live")
	} else {
		s.Panels = map[string]bool{}
		for _, p := range plugins {
			s.Panels[p.ID] = true
		}
	}
	if live.Instance.Log != nil {
		if s.Log, err = live.Instance.Log(ctx, env.RoleGrafana); err != nil {
			return fmt.Errorf("read Grafana's log: %w", err)
		}
	}
	live.Served = s
	r.runsGrafana(live, s.Version)
	r.done("grafana")
	return nil
}

// servedBoards asks for every dashboard of the files that Grafana lists.
func (r *run) servedBoards(ctx context.Context, live *rule.Live, s *rule.Served) error {
	s.Dashboards = map[string]*grafana.Dashboard{}
	for _, b := range live.Boards {
		uid := b.UID.Value
		for _, h := range s.Hits {
			if uid == "" && h.Title == b.Title.Value || uid != "" && h.UID == uid {
				d, err := live.Instance.Grafana.Dashboard(ctx, h.UID)
				if err != nil {
					return fmt.Errorf("ask Grafana for dashboard %s: %w", h.UID, err)
				}
				s.Dashboards[h.UID] = d
			}
		}
	}
	return nil
}

// runsGrafana has what depends on Grafana's version follow the one that runs, which
// need not be the one that the compose file names.
func (r *run) runsGrafana(live *rule.Live, version string) {
	if version == "" {
		return // hidden from this login
	}
	with := *r.stack
	with.Grafana = &stack.Grafana{}
	if r.stack.Grafana != nil {
		*with.Grafana = *r.stack.Grafana
	}
	with.Grafana.Version = version
	r.stack, live.Stack = &with, &with
}
