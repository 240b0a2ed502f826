package e2e

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/e2e/env/embedded"
	"github.com/panelgate/panelgate/e2e/kept"
	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/stack"
)

// Cache says where results of earlier runs are kept, to be taken again where nothing
// has changed that they depend on. Only runs of the embedded environment with fakes
// take from it: what real servers answer is no content that a key could be made of.
type Cache struct {
	Dir string
	// FailOn is the mildest severity that fails, Error where Off: a dashboard that
	// fails is asked anew each time.
	FailOn rule.Severity
	// Program identifies the code that runs, kept.Program where "".
	Program string
	// MostBytes is how much is kept, kept.MostBytes where 0.
	MostBytes int64
	// Now is the clock by which a day ends, and with it all that was kept in it; time.Now
	// where nil.
	Now func() time.Time
}

// recall is a run that goes on from what earlier ones have found.
type recall struct {
	*run
	store  *kept.Store
	around kept.Key // of everything besides the dashboards
	parts  []kept.Part
	sums   map[*stack.Board]kept.Part

	known map[*stack.Board]*knownBoard
	// beside is what is known of everything besides, nil for nothing.
	beside *keptAround
	when   time.Time // when that was found
}

// recall opens the cache for a run. It is nil where there is none, and where the run
// cannot make use of it; why is told to the log.
func (r *run) recall() *recall {
	if r.Cache == nil {
		return nil
	}
	why := r.uncacheable()
	if why == nil {
		k := &recall{run: r, known: map[*stack.Board]*knownBoard{}}
		if why = k.sumUp(); why == nil {
			if k.store, why = kept.Open(r.Cache.Dir, r.Cache.MostBytes); why == nil {
				return k
			}
			r.report.Notes = append(r.report.Notes, fmt.Sprintf("the cache is of no use: %v", why))
		}
	}
	r.Logger.Info("the cache is not used", "why", why)
	return nil
}

// failing is the mildest severity that fails the run.
func (k *recall) failing() rule.Severity {
	if k.Cache.FailOn == rule.Off {
		return rule.Error
	}
	return k.Cache.FailOn
}

// verify is Verify with what is known: only dashboards that are not are asked, and where
// all are nothing is started.
func (k *recall) verify(ctx context.Context) (_ *Report, err error) {
	defer func() { err = errors.Join(err, k.store.Close()) }()
	k.progress("looking into the cache", 0, 0)
	static, needed := k.remember()
	remains := k.remains()
	k.done("cache")
	whole := remains.static(static)
	k.report.Boards = whole.Boards
	findings := findings{
		apart:    rule.CheckStaticOf(static, k.Config.Rules, rule.Rule.Apart),
		together: rule.CheckStaticOf(whole, k.Config.Rules, wide),
	}
	k.done("static rules")
	if remains.former != nil {
		k.told.known = remains.former.live.Asked
	}
	if len(static.Boards) == 0 && len(k.known) > 0 && k.beside != nil {
		return k.recalled(ctx, remains, static, whole, needed, findings), nil
	}
	k.alsoNeeded, k.alertsKnown = needed, k.beside != nil
	running, err := k.start(ctx, static)
	if err != nil {
		return nil, err
	}
	defer func() {
		closeErr := running.Close()
		k.done("stop")
		if closeErr != nil && err == nil {
			err = fmt.Errorf("stop the %s environment: %w", k.report.Env, closeErr)
		}
	}()
	return k.proveRest(ctx, remains, static, whole, running.Instance(), findings)
}

// recalled is the report of a run of which everything is known.
func (k *recall) recalled(ctx context.Context, remains *remains, static, whole *rule.Static, needed time.Duration, findings findings) *Report {
	k.noteHistory(needed)
	instance := env.Instance{Name: embedded.Name, Targets: k.beside.Targets, Notes: k.beside.Notes, From: k.beside.From, Now: k.beside.Now}
	k.report.Targets, k.report.Recalled = instance.Targets, k.when
	k.report.Notes = append(append(k.report.Notes, instance.Notes...), k.notesOfExporters(instance.Targets)...)
	live := &rule.Live{
		Static: static, Instance: instance, Health: map[string]error{}, Unreachable: map[string]string{},
		Unmatched: unmatched(k.Config.Targets, k.stack, instance.Targets), TakenPorts: takenPorts(ctx, k.stack, instance),
	}
	all := remains.live(live, whole)
	all.Said = slices.Concat(findings.apart, findings.together, remains.apart)
	apart := slices.Concat(findings.apart, k.beside.Rules, remains.apart)
	together := slices.Concat(findings.together, rule.CheckLiveOf(all, k.Config.Rules, wide), k.beside.Alerts)
	k.done("live rules")
	k.report.Queries, k.report.Variables = all.Asked, all.Variables
	k.announce(nil)
	report := k.finish(whole, all, slices.Concat(together, apart))
	k.noteRecalled()
	return report
}

// proveRest asks the dashboards that are not known, and keeps what comes of it.
func (k *recall) proveRest(ctx context.Context, remains *remains, static, whole *rule.Static, instance env.Instance, findings findings) (*Report, error) {
	k.report.Targets = instance.Targets
	k.report.Notes = append(append(k.report.Notes, instance.Notes...), k.notesOfExporters(instance.Targets)...)
	live, apart, err := k.ask(ctx, static, instance, slices.Concat(findings.apart, findings.together))
	if err := k.alive(ctx, instance, err); err != nil {
		return nil, err
	}
	live.TakenPorts = takenPorts(ctx, k.stack, instance)
	all := remains.live(live, whole)
	all.Alerts = live.Alerts
	all.Said = slices.Concat(live.Said, remains.apart)
	found := rule.CheckStack(all, k.Config.Rules)
	k.done("live rules")
	k.report.Queries, k.report.Variables = all.Asked, all.Variables
	apart = slices.Concat(findings.apart, apart, remains.apart)
	together := slices.Concat(findings.together, found)
	if k.beside != nil {
		together = append(together, k.beside.Alerts...)
	}
	report := k.finish(whole, all, slices.Concat(together, apart))
	k.keepAll(live, found, apart)
	k.noteRecalled()
	k.done("keep")
	return report, nil
}

// noteRecalled says how much of the report is from before, and of when.
func (k *recall) noteRecalled() {
	known, oldest := 0, time.Time{}
	for _, a := range k.report.Queries {
		if a.Recalled.IsZero() {
			continue
		}
		known++
		if oldest.IsZero() || a.Recalled.Before(oldest) {
			oldest = a.Recalled
		}
	}
	if known == 0 {
		return
	}
	text := fmt.Sprintf("%d of %d queries come from the cache, asked %s", known, len(k.report.Queries), ago(time.Since(oldest)))
	if !k.report.Recalled.IsZero() {
		text += fmt.Sprintf("; nothing was started, and the targets are as they were %s", ago(time.Since(k.report.Recalled)))
	}
	k.report.Notes = append(k.report.Notes, text+" (--no-cache asks anew)")
}

// ago is how long something is past, as roughly as people say it.
func ago(d time.Duration) string {
	switch {
	case d < time.Minute:
		return "less than a minute ago"
	case d < time.Hour:
		return fmt.Sprintf("%d min ago", int(d.Minutes()))
	}
	return fmt.Sprintf("%d h ago", int(d.Hours()))
}
