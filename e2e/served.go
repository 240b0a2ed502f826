package e2e

import (
	"context"
	"fmt"

	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/e2e/grafana"
	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/stack"
)

// served asks a real Grafana what it has made of the stack's files, nil where there
// is none. Its notes are for the report.
func (r *run) served(ctx context.Context, live *rule.Live, version string) (s *rule.Served, notes []string, err error) {
	g := live.Instance.Grafana
	if g == nil {
		return nil, nil, nil
	}
	s = &rule.Served{Version: version}
	if s.Datasources, err = g.Datasources(ctx); err != nil {
		return nil, nil, fmt.Errorf("ask Grafana for its datasources: %w", err)
	}
	if s.Hits, err = g.Dashboards(ctx); err != nil {
		return nil, nil, fmt.Errorf("ask Grafana for its dashboards: %w", err)
	}
	if err := r.servedBoards(ctx, live, s); err != nil {
		return nil, nil, err
	}
	if plugins, err := g.PanelPlugins(ctx); err != nil {
		r.Logger.Warn("Grafana does not list its panel plugins", "err", err)
		notes = append(notes, "Grafana does not list its panel plugins: panel/plugin-missing is not checked live")
	} else {
		s.Panels = map[string]bool{}
		for _, p := range plugins {
			s.Panels[p.ID] = true
		}
	}
	if live.Instance.Log != nil {
		if s.Log, err = live.Instance.Log(ctx, env.RoleGrafana); err != nil {
			return nil, nil, fmt.Errorf("read Grafana's log: %w", err)
		}
	}
	return s, notes, nil
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
// need not be the one that the compose file names. It is "" where none runs, and
// where it is hidden from this login.
func (r *run) runsGrafana(ctx context.Context, live *rule.Live) (version string, err error) {
	if live.Instance.Grafana == nil {
		return "", nil
	}
	r.progress("asking Grafana what it serves", 0, 0)
	health, err := live.Instance.Grafana.Health(ctx)
	if err != nil {
		return "", fmt.Errorf("ask Grafana for its version: %w", err)
	}
	if health.Version == "" {
		return "", nil
	}
	with := *r.stack
	with.Grafana = &stack.Grafana{}
	if r.stack.Grafana != nil {
		*with.Grafana = *r.stack.Grafana
	}
	with.Grafana.Version = health.Version
	r.stack, live.Stack = &with, &with
	return health.Version, nil
}
