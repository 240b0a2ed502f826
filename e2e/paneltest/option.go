package paneltest

import (
	"time"

	"github.com/panelgate/panelgate/e2e"
	"github.com/panelgate/panelgate/e2e/rule"
)

// Option changes what [Run] proves, and how. Without any it does what the command does
// without flags.
type Option func(*settings)

// settings are what the options set.
type settings struct {
	source e2e.Source
	failOn rule.Severity
	adjust []func(*e2e.Options)
}

// WithConfig takes this panelgate.yml, relative to the test's directory. By default one
// is searched from the stack's directory upward, and there may be none.
func WithConfig(file string) Option {
	return func(s *settings) { s.source.Config = file }
}

// WithDashboards checks only dashboards whose uid, title or file matches one of the
// globs, which are those of [path.Match]. Given twice, the globs add up. By default all
// dashboards are checked.
func WithDashboards(globs ...string) Option {
	return func(s *settings) { s.source.Dashboards = append(s.source.Dashboards, globs...) }
}

// WithHistory lays down a past of at most d before the first scrape. By default it is
// as long as the dashboards look back, and [e2e.DefaultHistory] at the most; less makes
// a run with long time ranges faster.
func WithHistory(d time.Duration) Option {
	return WithOptions(func(o *e2e.Options) { o.History = d })
}

// WithInstances has each faked target stand for n of its kind, as in a fleet. By default
// it is one.
func WithInstances(n int) Option {
	return WithOptions(func(o *e2e.Options) { o.Instances = n })
}

// WithFailOn fails on findings of this severity and above. By default it is
// [rule.Error]; milder findings are logged, which go test -v shows.
func WithFailOn(severity rule.Severity) Option {
	return func(s *settings) { s.failOn = severity }
}

// WithEnv runs the stack in another environment than embedded, which needs nothing:
// "docker" runs the compose file's own images, and the test's TestMain then calls
// docker.Prepare of e2e/env/docker. The other environments want more to be said, by
// [WithOptions].
func WithEnv(name string) Option {
	return WithOptions(func(o *e2e.Options) { o.Env = name })
}

// WithOptions changes anything else of a run, such as which images run in containers or
// which servers are asked that run already. change is called once, after the
// configuration has been read and in the order of the options.
func WithOptions(change func(*e2e.Options)) Option {
	return func(s *settings) { s.adjust = append(s.adjust, change) }
}
