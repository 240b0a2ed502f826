// Command ci is the gate's face: it proves a Grafana stack kept as code and says
// in plain words, and by its exit code, whether every panel shows data.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/panelgate/panelgate/ci/report"
	"github.com/panelgate/panelgate/e2e/env/docker"
)

// The exit codes are a contract with the pipelines that call the gate.
const (
	exitClean    = 0 // nothing at or above --fail-on
	exitFindings = 1
	exitUsage    = 2 // wrong flags or configuration
	exitNotRun   = 3 // the proof could not be run
)

func main() {
	ctx := interruptible(context.Background(), os.Stderr)
	docker.Prepare()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// exitError ends the command with a certain exit code. An empty message means
// that all has been said.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

func usage(err error) error  { return &exitError{code: exitUsage, err: err} }
func notRun(err error) error { return &exitError{code: exitNotRun, err: err} }

// run is the whole command, apart from the process it runs in.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := newRoot(stdout, stderr)
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitClean
	}
	code := exitUsage // what cobra itself refuses: unknown flags and commands
	var exit *exitError
	if errors.As(err, &exit) {
		code = exit.code
	}
	if msg := err.Error(); msg != "" {
		say := func(w io.Writer) error {
			_, err := fmt.Fprintln(w, "panelgate: "+report.Clean(fromTwins(cmd, msg)))
			return err
		}
		if disarmed(stderr, os.Getenv(runsInActions) == "true", say) != nil {
			return exitNotRun
		}
		if exit == nil {
			if _, printErr := fmt.Fprintln(stderr, "Run 'go run ./ci --help' for usage."); printErr != nil {
				return exitNotRun
			}
		}
	}
	return code
}

const rootLong = `panelgate proves that a Grafana stack kept as code shows data in every panel.

It starts the real Prometheus code in this process with the stack's own
prometheus.yml, has fake exporters answer its targets, asks every query of
every panel as Grafana would ask it, and names the broken link where an answer
is missing. It needs no Docker, no GPU and no network.

With --env docker the stack's own Prometheus and Grafana run as containers and
every query goes through both; with --env dagger they are services of a Dagger
engine, near or far, which is what "dagger run" makes the default; with --env
attach those of a stack that is running already are asked, and nothing else.

With --matrix, or with several versions of a server, the stack is checked with
each of them, and a table says which panel breaks where and since which version.`

const rootExample = `  go run ./ci                                   check the stack in ./stack
  go run ./ci --stack ../infra -v               check another one, and say more
  go run ./ci --dashboard 'gpu-*' --json out.json
  go run ./ci --env docker                      with the stack's own servers, in containers
  go run ./ci --env docker --upgrade-from main  on the data that an older revision kept
  go run ./ci --env docker --matrix default     which versions does it work with?
  go run ./ci --env docker --grafana 12.4.5,13.2.3
  dagger run go run ./ci                        the same in a Dagger engine
  go run ./ci --env attach --grafana http://localhost:3000
  go run ./ci lint                              the files alone, in milliseconds
  go run ./ci --shard 2/4 --json 2.json         a quarter of the dashboards, for a matrix of jobs
  go run ./ci merge *.json                      what the four quarters come to
  go run ./ci watch                             check again with every edit, in well under a second
  go run ./ci why 'sum(rate(nv_count[1m]))'     what of an expression is empty, and why
  go run ./ci fix --dry-run                     what can be mended safely, as a diff
  go run ./ci drift                             which panel breaks with which exporter release?
  go run ./ci selftest                          would the gate notice? break the stack and see
  go run ./ci record --from URL -o triton.rec   record a real exporter, to play it back
  go run ./ci verify-fake --against triton.rec  is the fake like the real one?
  go run ./ci explain panel/no-data             what a rule means`

const checkExample = `  go run ./ci check --stack ../infra -v
  go run ./ci check --dashboard 'gpu-*' --fail-on warning
  go run ./ci check --env docker --service grafana=ui`

const lintExample = `  go run ./ci lint
  go run ./ci lint --stack ../infra --fail-on warning
  go run ./ci lint --json -                     for a program`

const exitCodes = `  0  no finding at or above --fail-on
  1  findings at or above --fail-on
  2  wrong usage or configuration
  3  could not run
`

// plainExitCodes are those of commands that check nothing.
const plainExitCodes = `  0  done
  2  wrong usage
  3  could not run
`

func newRoot(stdout, stderr io.Writer) *cobra.Command {
	var c checkFlags
	root := &cobra.Command{
		Use:           "panelgate",
		Short:         "Prove that every panel of a Grafana stack shows data",
		Long:          rootLong,
		Example:       rootExample,
		Args:          cobra.NoArgs,
		SilenceErrors: true,
		SilenceUsage:  true,
		PersistentPreRunE: func(cmd *cobra.Command, args []string) error {
			if strings.HasPrefix(cmd.Name(), cobra.ShellCompRequestCmd) {
				return nil // somebody is typing
			}
			if err := warnOfMisspelt(cmd.Root(), os.Environ(), stderr); err != nil {
				return notRun(err)
			}
			if err := twins(cmd); err != nil {
				return usage(err)
			}
			if err := spareInputs(cmd, args); err != nil {
				return usage(err)
			}
			if err := clearOld(cmd); err != nil {
				return notRun(err)
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.check(cmd, stdout, stderr)
		},
	}
	c.addTo(root)
	c.addLiveTo(root)
	root.AddCommand(checkCommand(stdout, stderr), lintCommand(stdout, stderr), fixCommand(stdout, stderr), whyCommand(stdout, stderr), driftCommand(stdout, stderr), watchCommand(stdout, stderr),
		mergeCommand(stdout, stderr), selftestCommand(stdout, stderr), recordCommand(stdout, stderr), verifyFakeCommand(stdout, stderr), rulesCommand(stdout), explainCommand(stdout), versionCommand(stdout))
	root.SetOut(stdout) // which the completion command remembers
	root.InitDefaultCompletionCmd()
	root.InitDefaultHelpCmd()
	root.SetHelpFunc(printHelp)
	root.SetUsageFunc(printUsage)
	return root
}

func checkCommand(stdout, stderr io.Writer) *cobra.Command {
	var c checkFlags
	cmd := &cobra.Command{
		Use:     "check",
		Short:   "Run the stack and ask every panel (the default)",
		Long:    rootLong,
		Example: checkExample,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.check(cmd, stdout, stderr)
		},
	}
	c.addTo(cmd)
	c.addLiveTo(cmd)
	return cmd
}

func lintCommand(stdout, stderr io.Writer) *cobra.Command {
	var c checkFlags
	cmd := &cobra.Command{
		Use:     "lint",
		Short:   "Check the files alone, without running anything",
		Example: lintExample,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.lint(cmd.Context(), stdout, stderr)
		},
	}
	c.addTo(cmd)
	return cmd
}
