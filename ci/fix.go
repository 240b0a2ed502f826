package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/spf13/cobra"

	"github.com/panelgate/panelgate/ci/report"
	"github.com/panelgate/panelgate/e2e/fix"
	"github.com/panelgate/panelgate/e2e/nearest"
	"github.com/panelgate/panelgate/e2e/rule"
)

const fixLong = `fix mends in the files what can be mended safely, and changes nothing else in them.

%s
A fix is made only where it is certain what is meant, and kept only where the
stack, checked again with it, has lost the finding and gained no other. What is
left is told with the reason. Files outside of the stack's directory are not
changed.`

const fixExample = `  go run ./ci fix --dry-run                            what would change, as a diff
  go run ./ci fix
  go run ./ci fix --rule datasource/uid-unknown        one rule alone; may be repeated
  go run ./ci fix --stack ../infra --dry-run >fix.diff
  go run ./ci fix --dry-run || exit 1                  in CI: demand a tree that has been fixed`

const fixCodes = `  0  written, or nothing to fix
  1  with --dry-run: there is something to fix
  2  wrong usage or configuration
  3  could not run
`

// fixFlags are the flags of fix.
type fixFlags struct {
	check  checkFlags
	dryRun bool
	rules  []string
}

func fixCommand(stdout, stderr io.Writer) *cobra.Command {
	c := fixFlags{check: checkFlags{failOn: rule.Error.String()}}
	cmd := &cobra.Command{
		Use:         "fix",
		Short:       "Mend the files where that is safe, or show what would change",
		Long:        fmt.Sprintf(fixLong, fixable()),
		Example:     fixExample,
		Annotations: map[string]string{exitCodesOf: fixCodes},
		Args:        cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.fix(cmd.Context(), stdout, stderr)
		},
	}
	f := cmd.Flags()
	f.BoolVar(&c.dryRun, "dry-run", false, "change nothing, print a unified diff; exit code 1 where there is one")
	f.StringArrayVar(&c.rules, "rule", nil, "mend the findings of this `ID` alone; may be repeated")
	completeFlag(cmd, "rule", fix.Rules()...)
	c.check.addChoiceTo(cmd)
	return cmd
}

// fixable lists the rules that fix knows, with what it does.
func fixable() string {
	var b strings.Builder
	for _, id := range fix.Rules() {
		r, _ := rule.Lookup(id)
		fmt.Fprintf(&b, "  %s\n      %s\n", id, r.Summary)
	}
	return b.String()
}

func (c *fixFlags) fix(ctx context.Context, stdout, stderr io.Writer) error {
	for _, id := range c.rules {
		if !slices.Contains(fix.Rules(), id) {
			return usage(fmt.Errorf("--rule %q: no rule that fix mends%s; they are %s", id, nearest.Hint(id, fix.Rules()), strings.Join(fix.Rules(), ", ")))
		}
	}
	p, err := c.check.prepare(ctx, stderr)
	if err != nil {
		return ended(ctx, err, "reading the files")
	}
	result, err := fix.Run(ctx, p.stack, fix.Options{
		Load: p.load, Choose: p.opts.Choose, Severities: p.opts.Config.Rules, Rules: c.rules,
	})
	if err != nil {
		return ended(ctx, err, "mending the files")
	}
	if c.dryRun {
		return c.show(result, stdout, stderr)
	}
	for i, changed := range result.Changed {
		if err := changed.Write(); err != nil {
			return notRun(fmt.Errorf("%w%s", err, c.written(result.Changed[:i])))
		}
	}
	return c.tell(result, stdout, "fixed")
}

// written names the files that were mended before one could not be, "" for none.
func (c *fixFlags) written(done []fix.Changed) string {
	var names []string
	for _, changed := range done {
		names = append(names, c.path(changed.Name))
	}
	if len(names) == 0 {
		return ""
	}
	return " (mended before it: " + strings.Join(names, ", ") + ")"
}

// show prints the diff, and beside it what it is for, so that the diff can be used.
func (c *fixFlags) show(result *fix.Result, stdout, stderr io.Writer) error {
	for _, changed := range result.Changed {
		name := c.path(changed.Name)
		patch := unified(name, changed.Before, changed.After)
		if report.IsTerminal(stdout) { // a file or a program gets what git apply takes
			patch = []byte(report.Clean(strings.ReplaceAll(string(patch), "\r\n", "\n")))
		}
		if _, err := stdout.Write(patch); err != nil {
			return notRun(err)
		}
	}
	if err := c.tell(result, stderr, "to fix"); err != nil {
		return err
	}
	if len(result.Changed) > 0 {
		return &exitError{code: exitFindings}
	}
	return nil
}

// unified is a diff as git apply and patch -p1 take it.
func unified(name string, before, after []byte) []byte {
	out := diff.Diff("a/"+name, before, "b/"+name, after)
	_, out, _ = bytes.Cut(out, []byte("\n")) // the command line that would print it
	return out
}

// path is a file's path as the command line's --stack leads to it.
func (c *fixFlags) path(name string) string {
	return path.Join(filepath.ToSlash(c.check.stackDir), name)
}

// tell says what was done, what was not and why, and how much is left.
func (c *fixFlags) tell(result *fix.Result, w io.Writer, done string) error {
	var b strings.Builder
	fixed := 0
	for _, f := range result.Applied {
		fixed += len(f.Findings)
		pos := f.Pos
		pos.File = c.path(pos.File)
		fmt.Fprintf(&b, "%s %s: %s\n", pos, f.Rule, strings.Join(f.What, "; "))
	}
	for _, l := range result.Left {
		l.Pos.File = c.path(l.Pos.File)
		fmt.Fprintf(&b, "%s %s: left: %s; by hand: %s\n", l.Pos, l.Rule, l.Why, l.Fix)
	}
	left := 0
	for _, f := range result.Findings {
		if f.Severity > rule.Info {
			left++
		}
	}
	fmt.Fprintf(&b, "%d %s, %d left", fixed, done, left)
	if left > 0 {
		b.WriteString(" (run lint)")
	}
	b.WriteString("\n")
	if _, err := io.WriteString(w, report.Clean(b.String())); err != nil {
		return notRun(err)
	}
	return nil
}
