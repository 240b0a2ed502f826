package e2e

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/discovery"
	"github.com/prometheus/prometheus/discovery/file"

	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/e2e/env/embedded"
	"github.com/panelgate/panelgate/e2e/exporter"
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

// knownBoard is a dashboard that an earlier run has judged.
type knownBoard struct {
	entry     *keptBoard
	board     *rule.Board
	asked     []*rule.Asked
	variables []rule.Variable
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

// uncacheable says why what a run finds depends on more than content.
func (r *run) uncacheable() error {
	switch {
	case r.report.Env != embedded.Name:
		return fmt.Errorf("the servers of %s are asked, and may answer otherwise the next time", r.report.Env)
	case r.WhileUp != nil:
		return errors.New("the panels are to be drawn, which takes their answers")
	case !r.Shard.Whole():
		return errors.New("the run is a part of one")
	case r.World != nil || !r.From.IsZero() || r.UpgradeFrom != nil || r.Brief:
		return errors.New("the run is one of several")
	case !Runnable(r.stack):
		return ErrNotRunnable
	}
	for _, t := range r.Config.Targets {
		if t.Live {
			return errors.New("panelgate.yml has a target scraped live, which may answer otherwise the next time")
		}
	}
	for _, one := range rule.PrometheusRules(r.stack) {
		if calendar.MatchString(one.Expr.Value) {
			return fmt.Errorf("the rule at %s asks for the time of the day", one.Pos)
		}
	}
	cfg, err := r.stack.Prometheus.Config(slog.New(slog.DiscardHandler))
	if err != nil {
		return fmt.Errorf("read prometheus.yml: %w", err)
	}
	return readsFilesAlone(cfg)
}

// readsFilesAlone says why a Prometheus asks somebody else for targets or for data.
func readsFilesAlone(cfg *config.Config) error {
	if len(cfg.RemoteReadConfigs) > 0 {
		return errors.New("remote_read has Prometheus read from elsewhere")
	}
	jobs, err := cfg.GetScrapeConfigs()
	if err != nil {
		return fmt.Errorf("read the jobs: %w", err)
	}
	for _, job := range jobs {
		for _, sd := range job.ServiceDiscoveryConfigs {
			switch sd.(type) {
			case discovery.StaticConfig, *file.SDConfig:
			default:
				return fmt.Errorf("job %q asks for its targets (%s_sd_configs)", job.JobName, sd.Name())
			}
		}
	}
	return nil
}

// sumUp makes the keys of the run.
func (k *recall) sumUp() error {
	program := k.Cache.Program
	if program == "" {
		var err error
		if program, err = kept.Program(); err != nil {
			return err
		}
	}
	scenario, err := LoadScenario(k.Config.Scenario)
	if err != nil {
		return err
	}
	named, err := k.stack.Prometheus.Named()
	if err != nil {
		return err
	}
	contents, err := stack.Contents(named)
	if err != nil {
		return err
	}
	now := time.Now()
	if k.Cache.Now != nil {
		now = k.Cache.Now()
	}
	zone, offset := now.Zone()
	values := map[string][]any{
		"the program":               {program},
		"the day":                   {now.UTC().Format(time.DateOnly), zone, offset}, // expectations end with one
		"panelgate.yml":             {*k.Config},
		"the scenario":              {*scenario},
		"the flags":                 {k.History, k.Releases, k.Instances, k.Lean},
		"the exporters":             {exporter.Of(k.stack, k.Releases)},
		"what prometheus.yml names": {contents},
		"the environment":           {variables(k.stack)},
	}
	for name, value := range k.stack.Besides() {
		values[name] = []any{value}
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		part, err := kept.PartOf(name, k.stack.Dir, values[name]...)
		if err != nil {
			return err
		}
		k.parts = append(k.parts, part)
	}
	k.around = kept.KeyOf("around", k.parts)
	return k.sumUpBoards()
}

// variables are those of the environment that the compose file takes in, with whether
// they are set.
func variables(s *stack.Stack) map[string][]string {
	out := map[string][]string{}
	if s.Compose == nil {
		return out
	}
	for _, name := range s.Compose.Variables {
		if value, set := os.LookupEnv(name); set {
			out[name] = []string{value}
		}
	}
	return out
}

// sumUpBoards sums up each dashboard: its file, and how it comes to Grafana. One that
// shares its file with another has no key, since findings are told apart by files.
func (k *recall) sumUpBoards() error {
	sums, times := k.stack.Sums(), map[string]int{}
	for _, b := range k.stack.Dashboards {
		times[b.File]++
	}
	k.sums = map[*stack.Board]kept.Part{}
	for _, b := range k.stack.Dashboards {
		sum, read := sums[b.Dashboard]
		if !read || times[b.File] > 1 {
			continue
		}
		part, err := kept.PartOf("dashboard", k.stack.Dir, sum, b.File, b.Folder, slices.Index(k.stack.Providers, b.Provider))
		if err != nil {
			return err
		}
		k.sums[b] = part
	}
	return nil
}

func (k *recall) keyOf(b *stack.Board) kept.Key { return k.around.Within("dashboard", k.sums[b]) }

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

// put writes an entry.
func put[T any](store *kept.Store, key kept.Key, entry *T) error {
	data, err := written(entry)
	if err != nil {
		return err
	}
	return store.Put(key, data)
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

// lastKey is where a stack's last run is noted, for changed alone.
func (k *recall) lastKey() (kept.Key, error) {
	part, err := kept.PartOf("directory", "", k.stack.Dir)
	return kept.KeyOf("last", []kept.Part{part}), err
}

// lastParts are a byte of the sum of each part: enough to see that one has changed, and
// too little to guess what a variable of the environment held.
type lastParts map[string]byte

func (k *recall) lastParts() *lastParts {
	out := lastParts{}
	for _, p := range k.parts {
		out[p.Name] = p.Sum[0]
	}
	return &out
}

// changed says which parts are not what they were in the last run.
func (k *recall) changed() string {
	key, err := k.lastKey()
	if err != nil {
		return err.Error()
	}
	last, _, err := get[lastParts](k.store, key)
	if err != nil {
		return "this stack was not run before"
	}
	var names []string
	for _, p := range k.parts {
		if was, there := (*last)[p.Name]; !there || was != p.Sum[0] {
			names = append(names, p.Name)
		}
	}
	if len(names) == 0 {
		return "the last run did not find all well with it"
	}
	return "changed since the last run: " + strings.Join(names, ", ")
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
