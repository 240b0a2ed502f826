package e2e

import (
	"slices"
	"time"
)

func (r *run) progress(stage string, done, total int) {
	if r.Progress != nil {
		r.Progress(stage, done, total)
	}
}

// done closes a stage of the run, or a further part of one.
func (r *run) done(name string) {
	now := time.Now()
	took := now.Sub(r.stage)
	r.stage, r.counted = now, 0
	if i := slices.IndexFunc(r.report.Stages, func(s Stage) bool { return s.Name == name }); i >= 0 {
		r.report.Stages[i].Duration += took
		return
	}
	r.report.Stages = append(r.report.Stages, Stage{Name: name, Duration: took})
	r.Logger.Debug("stage done", "stage", name, "took", took)
}

// askedOne tells of one more query that is answered, from any goroutine.
func (r *run) askedOne() {
	r.counting.Lock()
	defer r.counting.Unlock()
	r.asked = min(r.asked+1, r.toAsk) // some are asked again
	r.progress("asking panels", r.asked, r.toAsk)
}

// count tells of one more of total, from any goroutine.
func (r *run) count(stage string, total int) {
	r.counting.Lock()
	defer r.counting.Unlock()
	r.counted++
	r.progress(stage, r.counted, total)
}
