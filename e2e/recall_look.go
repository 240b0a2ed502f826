package e2e

import (
	"fmt"
	"time"

	"github.com/prometheus/common/model"

	"github.com/panelgate/panelgate/e2e/kept"
	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/stack"
)

// knownBoard is a dashboard that an earlier run has judged.
type knownBoard struct {
	entry     *keptBoard
	board     *rule.Board
	asked     []*rule.Asked
	variables []rule.Variable
}

// remember looks up every dashboard that is chosen. needed is how far back the panels of
// all look, so that what is laid down does not depend on how many are known.
func (k *recall) remember() (static *rule.Static, needed time.Duration) {
	all := k.Choose
	chosen := func(b *stack.Board) bool { return all == nil || all(b) }
	k.lookUpAround()
	for _, b := range k.stack.Dashboards {
		if chosen(b) {
			k.lookUp(b)
		}
	}
	k.Choose = func(b *stack.Board) bool { return k.known[b] == nil && chosen(b) }
	static = k.static()
	needed = k.needed(static)
	if k.outgrown(needed) {
		static = k.static()
	}
	return static, needed
}

// needed is how far back all panels look, those of known dashboards among them.
func (k *recall) needed(static *rule.Static) time.Duration {
	needed := neededHistory(static)
	for _, b := range k.known {
		needed = max(needed, b.entry.Need)
	}
	return needed
}

// outgrown forgets what was found over another past than this run would lay down, give
// or take the tenth that nobody is told of either, and says whether there was such.
func (k *recall) outgrown(needed time.Duration) bool {
	want := k.pastOf(needed)
	fits := func(laid time.Duration) bool { return (laid - want).Abs() <= want/10 }
	any := false
	for b, known := range k.known {
		if !fits(known.entry.Laid) {
			k.missed(b, fmt.Sprintf("it was asked over a past of %s, and this run has one of %s", rounded(known.entry.Laid), rounded(want)))
			delete(k.known, b)
			any = true
		}
	}
	if k.beside != nil && !fits(k.beside.Laid) {
		k.beside = nil
	}
	return any
}

func rounded(d time.Duration) model.Duration { return model.Duration(d.Round(time.Minute)) }

func (k *recall) missed(b *stack.Board, why string) {
	k.Logger.Info("not in the cache", "dashboard", b.File, "why", why)
}

// lookUp finds a dashboard in the cache, where it is.
func (k *recall) lookUp(b *stack.Board) {
	if _, summed := k.sums[b]; !summed {
		k.missed(b, "its file is read twice")
		return
	}
	entry, when, err := get[keptBoard](k.store, k.keyOf(b))
	known := &knownBoard{entry: entry}
	if err == nil {
		err = known.restore(k.stack, b, when)
	}
	switch {
	case kept.Absent(err):
		k.missed(b, "it has changed, was not asked before, or failed")
	case err != nil:
		k.missed(b, err.Error())
	case entry.Worst >= k.failing():
		k.missed(b, "it had findings that fail: they are made anew")
	default:
		k.known[b] = known
	}
}

// restore makes of an entry what a run would have.
func (b *knownBoard) restore(s *stack.Stack, sb *stack.Board, when time.Time) (err error) {
	if b.board, err = b.entry.board(s, sb); err != nil {
		return err
	}
	if b.asked, err = b.entry.asked(s, b.board, when); err != nil {
		return err
	}
	b.variables, err = b.entry.variables(b.board)
	return err
}

// get reads an entry.
func get[T any](store *kept.Store, key kept.Key) (*T, time.Time, error) {
	data, when, err := store.Get(key)
	if err != nil {
		return nil, time.Time{}, err
	}
	entry, err := read[T](data)
	return entry, when, err
}

// lookUpAround finds everything besides the dashboards, and says what has changed of it
// since the last run on the same stack.
func (k *recall) lookUpAround() {
	entry, when, err := get[keptAround](k.store, k.around)
	if err == nil && entry.Worst < k.failing() {
		k.beside, k.when = entry, when
		return
	}
	why := "it had findings that fail: they are made anew"
	switch {
	case kept.Absent(err):
		why = k.changed()
	case err != nil:
		why = err.Error()
	}
	k.Logger.Info("not in the cache", "what", "everything besides the dashboards", "why", why)
}

// remains hands what is known to the run as an earlier report would.
func (k *recall) remains() *remains {
	out := &remains{stack: k.stack, boards: map[*stack.Board]bool{}}
	static, live := &rule.Static{}, &rule.Live{}
	for _, sb := range k.stack.Dashboards {
		known := k.known[sb]
		if known == nil {
			continue
		}
		out.boards[sb] = true
		static.Boards = append(static.Boards, known.board)
		live.Asked, live.Variables = append(live.Asked, known.asked...), append(live.Variables, known.variables...)
		out.apart = append(out.apart, known.entry.Found...)
	}
	if len(static.Boards) > 0 {
		out.former = &proof{static: static, live: live}
	}
	return out
}
