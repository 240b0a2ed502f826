package stack

import (
	"context"
	"log/slog"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/panelgate/panelgate/stack/source"
	"github.com/panelgate/panelgate/stack/unwieldy"
)

// readRuleFiles reads what rule_files leads to. cfg has the patterns for this
// machine, the tree has them as written, in the same order.
func (l *loader) readRuleFiles(ctx context.Context, p *Prometheus, cfg *config.Config) {
	written := p.Node.Get("rule_files").Items()
	for i, pattern := range cfg.RuleFiles {
		if ctx.Err() != nil {
			return
		}
		var text source.Text
		if i < len(written) {
			text = written[i].Text()
		}
		matches, err := filepath.Glob(pattern)
		if err != nil {
			l.problem(AreaPrometheus, text.Pos, "rule_files: %s", err)
		}
		if len(matches) == 0 {
			p.RuleFiles = append(p.RuleFiles, &RuleFile{Pattern: text})
		}
		for _, m := range matches {
			if slices.ContainsFunc(p.RuleFiles, func(r *RuleFile) bool { return r.Path == m }) {
				continue // Prometheus reads it once
			}
			rf := &RuleFile{File: l.rel(m), Path: m, Pattern: text}
			p.RuleFiles = append(p.RuleFiles, rf)
			l.readRuleFile(rf, cfg)
		}
	}
}

func (l *loader) readRuleFile(rf *RuleFile, cfg *config.Config) {
	root, data, err := l.readYAML(rf.Path)
	if err != nil {
		l.report(AreaPrometheus, rf.File, err)
		return
	}
	if l.unwieldyRules(root) {
		return
	}
	var errs []error
	err = guard("prometheus", func() error {
		_, errs = rulefmt.Parse(data, false, cfg.GlobalConfig.MetricNameValidationScheme,
			parser.NewParser(parser.Options{}), slog.New(slog.DiscardHandler))
		return nil
	})
	if err != nil {
		errs = append(errs, err)
	}
	for _, err := range errs {
		pos, msg := rulePos(rf.File, l.anonymous(err.Error()))
		if pos.Line == 0 {
			pos = ruleNamed(root, pos, msg)
		}
		l.problem(AreaPrometheus, pos, "Prometheus refuses the rule file: %s", msg)
	}
	for _, n := range root.Get("groups").Items() {
		group := ruleGroup(n, time.Duration(cfg.GlobalConfig.EvaluationInterval))
		rf.Groups = append(rf.Groups, group)
		for _, r := range group.Rules {
			if r.Record.Value != "" {
				rf.Records = append(rf.Records, r.Record)
			}
		}
	}
}

// unwieldyRules reports expressions that are too large to be parsed, and says whether
// there is any.
func (l *loader) unwieldyRules(root *source.Node) (found bool) {
	for _, group := range root.Get("groups").Items() {
		for _, r := range group.Get("rules").Items() {
			expr := r.Get("expr")
			if err := unwieldy.Expr(expr.Str()); err != nil {
				l.problem(AreaPrometheus, expr.Pos(), "the rule file is not read: %s", err)
				found = true
			}
		}
	}
	return found
}

func ruleGroup(n *source.Node, usual time.Duration) *RuleGroup {
	g := &RuleGroup{Name: n.Get("name").Text(), Interval: ruleDuration(n.Get("interval")).Duration, Pos: n.Pos()}
	if g.Interval <= 0 {
		g.Interval = usual
	}
	for _, r := range n.Get("rules").Items() {
		g.Rules = append(g.Rules, &Rule{
			Group: g, Pos: r.Pos(),
			Record: r.Get("record").Text(), Alert: r.Get("alert").Text(), Expr: r.Get("expr").Text(),
			For: ruleDuration(r.Get("for")), KeepFiringFor: ruleDuration(r.Get("keep_firing_for")),
			Labels: ruleLabels(r.Get("labels")), Annotations: ruleLabels(r.Get("annotations")),
		})
	}
	return g
}

// ruleDuration is 0 for what Prometheus refuses, which has a problem of its own.
func ruleDuration(n *source.Node) RuleDuration {
	out := RuleDuration{Text: n.Text()}
	if d, err := model.ParseDuration(out.Value); err == nil {
		out.Duration = time.Duration(d)
	}
	return out
}

func ruleLabels(n *source.Node) []RuleLabel {
	var out []RuleLabel
	for _, f := range n.Fields() {
		out = append(out, RuleLabel{Name: f.Key, Value: f.Value.Text()})
	}
	return out
}

var (
	ruleErrorPrefix = regexp.MustCompile(`^(?:\d+:\d+: )+`)
	lineColumn      = regexp.MustCompile(`(\d+):(\d+)`)
	ruleNumber      = regexp.MustCompile(`^group "([^"]*)", rule (\d+)`)
)

// ruleNamed finds the rule that an error names by group and number instead of
// by position; without one the error stays with the file.
func ruleNamed(root *source.Node, pos source.Pos, msg string) source.Pos {
	m := ruleNumber.FindStringSubmatch(msg)
	if m == nil {
		return pos
	}
	n, err := strconv.Atoi(m[2])
	for _, group := range root.Get("groups").Items() {
		rules := group.Get("rules").Items()
		if group.Get("name").Scalar() == m[1] && err == nil && n >= 1 && n <= len(rules) {
			return rules[n-1].Pos()
		}
	}
	return pos
}

// rulePos takes the position off the front of an error of rulefmt. Where it
// gives two, of keys of which one is absent (0:0), the last that is there counts.
func rulePos(file, msg string) (source.Pos, string) {
	pos := source.Pos{File: file}
	if prefix := ruleErrorPrefix.FindString(msg); prefix != "" {
		for _, m := range lineColumn.FindAllStringSubmatch(prefix, -1) {
			line, lineErr := strconv.Atoi(m[1])
			column, columnErr := strconv.Atoi(m[2])
			if lineErr == nil && columnErr == nil && line > 0 {
				pos.Line, pos.Column = line, column
			}
		}
		return pos, msg[len(prefix):]
	}
	if m := yamlErrorLine.FindStringSubmatch(msg); m != nil {
		if line, err := strconv.Atoi(m[1]); err == nil {
			pos.Line, pos.Column = line, 1
		}
		return pos, m[2]
	}
	return pos, msg
}
