package e2e

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/panelgate/panelgate/e2e/kept"
	"github.com/panelgate/panelgate/e2e/rule"
)

// keepAll keeps what this run has found out. That it cannot is no reason for the run to
// fail: the next one asks again.
func (k *recall) keepAll(live *rule.Live, found, apart []rule.Finding) {
	after := &recall{run: k.run}
	if err := after.sumUp(); err != nil || after.around != k.around {
		k.Logger.Info("nothing is kept", "why", "a file has changed while the stack was running", "err", err)
		return
	}
	failed := k.keepBoards(live, apart)
	if k.beside == nil {
		failed = errors.Join(failed, k.keepBeside(live, found))
	}
	if key, err := k.lastKey(); err == nil && failed == nil {
		failed = put(k.store, key, k.lastParts())
	}
	if failed == nil {
		failed = k.store.Trim()
	}
	if failed != nil {
		k.report.Notes = append(k.report.Notes, fmt.Sprintf("nothing is kept for the next run: %v", failed))
	}
}

// keepBoards keeps each dashboard of which all was answered and nothing fails. It stops
// at the first that cannot be written.
func (k *recall) keepBoards(live *rule.Live, apart []rule.Finding) error {
	asked := map[*rule.Board]*rule.Live{}
	of := func(b *rule.Board) *rule.Live {
		if asked[b] == nil {
			asked[b] = &rule.Live{Static: live.Static}
		}
		return asked[b]
	}
	for _, a := range live.Asked {
		of(a.Board).Asked = append(of(a.Board).Asked, a)
	}
	for _, v := range live.Variables {
		of(v.Board).Variables = append(of(v.Board).Variables, v)
	}
	at, worst := atFiles(apart), worstAt(k.report.Findings)
	for _, b := range live.Boards {
		if _, summed := k.sums[b.Board]; !summed {
			continue
		}
		entry, err := keep(b, of(b), at[b.File])
		if err == nil && worst[b.File] >= k.failing() {
			err = unfit("it has findings that fail")
		}
		if err == nil {
			entry.Need, entry.Laid, entry.Worst = neededHistory(&rule.Static{Boards: []*rule.Board{b}}), k.pastOf(k.alsoNeeded), worst[b.File]
			err = put(k.store, k.keyOf(b.Board), entry)
		}
		if errors.Is(err, errUnfit) {
			k.Logger.Info("not kept", "dashboard", b.File, "why", err)
			continue
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// atFiles are findings by their files.
func atFiles(found []rule.Finding) map[string][]rule.Finding {
	out := map[string][]rule.Finding{}
	for _, f := range found {
		out[f.Pos.File] = append(out[f.Pos.File], f)
	}
	return out
}

// worstAt is the gravest finding of each file.
func worstAt(found []rule.Finding) map[string]rule.Severity {
	out := map[string]rule.Severity{}
	for _, f := range found {
		out[f.Pos.File] = max(out[f.Pos.File], f.Severity)
	}
	return out
}

// keepBeside keeps what surrounds the dashboards.
func (k *recall) keepBeside(live *rule.Live, found []rule.Finding) error {
	entry, err := keepAround(live)
	if err == nil {
		for _, f := range found {
			switch one, _ := rule.Lookup(f.Rule); {
			case strings.HasPrefix(f.Rule, "alert/"):
				entry.Alerts = append(entry.Alerts, f)
			case one.Apart():
				entry.Rules = append(entry.Rules, f)
			}
		}
		for _, f := range slices.Concat(entry.Rules, entry.Alerts) {
			entry.Worst = max(entry.Worst, f.Severity)
		}
		entry.Laid = k.pastOf(k.alsoNeeded)
		if entry.Worst >= k.failing() {
			err = unfit("it has findings that fail")
		} else {
			err = put(k.store, k.around, entry)
		}
	}
	if errors.Is(err, errUnfit) {
		k.Logger.Info("not kept", "what", "everything besides the dashboards", "why", err)
		return nil
	}
	return err
}

// put writes an entry.
func put[T any](store *kept.Store, key kept.Key, entry *T) error {
	data, err := written(entry)
	if err != nil {
		return err
	}
	return store.Put(key, data)
}
