package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/panelgate/panelgate/ci/report"
)

const mergeLong = `Join what the shards of a run have told by --json, or by --ndjson, into the verdict and the
reports of the whole.

All of them have to be there, and of one run: a shard that is missing, that could not run, or
that is of another revision, configuration or choice is an error, and no verdict is told.`

const mergeExample = `  go run ./ci merge shards/*.json
  go run ./ci merge --junit junit.xml --sarif panelgate.sarif shards/*.json
  go run ./ci merge --html report.html shards/*.ndjson`

const mergeExitCodes = `  0  no shard has a finding at or above its --fail-on, and something was checked
  1  findings at or above --fail-on
  2  wrong usage
  3  a shard is missing, could not be run or read, or is of another run
`

const mergeName = "merge"

func mergeCommand(stdout, stderr io.Writer) *cobra.Command {
	var c checkFlags
	cmd := &cobra.Command{
		Use:         mergeName + " FILE...",
		Short:       "Join the reports of the shards of a run into one verdict",
		Long:        mergeLong,
		Example:     mergeExample,
		Annotations: map[string]string{exitCodesOf: mergeExitCodes},
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return errors.New("merge needs the reports of all shards, as shards/*.json: nothing was checked")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return c.merge(cmd.Context(), stdout, stderr, args) },
	}
	cmd.Flags().SortFlags = false
	c.outputFlags.addTo(cmd)
	return cmd
}

// merge tells of the whole what its shards have told, or why that cannot be.
func (c *checkFlags) merge(ctx context.Context, stdout, stderr io.Writer, args []string) (err error) {
	began := time.Now()
	if c.tell, err = c.newTeller(stdout, stderr); err != nil {
		return err
	}
	told, err := readShards(ctx, args)
	if err != nil {
		return c.notMerged(began, told, ended(ctx, fmt.Errorf("merge: %w", err), "reading the shards"))
	}
	if name := c.file("html"); name != "" && slices.ContainsFunc(told, undrawn) {
		return c.notMerged(began, told, usage(errors.New("--html: the panels are drawn from the shards' --ndjson, which --json has not got: merge those")))
	}
	whole, err := report.Merge(told)
	if err != nil {
		return c.notMerged(began, told, notRun(fmt.Errorf("merge: %w", err)))
	}
	if ctx.Err() != nil {
		return c.notMerged(began, told, ended(ctx, ctx.Err(), "joining the shards"))
	}
	c.tell.emit(report.Start(whole.Version, whole.Stack, whole.Env, whole.Began))
	return c.tellWhole(whole)
}

// tellWhole tells of a merged document, whose start has been told, and ends the command
// as it asks for.
func (c *checkFlags) tellWhole(whole *report.Document) error {
	whole.Notes = append(whole.Notes, fmt.Sprintf("merged from %d shards", len(whole.Stages)))
	for e := range whole.Events() {
		if e.Run == nil {
			c.tell.emit(e)
		}
	}
	c.failOn = whole.FailOn
	if err := c.tell.finish(c.textOptions(c.tell.stdout)); err != nil {
		return notRun(err)
	}
	if whole.ExitCode != exitClean {
		return &exitError{code: whole.ExitCode}
	}
	return nil
}

// notMerged tells every report that there is no verdict on the whole.
func (c *checkFlags) notMerged(began time.Time, told []report.Told, err error) error {
	where := ""
	if len(told) > 0 {
		c.stackDir, where = told[0].Stack, told[0].Env
	}
	c.tell.emit(report.Start(version(), c.stackDir, where, began))
	return c.tellOut(c.result(where, began, nil, 0, err), err)
}

// undrawn says whether a shard has asked panels and does not say how they look.
func undrawn(t report.Told) bool {
	return !t.Static() && len(t.Dashboards) > len(t.Drawings) && t.Verdict != report.Failed
}

// readShards reads the reports that files or patterns name. What could be read is given
// in any case.
func readShards(ctx context.Context, args []string) ([]report.Told, error) {
	var told []report.Told
	var wrong []string
	for _, name := range reportFiles(args) {
		if ctx.Err() != nil {
			return told, context.Cause(ctx)
		}
		d, err := readShard(name)
		if err != nil {
			wrong = append(wrong, err.Error())
			continue
		}
		told = append(told, report.Told{From: name, Document: d})
	}
	if len(wrong) > 0 {
		return told, errors.New(strings.Join(wrong, "; "))
	}
	return told, nil
}

// reportFiles are the files that arguments name, each once. A pattern that no shell has
// replaced is; one that fits nothing stays, and is not there when it is read.
func reportFiles(args []string) []string {
	var out []string
	for _, arg := range args {
		names := []string{arg}
		if _, err := os.Lstat(arg); err != nil {
			if found, err := filepath.Glob(arg); err == nil && len(found) > 0 {
				names = found
			}
		}
		for _, name := range names {
			if !slices.Contains(out, name) {
				out = append(out, name)
			}
		}
	}
	return out
}

// readShard reads a report of either kind.
func readShard(name string) (*report.Document, error) {
	const most = 1 << 30
	info, err := os.Stat(name)
	switch {
	case err != nil && strings.ContainsAny(name, "*?["):
		return nil, fmt.Errorf("%s fits no file: the shards have told nothing", name)
	case err != nil:
		return nil, fmt.Errorf("read a shard's report: %w", err)
	case info.IsDir():
		return nil, fmt.Errorf("%s is a directory: name the reports in it, as %s", name, filepath.Join(name, "*.json"))
	case info.Size() > most:
		return nil, fmt.Errorf("%s has %d bytes, and a shard's report has at most %d", name, info.Size(), most)
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("read a shard's report: %w", err)
	}
	var head struct {
		Event string          `json:"event"`
		Cells json.RawMessage `json:"cells"`
	}
	// What is wrong with the rest is told by whoever reads all of it.
	_ = json.NewDecoder(bytes.NewReader(data)).Decode(&head)
	var d *report.Document
	switch {
	case head.Event != "":
		d, err = report.ReadEvents(bytes.NewReader(data), nil)
	case head.Cells != nil:
		return nil, fmt.Errorf("%s tells of a matrix, each part of which has a table of its own: what merge joins are the shards of one run", name)
	default:
		d, err = report.Read(bytes.NewReader(data))
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return d, nil
}
