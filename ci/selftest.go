package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/panelgate/panelgate/ci/report"
	"github.com/panelgate/panelgate/e2e"
	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/e2e/selftest"
)

const selftestLong = `Prove that the gate can fail: break the stack in one place at a time, run the
gate on every such mutant and say which of them no rule noticed.

A mutant is killed by a finding of warning or error that the stack itself has
not. It ought to come of a rule that is about the defect; where only others
fired, that is said. A mutant that has every panel show the very same is
equivalent, and not counted. Nothing in the stack's directory is changed: every
mutant is made in a copy.`

const selftestExample = `  go run ./ci selftest                          the stack in ./stack, in well under a minute
  go run ./ci selftest --stack ../infra -v      another one; list equivalent mutants too
  go run ./ci selftest --operator unit-changed --operator rate-dropped
  go run ./ci selftest --list                   every way to break a stack, and what ought to notice
  go run ./ci selftest --json score.json`

const selftestCodes = `  0  every mutant with something to notice was killed by a rule that ought to fire
  1  mutants survived, or were noticed by other rules only
  2  wrong usage or configuration
  3  could not run, or there was nothing to mutate
`

// selftestFlags are those of selftest.
type selftestFlags struct {
	checkFlags
	operators []string
	most      int
	list      bool
}

func selftestCommand(stdout, stderr io.Writer) *cobra.Command {
	var c selftestFlags
	cmd := &cobra.Command{
		Use:         "selftest",
		Short:       "Break the stack in every known way and see whether the gate notices",
		Long:        selftestLong,
		Example:     selftestExample,
		Annotations: map[string]string{exitCodesOf: selftestCodes},
		Args:        cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if c.list {
				return listOperators(stdout)
			}
			return c.selftest(cmd.Context(), stdout, stderr)
		},
	}
	f := cmd.Flags()
	c.addChoiceTo(cmd)
	f.StringArrayVar(&c.operators, "operator", nil, "only the operator of this `name`; may be repeated")
	f.IntVar(&c.most, "most", selftest.DefaultMost, "how many mutants an operator makes at the most")
	f.BoolVar(&c.list, "list", false, "list the operators, and what ought to notice each")
	var names []string
	for _, op := range selftest.Operators() {
		names = append(names, op.Name+"\t"+op.Does)
	}
	completeFlag(cmd, "operator", names...)
	c.addFormat(cmd, format{name: "json", help: "JSON"})
	f.BoolVarP(&c.verbose, "verbose", "v", false, "list equivalent mutants too")
	f.DurationVar(&c.timeout, "timeout", 10*time.Minute, "give up, with exit code 3, after this `duration`")
	return cmd
}

func listOperators(w io.Writer) error {
	for _, op := range selftest.Operators() {
		text := fmt.Sprintf("%s\n    %s\n", op.Name, op.Does)
		for _, o := range op.Ought {
			text += "    → " + o.String() + "\n"
		}
		if _, err := io.WriteString(w, text); err != nil {
			return notRun(err)
		}
	}
	return nil
}

func (c *selftestFlags) selftest(ctx context.Context, stdout, stderr io.Writer) error {
	run := report.SelftestRun{Version: version(), StackDir: c.stackDir}
	run.Result, run.Err = c.run(ctx, stderr)
	switch {
	case run.Err != nil:
		run.Verdict, run.ExitCode = report.Failed, codeOf(run.Err)
	case run.Result.Passed():
		run.Verdict, run.ExitCode = report.Pass, exitClean
	default:
		run.Verdict, run.ExitCode = report.Fail, exitFindings
	}
	if err := c.writeSelftest(stdout, run); err != nil {
		return notRun(err)
	}
	switch {
	case run.Err != nil:
		return run.Err
	case run.ExitCode != exitClean:
		return &exitError{code: run.ExitCode}
	}
	return nil
}

// run reads the stack and tries the mutants.
func (c *selftestFlags) run(ctx context.Context, stderr io.Writer) (*selftest.Result, error) {
	if c.most < 1 {
		return nil, usage(fmt.Errorf("--most %d: want 1 or more", c.most))
	}
	if c.timeout <= 0 {
		return nil, usage(fmt.Errorf("--timeout %s: want a time to run for", c.timeout))
	}
	ctx, cancel := context.WithTimeoutCause(ctx, c.timeout, fmt.Errorf("not finished after %s: raise --timeout or choose fewer operators", c.timeout))
	defer cancel()
	quiet := c.checkFlags
	quiet.verbose, quiet.failOn = false, rule.Warning.String()
	p, err := quiet.prepare(ctx, stderr)
	if err != nil {
		return nil, ended(ctx, err, "reading the files")
	}
	p.opts.History = e2e.DefaultHistory
	result, err := selftest.Run(ctx, p.stack, selftest.Options{
		Verify: p.opts, Load: p.load, Operators: c.operators, Most: c.most, Progress: p.progress.Show,
	})
	p.progress.Clear()
	var unknown *selftest.UnknownOperatorError
	if errors.As(err, &unknown) {
		return nil, usage(fmt.Errorf("--operator: %w", err))
	}
	return result, ended(ctx, err, p.progress.Stage())
}

func (c *selftestFlags) writeSelftest(stdout io.Writer, run report.SelftestRun) error {
	asJSON := func(w io.Writer) error { return report.SelftestJSON(w, run) }
	if c.jsonFile() == standardOutput {
		return asJSON(stdout)
	}
	if run.Result != nil {
		if err := report.Selftest(stdout, run.Result, c.verbose); err != nil {
			return err
		}
	}
	if c.jsonFile() == "" {
		return nil
	}
	return writeFile(c.jsonFile(), "json", asJSON)
}
