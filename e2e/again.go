package e2e

import (
	"context"
	"reflect"
	"slices"
	"time"

	"github.com/panelgate/panelgate/e2e/config"
	"github.com/panelgate/panelgate/e2e/query"
	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/stack"
	"github.com/panelgate/panelgate/stack/dashboard"
)

// proof is what a report of a session was made of: the next one takes from it what
// is said of dashboards that have not changed since.
type proof struct {
	session *Session
	static  *rule.Static
	live    *rule.Live
	// apart are the findings of the rules that judge each dashboard by itself, with
	// those that are excluded.
	apart []rule.Finding
}

// With is the session under another configuration, on the same Prometheus, which
// closing either of them stops. Who answers for targets, and what is acted out, stays.
func (x *Session) With(cfg *config.Config) *Session {
	out := *x
	out.opts.Config = cfg
	return &out
}

// Config is the configuration that the session is under.
func (x *Session) Config() *config.Config { return x.opts.Config }

// Again proves a variant as Verify does, and asks only what former, an earlier report
// of the session, does not know: where nothing but dashboards has changed, those that
// have. Stacks that were loaded with stack.WithFormer share what has not.
func (x *Session) Again(ctx context.Context, s *stack.Stack, former *Report) (*Report, error) {
	if former == nil || former.proof == nil || !former.proof.holds(x, s, time.Now()) {
		return x.prove(ctx, s, nil)
	}
	return x.prove(ctx, s, former)
}

// holds says whether what was proven of a dashboard is still so where its file has not
// changed. Expectations and exclusions end with a day.
func (p *proof) holds(x *Session, s *stack.Stack, now time.Time) bool {
	sameDay := p.static.Now.UTC().Format(time.DateOnly) == now.UTC().Format(time.DateOnly)
	return sameDay && p.session.running == x.running && reflect.DeepEqual(p.session.opts.Config, x.opts.Config) && s.SameBesides(p.static.Stack)
}

// Covers says whether the panels of a variant look no further back than the past that
// was laid down. Those that former, which may be nil, knows of do not.
func (x *Session) Covers(s *stack.Stack, former *Report) bool {
	known := map[*dashboard.Dashboard]bool{}
	if former != nil {
		for _, b := range former.Boards {
			known[b.Dashboard] = true
		}
	}
	opts := x.opts
	opts.Choose = func(b *stack.Board) bool {
		return !known[b.Dashboard] && (x.opts.Choose == nil || x.opts.Choose(b))
	}
	needed := max(NeededHistory(s, opts), min(historyOfAlerts(s), opts.History))
	return needed <= x.history+x.history/10 // as in surroundings: less is not worth a word
}

// Forget drops the answers that were needed by none of the last runs, a run being what
// was asked between two calls.
func (x *Session) Forget(runs int) { x.answers.age(runs) }

// prove proves a variant, with what former, nil for none, knows of it.
func (x *Session) prove(ctx context.Context, s *stack.Stack, former *Report) (*Report, error) {
	defer query.KeepTime()()
	kept := &remains{}
	if former != nil {
		kept = remain(s, former)
		s = kept.stack
	}
	r := begin(s, x.opts, x.instance.Name)
	r.amongOthers, r.alertsKnown = true, former != nil || x.opts.Brief
	r.Choose = func(b *stack.Board) bool { return !kept.boards[b] && (x.opts.Choose == nil || x.opts.Choose(b)) }
	r.report.Targets = x.instance.Targets
	r.report.Notes = append(r.report.Notes, x.instance.Notes...)
	static := r.static()
	whole := kept.static(static)
	findings := findings{
		apart:    rule.CheckStaticOf(static, r.Config.Rules, rule.Rule.Apart),
		together: rule.CheckStaticOf(whole, r.Config.Rules, wide),
	}
	r.done("static rules")
	said := append(slices.Clone(findings.apart), findings.together...)
	live, apart, err := r.ask(ctx, static, x.instance, said)
	if err := r.alive(ctx, x.instance, err); err != nil {
		return nil, err
	}
	all := kept.live(live, whole)
	all.Said = append(slices.Clone(live.Said), kept.apart...)
	findings.apart = append(findings.apart, apart...)
	findings.apart = append(findings.apart, kept.apart...)
	findings.together = append(findings.together, rule.CheckStack(all, r.Config.Rules)...)
	r.done("live rules")
	r.report.Boards, r.report.Queries, r.report.Variables = whole.Boards, all.Asked, all.Variables
	r.report.proof = &proof{session: x, static: whole, live: all, apart: findings.apart}
	return r.finish(whole, all, slices.Concat(findings.together, findings.apart)), nil
}

// findings are those of the rules that judge each dashboard by itself, and the others.
type findings struct{ apart, together []rule.Finding }

// wide says whether a rule needs all dashboards to judge by.
func wide(r rule.Rule) bool { return !r.Apart() }

// remains are what an earlier report knows of the dashboards that a variant shares
// with it. Without any, they add nothing.
type remains struct {
	// stack is the variant, in which everything that has not changed is the earlier
	// one's: what was found of it points there.
	stack  *stack.Stack
	boards map[*stack.Board]bool
	former *proof
	apart  []rule.Finding // at the files of the boards
}

func remain(s *stack.Stack, former *Report) *remains {
	before := former.proof.static.Stack
	variant := *s
	variant.Compose, variant.Prometheus, variant.Grafana = before.Compose, before.Prometheus, before.Grafana
	variant.Datasources, variant.Providers, variant.Alerts = before.Datasources, before.Providers, before.Alerts
	k := &remains{stack: &variant, boards: map[*stack.Board]bool{}, former: former.proof}
	type place struct {
		dashboard *dashboard.Dashboard
		provider  *stack.Provider
	}
	known := map[place]*stack.Board{}
	for _, b := range before.Dashboards {
		known[place{b.Dashboard, b.Provider}] = b
	}
	variant.Dashboards = nil
	files := map[string]bool{}
	for _, b := range s.Dashboards {
		provider := before.Providers[slices.Index(s.Providers, b.Provider)]
		same := known[place{b.Dashboard, provider}]
		if same != nil && same.Folder == b.Folder {
			k.boards[same], files[b.File] = true, true
		} else {
			same = &stack.Board{Dashboard: b.Dashboard, Provider: provider, Folder: b.Folder}
		}
		variant.Dashboards = append(variant.Dashboards, same)
	}
	for _, f := range former.proof.apart {
		if files[f.Pos.File] {
			k.apart = append(k.apart, f)
		}
	}
	return k
}

// static adds the boards that are kept to those that are judged anew, in the stack's
// order.
func (k *remains) static(judged *rule.Static) *rule.Static {
	if k.former == nil {
		return judged
	}
	of := map[*stack.Board]*rule.Board{}
	for _, b := range slices.Concat(k.former.static.Boards, judged.Boards) {
		of[b.Board] = b
	}
	out := *judged
	out.Boards = nil
	for _, b := range k.stack.Dashboards {
		if of[b] != nil {
			out.Boards = append(out.Boards, of[b])
		}
	}
	return &out
}

// live adds what was asked for the boards that are kept, in their order. Alerts depend
// on no dashboard.
func (k *remains) live(asked *rule.Live, whole *rule.Static) *rule.Live {
	out := *asked
	whole.Types = asked.Types
	out.Static = whole
	if k.former == nil {
		return &out
	}
	queries, variables := map[*rule.Board][]*rule.Asked{}, map[*rule.Board][]rule.Variable{}
	for _, l := range []*rule.Live{k.former.live, asked} {
		for _, a := range l.Asked {
			queries[a.Board] = append(queries[a.Board], a)
		}
		for _, v := range l.Variables {
			variables[v.Board] = append(variables[v.Board], v)
		}
	}
	out.Asked, out.Variables, out.Alerts = nil, nil, k.former.live.Alerts
	for _, b := range whole.Boards {
		out.Asked = append(out.Asked, queries[b]...)
		out.Variables = append(out.Variables, variables[b]...)
	}
	return &out
}
